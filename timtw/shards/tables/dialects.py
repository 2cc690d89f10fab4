"""How statements are spelled for each engine: SQLAlchemy Core texts for raw drivers.

A statement is built once from the tables of ``schema`` and compiled once
per engine, when it is first asked for. Its parameters come in an order that is named
where it is built, and checked there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
from sqlalchemy import Table, bindparam, func, select, tuple_, union_all
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg2
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, ColumnElement

from timtw.shards.tables.compiling import (
    Rows,
    any_keys,
    any_rows,
    compiled,
    many_keys,
    many_rows,
)

S = TypeVar("S")
Change = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[Any]]
"""What a column becomes, of what it is and of what was to be inserted."""


def taken(_old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """The new value takes the place of the old one."""
    return new


def added(old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """The new value is added to the old one."""
    return old + new


def greatest(old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """The greater of both; only of servers."""
    return func.greatest(old, new)


def equal(table: Table, *names: str) -> list[ColumnElement[bool]]:
    """Conditions that these columns have the values of parameters of their names."""
    return [table.c[name] == bindparam(name) for name in names]


@attrs.frozen(eq=False)
class Sql:
    """The spelling of one engine.

    Args:
        server: Whether several nodes may write at the same time, so that statements
            have to compare, add and lock in the database.
        returning: Whether an insert can answer with the rows that it has made.
    """

    dialect: Dialect
    server: bool
    returning: bool
    _made: dict[type[Any], Any] = attrs.field(factory=dict, init=False, repr=False)

    def made(self, kind: type[S]) -> S:
        """The one instance of a class of statements in this spelling."""
        found: S | None = self._made.get(kind)
        if found is None:
            make: Any = kind
            found = self._made[kind] = make(self)
        return found

    def text(self, statement: ClauseElement, *order: str) -> str:
        """The SQL text of ``statement`` with its parameters in this order."""
        return compiled(self.dialect, statement, *order)

    def put(
        self, table: Table, key: Sequence[str], *others: str, kept: Sequence[str] = ()
    ) -> str:
        """Write one row; where the key exists, all but ``kept`` are overwritten."""
        names = (*key, *others)
        row = self._insert(table).values({name: bindparam(name) for name in names})
        changes = {name: taken for name in others if name not in kept}
        return self.text(self._or_change(row, table, key, changes), *names)

    def put_many(
        self,
        table: Table,
        key: Sequence[str],
        value: str,
        *others: str,
        change: Change = taken,
        returned: Sequence[str] = (),
    ) -> Rows:
        """
        Write many rows; where the key exists only ``value`` changes.

        Args:
            returned: Columns that the statement answers with, if the engine can.
        """

        def finish(rows: Any) -> ClauseElement:
            done: Any = self._or_change(rows, table, key, {value: change})
            if returned and self.returning:
                done = done.returning(*[table.c[name] for name in returned])
            result: ClauseElement = done
            return result

        return self.insert_many(table, (*key, value, *others), finish)

    def insert_many(
        self,
        table: Table,
        columns: Sequence[str],
        finish: Callable[[Any], ClauseElement] = lambda rows: rows,
    ) -> Rows:
        """Insert many rows; ``finish`` adds what follows them."""
        make = any_rows if self.server else many_rows
        return make(self.dialect, table, columns, finish, self._insert)

    def read_many(
        self,
        table: Table,
        key: Sequence[str],
        *names: str,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> Rows:
        """Rows by many keys, each found by an index; ``where`` has no parameters."""
        columns = [table.c[name] for name in names]
        if self.server:
            parts = tuple_(*[table.c[part] for part in key])

            def among(size: int) -> ClauseElement:
                keys: list[Any] = [
                    tuple(bindparam(f"{part}{n}") for part in key) for n in range(size)
                ]
                return select(*columns).where(parts.in_(keys), *where)

            return any_keys(self.dialect, len(key), among)

        def union(size: int) -> ClauseElement:
            searches = [
                select(*columns).where(
                    *[table.c[part] == bindparam(f"{part}{n}") for part in key], *where
                )
                for n in range(size)
            ]
            return union_all(*searches) if size > 1 else searches[0]

        return many_keys(self.dialect, len(key), union)

    def _insert(self, table: Table) -> Any:
        """An insert that can say what happens where the key exists."""
        if self.dialect.name == "postgresql":
            return postgresql.insert(table)
        return (sqlite if self.dialect.name == "sqlite" else mysql).insert(table)

    def _or_change(
        self,
        row: Any,
        table: Table,
        key: Sequence[str],
        changes: Mapping[str, Change],
    ) -> ClauseElement:
        """The insert ``row``, with what changes where the key exists."""
        is_mysql = self.dialect.name == "mysql"
        new = row.inserted if is_mysql else row.excluded
        values = {n: change(table.c[n], new[n]) for n, change in changes.items()}
        done: ClauseElement = (
            row.on_duplicate_key_update(values)
            if is_mysql
            else row.on_conflict_do_update(index_elements=key, set_=values)
        )
        return done


SQLITE: Final = Sql(sqlite.dialect(paramstyle="qmark"), server=False, returning=False)
POSTGRES: Final = Sql(
    psycopg2.dialect(paramstyle="format"), server=True, returning=True
)
MYSQL: Final = Sql(mysql.dialect(paramstyle="format"), server=True, returning=False)
"""MariaDB and MySQL. Only one of them can return what it has inserted."""
