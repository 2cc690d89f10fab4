"""A room as somebody would explain it: the model that rooms are tested against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import attrs

from timtw.model.rooms import Belonging, Role, Side
from timtw.model.roomsteps import RoomStep

Part: TypeAlias = tuple[str, str, str]
"""What somebody says of the room ("yes", "no" or nothing), what the room says of
somebody, and the role of a member."""
IN: Part = ("yes", "yes", "member")
_SAYS = {Side.NOTHING: "", Side.AGREES: "yes", Side.BLOCKS: "no"}
_ROLES = {Role.MEMBER: "member", Role.MANAGER: "manager", Role.FOUNDER: "founder"}


@attrs.frozen
class Move:
    """A step of ``who`` about ``whom``, who may be one; people are numbers.

    Args:
        managers: Who shall be managers, where the step is ``CHANGE``.
    """

    step: RoomStep
    who: int
    whom: int
    managers: frozenset[int] = frozenset()


@attrs.frozen
class State:
    """A room: whether it is there still, and the part that each person has in it."""

    parts: tuple[Part, ...]
    alive: bool = True

    @classmethod
    def new(cls, people: int) -> State:
        """A room that the first of so many people has made."""
        return cls((("yes", "yes", "founder"), *[("", "", "")] * (people - 1)))

    @property
    def members(self) -> frozenset[int]:
        """Who is in."""
        return frozenset(n for n, part in enumerate(self.parts) if part[2])

    def having(self, parts: Mapping[int, Part]) -> State:
        """The same with other parts of some people."""
        everybody = enumerate(self.parts)
        return attrs.evolve(self, parts=tuple(parts.get(n, p) for n, p in everybody))


def part_of(belonging: Belonging) -> Part:
    """The part that somebody has by what storage says."""
    role = _ROLES[belonging.role] if belonging.is_member else ""
    return _SAYS[belonging.account], _SAYS[belonging.room], role


def after(state: State, is_open: bool, move: Move) -> State:
    """What a step makes of a room, if anything."""
    mine, its, role = state.parts[move.who]
    if not state.alive:
        lifts = move.step is RoomStep.LEAVE and mine == "no"
        return state.having({move.who: ("", "", "")}) if lifts else state
    if move.step is RoomStep.JOIN:
        if role or its == "no":
            return state
        return state.having({move.who: IN if is_open else ("yes", "", "")})
    if move.step in (RoomStep.BLOCK, RoomStep.LEAVE):
        says = "no" if move.step is RoomStep.BLOCK else ""
        if role == "founder" or not (says or mine):
            return state
        return state.having({move.who: (says, "no" if its == "no" else "", "")})
    if move.step is RoomStep.DISSOLVE:
        if role != "founder" or len(state.members) > 1:
            return state
        parts = tuple(("no" if part[0] == "no" else "", "", "") for part in state.parts)
        return State(parts, alive=False)
    if move.step is RoomStep.CHANGE:
        return _managers(state, move) if role == "founder" else state
    return _others(state, is_open, move)


def _managers(state: State, move: Move) -> State:
    """The founder says who shall be managers: all of them have to be in."""
    if not move.managers <= state.members:
        return state
    roles = {n: "manager" if n in move.managers else "member" for n in state.members}
    roles[move.who] = "founder"
    return state.having({n: ("yes", "yes", role) for n, role in roles.items()})


def _others(state: State, is_open: bool, move: Move) -> State:
    """A step about somebody else."""
    role = state.parts[move.who][2]
    says, its, theirs = state.parts[move.whom]
    decides = role in ("manager", "founder")
    if move.who == move.whom or not role:
        return state
    if move.step is RoomStep.PULL_IN:
        may = decides or (is_open and its != "no")
        may = may and not theirs and says != "no"
        return state.having({move.whom: IN}) if may else state
    if move.step is RoomStep.HAND_OVER:
        if role != "founder" or not theirs:
            return state
        return state.having(
            {move.who: IN, move.whom: ("yes", "yes", "founder")},
        )
    if not decides:
        return state
    if move.step is RoomStep.REJECT:
        asked = says == "yes" and not theirs
        return state.having({move.whom: ("", "", "")}) if asked else state
    if theirs == "founder" or (theirs == "manager" and role != "founder"):
        return state
    kept = "no" if says == "no" else ""
    barred = "no" if move.step is RoomStep.BAR else ""
    return state.having({move.whom: (kept, barred, "")})


def possible(states: Iterable[State], is_open: bool, *moves: Move) -> set[State]:
    """What may have become of a room after steps at the same moment, in some order."""
    if not moves:
        return set(states)
    found: set[State] = set()
    for n, first in enumerate(moves):
        reached = {after(state, is_open, first) for state in states}
        found |= possible(reached, is_open, *moves[:n], *moves[n + 1 :])
    return found
