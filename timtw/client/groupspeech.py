"""Requests about groups as frames.

docs/reference/protocol.md, sections 5.3 and 6.1.
"""

from __future__ import annotations

from timtw.model.roominfo import Entry
from timtw.model.roomsteps import RoomStep
from timtw.protocols.frames import FrameType
from timtw.protocols.roomrequests import (
    BARRED,
    BLOCKED_ROOMS,
    CHANGE_ROOM,
    MEMBERS,
    READ_ROOMS,
    ROOMS,
)
from timtw.protocols.structs import TimNodes, TimReq, TimRoomBean, WireStruct


class GroupSpeech:
    """The part of ``Speech`` that is about groups."""

    def _frame(self, kind: int, body: WireStruct | None = None) -> bytes:
        """One frame of a client."""
        raise NotImplementedError

    def groups(self, blocked: bool) -> bytes:
        """A request for the groups of the account, or for those that it blocks."""
        rtype = BLOCKED_ROOMS if blocked else ROOMS
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=rtype))

    def members(self, group: str, barred: bool) -> bytes:
        """A request for who is in a group, or for whom it bars."""
        body = TimReq(rtype=BARRED if barred else MEMBERS, node=group)
        return self._frame(FrameType.TIMBUSINESS, body)

    def new_group(self, topic: str, private: bool) -> bytes:
        """A wish for a new group."""
        entry = int(Entry.PRIVATE if private else Entry.OPEN)
        body = TimReq(rtype=int(RoomStep.CREATE), node=topic, reqInt=entry)
        return self._frame(FrameType.TIMBUSINESS, body)

    def group_step(
        self, step: RoomStep, group: str, peer: str | None, text: str
    ) -> bytes:
        """A step about a group, and perhaps another account."""
        body = TimReq(rtype=int(step), node=group, node2=peer, reqStr=text)
        return self._frame(FrameType.TIMBUSINESS, body)

    def group_info(self, groups: list[str]) -> bytes:
        """A request for what groups are."""
        body = TimNodes(ntype=READ_ROOMS, nodelist=groups)
        return self._frame(FrameType.TIMNODES, body)

    def change_group(self, group: str, bean: TimRoomBean) -> bytes:
        """A change of what a group is."""
        body = TimNodes(ntype=CHANGE_ROOM, roommap={group: bean})
        return self._frame(FrameType.TIMNODES, body)
