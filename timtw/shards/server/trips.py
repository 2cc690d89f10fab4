"""Statements on their way to a server: filled in here, several in one round trip.

What takes no answer waits for the next statement that does, and travels with it; what
is left at the end travels with COMMIT. The server ends a trip at the first statement
that fails, so COMMIT is reached only by what has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from timtw.model.limits import STATEMENT_BYTES
from timtw.shards.tables.operations import Begin, Rows

T = TypeVar("T")

Trip: TypeAlias = list[str]
"""Texts of statements, of which only the last one's answer is wanted."""
Fill: TypeAlias = Callable[[str, Sequence[Any]], str]
"""Puts parameters into the text of a statement."""

COMMIT: Final = "COMMIT"
_WRITES: Final = ("INSERT", "UPDATE", "DELETE")


class Filler:
    """Puts parameters into texts.

    Drivers do so by an object for each value, which cost more than all else that a node
    did for a message. Numbers and octets, which is what rows of messages are made of,
    need none; what a text holds is left to the driver.

    Args:
        octets: How octets are spelled, with ``%s`` for their hexadecimal digits.
        slowly: What the driver does.
    """

    def __init__(self, octets: str, slowly: Fill) -> None:
        self._octets = octets
        self._slowly = slowly

    def __call__(self, text: str, parameters: Sequence[Any]) -> str:
        """The statement with its parameters."""
        if not parameters:
            return text
        octets = self._octets
        done: list[Any] = []
        for one in parameters:
            kind = one.__class__
            if kind is int:
                done.append(one)
            elif kind is bytes:
                done.append(octets % one.hex())
            elif one is None:
                done.append("NULL")
            else:
                return self._slowly(text, parameters)
        return text % tuple(done)


def answers(text: str) -> bool:
    """Whether a statement answers with rows."""
    return not text.startswith(_WRITES) or " RETURNING " in text


def trips(
    begin: Begin[T], opening: Sequence[str], fill: Fill
) -> Generator[Trip, Rows, tuple[Trip, T]]:
    """
    The round trips of an operation.

    Args:
        opening: What begins the transaction and writes the mark of the link. It is
            always answered before COMMIT is sent, so that the mark can be waited for.

    Returns: The last trip, which ends with COMMIT, and the result of the operation.
    """
    operation = begin()
    waiting = list(opening)
    is_open = False
    weight = 0
    rows: Rows | None = None
    try:
        while True:
            # The first value sent to a generator has to be None.
            text = fill(*operation.send(rows))  # type: ignore[arg-type]
            if weight + len(text) > STATEMENT_BYTES and waiting:
                yield waiting
                waiting, weight, is_open = [], 0, True
            waiting.append(text)
            weight += len(text)
            rows = []
            if answers(text):
                rows = yield waiting
                waiting, weight, is_open = [], 0, True
    except StopIteration as stop:
        if not is_open:
            yield waiting
            waiting = []
        return [*waiting, COMMIT], stop.value
    finally:
        operation.close()
