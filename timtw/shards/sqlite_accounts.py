"""Accounts, tokens and credentials in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.errors import NameTaken
from timtw.model.idents import node_of, number_in, slot_of
from timtw.model.limits import READERS
from timtw.model.standing import Standing
from timtw.model.stores import IAccountStore
from timtw.model.values import Account, Address, Device, Profile, TokenGrant
from timtw.shards import records
from timtw.shards.digests import slot_in
from timtw.shards.sealing import GRANT, IDENTITY, PROFILE, account_context
from timtw.shards.sqlite_standings import VERIFIER_VERSION, SqliteStandings


@implementer(IAccountStore)
class SqliteAccounts(SqliteStandings):
    """Accounts as rows; names, domains and profiles are sealed in them."""

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
            packed = records.pack_grant(grant)
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
            return records.unpack_grant(opened, self._account(*rows[0][:4]))

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

    def credential(
        self, device: Device, credential: str, now: int
    ) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Standing | None:
            digest = self._digests.credential(credential)
            found = connection.execute(
                self._statements.find_credential, (digest,)
            ).fetchone()
            if found is None or found[1] != self._digests.device(found[0], device):
                return None
            standing = self._standing(connection, found[0])
            if standing is None or standing.outlived(found[2], now):
                return None
            return standing

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
