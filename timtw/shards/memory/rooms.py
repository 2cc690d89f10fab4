"""Rooms and their members, in the engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.peoplestores import IRoomStore
from timtw.model.roominfo import RoomInfo
from timtw.model.rooms import RANKS, Belonging, Member, Role, Room, RoomProfile, Side
from timtw.model.values import Draft
from timtw.shards.memory.relations import MemoryRelations
from timtw.shards.memory.standings import Submit
from timtw.shards.tables.operations import Operation, Rows, carried_out
from timtw.shards.tables.rooming import KeptRoom, Rooming, RoomOutcome

T = TypeVar("T")


def _done(result: T) -> Operation[T]:
    """An operation that needs no statement."""
    yield from ()
    return result


class MemoryRoomRows:
    """See ``Rows`` of ``timtw.shards.tables.rooming``."""

    def __init__(self, relations: MemoryRelations) -> None:
        self._relations = relations
        self.kept: dict[int, KeptRoom] = {}
        self.in_room: dict[int, dict[int, Belonging]] = {}
        self.of_account: dict[int, set[int]] = {}

    def room(self, number: int) -> Operation[KeptRoom | None]:
        """See ``Rows``."""
        return _done(self.kept.get(number))

    def at(self, room: int, account: int) -> Belonging:
        """What an account is to a room."""
        return self.in_room.get(room, {}).get(account, Belonging())

    def belonging(self, room: int, account: int) -> Operation[Belonging]:
        """See ``Rows``."""
        return _done(self.at(room, account))

    def put(self, room: int, account: int, after: Belonging) -> Operation[None]:
        """See ``Rows``."""
        there = self.in_room.setdefault(room, {})
        there[account] = after
        self.of_account.setdefault(account, set()).add(room)
        if after == Belonging():
            del there[account]
            self.of_account[account].discard(room)
        return _done(None)

    def create(self, room: Room, info: RoomInfo) -> Operation[None]:
        """See ``Rows``."""
        self.kept[room.number] = KeptRoom(room, 1, info)
        return _done(None)

    def count(self, room: int, more: int) -> Operation[None]:
        """See ``Rows``."""
        kept = self.kept[room]
        self.kept[room] = attrs.evolve(kept, members=kept.members + more)
        return _done(None)

    def say(self, room: int, info: RoomInfo) -> Operation[None]:
        """See ``Rows``."""
        self.kept[room] = attrs.evolve(self.kept[room], info=info)
        return _done(None)

    def found(self, room: int, founder: int) -> Operation[None]:
        """See ``Rows``."""
        kept = self.kept[room]
        self.kept[room] = attrs.evolve(
            kept, room=attrs.evolve(kept.room, founder=founder)
        )
        return _done(None)

    def dissolve(self, room: int) -> Operation[None]:
        """See ``Rows``."""
        kept = self.kept[room]
        gone = attrs.evolve(kept.room, alive=False)
        self.kept[room] = attrs.evolve(kept, room=gone, members=0)
        for account, was in [*self.in_room[room].items()]:
            blocks = was.account is Side.BLOCKS
            self.put(room, account, Belonging(Side.BLOCKS) if blocks else Belonging())
        return _done(None)

    def managers(self, room: int) -> Operation[Sequence[int]]:
        """See ``Rows``."""
        there = self.in_room.get(room, {})
        return _done(sorted(n for n, b in there.items() if b.role is Role.MANAGER))

    def requests(self, room: int) -> Operation[int]:
        """See ``Rows``."""
        there = self.in_room.get(room, {}).values()
        asked = [b for b in there if b.account is Side.AGREES and not b.is_member]
        return _done(len(asked))

    def barred(self, room: int) -> Sequence[int]:
        """The accounts that a room bars."""
        there = self.in_room.get(room, {})
        return sorted(n for n, b in there.items() if b.room is Side.BLOCKS)

    def bars(self, room: int) -> Operation[int]:
        """See ``Rows``."""
        return _done(len(self.barred(room)))

    def rooms(self, account: int, side: Side) -> list[int]:
        """The rooms about which an account has said this."""
        known = self.of_account.get(account, ())
        return sorted(n for n in known if self.at(n, account).account is side)

    def known(self, account: int) -> Operation[int]:
        """See ``Rows``."""
        sides = (Side.AGREES, Side.BLOCKS)
        return _done(sum(len(self.rooms(account, side)) for side in sides))

    def blocks(self, account: int, other: int) -> Operation[bool]:
        """See ``Rows``."""
        return _done(self._relations.blocks(account, other))


@implementer(IRoomStore)
class MemoryRooms:
    """Rooms in dictionaries."""

    def __init__(self, submit: Submit, relations: MemoryRelations) -> None:
        self._submit = submit
        self._rows = MemoryRoomRows(relations)
        self._rooming = Rooming(self._rows)

    def change(self, draft: Draft, ends: tuple[int, int]) -> RoomOutcome:
        """Take the step that ``draft`` is; notices are stored by whoever asks."""
        return carried_out(self._rooming.change(draft, ends), _no_statements)

    def memberships(self, account: int) -> Mapping[int, Belonging]:
        """The rooms of an account, and what it is to them."""
        found = {
            room: self._rows.at(room, account)
            for room in self._rows.rooms(account, Side.AGREES)
        }
        return {room: at for room, at in found.items() if at.is_member}

    def joined(self, account: int) -> Mapping[int, int]:
        """The rooms of an account, and the ends of their logs when it joined."""
        found = self.memberships(account).items()
        return {room: at.joined_seq for room, at in found}

    def room(self, number: int) -> Deferred[Room | None]:
        """See ``IRoomStore``."""

        def operation() -> Room | None:
            kept = self._rows.kept.get(number)
            return None if kept is None else kept.room

        return self._submit(operation)

    def belonging(self, room: int, account: int) -> Deferred[Belonging]:
        """See ``IRoomStore``."""
        return self._submit(lambda: self._rows.at(room, account))

    def rooms_of(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""

        def operation() -> Sequence[int]:
            agreed = self._rows.rooms(account, Side.AGREES)
            return [room for room in agreed if self._rows.at(room, account).is_member]

        return self._submit(operation)

    def blocked_rooms(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""
        return self._submit(lambda: self._rows.rooms(account, Side.BLOCKS))

    def members(
        self, room: int, after: Member | None, limit: int
    ) -> Deferred[Sequence[Member]]:
        """See ``IRoomStore``."""

        def place(member: Member) -> tuple[int, int]:
            return RANKS.index(member.role), member.account

        def operation() -> Sequence[Member]:
            there = self._rows.in_room.get(room, {}).items()
            found = [Member(n, one.role) for n, one in there if one.is_member]
            if after is not None:
                found = [one for one in found if place(one) > place(after)]
            return sorted(found, key=place)[:limit]

        return self._submit(operation)

    def barred(self, room: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""
        return self._submit(lambda: self._rows.barred(room))

    def profiles(self, rooms: Sequence[int]) -> Deferred[Mapping[int, RoomProfile]]:
        """See ``IRoomStore``."""

        def operation() -> Mapping[int, RoomProfile]:
            found: dict[int, RoomProfile] = {}
            for number in rooms:
                kept = self._rows.kept.get(number)
                if kept is not None and kept.room.alive:
                    managers = carried_out(self._rows.managers(number), _no_statements)
                    found[number] = RoomProfile(kept.room, kept.info, tuple(managers))
            return found

        return self._submit(operation)


def _no_statements(text: str, parameters: Sequence[Any]) -> Rows:
    """There is no database to execute anything."""
    raise AssertionError(text)
