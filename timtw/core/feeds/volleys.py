"""Entries of a room that go out together, to everybody who is up to date.

What all receivers have in common is made once (``Salvo``); what each of them has not
confirmed yet is one small object (``Volley``), as long as answers come in order. See
docs/decisions/011-rooms-are-read-beside-the-own-log.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from timtw.core.feeds.sending import weight_of
from timtw.model.values import REMOVALS, LogEntry

R = TypeVar("R")


class Salvo:
    """Entries of a room's log, as a rule consecutive ones.

    Attributes:
        is_plain: Whether there is no removal among them, before which a feed has to
            look at what it has sent.
        octets: The weight of all entries up to a place, from 0 on.
    """

    __slots__ = ("at", "entries", "first", "is_plain", "last", "octets")

    def __init__(self, entries: Sequence[LogEntry], at: float) -> None:
        """What goes out at the time ``at``; at least one entry, in any order."""
        self.entries = tuple(sorted(entries, key=_seq))
        self.at = at
        self.first = self.entries[0].seq
        self.last = self.entries[-1].seq
        kinds = {entry.message.kind for entry in self.entries}
        numbers = {entry.seq for entry in self.entries}
        is_run = len(numbers) == len(self.entries) == self.last - self.first + 1
        self.is_plain = is_run and not kinds & REMOVALS
        self.octets = [0, *accumulate(map(weight_of, self.entries))]


def _seq(entry: LogEntry) -> int:
    """Its number; what two nodes tell of in one turn comes mixed."""
    return entry.seq


class Volley(Generic[R]):
    """What one reading was sent of a salvo and has not confirmed.

    Attributes:
        place: The first entry that is not confirmed.
        receipt: What it is confirmed by; those behind it have the next numbers.
    """

    __slots__ = ("place", "reading", "receipt", "salvo")

    def __init__(self, reading: R, salvo: Salvo, receipt: int) -> None:
        """The whole salvo was sent, from this receipt on."""
        self.reading = reading
        self.salvo = salvo
        self.place = 0
        self.receipt = receipt

    @property
    def left(self) -> int:
        """How many are not confirmed."""
        return len(self.salvo.entries) - self.place
