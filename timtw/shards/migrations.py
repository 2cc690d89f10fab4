"""Versions of the schema: made new, brought forward, or refused.

An empty database gets the newest tables at once. An older one is brought forward step
by step, each step in a transaction of its own together with its number. A newer one is
refused: nothing is ever taken back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import attrs
from sqlalchemy import MetaData
from sqlalchemy.schema import CreateIndex, CreateTable

from timtw.model.stores import ShardError
from timtw.shards import schema
from timtw.shards.dialects import SQLITE
from timtw.shards.statements import InstallationStatements


@attrs.frozen
class Migration:
    """One step forward.

    Args:
        version: What the database is afterwards; the step begins at one less.
        statements: What the step does.
    """

    version: int
    statements: tuple[str, ...]


def _tables(metadata: MetaData) -> tuple[str, ...]:
    """What makes these tables."""
    made = []
    for table in metadata.sorted_tables:
        made.append(SQLITE.text(CreateTable(table)))
        made += [SQLITE.text(CreateIndex(index)) for index in table.indexes]
    return tuple(made)


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        2,
        (
            "ALTER TABLE log ADD COLUMN id BIGINT",
            "ALTER TABLE log ADD COLUMN sender BIGINT",
        ),
    ),
    Migration(3, _tables(schema.embedded)),
)
"""Every step after version 1, in order; the last one leads to ``schema.VERSION``."""


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
    newest = max([schema.VERSION, *[step.version for step in migrations]])
    version = _version(connection, statements)
    if version > newest:
        raise ShardError(
            f"the database has schema version {version}, this program knows versions "
            f"up to {newest}: use a newer program"
        )
    empty = version == 0
    if empty:
        everything = _tables(schema.metadata) + _tables(schema.embedded)
        _step(connection, everything, statements.insert_version, schema.VERSION)
        version = schema.VERSION
    for step in migrations:
        if step.version > version:
            changes = step.statements
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
    connection: sqlite3.Connection, changes: Sequence[str], mark: str, version: int
) -> None:
    """Carry out one step and note its number, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for change in changes:
            connection.execute(change)
        connection.execute(mark, (version,))
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
