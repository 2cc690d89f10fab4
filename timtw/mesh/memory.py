"""A mesh of nodes in one process, for tests of what must hold between nodes.

Hints travel in a later turn of the clock, as they would over a wire, and can be lost
on purpose: whatever goes over a link that is cut never arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Final, TypeVar

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from timtw.model.limits import PRESENT_SECONDS, SETTLE_SECONDS, TURN_SECONDS
from timtw.model.peers import EndTurn, Fact, IMesh, INeighbour, Offer, Presence
from timtw.model.presence import Parting, Showing
from timtw.model.values import Mark, Message

_TRAVEL_SECONDS: Final = 0.001
R = TypeVar("R")


class Hub:
    """What joins the nodes: the directory of accounts, and the links."""

    def __init__(self, clock: IReactorTime) -> None:
        """A hub without nodes."""
        self._clock = clock
        self._places: dict[str, MemoryMesh] = {}
        self._holders: dict[int, set[str]] = {}
        self._attending: dict[str, dict[int, Parting]] = {}
        self._cut: set[frozenset[str]] = set()

    def place(self, name: str) -> MemoryMesh:
        """The mesh as the node ``name`` sees it."""
        return MemoryMesh(self, name)

    def cut(self, one: str, other: str) -> None:
        """Lose everything between two nodes from now on."""
        self._cut.add(frozenset((one, other)))

    def mend(self, one: str, other: str) -> None:
        """Lose nothing between two nodes any more."""
        self._cut.discard(frozenset((one, other)))
        there = {one, other}
        accounts = [
            account
            for account, holders in self._holders.items()
            if len(holders) > 1 and holders & there
        ]
        self.carry(one, one, lambda node: node.reunited(accounts))

    def vanish(self, name: str) -> None:
        """A node is there no more, without a word: others wait for its accounts."""
        self._places[name].isolate(Hub(self._clock))
        partings = self._attending.get(name, {})
        self.settle(name, None)
        bundles: dict[str, list[Parting]] = {}
        for account, parting in partings.items():
            heir = self.owner(account)
            if heir is not None:
                bundles.setdefault(heir, []).append(parting)
        for to, bundle in bundles.items():
            self._leave_to(to, bundle)

    def _leave_to(self, to: str, bundle: list[Parting]) -> None:
        self.carry(to, to, lambda node: node.inherit(bundle))

    def attends(self, name: str, parting: Parting) -> None:
        """A node has something to leave behind."""
        self._attending.setdefault(name, {})[parting.sender.number] = parting

    def settle(self, name: str, place: MemoryMesh | None) -> None:
        """A node joins, or leaves if ``place`` is ``None``."""
        self._attending.pop(name, None)
        if place is not None:
            self._places[name] = place
            return
        self._places.pop(name, None)
        for holders in self._holders.values():
            holders.discard(name)

    def hold(self, name: str, account: int, yes: bool) -> None:
        """A node has sessions of an account, or has none any more."""
        holders = self._holders.setdefault(account, set())
        if yes:
            holders.add(name)
            return
        self._attending.get(name, {}).pop(account, None)
        holders.discard(name)
        if not holders:
            del self._holders[account]

    def holders(self, account: int, but: str) -> Iterable[str]:
        """The other nodes with sessions of ``account``."""
        return sorted(self._holders.get(account, set()) - {but})

    def others(self, but: str) -> Iterable[str]:
        """All other nodes."""
        return sorted(set(self._places) - {but})

    def carry(self, origin: str, to: str, call: Callable[[INeighbour], None]) -> None:
        """Call the node ``to`` in a later turn, unless the link is cut."""

        def arrive() -> None:
            place = self._places.get(to)
            if place is not None and place.neighbour is not None:
                call(place.neighbour)

        if self.joined(origin, to):
            self._clock.callLater(_TRAVEL_SECONDS, arrive)

    def ask(
        self,
        origin: str,
        to: str,
        question: Callable[[INeighbour], Deferred[R]],
        seconds: float,
        late: Callable[[R], None] = lambda _: None,
    ) -> Deferred[R | None]:
        """
        Ask the node ``to``; ``None`` if nothing has come back after so many seconds.

        Args:
            late: Gets an answer that comes after that.
        """
        answer: Deferred[R | None] = Deferred()
        end = self._clock.callLater(seconds, answer.callback, None)

        def back(result: R) -> None:
            if end.active():
                end.cancel()
                answer.callback(result)
            else:
                late(result)

        def arrive(place: INeighbour) -> None:
            asked = question(place)
            _ = asked.addCallback(
                lambda result: self.carry(to, origin, lambda _: back(result))
            )

        self.carry(origin, to, arrive)
        return answer

    def owner(self, account: int) -> str | None:
        """The node that lends turns with an account: the same for all, by hashing."""

        def weight(name: str) -> bytes:
            return blake2b(f"{account}/{name}".encode()).digest()

        return max(self._places, key=weight, default=None)

    def travel(self) -> Deferred[None]:
        """Fires when something that begins now would arrive."""
        return deferLater(self._clock, _TRAVEL_SECONDS)

    def joined(self, one: str, other: str) -> bool:
        """Whether anything passes between two nodes."""
        return frozenset((one, other)) not in self._cut


@implementer(IMesh)
class MemoryMesh:
    """One node's view of a hub."""

    has_peers = True

    def __init__(self, hub: Hub, name: str) -> None:
        """Made by ``Hub.place``."""
        self._hub = hub
        self._name = name
        self.neighbour: INeighbour | None = None

    def join(self, neighbour: INeighbour) -> None:
        """See ``IMesh``."""
        self.neighbour = neighbour
        self._hub.settle(self._name, self)

    def isolate(self, hub: Hub) -> None:
        """The node has vanished: whatever it still does, ``hub`` has nobody else."""
        self._hub, self.neighbour = hub, None

    def leave(self) -> None:
        """See ``IMesh``."""
        self.neighbour = None
        self._hub.settle(self._name, None)

    def entered(self, account: int) -> None:
        """See ``IMesh``."""
        self._hub.hold(self._name, account, True)

    def left(self, account: int) -> None:
        """See ``IMesh``."""
        self._hub.hold(self._name, account, False)

    def publish(self, offers: Sequence[Offer]) -> None:
        """See ``IMesh``."""
        bundles: dict[str, list[Offer]] = {}
        for offer in offers:
            for to in self._hub.holders(offer.account, self._name):
                bundles.setdefault(to, []).append(offer)
        for to, bundle in bundles.items():
            self._carry_offers(to, bundle)

    def _carry_offers(self, to: str, bundle: list[Offer]) -> None:
        self._hub.carry(self._name, to, lambda node: node.offered(bundle))

    def mark(self, mark: Mark) -> None:
        """See ``IMesh``."""
        holders = self._hub.holders
        for to in {to for one in mark.told for to in holders(one, self._name)}:
            self._hub.carry(self._name, to, lambda node: node.marked(mark))

    def stream(self, message: Message) -> None:
        """See ``IMesh``."""
        for to in self._hub.holders(message.recipient.number, self._name):
            self._hub.carry(self._name, to, lambda node: node.streamed(message))

    def show(self, showings: Sequence[Showing]) -> None:
        """See ``IMesh``."""
        bundles: dict[str, list[Showing]] = {}
        for showing in showings:
            there: dict[str, list[int]] = {}
            for receiver in showing.receivers:
                for to in self._hub.holders(receiver, self._name):
                    there.setdefault(to, []).append(receiver)
            for to, receivers in there.items():
                mine = Showing(showing.appearance, tuple(receivers))
                bundles.setdefault(to, []).append(mine)
        for to, bundle in bundles.items():
            self._carry_showings(to, bundle)

    def _carry_showings(self, to: str, bundle: list[Showing]) -> None:
        self._hub.carry(self._name, to, lambda node: node.shown(bundle))

    def take_over(self, partings: Sequence[Parting]) -> Deferred[Collection[int]]:
        """See ``IMesh``."""
        bundles: dict[str, list[Parting]] = {}
        for parting in partings:
            for to in self._hub.holders(parting.sender.number, self._name):
                bundles.setdefault(to, []).append(parting)

        def ask(to: str, bundle: list[Parting]) -> Deferred[Sequence[int] | None]:
            def question(node: INeighbour) -> Deferred[Sequence[int]]:
                return succeed(node.take_over(bundle))

            return self._hub.ask(self._name, to, question, PRESENT_SECONDS)

        asked = gatherResults([ask(to, bundle) for to, bundle in bundles.items()])
        return asked.addCallback(lambda found: {*chain(*(one or () for one in found))})

    def attends(self, parting: Parting) -> None:
        """See ``IMesh``."""
        self._hub.attends(self._name, parting)

    def bequeath(self, partings: Sequence[Parting]) -> None:
        """See ``IMesh``."""
        for to in self._hub.others(self._name):
            if partings and self._hub.joined(self._name, to):
                self._hub.carry(self._name, to, lambda node: node.inherit(partings))
                return

    def announce(self, fact: Fact) -> None:
        """See ``IMesh``."""
        for to in self._hub.others(self._name):
            self._hub.carry(self._name, to, lambda node: node.told(fact))

    def turn(self, account: int) -> Deferred[EndTurn]:
        """See ``IMesh``."""
        hub, name, owner = self._hub, self._name, self._hub.owner(account)
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

    def _ask_holders(
        self,
        account: int,
        question: Callable[[INeighbour], Deferred[R]],
        seconds: float,
    ) -> Deferred[list[R | None]]:
        """Ask every other node with sessions of the account, as it is now."""
        holders = self._hub.holders(account, self._name)
        asked = [self._hub.ask(self._name, to, question, seconds) for to in holders]
        return self._hub.travel().addCallback(lambda _: gatherResults(asked))
