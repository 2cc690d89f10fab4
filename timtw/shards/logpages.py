"""Filling one page of a log, from wherever its entries come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from timtw.model.limits import LOG_READ_BYTES
from timtw.model.values import LogEntry, LogPage

Line: TypeAlias = tuple[int, LogEntry | None, int]
"""A number, its entry (``None`` for one that cannot be read) and its size."""


@attrs.define(eq=False)
class PageFiller:
    """Takes lines of a log in order until there is enough of them.

    Args:
        limit: Entries of a full page; its bytes are ``LOG_READ_BYTES``.
        up_to: Where the page ends if it does not become full.
    """

    limit: int
    up_to: int
    full: bool = False
    _entries: list[LogEntry] = attrs.Factory(list)
    _room: int = LOG_READ_BYTES
    _reached: int = 0

    def add(self, lines: Iterable[Line], most: int | None = None) -> None:
        """Take lines in; with ``most`` of them there may be more."""
        entries = self._entries
        seen = 0
        for seq, entry, size in lines:
            self._room -= size
            if entries and (self._room < 0 or len(entries) >= self.limit):
                self.full = True
                return
            seen += 1
            self._reached = seq
            if entry is not None:
                entries.append(entry)
        self.full = seen == most

    def page(self) -> LogPage:
        """What has been taken in."""
        reached = self._reached if self.full else self.up_to
        return LogPage(tuple(self._entries), reached)
