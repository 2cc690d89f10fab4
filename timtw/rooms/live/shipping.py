"""Streams to other nodes: a link for each of them, over the mesh."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from timtw.model import limits
from timtw.model.live import Goods
from timtw.model.peers import IMesh
from timtw.rooms.live.credit import Link
from timtw.rooms.live.valve import Valve


class Shipping:
    """What goes to other nodes, with credit (``timtw.rooms.live.credit``)."""

    def __init__(
        self, mesh: IMesh, now: Callable[[], float], begun: Callable[[], None]
    ) -> None:
        """
        Args:
            begun: Told that there is something to ``look`` for.
        """
        self._begun = begun
        self._mesh = mesh
        self._now = now
        self._links: dict[str, Link] = {}
        self._valves: dict[tuple[str, int], Valve] = {}
        self._moved: dict[tuple[str, int], float] = {}
        self._drained: dict[int, list[Deferred[None]]] = {}

    def __len__(self) -> int:
        """Nodes to which something waits or is under way."""
        return len(self._links)

    def send(
        self, to: str, key: int, goods: Goods, octets: int, valve: Valve | None
    ) -> int:
        """
        Bring goods of a stream to a node; how many pieces were dropped for them.

        Args:
            valve: Is shut while too much waits; without one the oldest are dropped.
        """
        link = self._links.get(to)
        if link is None:
            link = self._links[to] = Link()
            self._begun()
        dropped = link.add(key, goods, octets, valve is None)
        self._moved.setdefault((to, key), self._now())
        self._go(to, link)
        if valve is not None and link.waiting(key) > limits.STREAM_WAITING_BYTES:
            self._valves[to, key] = valve
            valve.shut((to, key))
        return dropped

    def repaid(self, origin: str, key: int, upto: int) -> None:
        """A node has taken a stream up to here."""
        link = self._links.get(origin)
        if link is None or not link.repaid(key, upto):
            return
        self._moved[origin, key] = self._now()
        self._go(origin, link)
        self._relieve(origin, link, key)

    def waits(self, key: int) -> bool:
        """Whether something of a stream waits to go."""
        return any(link.waiting(key) for link in self._links.values())

    def drained(self, key: int) -> Deferred[None]:
        """Fires when nothing of a stream waits any more."""
        if not self.waits(key):
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._drained.setdefault(key, []).append(done)
        return done

    def forget(self, key: int) -> None:
        """The stream has ended: what waits will not go."""
        for to, link in tuple(self._links.items()):
            link.forget(key)
            self._relieve(to, link, key)

    def look(self) -> None:
        """Give up what was sent to nodes that are gone, or do not answer."""
        late = self._now() - limits.CREDIT_SECONDS
        others = self._mesh.others()
        for to, link in tuple(self._links.items()):
            for key in link.unpaid():
                if to not in others:
                    link.forget(key)
                elif self._moved[to, key] > late:
                    continue
                link.lost(key)
                self._moved[to, key] = self._now()
                self._go(to, link)
                self._relieve(to, link, key)

    def _go(self, to: str, link: Link) -> None:
        for freight in link.ready():
            self._mesh.ship(to, freight)

    def _relieve(self, to: str, link: Link, key: int) -> None:
        """Less of a stream waits for a node, or nothing at all."""
        if link.waiting(key) <= limits.STREAM_WAITING_BYTES // 2:
            valve = self._valves.pop((to, key), None)
            if valve is not None:
                valve.open((to, key))
        if not link.has(key):
            self._moved.pop((to, key), None)
            if not len(link):
                self._links.pop(to, None)
        if key in self._drained and not self.waits(key):
            for done in self._drained.pop(key):
                done.callback(None)
