"""What becomes of the drafts of one batch: decided here, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from timtw.model.errors import TimError
from timtw.model.limits import STATEMENT_BYTES
from timtw.model.posting import Changed
from timtw.model.values import REMOVALS, TEXT, Conversation, Draft
from timtw.shards.records import pack_content
from timtw.shards.server.repeats import Sends

Pair: TypeAlias = tuple[int, int]
"""The key of a counter: a conversation, or an account and 0."""
Text: TypeAlias = tuple[int, int, int]
"""A conversation and the number of a text."""


@attrs.define(eq=False)
class Plan:
    """What becomes of the drafts of one batch, as far as it is known.

    Args:
        firsts: The send that a draft repeats.
        own: The send that a draft is itself, if it may be repeated.
        mids: The numbers of new texts, by their place in the batch; of a step on a
            room the newest number there at that place.
        refused: Why removals are refused, by their place.
        changed: What becomes of steps, without what is told, by their place.
        notices: What steps bring about, by their place.
        gone: What removals do to texts: the new state.
        last: Counters that were raised, and what has been given of them.
    """

    drafts: list[Draft]
    packed: Sequence[bytes]
    firsts: Sends
    own: Sends
    mids: dict[int, int] = attrs.field(factory=dict)
    refused: dict[int, TimError] = attrs.field(factory=dict)
    changed: dict[int, Changed] = attrs.field(factory=dict)
    notices: dict[int, Sequence[Draft]] = attrs.field(factory=dict)
    gone: dict[Text, int] = attrs.field(factory=dict)
    last: dict[Pair, int] = attrs.field(factory=dict)

    def stored(self) -> list[int]:
        """The places of the drafts that are stored, as far as it is known."""
        return [n for n in range(len(self.drafts)) if self._is_stored(n)]

    def _is_stored(self, n: int) -> bool:
        if n in self.changed:
            return bool(self.notices[n])
        return not self.firsts[n] and n not in self.refused

    def entries(self, n: int) -> Sequence[Draft]:
        """What is stored of the draft at a place: itself, or the notices of a step."""
        return self.notices[n] if n in self.changed else (self.drafts[n],)

    def packed_of(self, n: int, entry: Draft) -> bytes:
        """The stored form of an entry of the draft at a place."""
        if entry.content is self.drafts[n].content:
            return self.packed[n]
        return pack_content(entry.content)

    def next(self, key: Pair) -> int:
        """The next number of a counter that was raised."""
        number = self.last[key] = self.last[key] + 1
        return number


class Piles:
    """Rows in piles, each small enough for one statement."""

    def __init__(self) -> None:
        self.piles: list[list[Any]] = [[]]
        self._room = STATEMENT_BYTES

    def add(self, row: Sequence[Any], weight: int) -> None:
        """Add a row with ``weight`` bytes."""
        if self._room < weight:
            self.piles.append([])
            self._room = STATEMENT_BYTES
        self._room -= weight
        self.piles[-1] += row


def place(key: Pair) -> tuple[bool, Pair]:
    """The place of a counter in the order of locks: conversations, then logs."""
    return key[1] == 0, key


def logs(plan: Plan) -> Counter[Pair]:
    """The entries that each log gets of what is stored."""
    stored = [draft for n in plan.stored() for draft in plan.entries(n)]
    return Counter([(who, 0) for draft in stored for who in owners(draft)])


def changed_by(step: Draft) -> Pair:
    """The counter that stands for what a step changes."""
    room = step.content.room
    return Conversation.of_room(room) if room else step.conversation


def owners(draft: Draft) -> Sequence[int]:
    """Whose logs get an entry of a draft."""
    sender, recipient = draft.sender.number, draft.recipient.number
    if draft.to_room:
        return (recipient,)
    if draft.kind == TEXT and sender == recipient:
        return (sender,)
    if draft.kind == TEXT or draft.kind in REMOVALS or draft.both:
        return sender, recipient
    return (recipient,)
