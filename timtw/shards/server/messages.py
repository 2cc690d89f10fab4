"""Messages, logs and readers in a database on a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.limits import HISTORY_ENTRIES
from timtw.model.posting import Batch, Outcome
from timtw.model.stores import IMessageStore
from timtw.model.values import TEXT, Conversation, LogPage, Message
from timtw.shards.logpages import PageFiller
from timtw.shards.sealing import Sealer
from timtw.shards.server.posting import ServerPosting
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.message_rows import MessageRows
from timtw.shards.tables.operations import Operation, Run, all_of, first_of
from timtw.shards.tables.statements import ReadingStatements

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
