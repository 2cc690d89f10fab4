"""Accounts, tokens and credentials of the engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.errors import NameTaken
from timtw.model.idents import node_of, number_in
from timtw.model.limits import READERS
from timtw.model.peoplestores import IAccountStore
from timtw.model.profiles import About, Profile
from timtw.model.standing import Standing
from timtw.model.values import (
    Account,
    Address,
    Device,
    TokenGrant,
)
from timtw.shards.digests import slot_in
from timtw.shards.memory.standings import Entry, MemoryStandings
from timtw.shards.repeats import NANOSECONDS

T = TypeVar("T")


@implementer(IAccountStore)
class MemoryAccounts(MemoryStandings):
    """Accounts in dictionaries, found by the same digests as in a database."""

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
            entry = Entry(Standing(account, verifier), name)
            self._by_name[digest] = self._by_number[number] = entry
            return account

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
                n: Profile(entry.account, entry.about)
                for n, entry in self._entries(numbers)
            }
        )

    def change_profile(self, account: int, changes: About) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is not None:
                entry.about = entry.about.merged(changes)

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

    def credential(
        self, device: Device, credential: str, now: int
    ) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation() -> Standing | None:
            digest = self._digests.credential(credential)
            account = self._credentials.get(digest)
            if account is None:
                return None
            entry = self._by_number[account]
            held = entry.credentials.get(self._digests.device(account, device))
            if held is None or held[1] != digest:
                return None
            return None if entry.standing.outlived(held[0], now) else entry.standing

        return self._submit(operation)

    def end_credential(self, account: int, key: bytes) -> None:
        """The device of this key is forgotten."""
        entry = self._by_number.get(account)
        if entry is not None:
            self._end(entry, key)

    def drop_credentials(self, account: int, device: Device | None) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is None:
                return
            if device is None:
                self._end_all(entry)
            else:
                self._end(entry, self._digests.device(account, device))

        return self._submit(operation)
