"""From the journal to the tables: in slices, each beside a commit.

A commit appends to the journal and touches nothing else, so it costs few pages however
many conversations there are. When enough has collected it is moved in the order of the
keys. A move can break off anywhere, with the process or with a failure of the database:
it begins again and finds in the tables what it has brought there (docs/decisions/006).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from twisted.logger import Logger

from timtw.model.limits import (
    JOURNAL_BYTES,
    JOURNAL_ROWS,
    MOVE_DRAFTS,
    MOVE_ROWS,
)
from timtw.shards.sqlite.statements import MovingStatements
from timtw.shards.sqlite.tail import Tail
from timtw.shards.tables.statements import made

_MOST_PAUSE: Final = 1024
"""Commits without a step after moving has failed again and again."""
_HURRIED_PAUSE: Final = 64
"""The same while messages are refused for it: a quiet node has one commit a second."""


class Mover:
    """Moves rows, a slice at a time, in the writer's thread.

    ``ride`` is called with each transaction, ``committed`` or ``undone`` after it.
    """

    _log = Logger()

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._statements = made(MovingStatements)
        self._move: Iterator[None] | None = None
        self._dropped = 0
        self._is_done = False
        self._hastened = False
        self._pause = 0
        self._rest = 0

    def finish(self, connection: sqlite3.Connection) -> None:
        """Bring everything to the tables that is in the journal."""
        rows, moves = self.newest(connection)
        if not rows and not moves:
            return
        connection.execute("BEGIN IMMEDIATE")
        for _ in self._steps(connection, rows, moves):
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        self._dropped = 0

    def newest(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """The highest numbers in the journal, of a row and of a cursor, or 0."""
        statements = self._statements.last_row, self._statements.last_move
        rows, moves = (connection.execute(one).fetchone()[0] for one in statements)
        return rows or 0, moves or 0

    def hasten(self) -> None:
        """Begin the next move although not much has collected."""
        self._hastened = self._move is None

    def ride(
        self, connection: sqlite3.Connection, drafts: int, rows: int, moves: int
    ) -> None:
        """
        Make the steps that are due beside a commit of so many ``drafts``.

        Args:
            rows: The newest number of the journal that is committed.
            moves: The newest number of a cursor that is.
        """
        if self._rest:
            self._rest -= 1
            return
        if self._move is None:
            if not self._hastened and not self._is_much():
                return
            self._hastened = False
            self._tail.turn()
            self._move = self._steps(connection, rows, moves)
        for _ in range(1 + drafts // MOVE_DRAFTS):
            if next(self._move, self) is self:
                self._is_done = True
                break

    def _is_much(self) -> bool:
        """Whether so much has collected that a move is worth it."""
        tail = self._tail
        return tail.rows + tail.moves >= JOURNAL_ROWS or tail.octets >= JOURNAL_BYTES

    def committed(self) -> None:
        """The steps of the last transaction have happened."""
        if self._dropped:
            self._tail.drop(self._dropped)
            self._dropped = 0
        if self._is_done:
            self._is_done = False
            self._move = None
            self._pause = 0
            self._tail.turned()

    def undone(self) -> None:
        """The last transaction was rolled back: the move begins again."""
        if self._move is not None:
            self._move = None
            self._tail.turn_back()
        self._dropped = 0
        self._is_done = False

    def failed(self, error: Exception) -> None:
        """A step has failed; the next is made some commits later."""
        self._pause = min(2 * self._pause + 1, _MOST_PAUSE)
        self._rest = self._pause
        self._log.error(
            "messages of the journal could not be moved to their places: {error}; "
            "they are safe, and the node tries again",
            error=str(error),
        )

    def hurry(self) -> None:
        """Something was refused because the journal is full."""
        self._rest = min(self._rest, _HURRIED_PAUSE)

    def _steps(
        self, connection: sqlite3.Connection, rows: int, moves: int
    ) -> Iterator[None]:
        """All steps of a move of what is committed up to these numbers."""
        statements = self._statements
        lists = (*statements.rows, *statements.moves)
        for slices in lists:
            connection.execute(slices.create)
            connection.execute(slices.clear)
        for slices in lists:
            up_to = rows if slices in statements.rows else moves
            filled = connection.execute(slices.fill, (up_to,) * slices.times)
            yield
            for start in range(0, filled.rowcount, MOVE_ROWS):
                for statement in slices.move:
                    connection.execute(statement, (start, start + MOVE_ROWS))
                yield
        first = self._tail.first or rows
        for up_to in (*range(first + MOVE_ROWS - 1, rows, MOVE_ROWS), rows):
            connection.execute(statements.drop_rows, (up_to,))
            self._dropped = up_to
            yield
        connection.execute(statements.drop_moves, (moves,))
