"""The virtual rooms and parcels of one node, and what other nodes tell of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from zope.interface import implementer

from timtw.core.buckets import Buckets
from timtw.core.deferreds import deferred
from timtw.core.live import LiveParts
from timtw.model import limits
from timtw.model.commands import LiveCommand
from timtw.model.events import Event
from timtw.model.idents import number_of
from timtw.model.interfaces import ILive, IOutbox, ISeat
from timtw.model.live import (
    Ending,
    Freight,
    LiveFact,
    LiveReport,
    LiveRoom,
    LiveRoomGone,
    LiveRoomSet,
    LiveSeen,
    Parcel,
)
from timtw.model.values import Address
from timtw.rooms.live.ends import Ends
from timtw.rooms.live.parcels import Parcels
from timtw.rooms.live.requests import Requests
from timtw.rooms.live.room import Room
from timtw.rooms.live.seat import Seat
from timtw.rooms.live.shipping import Shipping
from timtw.rooms.live.works import Works


@implementer(ILive)
class Live:
    """All virtual rooms that a node knows: those of every node, by facts.

    Attributes:
        rooms: By number.
    """

    def __init__(self, parts: LiveParts) -> None:
        """There is none."""
        mesh, clock, settings = parts.mesh, parts.clock, parts.settings
        now = clock.seconds
        self.rooms: dict[int, Room] = {}
        shipping = Shipping(mesh, now, lambda: self._ends.wake())
        self.works = Works(clock, mesh, shipping)
        self._mesh = mesh
        self._entropy = parts.entropy
        self._ident = int.from_bytes(parts.entropy(6), "big")
        self._founders: Counter[int] = Counter()
        self._begun_here = 0
        pace = settings.live_bytes_per_second
        self._paces = Buckets(60 * pace, now, pace * limits.LIVE_PACE_SECONDS)
        self._questions = Buckets(limits.LIVE_QUESTIONS_PER_MINUTE, now)
        self._requests = Requests(self, parts.people, settings.live_rooms)
        self._parcels = Parcels(self.works, parts.sessions)
        self._ends = Ends(self, parts.sessions, settings)

    # ILive

    def start(self) -> None:
        """See ``ILive``."""
        self._ends.start()

    def stop(self) -> None:
        """See ``ILive``."""
        self._ends.stop()
        for room in tuple(self.rooms.values()):
            if room.known.home == self._mesh.name:
                self.end(room, Ending.NODE_STOPPED)

    def seat(
        self,
        me: Address,
        outbox: IOutbox,
        additions: bool,
        takes: bool,
        hold: Callable[[str, bool], None],
    ) -> ISeat:
        """See ``ILive``."""
        pace = self._paces.of(me.number)
        return Seat(self, me, outbox, additions, takes, hold, pace)

    def told(self, fact: LiveFact) -> None:
        """See ``ILive``."""
        if isinstance(fact, LiveRoomSet):
            self._learn(fact.room)
        else:
            room = self.rooms.get(fact.room)
            if room is not None:
                self.drop(room, fact.why)

    def shipped(self, origin: str, freight: Freight) -> None:
        """See ``ILive``."""
        goods = freight.goods
        if isinstance(goods[0], Parcel):
            self._parcels.arrived(origin, freight.stream, goods, freight.upto)
            return
        room = self.rooms.get(freight.stream)
        if room is None:
            self._mesh.repay(origin, freight.stream, freight.upto)
            return
        room.arrived(origin, goods, freight.upto, freight.dropped)

    def repaid(self, origin: str, stream: int, upto: int) -> None:
        """See ``ILive``."""
        self.works.shipping.repaid(origin, stream, upto)

    def live(self, room: int) -> LiveSeen | None:
        """See ``ILive``."""
        found = self.rooms.get(room)
        if found is None or found.closing:
            return None
        silence = self.works.clock.seconds() - found.last
        return LiveSeen(found.known, self._mesh.name, silence)

    def report(self) -> LiveReport:
        """See ``ILive``."""
        works = self.works
        lines = [room.line for room in self.rooms.values()]
        lines.sort(key=lambda line: (-line.subscribers, -line.sent, line.room.room))
        return LiveReport(
            works.pushed,
            works.sent,
            works.dropped,
            works.parcels,
            works.budget.octets,
            tuple(lines[: limits.LIVE_LISTED]),
        )

    # What seats ask.

    def next_ident(self) -> int:
        """See ``Host`` of ``timtw.rooms.live.seat``."""
        self._ident += 1
        return self._ident

    @deferred
    async def carry_out(self, seat: Seat, command: LiveCommand) -> Sequence[Event]:
        """See ``ISeat``."""
        return await self._requests.carry_out(seat, command)

    @deferred
    async def learn(self, account: int, room: str) -> bool:
        """See ``ISeat``."""
        number = number_of(room)
        if number is None or not self._mesh.has_peers:
            return False
        if not self._questions.of(account).take():
            return False
        return await self.ask(number)

    def send(self, seat: Seat, parcel: Parcel) -> None:
        """See ``ISeat``."""
        self._parcels.send(seat, parcel)

    # The rooms that are known.

    def new_number(self) -> int:
        """See ``Registry`` of ``timtw.rooms.live.requests``."""
        while True:
            number = int.from_bytes(self._entropy(8), "big", signed=True)
            if number not in (0, 1) and number not in self.rooms:
                return number

    def count(self, founder: int) -> tuple[int, int]:
        """See ``Registry``."""
        return self._founders[founder], self._begun_here

    def announce(self, known: LiveRoom) -> None:
        """See ``Registry``."""
        self._learn(known)
        self._mesh.announce(LiveRoomSet(known))

    def end(self, room: Room, why: Ending) -> None:
        """See ``Registry``."""
        self.drop(room, why)
        self._mesh.announce(LiveRoomGone(room.number, why))

    async def ask(self, number: int) -> bool:
        """See ``Registry``."""
        seen = await self._mesh.live(number)
        news = [self._learn(one.room) for one in seen]
        return any(news)

    def drop(self, room: Room, why: Ending) -> None:
        """A room is not known here any more."""
        if self.rooms.get(room.number) is not room:
            return
        del self.rooms[room.number]
        self._count(room.known, -1)
        room.end(why)

    def _learn(self, known: LiveRoom) -> bool:
        """Somebody knows this of a room; whether it is news."""
        room = self.rooms.get(known.room)
        if room is None:
            self.rooms[known.room] = Room(known, self.works)
            self._count(known, 1)
            self._ends.wake()
            return True
        if not known.is_newer(room.known):
            return False
        room.known = known
        return True

    def _count(self, known: LiveRoom, change: int) -> None:
        self._founders[known.founder] += change
        if not self._founders[known.founder]:
            del self._founders[known.founder]
        if known.home == self._mesh.name:
            self._begun_here += change
