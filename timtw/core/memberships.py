"""Opens and closes rooms for the sessions of an account whose membership changes."""

from __future__ import annotations

from itertools import count

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from timtw.core.belongings import Belongings
from timtw.core.deferreds import background
from timtw.core.sessions import Sessions
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.peers import RoomChanged
from timtw.model.rooms import Belonging
from timtw.model.values import RoomState


class Memberships:
    """Makes every change true for the sessions on this node.

    From the moment when word of a change has come nothing of the room goes out to the
    account's sessions, until storage has said what is true now.
    """

    _log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        belongings: Belongings,
        clock: IReactorTime,
    ) -> None:
        """``sessions`` hears of changes."""
        sessions.membership_changed = self.heed
        self._sessions = sessions
        self._belongings = belongings
        self._clock = clock
        self._numbers = count(1)
        self._looks: dict[tuple[int, int], int] = {}

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
