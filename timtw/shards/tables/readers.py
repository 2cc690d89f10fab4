"""Devices as rows, found by their digests, whichever engine the rows are in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.limits import READERS
from timtw.model.progress import ReaderState, RoomState
from timtw.model.stores import IReaderStore, Reader
from timtw.model.values import Device
from timtw.shards.sealing import Sealer
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.keeping_statements import DeviceStatements, KeepingStatements
from timtw.shards.tables.operations import Operation, Run, first_of
from timtw.shards.tables.room_readers import RoomReaderStatements, begun, stands
from timtw.shards.tables.statements import ReaderStatements


@implementer(IReaderStore)
class Readers:
    """See ``IReaderStore``; an engine may know more than its tables."""

    def __init__(self, write: Run, sql: Sql, sealer: Sealer) -> None:
        self._write = write
        self._digests = sealer.digests
        self._statements = sql.made(ReaderStatements)
        self._ends = sql.made(KeepingStatements).read_ends
        self._see = sql.made(DeviceStatements).see
        self._rooms = sql.made(RoomReaderStatements)

    # What an engine may know better.

    def _cursor(self, account: int, device: bytes, stored: int) -> int:
        """The cursor of a reader in whose row ``stored`` stands."""
        return stored

    def _in_room(self, account: int, device: bytes, room: int, stored: int) -> int:
        """The same in the log of a room."""
        return stored

    def _head(self, owner: int, stored: int) -> int:
        """The newest number of a log in whose counter ``stored`` stands."""
        return stored

    def _forgotten(self, account: int, device: bytes) -> None:
        """The row of a reader was deleted."""

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def operation() -> Operation[ReaderState]:
            slot = slot_of(account)
            key = self._digests.device(account, device)
            rows = yield self._statements.read_readers, (slot, account)
            cursors = {row[0]: self._cursor(account, *row[:2]) for row in rows}
            known = {row[0]: row[3:5] for row in rows}
            session = 1 + max((row[5] for row in rows), default=0)
            rooms = yield from self._stands(account, key, known)
            if key in known:
                cursor = cursors[key]
                stuck_seq, stuck_count = known[key]
            else:
                cursor = max(cursors.values(), default=0)
                stuck_seq = stuck_count = 0
                others = sorted((row[2], row[0]) for row in rows)
                for _seen, other in others[: max(0, len(others) - (READERS - 1))]:
                    yield self._statements.drop_reader, (slot, account, other)
                    yield self._rooms.drop_forgotten, (slot, account)
                    self._forgotten(account, other)
            row = (slot, account, key, cursor, now, session)
            yield self._statements.put_reader, row
            if key not in known:
                yield from begun(self._rooms, account, key, rooms)
            ends = yield from first_of(self._ends, (slot, account, 0))
            head, low = ends or (0, 0)
            head = self._head(account, head)
            stuck = (stuck_seq, stuck_count)
            return ReaderState(key, cursor, head, *stuck, low, session, rooms)

        return self._write(operation)

    def _stands(
        self, account: int, key: bytes, devices: Collection[bytes]
    ) -> Operation[tuple[RoomState, ...]]:
        """Where a device stands in the rooms of its account."""
        rows = yield self._rooms.read_rooms, (account,)
        if not rows:
            return ()
        rooms = [
            (room, joined, self._head(room, head), low)
            for room, joined, head, low in rows
        ]
        cursors = yield self._rooms.read_cursors, (slot_of(account), account)

        def known(device: bytes, room: int, stored: int) -> int:
            return self._in_room(account, device, room, stored)

        return stands(rooms, cursors, devices, key, known)

    def seen(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""

        def operation() -> Operation[None]:
            for account, key in sorted(readers):
                yield self._see, (now, slot_of(account), account, key, now)

        return self._write(operation)

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``."""

        def operation() -> Operation[int]:
            where = (slot_of(account), account, key)
            row = yield from first_of(self._statements.lock_reader, where)
            if row is None:
                return 1
            stuck_seq, stuck_count = row
            count = stuck_count + 1 if stuck_seq == seq else 1
            yield self._statements.put_stuck, (seq, count, *where)
            return int(count)

        return self._write(operation)
