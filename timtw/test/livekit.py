"""People in virtual rooms on two nodes, for tests of what they notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.settings import Settings
from timtw.model.commands import (
    AllowPush,
    EndLive,
    LiveCommand,
    OpenLive,
    Push,
    Subscribe,
    Unsubscribe,
)
from timtw.model.errors import TimError
from timtw.model.events import (
    Event,
    LiveDone,
    LiveEnded,
    Pieces,
    PiecesDropped,
    Refused,
)
from timtw.model.idents import node_of
from timtw.model.live import Ending, Flow
from timtw.model.values import Address
from timtw.rooms.live.live import Live
from timtw.test.stage import OPEN, Client, Stage

NOWHERE = node_of(7_000_000_000_000_007)
"""A node that no virtual room and no account has."""


def bodies(client: Client, room: str = "") -> list[bytes]:
    """What came through virtual rooms, or one of them, in order."""
    return [
        piece.body
        for event in client.told(Pieces)
        for piece in event.pieces
        if room in ("", node_of(piece.room))
    ]


def dropped(client: Client) -> int:
    """How many pieces it was told that it does not get."""
    return sum(event.count for event in client.told(PiecesDropped))


def endings(client: Client) -> list[Ending]:
    """Why rooms have ended, as it was told."""
    return [event.why for event in client.told(LiveEnded)]


def live_of(stage: Stage, node: str = "north") -> Live:
    """What a node has of virtual rooms."""
    live = stage.cores[node]._live
    assert isinstance(live, Live)
    return live


class LiveCase(SynchronousTestCase):
    """Ada, Bob and Cyd are there; all of them know our additions."""

    nodes: ClassVar[tuple[str, ...]] = ("north",)
    settings: ClassVar[Settings] = OPEN

    def setUp(self) -> None:
        """Ada is on the first node, the others on the last."""
        self.stage = Stage(self.nodes, settings=self.settings)
        first, last = self.nodes[0], self.nodes[-1]
        self.ada_is, self.bob_is, self.cyd_is = (
            self.stage.register(name, node=first) for name in ("ada", "bob", "cyd")
        )
        self.ada = self.stage.log_in("ada", node=first, additions=True)
        self.bob = self.stage.log_in("bob", node=last, additions=True)
        self.cyd = self.stage.log_in("cyd", node=last, additions=True)

    def answer(self, who: Client, command: LiveCommand, seconds: float = 0.1) -> Event:
        """The one answer that somebody gets to a request."""
        before = len(who.events)
        who.asks(command)
        self.stage.settle(seconds)
        kinds = (Refused, LiveDone)
        (answer,) = [one for one in who.events[before:] if isinstance(one, kinds)]
        return answer

    def refusal(self, who: Client, command: LiveCommand) -> type[TimError] | None:
        """Why a request is refused, or ``None``."""
        answer = self.answer(who, command)
        return type(answer.error) if isinstance(answer, Refused) else None

    def opens(self, who: Client, flow: Flow = Flow.LIVE) -> str:
        """The node of a virtual room that somebody makes."""
        answer = self.answer(who, OpenLive(flow))
        assert isinstance(answer, LiveDone), answer
        return node_of(answer.room)

    def subscribes(self, who: Client, room: str, binary: bool = True) -> None:
        """Somebody subscribes, and may."""
        self.assertIsNone(self.refusal(who, Subscribe(room, binary)))

    def leaves(self, who: Client, room: str) -> None:
        """Somebody subscribes no more."""
        self.assertIsNone(self.refusal(who, Unsubscribe(room)))

    def allows(
        self, who: Client, room: str, peer: Address, allowed: bool = True
    ) -> type[TimError] | None:
        """Somebody gives or takes the right to push; why not, if it is refused."""
        return self.refusal(who, AllowPush(room, peer.node, allowed))

    def ends(self, who: Client, room: str) -> type[TimError] | None:
        """Somebody ends a room; why not, if it is refused."""
        return self.refusal(who, EndLive(room))

    def pushes(
        self, who: Client, room: str, *what: bytes, seconds: float = 0.1
    ) -> list[type[TimError]]:
        """Somebody pushes in one go; why it was refused."""
        before = len(who.events)
        for body in what:
            who.asks(Push(room, body))
        self.stage.settle(seconds)
        events: Sequence[Event] = who.events[before:]
        return [type(one.error) for one in events if isinstance(one, Refused)]

    def left_behind(self, node: str = "north") -> list[int]:
        """What a node still has of rooms, queues and links: nothing, if all went."""
        live = live_of(self.stage, node)
        return [
            sum(room.subscribers for room in live.rooms.values()),
            live.works.budget.octets,
            len(live.works.shipping),
            len(live._parcels),
        ]


def seated(stage: Stage, node: str = "north") -> int:
    """How many subscriptions there are on a node."""
    return sum(room.subscribers for room in live_of(stage, node).rooms.values())
