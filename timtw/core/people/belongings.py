"""Rooms, and what accounts are to them, remembered until it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from twisted.internet.defer import Deferred

from timtw.core.people.known import Known
from timtw.core.people.roomlists import RoomLists
from timtw.model import limits
from timtw.model.peers import RoomChanged
from timtw.model.peoplestores import IRoomStore
from timtw.model.rooms import Belonging, Role, Room


class Belongings:
    """
    Rooms and belongings that were asked for lately.

    Attributes:
        rooms: Rooms by number. One that does not exist is asked for again each time.
        of: Belongings by the numbers of room and account, without their roles: what
            only some members may do, storage is asked about.
        lists: Who is in which room, and what rooms are.
    """

    def __init__(
        self, store: IRoomStore, now: Callable[[], float], has_peers: bool
    ) -> None:
        """``now`` counts seconds."""

        def read(key: tuple[int, int]) -> Deferred[Belonging]:
            return store.belonging(*key).addCallback(_without_role)

        self.lists = RoomLists(store, now, has_peers)
        self.rooms: Known[int, Room | None] = Known(
            store.room, limits.ROOMS_KNOWN, now, has_peers
        )
        self.of: Known[tuple[int, int], Belonging] = Known(
            read, limits.BELONGINGS, now, has_peers
        )

    async def room(self, number: int) -> Room | None:
        """
        The room of this number, dissolved or not.

        Raises StorageUnavailable.
        """
        return self.rooms.known(number) or await self.rooms.look_up(number)

    async def belonging(self, room: int, account: int) -> Belonging:
        """
        What an account is to a room.

        Raises StorageUnavailable.
        """
        key = (room, account)
        return self.of.known(key) or await self.of.look_up(key)

    async def fellows(self, account: int, others: Sequence[int]) -> set[int]:
        """
        Those of ``others`` who are in a room in which ``account`` is.

        Raises StorageUnavailable.
        """
        mine = set(await self.lists.rooms_of(account))
        found: set[int] = set()
        for other in others if mine else ():
            if not mine.isdisjoint(await self.lists.rooms_of(other)):
                found.add(other)
        return found

    def heed(self, change: RoomChanged) -> None:
        """A room has changed, or what an account is to it, or may have."""
        self.lists.heed(change)
        if change.account:
            self.of.forget((change.room, change.account))
        else:
            self.rooms.forget(change.room)


def _without_role(belonging: Belonging) -> Belonging:
    """Roles change many at once, and nobody writes or reads more for having one."""
    return attrs.evolve(belonging, role=Role.MEMBER)
