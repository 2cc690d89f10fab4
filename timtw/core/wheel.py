"""One timed call for all that wait for about as long: cheap where there are many."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TypeAlias

from twisted.internet.interfaces import IDelayedCall, IReactorTime

Due: TypeAlias = Callable[[], None]


class Wheel:
    """Calls at whole seconds: never early, and less than a second late.

    A timed call of the reactor takes half a kilobyte; here it is an entry in the set
    of its second.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Nothing waits."""
        self.clock = clock
        self._waiting: dict[int, set[Due]] = {}
        self._timer: IDelayedCall | None = None

    def call_at(self, time: float, due: Due) -> int:
        """Call ``due`` at ``time`` on the clock; the second that ``forget`` takes."""
        second = ceil(time)
        self._waiting.setdefault(second, set()).add(due)
        if self._timer is None or self._timer.getTime() > second:
            self._set()
        return second

    def forget(self, second: int, due: Due) -> None:
        """Do not call ``due``, which waits for this second."""
        waiting = self._waiting.get(second)
        if waiting is not None:
            waiting.discard(due)
            if not waiting:
                del self._waiting[second]
                if not self._waiting:
                    self._set()

    def _set(self) -> None:
        """Wait for the next second at which something is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            wait = min(self._waiting) - self.clock.seconds()
            self._timer = self.clock.callLater(max(0.0, wait), self._turn)

    def _turn(self) -> None:
        """Call what is due."""
        self._timer = None
        now = self.clock.seconds()
        for second in sorted(second for second in self._waiting if second <= now):
            for due in self._waiting.pop(second, ()):
                due()
        if self._timer is None:
            self._set()
