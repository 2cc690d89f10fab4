"""So many at a time; whoever comes then waits in order, and takes little room."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Turnstile:
    """Begins what comes, or lets it wait until there is room."""

    def __init__(self, most: int) -> None:
        """Room for ``most``."""
        self._room = most
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_going_on = False

    def enter(self, begin: Callable[[], None]) -> None:
        """Call ``begin``, now or later; what it begins ends with ``leave``."""
        self._waiting.append(begin)
        self._go_on()

    def leave(self) -> None:
        """There is room for one more."""
        self._room += 1
        self._go_on()

    def _go_on(self) -> None:
        """Begin what there is room for; many that end at once take no stack."""
        if self._is_going_on:
            return
        self._is_going_on = True
        try:
            while self._waiting and self._room:
                self._room -= 1
                self._waiting.popleft()()
        finally:
            self._is_going_on = False
