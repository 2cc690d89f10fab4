"""Deleting what has expired: small steps between commits, driven by the clock."""

from __future__ import annotations

import sqlite3

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.model.errors import StorageUnavailable
from timtw.model.limits import CLEAN_HURRY_SECONDS, CLEAN_ROWS, CLEAN_SECONDS
from timtw.shards.repeats import NANOSECONDS, period_of
from timtw.shards.sqlite.writer import Writer
from timtw.shards.tables.statements import CleaningStatements, made


class Cleaning:
    """One step at a time, each ``CLEAN_SECONDS`` after the one before."""

    _log = Logger()

    def __init__(self, writer: Writer, clock: IReactorTime) -> None:
        self._writer = writer
        self._clock = clock
        self._statements = made(CleaningStatements)
        self._call: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """Begin."""
        self._running = True
        self._plan()

    def stop(self) -> None:
        """No further step is begun."""
        self._running = False
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _plan(self, pause: float = CLEAN_SECONDS) -> None:
        """The next step, after the pause."""
        if self._running:
            self._call = self._clock.callLater(pause, self._step)

    def _step(self) -> None:
        """Delete a few rows with the writer's next transaction."""
        self._call = None
        now = int(self._clock.seconds() * NANOSECONDS)
        done = self._writer.submit(lambda connection: self._clean(connection, now))
        _ = done.addErrback(self._failed).addCallback(self._cleaned)

    def _cleaned(self, more: bool) -> None:
        """A step is done; sooner again if there was more than fits into it."""
        self._plan(CLEAN_HURRY_SECONDS if more else CLEAN_SECONDS)

    def _failed(self, failure: Failure) -> bool:
        """A step that failed is made again; only a fault of ours is worth a line."""
        if not failure.check(StorageUnavailable):
            self._log.failure("cleaning failed", failure=failure)
        return False

    def _clean(self, connection: sqlite3.Connection, now: int) -> bool:
        """
        Delete what no repeat and no login can ask for any more.

        Returns: Whether there may be more of it.
        """
        statements = self._statements
        execute = connection.execute
        before = period_of(now) - 1
        repeats = execute(statements.old_repeats, (before, CLEAN_ROWS)).fetchall()
        for key in repeats:
            execute(statements.drop_repeat, key)
        tokens = execute(statements.old_tokens, (now, CLEAN_ROWS)).fetchall()
        for key in tokens:
            execute(statements.drop_token, key)
        return CLEAN_ROWS in (len(repeats), len(tokens))
