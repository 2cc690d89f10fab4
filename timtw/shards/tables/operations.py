"""What is done in one transaction, written once for every engine and without any I/O.

An operation is a generator. It yields the text of a statement with its parameters and
is sent the rows that the statement answered with, a list that is empty for one that
answers with none. What it returns is its result; what it raises ends the transaction
without any effect. Drivers carry operations out: SQLite's in its threads, others where
their connections live.

A driver may begin an operation again after the transaction was rolled back, so it is
asked for by a function that begins it, and nothing outside may change before its end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from twisted.internet.defer import Deferred

from timtw.shards.tables.compiling import Rows as ManyRows

T = TypeVar("T")

Statement: TypeAlias = tuple[str, Sequence[Any]]
"""A text with its parameters."""
Rows: TypeAlias = list[Any]
"""What a statement answered with; each row is a tuple."""
Operation: TypeAlias = Generator[Statement, Rows, T]
Begin: TypeAlias = Callable[[], Operation[T]]
"""Begins an operation, from its first statement on."""


class Run(Protocol):
    """Carries out operations, each in one transaction."""

    def __call__(self, begin: Begin[T]) -> Deferred[T]:
        """
        The result of the operation, when it is stored.

        Fails with StorageUnavailable, after which nothing was done.
        """


def first_of(text: str, parameters: Sequence[Any]) -> Operation[Any]:
    """The first row that a statement answers with, or ``None``."""
    rows = yield text, parameters
    return rows[0] if rows else None


def all_of(rows: ManyRows, values: list[Any]) -> Operation[Rows]:
    """Everything that a statement of many rows answers."""
    found: Rows = []
    for text, parameters in rows.split(values):
        found += yield text, parameters
    return found


def carried_out(
    operation: Operation[T], execute: Callable[[str, Sequence[Any]], Rows]
) -> T:
    """The result of an operation whose statements are executed at once."""
    rows: Rows | None = None
    try:
        while True:
            # The first value sent to a generator has to be None.
            text, parameters = operation.send(rows)  # type: ignore[arg-type]
            rows = execute(text, parameters)
    except StopIteration as stop:
        result: T = stop.value
        return result
