"""What accounts ask about virtual rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from timtw.core.buckets import Buckets
from timtw.core.people.addresses import People
from timtw.model import limits
from timtw.model.commands import (
    AllowPush,
    EndLive,
    LiveCommand,
    OpenLive,
    Subscribe,
    Unsubscribe,
)
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    TooFrequent,
    Undefined,
    UnknownAccount,
)
from timtw.model.events import Event, LiveDone
from timtw.model.idents import number_of
from timtw.model.live import Ending, Flow, LiveRoom
from timtw.model.values import Address
from timtw.rooms.live.room import Room
from timtw.rooms.live.seat import Seat
from timtw.rooms.live.subscription import Subscription
from timtw.rooms.live.works import Works


class Registry(Protocol):
    """The virtual rooms that a node knows."""

    works: Works
    rooms: dict[int, Room]

    def new_number(self) -> int:
        """A number that no virtual room has."""

    def count(self, founder: int) -> tuple[int, int]:
        """How many rooms a founder has, and how many begin on this node."""

    def announce(self, known: LiveRoom) -> None:
        """Make a room, or a change of it, known to every node."""

    def end(self, room: Room, why: Ending) -> None:
        """End a room on every node."""

    async def ask(self, number: int) -> bool:
        """Ask the other nodes about a room; whether they knew more."""


class Requests:
    """Carries out what is asked."""

    def __init__(
        self, registry: Registry, people: People, rooms_of_account: int
    ) -> None:
        """
        Args:
            rooms_of_account: How many rooms one account may have.
        """
        self._registry = registry
        self._people = people
        self._most = rooms_of_account
        now = registry.works.clock.seconds
        self._steps = Buckets(limits.LIVE_ROOMS_PER_MINUTE, now)

    async def carry_out(self, seat: Seat, command: LiveCommand) -> Sequence[Event]:
        """See ``ISeat``."""
        if isinstance(command, OpenLive):
            return [LiveDone(command, self._open(seat.me.number, command.flow))]
        number = number_of(command.room)
        if number is None:
            raise BadParameter("this is no node of a virtual room")
        if isinstance(command, Unsubscribe):
            subscription = seat.subscriptions.pop(number, None)
            if subscription is not None:
                subscription.leave()
        elif isinstance(command, Subscribe):
            await self._subscribe(seat, number, command.binary)
        elif isinstance(command, AllowPush):
            await self._allow(seat.me, number, command)
        else:
            assert isinstance(command, EndLive)
            await self._end(seat.me.number, number)
        return [LiveDone(command, number)]

    def _open(self, me: int, flow: Flow) -> int:
        """Make a room."""
        registry = self._registry
        mine, begun_here = registry.count(me)
        if mine >= self._most:
            raise PermissionDenied(f"at most {self._most} virtual rooms of one account")
        if begun_here >= limits.LIVE_ROOMS:
            raise TooFrequent("this node has as many virtual rooms as it may have")
        self._step(me)
        number = registry.new_number()
        registry.announce(LiveRoom(number, me, flow, registry.works.mesh.name))
        return number

    async def _subscribe(self, seat: Seat, number: int, binary: bool) -> None:
        """Let a connection have what is pushed from now on."""
        room = await self._open_room(number)
        is_there = room is not None and await self._is_of(seat.me, room)
        if room is None or not is_there or room.closing:
            raise Undefined("there is no such virtual room")
        if seat.gone:
            return
        subscription = seat.subscriptions.get(number)
        if subscription is not None:
            if subscription.binary is not binary:
                room.switch(subscription)
            return
        if len(seat.subscriptions) >= limits.LIVE_SUBSCRIPTIONS:
            most = limits.LIVE_SUBSCRIPTIONS
            raise PermissionDenied(f"at most {most} virtual rooms on one connection")
        subscription = seat.subscriptions[number] = Subscription(room, seat, binary)
        room.enter(subscription)
        if not seat.takes:
            subscription.slow_down()

    async def _is_of(self, me: Address, room: Room) -> bool:
        """Whether a room exists for an account, which shares its founder's domain."""
        number, people = room.known.founder, self._people
        founder = people.known(number) or await people.look_up(number)
        return founder is not None and founder.domain == me.domain

    async def _allow(self, me: Address, number: int, command: AllowPush) -> None:
        """Let somebody push, or no longer."""
        peer = number_of(command.peer)
        if peer is None:
            raise BadParameter("this is no node of an account")
        await self._own(me.number, number)
        found = self._people.known(peer) or await self._people.look_up(peer)
        if found is None or found.domain != me.domain:
            raise UnknownAccount()
        # Others may have had their turn meanwhile.
        room = await self._own(me.number, number)
        pushers = room.known.pushers
        if peer == me.number or (peer in pushers) is command.allowed:
            return
        if command.allowed and len(pushers) >= limits.LIVE_PUSHERS:
            most = limits.LIVE_PUSHERS
            raise PermissionDenied(f"at most {most} accounts may push beside the own")
        self._step(me.number)
        changed = pushers | {peer} if command.allowed else pushers - {peer}
        version = room.known.version + 1
        self._registry.announce(
            attrs.evolve(room.known, pushers=changed, version=version)
        )

    async def _end(self, me: int, number: int) -> None:
        """End a room, behind what was pushed into it here."""
        room = await self._own(me, number)
        room.flush()
        room.closing = True
        if not room.drops:
            await self._registry.works.shipping.drained(number)
        if self._registry.rooms.get(number) is room:
            self._registry.end(room, Ending.REMOVED)

    async def _own(self, me: int, number: int) -> Room:
        """A room that somebody founded."""
        room = await self._open_room(number)
        if room is None:
            raise PermissionDenied("there is no such virtual room")
        if room.known.founder != me:
            raise PermissionDenied("only the founder of a virtual room may do this")
        return room

    async def _open_room(self, number: int) -> Room | None:
        """A room that has not ended, as far as any node knows."""
        rooms = self._registry.rooms
        if number not in rooms:
            await self._registry.ask(number)
        room = rooms.get(number)
        return None if room is None or room.closing else room

    def _step(self, me: int) -> None:
        if not self._steps.of(me).take():
            raise TooFrequent()
