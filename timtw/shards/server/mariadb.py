"""MariaDB and MySQL through ``twisted.enterprise.adbapi``: one connection, one thread.

adbapi keeps a connection per thread and hands work to any of them. Here it has one, so
that what happens to a connection is known, and the bounds of transactions are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import pymysql
from pymysql.constants import CLIENT, CR, ER
from twisted.enterprise import adbapi
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

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
from timtw.shards.tables.dialects import MYSQL
from timtw.shards.tables.operations import Begin, Rows, carried_out

T = TypeVar("T")

CONNECTION_KILLED: Final = 1927
"""An error of MariaDB that the driver has no name for."""
SETTINGS: Final = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION sql_mode = 'TRADITIONAL', "
    f"innodb_lock_wait_timeout = {DATABASE_LOCK_SECONDS} "
    # What follows MariaDB alone reads.
    f"/*M!100100 , max_statement_time = {DATABASE_STATEMENT_SECONDS} */ "
    f"/*M!100300 , idle_transaction_timeout = {DATABASE_STATEMENT_SECONDS} */",
)
BLAMELESS: Final = (ER.LOCK_DEADLOCK, ER.CHECKREAD)
"""Transactions that the server gave up for another one."""
LOST: Final = (
    ER.SERVER_SHUTDOWN,
    ER.NEW_ABORTING_CONNECTION,
    CONNECTION_KILLED,
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    CR.CR_SERVER_LOST_EXTENDED,
)
"""Errors with which a connection ends."""
TIMED_OUT: Final = "timed out"
"""What the driver says when it has waited for the server long enough."""
OUTAGES: Final = (
    pymysql.OperationalError,
    pymysql.InterfaceError,
    pymysql.InternalError,
)


class _Connection(adbapi.Connection):
    """A connection whose transactions adbapi leaves alone."""

    def commit(self) -> None:
        """The link has committed what there was."""

    def rollback(self) -> None:
        """The link has rolled back what there was."""


class _Pool(adbapi.ConnectionPool):
    """One thread with one connection."""

    connectionFactory = _Connection
    min = max = 1


class MariaLink:
    """A connection to MariaDB or MySQL; see ``timtw.shards.server.links.Link``.

    Args:
        clock: Tells the time of day, which marks are written with.
        ident: The name of its mark.
    """

    def __init__(
        self,
        reactor: Any,
        clock: IReactorTime,
        ident: bytes,
        options: Mapping[str, Any],
    ) -> None:
        self._clock = clock
        self._pool = _Pool(
            "pymysql",
            cp_reactor=reactor,
            autocommit=True,
            charset="utf8mb4",
            client_flag=CLIENT.MULTI_STATEMENTS,
            connect_timeout=DATABASE_CONNECT_SECONDS,
            read_timeout=DATABASE_SILENT_SECONDS,
            write_timeout=DATABASE_SILENT_SECONDS,
            **options,
        )
        self._closed = False
        self._mark = Mark(ident)
        self._answered = 0
        self._statements = MYSQL.made(MarkStatements)

    async def connect(self) -> None:
        """Connect; Outage says why that is not possible."""
        try:
            await self._pool.runWithConnection(self._connected)
        except (*OUTAGES, pymysql.ProgrammingError, OSError) as error:
            self.close()
            raise _outage(error, gone=True) from None

    @staticmethod
    def _connected(connection: Any) -> None:
        """Adbapi has connected."""
        with connection.cursor() as cursor:
            for text in SETTINGS:
                cursor.execute(text)

    @property
    def usable(self) -> bool:
        """See ``Link``."""
        return not self._closed

    def read(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        return self._run(self._carry_out, begin)

    def write(self, begin: Begin[T]) -> Deferred[T]:
        """See ``Link``."""
        return self._run(self._transact, begin)

    def close(self) -> None:
        """See ``Link``."""
        if not self._closed:
            self._closed = True
            self._pool.close()

    def _run(self, work: Callable[[Any, Begin[T]], T], begin: Begin[T]) -> Deferred[T]:
        """Let the thread do ``work``."""
        if self._closed:
            return fail(Outage("the connection is closed", gone=True))
        done: Deferred[T] = self._pool.runWithConnection(
            lambda connection: work(connection._connection, begin)
        )
        return done.addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        """A link that had an outage is not used again."""
        if failure.check(Outage, InDoubt):
            self.close()
        return failure

    def _transact(self, connection: Any, begin: Begin[T]) -> T:
        """Carry out an operation in a transaction with a mark; in the thread."""
        is_over = False
        try:
            last, result = self._travel(connection, begin)
            self._commit(connection, last, result)
            is_over = True
        except InDoubt:
            is_over = True
            raise
        finally:
            if not is_over and connection.open:
                self._execute(connection, ["ROLLBACK"])
        return result

    def _travel(self, connection: Any, begin: Begin[T]) -> tuple[Trip, T]:
        """All trips of an operation but the last; that one, and the result."""
        fill = Filler("x'%s'", connection.cursor().mogrify)
        self._mark = self._mark.next()
        now = int(self._clock.seconds() * NANOSECONDS)
        row = (self._mark.ident, self._mark.number, now)
        way = trips(begin, ["BEGIN", fill(self._statements.write, row)], fill)
        rows: Rows | None = None
        try:
            while True:
                # The first value sent to a generator has to be None.
                rows = self._execute(connection, way.send(rows))  # type: ignore[arg-type]
        except StopIteration as stop:
            found: tuple[Trip, T] = stop.value
            return found
        finally:
            way.close()

    def _commit(self, connection: Any, last: Trip, result: T) -> None:
        """The last trip; InDoubt if nobody knows what became of it."""
        try:
            self._execute(connection, last)
        except Outage as error:
            # The server can say of a COMMIT that it took too long, and have done it.
            if error.gone or error.silent or self._answered == len(last) - 1:
                raise InDoubt(str(error), self._mark, result) from None
            raise

    def _carry_out(self, connection: Any, begin: Begin[T]) -> T:
        """Execute the statements of an operation; in the thread."""
        fill = Filler("x'%s'", connection.cursor().mogrify)
        return carried_out(
            begin(),
            lambda text, values: self._execute(connection, [fill(text, values)]),
        )

    def _execute(self, connection: Any, texts: Trip) -> Rows:
        """What the last of some statements answers."""
        self._answered = 0
        try:
            with connection.cursor() as cursor:
                cursor.execute("; ".join(texts))
                self._answered = 1
                while cursor.nextset():
                    self._answered += 1
                return list(cursor.fetchall()) if cursor.description else []
        except pymysql.IntegrityError as error:
            raise Collision(error, blameless=False) from None
        except OUTAGES as error:
            code = error.args[0] if error.args else 0
            if code in BLAMELESS:
                raise Collision(error, blameless=True) from None
            gone = not connection.open or code in LOST
            raise _outage(error, gone) from None


def _outage(error: Exception, gone: bool) -> Outage:
    """What an error means that is no fault of a statement."""
    text = line_of(error)
    return Outage(text, gone, silent=TIMED_OUT in text)
