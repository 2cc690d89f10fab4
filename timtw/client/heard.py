"""What a node sends, as values that the library's users see.

docs/reference/protocol.md, sections 2 to 6 and 12.
"""

from __future__ import annotations

from typing import Final

import attrs

from timtw.client.values import NOTICE, Delivered, Expired, Message, Presence, Read
from timtw.protocols.frames import FrameType
from timtw.protocols.messages import DELIVERED, EXPIRED, TO_ROOM
from timtw.protocols.refusals import READ
from timtw.protocols.structs import (
    Tid,
    TimAck,
    TimMessage,
    TimMessageList,
    TimNodes,
    TimPresence,
    TimStream,
    WireStruct,
)

BODIES: Final[dict[int, type[WireStruct]]] = {
    FrameType.TIMACK: TimAck,
    FrameType.TIMOFFLINEMSG: TimMessageList,
    FrameType.TIMPULLMESSAGE: TimMessageList,
    FrameType.TIMNODES: TimNodes,
    FrameType.TIMMESSAGE: TimMessage,
    FrameType.TIMPRESENCE: TimPresence,
    FrameType.TIMSTREAM: TimStream,
}
"""What is in a frame of each type."""


@attrs.frozen
class Heard:
    """A frame of a node.

    Attributes:
        type: What the low 7 bits of its first byte say.
        receipt: The 4 bytes to send back, None if they are not wanted.
        body: Its payload; None if it has none, or of an unknown type.
    """

    type: int
    receipt: bytes | None
    body: WireStruct | None


def message_of(body: TimMessage, own_node: str) -> Message:
    """A message as the library's users see it."""
    sender = body.fromTid.node if body.fromTid is not None else ""
    recipient = body.toTid.node if body.toTid is not None else ""
    group = body.roomTid.node if body.roomTid is not None else ""
    own = sender == own_node
    if body.msType == TO_ROOM:
        recipient = sender
    return Message(
        peer=recipient if own else sender,
        own=own,
        text=body.dataString or "",
        mid=body.mid or 0,
        timestamp=body.timestamp or 0,
        ident=body.id or 0,
        seq=body.seq or 0,
        kind=body.odType,
        notice=(body.bnType or 0) if body.odType == NOTICE else 0,
        data=body.dataBinary or b"",
        group=group,
        to_group=body.msType == TO_ROOM,
    )


def notice_of(body: TimMessage, own_node: str) -> Delivered | Read | Expired | None:
    """What is told about messages, if this is no message itself."""
    reader = body.fromTid.node if body.fromTid is not None else ""
    if body.odType == DELIVERED:
        return Delivered(reader, body.mid or 0)
    room = body.roomTid.node if body.roomTid is not None else ""
    if body.odType == READ:
        own = reader == own_node
        other = body.toTid.node if body.toTid is not None else room
        peer, in_group = other if own else reader, body.msType == TO_ROOM
        return Read(peer, own, body.mid or 0, body.id or 0, in_group)
    return Expired(body.seq or 0, room) if body.odType == EXPIRED else None


def presence_of(body: TimPresence) -> Presence:
    """How somebody is, as the library's users see it."""
    sender = body.fromTid or Tid(node="")
    return Presence(
        peer=sender.node,
        gone=bool(body.offline),
        show=body.show or 0,
        status=body.status or "",
        purpose=body.subStatus or 0,
        resource=sender.resource or "",
        termtyp=sender.termtyp or 0,
        extend=body.extend or {},
        extra=body.extra or {},
    )
