"""What a node does with what other nodes send it."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from timtw.core.deferreds import background, deferred
from timtw.core.logins.places import Places
from timtw.core.logins.turns import LentTurns
from timtw.core.people.bonds import Bonds
from timtw.core.people.profiles import Directory
from timtw.core.people.showing import Showings
from timtw.core.sessions import Sessions
from timtw.model.interfaces import ILive
from timtw.model.live import Freight, LiveFact, LiveSeen
from timtw.model.peers import (
    Fact,
    INeighbour,
    Offer,
    Presence,
    ProfileSet,
    RelationChanged,
    SessionsEnd,
)
from timtw.model.posting import IPostingDesk
from timtw.model.presence import Parting, Showing
from timtw.model.progress import Mark
from timtw.model.values import Message


@implementer(INeighbour)
class Neighbour:
    """This node, as the others see it."""

    _log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        places: Places,
        desk: IPostingDesk,
        bonds: Bonds,
        directory: Directory,
        showings: Showings,
        live: ILive,
        clock: IReactorTime,
    ) -> None:
        """Nobody asks before the mesh is joined."""
        self._sessions = sessions
        self._places = places
        self._desk = desk
        self._bonds = bonds
        self._directory = directory
        self._showings = showings
        self._live = live
        self._lent = LentTurns(clock)

    def stop(self) -> None:
        """Nobody asks any more."""
        self._lent.stop()

    def offered(self, offers: Sequence[Offer]) -> None:
        """See ``INeighbour``."""
        self._sessions.offer(offers)

    def marked(self, mark: Mark) -> None:
        """See ``INeighbour``."""
        self._sessions.mark(mark)

    def streamed(self, message: Message) -> None:
        """See ``INeighbour``."""
        self._sessions.stream(message)

    def shown(self, showings: Sequence[Showing]) -> None:
        """See ``INeighbour``."""
        self._showings.shown(showings)

    def take_over(self, partings: Sequence[Parting]) -> Sequence[int]:
        """See ``INeighbour``."""
        return self._showings.take_over(partings)

    def inherit(self, partings: Sequence[Parting]) -> None:
        """See ``INeighbour``."""
        self._showings.inherit(partings)

    def told(self, fact: Fact) -> None:
        """See ``INeighbour``."""
        if isinstance(fact, RelationChanged):
            self._bonds.forget(fact.pair)
        elif isinstance(fact, ProfileSet):
            self._directory.forget(fact.account)
        elif isinstance(fact, LiveFact):
            self._live.told(fact)
        self._sessions.told(fact)

    @deferred
    async def lend(self, account: int) -> int:
        """See ``INeighbour``."""
        return await self._lent.lend(account)

    def returned(self, turn: int) -> None:
        """See ``INeighbour``."""
        self._lent.returned(turn)

    def present(self, account: int) -> Sequence[Presence]:
        """See ``INeighbour``."""
        return self._sessions.present(account)

    @deferred
    async def settle(self, account: int, over: Sequence[str]) -> None:
        """See ``INeighbour``."""
        for connection in over:
            self._sessions.dismiss(SessionsEnd(account, connection, quiet=True))
        await self._desk.flush()

    def shipped(self, origin: str, freight: Freight) -> None:
        """See ``INeighbour``."""
        self._live.shipped(origin, freight)

    def repaid(self, origin: str, stream: int, upto: int) -> None:
        """See ``INeighbour``."""
        self._live.repaid(origin, stream, upto)

    def live(self, room: int) -> LiveSeen | None:
        """See ``INeighbour``."""
        return self._live.live(room)

    def reunited(self, accounts: Sequence[int]) -> None:
        """See ``INeighbour``."""
        background("devices were not counted", self._tidy(accounts), self._log)

    async def _tidy(self, accounts: Sequence[int]) -> None:
        """One account after the other, so that logins come in between."""
        for account in accounts:
            await self._places.tidy(account)
