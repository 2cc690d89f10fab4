"""When a send counts as a repeat: the arithmetic that every engine shares.

Sends are remembered in periods of ``REPEAT_SECONDS``. A send is looked for in its own
period and in the one before, so a whole period can be forgotten at once, without an
index over time.
"""

from __future__ import annotations

from typing import Final

from timtw.model.limits import REPEAT_SECONDS

NANOSECONDS: Final = 1_000_000_000
WINDOW: Final = REPEAT_SECONDS * NANOSECONDS
"""How far a repeat may lie behind the first send, in nanoseconds."""


def period_of(timestamp: int) -> int:
    """The period in which a send of this time is remembered."""
    return timestamp // WINDOW


def is_repeat(first: int, timestamp: int) -> bool:
    """Whether a send at ``timestamp`` repeats an equal one of the time ``first``."""
    return first >= timestamp - WINDOW
