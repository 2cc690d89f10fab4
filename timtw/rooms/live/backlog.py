"""What waits for one connection that is slow.

It has a backlog for each virtual room, and one for what is for itself; all of them
together are handed over in the order in which they came.
"""

from __future__ import annotations

from collections import deque

from timtw.model.events import Event
from timtw.model.limits import (
    LIVE_QUEUE_BYTES,
    LIVE_QUEUE_PIECES,
    LIVE_QUEUES_BYTES,
)


class Budget:
    """What waits on a node for all slow connections together."""

    __slots__ = ("octets",)

    def __init__(self) -> None:
        self.octets = 0

    @property
    def is_over(self) -> bool:
        """Whether more waits than may."""
        return self.octets > LIVE_QUEUES_BYTES


class Backlog:
    """Events that wait, oldest first, never without bound.

    Attributes:
        octets: What they weigh.
        dropped: Pieces that were dropped and of which the client was not told.
    """

    __slots__ = ("_budget", "_drops", "_events", "_pieces", "dropped", "octets")

    def __init__(self, budget: Budget, drops: bool) -> None:
        """
        Args:
            drops: Whether the oldest make room; else whoever sends has to be held.
        """
        self._budget = budget
        self._drops = drops
        self._events: deque[tuple[Event, int, int, int]] = deque()
        self._pieces = 0
        self.octets = 0
        self.dropped = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._events)

    @property
    def is_crowded(self) -> bool:
        """Whether more waits than should."""
        return (
            self.octets > LIVE_QUEUE_BYTES
            or self._pieces > LIVE_QUEUE_PIECES
            or self._budget.is_over
        )

    @property
    def is_low(self) -> bool:
        """Whether so much is gone that whoever was held may go on."""
        return (
            self.octets <= LIVE_QUEUE_BYTES // 2
            and self._pieces <= LIVE_QUEUE_PIECES // 2
        )

    @property
    def first(self) -> int:
        """The place of the oldest among all that waits for the connection."""
        return self._events[0][3]

    def add(self, event: Event, octets: int, pieces: int, place: int) -> int:
        """Let an event wait; how many pieces were dropped for it."""
        self._events.append((event, octets, pieces, place))
        self.octets += octets
        self._budget.octets += octets
        self._pieces += pieces
        dropped = 0
        if self._drops:
            # What is alone stays, however large, while the node has room for it.
            while self.is_crowded and (len(self._events) > 1 or self._budget.is_over):
                dropped += self.take()[1]
                if not self._events:
                    break
            self.dropped += dropped
        return dropped

    def take(self) -> tuple[Event, int]:
        """The oldest event, and how many pieces it has."""
        event, octets, pieces, _place = self._events.popleft()
        self.octets -= octets
        self._budget.octets -= octets
        self._pieces -= pieces
        return event, pieces

    def clear(self) -> None:
        """Drop everything without counting it: nobody takes it any more."""
        self._budget.octets -= self.octets
        self._events.clear()
        self.octets = self._pieces = 0
