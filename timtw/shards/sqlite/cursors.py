"""Cursors and delivered marks in the journal, in the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from timtw.model.idents import slot_of
from timtw.model.progress import CursorMove
from timtw.shards.sqlite.known import Known
from timtw.shards.sqlite.statements import JournalStatements
from timtw.shards.sqlite.tail import Mark, Reader, RoomReader, Tail
from timtw.shards.tables.operations import Operation
from timtw.shards.tables.statements import PostingStatements, ReaderStatements, made


class SqliteCursors:
    """How far readers are, as the writer knows it by heart.

    Attributes:
        rows_done: The newest row of cursors that is committed.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._readers = made(ReaderStatements)
        self._journal = made(JournalStatements)
        statements = made(PostingStatements)
        self._cursors: Known[Reader] = Known(
            statements.read_cursors,
            lambda key: (slot_of(key[0]), *key),
            tail.cursors.get,
        )
        self._marks: Known[Mark] = Known(
            statements.read_delivered,
            lambda key: (slot_of(key[0]), *key),
            tail.marks.get,
        )
        self._row = self.rows_done = 0
        self._forget_pending()

    def _forget_pending(self) -> None:
        """Nothing waits for the end of its transaction."""
        self._raised: dict[Reader, int] = {}
        self._marked: dict[Mark, int] = {}
        self._in_rooms: dict[RoomReader, int] = {}

    def committed(self) -> None:
        """The transaction has happened: everybody may read what it brought."""
        tail = self._tail
        tail.cursors.update(self._raised)
        tail.marks.update(self._marked)
        tail.rooms.update(self._in_rooms)
        tail.moves += self._row - self.rows_done
        self.rows_done = self._row
        self._cursors.committed()
        self._marks.committed()
        self._forget_pending()

    def forget(self) -> None:
        """Nothing is certain any more: a transaction was rolled back."""
        self._cursors.forget()
        self._marks.forget()
        self._row = self.rows_done
        self._forget_pending()

    def begin_behind(self, row: int) -> None:
        """Rows up to this number are in the tables."""
        self._row = self.rows_done = row

    def forget_reader(self, account: int, device: bytes) -> None:
        """A reader's row was dropped or changed by another operation."""
        self._cursors.values.pop((account, device), None)
        self._raised.pop((account, device), None)

    def cursor(self, account: int, device: bytes, stored: int) -> int:
        """The cursor of a reader in whose row ``stored`` stands."""
        key = (account, device)
        return max(
            stored, self._cursors.values.get(key, 0), self._tail.cursors.get(key)
        )

    def in_room(self, account: int, device: bytes, room: int, stored: int) -> int:
        """The cursor of a reader in a room, in whose row ``stored`` stands."""
        key = (account, device, room)
        return max(stored, self._in_rooms.get(key, 0), self._tail.rooms.get(key))

    def reached(self, account: int) -> Operation[int]:
        """The highest cursor of an account's readers."""
        rows = yield self._readers.read_readers, (slot_of(account), account)
        return max((self.cursor(account, *row[:2]) for row in rows), default=0)

    def move(self, connection: sqlite3.Connection, moves: Sequence[CursorMove]) -> None:
        """Raise cursors and the delivered marks that follow from them."""
        known, marks = self._cursors.values, self._marks.values
        self._cursors.load(connection, [(move.account, move.key) for move in moves])
        wanted = [
            (first, second, move.account)
            for move in moves
            for (first, second), _mid in move.confirmed
        ]
        self._marks.load(connection, wanted)
        rows: list[Any] = []
        for move in moves:
            account, device = reader = move.account, move.key
            cursor = known.get(reader)
            if move.room:
                if cursor is not None:
                    self._move_in_room(move, rows)
                continue
            higher = []
            for (first, second), mid in move.confirmed:
                mark = (first, second, account)
                if mid > marks.get(mark, 0):
                    marks[mark] = self._marked[mark] = mid
                    higher.append((first, second, mid))
            # A reader that was forgotten stays forgotten; what it confirmed counts.
            if cursor is not None and move.cursor > cursor:
                known[reader] = self._raised[reader] = cursor = move.cursor
            elif not higher:
                continue
            for first, second, mid in higher or ((0, 0, 0),):
                self._row += 1
                rows += (self._row, account, device, cursor or 0)
                rows += (first, second, mid)
        for text, parameters in self._journal.write_moves.split(rows):
            connection.execute(text, parameters)

    def _move_in_room(self, move: CursorMove, rows: list[Any]) -> None:
        """Raise a cursor in the log of a room."""
        account, device, room = key = move.account, move.key, move.room
        if move.cursor > self.in_room(account, device, room, 0):
            self._in_rooms[key] = move.cursor
            self._row += 1
            rows += (self._row, account, device, 0, room, 0, move.cursor)
