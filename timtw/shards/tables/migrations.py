"""Versions of the schema: made new, brought forward, or refused.

An empty database gets the newest tables at once. An older one is brought forward step
by step, each together with its number. A newer one is refused: nothing is ever taken
back. The steps are the same for all engines; each names those that it is for, and the
others note its number only. Here they are carried out in SQLite, in
``timtw.shards.tables.founding`` on servers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs
from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from timtw.model.stores import ShardError
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import SQLITE, Sql
from timtw.shards.tables.statements import InstallationStatements

Change: TypeAlias = str | Table | Index | Column[Any]
"""A table, an index, a column that is made, or a statement that all engines know.

Where tables are not changed in transactions a step may be broken off and begun again:
what is made is then left out if it is there, and a statement must do no harm if it is
executed twice. On a server each has ``DATABASE_STATEMENT_SECONDS``.
"""
EMBEDDED: Final = frozenset({SQLITE.dialect.name})
EVERY: Final = EMBEDDED | {"postgresql", "mysql"}


@attrs.frozen
class Migration:
    """One step forward.

    Args:
        version: What the database is afterwards; the step begins at one less.
        changes: What the step does.
        engines: The dialects that it does something for.
    """

    version: int
    changes: tuple[Change, ...]
    engines: frozenset[str] = EVERY

    def making(self, sql: Sql) -> Iterator[Making]:
        """What an engine has to do."""
        if sql.dialect.name in self.engines:
            for change in self.changes:
                yield from making(change, sql)


@attrs.frozen
class Making:
    """A statement, and what it makes, if it makes anything.

    Args:
        kind: "table", "index", "column", or nothing.
        names: By which the engine can be asked whether it is there.
    """

    text: str
    kind: str = ""
    names: tuple[str, ...] = ()


def making(change: Change, sql: Sql) -> Iterator[Making]:
    """How a change is made by an engine."""
    if isinstance(change, str):
        yield Making(change)
    elif isinstance(change, Table):
        yield Making(sql.text(CreateTable(change)), "table", (change.name,))
        for index in change.indexes:
            yield from making(index, sql)
    elif isinstance(change, Index):
        yield Making(sql.text(CreateIndex(change)), "index", (str(change.name),))
    else:
        text = f"ALTER TABLE {change.table} ADD COLUMN {sql.text(CreateColumn(change))}"
        yield Making(text, "column", (change.table.name, change.name))


def _tables(*parts: MetaData) -> list[Making]:
    """What makes all tables of SQLite."""
    tables = [table for part in parts for table in part.sorted_tables]
    return [one for table in tables for one in making(table, SQLITE)]


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(2, (schema.log.c.id, schema.log.c.sender), EMBEDDED),
    Migration(3, tuple(schema.embedded.sorted_tables), EMBEDDED),
    Migration(4, (schema.relation,)),
    Migration(5, (schema.room, schema.room_member, schema.room_reader)),
    Migration(6, (schema.reader.c.session,)),
    Migration(7, (schema.member_account,)),
)
"""Every step after version 1, in order; the last one leads to ``schema.VERSION``."""


def newest(migrations: Sequence[Migration]) -> int:
    """The newest version that this program knows."""
    return max([schema.VERSION, *[step.version for step in migrations]])


def check(version: int, known: int) -> None:
    """Raise ShardError if a database is of a newer version than is known."""
    if version > known:
        raise ShardError(
            f"the database has schema version {version}, this program knows versions "
            f"up to {known}: use a newer program"
        )


def migrate(
    connection: sqlite3.Connection,
    statements: InstallationStatements,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> bool:
    """
    Bring the database to the newest version.

    Returns: Whether it was empty before.

    Raises ShardError: it is of a newer version than this program knows.
    """
    version = _version(connection, statements)
    check(version, newest(migrations))
    empty = version == 0
    if empty:
        everything = _tables(schema.metadata, schema.embedded)
        _step(connection, everything, statements.insert_version, schema.VERSION)
        version = schema.VERSION
    for step in migrations:
        if step.version > version:
            changes = list(step.making(SQLITE))
            _step(connection, changes, statements.write_version, step.version)
    return empty


def _version(connection: sqlite3.Connection, statements: InstallationStatements) -> int:
    """The version of the database, 0 for an empty one."""
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not tables:
        return 0
    try:
        row = connection.execute(statements.read_version).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        row = None
    if row is None:
        raise ShardError("the database file belongs to another program")
    return int(row[0])


def _step(
    connection: sqlite3.Connection, changes: Sequence[Making], mark: str, version: int
) -> None:
    """Carry out one step and note its number, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for change in changes:
            connection.execute(change.text)
        connection.execute(mark, (version,))
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
