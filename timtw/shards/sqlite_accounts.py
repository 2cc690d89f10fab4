"""Accounts, tokens and credentials in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.errors import NameTaken
from timtw.model.idents import node_of, number_in, slot_of
from timtw.model.limits import READERS
from timtw.model.stores import IAccountStore
from timtw.model.values import Account, Address, Device, Profile, TokenGrant
from timtw.shards import records
from timtw.shards.digests import slot_in
from timtw.shards.reader import ReadPool
from timtw.shards.sealing import GRANT, IDENTITY, PROFILE, Sealer, account_context
from timtw.shards.statements import AccountStatements, made
from timtw.shards.writer import Writer

VERIFIER_VERSION = 1
"""The first verifier of an account; each change of the password raises it."""


@implementer(IAccountStore)
class SqliteAccounts:
    """Accounts as rows; names, domains and profiles are sealed in them."""

    def __init__(
        self,
        writer: Writer,
        reader: ReadPool,
        sealer: Sealer,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._write = writer.submit
        self._read = reader.submit
        self._sealer = sealer
        self._digests = sealer.digests
        self._entropy = entropy
        self._statements = made(AccountStatements)

    def register(
        self, name: str, domain: str, verifier: str, now: int
    ) -> Deferred[Account]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Account:
            digest = self._digests.account(name, domain)
            if self._row_of(connection, digest) is not None:
                raise NameTaken
            number = self._free_number(connection, slot_in(digest))
            node = node_of(number)
            identity = self._sealer.seal(
                records.pack_identity(name, domain), account_context(IDENTITY, number)
            )
            slot = slot_of(number)
            row = (slot, number, node, digest, identity)
            connection.execute(
                self._statements.insert_account,
                (*row, verifier, VERIFIER_VERSION, now),
            )
            return Account(Address(number, node, domain), now)

        return self._write(operation)

    def _free_number(self, connection: sqlite3.Connection, slot: int) -> int:
        """A number of this slot that no account has."""
        while True:
            number = number_in(slot, self._entropy(6))
            if not self._rows(connection, [number]):
                return number

    def _row_of(self, connection: sqlite3.Connection, digest: bytes) -> Any:
        """The row of the account whose name has this digest, or ``None``."""
        return connection.execute(
            self._statements.find, (slot_in(digest), digest)
        ).fetchone()

    def _rows(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> Any:
        """The rows of the accounts that exist among ``numbers``."""
        keys: list[int] = []
        for number in dict.fromkeys(numbers):
            keys += (slot_of(number), number)
        rows: list[Any] = []
        for text, parameters in self._statements.read_accounts.split(keys):
            rows += connection.execute(text, parameters)
        return rows

    def _account(
        self, number: int, node: str, identity: bytes, created: int
    ) -> Account:
        """The account of a row."""
        opened = self._sealer.open(identity, account_context(IDENTITY, number))
        return Account(Address(number, node, records.unpack_domain(opened)), created)

    def verifier(self, name: str, domain: str) -> Deferred[tuple[Account, str] | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> tuple[Account, str] | None:
            row = self._row_of(connection, self._digests.account(name, domain))
            return None if row is None else (self._account(*row[:4]), row[4])

        return self._read(operation)

    def find(self, name: str, domain: str) -> Deferred[Account | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Account | None:
            row = self._row_of(connection, self._digests.account(name, domain))
            return None if row is None else self._account(*row[:4])

        return self._read(operation)

    def accounts(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Account]]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Mapping[int, Account]:
            rows = self._rows(connection, numbers)
            return {row[0]: self._account(*row[:4]) for row in rows}

        return self._read(operation)

    def profiles(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Mapping[int, Profile]:
            rows = self._rows(connection, numbers)
            return {row[0]: self._profile(row) for row in rows}

        return self._read(operation)

    def _profile(self, row: Any) -> Profile:
        """The profile of a row."""
        number, *_others, sealed = row
        account = self._account(*row[:4])
        if sealed is None:
            return Profile(account)
        opened = self._sealer.open(sealed, account_context(PROFILE, number))
        return Profile(account, records.unpack_profile(opened))

    def set_name(self, account: int, name: str) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            context = account_context(PROFILE, account)
            sealed = self._sealer.seal(records.pack_profile(name), context)
            connection.execute(
                self._statements.write_profile, (sealed, slot_of(account), account)
            )

        return self._write(operation)

    def put_token(self, token: str, grant: TokenGrant, expires: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            digest = self._digests.token(token)
            account = grant.account.number
            packed = records.pack_grant(grant.name, grant.extend)
            sealed = self._sealer.seal(packed, account_context(GRANT, account))
            connection.execute(
                self._statements.put_token,
                (slot_in(digest), digest, account, expires, sealed),
            )

        return self._write(operation)

    def take_token(self, token: str, now: int) -> Deferred[TokenGrant | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> TokenGrant | None:
            digest = self._digests.token(token)
            key = (slot_in(digest), digest)
            row = connection.execute(self._statements.read_token, key).fetchone()
            if row is None:
                return None
            connection.execute(self._statements.drop_token, key)
            number, expires, sealed = row
            rows = self._rows(connection, [number])
            if expires <= now or not rows:
                return None
            opened = self._sealer.open(sealed, account_context(GRANT, number))
            return TokenGrant(
                self._account(*rows[0][:4]), *records.unpack_grant(opened)
            )

        return self._write(operation)

    def put_credential(
        self, account: int, device: Device, credential: str, now: int
    ) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            if not self._rows(connection, [account]):
                return
            slot = slot_of(account)
            key = self._digests.device(account, device)
            digest = self._digests.credential(credential)
            connection.execute(
                self._statements.put_credential, (slot, account, key, digest, now)
            )
            held = connection.execute(
                self._statements.read_credentials, (slot, account)
            ).fetchall()
            others = sorted((since, other) for other, since in held if other != key)
            for _since, other in others[: max(0, len(others) - (READERS - 1))]:
                connection.execute(
                    self._statements.drop_credential, (slot, account, other)
                )

        return self._write(operation)

    def credential(self, device: Device, credential: str) -> Deferred[Account | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Account | None:
            digest = self._digests.credential(credential)
            found = connection.execute(
                self._statements.find_credential, (digest,)
            ).fetchone()
            if found is None or found[1] != self._digests.device(found[0], device):
                return None
            rows = self._rows(connection, [found[0]])
            return self._account(*rows[0][:4]) if rows else None

        return self._read(operation)

    def drop_credentials(self, account: int, device: Device | None) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            key = (slot_of(account), account)
            if device is None:
                connection.execute(self._statements.drop_credentials, key)
            else:
                of = self._digests.device(account, device)
                connection.execute(self._statements.drop_credential, (*key, of))

        return self._write(operation)
