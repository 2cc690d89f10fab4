"""A relation as somebody would explain it: what relations are tested against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from timtw.model.relations import Step

State: TypeAlias = tuple[str, str]
"""What Ada has said, and what Bob has said: one of "", "asks" and "blocks"."""


def after(state: State, side: int, step: Step) -> State:
    """What the model says: the rules as somebody would tell them."""
    mine, theirs = state[side], state[1 - side]
    if step is Step.BLOCK:
        mine, theirs = "blocks", "blocks" if theirs == "blocks" else ""
    elif step is Step.LEAVE:
        mine, theirs = "", "blocks" if theirs == "blocks" else ""
    elif theirs != "blocks":
        mine = "asks"
    return (theirs, mine) if side else (mine, theirs)


def possible(states: Iterable[State], *moves: tuple[int, Step]) -> set[State]:
    """What may have become of a relation after steps at the same moment."""
    if not moves:
        return set(states)
    found: set[State] = set()
    for n, first in enumerate(moves):
        reached = {after(state, *first) for state in states}
        found |= possible(reached, *moves[:n], *moves[n + 1 :])
    return found
