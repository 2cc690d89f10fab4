"""Who accounts are: found by name, profiles read and changed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from timtw.core.buckets import Buckets
from timtw.core.overload import Gate
from timtw.core.people.bonds import Bonds
from timtw.core.people.lookups import LookUps
from timtw.core.people.policy import seen
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import ChangeProfile, FindAccount, ReadProfiles
from timtw.model.errors import BadParameter, NotServed, TooFrequent
from timtw.model.events import Event, ProfileChanged, Profiles
from timtw.model.idents import number_of
from timtw.model.interfaces import IRouter
from timtw.model.peers import ProfileSet
from timtw.model.peoplestores import IAccountStore
from timtw.model.profiles import About, Profile
from timtw.model.values import Address

_PROFILE_BYTES = 300
"""What a profile takes that is remembered, besides what is in it."""


class Directory:
    """Answers from profiles that are remembered until any node changes them."""

    def __init__(
        self,
        store: IAccountStore,
        bonds: Bonds,
        router: IRouter,
        settings: Settings,
        now: Callable[[], float],
        gate: Gate,
        has_peers: bool,
    ) -> None:
        """``now`` counts seconds."""
        self._store = store
        self._bonds = bonds
        self._router = router
        self._settings = settings
        self._gate = gate
        self._finds = Buckets(limits.FINDS_PER_MINUTE, now)
        self._known: LookUps[int, Profile] = LookUps(
            store.profiles,
            now,
            limits.BOND_SECONDS if has_peers else float("inf"),
            limits.PROFILES,
            limits.NODE_LIST,
            lambda profile: _PROFILE_BYTES + profile.about.weight,
        )

    async def find(self, me: Address, command: FindAccount) -> list[Event]:
        """
        The account of exactly this name, or nobody.

        Raises NotServed, BadParameter, Overloaded, TooFrequent or StorageUnavailable.
        """
        if not self._settings.find_by_name:
            raise NotServed("looking people up by name is switched off")
        if not command.name:
            raise BadParameter("a name is needed")
        self._gate.enter()
        if not self._finds.of(me.number).take():
            raise TooFrequent()
        account = await self._store.find(command.name, me.domain)
        numbers = () if account is None else (account.number,)
        return [Profiles(await self._profiles(me, numbers))]

    async def read(self, me: Address, command: ReadProfiles) -> list[Event]:
        """
        The profiles of accounts of the asker's domain; unknown nodes are left out.

        Raises Overloaded or StorageUnavailable.
        """
        self._gate.enter()
        numbers = [number_of(node) for node in command.nodes[: limits.NODE_LIST]]
        found = [number for number in numbers if number is not None]
        return [Profiles(await self._profiles(me, found))]

    async def _profiles(
        self, me: Address, numbers: Collection[int]
    ) -> tuple[Profile, ...]:
        """What an account sees of others."""
        found = await self._known.look_up(numbers)
        there = [
            profile
            for profile in found.values()
            if profile.account.address.domain == me.domain
        ]
        others = {profile.account.number for profile in there} - {me.number}
        bonds = await self._bonds.look_up_all(me.number, others)
        return tuple(seen(one, bonds.get(one.account.number)) for one in there)

    async def change(self, me: Address, command: ChangeProfile) -> list[Event]:
        """
        Change what is set.

        Raises BadParameter: something is too long. Raises Overloaded or
        StorageUnavailable.
        """
        refusal = command.about.fault()
        if refusal is not None:
            raise refusal
        if command.about != About():
            self._gate.enter()
            try:
                await self._store.change_profile(me.number, command.about)
            finally:
                # Also after a failure, whose transaction may have happened.
                self.forget(me.number)
                self._router.announce(ProfileSet(me.number))
        return [ProfileChanged(command)]

    def forget(self, account: int) -> None:
        """The profile has changed, or may have."""
        self._known.forget(account)
