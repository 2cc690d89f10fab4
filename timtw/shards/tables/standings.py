"""How accounts stand, as operations: verifiers, versions, blocks, the list of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred

from timtw.model.idents import slot_of
from timtw.model.standing import Standing
from timtw.model.values import Account, AccountLine, Address
from timtw.shards import records
from timtw.shards.digests import slot_in
from timtw.shards.sealing import IDENTITY, Sealer, account_context
from timtw.shards.tables.account_statements import AccountStatements
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation, Rows, Run, all_of, first_of

VERIFIER_VERSION: Final = 1
"""The first verifier of an account; whatever ends its logins raises it."""

_LAST_SLOT: Final = slot_of(-1)
_FIRST_NEGATIVE: Final = slot_of(-(2**63))


class Standings:
    """The half of ``IAccountStore`` that is about verifiers, versions and blocks.

    Args:
        write: Carries out what changes something.
        read: Carries out what does not.
    """

    def __init__(
        self,
        write: Run,
        read: Run,
        sql: Sql,
        sealer: Sealer,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._write = write
        self._read = read
        self._sealer = sealer
        self._digests = sealer.digests
        self._entropy = entropy
        self._statements = sql.made(AccountStatements)

    def _row_of(self, digest: bytes) -> Operation[Any]:
        """The row of the account whose name has this digest, or ``None``."""
        return first_of(self._statements.find, (slot_in(digest), digest))

    def _rows(self, numbers: Sequence[int]) -> Operation[Rows]:
        """The rows of the accounts that exist among ``numbers``."""
        keys: list[int] = []
        for number in dict.fromkeys(numbers):
            keys += (slot_of(number), number)
        return all_of(self._statements.read_accounts, keys)

    def _account(
        self, number: int, node: str, identity: bytes, created: int
    ) -> Account:
        """The account of a row."""
        opened = self._sealer.open(identity, account_context(IDENTITY, number))
        return Account(Address(number, node, records.unpack_domain(opened)), created)

    def verifier(self, name: str, domain: str) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Standing | None]:
            row = yield from self._row_of(self._digests.account(name, domain))
            return None if row is None else self._stood(row)

        return self._read(operation)

    def standing(self, account: int) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""
        text = self._statements.read_standing
        return self._read(lambda: self._standing(text, account))

    def _standing(self, text: str, account: int) -> Operation[Standing | None]:
        """The standing of an account, if it exists."""
        row = yield from first_of(text, (slot_of(account), account))
        return None if row is None else self._stood(row)

    def _locked(self, account: int) -> Operation[Standing | None]:
        """The same; nobody else changes the account before the transaction ends."""
        return self._standing(self._statements.lock_standing, account)

    def _stood(self, row: Any) -> Standing:
        """The standing of a row."""
        return Standing(self._account(*row[:4]), *row[4:])

    def set_verifier(
        self, account: int, verifier: str, version: int | None = None
    ) -> Deferred[bool]:
        """See ``IAccountStore``."""

        def operation() -> Operation[bool]:
            standing = yield from self._locked(account)
            if standing is None or version not in (None, standing.version):
                return False
            yield from self._write_standing(standing, verifier=verifier)
            yield from self._end_all(account)
            return True

        return self._write(operation)

    def set_blocked(self, account: int, until: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            standing = yield from self._locked(account)
            if standing is not None:
                if not until and standing.blocked_until:
                    yield from self._end_all(account)
                yield from self._write_standing(standing, blocked_until=until)

        return self._write(operation)

    def end_proofs(self, account: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            standing = yield from self._locked(account)
            if standing is not None:
                yield from self._write_standing(standing)
                yield from self._end_all(account)

        return self._write(operation)

    def _write_standing(self, standing: Standing, **changes: Any) -> Operation[None]:
        """Change the standing, and with every change its version."""
        new = attrs.evolve(standing, version=standing.version + 1, **changes)
        number = new.account.number
        row = (new.verifier, new.version, new.blocked_until, slot_of(number), number)
        yield self._statements.write_standing, row

    def _end_all(self, account: int) -> Operation[None]:
        """End the credentials of all devices."""
        yield self._statements.drop_credentials, (slot_of(account), account)

    def listing(self, after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Sequence[AccountLine]]:
            # Slots of negative numbers are the higher ones: two searches by key.
            rows: Rows = []
            ranges = [(slot_of(after) if after > 0 else 0, _FIRST_NEGATIVE - 1)]
            if after < 0:
                ranges.insert(0, (slot_of(after), _LAST_SLOT))
            for first, last in ranges:
                key = (first, last, after, limit - len(rows))
                rows += yield self._statements.read_listing, key
            return [self._line(row) for row in rows]

        return self._read(operation)

    def _line(self, row: Any) -> AccountLine:
        """A line of the list, of a row."""
        number, _node, identity, _created, blocked = row
        opened = self._sealer.open(identity, account_context(IDENTITY, number))
        name = records.unpack_name(opened)
        return AccountLine(self._account(*row[:4]), name, blocked)
