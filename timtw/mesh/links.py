"""What joins the nodes of a mesh in one process.

Hints travel in a later turn of the clock, as they would over a wire, and can be lost
on purpose: whatever goes over a link that is cut never arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from timtw.model.peers import INeighbour
from timtw.model.presence import Parting

_TRAVEL_SECONDS: Final = 0.001
R = TypeVar("R")


class Place(Protocol):
    """One node's place at a hub."""

    neighbour: INeighbour | None

    def isolate(self, links: Links) -> None:
        """The node has vanished: whatever it still does, ``links`` has nobody else."""


class Links:
    """What joins the nodes: the directory of accounts, and the links."""

    def __init__(self, clock: IReactorTime) -> None:
        """No nodes are joined."""
        self._clock = clock
        self._places: dict[str, Place] = {}
        self._holders: dict[int, set[str]] = {}
        self._attending: dict[str, dict[int, Parting]] = {}
        self._cut: set[frozenset[str]] = set()
        self._rate = 0.0
        self._free: dict[tuple[str, str], float] = {}

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
        self._places[name].isolate(Links(self._clock))
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

    def settle(self, name: str, place: Place | None) -> None:
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

    def narrow(self, octets_per_second: float) -> None:
        """From now on no link carries more of streams; all else goes behind them."""
        self._rate = octets_per_second

    def carry(
        self,
        origin: str,
        to: str,
        call: Callable[[INeighbour], None],
        octets: int = 0,
    ) -> None:
        """
        Call the node ``to`` in a later turn, unless the link is cut.

        Args:
            octets: What it weighs, where it is large.
        """

        def arrive() -> None:
            place = self._places.get(to)
            if place is not None and place.neighbour is not None:
                call(place.neighbour)

        if not self.joined(origin, to):
            return
        wait = _TRAVEL_SECONDS
        if self._rate:
            now = self._clock.seconds()
            free = max(now, self._free.get((origin, to), now)) + octets / self._rate
            self._free[origin, to] = free
            wait += free - now
        self._clock.callLater(wait, arrive)

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
