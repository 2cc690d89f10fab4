"""A mesh of nodes in one process, for tests of what must hold between nodes.

Hints travel in a later turn of the clock, as they would over a wire, and can be lost
on purpose: whatever goes over a link that is cut never arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from timtw.model.interfaces import Fact, IMesh, INeighbour, Offer, Presence
from timtw.model.limits import PRESENT_SECONDS
from timtw.model.values import DeliveredMark, Message

_TRAVEL_SECONDS: Final = 0.001


class Hub:
    """What joins the nodes: the directory of accounts, and the links."""

    def __init__(self, clock: IReactorTime) -> None:
        """A hub without nodes."""
        self._clock = clock
        self._places: dict[str, MemoryMesh] = {}
        self._holders: dict[int, set[str]] = {}
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

    def settle(self, name: str, place: MemoryMesh | None) -> None:
        """A node joins, or leaves if ``place`` is ``None``."""
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

        if frozenset((origin, to)) not in self._cut:
            self._clock.callLater(_TRAVEL_SECONDS, arrive)

    def ask(self, origin: str, to: str, account: int) -> Deferred[Sequence[Presence]]:
        """What the node ``to`` knows of an account; nothing over a link that is cut."""
        answer: Deferred[Sequence[Presence]] = Deferred()

        def arrive() -> None:
            place = self._places.get(to)
            found: Sequence[Presence] = ()
            if place is not None and place.neighbour is not None:
                found = place.neighbour.present(account)
            self._clock.callLater(_TRAVEL_SECONDS, answer.callback, found)

        if frozenset((origin, to)) in self._cut:
            self._clock.callLater(PRESENT_SECONDS, answer.callback, ())
        else:
            self._clock.callLater(_TRAVEL_SECONDS, arrive)
        return answer


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

    def mark(self, mark: DeliveredMark) -> None:
        """See ``IMesh``."""
        for to in self._hub.holders(mark.author.number, self._name):
            self._hub.carry(self._name, to, lambda node: node.marked(mark))

    def stream(self, message: Message) -> None:
        """See ``IMesh``."""
        for to in self._hub.holders(message.recipient.number, self._name):
            self._hub.carry(self._name, to, lambda node: node.streamed(message))

    def announce(self, fact: Fact) -> None:
        """See ``IMesh``."""
        for to in self._hub.others(self._name):
            self._hub.carry(self._name, to, lambda node: node.told(fact))

    def present(self, account: int) -> Deferred[Sequence[Presence]]:
        """See ``IMesh``."""
        holders = self._hub.holders(account, self._name)
        asked = [self._hub.ask(self._name, to, account) for to in holders]
        return gatherResults(asked).addCallback(lambda found: [*chain(*found)])
