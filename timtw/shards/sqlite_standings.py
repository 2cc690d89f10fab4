"""How accounts stand, in SQLite: verifiers, versions, blocks, and the list of all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred

from timtw.model.idents import slot_of
from timtw.model.standing import Standing
from timtw.model.values import Account, AccountLine, Address
from timtw.shards import records
from timtw.shards.account_statements import AccountStatements
from timtw.shards.digests import slot_in
from timtw.shards.reader import ReadPool
from timtw.shards.sealing import IDENTITY, Sealer, account_context
from timtw.shards.statements import made
from timtw.shards.writer import Writer

VERIFIER_VERSION: Final = 1
"""The first verifier of an account; whatever ends its logins raises it."""

_LAST_SLOT: Final = slot_of(-1)
_FIRST_NEGATIVE: Final = slot_of(-(2**63))


class SqliteStandings:
    """The half of ``IAccountStore`` that is about verifiers, versions and blocks."""

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

    def verifier(self, name: str, domain: str) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Standing | None:
            row = self._row_of(connection, self._digests.account(name, domain))
            return None if row is None else self._stood(row)

        return self._read(operation)

    def standing(self, account: int) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""
        return self._read(lambda connection: self._standing(connection, account))

    def _standing(
        self, connection: sqlite3.Connection, account: int
    ) -> Standing | None:
        """The standing of an account, if it exists."""
        row = connection.execute(
            self._statements.read_standing, (slot_of(account), account)
        ).fetchone()
        return None if row is None else self._stood(row)

    def _stood(self, row: Any) -> Standing:
        """The standing of a row."""
        return Standing(self._account(*row[:4]), *row[4:])

    def set_verifier(
        self, account: int, verifier: str, version: int | None = None
    ) -> Deferred[bool]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> bool:
            standing = self._standing(connection, account)
            if standing is None or version not in (None, standing.version):
                return False
            self._write_standing(connection, standing, verifier=verifier)
            self._end_all(connection, account)
            return True

        return self._write(operation)

    def set_blocked(self, account: int, until: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            standing = self._standing(connection, account)
            if standing is not None:
                if not until and standing.blocked_until:
                    self._end_all(connection, account)
                self._write_standing(connection, standing, blocked_until=until)

        return self._write(operation)

    def end_proofs(self, account: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> None:
            standing = self._standing(connection, account)
            if standing is not None:
                self._write_standing(connection, standing)
                self._end_all(connection, account)

        return self._write(operation)

    def _write_standing(
        self, connection: sqlite3.Connection, standing: Standing, **changes: Any
    ) -> None:
        """Change the standing, and with every change its version."""
        new = attrs.evolve(standing, version=standing.version + 1, **changes)
        number = new.account.number
        connection.execute(
            self._statements.write_standing,
            (new.verifier, new.version, new.blocked_until, slot_of(number), number),
        )

    def _end_all(self, connection: sqlite3.Connection, account: int) -> None:
        """End the credentials of all devices."""
        connection.execute(
            self._statements.drop_credentials, (slot_of(account), account)
        )

    def listing(self, after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """See ``IAccountStore``."""

        def operation(connection: sqlite3.Connection) -> Sequence[AccountLine]:
            # Slots of negative numbers are the higher ones: two searches by key.
            rows: list[Any] = []
            ranges = [(slot_of(after) if after > 0 else 0, _FIRST_NEGATIVE - 1)]
            if after < 0:
                ranges.insert(0, (slot_of(after), _LAST_SLOT))
            for first, last in ranges:
                key = (first, last, after, limit - len(rows))
                rows += connection.execute(self._statements.read_listing, key)
            return [self._line(row) for row in rows]

        return self._read(operation)

    def _line(self, row: Any) -> AccountLine:
        """A line of the list, of a row."""
        number, _node, identity, _created, blocked = row
        opened = self._sealer.open(identity, account_context(IDENTITY, number))
        name = records.unpack_name(opened)
        return AccountLine(self._account(*row[:4]), name, blocked)
