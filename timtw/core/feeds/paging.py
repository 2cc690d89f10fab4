"""What a client asks for goes out in pages, one log after the other.

There is one end mark, after all of them. A request that comes meanwhile joins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Pageable(Protocol):
    """A log that can go out in pages."""

    def page_out(self) -> None:
        """Begin, or go on; ``Paging.done`` is called at the end, maybe from inside."""


class Paging:
    """Which log is having its turn, and which wait for theirs."""

    __slots__ = ("_end", "_goes", "_now", "_waiting")

    def __init__(self, end: Callable[[], None]) -> None:
        """``end`` is called after the last one."""
        self._end = end
        self._waiting: list[Pageable] = []
        self._now: Pageable | None = None
        self._goes = False

    def add(self, log: Pageable) -> None:
        """This log, too; one that has its turn may have begun anew, out of pages."""
        if log is self._now:
            log.page_out()
        elif log not in self._waiting:
            self._waiting.append(log)

    def go(self) -> None:
        """Begin, unless that has happened already."""
        if self._goes:
            return
        self._goes = True
        while self._now is None:
            if not self._waiting:
                self._end()
                break
            self._now = self._waiting.pop(0)
            self._now.page_out()
        self._goes = False

    def done(self, log: Pageable) -> None:
        """This log has gone out, or is no more read here."""
        if log is self._now:
            self._now = None
            self.go()
        elif log in self._waiting:
            self._waiting.remove(log)

    def give_up(self, log: Pageable) -> bool:
        """The client answers no more; whether that was in the turn of this log."""
        if log is not self._now:
            return False
        self._now = None
        self._waiting.clear()
        return True
