"""SQLAlchemy Core statements turned into SQL text once, for use on a raw driver.

A statement that takes many rows is compiled for a few numbers of rows. One execution
with sixty-four rows costs a third of sixty-four executions, and above all it lets the
other threads in once and not sixty-four times: a driver gives up the interpreter lock
around each execution, and gets it back from a busy reactor only after milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import Table, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

CHUNKS: Final = (64, 16, 4, 1)
"""Numbers of rows that statements are compiled for, the largest first."""


def compiled(dialect: Dialect, statement: ClauseElement, *order: str) -> str:
    """The text of ``statement``, whose parameters must come in this ``order``."""
    result: Any = statement.compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    found = tuple(getattr(result, "positiontup", None) or ())
    if found != order:
        raise ValueError(f"parameters are {found[:12]}, not {order[:12]}")
    return str(result)


@attrs.frozen
class Rows:
    """A statement for many rows of ``width`` parameters each.

    Args:
        texts: Each number of rows with its text, the largest number first.
    """

    width: int
    texts: tuple[tuple[int, str], ...]

    def split(self, values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        """The executions that bring all ``values``, rows one behind the other."""
        start, rows = 0, len(values) // self.width
        for size, text in self.texts:
            while rows >= size:
                end = start + size * self.width
                yield text, values[start:end]
                start, rows = end, rows - size


def many_rows(
    dialect: Dialect,
    table: Table,
    columns: Sequence[str],
    finish: Callable[[Any], ClauseElement] = lambda insert: insert,
    insert: Callable[[Table], Any] = lambda table: table.insert(),
) -> Rows:
    """An insert of many rows into ``columns``; ``finish`` adds what follows VALUES."""
    texts = []
    for size in CHUNKS:
        rows = [
            {
                name: bindparam(f"{name}{n}", type_=table.c[name].type)
                for name in columns
            }
            for n in range(size)
        ]
        order = [f"{name}{n}" for n in range(size) for name in columns]
        statement = finish(insert(table).values(rows))
        texts.append((size, compiled(dialect, statement, *order)))
    return Rows(len(columns), tuple(texts))


def many_keys(
    dialect: Dialect, width: int, statement: Callable[[int], ClauseElement]
) -> Rows:
    """A select by many keys of ``width`` columns; ``statement`` takes their number."""
    texts = []
    for size in CHUNKS:
        result: Any = statement(size).compile(
            dialect=dialect, compile_kwargs={"render_postcompile": True}
        )
        if len(result.positiontup) != size * width:
            raise ValueError(
                f"{len(result.positiontup)} parameters, not {size * width}"
            )
        texts.append((size, str(result)))
    return Rows(width, tuple(texts))
