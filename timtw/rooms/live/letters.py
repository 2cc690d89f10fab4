"""What is for one connection itself: parcels, and streams on a slow line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from timtw.model.events import Event
from timtw.rooms.live.backlog import Backlog, Budget
from timtw.rooms.live.valve import Valve


class Addressee(Protocol):
    """The connection."""

    offer: Callable[[Event], bool]
    takes: bool

    def next_place(self) -> int:
        """The place of what comes now among all that waits."""


class Letters:
    """What waits for one connection, and who has to wait for that."""

    __slots__ = ("_valve", "_whom", "backlog")

    def __init__(self, whom: Addressee, budget: Budget) -> None:
        """Nothing waits."""
        self._whom = whom
        self._valve: Valve | None = None
        self.backlog = Backlog(budget, False)

    def wait(self, event: Event, octets: int, valve: Valve | None) -> None:
        """
        Let an event wait.

        Args:
            valve: Is shut while too much waits; without one it is lost then.
        """
        backlog = self.backlog
        if valve is None and backlog.is_crowded:
            return
        backlog.add(event, octets, 1, self._whom.next_place())
        if valve is not None and backlog.is_crowded:
            self._valve = valve
            valve.shut(self)

    def hand_over(self) -> None:
        """Hand over the oldest that waits."""
        self._whom.offer(self.backlog.take()[0])

    def settle(self) -> None:
        """Some was handed over."""
        if self.backlog.is_low:
            self._open()

    def leave(self) -> None:
        """Nobody takes it any more."""
        self.backlog.clear()
        self._open()

    def _open(self) -> None:
        valve, self._valve = self._valve, None
        if valve is not None:
            valve.open(self)
