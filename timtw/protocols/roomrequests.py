"""Requests about rooms become commands of the core.

docs/reference/protocol.md, sections 5.1 and 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from timtw.model import commands
from timtw.model.commands import RoomCommand
from timtw.model.limits import NODE_LIST
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.roomsteps import OTHERS, RoomStep
from timtw.protocols import structs

ROOMS: Final = 2
"""The rtype that asks for the rooms of the account, and the ntype of the answer."""
MEMBERS: Final = 3
"""The same for the members of a room."""
BLOCKED_ROOMS: Final = 19
"""The rtype that asks for the rooms that the account blocks."""
BARRED: Final = 20
"""The rtype that asks for the accounts that a room bars."""
READ_ROOMS: Final = 5
"""The ntype that asks what rooms are and answers with it."""
CHANGE_ROOM: Final = 7
"""The ntype that changes what a room is."""
UNSAID: Final = 0
"""The ntype of a client that lets the content say what it means."""
_STEPS: Final = frozenset(RoomStep) - {RoomStep.CREATE, RoomStep.CHANGE}
_BUSINESS: Final = frozenset(
    (ROOMS, MEMBERS, BLOCKED_ROOMS, BARRED, RoomStep.CREATE, *_STEPS)
)
_PLAIN: Final = _BUSINESS - {RoomStep.HAND_OVER}
STEPS: Final = frozenset((RoomStep.CREATE, *_STEPS))
"""Those of steps, whose refusals repeat what they are about."""


def business_of(additions: bool) -> frozenset[int]:
    """The rtypes that are about rooms, for clients with the additions and without."""
    return _BUSINESS if additions else _PLAIN


def business(request: structs.TimReq) -> RoomCommand | None:
    """Type 41; ``None`` if something is missing that the request needs."""
    kind, node = request.rtype, request.node
    if kind in (ROOMS, BLOCKED_ROOMS):
        return commands.ListRooms(kind == BLOCKED_ROOMS)
    if kind == MEMBERS:
        return commands.ListMembers(node or "")
    if node is None:
        return None
    if kind == BARRED:
        return commands.ListMembers(node, barred=True)
    if kind == RoomStep.CREATE:
        entry = Entry.PRIVATE if request.reqInt == Entry.PRIVATE else Entry.OPEN
        return commands.CreateRoom(node, entry)
    return _step(RoomStep(kind or 0), node, request)


def _step(step: RoomStep, room: str, request: structs.TimReq) -> RoomCommand | None:
    """A step; a request to be let in needs a text, which may be empty."""
    text = request.reqStr if step in (RoomStep.JOIN, RoomStep.REJECT) else None
    if step is RoomStep.JOIN and text is None:
        return None
    if step not in OTHERS:
        return commands.ChangeRoom(step, room, text=text)
    if request.node2 is None:
        return None
    return commands.ChangeRoom(step, room, request.node2, text)


def nodes(kind: int, request: structs.TimNodes) -> RoomCommand | None:
    """Type 42; ``None`` if it is not about one room, or about too many."""
    if kind == CHANGE_ROOM:
        is_one = request.roommap is not None and len(request.roommap) == 1
        return _change(request.roommap or {}) if is_one else None
    if not request.nodelist or len(request.nodelist) > NODE_LIST:
        return None
    wished = tuple(dict.fromkeys(request.nodelist))
    return commands.ReadRooms(wished, or_accounts=kind == UNSAID)


def _change(roommap: Mapping[str, structs.TimRoomBean | None]) -> RoomCommand | None:
    """
    A change of what one room is; ``None`` where nothing is said about it.

    Founder, entry and time of creation are the server's and mean nothing here.
    """
    ((room, bean),) = roommap.items()
    if bean is None:
        return None
    info = RoomInfo(
        bean.topic, bean.cover, bean.label, bean.kind, bean.extend, bean.extra
    )
    managers = None if bean.managers is None else tuple(bean.managers)
    return commands.ChangeRoomInfo(room, info, managers)
