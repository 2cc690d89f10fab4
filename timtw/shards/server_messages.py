"""Messages, logs and readers in a database on a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from twisted.internet.defer import Deferred
from zope.interface import implementer

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
from timtw.shards.dialects import Sql
from timtw.shards.keeping_statements import DeviceStatements, KeepingStatements
from timtw.shards.logpages import PageFiller
from timtw.shards.message_rows import MessageRows
from timtw.shards.operations import Operation, Run, all_of, first_of
from timtw.shards.room_readers import RoomReaderStatements, begun, stands
from timtw.shards.sealing import Sealer
from timtw.shards.server_posting import ServerPosting
from timtw.shards.server_statements import ServerReaderStatements
from timtw.shards.statements import ReaderStatements, ReadingStatements

NO_LIMIT: Final = (1 << 63) - 1
"""A number that no mid and no time exceeds."""


@implementer(IMessageStore)
class ServerMessages:
    """Messages and logs as rows.

    Args:
        commit: Carries out commits of messages, before all that waits.
        read: Carries out what changes nothing.
    """

    def __init__(self, commit: Run, read: Run, sql: Sql, sealer: Sealer) -> None:
        self._commit = commit
        self._read = read
        self._posting = ServerPosting(sql, sealer)
        self._rows = MessageRows(sealer)
        self._statements = sql.made(ReadingStatements)

    def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
        """See ``IMessageStore``."""
        return self._commit(lambda: self._posting.post(batch))

    def read_log(
        self, account: int, after: int, up_to: int, limit: int
    ) -> Deferred[LogPage]:
        """See ``IMessageStore``."""

        def operation() -> Operation[LogPage]:
            # One more than wanted tells whether there is more.
            key = (slot_of(account), account, after, up_to, limit + 1)
            rows = yield self._statements.read_log, key
            filler = PageFiller(limit, up_to)
            filler.add(self._rows.entries(account, rows), limit + 1)
            return filler.page()

        return self._read(operation)

    def heads(self, accounts: Sequence[int]) -> Deferred[Mapping[int, int]]:
        """See ``IMessageStore``."""

        def operation() -> Operation[Mapping[int, int]]:
            heads = dict.fromkeys(accounts, 0)
            keys: list[int] = []
            for account in heads:
                keys += (slot_of(account), account, 0)
            heads.update((yield from all_of(self._statements.read_heads, keys)))
            return heads

        return self._read(operation)

    def history(
        self, conversation: Conversation, newest: int, until: int | None, count: int
    ) -> Deferred[Sequence[Message]]:
        """See ``IMessageStore``."""

        def operation() -> Operation[Sequence[Message]]:
            latest = NO_LIMIT if until is None else until
            span = (newest or NO_LIMIT, latest, min(count, HISTORY_ENTRIES))
            key = (slot_of(conversation.first), *conversation, *span)
            rows = yield self._statements.read_history, key
            found = [self._rows.readable(TEXT, *row) for row in rows]
            return [message for message in found if message is not None]

        return self._read(operation)

    def delivered(self, conversation: Conversation, account: int) -> Deferred[int]:
        """See ``IMessageStore``."""

        def operation() -> Operation[int]:
            key = (slot_of(conversation.first), *conversation, account)
            row = yield from first_of(self._statements.read_delivered, key)
            return 0 if row is None else int(row[0])

        return self._read(operation)


@implementer(IReaderStore)
class ServerReaders:
    """Devices as rows, found by their digests."""

    def __init__(self, write: Run, sql: Sql, sealer: Sealer) -> None:
        self._write = write
        self._digests = sealer.digests
        self._statements = sql.made(ReaderStatements)
        self._locks = sql.made(ServerReaderStatements)
        self._ends = sql.made(KeepingStatements).read_ends
        self._see = sql.made(DeviceStatements).see
        self._rooms = sql.made(RoomReaderStatements)

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def operation() -> Operation[ReaderState]:
            slot = slot_of(account)
            key = self._digests.device(account, device)
            rows = yield self._statements.read_readers, (slot, account)
            known = {row[0]: row[1:5] for row in rows}
            session = 1 + max((row[5] for row in rows), default=0)
            rooms = yield from self._stands(account, key, known)
            if key in known:
                cursor, _seen, stuck_seq, stuck_count = known[key]
            else:
                cursor = max((row[1] for row in rows), default=0)
                stuck_seq = stuck_count = 0
                others = sorted((row[2], row[0]) for row in rows)
                for _seen, other in others[: max(0, len(others) - (READERS - 1))]:
                    yield self._statements.drop_reader, (slot, account, other)
                    yield self._rooms.drop_forgotten, (slot, account)
            row = (slot, account, key, cursor, now, session)
            yield self._statements.put_reader, row
            if key not in known:
                yield from begun(self._rooms, account, key, rooms)
            ends = yield from first_of(self._ends, (slot, account, 0))
            head, low = ends or (0, 0)
            stuck = (stuck_seq, stuck_count)
            return ReaderState(key, cursor, head, *stuck, low, session, rooms)

        return self._write(operation)

    def _stands(
        self, account: int, key: bytes, devices: Collection[bytes]
    ) -> Operation[tuple[RoomState, ...]]:
        """Where a device stands in the rooms of its account."""
        rooms = yield self._rooms.read_rooms, (account,)
        if not rooms:
            return ()
        cursors = yield self._rooms.read_cursors, (slot_of(account), account)
        return stands(rooms, cursors, devices, key, lambda _key, _room, at: at)

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
            row = yield from first_of(self._locks.lock_reader, where)
            if row is None:
                return 1
            stuck_seq, stuck_count = row
            count = stuck_count + 1 if stuck_seq == seq else 1
            yield self._statements.put_stuck, (seq, count, *where)
            return int(count)

        return self._write(operation)
