"""Deleting what has expired from a database on a server, a few rows at a time.

Every node does it. They may choose the same rows; what one has deleted is no more there
for the other, which does no harm.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.model.errors import StorageUnavailable
from timtw.model.limits import (
    CLEAN_HURRY_SECONDS,
    CLEAN_ROWS,
    CLEAN_SERVER_SECONDS,
    MARK_SECONDS,
)
from timtw.shards.repeats import NANOSECONDS, period_of
from timtw.shards.server.statements import MarkStatements
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation, Run
from timtw.shards.tables.statements import CleaningStatements


class ServerCleaning:
    """One step at a time, each ``CLEAN_SERVER_SECONDS`` after the one before."""

    _log = Logger()

    def __init__(self, write: Run, sql: Sql, clock: IReactorTime) -> None:
        self._write = write
        self._clock = clock
        self._statements = sql.made(CleaningStatements)
        self._marks = sql.made(MarkStatements)
        self._call: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """Begin."""
        self._running = True
        self._plan(CLEAN_SERVER_SECONDS)

    def stop(self) -> None:
        """No further step is begun."""
        self._running = False
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _plan(self, pause: float) -> None:
        """The next step, after the pause."""
        if self._running:
            self._call = self._clock.callLater(pause, self._step)

    def _step(self) -> None:
        """Delete a few rows."""
        self._call = None
        now = int(self._clock.seconds() * NANOSECONDS)
        done = self._write(lambda: self._clean(now))
        _ = done.addErrback(self._failed).addCallback(self._cleaned)

    def _cleaned(self, more: bool) -> None:
        """A step is done; sooner again if there was more than fits into it."""
        self._plan(CLEAN_HURRY_SECONDS if more else CLEAN_SERVER_SECONDS)

    def _failed(self, failure: Failure) -> bool:
        """A step that failed is made again; only a fault of ours is worth a line."""
        if not failure.check(StorageUnavailable):
            self._log.failure("cleaning failed", failure=failure)
        return False

    def _clean(self, now: int) -> Operation[bool]:
        """
        Delete what no repeat, no login and no settling can ask for any more.

        Returns: Whether there may be more of it.
        """
        statements, marks = self._statements, self._marks
        more = False
        for old, limit, drop in (
            (statements.old_repeats, period_of(now) - 1, statements.drop_repeat),
            (statements.old_tokens, now, statements.drop_token),
            (marks.old, now - MARK_SECONDS * NANOSECONDS, marks.drop),
        ):
            rows = yield old, (limit, CLEAN_ROWS)
            for key in rows:
                yield drop, key
            more = more or len(rows) == CLEAN_ROWS
        return more
