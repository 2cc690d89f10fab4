"""A fault of ours in what one connection is told costs the others nothing.

The connection is ended: its client comes back and gets what it has missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from twisted.logger import Logger


class Ended(Protocol):
    """A connection that can be ended."""

    def hang_up(self) -> None:
        """End the line."""


T = TypeVar("T", bound=Ended)
_LOG: Final = Logger()


def tell_each(connections: Iterable[T], tell: Callable[[T], None]) -> None:
    """Tell all of them, who may come and go meanwhile."""
    for one in tuple(connections):
        try:
            tell(one)
        except Exception:
            at_fault(one)


def at_fault(connection: Ended) -> None:
    """Telling it something has failed: log the exception at hand, and end it."""
    _LOG.failure("a fault in what a connection is told; it is ended")
    connection.hang_up()
