"""One timed call for all that wait for about as long: cheap where there are many."""

from __future__ import annotations

from math import ceil
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Due(Protocol):
    """What waits for its time."""

    def due(self) -> None:
        """The time has come."""


class Second:
    """All that wait for the same second."""

    __slots__ = ("number", "waiting")

    def __init__(self, number: int) -> None:
        """Nobody waits for it yet."""
        self.number = number
        self.waiting: set[Due] = set()


class Wheel:
    """Calls at whole seconds: never early, and less than a second late.

    A timed call of the reactor takes half a kilobyte; here it is an entry in the set
    of its second.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Nothing waits."""
        self.clock = clock
        self._seconds: dict[int, Second] = {}
        self._timer: IDelayedCall | None = None

    def call_at(self, time: float, due: Due) -> Second:
        """Let ``due`` wait until ``time``; returns what ``forget`` takes."""
        number = ceil(time)
        second = self._seconds.get(number)
        if second is None:
            second = self._seconds[number] = Second(number)
        second.waiting.add(due)
        if self._timer is None or self._timer.getTime() > number:
            self._set()
        return second

    def forget(self, second: Second, due: Due) -> None:
        """Let ``due`` wait no more for this second."""
        second.waiting.discard(due)
        if not second.waiting and self._seconds.get(second.number) is second:
            del self._seconds[second.number]
            if not self._seconds:
                self._set()

    def _set(self) -> None:
        """Wait for the next second at which something is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._seconds:
            wait = min(self._seconds) - self.clock.seconds()
            self._timer = self.clock.callLater(max(0.0, wait), self._turn)

    def _turn(self) -> None:
        """Call what is due."""
        self._timer = None
        now = self.clock.seconds()
        for number in sorted(number for number in self._seconds if number <= now):
            second = self._seconds.pop(number, None)
            for due in () if second is None else tuple(second.waiting):
                due.due()
        if self._timer is None:
            self._set()
