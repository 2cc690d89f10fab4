"""The connections of a node to one database, and what waits for them.

What always holds:

1. A link carries out one job at a time; what has to wait does so in order, commits of
   messages before everything else, and only so much of it.
2. A link that had an outage is closed. If it was lost before COMMIT was sent, nothing
   was done, and the job is begun once more on another link, one that was made after the
   loss: what happened to one connection has happened to all, as a rule. A job that
   collided with another transaction is begun again too, a few times.
3. A job whose COMMIT was not answered is settled by a fresh link that looks for its
   mark, as long as it takes within ``DATABASE_DOUBT_SECONDS``.
4. After some failures in a row the breaker opens: what waits and what comes fails at
   once. The loss of a connection counts when it cannot be replaced. Then one connection
   at a time is tried, after pauses that grow, and the first one that works closes the
   breaker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.model.errors import StorageUnavailable
from timtw.model.limits import (
    DATABASE_CONNECTIONS,
    DATABASE_TRIES,
    STORAGE_READS_WAITING,
)
from timtw.shards.sealing import Unreadable
from timtw.shards.server.connecting import Connecting
from timtw.shards.server.links import Collision, InDoubt, Link, Outage
from timtw.shards.server.pausing import Breaker
from timtw.shards.server.settling import Connect, Doubts, Look
from timtw.shards.tables.operations import Begin

T = TypeVar("T")


@attrs.define(eq=False)
class _Job:
    """An operation that somebody waits for.

    Args:
        tries: How often it has collided.
        moved: Whether it was taken to another link.
    """

    begin: Begin[Any]
    writes: bool
    result: Deferred[Any] = attrs.field(factory=Deferred)
    tries: int = 0
    moved: bool = False


class Pool:
    """Links to one database.

    Args:
        connect: Makes a link.
        look: The operation that reads the number of a mark, when nobody changes it.
        chance: Draws a number from 0 to 1.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Connect,
        look: Look,
        clock: IReactorTime,
        chance: Callable[[], float],
    ) -> None:
        self._connecting = Connecting(
            connect, clock, chance, self._connected, self._not_connected, self._rested
        )
        self._doubts = Doubts(connect, look, clock, chance, self.adopt)
        self._breaker = Breaker()
        self._waiting: deque[_Job] = deque()
        self._jobs = 0
        self._links: set[Link] = set()
        self._idle: list[Link] = []
        self._suspect: set[Link] = set()
        self._stopped: Deferred[None] | None = None

    @property
    def waiting(self) -> int:
        """Operations that are not done."""
        return self._jobs

    def read(self, begin: Begin[T]) -> Deferred[T]:
        """Carry out what changes nothing."""
        return self._submit(_Job(begin, writes=False))

    def write(self, begin: Begin[T]) -> Deferred[T]:
        """Carry out a transaction."""
        return self._submit(_Job(begin, writes=True))

    def commit(self, begin: Begin[T]) -> Deferred[T]:
        """Carry out a transaction before everything that waits."""
        return self._submit(_Job(begin, writes=True), first=True)

    def _submit(self, job: _Job, first: bool = False) -> Deferred[Any]:
        """Let a job wait for a link."""
        full = len(self._waiting) >= STORAGE_READS_WAITING
        if full or self._breaker.is_open or self._stopped is not None:
            return fail(StorageUnavailable())
        self._jobs += 1
        if first:
            self._waiting.appendleft(job)
        else:
            self._waiting.append(job)
        self._feed()
        return job.result

    def stop(self) -> Deferred[None]:
        """Finish what is under way and close; fires when that is done."""
        stopped: Deferred[None] = Deferred()
        self._stopped = stopped
        self._doubts.stop()
        self._end_if_done()
        return stopped

    def adopt(self, link: Link) -> None:
        """Take a link into the pool."""
        if len(self._links) >= DATABASE_CONNECTIONS or self._stopped is not None:
            link.close()
            return
        self._links.add(link)
        self._idle.append(link)
        self._feed()

    def _feed(self) -> None:
        """Give what waits to idle links; make a further link if there are too few."""
        while self._waiting and (link := self._next_idle()) is not None:
            job = self._waiting.popleft()
            doing = link.write if job.writes else link.read
            done = doing(job.begin)
            _ = done.addCallbacks(
                self._done,
                self._not_done,
                callbackArgs=(link, job),
                errbackArgs=(link, job),
            )
        if self._waiting and len(self._links) < DATABASE_CONNECTIONS:
            self._connecting.begin()

    def _next_idle(self) -> Link | None:
        """An idle link that is usable, as far as anybody knows."""
        while self._idle:
            link = self._idle.pop()
            if link.usable:
                return link
            self._drop(link)
        return None

    def _done(self, value: Any, link: Link, job: _Job) -> None:
        """A job is done."""
        self._breaker.succeeded()
        self._free(link)
        self._feed()
        self._answer(job, value)

    def _not_done(self, failure: Failure, link: Link, job: _Job) -> None:
        """A job was not done, or nobody knows."""
        error = failure.value
        if isinstance(error, InDoubt):
            self._drop(link)
            self._distrust()
            settling = Deferred.fromCoroutine(self._settle(job, error))
            _ = settling.addErrback(lambda found: self._answer(job, found))
        elif isinstance(error, Outage):
            self._drop(link)
            self._outage(job, error)
        elif isinstance(error, Collision):
            self._free(link)
            self._collided(job, error)
        else:
            self._free(link)
            self._feed()
            if isinstance(error, Unreadable):
                self._log.warn("reading storage failed: {error}", error=str(error))
                failure = Failure(StorageUnavailable())
            self._answer(job, failure)

    def _collided(self, job: _Job, error: Collision) -> None:
        """Begin a job again that collided with another transaction."""
        job.tries += 1
        if job.tries < DATABASE_TRIES:
            self._waiting.appendleft(job)
            self._feed()
            return
        self._feed()
        self._log.warn("transactions collide again and again: {why}", why=str(error))
        cause = StorageUnavailable() if error.blameless else error.cause
        self._answer(job, Failure(cause))

    def _outage(self, job: _Job, error: Outage) -> None:
        """A link has failed with a job of which nothing was done."""
        self._log.warn("storage failed: {error}", error=str(error))
        if error.gone:
            self._distrust()
        if job.moved or not error.gone:
            self._failed(error.silent)
        self._move(job, error.gone)

    def _move(self, job: _Job, again: bool) -> None:
        """Begin a job of which nothing was done on another link, once."""
        if again and not job.moved and not self._breaker.is_open:
            job.moved = True
            self._waiting.appendleft(job)
        else:
            self._answer(job, Failure(StorageUnavailable()))
        self._feed()

    def _answer(self, job: _Job, value: object) -> None:
        """Tell what became of a job."""
        self._jobs -= 1
        job.result.callback(value)
        self._end_if_done()

    def _failed(self, silent: bool) -> None:
        """Count a failure; the one too many ends all waiting."""
        if not self._breaker.failed(silent):
            return
        self._log.error("storage is away: everything that needs it is refused")
        self._distrust()
        self._refuse_waiting()
        self._connecting.rest()

    def _refuse_waiting(self) -> None:
        """Nothing waits any longer."""
        waiting, self._waiting = self._waiting, deque()
        for job in waiting:
            self._answer(job, Failure(StorageUnavailable()))

    def _drop(self, link: Link) -> None:
        """Close a link."""
        self._links.discard(link)
        self._suspect.discard(link)
        if link in self._idle:
            self._idle.remove(link)
        link.close()

    def _free(self, link: Link) -> None:
        """A link has done its job and can have another, unless it is suspect."""
        if link in self._suspect:
            self._drop(link)
        else:
            self._idle.append(link)

    def _distrust(self) -> None:
        """Give nothing more to the links there are: one of them was lost."""
        for link in self._idle[:]:
            self._drop(link)
        self._suspect = set(self._links)

    def _connected(self, link: Link) -> None:
        """There is a further link."""
        if self._breaker.is_open:
            self._breaker.succeeded()
            self._log.info("storage is back")
        self.adopt(link)
        self._end_if_done()

    def _not_connected(self, silent: bool) -> None:
        """There is no further link."""
        self._failed(silent)
        if self._stopped is not None:
            self._refuse_waiting()
        self._end_if_done()

    def _rested(self) -> None:
        """Try to connect, if it is still needed."""
        if self._waiting or self._breaker.is_open:
            self._connecting.begin()

    async def _settle(self, job: _Job, doubt: InDoubt) -> None:
        """Find out whether a transaction took place, and go on from there."""
        stored = await self._doubts.was_stored(doubt)
        if stored:
            self._answer(job, doubt.result)
        elif stored is None:
            self._answer(job, Failure(StorageUnavailable()))
        else:
            self._move(job, True)

    def _end_if_done(self) -> None:
        """Close everything when the last job of a pool that was stopped is done."""
        stopped = self._stopped
        if stopped is None or stopped.called or self._jobs:
            return
        self._connecting.stop()
        if self._connecting.under_way:
            return
        for link in list(self._links):
            self._drop(link)
        stopped.callback(None)
