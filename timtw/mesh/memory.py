"""A mesh of nodes in one process, for tests of what must hold between nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import TypeVar

from twisted.internet.defer import Deferred, gatherResults, succeed
from zope.interface import implementer

from timtw.mesh.links import Links
from timtw.model.limits import PRESENT_SECONDS, SETTLE_SECONDS, TURN_SECONDS
from timtw.model.live import Freight, LiveSeen, Piece
from timtw.model.peers import EndTurn, Fact, IMesh, INeighbour, Offer, Presence
from timtw.model.presence import Parting, Showing
from timtw.model.progress import Mark
from timtw.model.values import Message

R = TypeVar("R")


class Hub(Links):
    """Joins nodes."""

    def place(self, name: str) -> MemoryMesh:
        """The mesh as the node ``name`` sees it."""
        return MemoryMesh(self, name)


@implementer(IMesh)
class MemoryMesh:
    """One node's view of a hub."""

    has_peers = True

    def __init__(self, hub: Links, name: str) -> None:
        """Made by ``Hub.place``."""
        self._hub = hub
        self.name = name
        self.neighbour: INeighbour | None = None

    def join(self, neighbour: INeighbour) -> None:
        """See ``IMesh``."""
        self.neighbour = neighbour
        self._hub.settle(self.name, self)

    def isolate(self, links: Links) -> None:
        """See ``Place``."""
        self._hub, self.neighbour = links, None

    def leave(self) -> None:
        """See ``IMesh``."""
        self.neighbour = None
        self._hub.settle(self.name, None)

    def entered(self, account: int) -> None:
        """See ``IMesh``."""
        self._hub.hold(self.name, account, True)

    def left(self, account: int) -> None:
        """See ``IMesh``."""
        self._hub.hold(self.name, account, False)

    def publish(self, offers: Sequence[Offer]) -> None:
        """See ``IMesh``."""
        bundles: dict[str, list[Offer]] = {}
        for offer in offers:
            for to in self._hub.holders(offer.account, self.name):
                bundles.setdefault(to, []).append(offer)
        for to, bundle in bundles.items():
            self._carry_offers(to, bundle)

    def _carry_offers(self, to: str, bundle: list[Offer]) -> None:
        self._hub.carry(self.name, to, lambda node: node.offered(bundle))

    def mark(self, mark: Mark) -> None:
        """See ``IMesh``."""
        holders = self._hub.holders
        for to in {to for one in mark.told for to in holders(one, self.name)}:
            self._hub.carry(self.name, to, lambda node: node.marked(mark))

    def stream(self, message: Message) -> None:
        """See ``IMesh``."""
        for to in self._hub.holders(message.recipient.number, self.name):
            self._hub.carry(self.name, to, lambda node: node.streamed(message))

    def show(self, showings: Sequence[Showing]) -> None:
        """See ``IMesh``."""
        bundles: dict[str, list[Showing]] = {}
        for showing in showings:
            there: dict[str, list[int]] = {}
            for receiver in showing.receivers:
                for to in self._hub.holders(receiver, self.name):
                    there.setdefault(to, []).append(receiver)
            for to, receivers in there.items():
                mine = Showing(showing.appearance, tuple(receivers))
                bundles.setdefault(to, []).append(mine)
        for to, bundle in bundles.items():
            self._carry_showings(to, bundle)

    def _carry_showings(self, to: str, bundle: list[Showing]) -> None:
        self._hub.carry(self.name, to, lambda node: node.shown(bundle))

    def take_over(self, partings: Sequence[Parting]) -> Deferred[Collection[int]]:
        """See ``IMesh``."""
        bundles: dict[str, list[Parting]] = {}
        for parting in partings:
            for to in self._hub.holders(parting.sender.number, self.name):
                bundles.setdefault(to, []).append(parting)

        def ask(to: str, bundle: list[Parting]) -> Deferred[Sequence[int] | None]:
            def question(node: INeighbour) -> Deferred[Sequence[int]]:
                return succeed(node.take_over(bundle))

            return self._hub.ask(self.name, to, question, PRESENT_SECONDS)

        asked = gatherResults([ask(to, bundle) for to, bundle in bundles.items()])
        return asked.addCallback(lambda found: {*chain(*(one or () for one in found))})

    def attends(self, parting: Parting) -> None:
        """See ``IMesh``."""
        self._hub.attends(self.name, parting)

    def bequeath(self, partings: Sequence[Parting]) -> None:
        """See ``IMesh``."""
        for to in self._hub.others(self.name):
            if partings and self._hub.joined(self.name, to):
                self._hub.carry(self.name, to, lambda node: node.inherit(partings))
                return

    def announce(self, fact: Fact) -> None:
        """See ``IMesh``."""
        for to in self._hub.others(self.name):
            self._hub.carry(self.name, to, lambda node: node.told(fact))

    def turn(self, account: int) -> Deferred[EndTurn]:
        """See ``IMesh``."""
        hub, name, owner = self._hub, self.name, self._hub.owner(account)
        if owner is None or not hub.joined(name, owner):
            return succeed(lambda: None)

        def give_back(turn: int | None) -> None:
            if turn is not None:
                hub.carry(name, owner, lambda node: node.returned(turn))

        asked = hub.ask(
            name, owner, lambda node: node.lend(account), TURN_SECONDS, give_back
        )
        return asked.addCallback(lambda turn: lambda: give_back(turn))

    def present(self, account: int) -> Deferred[Sequence[Presence]]:
        """See ``IMesh``."""

        def question(node: INeighbour) -> Deferred[Sequence[Presence]]:
            return succeed(node.present(account))

        answers = self._ask_holders(account, question, PRESENT_SECONDS)
        return answers.addCallback(
            lambda found: [*chain(*(one for one in found if one is not None))]
        )

    def settle(self, account: int, over: Sequence[str]) -> Deferred[None]:
        """See ``IMesh``."""

        def question(node: INeighbour) -> Deferred[None]:
            return node.settle(account, over)

        answers = self._ask_holders(account, question, SETTLE_SECONDS)
        return answers.addCallback(lambda _: None)

    def others(self) -> Collection[str]:
        """See ``IMesh``."""
        hub, name = self._hub, self.name
        return [to for to in hub.others(name) if hub.joined(name, to)]

    def holders(self, number: int) -> Collection[str]:
        """See ``IMesh``."""
        hub, name = self._hub, self.name
        return [to for to in hub.holders(number, name) if hub.joined(name, to)]

    def ship(self, to: str, freight: Freight) -> None:
        """See ``IMesh``."""
        name = self.name
        octets = sum(
            len(one.body if isinstance(one, Piece) else one.octets)
            for one in freight.goods
        )
        self._hub.carry(name, to, lambda node: node.shipped(name, freight), octets)

    def repay(self, to: str, stream: int, upto: int) -> None:
        """See ``IMesh``."""
        name = self.name
        self._hub.carry(name, to, lambda node: node.repaid(name, stream, upto))

    def live(self, room: int) -> Deferred[Sequence[LiveSeen]]:
        """See ``IMesh``."""

        def question(node: INeighbour) -> Deferred[list[LiveSeen]]:
            seen = node.live(room)
            return succeed([] if seen is None else [seen])

        def ask(to: str) -> Deferred[list[LiveSeen] | None]:
            return self._hub.ask(self.name, to, question, PRESENT_SECONDS)

        asked = gatherResults([ask(to) for to in self.others()])
        return asked.addCallback(lambda found: [*chain(*(one or () for one in found))])

    def _ask_holders(
        self,
        account: int,
        question: Callable[[INeighbour], Deferred[R]],
        seconds: float,
    ) -> Deferred[list[R | None]]:
        """Ask every other node with sessions of the account, as it is now."""
        holders = self._hub.holders(account, self.name)
        asked = [self._hub.ask(self.name, to, question, seconds) for to in holders]
        return self._hub.travel().addCallback(lambda _: gatherResults(asked))
