"""What a connection to a database on a server can do, whichever driver it is made of.

A link carries out one operation at a time. Whatever it fails with, it says what became
of the transaction:

* ``Outage``: nothing was done; the link is not to be used again.
* ``Collision``: nothing was done because another transaction came in between; begun
  again, the operation will see the other one.
* ``InDoubt``: COMMIT was sent and not answered. The transaction had put a mark into the
  database; a fresh link finds out whether it is there.
* Anything else, errors of the operation among them: nothing was done.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred

from timtw.shards.tables.operations import Begin

T = TypeVar("T")


class Outage(Exception):
    """The database failed, or the way to it.

    Args:
        text: One line for the log, without anything secret.
        gone: Whether the connection was lost, so that another one may serve.
        silent: Whether the server has said nothing for as long as anybody waits.
    """

    def __init__(self, text: str, gone: bool = False, silent: bool = False) -> None:
        super().__init__(text)
        self.gone = gone and not silent
        self.silent = silent


class Collision(Exception):
    """Another transaction came in between; the operation may be begun again.

    Args:
        cause: What the driver said.
        blameless: Whether it is no fault of the operation, however often it happens.
    """

    def __init__(self, cause: Exception, blameless: bool) -> None:
        super().__init__(line_of(cause))
        self.cause = cause
        self.blameless = blameless


class InDoubt(Exception):
    """A COMMIT was not answered.

    Args:
        mark: What the transaction has put into the database.
        result: What the operation has returned.
    """

    def __init__(self, text: str, mark: Mark, result: Any) -> None:
        super().__init__(text)
        self.mark = mark
        self.result = result


@attrs.frozen
class Mark:
    """The name of a link in the database, and the number of its last write."""

    ident: bytes
    number: int = 0

    def next(self) -> Mark:
        """The mark of the next write."""
        return Mark(self.ident, self.number + 1)


class Link(Protocol):
    """One connection."""

    @property
    def usable(self) -> bool:
        """Whether the connection is there, as far as anybody knows."""

    def read(self, begin: Begin[T]) -> Deferred[T]:
        """The result of an operation whose statements stand for themselves."""

    def write(self, begin: Begin[T]) -> Deferred[T]:
        """The result of an operation in one transaction, when that is durable."""

    def close(self) -> None:
        """Close the connection; what is under way on it ends with Outage."""


def line_of(error: BaseException) -> str:
    """What an error of a driver says, on one line."""
    text = error.args[1] if len(error.args) == 2 else error
    return " ".join(str(text).split()) or type(error).__name__
