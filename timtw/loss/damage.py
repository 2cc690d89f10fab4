"""Damages what a stopped node has stored, and reads in its log what it says of that.

Texts lie sealed, each in a row that names its conversation and number in clear.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from timtw.loss.troubles import Place

TEXTS: Final = 3
"""Texts that are damaged in one history."""
BYTES: Final = 8
"""Bytes of a record that are overwritten."""
_COLUMNS: Final = {"first", "second", "mid", "body"}
_SAID: Final = re.compile(
    r"message (\d+) of the (?:conversation (\w+)-|group )(\w+) does not open and is "
    r"left out"
)
_NOBODY: Final = 1
"""The second number of what was written to a group."""
_LETTERS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@attrs.frozen
class Record:
    """A sealed text in the database."""

    table: str
    first: int
    second: int
    mid: int
    body: bytes


Damage: TypeAlias = Callable[[Path, Record, random.Random], bool]
"""Damages one record; whether that was possible."""


def damage(database: Path, how: Damage, rng: random.Random) -> set[Place]:
    """Damage some texts of the database of a stopped node; where they stood."""
    with closing(sqlite3.connect(database)) as connection:
        # Everything into the one file, where bytes can be found.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        records = _records(connection)
    rng.shuffle(records)
    # One of a group, if there is any, and whatever comes.
    of_groups = [one for one in records if one.second == _NOBODY]
    done: set[Place] = set()
    for record in [*of_groups[:1], *records]:
        place = place_in(record)
        if len(done) < TEXTS and place not in done and how(database, record, rng):
            done.add(place)
    return done


def place_in(record: Record) -> Place:
    """Where the text of a record stands."""
    sides = [one for one in (record.first, record.second) if one != _NOBODY]
    return Place(frozenset(map(node_of, sides)), record.mid)


def node_of(number: int) -> str:
    """The node of an account or group, as clients spell it."""
    rest, node = number % (1 << 64), ""
    while rest:
        rest, digit = divmod(rest, len(_LETTERS))
        node = _LETTERS[digit] + node
    return node


def alter(database: Path, record: Record, rng: random.Random) -> bool:
    """Store another body in the place of a record's."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            # The name of the table comes from the database itself.
            f"UPDATE {record.table} SET body = ? "  # noqa: S608
            "WHERE first = ? AND second = ? AND mid = ? AND body = ?",
            (
                _changed(record.body, rng),
                record.first,
                record.second,
                record.mid,
                record.body,
            ),
        )
        connection.commit()
    return True


def overwrite(database: Path, record: Record, rng: random.Random) -> bool:
    """Overwrite bytes of the file where a record lies in one piece."""
    content = database.read_bytes()
    start = content.find(record.body)
    if start < 0:
        return False
    with database.open("r+b") as file:
        file.seek(start)
        file.write(_changed(record.body, rng))
    return True


def said(log: Path) -> set[Place]:
    """The texts that the log of a node calls damaged."""
    return {
        Place(frozenset(filter(None, (first, second))), int(mid))
        for mid, first, second in _SAID.findall(log.read_text(errors="replace"))
    }


def _records(connection: sqlite3.Connection) -> list[Record]:
    """All sealed texts, in an order that does not depend on how they lie."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    records = []
    for (table,) in names.fetchall():
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if columns >= _COLUMNS and "seq" not in columns:
            rows = connection.execute(
                f"SELECT first, second, mid, body FROM {table}"  # noqa: S608
            )
            records += [Record(table, *row) for row in rows if row[3]]
    return sorted(records, key=lambda one: (one.first, one.second, one.mid))


def _changed(body: bytes, rng: random.Random) -> bytes:
    """A body of the same length in which some bytes are others."""
    start = rng.randrange(len(body) - BYTES)
    piece = bytes(byte ^ rng.randrange(1, 256) for byte in body[start : start + BYTES])
    return body[:start] + piece + body[start + BYTES :]
