"""The order of one session's commands.

Invariants
  1. items begin in the order they were added.
  2. an item that may overlap begins while other such items are under way, up to
     ``SENDS_UNDER_WAY``; any other item begins when nothing is under way.
  3. no item begins inside the beginning of another, so many that are done at once
     take no stack.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from timtw.model import limits

T = TypeVar("T")
Item = TypeVar("Item", contravariant=True)


class Owner(Protocol[Item]):
    """Whose items they are."""

    def begin(self, item: Item) -> None:
        """Carry an item out; may call any method of the order."""

    def overlaps(self, item: Item) -> bool:
        """Whether items like this one may be under way together."""

    def is_heavy(self, item: Item) -> bool:
        """Whether one like this that waits is too much already."""

    def crowded(self, much: bool) -> None:
        """Too much waits, or there is room again."""


class InOrder(Generic[T]):
    """Begins items in turn; whoever begins one says when it is done."""

    __slots__ = (
        "_alone",
        "_is_crowded",
        "_is_going_on",
        "_owner",
        "_together",
        "_waiting",
    )

    def __init__(self, owner: Owner[T]) -> None:
        """Nothing waits."""
        self._owner = owner
        self._waiting: list[T] | None = None  # An empty list takes 56 bytes.
        self._is_crowded = False
        self._is_going_on = False
        self._alone = False
        self._together = 0

    def add(self, item: T) -> None:
        """Take an item in; it begins at once if it may."""
        if self._waiting or self._is_going_on or not self._may_begin(item):
            self._waiting = self._waiting or []
            self._waiting.append(item)
        else:
            self._begin(item)
            if not self._waiting:
                return
            self.go_on()
        waiting = self._waiting
        if not waiting or self._is_crowded:
            return
        if len(waiting) > limits.PENDING_COMMANDS or self._owner.is_heavy(waiting[-1]):
            self._is_crowded = True
            self._owner.crowded(True)

    def add_first(self, item: T) -> None:
        """Take in an item that comes before all that wait."""
        self._waiting = [item, *(self._waiting or ())]

    def end(self) -> None:
        """Begin nothing any more; forget what waits and whom it belonged to."""
        self._waiting = None
        self._owner = _Nobody()

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
        if self._waiting is None or self._is_going_on:
            return
        while self._waiting and self._may_begin(self._waiting[0]):
            self._begin(self._waiting.pop(0))
        waiting = self._waiting or ()
        if (
            self._is_crowded
            and len(waiting) <= limits.PENDING_COMMANDS // 2
            and not any(map(self._owner.is_heavy, waiting))
        ):
            self._is_crowded = False
            self._owner.crowded(False)
        if not self._waiting:
            self._waiting = None

    def _begin(self, item: T) -> None:
        """Begin an item, and no other one meanwhile."""
        self._is_going_on = True
        try:
            self._owner.begin(item)
        finally:
            self._is_going_on = False

    def _may_begin(self, item: T) -> bool:
        """Whether ``item``, which is the next, may begin now."""
        if self._alone:
            return False
        if not self._together:
            return True
        return self._together < limits.SENDS_UNDER_WAY and self._owner.overlaps(item)


class _Nobody:
    """Has no items any more."""

    def begin(self, item: object) -> None:
        """Carries nothing out."""

    def overlaps(self, item: object) -> bool:
        """Nothing overlaps."""
        return False

    def is_heavy(self, item: object) -> bool:
        """Nothing weighs anything."""
        return False

    def crowded(self, much: bool) -> None:
        """Nobody minds."""
