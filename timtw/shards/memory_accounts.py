"""Accounts, tokens and credentials of the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from timtw.model.errors import NameTaken
from timtw.model.idents import node_of, number_in
from timtw.model.limits import READERS
from timtw.model.stores import IAccountStore
from timtw.model.values import Account, Address, Device, Profile, TokenGrant
from timtw.shards.digests import Digests, slot_in
from timtw.shards.repeats import NANOSECONDS

T = TypeVar("T")


class Submit(Protocol):
    """Carries out an operation later and in order."""

    def __call__(self, operation: Callable[[], T]) -> Deferred[T]:
        """Fires with what ``operation`` returns."""


@attrs.define(eq=False)
class _Entry:
    """An account with everything that belongs to it.

    Args:
        credentials: Of each device the digest of its credential, and since when.
    """

    account: Account
    verifier: str
    name: str | None = None
    credentials: dict[bytes, tuple[int, bytes]] = attrs.Factory(dict)


@implementer(IAccountStore)
class MemoryAccounts:
    """Accounts in dictionaries, found by the same digests as in a database."""

    def __init__(
        self,
        submit: Submit,
        digests: Digests,
        clock: IReactorTime,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._submit = submit
        self._clock = clock
        self._digests = digests
        self._entropy = entropy
        self._by_name: dict[bytes, _Entry] = {}
        self._by_number: dict[int, _Entry] = {}
        self._tokens: dict[str, tuple[int, TokenGrant]] = {}
        self._credentials: dict[bytes, int] = {}

    def register(
        self, name: str, domain: str, verifier: str, now: int
    ) -> Deferred[Account]:
        """See ``IAccountStore``."""

        def operation() -> Account:
            digest = self._digests.account(name, domain)
            if digest in self._by_name:
                raise NameTaken
            number = number_in(slot_in(digest), self._entropy(6))
            while number in self._by_number:
                number = number_in(slot_in(digest), self._entropy(6))
            account = Account(Address(number, node_of(number), domain), now)
            entry = _Entry(account, verifier)
            self._by_name[digest] = self._by_number[number] = entry
            return account

        return self._submit(operation)

    def verifier(self, name: str, domain: str) -> Deferred[tuple[Account, str] | None]:
        """See ``IAccountStore``."""

        def operation() -> tuple[Account, str] | None:
            entry = self._by_name.get(self._digests.account(name, domain))
            return None if entry is None else (entry.account, entry.verifier)

        return self._submit(operation)

    def find(self, name: str, domain: str) -> Deferred[Account | None]:
        """See ``IAccountStore``."""

        def operation() -> Account | None:
            entry = self._by_name.get(self._digests.account(name, domain))
            return None if entry is None else entry.account

        return self._submit(operation)

    def accounts(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Account]]:
        """See ``IAccountStore``."""
        return self._submit(
            lambda: {n: entry.account for n, entry in self._entries(numbers)}
        )

    def profiles(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
        """See ``IAccountStore``."""
        return self._submit(
            lambda: {
                n: Profile(entry.account, entry.name)
                for n, entry in self._entries(numbers)
            }
        )

    def _entries(self, numbers: Sequence[int]) -> list[tuple[int, _Entry]]:
        """The entries of the accounts that exist."""
        known = self._by_number
        return [(number, known[number]) for number in numbers if number in known]

    def set_name(self, account: int, name: str) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is not None:
                entry.name = name

        return self._submit(operation)

    def put_token(self, token: str, grant: TokenGrant, expires: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            self._forget_tokens(int(self._clock.seconds() * NANOSECONDS))
            self._tokens.pop(token, None)
            self._tokens[token] = (expires, grant)

        return self._submit(operation)

    def take_token(self, token: str, now: int) -> Deferred[TokenGrant | None]:
        """See ``IAccountStore``."""

        def operation() -> TokenGrant | None:
            expires, grant = self._tokens.pop(token, (0, None))
            return grant if expires > now else None

        return self._submit(operation)

    def _forget_tokens(self, now: int) -> None:
        """Drop the oldest tokens whose time is over; all live equally long."""
        while self._tokens:
            oldest, (expires, _grant) = next(iter(self._tokens.items()))
            if expires > now:
                break
            del self._tokens[oldest]

    def put_credential(
        self, account: int, device: Device, credential: str, now: int
    ) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is None:
                return
            key = self._digests.device(account, device)
            self._end(entry, key)
            digest = self._digests.credential(credential)
            entry.credentials[key] = (now, digest)
            self._credentials[digest] = account
            others = sorted(
                (since, other)
                for other, (since, _) in entry.credentials.items()
                if other != key
            )
            for _since, other in others[: max(0, len(others) - (READERS - 1))]:
                self._end(entry, other)

        return self._submit(operation)

    def credential(self, device: Device, credential: str) -> Deferred[Account | None]:
        """See ``IAccountStore``."""

        def operation() -> Account | None:
            digest = self._digests.credential(credential)
            account = self._credentials.get(digest)
            if account is None:
                return None
            entry = self._by_number[account]
            held = entry.credentials.get(self._digests.device(account, device))
            return entry.account if held and held[1] == digest else None

        return self._submit(operation)

    def drop_credentials(self, account: int, device: Device | None) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is None:
                return
            if device is None:
                for key in list(entry.credentials):
                    self._end(entry, key)
            else:
                self._end(entry, self._digests.device(account, device))

        return self._submit(operation)

    def _end(self, entry: _Entry, key: bytes) -> None:
        """End the credential of one device, if it has one."""
        held = entry.credentials.pop(key, None)
        if held is not None:
            self._credentials.pop(held[1], None)
