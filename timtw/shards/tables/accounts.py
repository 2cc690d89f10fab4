"""Accounts, tokens and credentials, as operations for every engine with tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.errors import NameTaken
from timtw.model.idents import node_of, number_in, slot_of
from timtw.model.limits import READERS
from timtw.model.peoplestores import IAccountStore
from timtw.model.profiles import About, Profile
from timtw.model.standing import Standing
from timtw.model.values import Account, Address, Device, TokenGrant
from timtw.shards import records
from timtw.shards.digests import slot_in
from timtw.shards.sealing import GRANT, IDENTITY, PROFILE, account_context
from timtw.shards.tables.operations import Operation, first_of
from timtw.shards.tables.standings import VERIFIER_VERSION, Standings


@implementer(IAccountStore)
class Accounts(Standings):
    """Accounts as rows; names, domains and profiles are sealed in them."""

    def register(
        self, name: str, domain: str, verifier: str, now: int
    ) -> Deferred[Account]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Account]:
            digest = self._digests.account(name, domain)
            if (yield from self._row_of(digest)) is not None:
                raise NameTaken
            number = yield from self._free_number(slot_in(digest))
            node = node_of(number)
            identity = self._sealer.seal(
                records.pack_identity(name, domain), account_context(IDENTITY, number)
            )
            slot = slot_of(number)
            row = (slot, number, node, digest, identity)
            written = (*row, verifier, VERIFIER_VERSION, now)
            yield self._statements.insert_account, written
            return Account(Address(number, node, domain), now)

        return self._write(operation)

    def _free_number(self, slot: int) -> Operation[int]:
        """A number of this slot that no account has."""
        while True:
            number = number_in(slot, self._entropy(6))
            if not (yield from self._rows([number])):
                return number

    def find(self, name: str, domain: str) -> Deferred[Account | None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Account | None]:
            row = yield from self._row_of(self._digests.account(name, domain))
            return None if row is None else self._account(*row[:4])

        return self._read(operation)

    def accounts(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Account]]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Mapping[int, Account]]:
            rows = yield from self._rows(numbers)
            return {row[0]: self._account(*row[:4]) for row in rows}

        return self._read(operation)

    def profiles(self, numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Mapping[int, Profile]]:
            rows = yield from self._rows(numbers)
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

    def change_profile(self, account: int, changes: About) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            context = account_context(PROFILE, account)
            key = (slot_of(account), account)
            found = yield from first_of(self._statements.lock_profile, key)
            if found is None:
                return
            about = changes
            if found[0] is not None:
                opened = self._sealer.open(found[0], context)
                about = records.unpack_profile(opened).merged(changes)
            sealed = self._sealer.seal(records.pack_profile(about), context)
            row = (sealed, slot_of(account), account)
            yield self._statements.write_profile, row

        return self._write(operation)

    def put_token(self, token: str, grant: TokenGrant, expires: int) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            digest = self._digests.token(token)
            account = grant.account.number
            packed = records.pack_grant(grant)
            sealed = self._sealer.seal(packed, account_context(GRANT, account))
            row = (slot_in(digest), digest, account, expires, sealed)
            yield self._statements.put_token, row

        return self._write(operation)

    def take_token(self, token: str, now: int) -> Deferred[TokenGrant | None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[TokenGrant | None]:
            digest = self._digests.token(token)
            key = (slot_in(digest), digest)
            row = yield from first_of(self._statements.lock_token, key)
            if row is None:
                return None
            yield self._statements.drop_token, key
            number, expires, sealed = row
            rows = yield from self._rows([number])
            if expires <= now or not rows:
                return None
            opened = self._sealer.open(sealed, account_context(GRANT, number))
            return records.unpack_grant(opened, self._account(*rows[0][:4]))

        return self._write(operation)

    def put_credential(
        self, account: int, device: Device, credential: str, now: int
    ) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            if (yield from self._locked(account)) is None:
                return
            slot = slot_of(account)
            key = self._digests.device(account, device)
            digest = self._digests.credential(credential)
            yield self._statements.put_credential, (slot, account, key, digest, now)
            held = yield self._statements.read_credentials, (slot, account)
            others = sorted((since, other) for other, since in held if other != key)
            for _since, other in others[: max(0, len(others) - (READERS - 1))]:
                yield self._statements.drop_credential, (slot, account, other)

        return self._write(operation)

    def credential(
        self, device: Device, credential: str, now: int
    ) -> Deferred[Standing | None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[Standing | None]:
            digest = self._digests.credential(credential)
            found = yield from first_of(self._statements.find_credential, (digest,))
            if found is None or found[1] != self._digests.device(found[0], device):
                return None
            text = self._statements.read_standing
            standing = yield from self._standing(text, found[0])
            if standing is None or standing.outlived(found[2], now):
                return None
            return standing

        return self._read(operation)

    def drop_credentials(self, account: int, device: Device | None) -> Deferred[None]:
        """See ``IAccountStore``."""

        def operation() -> Operation[None]:
            key = (slot_of(account), account)
            if device is None:
                yield self._statements.drop_credentials, key
            else:
                of = self._digests.device(account, device)
                yield self._statements.drop_credential, (*key, of)

        return self._write(operation)
