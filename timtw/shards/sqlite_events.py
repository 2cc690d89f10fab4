"""The commit of what is no text: removals and custom kinds, in the writer's thread.

They are rarer than texts by far, so each is written by itself. Like everything of a
batch they are part of its one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final, Protocol, TypeAlias

from timtw.model.errors import BadParameter, PermissionDenied, TimError
from timtw.model.idents import slot_of
from timtw.model.stores import Outcome
from timtw.model.values import BURN, REMOVALS, REVOCATION, Draft, Posted
from timtw.shards.records import pack_content
from timtw.shards.repeats import is_repeat, message_of, once_of, period_of
from timtw.shards.sealing import Sealer, event_context
from timtw.shards.statements import PostingStatements, made

_Pair: TypeAlias = tuple[int, int]

THERE: Final = 0
"""State of a text that is there."""
GONE: Final = {REVOCATION: 1, BURN: 2}
"""State of a text after a removal of this kind."""


class Count(Protocol):
    """Raises counters, which are written, by one each."""

    def __call__(
        self, connection: sqlite3.Connection, keys: Iterable[_Pair]
    ) -> list[int]:
        """The new numbers, in the order of the keys."""


class Events:
    """Stores messages that have an entry of their own in each log concerned."""

    def __init__(self, sealer: Sealer, count: Count) -> None:
        self._sealer = sealer
        self._count = count
        self._statements = made(PostingStatements)

    def store(self, connection: sqlite3.Connection, draft: Draft) -> Outcome:
        """Store one removal or custom message, or say why not."""
        packed = pack_content(draft.content)
        if draft.kind in REMOVALS:
            refusal = self._remove(connection, draft)
            if refusal is not None:
                return refusal
            owners = [draft.sender.number, draft.recipient.number]
        else:
            first = self._first(connection, draft, packed)
            if first is not None:
                return Posted(message_of(draft, 0, first, False), 0, 0, repeated=True)
            owners = [draft.recipient.number]
        numbers = self._count(connection, [(owner, 0) for owner in owners])
        pair = draft.conversation
        context = event_context(draft.kind, *pair, draft.sender.number, draft.ident)
        body = self._sealer.seal(packed, context)
        rows: list[Any] = []
        for owner, seq in zip(owners, numbers, strict=True):
            rows += (slot_of(owner), owner, seq, draft.timestamp, draft.kind, *pair)
            rows += (draft.mid, body, draft.ident, draft.sender.number)
        self._write(connection, self._statements.write_events.split(rows))
        message = message_of(draft, draft.mid, draft.timestamp, True)
        return Posted(message, numbers[0] if len(numbers) > 1 else 0, numbers[-1])

    def _remove(self, connection: sqlite3.Connection, draft: Draft) -> TimError | None:
        """Take the body of the text away; else why it must not be."""
        pair = draft.conversation
        where = (slot_of(pair.first), *pair, draft.mid)
        found = connection.execute(self._statements.read_author, where).fetchone()
        if found is None or found[1] != THERE:
            return BadParameter("this conversation has no such message")
        is_author = found[0] == draft.sender.number
        if is_author != (draft.kind == REVOCATION):
            return PermissionDenied()
        change = (GONE[draft.kind], b"", *where)
        connection.execute(self._statements.remove_text, change)
        return None

    def _first(
        self, connection: sqlite3.Connection, draft: Draft, packed: bytes
    ) -> int | None:
        """The time of the send that this repeats; else it is remembered."""
        if not draft.chosen:
            return None
        sender, ident = draft.sender.number, draft.ident
        digest = self._sealer.digests.repeat(sender, ident, once_of(draft, packed))
        pair, now = draft.conversation, draft.timestamp
        slot, period = slot_of(pair.first), period_of(now)
        keys = [slot, period, *pair, digest, slot, period - 1, *pair, digest]
        for text, parameters in self._statements.read_once.split(keys):
            for *_key, ts in connection.execute(text, parameters).fetchall():
                if is_repeat(ts, now):
                    return int(ts)
        row = [slot, period, *pair, digest, 0, now]
        self._write(connection, self._statements.write_once.split(row))
        return None

    def _write(
        self,
        connection: sqlite3.Connection,
        executions: Iterable[tuple[str, list[Any]]],
    ) -> None:
        for text, parameters in executions:
            connection.execute(text, parameters)
