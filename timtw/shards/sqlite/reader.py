"""The threads that read beside the one that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from timtw.model.errors import StorageUnavailable
from timtw.model.limits import STORAGE_READERS, STORAGE_READS_WAITING
from timtw.shards.sealing import Unreadable
from timtw.shards.sqlite.writer import Operation, is_outage, run_on
from timtw.shards.tables.operations import Begin

T = TypeVar("T")


class ReadPool:
    """Carries out reads on connections that cannot write.

    A connection belongs to one read at a time; after a failure it is closed and the
    next read opens another.

    Attributes:
        waiting: Reads that are not done.
    """

    _log = Logger()

    def __init__(
        self, reactor: IReactorFromThreads, connect: Callable[[], sqlite3.Connection]
    ) -> None:
        self._reactor = reactor
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []
        self.waiting = 0
        self._pool = ThreadPool(1, STORAGE_READERS, "timtw-reader")

    def start(self) -> None:
        """Start the threads."""
        self._pool.start()

    def stop(self) -> None:
        """Finish what is under way and close; in the reactor's thread."""
        self._pool.stop()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def submit(self, operation: Operation[T]) -> Deferred[T]:
        """Carry out a read."""
        if self.waiting >= STORAGE_READS_WAITING:
            return fail(StorageUnavailable())
        self.waiting += 1
        result: Deferred[T] = deferToThreadPool(
            self._reactor, self._pool, self._read, operation
        )
        return result.addBoth(self._counted)

    def run(self, begin: Begin[T]) -> Deferred[T]:
        """The same of an operation that is written for every engine."""
        return self.submit(lambda connection: run_on(connection, begin))

    def _counted(self, result: T) -> T:
        self.waiting -= 1
        return result

    def _read(self, operation: Operation[T]) -> T:
        """Carry out ``operation`` in a thread of the pool."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            value = operation(connection)
        except Exception as error:
            connection.close()
            if isinstance(error, Unreadable) or is_outage(error):
                self._log.warn("reading storage failed: {error}", error=str(error))
                raise StorageUnavailable from None
            raise
        self._idle.append(connection)
        return value

    def _open(self) -> sqlite3.Connection:
        """A new connection."""
        try:
            return self._connect()
        except sqlite3.Error as error:
            self._log.warn("opening storage failed: {error}", error=str(error))
            raise StorageUnavailable from None
