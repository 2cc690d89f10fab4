"""What clients are told about virtual rooms, and what others push and send.

docs/reference/protocol.md, sections 2.4, 6.2, 6.3 and 12.14.
"""

from __future__ import annotations

from typing import Final

from timtw.model import commands, events
from timtw.model.idents import node_of
from timtw.model.live import Parcel, Piece
from timtw.protocols import structs
from timtw.protocols.bigdata import BINARY_SEPARATOR, TEXT_SEPARATOR
from timtw.protocols.codecs import Codec
from timtw.protocols.frames import FrameType, server_frame
from timtw.protocols.messages import DROPPED, ENDED, TO_ACCOUNT
from timtw.protocols.refusals import (
    ALLOW,
    CREATE,
    DISALLOW,
    REMOVE,
    SUBSCRIBE,
    UNSUBSCRIBE,
)

_BIG_TEXT: Final = server_frame(FrameType.TIMBIGSTRING)
_BIG_OCTETS: Final = server_frame(FrameType.TIMBIGBINARY)
_OCTETS: Final = server_frame(FrameType.TIMBIGBINARYSTREAM)

Told = events.LiveDone | events.PiecesDropped | events.LiveEnded | events.ParcelCame


def frames(codec: Codec, additions: bool, event: Told | events.Pieces) -> list[bytes]:
    """The frames that tell ``event``; the notices are for the additions alone."""
    if isinstance(event, events.Pieces):
        return [piece_frame(codec, one, event.binary) for one in event.pieces]
    if isinstance(event, events.ParcelCame):
        return [parcel_frame(event.parcel)]
    if isinstance(event, events.LiveDone):
        return [server_frame(FrameType.TIMACK, codec.encode(done(event)))]
    if not additions:
        return []
    notice = dropped(event) if isinstance(event, events.PiecesDropped) else ended(event)
    return [server_frame(FrameType.TIMMESSAGE, codec.encode(notice))]


def done(event: events.LiveDone) -> structs.TimAck:
    """What was asked of a virtual room is done."""
    command = event.command
    kind, node = _KINDS[type(command)], node_of(event.room)
    if isinstance(command, commands.AllowPush):
        kind, node = ALLOW if command.allowed else DISALLOW, command.peer
    return structs.TimAck(ok=True, timType=FrameType.TIMVROOM, t=kind, n=node)


_KINDS: Final[dict[type, int]] = {
    commands.OpenLive: CREATE,
    commands.EndLive: REMOVE,
    commands.AllowPush: ALLOW,
    commands.Subscribe: SUBSCRIBE,
    commands.Unsubscribe: UNSUBSCRIBE,
}


def dropped(event: events.PiecesDropped) -> structs.TimMessage:
    """The notice of how many pieces a slow line has missed."""
    place = structs.Tid(node=node_of(event.room))
    return structs.TimMessage(
        msType=TO_ACCOUNT, odType=DROPPED, roomTid=place, mid=event.count
    )


def ended(event: events.LiveEnded) -> structs.TimMessage:
    """The notice that a virtual room has ended, and why."""
    place = structs.Tid(node=node_of(event.room))
    return structs.TimMessage(
        msType=TO_ACCOUNT, odType=ENDED, roomTid=place, dataString=event.why.value
    )


def parcel_frame(parcel: Parcel) -> bytes:
    """Big text or octets: no length, no structure, the same for everybody."""
    head = _BIG_TEXT if parcel.is_text else _BIG_OCTETS
    separator = TEXT_SEPARATOR if parcel.is_text else BINARY_SEPARATOR
    return b"".join((head, parcel.sender.node.encode(), separator, parcel.octets))


def piece_frame(codec: Codec, piece: Piece, binary: bool) -> bytes:
    """One piece of a stream, in the form that was subscribed to."""
    room = node_of(piece.room)
    if binary:
        return b"".join((_OCTETS, room.encode(), BINARY_SEPARATOR, piece.body))
    stream = structs.TimStream(
        id=piece.ident,
        VNode=room,
        dtype=piece.dtype,
        body=piece.body,
        fromNode=piece.sender.node,
    )
    return server_frame(FrameType.TIMSTREAM, codec.encode(stream))
