"""Virtual rooms that end by themselves.

The node where a room has begun decides; while that one is gone, the first of those
that are left does. It ends a room that is idle, or without its founder if the operator
wants it so, but never while the founder is connected anywhere or may be on his way
back. The others drop what the deciding node does not know any more.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from timtw.core.deferreds import background
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model.limits import LIVE_LOOK_SECONDS, LIVE_LOOKED_AT, LIVE_STEP_SECONDS
from timtw.model.live import Ending
from timtw.rooms.live.room import Room
from timtw.rooms.live.works import Works


class Registry(Protocol):
    """The virtual rooms that a node knows."""

    works: Works
    rooms: dict[int, Room]

    def end(self, room: Room, why: Ending) -> None:
        """End a room on every node."""

    def drop(self, room: Room, why: Ending) -> None:
        """A room is not known here any more."""


class Ends:
    """Looks every few seconds."""

    _log = Logger()

    def __init__(
        self, registry: Registry, sessions: Sessions, settings: Settings
    ) -> None:
        """Nothing is looked for before ``start``."""
        self._registry = registry
        self._works = registry.works
        self._sessions = sessions
        self._settings = settings
        self._runs = False
        self._round: list[Room] = []
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """From now on look, as long as there is something to look for."""
        self._runs = True

    def wake(self) -> None:
        """There is something to look for."""
        if self._runs and self._call is None:
            self._call = self._works.clock.callLater(LIVE_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._runs = False
        self._round.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        """Look at some rooms; others come in between."""
        self._call = None
        if not self._round:
            self._works.shipping.look()
            self._round = list(self._registry.rooms.values())
        mesh = self._works.mesh
        others = set(mesh.others())
        first = min([mesh.name, *others])
        some = self._round[-LIVE_LOOKED_AT:]
        del self._round[-LIVE_LOOKED_AT:]
        for room in some:
            home = room.known.home
            decides = home if home == mesh.name or home in others else first
            if decides == mesh.name:
                self._decide(room)
            else:
                self._doubt(room, decides)
        if self._round:
            self._call = self._works.clock.callLater(LIVE_STEP_SECONDS, self._look)
        elif self._registry.rooms or len(self._works.shipping):
            self.wake()

    def _decide(self, room: Room) -> None:
        """See whether a room has to end."""
        if room.closing:
            return
        now = self._works.clock.seconds()
        if not room.is_ours or self._sessions.of(room.known.founder):
            # Who has just become the one that decides does not know how it was.
            room.is_ours = True
            room.founder_seen = now
        grace = self._settings.live_grace + LIVE_LOOK_SECONDS
        if now - room.founder_seen < grace or room.is_asked:
            return
        if self._settings.live_end_with_founder or self._is_idle(room):
            self._ask(room, self._end(room))

    def _doubt(self, room: Room, decides: str) -> None:
        """See whether the node that decides still knows a room."""
        now = self._works.clock.seconds()
        room.is_ours = False
        since = max(room.last, room.doubted)
        if now - since >= self._settings.live_idle and not room.is_asked:
            room.doubted = now
            self._ask(room, self._forget(room, decides))

    def _is_idle(self, room: Room) -> bool:
        now = self._works.clock.seconds()
        return now - room.last >= self._settings.live_idle

    def _ask(self, room: Room, asking: Coroutine[Any, Any, None]) -> None:
        room.is_asked = True
        background("the end of a virtual room was not decided", asking, self._log)

    async def _end(self, room: Room) -> None:
        """End a room, unless the founder or a publisher is on another node."""
        works, founder = self._works, room.known.founder
        try:
            there = await works.mesh.present(founder)
            seen = await works.mesh.live(room.number)
        finally:
            room.is_asked = False
        now = works.clock.seconds()
        if there or self._sessions.of(founder):
            room.founder_seen = now
            return
        room.last = max([room.last, *(now - one.silence for one in seen)])
        if self._registry.rooms.get(room.number) is not room or not self._runs:
            return
        if self._settings.live_end_with_founder:
            self._registry.end(room, Ending.FOUNDER_GONE)
        elif self._is_idle(room):
            self._registry.end(room, Ending.IDLE)

    async def _forget(self, room: Room, decides: str) -> None:
        """Drop a room that the node which decides does not know."""
        mesh = self._works.mesh
        try:
            seen = await mesh.live(room.number)
        finally:
            room.is_asked = False
        if decides in mesh.others() and decides not in {one.node for one in seen}:
            self._registry.drop(room, Ending.REMOVED)
