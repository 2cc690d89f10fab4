"""Puts the core of a node together and is the desk at which connections arrive."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from timtw.core.deferreds import deferred
from timtw.core.feeds.fanout import Fanout
from timtw.core.groups import MakeGroups
from timtw.core.keeping import Keeping
from timtw.core.live import LiveParts, MakeLive
from timtw.core.logins.passwords import Passwords
from timtw.core.logins.tickets import Entropy
from timtw.core.neighbour import Neighbour
from timtw.core.office import Office
from timtw.core.parts import (
    Gates,
    Known,
    Outside,
    door_of,
    group_parts,
    showings_of,
)
from timtw.core.people.memberships import Memberships
from timtw.core.router import Router
from timtw.core.session import Session
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model.commands import IssueToken, Register
from timtw.model.errors import TooFrequent
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.peers import IMesh
from timtw.model.posting import IPostingDesk
from timtw.model.stores import IShard
from timtw.model.values import Address


@implementer(IFrontDesk)
class Core:
    """What a node does, between the wire, storage and the other nodes.

    Attributes:
        office: What operators do with accounts, an ``IOffice``.
    """

    def __init__(
        self,
        shard: IShard,
        desk: IPostingDesk,
        mesh: IMesh,
        passwords: Passwords,
        settings: Settings,
        clock: IReactorTime,
        entropy: Entropy,
        time_ns: Callable[[], int],
        make_groups: MakeGroups,
        make_live: MakeLive,
    ) -> None:
        """
        Args:
            entropy: Gives that many random bytes.
            time_ns: The time of day, nanoseconds since 1970.
        """
        outside = Outside(
            shard, desk, mesh, passwords, settings, clock, entropy, time_ns
        )
        known, gates = Known.of(outside), Gates.of(outside)
        self._settings, self._entropy, self._desk = settings, entropy, desk
        sessions = Sessions(
            clock.seconds,
            lambda account: self._showings.entered(account),
            lambda account, device: self._showings.left(account, device),
            Fanout(clock, mesh.entered, mesh.left),
        )
        self._router = router = Router(sessions, mesh, shard.messages, clock)
        self._memberships = Memberships(
            sessions, known.belongings, shard.rooms, mesh.has_peers, clock
        )
        self._showings = showings_of(outside, known, gates, sessions)
        self._live = make_live(
            LiveParts(known.people, sessions, mesh, settings, clock, entropy)
        )
        self.office = Office(shard.accounts, passwords, time_ns, router, self._live)
        self._door = door_of(
            outside,
            known,
            gates,
            sessions,
            router,
            self._showings,
            self._live,
            make_groups(group_parts(outside, known, gates, router)),
        )
        self._neighbour = Neighbour(
            sessions,
            self._door.places,
            desk,
            known.bonds,
            self._door.directory,
            self._showings,
            self._live,
            clock,
        )
        self._keeping = Keeping(shard, settings, self._door.readers, clock, time_ns)

    def start(self) -> None:
        """Join the other nodes, and begin to delete what is too old."""
        self._router.start(self._neighbour)
        self._memberships.start()
        self._live.start()
        self._keeping.start()

    @deferred
    async def stop(self) -> None:
        """
        Answer what is under way, end every session, store what they had confirmed.

        Cancelling it ends the sessions at once.
        """
        self._keeping.stop()
        self._memberships.stop()
        try:
            await self._desk.flush()
        finally:
            self._live.stop()
            for guest in self._door.guests:
                guest.hang_up()
            self._showings.stop()
            self._door.marking.stop()
            self._router.stop()
            self._neighbour.stop()
        await self._desk.flush()

    # IFrontDesk

    def open(self, outbox: IOutbox, source: str) -> ISession:
        """See ``IFrontDesk``."""
        if self._door.crowd >= self._settings.connections:
            raise TooFrequent("this node has as many connections as it may have")
        session = Session(outbox, source, self._door, self._entropy(8))
        self._door.opened(session)
        return session

    def register(self, command: Register, source: str) -> Deferred[Address]:
        """See ``IFrontDesk``."""
        return self._door.accounts.register(command, source)

    def issue_token(self, command: IssueToken, source: str) -> Deferred[str]:
        """See ``IFrontDesk``."""
        return self._door.accounts.issue_token(command, source)
