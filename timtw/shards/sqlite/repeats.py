"""Sends that may be repeated, in the file, the journal and this transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from timtw.model.idents import slot_of
from timtw.model.values import REMOVALS, Conversation, Draft
from timtw.shards.repeats import is_repeat, once_of, period_of, periods_of
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.tail import First, Once, Tail
from timtw.shards.tables.statements import PostingStatements, made


class SqliteRepeats:
    """Finds the send that another one repeats, in the writer's thread.

    Attributes:
        pending: Sends of transactions that are not committed.
    """

    def __init__(self, sealer: Sealer, tail: Tail) -> None:
        self._digests = sealer.digests
        self._tail = tail
        self._read_once = made(PostingStatements).read_once
        self.pending: dict[Once, First] = {}

    def forget_pending(self) -> None:
        """Nothing waits for the end of its transaction."""
        self.pending.clear()

    def onces(
        self,
        connection: sqlite3.Connection,
        drafts: Sequence[Draft],
        pairs: Sequence[Conversation],
        packed: Sequence[bytes],
    ) -> list[Once | None]:
        """What each send with a chosen id is remembered by; the tables are asked."""
        onces: list[Once | None] = []
        keys: list[Any] = []
        digest_of = self._digests.repeat
        for n, draft in enumerate(drafts):
            if not draft.chosen or draft.kind in REMOVALS:
                onces.append(None)
                continue
            content = once_of(draft, packed[n])
            digest = digest_of(draft.sender.number, draft.ident, content)
            first, second = pairs[n]
            period = period_of(draft.timestamp)
            onces.append((period, first, second, digest))
            slot = slot_of(first)
            for recent in periods_of(period):
                keys += (slot, recent, first, second, digest)
        for text, parameters in self._read_once.split(keys):
            for period, first, second, digest, mid, ts in connection.execute(
                text, parameters
            ):
                self.pending[period, first, second, digest] = (mid, ts)
        return onces

    def first(self, once: Once, timestamp: int) -> First | None:
        """The mid and time of the send that one of this time repeats."""
        period, first, second, digest = once
        for one in periods_of(period):
            recent = (one, first, second, digest)
            found = self.pending.get(recent) or self._tail.once.get(recent)
            if found is not None and is_repeat(found[1], timestamp):
                return found
        return None
