"""The door of the node: lets sessions in, one at a time per account, and out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import attrs
from twisted.internet.interfaces import IReactorTime

from timtw.core.feeds.logreading import Surroundings
from timtw.core.feeds.reading import Reading
from timtw.core.logins.accounts import Accounts, Proven
from timtw.core.logins.places import Places
from timtw.core.logins.tickets import Entropy, new_credential
from timtw.core.logins.turnstile import Turnstile
from timtw.core.people.addresses import People
from timtw.core.people.marking import Marking
from timtw.core.people.profiles import Directory
from timtw.core.people.relating import Relating
from timtw.core.people.showing import Showings
from timtw.core.posting import Posting
from timtw.core.serving import Asker, Serving
from timtw.core.sessions import Leftover, Listener, Sessions
from timtw.core.settings import Settings
from timtw.core.wheel import Wheel
from timtw.model import limits
from timtw.model.commands import ChangePassword, LogIn, LogOut
from timtw.model.errors import StorageUnavailable, TimError
from timtw.model.events import Event, PasswordChanged
from timtw.model.interfaces import IGroups, ILive, IOutbox, IRouter
from timtw.model.peers import Comer, SessionsEnd
from timtw.model.posting import IPostingDesk
from timtw.model.progress import ReaderState
from timtw.model.stores import IShard, Reader
from timtw.model.values import Address, Device

OwnLogin: TypeAlias = LogOut | ChangePassword
"""What a client may ask about its own login."""


@attrs.frozen
class Admitted:
    """What a session knows once it is logged in.

    Args:
        left: What other connections of the same reader know better than storage.
        credential: A new resume credential, if the client asked for additions, has
            none yet, and it could be stored.
    """

    account: Address
    state: ReaderState
    left: tuple[Leftover, ...]
    credential: str | None


class Guest(Listener, Protocol):
    """A session on its way in or out."""

    owner: Address | None

    @property
    def is_gone(self) -> bool:
        """Whether the line has ended meanwhile."""

    @property
    def reader(self) -> bytes:
        """What storage calls its device; empty before the end of the login."""

    def hears(self, reading: Reading) -> None:
        """From now on what the registry tells goes to ``reading``."""


@attrs.define(eq=False)
class Door:
    """Admission of proven accounts, and what a session leaves behind."""

    shard: IShard
    desk: IPostingDesk
    accounts: Accounts
    people: People
    posting: Posting
    relating: Relating
    groups: IGroups
    serving: Serving
    directory: Directory
    marking: Marking
    showings: Showings
    live: ILive
    sessions: Sessions
    places: Places
    router: IRouter
    settings: Settings
    clock: IReactorTime
    entropy: Entropy
    time_ns: Callable[[], int]
    server: int
    now: Callable[[], float] = attrs.Factory(
        lambda self: self.clock.seconds, takes_self=True
    )
    wheel: Wheel = attrs.Factory(lambda self: Wheel(self.clock), takes_self=True)
    turnstile: Turnstile = attrs.Factory(lambda: Turnstile(limits.LOGINS_AT_ONCE))
    _guests: set[Guest] = attrs.Factory(set)

    def opened(self, guest: Guest) -> None:
        """A connection was made."""
        self._guests.add(guest)

    def closed(self, guest: Guest) -> None:
        """A connection was lost."""
        self._guests.discard(guest)

    @property
    def crowd(self) -> int:
        """How many connections there are, logged in or not."""
        return len(self._guests)

    @property
    def guests(self) -> tuple[Guest, ...]:
        """Every connection there is, logged in or not."""
        return tuple(self._guests)

    def readers(self) -> list[Reader]:
        """The devices that are logged in here."""
        return [
            (guest.owner.number, guest.reader)
            for guest in self._guests
            if guest.owner is not None and guest.reader
        ]

    async def admit(
        self, guest: Guest, outbox: IOutbox, command: LogIn, source: str
    ) -> Admitted | None:
        """
        Prove who it is, make room and register; ``None`` if the line has ended.

        Raises what ``Accounts.prove`` raises, TooManyDevices or StorageUnavailable.
        """
        proven = await self.accounts.prove(command, source)
        address = self.people.remember(proven.account)
        async with self.places.turn(address.number):
            return await self._admit(guest, outbox, command, proven)

    async def _admit(
        self, guest: Guest, outbox: IOutbox, command: LogIn, proven: Proven
    ) -> Admitted | None:
        address = proven.account.address
        comer = Comer(command.device, guest.source)
        room = await self.places.room_for(address.number, comer)
        others = self.sessions.of(address.number)
        if guest.is_gone:
            return None
        guest.hears(self._reading(address, outbox))
        guest.owner = address
        self.sessions.add(address, guest)
        try:
            state = await self.shard.readers.open(
                address.number, command.device, self.time_ns()
            )
            credential = None
            if command.additions and not proven.by_credential:
                credential = await self._credential_if_stored(address, command.device)
            await self.accounts.still_holds(proven)
        except BaseException:
            self._forget(guest)
            raise
        if guest.is_gone:
            return None
        self.places.make(room, address.number, comer)
        left = [one.left() for one in others if one.device == command.device]
        lost = self.sessions.pick_up(address.number, state.key)
        if lost is not None:
            left.append(lost)
        return Admitted(address, state, tuple(left), credential)

    def _reading(self, owner: Address, outbox: IOutbox) -> Reading:
        around = Surroundings(
            owner,
            outbox,
            self.shard.messages,
            self.shard.readers,
            self.desk,
            self.clock,
            self.now,
        )
        return Reading(around, self.router, self.sessions.fanout)

    def _forget(self, guest: Guest) -> Address | None:
        owner, guest.owner = guest.owner, None
        if owner is not None:
            self.sessions.remove(owner, guest)
        return owner

    def leaves(self, guest: Guest, reading: Reading) -> None:
        """A session has ended: keep what it had in flight for the next one."""
        left = reading.end()
        owner = self._forget(guest)
        if owner is not None and left is not None:
            key, leftover = left
            self.sessions.leave_behind(owner.number, key, leftover)

    async def manage(
        self, asker: Asker, guest: Guest, command: OwnLogin
    ) -> list[Event]:
        """
        Log out, or change the password, which logs out everybody else.

        Raises WrongOldPassword, TooFrequent or StorageUnavailable.
        """
        account = asker.address
        if isinstance(command, LogOut):
            await self.shard.accounts.drop_credentials(account.number, guest.device)
            guest.dismissed()
            return []
        proven = await self.accounts.change_password(account, command)
        self.router.announce(SessionsEnd(account.number, spared=guest.connection))
        if not asker.additions:
            return [PasswordChanged()]
        try:
            credential = await self._credential_if_stored(account, guest.device)
            await self.accounts.still_holds(proven)
        except TimError:
            # The password is changed all the same; the client has it at hand.
            return [PasswordChanged()]
        return [PasswordChanged(credential)]

    async def _credential_if_stored(
        self, account: Address, device: Device
    ) -> str | None:
        """
        A new resume credential, which ends the device's older one.

        ``None`` if it could not be stored: the client has its password at hand, and
        somebody can log in and read while the disk is full.
        """
        credential = new_credential(self.entropy)
        try:
            await self.shard.accounts.put_credential(
                account.number, device, credential, self.time_ns()
            )
        except StorageUnavailable:
            return None
        return credential
