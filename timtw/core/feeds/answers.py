"""Which reading of a room an acknowledgement belongs to, on one connection.

What was sent together is in ``Volley``s, in the order of their receipts; whatever else
waits for an answer is found by its receipt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from timtw.core.feeds.volleys import Salvo, Volley
from timtw.model import limits


class Awaiting(Protocol):
    """The reading of a room, which waits for answers."""

    def is_next(self, volley: Volley[Awaiting]) -> bool:
        """Whether nothing that was sent together before it waits for answers."""

    def landed(self, volley: Volley[Awaiting], count: int) -> None:
        """The first so many of what was sent together are confirmed."""

    def single_out(self) -> None:
        """Wait for the answer to each by itself; see ``Answers.differs``."""

    def acknowledged(self, receipt: int) -> None:
        """What was sent under this number is confirmed."""


class Answers:
    """The readings that wait for answers."""

    __slots__ = ("_alone", "_together")

    def __init__(self) -> None:
        """Nobody waits for anything."""
        self._alone: dict[int, Awaiting] = {}
        self._together: list[Volley[Awaiting]] = []

    @property
    def volleys(self) -> int:
        """How many have something on its way that was sent together."""
        return len(self._together)

    def clear(self) -> None:
        """Nobody waits any more."""
        self._alone.clear()
        self._together.clear()

    def expects(self, receipt: int, reading: Awaiting) -> bool:
        """A frame goes out alone; whether it is its first transmission."""
        alone = self._alone
        if receipt in alone:
            return False
        alone[receipt] = reading
        if len(alone) > limits.ROOM_RECEIPTS:
            del alone[next(iter(alone))]
        return True

    def launch(self, reading: Awaiting, salvo: Salvo, receipt: int) -> Volley[Awaiting]:
        """Entries go out together, the first of them under this receipt."""
        together = self._together
        if together and receipt < together[-1].receipt:
            # The numbers begin again.
            while together:
                together[0].reading.single_out()
        if len(together) >= limits.ROOM_VOLLEYS:
            together[0].reading.single_out()
        volley = Volley(reading, salvo, receipt)
        together.append(volley)
        return volley

    def differs(self, volley: Volley[Awaiting]) -> None:
        """What was sent together is from now on waited for one by one."""
        self._together.remove(volley)

    def acknowledged(self, receipts: Sequence[int]) -> None:
        """What was sent under these numbers has arrived."""
        together, place, end = self._together, 0, len(receipts)
        while place < end:
            receipt = receipts[place]
            found = self._place_of(receipt) if together else -1
            if found < 0:
                place += 1
                reading = self._alone.pop(receipt, None)
                if reading is not None:
                    reading.acknowledged(receipt)
                continue
            volley = together[found]
            count = min(volley.left, end - place)
            run = range(receipt, receipt + count)
            if count > 1 and receipts[place : place + count] != [*run]:
                count = 1
            if count == volley.left:
                del together[found]
            volley.reading.landed(volley, count)
            place += count

    def _place_of(self, receipt: int) -> int:
        """
        Where what was sent together stands whose next answer this is; -1 for nowhere.

        Where an answer has come before others that were due, its room waits for each of
        them by itself from now on.
        """
        together = self._together
        if together[0].receipt == receipt:
            return 0
        place = bisect_right(together, receipt, key=_receipt) - 1
        if place >= 0:
            volley = together[place]
            if volley.receipt == receipt and volley.reading.is_next(volley):
                return place
            if receipt < volley.receipt + volley.left:
                volley.reading.single_out()
        return -1


def _receipt(volley: Volley[Awaiting]) -> int:
    """The next answer to a volley."""
    return volley.receipt
