"""Accounts in dictionaries: who there is, and how each of them stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from timtw.model.profiles import About
from timtw.model.standing import Standing
from timtw.model.values import Account, AccountLine, TokenGrant
from timtw.shards.digests import Digests

T = TypeVar("T")


class Submit(Protocol):
    """Carries out an operation later and in order."""

    def __call__(self, operation: Callable[[], T]) -> Deferred[T]:
        """Fires with what ``operation`` returns."""


@attrs.define(eq=False)
class Entry:
    """An account with everything that belongs to it.

    Args:
        credentials: Of each device the digest of its credential, and since when.
    """

    standing: Standing
    login_name: str
    about: About = About()
    credentials: dict[bytes, tuple[int, bytes]] = attrs.Factory(dict)

    @property
    def account(self) -> Account:
        """Whose it is."""
        return self.standing.account

    def stands(self, **changes: Any) -> None:
        """Change the standing, and with every change its version."""
        version = self.standing.version + 1
        self.standing = attrs.evolve(self.standing, version=version, **changes)


class MemoryStandings:
    """The half of ``IAccountStore`` that is about verifiers, versions and blocks."""

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
        self._by_name: dict[bytes, Entry] = {}
        self._by_number: dict[int, Entry] = {}
        self._tokens: dict[str, tuple[int, TokenGrant]] = {}
        self._credentials: dict[bytes, int] = {}

    def verifier(self, name: str, domain: str) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation() -> Standing | None:
            entry = self._by_name.get(self._digests.account(name, domain))
            return None if entry is None else entry.standing

        return self._submit(operation)

    def standing(self, account: int) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation() -> Standing | None:
            entry = self._by_number.get(account)
            return None if entry is None else entry.standing

        return self._submit(operation)

    def set_verifier(
        self, account: int, verifier: str, version: int | None = None
    ) -> Deferred[bool]:
        """See ``IAccountStore``."""

        def operation() -> bool:
            entry = self._by_number.get(account)
            if entry is None or version not in (None, entry.standing.version):
                return False
            entry.stands(verifier=verifier)
            self._end_all(entry)
            return True

        return self._submit(operation)

    def set_blocked(self, account: int, until: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is not None:
                if not until and entry.standing.blocked_until:
                    self._end_all(entry)
                entry.stands(blocked_until=until)

        return self._submit(operation)

    def end_proofs(self, account: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> None:
            entry = self._by_number.get(account)
            if entry is not None:
                entry.stands()
                self._end_all(entry)

        return self._submit(operation)

    def listing(self, after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """See ``IAccountStore``."""

        def operation() -> Sequence[AccountLine]:
            numbers = sorted(n for n in self._by_number if n > after)[:limit]
            return [
                AccountLine(
                    entry.account, entry.login_name, entry.standing.blocked_until
                )
                for _number, entry in self._entries(numbers)
            ]

        return self._submit(operation)

    def _entries(self, numbers: Sequence[int]) -> list[tuple[int, Entry]]:
        """The entries of the accounts that exist."""
        known = self._by_number
        return [(number, known[number]) for number in numbers if number in known]

    def _end_all(self, entry: Entry) -> None:
        """End the credentials of all devices."""
        for key in list(entry.credentials):
            self._end(entry, key)

    def _end(self, entry: Entry, key: bytes) -> None:
        """End the credential of one device, if it has one."""
        held = entry.credentials.pop(key, None)
        if held is not None:
            self._credentials.pop(held[1], None)
