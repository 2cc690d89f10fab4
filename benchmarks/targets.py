"""What the figures shall be, in one place; the suite says which of them are not met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs


@attrs.frozen
class Target:
    """A bound of one value.

    Args:
        value: The name of the value in its row.
        bound: What it has to be.
        stretch: What it would be nice to be; None if nobody said.
        at_least: Whether more is better.
    """

    value: str
    bound: float
    stretch: float | None = None
    at_least: bool = False

    def met(self, found: float) -> bool:
        """Whether the bound holds."""
        return found >= self.bound if self.at_least else found <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        stretch = "" if self.stretch is None else f" ({self.stretch:g})"
        return f"{self.value} {sign} {self.bound:g}{stretch}"


def _rate(bound: float, stretch: float | None = None) -> Target:
    return Target("rate", bound, stretch, at_least=True)


_ONE_TO_ONE: Final = (
    _rate(15_000, 25_000),
    Target("cpu_us", 50, 35),
    Target("p99_ms", 50),
)
_FLAT: Final = (Target("spread_percent", 20),)

TARGETS: Final[Mapping[str, Sequence[Target]]] = {
    "one-to-one json": _ONE_TO_ONE,
    "one-to-one thrift": _ONE_TO_ONE,
    "one-to-one 2000 in flight": (_rate(15_000),),
    "one-to-one tls": (_rate(10_000),),
    "group of 1000": (_rate(100_000), Target("cpu_us", 10)),
    "group of 1000, one does not read": (Target("cpu_us", 10),),
    "group of 100000, 1000 there": (_rate(100_000), Target("cpu_us", 10)),
    "live to 1000": (_rate(150_000), Target("cpu_us", 6.7)),
    "live to 1000, one does not read": (Target("ratio", 1.1),),
    "file": (Target("grown_kb", 16384),),
    "absent store": (Target("cpu_us", 60),),
    "absent drain": (Target("cpu_us", 60),),
    "absent drain of one": (Target("grown_kb", 4096),),
    "idle websocket": (Target("kb_each", 12, 10),),
    "idle tcp": (Target("kb_each", 4),),
    "burst websocket": (Target("refused", 0),),
    "burst tcp": (Target("refused", 0),),
    "restart": (Target("seconds", 15), Target("refused", 0)),
    "codec thrift": (Target("both_us", 6),),
    "codec json": (Target("both_us", 6),),
    "postgresql 200 in flight": (_rate(12_000), Target("p99_ms", 50)),
    "postgresql 2000 in flight": (_rate(12_000),),
    "mariadb 200 in flight": (_rate(10_000), Target("p99_ms", 50)),
    "mariadb 2000 in flight": (_rate(10_000),),
    "flat over connections": _FLAT,
    "flat over active connections": _FLAT,
    "flat over stored": _FLAT,
    "flat over conversations": _FLAT,
}
"""By the name of a row. What does not say how much is our own reading of a word: that
memory is flat means that it grows by less than 4 MiB, whatever waits; of a file that
passes through, by less than 16 MiB, whether it has 128 MiB or a thousand."""
