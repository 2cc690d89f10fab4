"""Rooms on a stage: made and changed in storage, as requests would."""

from __future__ import annotations

import itertools

from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import SendMessage
from timtw.model.events import Delivery, Refused
from timtw.model.idents import node_of
from timtw.model.peers import RoomChanged
from timtw.model.posting import Batch, Changed
from timtw.model.roominfo import RoomInfo, RoomWish
from timtw.model.rooms import Entry
from timtw.model.roomsteps import RoomStep
from timtw.model.values import (
    NOTICE,
    REVOCATION,
    TEXT,
    Address,
    Content,
    Draft,
    LogEntry,
)
from timtw.test.stage import Client, Stage

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


def says(
    client: Client, room: Address, text: str, ident: int | None = None, kind: int = TEXT
) -> None:
    """A client writes to a room."""
    client.asks(
        SendMessage("", Content(text), ident, kind=kind, room=room.node),
    )


def revokes(client: Client, room: Address, mid: int) -> None:
    """A client takes a text in a room back."""
    client.asks(
        SendMessage("", Content(), kind=REVOCATION, mid=mid, room=room.node),
    )


def entries(client: Client) -> list[LogEntry]:
    """What came, without notices of membership."""
    return [one for one in client.entries if one.message.kind != NOTICE]


def deliveries(client: Client) -> list[Delivery]:
    """The same, where it came by itself."""
    found = client.told(Delivery)
    return [one for one in found if one.entry.message.kind != NOTICE]


def heard(client: Client) -> list[str | None]:
    """The texts that came, whoever wrote them."""
    return [one.message.content.text for one in entries(client)]


def refusals(client: Client) -> list[type[Exception]]:
    """Why requests of the client were refused."""
    return [type(one.error) for one in client.told(Refused)]


class Case(SynchronousTestCase):
    """Ada, Bob and Cyd in a room; Dan is in none."""

    def setUp(self) -> None:
        """One node."""
        self.play(Stage())

    def play(self, stage: Stage) -> None:
        """Let everybody register."""
        self.stage = stage
        self.ada, self.bob, self.cyd, self.dan = (
            stage.register(name) for name in ("ada", "bob", "cyd", "dan")
        )
        self.room = make_room(stage, self.ada, self.bob, self.cyd)
