"""The order of one session's commands.

Invariants
  1. items begin in the order they were added.
  2. an item that may overlap begins while other such items are under way, up to
     ``SENDS_UNDER_WAY``; any other item begins when nothing is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from timtw.model import limits

T = TypeVar("T")


class InOrder(Generic[T]):
    """Begins items in turn; whoever begins one says when it is done."""

    def __init__(
        self,
        begin: Callable[[T], None],
        overlaps: Callable[[T], bool],
        crowded: Callable[[bool], None],
    ) -> None:
        """
        Args:
            begin: Carries an item out; may call any method here.
            overlaps: Whether items like this one may be under way together.
            crowded: Told when too much waits, and when there is room again.
        """
        self._begin = begin
        self._overlaps = overlaps
        self._crowded = crowded
        self._waiting: deque[T] = deque()
        self._is_crowded = False
        self._alone = False
        self._together = 0

    def add(self, item: T) -> None:
        """Take an item in; it begins at once if it may."""
        self._waiting.append(item)
        self.go_on()
        if len(self._waiting) > limits.PENDING_COMMANDS and not self._is_crowded:
            self._is_crowded = True
            self._crowded(True)

    def add_first(self, item: T) -> None:
        """Take in an item that comes before all that wait."""
        self._waiting.appendleft(item)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def alone(self) -> None:
        """What has just begun is under way, and nothing may overlap it."""
        self._alone = True

    def alone_no_more(self) -> None:
        """What was under way alone is done; ``go_on`` must follow."""
        self._alone = False

    def together(self) -> None:
        """What has just begun is under way, and its like may overlap it."""
        self._together += 1

    def together_no_more(self) -> None:
        """One that others may overlap is done; ``go_on`` must follow."""
        self._together -= 1

    def go_on(self) -> None:
        """Begin whatever may begin now."""
        waiting = self._waiting
        while waiting and not self._alone:
            if not self._overlaps(waiting[0]):
                if self._together:
                    break
            elif self._together >= limits.SENDS_UNDER_WAY:
                break
            self._begin(waiting.popleft())
        if self._is_crowded and len(waiting) <= limits.PENDING_COMMANDS // 2:
            self._is_crowded = False
            self._crowded(False)
