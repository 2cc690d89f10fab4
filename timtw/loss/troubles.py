"""What faults excuse: refusals while storage is away, and texts that were damaged."""

from __future__ import annotations

from typing import Final

import attrs

from timtw.loss.observations import Arrived, Began, Damaged, Ended, History

REFUSED_SECONDS: Final = 5.0
"""How long after the end of its cause a refusal may still come: a statement waits two
seconds for a lock, and what it answers then may come to a device that reads late."""
STORED_SECONDS: Final = 12.0
"""How long after the end of its cause a position may still not be stored: it is tried
again after ten seconds at most."""


@attrs.frozen
class Span:
    """A time, both ends included."""

    begin: float
    end: float

    def __contains__(self, at: float) -> bool:
        """Whether ``at`` lies in it."""
        return self.begin <= at <= self.end


def spans(history: History) -> list[tuple[Began, float]]:
    """Each fault, and when its cause was gone; without an end that is when it began."""
    ends = {seen.fault: seen.at for seen in history if isinstance(seen, Ended)}
    return [
        (seen, ends.get(seen.fault, seen.at))
        for seen in history
        if isinstance(seen, Began)
    ]


def refusing(history: History) -> list[Span]:
    """When the node may refuse with 5103."""
    return [
        Span(began.at, end + began.lasts + REFUSED_SECONDS)
        for began, end in spans(history)
        if began.refuses
    ]


def delaying(history: History) -> list[Span]:
    """When the node may not yet have stored how far a device is."""
    return [
        Span(began.at, end + began.lasts + STORED_SECONDS)
        for began, end in spans(history)
        if began.delays
    ]


@attrs.frozen
class Place:
    """Where a text stands: the nodes of a conversation, or group, and the number."""

    conversation: frozenset[str]
    mid: int


def place_of(arrived: Arrived) -> Place:
    """The place of a text that came to a device."""
    sides = (arrived.sender, arrived.recipient)
    return Place(frozenset(sides[arrived.in_group :]), arrived.mid)


def damaged(history: History) -> dict[Place, bool]:
    """The places that were damaged, and whether the log of the node names them."""
    return {
        Place(seen.conversation, seen.mid): seen.said
        for seen in history
        if isinstance(seen, Damaged)
    }
