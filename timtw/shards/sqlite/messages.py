"""Messages, logs and readers in SQLite.

Addresses of stored messages have an empty domain: rows hold account numbers only, and
both sides of a conversation share one domain, which whoever asks knows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import islice

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.limits import HISTORY_ENTRIES
from timtw.model.posting import Batch, Outcome
from timtw.model.stores import IMessageStore
from timtw.model.values import TEXT, Conversation, LogPage, Message
from timtw.shards.logpages import PageFiller
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.posting import Posting
from timtw.shards.sqlite.reader import ReadPool
from timtw.shards.sqlite.tail import Tail, entries_of, texts_of
from timtw.shards.sqlite.writer import Writer
from timtw.shards.tables.message_rows import MessageRows
from timtw.shards.tables.statements import ReadingStatements, made

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
