"""What every part of the suite is told."""

from __future__ import annotations

import attrs


@attrs.frozen
class Options:
    """How to measure.

    Args:
        only: What the name of a row has to contain in order to be measured.
        scale: By how much the amounts are multiplied.
        directory: Where the state of nodes lies; None for the usual place.
        profile: Where cProfile's figures of the node go, if anywhere.
        large: Whether to measure what takes more than a minute as well.
    """

    only: str = ""
    scale: float = 1.0
    directory: str | None = None
    profile: str = ""
    large: bool = False

    def wants(self, name: str) -> bool:
        """Whether this row is to be measured."""
        return self.only in name

    def scaled(self, amount: int) -> int:
        """An amount, as large as was asked for."""
        return max(1, int(amount * self.scale))
