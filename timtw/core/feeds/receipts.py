"""The numbers that frames are acknowledged by, unique on a connection."""

from __future__ import annotations

from timtw.model import limits


class Receipts:
    """Counts from one number to another, and begins again."""

    __slots__ = ("_first", "_last", "_most")

    def __init__(
        self, first: int = 1, most: int = limits.FIRST_ROOM_RECEIPT - 1
    ) -> None:
        """The numbers of the account's own log, if nothing else is said."""
        self._first = first
        self._most = most
        self._last = first - 1

    def run(self, count: int) -> int:
        """The first of so many numbers in a row."""
        first = self.next()
        if first + count - 1 > self._most:
            self._last = self._first - 1
            first = self.next()
        self._last += count - 1
        return first

    def next(self) -> int:
        """The next number."""
        last = self._last
        self._last = last = last + 1 if last < self._most else self._first
        return last
