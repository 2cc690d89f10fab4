"""Whose turn it is to read from storage, among the rooms of one connection."""

from __future__ import annotations

from typing import Protocol


class Reads(Protocol):
    """The reading of a room, which asks storage by turns."""

    @property
    def is_reading(self) -> bool:
        """Whether something that was read, or is being read, has not gone out."""

    def go_on(self) -> None:
        """It is its turn."""


class ReadTurns:
    """At most one room reads from storage, or has something left that it has read."""

    __slots__ = ("_is_turning", "_now", "_waiting")

    def __init__(self) -> None:
        """Nobody reads."""
        self._now: Reads | None = None
        self._waiting: dict[Reads, None] = {}
        self._is_turning = False

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def take(self, reading: Reads) -> bool:
        """Whether it is the turn of this one; else ``go_on`` is called when it is."""
        now = self._now
        if now is None or now is reading or not now.is_reading:
            self._now = reading
            return True
        self._waiting[reading] = None
        return False

    def give(self) -> None:
        """Who has nothing left that was read gives its turn away."""
        if self._is_turning:
            return
        self._is_turning = True
        while self._waiting and (self._now is None or not self._now.is_reading):
            reading = next(iter(self._waiting))
            del self._waiting[reading]
            reading.go_on()
        self._is_turning = False

    def forget(self, reading: Reads) -> None:
        """This one reads no more."""
        self._waiting.pop(reading, None)
        if self._now is reading:
            self._now = None

    def clear(self) -> None:
        """Nobody reads any more."""
        self._waiting.clear()
