"""Messages, logs and readers in SQLite.

Addresses of stored messages have an empty domain: rows hold account numbers only, and
both sides of a conversation share one domain, which whoever asks knows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import islice

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model.errors import StorageUnavailable
from timtw.model.idents import slot_of
from timtw.model.limits import HISTORY_ENTRIES, READERS
from timtw.model.stores import IMessageStore, IReaderStore, Outcome, Reader
from timtw.model.values import (
    TEXT,
    Batch,
    Conversation,
    Device,
    LogPage,
    Message,
    ReaderState,
    RoomState,
)
from timtw.shards.keeping_statements import DeviceStatements, KeepingStatements
from timtw.shards.logpages import PageFiller
from timtw.shards.message_rows import MessageRows
from timtw.shards.reader import ReadPool
from timtw.shards.room_readers import RoomReaderStatements, begun, stands
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite_posting import Posting
from timtw.shards.sqlite_readonly import ReadOnlyReaders
from timtw.shards.statements import ReaderStatements, ReadingStatements, made
from timtw.shards.tail import Tail, entries_of, texts_of
from timtw.shards.writer import Writer, run_on

NO_LIMIT = (1 << 63) - 1
"""A number that no mid and no time exceeds."""


@implementer(IMessageStore)
class SqliteMessages:
    """Writes through the writer, reads beside it."""

    def __init__(
        self,
        writer: Writer,
        reader: ReadPool,
        sealer: Sealer,
        posting: Posting,
        tail: Tail,
    ) -> None:
        self._write = writer.submit
        self._read = reader.submit
        self._rows = MessageRows(sealer)
        self._posting = posting
        self._tail = tail
        self._statements = made(ReadingStatements)

    def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
        """See ``IMessageStore``."""
        return self._write(lambda connection: self._posting.post(connection, batch))

    def read_log(
        self, account: int, after: int, up_to: int, limit: int
    ) -> Deferred[LogPage]:
        """See ``IMessageStore``."""
        run = self._tail.log(account)
        filler = PageFiller(limit, up_to)
        if run is not None and after + 1 >= run.base:
            filler.add(entries_of(account, run, after, up_to))
            return succeed(filler.page())
        below = up_to if run is None else min(up_to, run.base - 1)

        def operation(connection: sqlite3.Connection) -> LogPage:
            rows = connection.execute(
                self._statements.read_log,
                (slot_of(account), account, after, below, limit + 1),
            )
            filler.add(self._rows.entries(account, rows), limit + 1)
            rows.close()
            if run is not None and not filler.full:
                filler.add(entries_of(account, run, after, up_to))
            return filler.page()

        return self._read(operation)

    def heads(self, accounts: Sequence[int]) -> Deferred[Mapping[int, int]]:
        """See ``IMessageStore``."""
        heads = {account: self._tail.last((account, 0)) for account in accounts}

        def operation(connection: sqlite3.Connection) -> Mapping[int, int]:
            keys: list[int] = []
            for account, head in heads.items():
                if not head:
                    keys += (slot_of(account), account, 0)
            for text, parameters in self._statements.read_heads.split(keys):
                heads.update(connection.execute(text, parameters).fetchall())
            return heads

        return succeed(heads) if all(heads.values()) else self._read(operation)

    def history(
        self, conversation: Conversation, newest: int, until: int | None, count: int
    ) -> Deferred[Sequence[Message]]:
        """See ``IMessageStore``."""
        count = min(count, HISTORY_ENTRIES)
        found: list[Message] = []
        run = self._tail.texts(conversation)
        if run is not None:
            newer = texts_of(run, newest or NO_LIMIT, until)
            found += islice(newer, count)
            newest = min(newest or NO_LIMIT, run.base - 1)
            if len(found) == count or newest == 0:
                return succeed(found)

        def operation(connection: sqlite3.Connection) -> Sequence[Message]:
            rows = connection.execute(
                self._statements.read_history,
                (
                    slot_of(conversation.first),
                    *conversation,
                    newest or NO_LIMIT,
                    NO_LIMIT if until is None else until,
                    count - len(found),
                ),
            )
            older = [self._rows.readable(TEXT, *row) for row in rows]
            return found + [message for message in older if message is not None]

        return self._read(operation)

    def delivered(self, conversation: Conversation, account: int) -> Deferred[int]:
        """See ``IMessageStore``."""
        mark = self._tail.marks.get((*conversation, account))
        if mark:
            return succeed(mark)

        def operation(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                self._statements.read_delivered,
                (slot_of(conversation.first), *conversation, account),
            ).fetchone()
            return 0 if row is None else int(row[0])

        return self._read(operation)


@implementer(IReaderStore)
class SqliteReaders:
    """Devices as rows, found by their digests."""

    def __init__(
        self,
        writer: Writer,
        sealer: Sealer,
        posting: Posting,
        unwritable: ReadOnlyReaders,
    ) -> None:
        """``unwritable`` is asked where the writer fails."""
        self._write = writer.submit
        self._unwritable = unwritable
        self._digests = sealer.digests
        self._posting = posting
        self._statements = made(ReaderStatements)
        self._ends = made(KeepingStatements).read_ends
        self._see = made(DeviceStatements).see
        self._rooms = made(RoomReaderStatements)

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def operation(connection: sqlite3.Connection) -> ReaderState:
            slot = slot_of(account)
            key = self._digests.device(account, device)
            rows = connection.execute(
                self._statements.read_readers, (slot, account)
            ).fetchall()
            cursors = {
                row[0]: self._posting.cursor(account, row[0], row[1]) for row in rows
            }
            known = {row[0]: row[2:5] for row in rows}
            session = 1 + max((row[5] for row in rows), default=0)
            rooms = self._stands(connection, account, key, known)
            if key in known:
                cursor = cursors[key]
                _seen, stuck_seq, stuck_count = known[key]
            else:
                cursor = max(cursors.values(), default=0)
                stuck_seq = stuck_count = 0
                others = sorted((row[2], row[0]) for row in rows)
                for _seen, other in others[: max(0, len(others) - (READERS - 1))]:
                    self._drop(connection, account, other)
            connection.execute(
                self._statements.put_reader,
                (slot, account, key, cursor, now, session),
            )
            if key not in known:
                where_begun = begun(self._rooms, account, key, rooms)
                run_on(connection, lambda: where_begun)
            head = self._posting.head(connection, account)
            ends = connection.execute(self._ends, (slot, account, 0)).fetchone()
            low = ends[1] if ends else 0
            stuck = (stuck_seq, stuck_count)
            return ReaderState(key, cursor, head, *stuck, low, session, rooms)

        def unwritten(failure: Failure) -> Deferred[ReaderState]:
            failure.trap(StorageUnavailable)
            return self._unwritable.open(account, device)

        return self._write(operation).addErrback(unwritten)

    def _stands(
        self,
        connection: sqlite3.Connection,
        account: int,
        key: bytes,
        devices: Collection[bytes],
    ) -> tuple[RoomState, ...]:
        """Where a device stands in the rooms of its account."""
        head, known = self._posting.head, partial(self._posting.in_room, account)
        rows = connection.execute(self._rooms.read_rooms, (account,)).fetchall()
        if not rows:
            return ()
        rooms = [(*row[:2], head(connection, row[0]), row[3]) for row in rows]
        where = (slot_of(account), account)
        cursors = connection.execute(self._rooms.read_cursors, where).fetchall()
        return stands(rooms, cursors, devices, key, known)

    def _drop(self, connection: sqlite3.Connection, account: int, key: bytes) -> None:
        """Forget a reader."""
        where = (slot_of(account), account, key)
        connection.execute(self._statements.drop_reader, where)
        connection.execute(self._rooms.drop_forgotten, where[:2])
        self._posting.forget_reader(account, key)

    def seen(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            for account, key in readers:
                where = (slot_of(account), account, key)
                connection.execute(self._see, (now, *where, now))

        return self._write(operation)

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``."""

        def operation(connection: sqlite3.Connection) -> int:
            slot = slot_of(account)
            rows = connection.execute(self._statements.read_readers, (slot, account))
            for device, _cursor, _seen, stuck_seq, stuck_count, _ in rows.fetchall():
                if device == key:
                    count = stuck_count + 1 if stuck_seq == seq else 1
                    where = (slot, account, key)
                    connection.execute(self._statements.put_stuck, (seq, count, *where))
                    return int(count)
            return 1

        return self._write(operation)
