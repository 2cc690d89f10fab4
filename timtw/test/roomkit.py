"""Rooms on a stage: made and changed in storage, as requests would."""

from __future__ import annotations

import itertools

from timtw.model.idents import node_of
from timtw.model.peers import RoomChanged
from timtw.model.roominfo import RoomInfo, RoomWish
from timtw.model.rooms import Entry
from timtw.model.roomsteps import RoomStep
from timtw.model.values import NOTICE, Address, Batch, Changed, Content, Draft
from timtw.test.stage import Stage

_numbers = itertools.count(-7_000_000_000_000_000_000, 1_000_000_000_000_001)


def step(
    stage: Stage,
    kind: RoomStep,
    room: int,
    who: Address,
    whom: Address | None = None,
    wish: RoomWish | None = None,
    node: str = "north",
) -> None:
    """Take a step on a room; every node hears of it as after a request."""
    target = who if whom is None else whom
    draft = Draft(
        who,
        target,
        1,
        False,
        stage.time_ns(),
        Content("", room=room),
        kind=NOTICE,
        mid=kind,
        wish=wish,
    )
    (changed,) = stage.ready(stage.shard.messages.post(Batch((draft,))))
    assert isinstance(changed, Changed), changed
    assert changed.refusal is None, changed.refusal
    stage.cores[node]._router.announce(RoomChanged(room, target.number))
    stage.settle(0.02)


def make_room(stage: Stage, founder: Address, *members: Address) -> Address:
    """A room with these members."""
    number = next(_numbers)
    wish = RoomWish(Entry.PRIVATE, RoomInfo("topic"))
    step(stage, RoomStep.CREATE, number, founder, wish=wish)
    for member in members:
        pull_in(stage, number, founder, member)
    return Address(number, node_of(number), founder.domain)


def pull_in(stage: Stage, room: int, founder: Address, member: Address) -> None:
    """Make somebody a member."""
    step(stage, RoomStep.PULL_IN, room, founder, member)


def remove(stage: Stage, room: int, founder: Address, member: Address) -> None:
    """Throw somebody out."""
    step(stage, RoomStep.REMOVE, room, founder, member)
