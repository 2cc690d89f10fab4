"""The one thread that writes, and group commit of everything it is asked for.

Whatever waits when a transaction begins goes into it. Its results reach the reactor in
one call after its COMMIT. An operation checks before it writes, so one that is refused
(a name that is taken) leaves nothing behind and the others go on. When an operation
fails in any other way the transaction is rolled back and each operation is tried in a
transaction of its own, so that only the one at fault fails. So it is when a page of
the database is damaged: most operations do not need it.

When the database itself fails, all operations of the transaction fail; when it does so
twice in a row, all that wait do, as each attempt may take seconds. After any failure
the connection is opened anew and what was known by heart is forgotten: service comes
back as soon as the cause is gone. A transaction whose COMMIT has failed may be in the
file all the same; the companion looks for that.

A companion rides along: it may do a piece of work of its own with each transaction.
When that fails the transaction is tried again without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.model.errors import StorageUnavailable, TimError
from timtw.model.limits import STORAGE_WRITES_WAITING
from timtw.model.stores import ShardError, StorageDamaged
from timtw.shards.tables.operations import Begin, Rows, carried_out

T = TypeVar("T")
Operation: TypeAlias = Callable[[sqlite3.Connection], T]
_Job: TypeAlias = tuple[Operation[Any], "Deferred[Any]"]
_Result: TypeAlias = tuple["Deferred[Any]", Any]

OPERATIONS: Final = 256
"""Most operations of one transaction; a post is one and brings its own limits."""
OUTAGES: Final = (
    sqlite3.OperationalError,
    sqlite3.InternalError,
    sqlite3.NotSupportedError,
    ShardError,
)


def is_damage(error: BaseException) -> bool:
    """Whether a page of the database is not what it has to be."""
    return type(error) is sqlite3.DatabaseError


def is_outage(error: BaseException) -> bool:
    """Whether the database failed, and not what was asked of it."""
    return isinstance(error, OUTAGES) or is_damage(error)


def run_on(connection: sqlite3.Connection, begin: Begin[T]) -> T:
    """The result of an operation that is written for every engine."""

    def execute(text: str, parameters: Sequence[Any]) -> Rows:
        return connection.execute(text, parameters).fetchall()

    return carried_out(begin(), execute)


class Companion(Protocol):
    """What is told of each transaction, in the writer's thread."""

    def reopened(self, connection: sqlite3.Connection) -> None:
        """The connection is a new one, after ``forget``."""

    def ride(self, connection: sqlite3.Connection) -> None:
        """Do a piece of work with this transaction, which is about to be committed."""

    def stray(self, error: Exception) -> None:
        """The ride has failed; ``forget`` was called before."""

    def committed(self) -> None:
        """The transaction has happened."""

    def forget(self) -> None:
        """The transaction was rolled back."""


class Strayed(Exception):
    """A companion has failed, and nothing else."""


class Writer:
    """Carries out operations in order, in transactions of as many as are waiting.

    Args:
        connect: Opens the connection; called in the thread.

    Attributes:
        waiting: Operations that are not done.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorFromThreads,
        connect: Callable[[], sqlite3.Connection],
        companion: Companion,
    ) -> None:
        self._reactor = reactor
        self._connect = connect
        self._companion = companion
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self.waiting = 0
        self._is_stopping = False
        self._outages = 0
        self._connection: sqlite3.Connection | None = None
        self._thread = Thread(target=self._work, name="timtw-writer", daemon=True)

    def start(self, connection: sqlite3.Connection) -> None:
        """Begin to work on ``connection``, which now belongs to the thread."""
        self._connection = connection
        self._thread.start()

    def submit(self, operation: Operation[T]) -> Deferred[T]:
        """Carry out ``operation`` with the next transaction."""
        if self.waiting >= STORAGE_WRITES_WAITING:
            return fail(StorageUnavailable())
        self.waiting += 1
        result: Deferred[T] = Deferred()
        self._queue.put((operation, result))
        return result

    def run(self, begin: Begin[T]) -> Deferred[T]:
        """The same of an operation that is written for every engine."""
        return self.submit(lambda connection: run_on(connection, begin))

    def stop(self) -> Deferred[None]:
        """Fires when everything asked for is done and the connection is closed."""
        result: Deferred[None] = Deferred()
        self._stopped = result
        self._queue.put(None)
        return result

    def _work(self) -> None:
        """The life of the thread."""
        while not self._is_stopping:
            jobs = self._next(OPERATIONS, wait=True)
            if jobs:
                results = self._carry_out(jobs)
                if self._outages > 1:
                    results += _refused(self._next(STORAGE_WRITES_WAITING, wait=False))
                self._reactor.callFromThread(self._deliver, results)
        self._close()
        self._reactor.callFromThread(self._finish)

    def _next(self, most: int, wait: bool) -> list[_Job]:
        """What is in the queue; with ``wait`` there is something before it returns."""
        jobs: list[_Job] = []
        while len(jobs) < most:
            try:
                job = self._queue.get(wait and not jobs)
            except Empty:
                break
            if job is None:
                self._is_stopping = True
                break
            jobs.append(job)
        return jobs

    def _carry_out(self, jobs: Sequence[_Job]) -> list[_Result]:
        """The results of the jobs, together or, after a failure, one by one."""
        try:
            return self._together(jobs)
        except Exception as error:
            self._abandon()
            damaged = is_damage(error)
            if is_outage(error) and not damaged:
                self._outages += 1
                self._log.warn("storage failed: {error}", error=str(error))
                return _refused(jobs)
            if len(jobs) == 1:
                if damaged:
                    self._log.warn("storage is damaged: {error}", error=str(error))
                return [(jobs[0][1], Failure(StorageDamaged() if damaged else error))]
        results: list[_Result] = []
        for place, job in enumerate(jobs):
            if self._outages > 1:
                return results + _refused(jobs[place:])
            results += self._carry_out([job])
        return results

    def _together(self, jobs: Sequence[_Job]) -> list[_Result]:
        """Carry out the jobs in one transaction, without the companion if it fails."""
        try:
            return self._transact(jobs, self._companion.ride)
        except Strayed as error:
            self._abandon()
            assert isinstance(error.__cause__, Exception)
            self._companion.stray(error.__cause__)
            return self._transact(jobs, _nothing)

    def _transact(
        self, jobs: Sequence[_Job], ride: Callable[[sqlite3.Connection], None]
    ) -> list[_Result]:
        """Carry out the jobs in one transaction."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
            self._companion.reopened(connection)
        results: list[_Result] = []
        connection.execute("BEGIN IMMEDIATE")
        for operation, result in jobs:
            try:
                results.append((result, operation(connection)))
            except TimError:
                results.append((result, Failure()))
        try:
            ride(connection)
        except Exception as error:
            raise Strayed from error
        connection.execute("COMMIT")
        self._companion.committed()
        self._outages = 0
        return results

    def _abandon(self) -> None:
        """Drop a transaction with its connection, and what may have come from it."""
        self._close()
        self._companion.forget()

    def _close(self) -> None:
        """Close the connection; an open transaction is rolled back by that."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                self._log.warn("closing storage failed: {error}", error=str(error))

    def _deliver(self, results: Sequence[_Result]) -> None:
        """Hand the results out, in the reactor's thread."""
        self.waiting -= len(results)
        for result, value in results:
            if isinstance(value, Failure):
                result.errback(value)
            else:
                result.callback(value)

    def _finish(self) -> None:
        """The thread has nothing more to do."""
        self._thread.join()
        self._stopped.callback(None)


def _refused(jobs: Sequence[_Job]) -> list[_Result]:
    """The results of jobs for which the database is not there."""
    failure = Failure(StorageUnavailable())
    return [(result, failure) for _operation, result in jobs]


def _nothing(connection: sqlite3.Connection) -> None:
    """Does not ride along."""
