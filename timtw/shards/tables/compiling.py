"""SQLAlchemy Core statements turned into SQL text once, for use on a raw driver.

A statement that takes many rows has a text for each of a few numbers of rows. One
execution with sixty-four rows costs a third of sixty-four executions, and above all it
lets the other threads in once and not sixty-four times: a driver gives up the
interpreter lock around each execution, and gets it back from a busy reactor only after
milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import attrs
from sqlalchemy import Table, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

CHUNKS: Final = (64, 16, 4, 1)
"""Numbers of rows that statements are compiled for, the largest first."""

ROWS: Final = 512
"""Most rows of one execution that is put together for them."""

UNION: Final = " UNION ALL "
"""What stands between selects that are put together."""


def compiled(dialect: Dialect, statement: ClauseElement, *order: str) -> str:
    """The text of ``statement``, whose parameters must come in this ``order``."""
    result: Any = statement.compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    found = tuple(getattr(result, "positiontup", None) or ())
    if found != order:
        raise ValueError(f"parameters are {found[:12]}, not {order[:12]}")
    return str(result)


class Rows(Protocol):
    """A statement for many rows, or by many keys."""

    def split(self, values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        """The executions that bring all ``values``, rows one behind the other."""


@attrs.frozen
class FixedRows:
    """A statement with a text for each of some numbers of rows.

    Args:
        width: Parameters of one row.
        texts: Each number of rows with its text, the largest number first.
    """

    width: int
    texts: tuple[tuple[int, str], ...]

    def split(self, values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        """See ``Rows``."""
        start, rows = 0, len(values) // self.width
        for size, text in self.texts:
            while rows >= size:
                end = start + size * self.width
                yield text, values[start:end]
                start, rows = end, rows - size


@attrs.frozen
class JoinedRows:
    """A statement whose text is put together for any number of rows.

    A driver that writes the parameters into the text itself has nothing to prepare, so
    each number of rows may have a text of its own, and one execution brings them all.

    Args:
        width: Parameters of one row.
        row: What stands for one row.
        between: What joins rows.
    """

    width: int
    head: str
    row: str
    tail: str
    between: str

    def text(self, rows: int) -> str:
        """The text for so many rows."""
        return f"{self.head}{self.between.join([self.row] * rows)}{self.tail}"

    def split(self, values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        """See ``Rows``."""
        step = ROWS * self.width
        for start in range(0, len(values), step):
            part = values[start : start + step]
            yield self.text(len(part) // self.width), part


def many_rows(
    dialect: Dialect,
    table: Table,
    columns: Sequence[str],
    finish: Callable[[Any], ClauseElement] = lambda insert: insert,
    insert: Callable[[Table], Any] = lambda table: table.insert(),
) -> FixedRows:
    """An insert of many rows into ``columns``; ``finish`` adds what follows VALUES."""
    return _fixed(any_rows(dialect, table, columns, finish, insert))


def any_rows(
    dialect: Dialect,
    table: Table,
    columns: Sequence[str],
    finish: Callable[[Any], ClauseElement] = lambda insert: insert,
    insert: Callable[[Table], Any] = lambda table: table.insert(),
) -> JoinedRows:
    """The same for any number of rows, joined when they are there."""

    def text(size: int) -> str:
        return _rows_text(dialect, table, columns, finish, insert, size)

    return _listed(dialect, len(columns), text(1), text(2))


def _rows_text(
    dialect: Dialect,
    table: Table,
    columns: Sequence[str],
    finish: Callable[[Any], ClauseElement],
    insert: Callable[[Table], Any],
    size: int,
) -> str:
    """The text of an insert of ``size`` rows."""
    rows = [
        {name: bindparam(f"{name}{n}", type_=table.c[name].type) for name in columns}
        for n in range(size)
    ]
    order = [f"{name}{n}" for n in range(size) for name in columns]
    return compiled(dialect, finish(insert(table).values(rows)), *order)


def many_keys(
    dialect: Dialect, width: int, statement: Callable[[int], ClauseElement]
) -> FixedRows:
    """Selects by a key of ``width`` columns each, put together by UNION ALL.

    Args:
        statement: The selects for a number of keys.
    """
    one, two = (_keys_text(dialect, width, statement(size), size) for size in (1, 2))
    return _fixed(_joined(width, one, two, one, UNION))


def any_keys(
    dialect: Dialect, width: int, statement: Callable[[int], ClauseElement]
) -> JoinedRows:
    """One select by any number of keys, joined when they are there."""
    one, two = (_keys_text(dialect, width, statement(size), size) for size in (1, 2))
    return _listed(dialect, width, one, two)


def _keys_text(
    dialect: Dialect, width: int, statement: ClauseElement, size: int
) -> str:
    """The text of a select by ``size`` keys, whose parameters are counted."""
    result: Any = statement.compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    if len(result.positiontup) != size * width:
        raise ValueError(f"{len(result.positiontup)} parameters, not {size * width}")
    return str(result)


def _fixed(joined: JoinedRows) -> FixedRows:
    """The texts for some numbers of rows.

    They are not compiled one by one: for sixty-four rows that takes so long that a
    node would be seen to start later.
    """
    return FixedRows(joined.width, tuple((size, joined.text(size)) for size in CHUNKS))


def _listed(dialect: Dialect, width: int, one: str, two: str) -> JoinedRows:
    """The pieces of a statement with a list of rows in parentheses."""
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    return _joined(width, one, two, f"({', '.join([mark] * width)})", ", ")


def _joined(width: int, one: str, two: str, row: str, between: str) -> JoinedRows:
    """The pieces of a statement whose text for one and for two rows is known."""
    head, _row, tail = one.partition(row)
    joined = JoinedRows(width, head, row, tail, between)
    if (joined.text(1), joined.text(2)) != (one, two):
        raise ValueError(f"no text can be joined of {one!r}")
    return joined
