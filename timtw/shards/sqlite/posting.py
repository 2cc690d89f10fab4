"""The commit of messages and cursors: the hot path of the writer's thread.

What is posted is appended to the journal and kept in the tail; ``moving`` brings it to
its places later.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from timtw.model.errors import StorageUnavailable
from timtw.model.idents import slot_of
from timtw.model.limits import JOURNAL_MOST, JOURNAL_MOST_BYTES
from timtw.model.posting import Batch, Changed, Outcome, Posted
from timtw.model.values import (
    NOTICE,
    REMOVALS,
    ROOM,
    TEXT,
    Conversation,
    Draft,
    Message,
)
from timtw.shards.records import pack_content
from timtw.shards.repeats import message_of
from timtw.shards.sealing import Sealer, body_context, event_context
from timtw.shards.sqlite.cursors import SqliteCursors
from timtw.shards.sqlite.known import Known
from timtw.shards.sqlite.moving import Mover
from timtw.shards.sqlite.removing import Removing
from timtw.shards.sqlite.repeats import SqliteRepeats
from timtw.shards.sqlite.statements import JournalStatements
from timtw.shards.sqlite.tail import Kept, Once, Tail
from timtw.shards.sqlite.writer import run_on
from timtw.shards.tables.dialects import SQLITE
from timtw.shards.tables.relations import Relating
from timtw.shards.tables.removals import THERE
from timtw.shards.tables.rooming import Rooming
from timtw.shards.tables.rooms import RoomRows
from timtw.shards.tables.statements import PostingStatements, made

_Pair: TypeAlias = tuple[int, int]


class Posting:
    """Stores batches in the writer's thread; what it knows by heart is only its own.

    Attributes:
        cursors: How far readers are.
    """

    def __init__(self, sealer: Sealer, tail: Tail) -> None:
        self._sealer = sealer
        self._tail = tail
        self._mover = Mover(tail)
        self._removing = Removing(tail)
        self.cursors = SqliteCursors(tail)
        self._repeats = SqliteRepeats(sealer, tail)
        self._relating = Relating(SQLITE, self.cursors.reached)
        self._rooming = Rooming(RoomRows(SQLITE, sealer))
        self._write_rows = made(JournalStatements).write_rows
        self._counters: Known[_Pair] = Known(
            made(PostingStatements).read_counters,
            lambda key: (slot_of(key[0]), *key),
            tail.last,
        )
        self._row = self._rows_done = 0
        self._forget_pending()

    def _forget_pending(self) -> None:
        """Nothing waits for the end of its transaction."""
        self._kept: list[Kept] = []
        self._octets = 0
        self._repeats.forget_pending()

    # What the writer calls.

    def begin(self, connection: sqlite3.Connection) -> None:
        """Move what an earlier process has left in the journal."""
        self._mover.finish(connection)

    def reopened(self, connection: sqlite3.Connection) -> None:
        """Find a commit that has happened although it failed, as after a failed flush.

        It was refused, its rows are in no tail, and their numbers are taken. So
        everything is brought to the tables, as when a node starts.
        """
        rows, moves = self._mover.newest(connection)
        if rows > self._rows_done or moves > self.cursors.rows_done:
            self._mover.finish(connection)
            self._tail.clear()
            self._row = self._rows_done = rows
            self.cursors.begin_behind(moves)

    def ride(self, connection: sqlite3.Connection) -> None:
        """Do a part of the moving with this transaction."""
        drafts, moves = len(self._kept), self.cursors.rows_done
        self._mover.ride(connection, drafts, self._rows_done, moves)

    def committed(self) -> None:
        """The transaction has happened: everybody may read what it brought."""
        tail = self._tail
        if self._kept:
            tail.add(self._kept)
        for pair, mid in self._removing.committed():
            tail.remove(pair, mid)
        self.cursors.committed()
        self._counters.committed()
        self._rows_done = self._row
        self._mover.committed()
        self._forget_pending()

    def forget(self) -> None:
        """Nothing is certain any more: a transaction was rolled back."""
        self._counters.forget()
        self.cursors.forget()
        self._row = self._rows_done
        self._removing.forget()
        self._mover.undone()
        self._forget_pending()

    def stray(self, error: Exception) -> None:
        """A ride has failed, and the transaction is tried again without it."""
        self._mover.failed(error)

    # What others ask.

    def hasten(self, before: int) -> bool:
        """Whether the journal has something older; it is then moved soon."""
        old = self._tail.has_older(before)
        if old:
            self._mover.hasten()
        return old

    def head(self, account: int, stored: int) -> int:
        """The newest number of a log in whose counter ``stored`` stands."""
        key = (account, 0)
        return max(stored, self._counters.values.get(key, 0), self._tail.last(key))

    # Posting.

    def post(self, connection: sqlite3.Connection, batch: Batch) -> Sequence[Outcome]:
        """Store a batch; one answer per draft."""
        tail = self._tail
        rows = tail.rows + tail.moves + len(self._kept) + len(batch.drafts)
        if rows > JOURNAL_MOST or tail.octets + self._octets > JOURNAL_MOST_BYTES:
            self._mover.hurry()
            raise StorageUnavailable
        posted = self._store(connection, batch.drafts) if batch.drafts else ()
        if batch.cursors:
            self.cursors.move(connection, batch.cursors)
        return posted

    def _store(
        self, connection: sqlite3.Connection, drafts: Sequence[Draft]
    ) -> list[Outcome]:
        """Append drafts to the journal, with their numbers."""
        packed = [pack_content(draft.content) for draft in drafts]
        pairs = [draft.conversation for draft in drafts]
        onces = self._repeats.onces(connection, drafts, pairs, packed)
        self._load_counters(connection, pairs)
        posted: list[Outcome] = []
        rows: list[Any] = []
        for n, draft in enumerate(drafts):
            once = onces[n]
            if once is not None:
                first = self._repeats.first(once, draft.timestamp)
                if first is not None:
                    message = message_of(draft, *first, False)
                    posted.append(Posted(message, 0, 0, repeated=True))
                    continue
            if draft.kind in REMOVALS:
                self._write(connection, rows)
                refusal = self._removing.remove(connection, draft, self._kept)
                if refusal is not None:
                    posted.append(refusal)
                    continue
            elif draft.kind == NOTICE:
                change = self._change_room if draft.content.room else self._change
                posted.append(change(connection, rows, draft))
                continue
            posted.append(self._append(rows, draft, pairs[n], packed[n], once))
        self._write(connection, rows)
        return posted

    def _change(
        self,
        connection: sqlite3.Connection,
        rows: list[Any],
        draft: Draft,
    ) -> Changed:
        """Change a relation, and add the row of the notice that follows."""
        relating = self._relating
        verdict = run_on(connection, lambda: relating.change(draft))
        notice = verdict.notice
        if not notice:
            return Changed(refusal=verdict.refusal)
        news = attrs.evolve(draft, mid=notice, both=verdict.both)
        told = self._tell(connection, rows, news)
        run_on(connection, lambda: relating.told(draft, notice, told.recipient_seq))
        return Changed((told,), verdict.refusal)

    def _change_room(
        self, connection: sqlite3.Connection, rows: list[Any], draft: Draft
    ) -> Changed:
        """Change a room, and add the rows of the notices that follow."""
        room, last = draft.content.room, self._counters
        keys = ((room, 0), Conversation.of_room(room))
        last.load(connection, keys)
        seq, mid = (last.values.get(key, 0) for key in keys)
        change = self._rooming.change
        done = run_on(connection, lambda: change(draft, (seq, mid)))
        told = [self._tell(connection, rows, notice) for notice in done.notices]
        return Changed(tuple(told), done.refusal, done.accounts)

    def _tell(
        self, connection: sqlite3.Connection, rows: list[Any], notice: Draft
    ) -> Posted:
        """Add the row of a notice."""
        pair = notice.conversation
        self._load_counters(connection, [pair])
        return self._append(rows, notice, pair, pack_content(notice.content), None)

    def _append(
        self,
        rows: list[Any],
        draft: Draft,
        pair: Conversation,
        packed: bytes,
        once: Once | None,
    ) -> Posted:
        """Number one draft and add its row."""
        last = self._counters.values
        first, second = pair
        ts, ident, kind, mid = draft.timestamp, draft.ident, draft.kind, draft.mid
        sender = draft.sender.number
        other = second if sender == first else first
        if kind == TEXT:
            mid = last[pair] = last.get(pair, 0) + 1
            context = body_context(first, second, sender, ident)
        else:
            context = event_context(kind, first, second, sender, ident)
        sender_seq = recipient_seq = 0
        if second != ROOM and (kind == TEXT or kind in REMOVALS or draft.both):
            own = (sender, 0)
            sender_seq = recipient_seq = last[own] = last.get(own, 0) + 1
        if other != sender or not sender_seq:
            theirs = (other, 0)
            recipient_seq = last[theirs] = last.get(theirs, 0) + 1
        self._row = row = self._row + 1
        rows += (row, kind, first, second, mid, ident, sender, ts, THERE)
        rows += (sender_seq, recipient_seq, self._sealer.seal(packed, context))
        rows.append(None if once is None else once[3])
        message = Message(
            pair,
            mid,
            ident,
            draft.sender,
            draft.recipient,
            ts,
            draft.content,
            draft.device,
            kind,
        )
        size = len(packed)
        self._octets += size
        self._kept.append(Kept(row, message, sender_seq, recipient_seq, size, once))
        if once is not None:
            self._repeats.pending[once] = (mid, ts)
        return Posted(message, sender_seq, recipient_seq)

    def _write(self, connection: sqlite3.Connection, rows: list[Any]) -> None:
        """Write the collected rows, which are no more collected then."""
        for text, parameters in self._write_rows.split(rows):
            connection.execute(text, parameters)
        rows.clear()

    def _load_counters(
        self, connection: sqlite3.Connection, pairs: Sequence[Conversation]
    ) -> None:
        """Know the newest numbers of these conversations and of the logs of each."""
        keys: set[_Pair] = set(pairs)
        for first, second in pairs:
            keys.add((first, 0))
            if second != ROOM:
                keys.add((second, 0))
        self._counters.load(connection, keys)
