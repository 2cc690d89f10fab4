"""What an execution may cost: steps of Python and bytes, in proportion to its input."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STEPS: Final = 5_000
STEPS_A_BYTE: Final = 250
"""Calls of functions, ours and Python's own; a frame of five bytes is a whole command
with its answer."""
BYTES: Final = 256 * 1024
BYTES_A_BYTE: Final = 512
"""The smallest entry of a list is a few bytes long, and a structure of ten fields."""


class Finding(Exception):
    """Something that must not happen has happened."""


def check(holds: bool, what: str, *details: object) -> None:
    """Raise a Finding that says ``what``, unless it holds."""
    if not holds:
        raise Finding(" ".join([what, *map(repr, details)]))


class Meter:
    """Runs what is tried, and watches what every so many executions cost.

    Watching makes an execution several times as slow, and what costs too much does
    so again and again.
    """

    def __init__(self, every: int = 1) -> None:
        """Watch one of ``every`` executions; 0 watches none."""
        self._every = every
        self._count = 0

    def run(self, size: int, call: Callable[P, R], *args: P.args, **kw: P.kwargs) -> R:
        """Call, for an input of ``size`` bytes.

        Raises:
            Finding: it cost too much. An endless loop ends so as well.
        """
        self._count += 1
        if not self._every or self._count % self._every:
            return call(*args, **kw)
        most, taken = STEPS + STEPS_A_BYTE * size, 0

        def step(frame: FrameType, event: str, arg: object) -> None:
            nonlocal taken
            taken += 1
            if taken > 2 * most:  # Calls and returns both count.
                sys.setprofile(None)
                raise Finding(f"more than {most} steps for {size} bytes")

        tracemalloc.start()
        sys.setprofile(step)
        try:
            result = call(*args, **kw)
        finally:
            sys.setprofile(None)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        check(taken <= 2 * most, f"more than {most} steps for {size} bytes")
        check(peak <= BYTES + BYTES_A_BYTE * size, f"{size} bytes took", peak)
        return result
