"""The commit of messages and cursors: the hot path of the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

from timtw.model.idents import slot_of
from timtw.model.stores import Outcome
from timtw.model.values import (
    TEXT,
    Batch,
    Conversation,
    CursorMove,
    Draft,
    Message,
    Posted,
)
from timtw.shards.known import Known
from timtw.shards.records import pack_content
from timtw.shards.repeats import is_repeat, message_of, period_of
from timtw.shards.sealing import Sealer, body_context
from timtw.shards.sqlite_events import THERE, Events
from timtw.shards.statements import PostingStatements, made

_Pair: TypeAlias = tuple[int, int]
_Once: TypeAlias = tuple[int, int, int, bytes]
_First: TypeAlias = tuple[int, int]
_Reader: TypeAlias = tuple[int, bytes]
_Mark: TypeAlias = tuple[int, int, int]

_KIND = attrgetter("kind")


class Posting:
    """Stores batches in the writer's thread; what it knows by heart is only its own."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._events = Events(sealer, self._raise)
        self._statements = made(PostingStatements)
        statements = self._statements
        self._counters: Known[_Pair] = Known(
            statements.read_counters, lambda key: (slot_of(key[0]), *key)
        )
        self._cursors: Known[_Reader] = Known(
            statements.read_cursors, lambda key: (slot_of(key[0]), *key)
        )
        self._marks: Known[_Mark] = Known(
            statements.read_delivered, lambda key: (slot_of(key[0]), *key)
        )

    def forget(self) -> None:
        """Nothing is certain any more: a transaction was rolled back."""
        self._counters.forget()
        self._cursors.forget()
        self._marks.forget()

    def forget_reader(self, account: int, device: bytes) -> None:
        """A reader's row was dropped or changed by another operation."""
        self._cursors.values.pop((account, device), None)

    def head(self, connection: sqlite3.Connection, account: int) -> int:
        """The newest number of a log."""
        key = (account, 0)
        self._counters.load(connection, [key])
        return self._counters.values.get(key, 0)

    def post(self, connection: sqlite3.Connection, batch: Batch) -> Sequence[Outcome]:
        """Store a batch; one answer per draft."""
        posted: list[Outcome] = []
        for kind, drafts in groupby(batch.drafts, _KIND):
            if kind == TEXT:
                posted += self._store(connection, list(drafts))
            else:
                posted += [self._events.store(connection, draft) for draft in drafts]
        if batch.cursors:
            self._move(connection, batch.cursors)
            self._mark(connection, batch.cursors)
        return posted

    def _store(
        self, connection: sqlite3.Connection, drafts: Sequence[Draft]
    ) -> list[Posted]:
        """Store messages with their log entries and counters."""
        packed = [pack_content(draft.content) for draft in drafts]
        pairs = [draft.conversation for draft in drafts]
        digests, firsts = self._firsts(connection, drafts, pairs, packed)
        touched: set[_Pair] = set(pairs)
        for first, second in pairs:
            touched.add((first, 0))
            touched.add((second, 0))
        self._counters.load(connection, touched)
        last = self._counters.values
        touched.clear()
        messages: list[Any] = []
        log: list[Any] = []
        once: list[Any] = []
        posted = []
        seal = self._sealer.seal
        for n, draft in enumerate(drafts):
            pair = pairs[n]
            digest = digests[n]
            if digest is not None:
                found = _first(firsts, pair, digest, draft.timestamp)
                if found is not None:
                    message = message_of(draft, *found, False)
                    posted.append(Posted(message, 0, 0, repeated=True))
                    continue
            first, second = pair
            ts = draft.timestamp
            ident = draft.ident
            sender = draft.sender.number
            other = second if sender == first else first
            mid = last[pair] = last.get(pair, 0) + 1
            touched.add(pair)
            slot = slot_of(first)
            context = body_context(first, second, sender, ident)
            messages += (slot, first, second, mid, ident, sender, ts, THERE)
            messages.append(seal(packed[n], context))
            own = (sender, 0)
            sender_seq = recipient_seq = last[own] = last.get(own, 0) + 1
            touched.add(own)
            log += (slot_of(sender), sender, sender_seq, ts, TEXT, *pair, mid)
            if other != sender:
                theirs = (other, 0)
                recipient_seq = last[theirs] = last.get(theirs, 0) + 1
                touched.add(theirs)
                log += (slot_of(other), other, recipient_seq, ts, TEXT, *pair, mid)
            if digest is not None:
                period = period_of(ts)
                firsts[period, first, second, digest] = (mid, ts)
                once += (slot, period, first, second, digest, mid, ts)
            message = Message(
                pair,
                mid,
                ident,
                draft.sender,
                draft.recipient,
                ts,
                draft.content,
                draft.device,
            )
            posted.append(Posted(message, sender_seq, recipient_seq))
        self._write(connection, messages, log, once)
        self._count(connection, touched)
        return posted

    def _write(
        self,
        connection: sqlite3.Connection,
        messages: list[Any],
        log: list[Any],
        once: list[Any],
    ) -> None:
        """Write the collected rows."""
        statements = self._statements
        execute = connection.execute
        for rows, values in (
            (statements.write_messages, messages),
            (statements.write_log, log),
            (statements.write_once, once),
        ):
            for text, parameters in rows.split(values):
                execute(text, parameters)

    def _raise(
        self, connection: sqlite3.Connection, keys: Iterable[_Pair]
    ) -> list[int]:
        """Raise these counters by one each; their new numbers, in order."""
        keys = list(keys)
        self._counters.load(connection, keys)
        last = self._counters.values
        numbers = []
        for key in keys:
            last[key] = last.get(key, 0) + 1
            numbers.append(last[key])
        self._count(connection, set(keys))
        return numbers

    def _count(self, connection: sqlite3.Connection, touched: set[_Pair]) -> None:
        """Write the counters that were raised, in the order of their keys."""
        last = self._counters.values
        counters: list[Any] = []
        for first, second in sorted(touched):
            counters += (slot_of(first), first, second, last[first, second])
        for text, parameters in self._statements.write_counters.split(counters):
            connection.execute(text, parameters)

    def _firsts(
        self,
        connection: sqlite3.Connection,
        drafts: Sequence[Draft],
        pairs: Sequence[Conversation],
        packed: Sequence[bytes],
    ) -> tuple[list[bytes | None], dict[_Once, _First]]:
        """The digests of sends with a chosen id, and the sends equal to them so far."""
        digest_of = self._sealer.digests.repeat
        digests: list[bytes | None] = []
        keys: list[Any] = []
        for n, draft in enumerate(drafts):
            if not draft.chosen:
                digests.append(None)
                continue
            digest = digest_of(draft.sender.number, draft.ident, packed[n])
            digests.append(digest)
            first, second = pairs[n]
            slot = slot_of(first)
            period = period_of(draft.timestamp)
            keys += (slot, period, first, second, digest)
            keys += (slot, period - 1, first, second, digest)
        firsts: dict[_Once, _First] = {}
        for text, parameters in self._statements.read_once.split(keys):
            for period, first, second, digest, mid, ts in connection.execute(
                text, parameters
            ):
                firsts[period, first, second, digest] = (mid, ts)
        return digests, firsts

    def _move(
        self, connection: sqlite3.Connection, moves: Sequence[CursorMove]
    ) -> None:
        """Raise cursors; a reader that was forgotten stays forgotten."""
        known = self._cursors.values
        self._cursors.load(connection, [(move.account, move.key) for move in moves])
        raised: dict[_Reader, int] = {}
        for move in moves:
            key = (move.account, move.key)
            if move.cursor > known.get(key, move.cursor):
                known[key] = raised[key] = move.cursor
        rows: list[Any] = []
        for (account, device), cursor in sorted(raised.items()):
            rows += (slot_of(account), account, device, cursor, 0)
        for text, parameters in self._statements.write_cursors.split(rows):
            connection.execute(text, parameters)

    def _mark(
        self, connection: sqlite3.Connection, moves: Sequence[CursorMove]
    ) -> None:
        """Raise the delivered marks that follow from the moves."""
        wanted: dict[_Mark, int] = {}
        for move in moves:
            for (first, second), mid in move.confirmed:
                key = (first, second, move.account)
                wanted[key] = max(mid, wanted.get(key, 0))
        self._marks.load(connection, wanted)
        known = self._marks.values
        rows: list[Any] = []
        for key, mid in sorted(wanted.items()):
            if mid > known.get(key, 0):
                known[key] = mid
                rows += (slot_of(key[0]), *key, mid)
        for text, parameters in self._statements.write_delivered.split(rows):
            connection.execute(text, parameters)


def _first(
    firsts: dict[_Once, _First], pair: _Pair, digest: bytes, timestamp: int
) -> _First | None:
    """The mid and time of the send that one of this time repeats."""
    period = period_of(timestamp)
    for recent in (period, period - 1):
        found = firsts.get((recent, *pair, digest))
        if found is not None and is_repeat(found[1], timestamp):
            return found
    return None
