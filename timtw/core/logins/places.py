"""How many devices of an account are logged in, over all nodes.

docs/reference/protocol.md, section Devices. The rule is ``admission``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from timtw.core.logins.admission import Room, excess, room_for
from timtw.core.logins.turns import Turns
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model.errors import TooManyDevices
from timtw.model.interfaces import IRouter
from timtw.model.peers import Comer, Loser, Presence, SessionsEnd, TakenOver


@attrs.define(eq=False)
class Places:
    """Finds room for newcomers, makes it, and ends what is too much."""

    sessions: Sessions
    router: IRouter
    settings: Settings
    _turns: Turns = attrs.Factory(Turns)

    @asynccontextmanager
    async def turn(self, account: int) -> AsyncIterator[None]:
        """As long as this lasts nobody else lets devices of the account in."""
        await self._turns.take(account)
        try:
            end = await self.router.turn(account)
            try:
                yield
            finally:
                end()
        finally:
            self._turns.give_back(account)

    async def room_for(self, account: int, comer: Comer) -> Room:
        """
        Who has to go, here and on other nodes.

        What the newcomer has confirmed on lines to other nodes is stored when this
        returns, and those that it takes over have ended. Raises TooManyDevices.
        """
        elsewhere = await self.router.elsewhere(account)
        comebacks = self.sessions.comebacks
        try:
            room = room_for(
                comer,
                [*self.sessions.present(account), *elsewhere],
                self.settings,
                comebacks.may_take_over(account, comer),
                comebacks.is_loser(account, comer),
            )
        except TooManyDevices:
            if comebacks.is_loser(account, comer):
                self.router.announce(Loser(account, comer))
            raise
        if any(one.comer.device == comer.device for one in elsewhere):
            over = [one.connection for one in room.taken_over]
            await self.router.settle(account, over)
        return room

    def make(self, room: Room, account: int, comer: Comer) -> None:
        """Make room for a newcomer, wherever it was found."""
        self._end(room, account)
        if room.taken_over:
            self.router.announce(TakenOver(account, comer))

    async def tidy(self, account: int) -> None:
        """End the older devices where more are logged in than may be."""
        elsewhere = await self.router.elsewhere(account)
        present: list[Presence] = [*self.sessions.present(account), *elsewhere]
        self._end(excess(present, self.settings), account)

    def _end(self, room: Room, account: int) -> None:
        for one in room.taken_over:
            self.router.announce(SessionsEnd(account, one.connection, quiet=True))
        for one in room.displaced:
            self.router.announce(SessionsEnd(account, one.connection))
            self.router.announce(Loser(account, one.comer))
