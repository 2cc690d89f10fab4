"""Messages and logs of the engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.errors import BadParameter, PermissionDenied, TimError
from timtw.model.limits import HISTORY_ENTRIES, LOG_READ_BYTES
from timtw.model.posting import Batch, Changed, Outcome, Posted
from timtw.model.progress import CursorMove
from timtw.model.stores import IMessageStore
from timtw.model.values import (
    NOTICE,
    REMOVALS,
    REVOCATION,
    TEXT,
    Conversation,
    Draft,
    LogEntry,
    LogPage,
    Message,
)
from timtw.shards.digests import Digests
from timtw.shards.memory.readers import MemoryReaders
from timtw.shards.memory.relations import MemoryRelations
from timtw.shards.memory.rooms import MemoryRooms
from timtw.shards.memory.standings import Submit
from timtw.shards.records import pack_content
from timtw.shards.repeats import (
    as_read,
    is_repeat,
    message_of,
    once_of,
    period_of,
    periods_of,
)

_Kept: TypeAlias = tuple[Message, int]
"""A message as it is read later, and the size of its stored form."""
_Gone: TypeAlias = tuple[None, int]
"""What is left of something that is gone: when it was."""
_Line: TypeAlias = tuple[Conversation, int] | _Kept | _Gone
"""An entry of a log: the text of this number, or what the entry holds itself."""
_Repeats: TypeAlias = dict[tuple[Conversation, bytes], tuple[int, int]]


@implementer(IMessageStore)
class MemoryMessages:
    """Conversations and logs as lists, in which number n stands at n - 1."""

    readers: MemoryReaders
    relations: MemoryRelations
    rooms: MemoryRooms

    def __init__(self, submit: Submit, digests: Digests) -> None:
        self._submit = submit
        self._digests = digests
        self._conversations: dict[Conversation, list[_Kept | _Gone]] = {}
        self._logs: dict[int, list[_Line]] = {}
        self._lows: dict[Conversation | int, int] = {}
        self._delivered: dict[tuple[Conversation, int], int] = {}
        self._repeats: dict[int, _Repeats] = {}

    def head(self, account: int) -> int:
        """The newest number of a log."""
        return len(self._logs.get(account, ()))

    def low(self, account: int) -> int:
        """Up to which number everything in a log has expired."""
        return self._lows.get(account, 0)

    def ends(self, conversation: Conversation) -> tuple[int, int]:
        """The newest number of a conversation, and up to where it has expired."""
        last = len(self._conversations.get(conversation, ()))
        return last, self._lows.get(conversation, 0)

    def expire_logs(self, before: int) -> None:
        """Entries of logs older than this go, the oldest first."""
        for account, lines in self._logs.items():
            place = self._lows.get(account, 0)
            while place < len(lines):
                since = self._since(lines[place])
                if since >= before:
                    break
                lines[place] = (None, since)
                place += 1
            self._lows[account] = place

    def expire_texts(self, before: int) -> None:
        """Texts of conversations older than this go, the oldest first."""
        for conversation, kept in self._conversations.items():
            place = self._lows.get(conversation, 0)
            while place < len(kept):
                since = self._since(kept[place])
                if since >= before:
                    break
                kept[place] = (None, since)
                place += 1
            self._lows[conversation] = place

    def _since(self, line: _Line) -> int:
        """When something was written."""
        head, number = line
        if head is None:
            return number
        if isinstance(head, Message):
            return head.timestamp
        return self._since(self._conversations[head][number - 1])

    def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
        """See ``IMessageStore``."""

        def operation() -> Sequence[Outcome]:
            posted = [
                self._store(draft) if draft.kind == TEXT else self._other(draft)
                for draft in batch.drafts
            ]
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
                return Posted(message_of(draft, *first, False), 0, 0, repeated=True)
        message = message_of(draft, mid, draft.timestamp, True)
        kept = self._conversations.setdefault(conversation, [])
        kept.append((as_read(message), len(packed)))
        line: _Line = (conversation, mid)
        other = self._logs.setdefault(draft.recipient.number, [])
        if draft.to_room:
            other.append(line)
            return Posted(message, 0, len(other))
        own = self._logs.setdefault(draft.sender.number, [])
        own.append(line)
        if other is not own:
            other.append(line)
        return Posted(message, len(own), len(other))

    def _other(self, draft: Draft) -> Outcome:
        """Store what is no text, or say why not."""
        if draft.kind == NOTICE:
            if draft.content.room:
                return self._change_room(draft)
            return self._change(draft)
        refusal = self._remove(draft) if draft.kind in REMOVALS else None
        return self._event(draft) if refusal is None else refusal

    def _change(self, draft: Draft) -> Changed:
        """Change a relation, and store the notice that follows."""
        verdict = self.relations.change(draft)
        if not verdict.notice:
            return Changed(refusal=verdict.refusal)
        told = self._event(attrs.evolve(draft, mid=verdict.notice, both=verdict.both))
        self.relations.told(draft, verdict.notice, told.recipient_seq)
        return Changed((told,), verdict.refusal)

    def _change_room(self, draft: Draft) -> Changed:
        """Change a room, and store the notices that follow."""
        room = draft.content.room
        mid = len(self._conversations.get(Conversation.of_room(room), ()))
        done = self.rooms.change(draft, (self.head(room), mid))
        told = tuple(self._event(notice) for notice in done.notices)
        return Changed(told, done.refusal, done.accounts)

    def _event(self, draft: Draft) -> Posted:
        """Store one removal, notice or custom message."""
        packed = pack_content(draft.content)
        owners = [draft.recipient.number]
        is_removal = draft.kind in REMOVALS
        if (is_removal or draft.both) and not draft.to_room:
            owners.insert(0, draft.sender.number)
        if draft.chosen and not is_removal:
            first = self._first(draft, packed, 0)
            if first is not None:
                return Posted(message_of(draft, *first, False), 0, 0, repeated=True)
        message = message_of(draft, draft.mid, draft.timestamp, True)
        numbers = [0]
        for owner in owners:
            log = self._logs.setdefault(owner, [])
            log.append((as_read(message), len(packed)))
            numbers.append(len(log))
        return Posted(message, numbers[-2], numbers[-1])

    def _remove(self, draft: Draft) -> TimError | None:
        """Take the text away; else why it must not be."""
        kept = self._conversations.get(draft.conversation, [])
        found = kept[draft.mid - 1] if 0 < draft.mid <= len(kept) else None
        text = None if found is None else found[0]
        if text is None:
            return BadParameter("this conversation has no such message")
        is_author = text.sender.number == draft.sender.number
        if is_author != (draft.kind == REVOCATION):
            return PermissionDenied()
        kept[draft.mid - 1] = (None, text.timestamp)
        return None

    def _first(self, draft: Draft, packed: bytes, mid: int) -> tuple[int, int] | None:
        """The mid and time of the send that this repeats; else it is remembered."""
        now = draft.timestamp
        period = period_of(now)
        content = once_of(draft, packed)
        digest = self._digests.repeat(draft.sender.number, draft.ident, content)
        key = (draft.conversation, digest)
        for recent in periods_of(period):
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
            for seq, line in enumerate(lines, max(after, 0) + 1):
                message, size = self._kept(line)
                if message is None:
                    continue
                room -= size
                if entries and (room < 0 or len(entries) >= limit):
                    return LogPage(tuple(entries), entries[-1].seq)
                own = message.kind == TEXT and message.sender.number == account
                entries.append(LogEntry(seq, message, own))
            return LogPage(tuple(entries), up_to)

        return self._submit(operation)

    def _kept(self, line: _Line) -> _Kept | _Gone:
        """What an entry stands for."""
        head, number = line
        if head is None:
            return None, number
        if isinstance(head, Message):
            return head, number
        return self._conversations[head][number - 1]

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
            for one, _size in reversed(kept[:newest] if newest else kept):
                if len(found) >= min(count, HISTORY_ENTRIES):
                    break
                if one is not None and (until is None or one.timestamp <= until):
                    found.append(one)
            return found

        return self._submit(operation)

    def delivered(self, conversation: Conversation, account: int) -> Deferred[int]:
        """See ``IMessageStore``."""
        return self._submit(lambda: self._delivered.get((conversation, account), 0))
