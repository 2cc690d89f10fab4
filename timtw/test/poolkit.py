"""A database that does what a test says, for pools."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from timtw.shards.server.links import InDoubt, Link, Mark, Outage
from timtw.shards.tables.operations import Begin, Operation, carried_out

T = TypeVar("T")


def wish(name: object) -> Begin[Any]:
    """An operation that is told by its result."""

    def operation() -> Operation[Any]:
        yield "wish", (name,)
        return name

    return operation


class TwinLink:
    """A connection to a database that does what a test says."""

    def __init__(self, database: TwinDatabase) -> None:
        self.database = database
        self.usable = True
        self.closed = False
        self.work: tuple[Begin[Any], Deferred[Any]] | None = None
        self.mark = Mark(b"%d" % len(database.links))

    def read(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        assert self.work is None, "two jobs at a time"
        done: Deferred[T] = Deferred()
        self.work = begin, done
        return done

    def write(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        self.mark = self.mark.next()
        return self.read(begin)

    def close(self) -> None:
        """See ``Link``."""
        self.usable = False
        self.closed = True

    def answer(self) -> None:
        """The database does what it was asked for."""
        begin, done = self._take()
        done.callback(carried_out(begin(), lambda _text, _values: []))

    def fail(self, error: Exception) -> None:
        """The database does not."""
        _begin, done = self._take()
        done.errback(error)

    def doubt(self, stored: bool) -> None:
        """The connection is lost at COMMIT."""
        begin, done = self._take()
        if stored:
            self.database.marks[self.mark.ident] = self.mark.number
        result = carried_out(begin(), lambda _text, _values: [])
        done.errback(InDoubt("cut", self.mark, result))

    def _take(self) -> tuple[Begin[Any], Deferred[Any]]:
        assert self.work is not None, "nothing was asked for"
        work, self.work = self.work, None
        return work


class TwinDatabase:
    """A database that is there, or not."""

    def __init__(self) -> None:
        self.links: list[TwinLink] = []
        self.marks: dict[bytes, int] = {}
        self.up = True

    def connect(self) -> Deferred[Link]:
        """Make a link."""
        if not self.up:
            return fail(Outage("down", gone=True))
        self.links.append(TwinLink(self))
        return succeed(self.links[-1])

    def look(self, ident: bytes) -> Begin[int]:
        """The operation that reads the number of a mark."""

        def operation() -> Operation[int]:
            yield "look", ()
            return self.marks.get(ident, 0)

        return operation

    @property
    def busy(self) -> list[TwinLink]:
        """The links that were asked for something."""
        return [link for link in self.links if link.work is not None]
