"""Making links, one at a time, with pauses after those that failed."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.shards.server.links import Link, Outage
from timtw.shards.server.pausing import Pauses
from timtw.shards.server.settling import Connect


class Connecting:
    """Makes links for a pool.

    Args:
        made: Called with a new link.
        failed: Called when there is none, with whether the server was silent; then
            comes a pause.
        rested: Called after the pause.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Connect,
        clock: IReactorTime,
        chance: Callable[[], float],
        made: Callable[[Link], None],
        failed: Callable[[bool], None],
        rested: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._pauses = Pauses(chance)
        self._made = made
        self._failed = failed
        self._rested = rested
        self._pause: IDelayedCall | None = None
        self.under_way = False

    def begin(self) -> None:
        """Make a link, unless one is being made or a pause has to end first."""
        if not self.under_way and self._pause is None:
            self.under_way = True
            _ = self._connect().addCallbacks(self._connected, self._not_connected)

    def rest(self) -> None:
        """Begin a pause, unless there is one."""
        if self._pause is None:
            self._pause = self._clock.callLater(self._pauses.next(), self._over)

    def stop(self) -> None:
        """No pause ends any more."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _over(self) -> None:
        """A pause is over."""
        self._pause = None
        self._rested()

    def _connected(self, link: Link) -> None:
        """There is a further link."""
        self.under_way = False
        self._pauses.reset()
        self._made(link)

    def _not_connected(self, failure: Failure) -> None:
        """There is no further link."""
        self.under_way = False
        silent = False
        if isinstance(failure.value, Outage):
            silent = failure.value.silent
            self._log.warn("no connection to storage: {why}", why=str(failure.value))
        else:
            self._log.failure("connecting to storage failed", failure)
        self.rest()
        self._failed(silent)
