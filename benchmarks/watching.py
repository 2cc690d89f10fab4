"""The memory of a process, looked at now and then."""

from __future__ import annotations

import time
from typing import Final

from benchmarks.machine import memory_of

EVERY: Final = 0.25
"""Seconds between two looks."""


class Watched:
    """A process whose own memory (USS) is looked at while it works."""

    def __init__(self, pid: int) -> None:
        """Look for the first time."""
        self._pid = pid
        self._begun = time.perf_counter()
        self._next = 0.0
        self.samples: list[tuple[float, int]] = []
        self.look()

    def look(self) -> bool:
        """Look, unless it is too early; always true, to be used in conditions."""
        passed = time.perf_counter() - self._begun
        if passed >= self._next:
            self._next = passed + EVERY
            self.samples.append((round(passed, 2), memory_of(self._pid).uss // 1024))
        return True

    @property
    def grown_kb(self) -> int:
        """By how many KiB the most was more than the first."""
        sizes = [size for _, size in self.samples]
        return max(sizes) - sizes[0]
