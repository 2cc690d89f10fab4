"""What clients are told about rooms, as wire structures.

docs/reference/protocol.md, sections 5.1 and 6.1.
"""

from __future__ import annotations

from typing import Final

from timtw.model import events
from timtw.model.commands import ChangeRoom, ChangeRoomInfo, ListMembers
from timtw.model.idents import node_of
from timtw.model.rooms import RoomProfile
from timtw.model.roomsteps import OTHERS, RoomStep
from timtw.protocols import structs
from timtw.protocols.codecs import Codec
from timtw.protocols.frames import FrameType
from timtw.protocols.lists import node_size, shares
from timtw.protocols.roomrequests import CHANGE_ROOM, MEMBERS, READ_ROOMS, ROOMS

LISTS_BLOCKED_ROOMS: Final = 9
"""The ntype of an answer with the rooms that the account blocks."""
LISTS_BARRED: Final = 10
"""The ntype of an answer with the accounts that a room bars."""


def done(event: events.RoomDone, additions: bool) -> structs.TimAck | None:
    """
    A step was taken.

    A request to be let in is answered only for those with the additions: one client
    would take the answer for the membership itself.
    """
    command = event.command
    if isinstance(command, ChangeRoomInfo):
        return structs.TimAck(ok=True, timType=FrameType.TIMNODES, t=CHANGE_ROOM)
    step, peer = RoomStep.CREATE, None
    if isinstance(command, ChangeRoom):
        step = command.step
        peer = command.peer if step in OTHERS else None
    if step is RoomStep.JOIN and not additions:
        return None
    return structs.TimAck(
        ok=True, timType=FrameType.TIMBUSINESS, t=int(step), n=event.room, n2=peer
    )


def lists(codec: Codec, event: events.RoomNodes) -> list[structs.TimNodes]:
    """The frames with a list of nodes; those of a room say which."""
    command = event.command
    if isinstance(command, ListMembers):
        kind, room = (LISTS_BARRED if command.barred else MEMBERS), command.room
        return [
            structs.TimNodes(ntype=kind, nodelist=share, node=room)
            for share in shares(codec, event.nodes, node_size)
        ]
    kind = LISTS_BLOCKED_ROOMS if command.blocked else ROOMS
    return [
        structs.TimNodes(ntype=kind, nodelist=share)
        for share in shares(codec, event.nodes, node_size)
    ]


def bean(profile: RoomProfile) -> structs.TimRoomBean:
    """What a room is."""
    room, info = profile.room, profile.info
    return structs.TimRoomBean(
        founder=node_of(room.founder),
        managers=[node_of(number) for number in profile.managers],
        cover=info.cover,
        topic=info.topic,
        label=info.label,
        gtype=int(room.entry),
        kind=info.kind,
        createtime=room.created,
        extend=None if info.extend is None else dict(info.extend),
        extra=None if info.extra is None else dict(info.extra),
    )


def profiles(codec: Codec, event: events.RoomProfiles) -> list[structs.TimNodes]:
    """The frames with what rooms are; the map is there even when it is empty."""
    beans = [(one.room.address.node, bean(one)) for one in event.profiles]

    def size(entry: tuple[str, structs.TimRoomBean]) -> int:
        return len(codec.encode(entry[1])) + node_size(entry[0])

    return [
        structs.TimNodes(ntype=READ_ROOMS, roommap=dict(share))
        for share in shares(codec, beans, size)
    ]
