"""One timed call for all that wait for about as long: cheap where there are many."""

from __future__ import annotations

from math import ceil
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Due(Protocol):
    """What waits for its time."""

    def due(self) -> None:
        """The time has come."""


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
        """Let ``due`` wait until ``time``; returns the second that ``forget`` takes."""
        second = ceil(time)
        self._waiting.setdefault(second, set()).add(due)
        if self._timer is None or self._timer.getTime() > second:
            self._set()
        return second

    def forget(self, second: int, due: Due) -> None:
        """Let ``due`` wait no more for this second."""
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
                due.due()
        if self._timer is None:
            self._set()
