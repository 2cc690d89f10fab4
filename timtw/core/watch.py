"""Time on one connection: the deadline of the login, and silence afterwards."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IDelayedCall

from timtw.core.apart import Ended
from timtw.core.wheel import Second, Wheel
from timtw.model import limits


class Watch:
    """Ends a connection once, when the client was given all the time it has.

    Before the login ``LOGIN_DEADLINE`` runs, except while a login waits for its
    decision; afterwards the time since the last sign of life.
    """

    __slots__ = (
        "_clock",
        "_connection",
        "_heard",
        "_left",
        "_second",
        "_silence",
        "_timer",
        "_wheel",
    )

    def __init__(self, wheel: Wheel, connection: Ended) -> None:
        """The deadline begins to run."""
        self._wheel = wheel
        self._clock = clock = wheel.clock
        self._connection: Ended = connection
        self._heard = clock.seconds()
        self._left = limits.LOGIN_DEADLINE
        self._silence = 0.0
        self._second: Second | None = None
        self._timer: IDelayedCall | None = clock.callLater(self._left, self._late)

    def heard(self) -> None:
        """A sign of life was seen."""
        self._heard = self._clock.seconds()

    @property
    def last_heard(self) -> float:
        """When the last sign of life was seen, seconds on the clock."""
        return self._heard

    def pause(self) -> None:
        """A login is being decided: its time does not count."""
        if self._timer is not None:
            self._left = max(0.0, self._timer.getTime() - self._clock.seconds())
            self._stop()

    def go_on(self) -> None:
        """The login failed: what is left of the deadline runs on."""
        self._timer = self._clock.callLater(self._left, self._late)

    def expect_life(self, silence: float) -> None:
        """From now on the client may be silent for this many seconds, or one more."""
        self._silence = silence
        self._second = self._wheel.call_at(self._clock.seconds() + silence, self)

    def end(self) -> None:
        """Watch no more, and forget whom; ending twice is fine."""
        self._stop()
        self._connection = _NOBODY

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._second is not None:
            self._wheel.forget(self._second, self)
            self._second = None

    def due(self) -> None:
        """The client may have been silent for too long."""
        self._second = None
        until = self._heard + self._silence
        if until > self._clock.seconds():
            self._second = self._wheel.call_at(until, self)
        else:
            self._over()

    def _late(self) -> None:
        """The deadline is over; what has arrived meanwhile is read before it counts."""
        self._timer = self._clock.callLater(0, self._over)

    def _over(self) -> None:
        self._timer = None
        self._connection.hang_up()


class _Nobody:
    """Whose connection has ended already."""

    def hang_up(self) -> None:
        """There is no line."""


_NOBODY: Final = _Nobody()
