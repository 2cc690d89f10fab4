"""Cursors and delivered marks in a database on a server: they never go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from timtw.model.idents import slot_of
from timtw.model.progress import CursorMove
from timtw.shards.server.statements import ServerPostingStatements
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation, all_of
from timtw.shards.tables.room_readers import RoomReaderStatements

_Reader: TypeAlias = tuple[int, bytes]


class ServerCursors:
    """Makes the part of a commit that is about readers."""

    def __init__(self, sql: Sql) -> None:
        self._statements = sql.made(ServerPostingStatements)
        self._rooms = sql.made(RoomReaderStatements)

    def store(self, moves: Sequence[CursorMove]) -> Operation[None]:
        """Raise cursors and marks."""
        own = [move for move in moves if not move.room]
        if own:
            yield from self._move(own)
            yield from self._mark(own)
        if len(own) < len(moves):
            yield from self._move_in_rooms([move for move in moves if move.room])

    def _move_in_rooms(self, moves: Sequence[CursorMove]) -> Operation[None]:
        """Raise cursors in rooms of readers that exist."""
        readers = {(move.account, move.key) for move in moves}
        keys: list[Any] = []
        for account, device in sorted(readers):
            keys += (slot_of(account), account, device)
        known = yield from all_of(self._statements.read_cursors, keys)
        there = {(account, device) for account, device, _cursor in known}
        wanted: dict[tuple[int, bytes, int], int] = {}
        for move in moves:
            if (move.account, move.key) in there:
                key = (move.account, move.key, move.room)
                wanted[key] = max(move.cursor, wanted.get(key, 0))
        rows: list[Any] = []
        for key, cursor in sorted(wanted.items()):
            rows += (slot_of(key[0]), *key, cursor)
        yield from all_of(self._rooms.put, rows)

    def _move(self, moves: Sequence[CursorMove]) -> Operation[None]:
        """Raise cursors of readers that exist; forgotten ones stay forgotten."""
        wanted: dict[_Reader, int] = {}
        rows: list[Any] = []
        for move in moves:
            reader = (move.account, move.key)
            wanted[reader] = max(move.cursor, wanted.get(reader, 0))
        if self._statements.raise_cursors is not None:
            for reader, cursor in wanted.items():
                rows += (slot_of(reader[0]), *reader, cursor)
            yield from all_of(self._statements.raise_cursors, rows)
            return
        keys: list[Any] = []
        for account, device in wanted:
            keys += (slot_of(account), account, device)
        known = yield from all_of(self._statements.read_cursors, keys)
        for account, device, cursor in sorted(known):
            new = wanted[account, device]
            if new > cursor:
                rows += (slot_of(account), account, device, new, 0)
        yield from all_of(self._statements.write_cursors, rows)

    def _mark(self, moves: Sequence[CursorMove]) -> Operation[None]:
        """Raise the delivered marks that follow from the moves."""
        wanted: dict[tuple[int, int, int], int] = {}
        for move in moves:
            for pair, mid in move.confirmed:
                key = (*pair, move.account)
                wanted[key] = max(mid, wanted.get(key, 0))
        rows: list[Any] = []
        for key, mid in sorted(wanted.items()):
            rows += (slot_of(key[0]), *key, mid)
        yield from all_of(self._statements.write_delivered, rows)
