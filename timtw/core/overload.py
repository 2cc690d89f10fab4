"""What is refused while too much waits for storage, so that texts need not be.

A gate shuts for one class of work. Which gates shut first is a matter of the numbers in
``timtw.model.limits``; docs/guarantees.md gives the order and its reason. There is none
for texts: they are refused when the desk itself is full.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from timtw.model.errors import Overloaded


class Gate:
    """Is shut from ``most`` waiting on, until no more than half of them wait.

    It looks only when somebody comes, so it needs no timer.

    Args:
        what: The class of work, for the log.
        waiting: How much waits at the moment.
    """

    _log = Logger()

    def __init__(self, what: str, most: int, waiting: Callable[[], int]) -> None:
        self._what = what
        self._most = most
        self._waiting = waiting
        self._is_shut = False

    def enter(self) -> None:
        """Raises Overloaded: the gate is shut."""
        waiting = self._waiting()
        is_shut = waiting > self._most // 2 if self._is_shut else waiting >= self._most
        if is_shut is not self._is_shut:
            self._is_shut = is_shut
            self._log.warn(
                "too much waits for storage ({waiting}): {what} refused"
                if is_shut
                else "less waits for storage ({waiting}): {what} served again",
                waiting=waiting,
                what=self._what,
            )
        if is_shut:
            raise Overloaded()
