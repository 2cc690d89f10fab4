"""Who was displaced a moment ago, and who has taken over its own old line how often.

All clients reconnect by themselves with the login they had. Without a memory two
devices would throw each other out for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from timtw.model import limits
from timtw.model.peers import Comer


class Comebacks:
    """What a node remembers of devices that come back, for a minute each."""

    def __init__(self, now: Callable[[], float]) -> None:
        """``now`` counts seconds."""
        self._now = now
        self._losers: OrderedDict[tuple[int, Comer], float] = OrderedDict()
        self._takeovers: OrderedDict[tuple[int, Comer], list[float]] = OrderedDict()

    def displaced(self, account: int, comer: Comer) -> None:
        """It had to go for another one, or was refused after that: a minute begins."""
        self._losers[account, comer] = self._now() + limits.COMEBACK_SECONDS
        self._losers.move_to_end((account, comer))
        while len(self._losers) > limits.COMEBACKS:
            self._losers.popitem(last=False)

    def is_loser(self, account: int, comer: Comer) -> bool:
        """Whether it was displaced, or refused after that, within the last minute."""
        return self._losers.get((account, comer), 0.0) > self._now()

    def may_take_over(self, account: int, comer: Comer) -> bool:
        """Whether it has taken over fewer than three times within the last minute."""
        since = self._now() - limits.TAKEOVER_SECONDS
        times = self._takeovers.get((account, comer), [])
        return sum(time > since for time in times) < limits.TAKEOVERS

    def took_over(self, account: int, comer: Comer) -> None:
        """It has taken over its old line."""
        times = self._takeovers.setdefault((account, comer), [])
        times.append(self._now())
        del times[: -limits.TAKEOVERS]
        self._takeovers.move_to_end((account, comer))
        while len(self._takeovers) > limits.COMEBACKS:
            self._takeovers.popitem(last=False)
