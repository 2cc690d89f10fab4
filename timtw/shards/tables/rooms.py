"""Rooms and their members, as rows of every engine with tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.idents import node_of, slot_of
from timtw.model.peoplestores import IRoomStore
from timtw.model.relations import Half
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.rooms import RANKS, Belonging, Member, Role, Room, RoomProfile, Side
from timtw.model.values import FIRST_ACCOUNT, Address, Conversation
from timtw.shards.records import pack_info, pack_room, unpack_info, unpack_room
from timtw.shards.sealing import ROOM_IDENTITY, ROOM_PROFILE, Sealer, account_context
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation, Run, all_of, first_of
from timtw.shards.tables.relations import RelationStatements
from timtw.shards.tables.room_statements import ALIVE, RoomStatements
from timtw.shards.tables.rooming import KeptRoom


class RoomRows:
    """See ``Rows`` of ``timtw.shards.tables.rooming``."""

    def __init__(self, sql: Sql, sealer: Sealer) -> None:
        self._sealer = sealer
        self._statements = sql.made(RoomStatements)
        self._relations = sql.made(RelationStatements)

    def rooms(self, numbers: Sequence[int]) -> Operation[dict[int, KeptRoom]]:
        """The rooms with these numbers; unknown ones are left out."""
        keys: list[int] = []
        for number in dict.fromkeys(numbers):
            keys += (slot_of(number), number)
        rows = yield from all_of(self._statements.rooms, keys)
        return {row[0]: self._kept(*row) for row in rows}

    def room(self, number: int) -> Operation[KeptRoom | None]:
        """See ``Rows``."""
        return (yield from self.rooms([number])).get(number)

    def _kept(
        self,
        number: int,
        identity: bytes,
        entry: int,
        state: int,
        founder: int,
        created: int,
        members: int,
        profile: bytes,
    ) -> KeptRoom:
        """A room, from its row."""
        opened = self._sealer.open
        domain = unpack_room(opened(identity, account_context(ROOM_IDENTITY, number)))
        info = unpack_info(opened(profile, account_context(ROOM_PROFILE, number)))
        address = Address(number, node_of(number), domain)
        room = Room(address, Entry(entry), founder, created, state == ALIVE)
        return KeptRoom(room, members, info)

    def belonging(self, room: int, account: int) -> Operation[Belonging]:
        """See ``Rows``."""
        key = (slot_of(room), room, account)
        row: Any = yield from first_of(self._statements.read, key)
        if row is None:
            return Belonging()
        mine, theirs, role, seq, mid = row
        return Belonging(Side(mine), Side(theirs), Role(role), seq, mid)

    def put(self, room: int, account: int, after: Belonging) -> Operation[None]:
        """See ``Rows``."""
        key = (slot_of(room), room, account)
        if after == Belonging():
            yield self._statements.drop, key
            return
        sides = (int(after.account), int(after.room), int(after.role))
        row = (*key, *sides, after.joined_seq, after.joined_mid)
        yield self._statements.write, row

    def create(self, room: Room, info: RoomInfo) -> Operation[None]:
        """See ``Rows``."""
        number = room.number
        context = account_context(ROOM_IDENTITY, number)
        identity = self._sealer.seal(pack_room(room.address.domain), context)
        what = (int(room.entry), ALIVE, room.founder, room.created, 1)
        row = (slot_of(number), number, identity, *what, self._sealed(number, info))
        yield self._statements.insert_room, row

    def _sealed(self, room: int, info: RoomInfo) -> bytes:
        """What a room tells about itself, sealed."""
        return self._sealer.seal(pack_info(info), account_context(ROOM_PROFILE, room))

    def count(self, room: int, more: int) -> Operation[None]:
        """See ``Rows``."""
        yield self._statements.count_members, (more, slot_of(room), room)

    def say(self, room: int, info: RoomInfo) -> Operation[None]:
        """See ``Rows``."""
        row = (self._sealed(room, info), slot_of(room), room)
        yield self._statements.write_profile, row

    def found(self, room: int, founder: int) -> Operation[None]:
        """See ``Rows``."""
        yield self._statements.write_founder, (founder, slot_of(room), room)

    def dissolve(self, room: int) -> Operation[None]:
        """See ``Rows``."""
        key = (slot_of(room), room)
        yield self._statements.dissolve, key
        yield self._statements.drop_all, key
        yield self._statements.unbar_all, key

    def managers(self, room: int) -> Operation[Sequence[int]]:
        """See ``Rows``."""
        rows = yield self._statements.managers, (slot_of(room), room)
        return sorted(row[0] for row in rows)

    def requests(self, room: int) -> Operation[int]:
        """See ``Rows``."""
        return self._number(self._statements.count_requests, (slot_of(room), room))

    def bars(self, room: int) -> Operation[int]:
        """See ``Rows``."""
        return self._number(self._statements.count_barred, (slot_of(room), room))

    def known(self, account: int) -> Operation[int]:
        """See ``Rows``."""
        return self._number(self._statements.count_known, (account,))

    def _number(self, text: str, key: Sequence[int]) -> Operation[int]:
        """The one number that a statement answers with."""
        row = yield from first_of(text, key)
        return int(row[0])

    def blocks(self, account: int, other: int) -> Operation[bool]:
        """See ``Rows``."""
        pair = Conversation.between(account, other)
        key = (slot_of(pair.first), *pair)
        row = yield from first_of(self._relations.read, key)
        side = 0 if account == pair.first else 1
        return row is not None and row[side] == Half.BLOCKS


@implementer(IRoomStore)
class Rooms:
    """What is read of rooms."""

    def __init__(self, read: Run, sql: Sql, sealer: Sealer) -> None:
        self._read = read
        self._rows = RoomRows(sql, sealer)
        self._statements = sql.made(RoomStatements)

    def room(self, number: int) -> Deferred[Room | None]:
        """See ``IRoomStore``."""

        def operation() -> Operation[Room | None]:
            kept = yield from self._rows.room(number)
            return None if kept is None else kept.room

        return self._read(operation)

    def belonging(self, room: int, account: int) -> Deferred[Belonging]:
        """See ``IRoomStore``."""
        return self._read(lambda: self._rows.belonging(room, account))

    def rooms_of(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""
        return self._numbers(self._statements.rooms_of, (account,))

    def blocked_rooms(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""
        return self._numbers(self._statements.blocked_rooms, (account,))

    def barred(self, room: int) -> Deferred[Sequence[int]]:
        """See ``IRoomStore``."""
        return self._numbers(self._statements.barred, (slot_of(room), room))

    def _numbers(self, text: str, key: Sequence[int]) -> Deferred[Sequence[int]]:
        """The numbers that a statement answers with."""

        def operation() -> Operation[Sequence[int]]:
            rows = yield text, key
            return sorted(row[0] for row in rows)

        return self._read(operation)

    def members(
        self, room: int, after: Member | None, limit: int
    ) -> Deferred[Sequence[Member]]:
        """See ``IRoomStore``."""

        def operation() -> Operation[Sequence[Member]]:
            found: list[Member] = []
            begin = Member(FIRST_ACCOUNT, Role.FOUNDER) if after is None else after
            for role in RANKS[RANKS.index(begin.role) :]:
                behind = begin.account if role is begin.role else FIRST_ACCOUNT
                rest = limit - len(found)
                key = (slot_of(room), room, int(role), behind, rest)
                rows = yield self._statements.members, key
                found += [Member(row[0], role) for row in rows]
                if len(found) == limit:
                    break
            return found

        return self._read(operation)

    def profiles(self, rooms: Sequence[int]) -> Deferred[Mapping[int, RoomProfile]]:
        """See ``IRoomStore``."""

        def operation() -> Operation[Mapping[int, RoomProfile]]:
            found: dict[int, RoomProfile] = {}
            for number, kept in (yield from self._rows.rooms(rooms)).items():
                if kept.room.alive:
                    managers = yield from self._rows.managers(number)
                    found[number] = RoomProfile(kept.room, kept.info, tuple(managers))
            return found

        return self._read(operation)
