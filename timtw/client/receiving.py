"""How far the log has come, how far it was taken, what may be acknowledged.

docs/reference/protocol.md, sections 2.3, 12.3 and 12.5. First arrivals come in the
order of their numbers, so whatever is not above the highest number is a repeat.
"""

from __future__ import annotations

from collections.abc import Iterable


class Receiving:
    """One device's reading of its account's log, over all of its connections."""

    def __init__(self) -> None:
        """Nothing is known: the node knows where this device stands."""
        self._highest: int | None = None
        self._untaken: set[int] = set()
        self._receipts: dict[bytes, set[int]] = {}

    @property
    def position(self) -> int | None:
        """The number up to which everything was taken; None while that is not known."""
        if self._untaken:
            return min(self._untaken) - 1
        return self._highest

    @property
    def unfinished(self) -> bool:
        """Whether a frame came of which not everything was taken: no receipt yet."""
        return bool(self._receipts)

    def arrived(
        self, receipt: bytes | None, numbers: Iterable[int]
    ) -> tuple[set[int], list[bytes]]:
        """
        Note entries of one frame.

        Returns:
            The numbers that are new, and the receipts that can be given at once.
        """
        numbers = list(numbers)
        new = {number for number in numbers if number > (self._highest or 0)}
        if new:
            self._highest = max(new)
            self._untaken |= new
        if receipt is None:
            return new, []
        waiting = self._untaken.intersection(numbers)
        if waiting:
            self._receipts[receipt] = waiting
            return new, []
        return new, [receipt]

    def expired(self, up_to: int) -> bool:
        """Nothing up to this number will come; whether anything of it had not."""
        if up_to <= (self._highest or 0):
            return False
        self._highest = up_to
        return True

    def taken(self, number: int) -> list[bytes]:
        """The consumer has an entry for good; the receipts that can be given now."""
        self._untaken.discard(number)
        ready = []
        for receipt, waiting in list(self._receipts.items()):
            waiting.discard(number)
            if not waiting:
                del self._receipts[receipt]
                ready.append(receipt)
        return ready

    def lost(self) -> None:
        """The line is gone, and with it the receipts it was to carry."""
        self._receipts.clear()

    def limited(self, head: int) -> None:
        """The log ends at ``head``: what we know beyond it is from before a restore."""
        if self._highest is not None and self._highest > head:
            self._highest = head
            self._untaken = {number for number in self._untaken if number <= head}
