"""Who is in which room, and what rooms are, remembered until it changes.

Of all this only the rooms of an account decide a right: who may see presence
(``belongings``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from timtw.core.deferreds import deferred
from timtw.core.people.known import Known
from timtw.core.people.lookups import LookUps
from timtw.model import limits
from timtw.model.peers import RoomChanged
from timtw.model.peoplestores import IRoomStore
from timtw.model.rooms import Member, RoomProfile


class RoomLists:
    """Lists that were asked for lately; all that a change concerns is forgotten."""

    def __init__(
        self, store: IRoomStore, now: Callable[[], float], has_peers: bool
    ) -> None:
        """``now`` counts seconds."""
        self._store = store
        self._members: Known[int, Sequence[int]] = Known(
            self._read, limits.ROOM_LISTS, now, has_peers, _weight
        )
        self._rooms: Known[int, Sequence[int]] = Known(
            store.rooms_of, limits.ROOM_LISTS, now, has_peers, _weight
        )
        self._profiles: LookUps[int, RoomProfile] = LookUps(
            store.profiles,
            now,
            limits.BOND_SECONDS if has_peers else float("inf"),
            limits.ROOM_PROFILES_BYTES,
            limits.NODE_LIST,
            lambda profile: 500 + profile.info.weight,
        )

    async def members(self, room: int) -> Sequence[int]:
        """
        Who is in a room: its founder, managers, others.

        Raises StorageUnavailable.
        """
        return await self._members.look_up(room)

    async def rooms_of(self, account: int) -> Sequence[int]:
        """
        The rooms of an account.

        Raises StorageUnavailable.
        """
        return await self._rooms.look_up(account)

    async def profiles(self, rooms: Sequence[int]) -> Mapping[int, RoomProfile]:
        """
        What these rooms are; unknown and dissolved ones are left out.

        Raises StorageUnavailable.
        """
        return await self._profiles.look_up(rooms)

    def heed(self, change: RoomChanged) -> None:
        """A room has changed, or what an account is to it, or may have."""
        self._members.forget(change.room)
        self._profiles.forget(change.room)
        if change.account:
            self._rooms.forget(change.account)

    @deferred
    async def _read(self, room: int) -> Sequence[int]:
        """Who is in a room, read in pieces."""
        found: list[int] = []
        after: Member | None = None
        most = limits.MEMBERS_AT_ONCE
        while True:
            members = await self._store.members(room, after, most)
            found += [member.account for member in members]
            if len(members) < most:
                return found
            after = members[-1]


def _weight(listed: Sequence[int]) -> int:
    """How much a list is, also an empty one."""
    return 1 + len(listed)
