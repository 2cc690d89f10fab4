"""Messages, logs and readers of the engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.limits import HISTORY_ENTRIES, LOG_READ_BYTES, READERS
from timtw.model.stores import IMessageStore, IReaderStore
from timtw.model.values import (
    Batch,
    Conversation,
    CursorMove,
    Device,
    Draft,
    LogEntry,
    LogPage,
    Message,
    Posted,
    ReaderState,
)
from timtw.shards.digests import Digests
from timtw.shards.memory_standings import Submit
from timtw.shards.records import pack_content
from timtw.shards.repeats import is_repeat, period_of

_Repeats: TypeAlias = dict[tuple[Conversation, bytes], tuple[int, int]]


@implementer(IMessageStore)
class MemoryMessages:
    """Conversations and logs as lists, in which number n stands at n - 1."""

    readers: MemoryReaders

    def __init__(self, submit: Submit, digests: Digests) -> None:
        self._submit = submit
        self._digests = digests
        self._conversations: dict[Conversation, list[tuple[Message, int]]] = {}
        self._logs: dict[int, list[tuple[Conversation, int]]] = {}
        self._delivered: dict[tuple[Conversation, int], int] = {}
        self._repeats: dict[int, _Repeats] = {}

    def head(self, account: int) -> int:
        """The newest number of a log."""
        return len(self._logs.get(account, ()))

    def post(self, batch: Batch) -> Deferred[Sequence[Posted]]:
        """See ``IMessageStore``."""

        def operation() -> Sequence[Posted]:
            posted = [self._store(draft) for draft in batch.drafts]
            for move in batch.cursors:
                self._move(move)
            return posted

        return self._submit(operation)

    def _store(self, draft: Draft) -> Posted:
        """Store one message, or find the first one that it repeats."""
        conversation = draft.conversation
        packed = pack_content(draft.content)
        mid = len(self._conversations.get(conversation, ())) + 1
        if draft.chosen:
            first = self._first(draft, packed, mid)
            if first is not None:
                return Posted(_message(draft, *first, fresh=False), 0, 0, repeated=True)
        message = _message(draft, mid, draft.timestamp, fresh=True)
        stored = attrs.evolve(
            message,
            sender=attrs.evolve(draft.sender, domain=""),
            recipient=attrs.evolve(draft.recipient, domain=""),
            device=None,
        )
        kept = self._conversations.setdefault(conversation, [])
        kept.append((stored, len(packed)))
        line = (conversation, mid)
        own = self._logs.setdefault(draft.sender.number, [])
        own.append(line)
        other = self._logs.setdefault(draft.recipient.number, [])
        if other is not own:
            other.append(line)
        return Posted(message, len(own), len(other))

    def _first(self, draft: Draft, packed: bytes, mid: int) -> tuple[int, int] | None:
        """The mid and time of the send that this repeats; else it is remembered."""
        now = draft.timestamp
        period = period_of(now)
        digest = self._digests.repeat(draft.sender.number, draft.ident, packed)
        key = (draft.conversation, digest)
        for recent in (period, period - 1):
            first = self._repeats.get(recent, {}).get(key)
            if first is not None and is_repeat(first[1], now):
                return first
        if period not in self._repeats:
            self._repeats[period] = {}
            for old in [p for p in self._repeats if p < period - 1]:
                del self._repeats[old]
        self._repeats[period][key] = (mid, now)
        return None

    def _move(self, move: CursorMove) -> None:
        """Raise a cursor and the delivered marks that follow from it."""
        self.readers.move(move)
        for conversation, mid in move.confirmed:
            key = (conversation, move.account)
            self._delivered[key] = max(mid, self._delivered.get(key, 0))

    def read_log(
        self, account: int, after: int, up_to: int, limit: int
    ) -> Deferred[LogPage]:
        """See ``IMessageStore``."""

        def operation() -> LogPage:
            entries: list[LogEntry] = []
            room = LOG_READ_BYTES
            lines = self._logs.get(account, [])[max(after, 0) : max(up_to, 0)]
            for seq, (conversation, mid) in enumerate(lines, max(after, 0) + 1):
                message, size = self._conversations[conversation][mid - 1]
                room -= size
                if entries and (room < 0 or len(entries) >= limit):
                    return LogPage(tuple(entries), entries[-1].seq)
                own = message.sender.number == account
                entries.append(LogEntry(seq, message, own))
            return LogPage(tuple(entries), up_to)

        return self._submit(operation)

    def heads(self, accounts: Sequence[int]) -> Deferred[Mapping[int, int]]:
        """See ``IMessageStore``."""
        return self._submit(lambda: {n: self.head(n) for n in accounts})

    def history(
        self, conversation: Conversation, newest: int, until: int | None, count: int
    ) -> Deferred[Sequence[Message]]:
        """See ``IMessageStore``."""

        def operation() -> Sequence[Message]:
            kept = self._conversations.get(conversation, [])
            found: list[Message] = []
            for message, _size in reversed(kept[:newest] if newest else kept):
                if len(found) >= min(count, HISTORY_ENTRIES):
                    break
                if until is None or message.timestamp <= until:
                    found.append(message)
            return found

        return self._submit(operation)

    def delivered(self, conversation: Conversation, account: int) -> Deferred[int]:
        """See ``IMessageStore``."""
        return self._submit(lambda: self._delivered.get((conversation, account), 0))


def _message(draft: Draft, mid: int, timestamp: int, fresh: bool) -> Message:
    """The message that a draft has become, or had become before."""
    return Message(
        draft.conversation,
        mid,
        draft.ident,
        draft.sender,
        draft.recipient,
        timestamp,
        draft.content,
        draft.device if fresh else None,
    )


@attrs.define(eq=False)
class _Reader:
    """How far a device has read."""

    cursor: int
    seen: int
    stuck_seq: int = 0
    stuck_count: int = 0


@implementer(IReaderStore)
class MemoryReaders:
    """Devices and cursors in dictionaries."""

    def __init__(
        self, submit: Submit, digests: Digests, messages: MemoryMessages
    ) -> None:
        self._submit = submit
        self._digests = digests
        self._messages = messages
        self._accounts: dict[int, dict[bytes, _Reader]] = {}

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def operation() -> ReaderState:
            readers = self._accounts.setdefault(account, {})
            key = self._digests.device(account, device)
            reader = readers.get(key)
            if reader is None:
                cursor = max((other.cursor for other in readers.values()), default=0)
                reader = readers[key] = _Reader(cursor, now)
                others = sorted((r.seen, k) for k, r in readers.items() if k != key)
                for _seen, other in others[: max(0, len(others) - (READERS - 1))]:
                    del readers[other]
            reader.seen = now
            head = self._messages.head(account)
            return ReaderState(
                key, reader.cursor, head, reader.stuck_seq, reader.stuck_count
            )

        return self._submit(operation)

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``."""

        def operation() -> int:
            reader = self._accounts.get(account, {}).get(key)
            if reader is None:
                return 1
            again = reader.stuck_seq == seq
            reader.stuck_count = reader.stuck_count + 1 if again else 1
            reader.stuck_seq = seq
            return reader.stuck_count

        return self._submit(operation)

    def move(self, move: CursorMove) -> None:
        """Raise a cursor; a reader that was forgotten stays forgotten."""
        reader = self._accounts.get(move.account, {}).get(move.key)
        if reader is not None:
            reader.cursor = max(reader.cursor, move.cursor)
