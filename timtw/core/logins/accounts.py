"""Who somebody is: registration, tokens, and the proof at a login.

Unknown names and wrong passwords take the same path (docs/reference/protocol.md,
section Accounts). Nothing here knows of connections.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

import attrs
from twisted.internet.defer import Deferred

from timtw.core.buckets import Buckets
from timtw.core.deferreds import deferred
from timtw.core.logins import tickets
from timtw.core.logins.passwords import Passwords
from timtw.core.logins.remembered import Remembered
from timtw.core.overload import Gate
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import ChangePassword, IssueToken, LogIn, Register
from timtw.model.errors import (
    BadParameter,
    BadToken,
    NotServed,
    PermissionDenied,
    TooFrequent,
    WrongOldPassword,
    WrongPassword,
)
from timtw.model.peoplestores import IAccountStore
from timtw.model.standing import Standing
from timtw.model.values import Account, Address, TokenGrant


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _fits(text: str, limit: int) -> bool:
    return 0 < _octets(text) <= limit


def _is_sane_extend(extend: Mapping[str, str] | None) -> bool:
    if extend is None:
        return True
    size = sum(_octets(key) + _octets(value) for key, value in extend.items())
    return len(extend) <= limits.EXTEND_ENTRIES and size <= limits.EXTEND_BYTES


def check_new(name: str, password: str, domain: str) -> None:
    """Raise BadParameter if an account cannot be made with these."""
    if not _fits(name, limits.NAME_BYTES):
        raise BadParameter(f"a name has 1 to {limits.NAME_BYTES} bytes")
    if not is_password(password):
        raise BadParameter(f"a password has 1 to {limits.PASSWORD_BYTES} bytes")
    if domain and not _fits(domain, limits.NAME_BYTES):
        raise BadParameter(f"a domain has at most {limits.NAME_BYTES} bytes")


def is_password(password: str) -> bool:
    """Whether this may be anybody's password."""
    return _fits(password, limits.PASSWORD_BYTES)


@attrs.frozen
class Proven:
    """A login whose account is certain.

    Args:
        version: Of the account's standing when it was proven.
    """

    account: Account
    version: int
    by_credential: bool = False


class Accounts:
    """Registration and proof of identity."""

    def __init__(
        self,
        store: IAccountStore,
        passwords: Passwords,
        settings: Settings,
        now: Callable[[], float],
        time_ns: Callable[[], int],
        entropy: tickets.Entropy,
        gate: Gate,
    ) -> None:
        """``now`` counts seconds for limits, ``time_ns`` is the time of day."""
        self._store = store
        self._passwords = passwords
        self._settings = settings
        self._time_ns = time_ns
        self._entropy = entropy
        self._gate = gate
        self._remembered = Remembered(entropy, now)
        self._registers = Buckets(settings.registers_per_minute, now)
        self._logins = Buckets(settings.logins_per_minute, now)
        self._failures = Buckets(settings.failed_logins_per_minute, now)

    @deferred
    async def register(self, command: Register, source: str) -> Address:
        """See ``IFrontDesk.register``."""
        if not self._settings.register_open:
            raise NotServed("registration is closed")
        check_new(command.name, command.password, command.domain)
        self._gate.enter()
        if not self._registers.of(source).take():
            raise TooFrequent()
        verifier = await self._passwords.make(command.password)
        account = await self._store.register(
            command.name, command.domain, verifier, self._time_ns()
        )
        return account.address

    @deferred
    async def issue_token(self, command: IssueToken, source: str) -> str:
        """See ``IFrontDesk.issue_token``."""
        if not _is_sane_extend(command.extend):
            raise BadParameter("the extend map is too large")
        self._gate.enter()
        if not self._logins.of(source).take():
            raise TooFrequent()
        standing = await self._by_password(
            command.name, command.password, command.domain, source
        )
        if standing is None:
            raise WrongPassword()
        self._refuse_blocked(standing)
        token = tickets.new_token(self._entropy)
        lifetime = int(self._settings.token_seconds * 1_000_000_000)
        grant = TokenGrant(
            standing.account, command.name, command.extend, standing.version
        )
        await self._store.put_token(token, grant, self._time_ns() + lifetime)
        return token

    @deferred
    async def prove(self, command: LogIn, source: str) -> Proven:
        """
        The account that a login proves to be.

        Fails with PermissionDenied (wrong name or password, or a blocked account),
        BadToken, Overloaded, TooFrequent, BadParameter or StorageUnavailable.
        """
        resource = command.device.resource
        if resource and not _fits(resource, limits.DEVICE_BYTES):
            raise BadParameter(f"a resource has at most {limits.DEVICE_BYTES} bytes")
        if not (command.token or (command.name and command.password)):
            raise PermissionDenied()
        self._gate.enter()
        if not self._logins.of(source).take():
            raise TooFrequent()
        if command.token:
            proven = await self._by_ticket(command)
            if proven is not None:
                return proven
            if not (command.name and command.password):
                raise BadToken()
        standing = await self._by_password(
            command.name, command.password, command.domain, source
        )
        if standing is None:
            raise PermissionDenied()
        self._refuse_blocked(standing)
        return Proven(standing.account, standing.version)

    async def still_holds(self, proven: Proven) -> None:
        """
        Look again, once the session is in the registry.

        Whatever ends proofs and sessions raises the version first and looks at the
        registry afterwards, so that nobody slips in between.

        Raises PermissionDenied or StorageUnavailable.
        """
        standing = await self._store.standing(proven.account.number)
        if standing is None or standing.version != proven.version:
            raise PermissionDenied()

    def _refuse_blocked(self, standing: Standing) -> None:
        if standing.is_blocked(self._time_ns()):
            raise PermissionDenied("this account is blocked")

    async def _by_ticket(self, command: LogIn) -> Proven | None:
        if not tickets.is_sane(command.token):
            return None
        if tickets.is_credential(command.token):
            found = await self._store.credential(
                command.device, command.token, self._time_ns()
            )
            if found is None:
                return None
            self._refuse_blocked(found)
            return Proven(found.account, found.version, by_credential=True)
        grant = await self._store.take_token(command.token, self._time_ns())
        if grant is None:
            return None
        asked = (grant.name, grant.account.address.domain)
        if command.name and (command.name, command.domain) != asked:
            return None
        standing = await self._store.standing(grant.account.number)
        if standing is None:
            return None
        self._refuse_blocked(standing)
        if standing.version != grant.version:
            return None
        return Proven(grant.account, grant.version)

    async def _by_password(
        self, name: str, password: str, domain: str, source: str
    ) -> Standing | None:
        """
        The account's standing, or ``None`` after the same work for whatever is wrong.
        """
        if not (
            _fits(name, limits.NAME_BYTES)
            and is_password(password)
            and (not domain or _fits(domain, limits.NAME_BYTES))
        ):
            return None
        return await self._checked(
            (name, domain, source),
            lambda: self._store.verifier(name, domain),
            password,
        )

    async def _checked(
        self,
        who: Hashable,
        look: Callable[[], Deferred[Standing | None]],
        password: str,
    ) -> Standing | None:
        """
        What ``look`` finds if the password is right, else ``None``.

        An attempt counts as a failure of ``who`` until it has succeeded; else many at
        once would all be tried before the first of them is counted.
        """
        if not self._failures.of(who).take():
            raise TooFrequent()
        is_right: bool | None = None
        try:
            standing = await look()
            is_right = await self._is_right(standing, password)
        finally:
            if is_right is not False:
                self._failures.give_back(who)
        return standing if is_right else None

    async def _is_right(self, standing: Standing | None, password: str) -> bool:
        if standing is None:
            return await self._passwords.check(None, password)
        if self._remembered.knows(standing, password):
            return True
        is_right = await self._passwords.check(standing.verifier, password)
        if is_right:
            self._remembered.learn(standing, password)
        return is_right

    @deferred
    async def change_password(
        self, account: Address, command: ChangePassword
    ) -> Proven:
        """
        Set a new password; tokens and credentials end, sessions are the caller's.

        Fails with WrongOldPassword (also if somebody else was faster), TooFrequent or
        StorageUnavailable.
        """
        if not (is_password(command.old) and is_password(command.new)):
            raise WrongOldPassword()
        number = account.number
        standing = await self._checked(
            number, lambda: self._store.standing(number), command.old
        )
        if standing is None:
            raise WrongOldPassword()
        verifier = await self._passwords.make(command.new)
        if not await self._store.set_verifier(number, verifier, standing.version):
            raise WrongOldPassword()
        return Proven(standing.account, standing.version + 1)
