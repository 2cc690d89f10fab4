"""One connection, as virtual rooms and parcels see it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from timtw.core.buckets import Bucket
from timtw.model.commands import LiveCommand, Push
from timtw.model.errors import PermissionDenied, TimError
from timtw.model.events import Event, ParcelCame, Streamed
from timtw.model.idents import number_of
from timtw.model.interfaces import IOutbox, ISeat
from timtw.model.limits import PIECE_BYTES
from timtw.model.live import Parcel, Piece
from timtw.model.values import Address
from timtw.rooms.live.letters import Letters
from timtw.rooms.live.room import Room
from timtw.rooms.live.subscription import Subscription
from timtw.rooms.live.valve import Valve
from timtw.rooms.live.works import Works

_NO_VALVES: Final[frozenset[Valve]] = frozenset()
"""Shared, as an empty set takes 216 bytes."""
_NO_STREAMS: Final[frozenset[int]] = frozenset()
"""See ``_NO_VALVES``."""


class Host(Protocol):
    """The node, as a seat sees it."""

    works: Works
    rooms: dict[int, Room]

    def next_ident(self) -> int:
        """A number for a piece."""

    def carry_out(self, seat: Seat, command: LiveCommand) -> Deferred[Sequence[Event]]:
        """See ``ISeat``."""

    def learn(self, account: int, room: str) -> Deferred[bool]:
        """See ``ISeat``."""

    def send(self, seat: Seat, parcel: Parcel) -> None:
        """See ``ISeat``."""


@implementer(ISeat)
class Seat:
    """One connection.

    Attributes:
        takes: Whether its line takes bytes at the moment.
        gone: Whether it has ended.
    """

    __slots__ = (
        "_behind",
        "_hold",
        "_host",
        "_letters",
        "_outbox",
        "_pace",
        "_place",
        "_rest",
        "_valves",
        "additions",
        "gone",
        "me",
        "offer",
        "subscriptions",
        "takes",
    )

    def __init__(
        self,
        host: Host,
        me: Address,
        outbox: IOutbox,
        additions: bool,
        takes: bool,
        hold: Callable[[str, bool], None],
        pace: Bucket,
    ) -> None:
        """
        Args:
            pace: How many octets the account may push; all its connections share it.
        """
        self._host = host
        self.me = me
        self.offer: Callable[[Event], bool] = outbox.offer
        self._outbox = outbox
        self.additions = additions
        self.takes = takes
        self.gone = False
        self.subscriptions: dict[int, Subscription] = {}
        self._hold = hold
        self._pace = pace
        self._rest: IDelayedCall | None = None
        self._valves = _NO_VALVES
        self._letters: Letters | None = None
        self._place = 0
        self._behind = _NO_STREAMS

    # ISeat

    def carry_out(self, command: LiveCommand) -> Deferred[Sequence[Event]]:
        """See ``ISeat``."""
        return self._host.carry_out(self, command)

    def push(self, command: Push) -> TimError | None:
        """See ``ISeat``."""
        body = command.body
        self._slow_down(len(body) + PIECE_BYTES)
        number = number_of(command.room)
        room = None if number is None else self._host.rooms.get(number)
        if room is None:
            return PermissionDenied("there is no such virtual room")
        if not room.may_push(self.me.number):
            return PermissionDenied("only the founder, and who is allowed to, pushes")
        ident = self._host.next_ident()
        room.push(Piece(room.number, self.me, body, command.dtype, ident))
        if not room.drops and room.number not in self._behind:
            self._behind |= {room.number}
        valve = room.valve
        if valve is not None and not self.gone:
            valve.hold(self)
        return None

    def learn(self, room: str) -> Deferred[bool]:
        """See ``ISeat``."""
        return self._host.learn(self.me.number, room)

    def send(self, parcel: Parcel) -> None:
        """See ``ISeat``."""
        self._slow_down(len(parcel.octets) + PIECE_BYTES)
        self._host.send(self, parcel)
        self._behind |= {parcel.recipient.number}

    def settled(self) -> Deferred[None] | None:
        """See ``ISeat``."""
        works = self._host.works
        works.flush()
        for stream in self._behind:
            if works.shipping.waits(stream):
                return works.shipping.drained(stream)
        self._behind = _NO_STREAMS
        return None

    def writable(self, now: bool) -> None:
        """See ``ISeat``."""
        self.takes = now
        if now:
            self._catch_up()
        else:
            for subscription in self.subscriptions.values():
                subscription.slow_down()

    def left(self) -> None:
        """See ``ISeat``."""
        self.gone = True
        self.takes = False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        for subscription in tuple(self.subscriptions.values()):
            subscription.leave()
        self.subscriptions.clear()
        for valve in self._valves:
            valve.forget(self)
        self._valves = _NO_VALVES
        if self._letters is not None:
            self._letters.leave()
            self._letters = None
        self._hold = _nothing
        self.offer = _deaf

    # What rooms tell.

    def hang_up(self) -> None:
        """End the line; its client comes back."""
        self._outbox.close()

    def held(self, valve: Valve, yes: bool) -> None:
        """See ``Sender`` of ``timtw.rooms.live.valve``."""
        self._valves = self._valves | {valve} if yes else self._valves - {valve}
        self._hold("stream", bool(self._valves))

    def forget(self, subscription: Subscription) -> None:
        """A room has ended and the client has been told."""
        del self.subscriptions[subscription.room.number]

    def give(self, parcel: Parcel, valve: Valve) -> None:
        """Bring a parcel to the client; ``valve`` is shut while too much waits."""
        self._bring(ParcelCame(parcel), len(parcel.octets) + PIECE_BYTES, valve)

    def tell(self, event: Streamed) -> None:
        """See ``ISeat``."""
        self._bring(event, event.message.content.weight + PIECE_BYTES, None)

    def _bring(self, event: Event, octets: int, valve: Valve | None) -> None:
        if self.takes and self._letters is None:
            self.offer(event)
            return
        if self._letters is None:
            self._letters = Letters(self, self._host.works.budget)
        self._letters.wait(event, octets, valve)

    # Catching up.

    def next_place(self) -> int:
        """The place of what comes now among all that waits."""
        self._place += 1
        return self._place

    def _catch_up(self) -> None:
        """Hand over what waits, in the order in which it came."""
        queues: list[Subscription | Letters] = [*self.subscriptions.values()]
        if self._letters is not None:
            queues.append(self._letters)
        heap = [(one.backlog.first, one) for one in queues if one.backlog]
        heapq.heapify(heap)  # No two have the same place.
        while heap and self.takes:
            one = heap[0][1]
            one.hand_over()
            if one.backlog:
                heapq.heapreplace(heap, (one.backlog.first, one))
            else:
                heapq.heappop(heap)
        for one in queues:
            one.settle()
        if self._letters is not None and not self._letters.backlog:
            self._letters = None

    # Pace.

    def _slow_down(self, octets: int) -> None:
        """Read nothing for so long that the account keeps to its pace."""
        wait = self._pace.overdraw(octets)
        if wait > 0 and self._rest is None and not self.gone:
            self._hold("pace", True)
            self._rest = self._host.works.clock.callLater(wait, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._hold("pace", False)


def _nothing(_why: str, _yes: bool) -> None:
    """Nobody is read from any more."""


def _deaf(_event: Event) -> bool:
    """Nobody hears any more."""
    return False
