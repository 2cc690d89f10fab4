"""What the core asks of storage about accounts, relations and rooms.

``timtw.model.stores`` says what holds for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from timtw.model.profiles import About, Profile
from timtw.model.relations import Bond
from timtw.model.rooms import Belonging, Member, Room, RoomProfile
from timtw.model.standing import Standing
from timtw.model.values import Account, AccountLine, Conversation, Device, TokenGrant


class IAccountStore(Interface):
    """Accounts, their verifiers, tokens, credentials and profiles."""

    def register(name: str, domain: str, verifier: str, now: int) -> Deferred[Account]:
        """
        Make an account with a number of its own.

        Args:
            verifier: The hash that the password is checked with.
            now: Nanoseconds since 1970.

        Fails with NameTaken or StorageUnavailable.
        """

    def verifier(name: str, domain: str) -> Deferred[Standing | None]:
        """The standing of the account of that name, or ``None``."""

    def standing(account: int) -> Deferred[Standing | None]:
        """The standing of the account with this number, or ``None``."""

    def set_verifier(
        account: int, verifier: str, version: int | None = None
    ) -> Deferred[bool]:
        """
        Set a verifier, raise the version, end all credentials.

        Returns: ``False``, and nothing is done, if the version is no more ``version``.
        """

    def set_blocked(account: int, until: int) -> Deferred[None]:
        """
        Block until then (-1: for ever) or lift the block (0); raise the version.

        A credential from before a block stays known, so that its login can be told
        why it fails, and has ended when the block ends, by itself or not.
        """

    def end_proofs(account: int) -> Deferred[None]:
        """Raise the version and end all credentials."""

    def listing(after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """The next accounts behind the number ``after``, in the order of numbers."""

    def find(name: str, domain: str) -> Deferred[Account | None]:
        """The account of exactly that name, or ``None``."""

    def accounts(numbers: Sequence[int]) -> Deferred[Mapping[int, Account]]:
        """The accounts with these numbers; unknown ones are left out."""

    def put_token(token: str, grant: TokenGrant, expires: int) -> Deferred[None]:
        """Keep a token until ``expires``, nanoseconds since 1970."""

    def take_token(token: str, now: int) -> Deferred[TokenGrant | None]:
        """Take a token out: of two that take it at once, one gets it."""

    def put_credential(
        account: int, device: Device, credential: str, now: int
    ) -> Deferred[None]:
        """
        Keep the one resume credential of this device; an older one ends.

        More than ``READERS`` of one account: the oldest one ends.
        """

    def credential(
        device: Device, credential: str, now: int
    ) -> Deferred[Standing | None]:
        """The standing of whom this credential was given to on this very device."""

    def drop_credentials(account: int, device: Device | None) -> Deferred[None]:
        """End the credential of one device, or of all devices of the account."""

    def profiles(numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
        """The profiles of these accounts; unknown accounts are left out."""

    def change_profile(account: int, changes: About) -> Deferred[None]:
        """Set what ``changes`` sets, and keep everything else (``About.merged``)."""


class IRelationStore(Interface):
    """What accounts are to each other. Changed by ``IMessageStore.post``."""

    def bonds(pairs: Sequence[Conversation]) -> Deferred[Mapping[Conversation, Bond]]:
        """What the two accounts of each of these pairs are to each other."""

    def rosters(accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """The friends of each of these accounts, by number."""

    def blocked(account: int) -> Deferred[Sequence[int]]:
        """The accounts that an account blocks, by number."""

    def asking(account: int) -> Deferred[Sequence[int]]:
        """Who has asked this account and waits; at most ``RELATIONS`` of them."""

    def asked(account: int) -> Deferred[Sequence[int]]:
        """Whom this account has asked and has no answer from."""


class IRoomStore(Interface):
    """Rooms, and what accounts are to them; changed by ``IMessageStore.post``."""

    def room(number: int) -> Deferred[Room | None]:
        """The room with this number, dissolved or not, or ``None``."""

    def belonging(room: int, account: int) -> Deferred[Belonging]:
        """What an account is to a room, read afresh."""

    def rooms_of(account: int) -> Deferred[Sequence[int]]:
        """The rooms that an account is a member of, by number."""

    def blocked_rooms(account: int) -> Deferred[Sequence[int]]:
        """The rooms that an account blocks, by number."""

    def members(
        room: int, after: Member | None, limit: int
    ) -> Deferred[Sequence[Member]]:
        """
        The next members of a room: its founder, managers, others, each by number.

        Args:
            after: The last one of those before; ``None`` to begin.
        """

    def barred(room: int) -> Deferred[Sequence[int]]:
        """The accounts that a room bars, by number."""

    def profiles(rooms: Sequence[int]) -> Deferred[Mapping[int, RoomProfile]]:
        """What these rooms are; unknown and dissolved ones are left out."""
