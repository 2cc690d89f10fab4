"""What is known of a device while nothing can be written: logins on a full disk."""

from __future__ import annotations

import sqlite3

from twisted.internet.defer import Deferred

from timtw.model.errors import StorageUnavailable
from timtw.model.idents import slot_of
from timtw.model.progress import ReaderState, RoomState
from timtw.model.values import Device
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.reader import ReadPool
from timtw.shards.sqlite.tail import Tail
from timtw.shards.tables.keeping_statements import KeepingStatements
from timtw.shards.tables.room_readers import RoomReaderStatements, stands
from timtw.shards.tables.statements import ReaderStatements, made


class ReadOnlyReaders:
    """Opens the devices that are known already, and leaves them as they stand.

    The tail is asked first and the tables afterwards: what has left the tail by then
    is in the tables.
    """

    def __init__(self, reader: ReadPool, sealer: Sealer, tail: Tail) -> None:
        self._read = reader.submit
        self._digests = sealer.digests
        self._tail = tail
        self._readers = made(ReaderStatements)
        self._ends = made(KeepingStatements).read_ends
        self._rooms = made(RoomReaderStatements)

    def open(self, account: int, device: Device) -> Deferred[ReaderState]:
        """
        The state of a device that has been here before.

        Fails with StorageUnavailable for any other: it would have a position that
        nobody remembers, and miss what comes until it has one.
        """

        def operation(connection: sqlite3.Connection) -> ReaderState:
            slot = slot_of(account)
            key = self._digests.device(account, device)
            cursor = self._tail.cursors.get((account, key))
            head = self._tail.last((account, 0))
            rows = connection.execute(
                self._readers.read_readers, (slot, account)
            ).fetchall()
            session = max((row[5] for row in rows), default=0)
            for known, stored, _seen, stuck_seq, stuck_count, _ in rows:
                if known == key:
                    where = (slot, account, 0)
                    ends = connection.execute(self._ends, where).fetchone() or (0, 0)
                    head, cursor = max(head, ends[0]), max(cursor, stored)
                    rooms = self._stands(connection, account, key)
                    stuck = (stuck_seq, stuck_count)
                    low = ends[1]
                    return ReaderState(key, cursor, head, *stuck, low, session, rooms)
            raise StorageUnavailable

        return self._read(operation)

    def _stands(
        self, connection: sqlite3.Connection, account: int, key: bytes
    ) -> tuple[RoomState, ...]:
        """Where a known device stands in the rooms of its account."""
        tail = self._tail
        rows = connection.execute(self._rooms.read_rooms, (account,)).fetchall()
        rooms = [
            (room, joined, max(head, tail.last((room, 0))), low)
            for room, joined, head, low in rows
        ]
        where = (slot_of(account), account)
        cursors = connection.execute(self._rooms.read_cursors, where).fetchall()

        def known(device: bytes, room: int, stored: int) -> int:
            return max(stored, tail.rooms.get((account, device, room)))

        return stands(rooms, cursors, (key,), key, known)
