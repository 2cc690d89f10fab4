"""What operators do with accounts, on a running node or on its storage alone.

Every operation changes storage first and ends sessions afterwards; a login that is
under way meanwhile looks at storage once more when it is in the registry of sessions
(``Accounts.still_holds``), so that none survives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from zope.interface import implementer

from timtw.core.deferreds import deferred
from timtw.core.logins.accounts import check_new, is_password
from timtw.core.logins.passwords import Passwords
from timtw.model import limits
from timtw.model.errors import BadParameter, UnknownAccount
from timtw.model.interfaces import ILive, IOffice, IRouter
from timtw.model.live import LiveReport
from timtw.model.peers import SessionsEnd
from timtw.model.peoplestores import IAccountStore
from timtw.model.values import AccountLine, Address

_FOR_EVER = -1
_SECOND = 1_000_000_000


@implementer(IOffice)
class Office:
    """Accounts by hand."""

    def __init__(
        self,
        store: IAccountStore,
        passwords: Passwords,
        time_ns: Callable[[], int],
        router: IRouter | None = None,
        live: ILive | None = None,
    ) -> None:
        """
        Args:
            time_ns: The time of day, nanoseconds since 1970.
            router: Ends sessions; ``None`` where no node runs on the storage.
            live: Has the streams; ``None`` likewise.
        """
        self._store = store
        self._passwords = passwords
        self._time_ns = time_ns
        self._router = router
        self._live = live

    @deferred
    async def add(self, name: str, password: str, domain: str) -> Address:
        """See ``IOffice``."""
        check_new(name, password, domain)
        verifier = await self._passwords.make(password)
        account = await self._store.register(name, domain, verifier, self._time_ns())
        return account.address

    @deferred
    async def set_password(self, name: str, domain: str, password: str) -> None:
        """See ``IOffice``."""
        if not is_password(password):
            raise BadParameter(f"a password has 1 to {limits.PASSWORD_BYTES} bytes")
        number = await self._number(name, domain)
        verifier = await self._passwords.make(password)
        await self._store.set_verifier(number, verifier)
        self._end_sessions(number)

    @deferred
    async def block(self, name: str, domain: str, seconds: int) -> None:
        """See ``IOffice``."""
        if not 0 <= seconds <= limits.BLOCK_SECONDS:
            raise BadParameter(f"a block lasts 0 to {limits.BLOCK_SECONDS} seconds")
        number = await self._number(name, domain)
        until = self._time_ns() + seconds * _SECOND if seconds else _FOR_EVER
        await self._store.set_blocked(number, until)
        self._end_sessions(number)

    @deferred
    async def unblock(self, name: str, domain: str) -> None:
        """See ``IOffice``."""
        await self._store.set_blocked(await self._number(name, domain), 0)

    @deferred
    async def kick(self, name: str, domain: str) -> None:
        """See ``IOffice``."""
        number = await self._number(name, domain)
        await self._store.end_proofs(number)
        self._end_sessions(number)

    @deferred
    async def accounts(self, after: int, limit: int) -> Sequence[AccountLine]:
        """See ``IOffice``."""
        now = self._time_ns()
        return [
            attrs.evolve(line, blocked_until=0)
            if 0 < line.blocked_until <= now
            else line
            for line in await self._store.listing(after, limit)
        ]

    def live(self) -> LiveReport:
        """See ``IOffice``."""
        return LiveReport() if self._live is None else self._live.report()

    async def _number(self, name: str, domain: str) -> int:
        account = await self._store.find(name, domain)
        if account is None:
            raise UnknownAccount("no account has this name")
        return account.number

    def _end_sessions(self, account: int) -> None:
        if self._router is not None:
            self._router.announce(SessionsEnd(account))
