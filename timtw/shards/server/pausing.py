"""Pauses between attempts, and the breaker that spares a database that fails."""

from __future__ import annotations

from collections.abc import Callable

from timtw.model.limits import (
    BREAKER_FAILURES,
    DATABASE_PAUSE_FIRST,
    DATABASE_PAUSE_MOST,
)


class Pauses:
    """Pauses that grow and that chance tells apart, so that nodes do not come at once.

    Args:
        chance: Draws a number from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._bound = DATABASE_PAUSE_FIRST

    def next(self) -> float:
        """Seconds until the next attempt."""
        bound = self._bound
        self._bound = min(bound * 2, DATABASE_PAUSE_MOST)
        return bound * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """An attempt has succeeded."""
        self._bound = DATABASE_PAUSE_FIRST


class Breaker:
    """Counts failures in a row; after ``BREAKER_FAILURES`` nothing is let through.

    A server that says nothing has made everybody wait long enough at the first time.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether everything is refused at once."""
        return self._failures >= BREAKER_FAILURES

    def failed(self, silent: bool) -> bool:
        """Count a failure; whether it has opened the breaker."""
        was_open = self.is_open
        self._failures += BREAKER_FAILURES if silent else 1
        return self.is_open and not was_open

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
