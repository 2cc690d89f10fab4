"""PostgreSQL through txpostgres: one connection, without threads.

A query is never cancelled: the server ends it, or the link is closed.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

import psycopg2
import psycopg2.extensions
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from txpostgres import txpostgres

from timtw.model.limits import (
    DATABASE_CONNECT_SECONDS,
    DATABASE_LOCK_SECONDS,
    DATABASE_SILENT_SECONDS,
    DATABASE_STATEMENT_SECONDS,
)
from timtw.shards.repeats import NANOSECONDS
from timtw.shards.server.links import Collision, InDoubt, Mark, Outage, line_of
from timtw.shards.server.statements import MarkStatements
from timtw.shards.server.trips import Filler, Trip, trips
from timtw.shards.tables.dialects import POSTGRES
from timtw.shards.tables.operations import Begin, Rows

T = TypeVar("T")

SETTINGS: Final = (
    f"SET statement_timeout = {DATABASE_STATEMENT_SECONDS * 1000}; "
    f"SET lock_timeout = {DATABASE_LOCK_SECONDS * 1000}; "
    f"SET idle_in_transaction_session_timeout = {DATABASE_STATEMENT_SECONDS * 1000}; "
    "SET default_transaction_isolation = 'read committed'; "
    "SET standard_conforming_strings = on"
)
KEEPALIVES: Final = {
    "keepalives_idle": DATABASE_STATEMENT_SECONDS,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": DATABASE_SILENT_SECONDS * 1000,
}
COLLISIONS: Final = (
    psycopg2.IntegrityError,
    psycopg2.extensions.TransactionRollbackError,
)
OUTAGES: Final = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.InternalError,
    ConnectionClosed,
)
_BYTEA: Final = 17


def _bytes(value: str | None, _cursor: object) -> bytes | None:
    """A value of type bytea; psycopg2 itself would make a memoryview of it."""
    return None if value is None else bytes.fromhex(value[2:])


BYTES: Final = psycopg2.extensions.new_type((_BYTEA,), "BYTES", _bytes)


class _Connection(txpostgres.Connection):
    """A connection that tells when it is lost while nothing is asked of it."""

    lost = False

    def doRead(self) -> None:
        """See ``IReadDescriptor``; nobody waits for what fails here."""
        try:
            super().doRead()
        except psycopg2.Error:
            self.lost = True

    def connectionLost(self, reason: object) -> None:
        """See ``IFileDescriptor``."""
        self.lost = True
        super().connectionLost(reason)

    def close(self) -> None:
        """Close everything, whatever state it is in.

        The reactor must not go on watching a number that the next connection may get.
        """
        if self._connection is None:
            return  # It could not even be begun.
        for cursor in set(self._cursors):
            self.reactor.removeReader(cursor)
            self.reactor.removeWriter(cursor)
        super().close()


class PostgresLink:
    """A connection to PostgreSQL; see ``timtw.shards.server.links.Link``.

    Args:
        clock: Tells the time of day, which marks are written with.
        ident: The name of its mark.
    """

    def __init__(self, reactor: Any, clock: IReactorTime, ident: bytes) -> None:
        self._clock = clock
        self._connection = _Connection(reactor)
        self._cursor: Any = None
        self._closed = False
        self._silent = False
        self._mark = Mark(ident)
        self._statements = POSTGRES.made(MarkStatements)
        self._fill = Filler("'\\x%s'::bytea", self._slowly)

    async def connect(self, options: Mapping[str, Any]) -> None:
        """Connect; Outage says why that is not possible."""
        timer = self._clock.callLater(DATABASE_CONNECT_SECONDS, self._give_up)
        try:
            await self._connection.connect(**KEEPALIVES, **options)
            self._cursor = self._connection.cursor()
            psycopg2.extensions.register_type(BYTES, self._cursor.pollable())
            await self._execute(SETTINGS)
        except (*OUTAGES, psycopg2.ProgrammingError) as error:
            self.close()
            raise self._outage(error) from None
        finally:
            if timer.active():
                timer.cancel()

    @property
    def usable(self) -> bool:
        """See ``Link``."""
        return not (self._closed or self._connection.lost)

    def read(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        return Deferred.fromCoroutine(self._watched(self._carry_out(begin)))

    def write(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        return Deferred.fromCoroutine(self._watched(self._transact(begin)))

    def close(self) -> None:
        """See ``Link``."""
        self._closed = True
        self._connection.close()

    def _give_up(self) -> None:
        """The server has said nothing for too long."""
        self._silent = True
        self.close()

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``; a server that says nothing is given up."""
        timer = self._clock.callLater(DATABASE_SILENT_SECONDS, self._give_up)
        try:
            return await work
        except (Outage, InDoubt):
            self.close()
            raise
        finally:
            if timer.active():
                timer.cancel()

    async def _transact(self, begin: Begin[T]) -> T:
        """Carry out an operation in a transaction with a mark."""
        is_over = False
        try:
            last, result = await self._travel(begin)
            await self._commit(last, result)
            is_over = True
        except InDoubt:
            is_over = True
            raise
        finally:
            if not is_over and self.usable:
                await self._execute("ROLLBACK")
        return result

    async def _travel(self, begin: Begin[T]) -> tuple[Trip, T]:
        """All trips of an operation but the last; that one, and the result."""
        self._mark = self._mark.next()
        now = int(self._clock.seconds() * NANOSECONDS)
        row = (self._mark.ident, self._mark.number, now)
        opening = ["BEGIN", self._fill(self._statements.write, row)]
        way = trips(begin, opening, self._fill)
        rows: Rows | None = None
        try:
            while True:
                # The first value sent to a generator has to be None.
                rows = await self._execute("; ".join(way.send(rows)))  # type: ignore[arg-type]
        except StopIteration as stop:
            found: tuple[Trip, T] = stop.value
            return found
        finally:
            way.close()

    async def _commit(self, last: Trip, result: T) -> None:
        """The last trip; InDoubt if nobody knows what became of it."""
        try:
            await self._execute("; ".join(last))
        except Outage as error:
            if error.gone or error.silent:
                raise InDoubt(str(error), self._mark, result) from None
            raise

    def _slowly(self, text: str, parameters: Sequence[Any]) -> str:
        """See ``Filler``."""
        made: bytes = self._cursor.mogrify(text, parameters)
        return made.decode()

    async def _carry_out(self, begin: Begin[T]) -> T:
        """The result of an operation whose statements are executed one by one."""
        operation = begin()
        rows: Rows | None = None
        try:
            while True:
                # The first value sent to a generator has to be None.
                text, parameters = operation.send(rows)  # type: ignore[arg-type]
                rows = await self._execute(self._fill(text, parameters))
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            operation.close()

    async def _execute(self, text: str) -> Rows:
        """What the last of some statements answers."""
        try:
            cursor = await self._cursor.execute(text)
        except COLLISIONS as error:
            blameless = not isinstance(error, psycopg2.IntegrityError)
            raise Collision(error, blameless) from None
        except OUTAGES as error:
            raise self._outage(error) from None
        return cursor.fetchall() if cursor.description else []

    def _outage(self, error: Exception) -> Outage:
        """What an error means that is no fault of a statement."""
        if self._silent:
            return Outage("the database says nothing", silent=True)
        closed = self._connection.pollable()
        gone = closed is None or closed.closed or not _is_answer(error)
        return Outage(line_of(error), gone=bool(gone))


def _is_answer(error: Exception) -> bool:
    """Whether the server says that a statement failed, and goes on."""
    if not isinstance(error, psycopg2.Error):
        return False
    return bool(error.diag.severity_nonlocalized == "ERROR")
