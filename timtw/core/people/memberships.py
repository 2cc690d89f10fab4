"""Opens and closes rooms for the sessions of an account whose membership changes."""

from __future__ import annotations

from itertools import count

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from timtw.core.deferreds import background
from timtw.core.people.belongings import Belongings
from timtw.core.sessions import Sessions
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.peers import RoomChanged
from timtw.model.peoplestores import IRoomStore
from timtw.model.progress import RoomState
from timtw.model.rooms import Belonging


class Memberships:
    """Makes every change true for the sessions on this node.

    Where word of a change can be lost, what sessions read is compared with storage, of
    some accounts at each look. From the moment when word of a change has come nothing
    of the room goes out to the account's sessions, until storage has said what is true.
    """

    _log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        belongings: Belongings,
        rooms: IRoomStore,
        has_peers: bool,
        clock: IReactorTime,
    ) -> None:
        """``sessions`` hears of changes."""
        self._rooms = rooms
        self._has_peers = has_peers
        self._runs = False
        self._next: IDelayedCall | None = None
        self._account = 0
        sessions.membership_changed = self.heed
        self._sessions = sessions
        self._belongings = belongings
        self._clock = clock
        self._numbers = count(1)
        self._looks: dict[tuple[int, int], int] = {}

    def start(self) -> None:
        """Begin to compare."""
        self._runs = True
        self._compare_later()

    def stop(self) -> None:
        """Compare no more."""
        self._runs = False
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _compare_later(self) -> None:
        if self._has_peers and self._runs:
            self._next = self._clock.callLater(limits.LOOK_SECONDS, self._compare_now)

    def _compare_now(self) -> None:
        self._next = None
        background("memberships were not compared", self._compare(), self._log)

    async def _compare(self) -> None:
        """Compare what the sessions of the next accounts read with storage."""
        accounts = self._sessions.accounts()
        place = self._account if self._account < len(accounts) else 0
        some = accounts[place : place + limits.LOOK_MEMBERS]
        self._account = place + len(some)
        try:
            for account in some:
                true = set(await self._rooms.rooms_of(account))
                for session in self._sessions.of(account):
                    for room in true.symmetric_difference(session.rooms()):
                        self.heed(RoomChanged(room, account))
        finally:
            self._compare_later()

    def heed(self, change: RoomChanged) -> None:
        """What an account is to a room has changed, or may have."""
        self._belongings.heed(change)
        room, account = change.room, change.account
        sessions = self._sessions.of(account) if account else ()
        if not sessions:
            return
        for session in sessions:
            session.doubted(room)
        look = self._looks[room, account] = next(self._numbers)
        background("a membership", self._look(room, account, look), self._log)

    async def _look(self, room: int, account: int, look: int) -> None:
        """Find out what is true; of several looks the newest one counts."""
        key = (room, account)
        while True:
            try:
                belonging = await self._belongings.belonging(room, account)
            except StorageUnavailable:
                await deferLater(self._clock, limits.READ_AGAIN_SECONDS)
                if self._looks.get(key) != look:
                    return
                continue
            break
        if self._looks.get(key) == look:
            del self._looks[key]
            self._settle(room, account, belonging)

    def _settle(self, room: int, account: int, belonging: Belonging) -> None:
        """Tell the sessions of the account what is true."""
        for session in self._sessions.of(account):
            if belonging.is_member:
                joined = belonging.joined_seq
                session.belongs(RoomState(room, joined, joined))
            else:
                session.parted(room)
