"""Puts the core of a node together and is the desk at which connections arrive."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from timtw.core.deferreds import deferred
from timtw.core.feeds.fanout import Fanout
from timtw.core.groups import GroupParts, MakeGroups
from timtw.core.keeping import Keeping
from timtw.core.live import LiveParts, MakeLive
from timtw.core.logins.accounts import Accounts
from timtw.core.logins.door import Door
from timtw.core.logins.passwords import Passwords
from timtw.core.logins.places import Places
from timtw.core.logins.tickets import Entropy
from timtw.core.neighbour import Neighbour
from timtw.core.office import Office
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.marking import Marking
from timtw.core.people.memberships import Memberships
from timtw.core.people.presence import Attendance
from timtw.core.people.profiles import Directory
from timtw.core.people.recipients import Recipients
from timtw.core.people.relating import Relating
from timtw.core.people.showing import Showings
from timtw.core.posting import Posting
from timtw.core.router import Router
from timtw.core.serving import Serving
from timtw.core.session import Session
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model import limits
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
        self._settings = settings
        self._entropy = entropy
        sessions = Sessions(
            clock.seconds,
            lambda account: self._showings.entered(account),
            lambda account, device: self._showings.left(account, device),
            Fanout(clock, mesh.entered, mesh.left),
        )
        self._router = Router(sessions, mesh, shard.messages, clock)
        presence, history, logins = (
            Gate(what, most, lambda: max(desk.waiting, shard.waiting))
            for what, most in (
                ("presence", limits.PRESENCE_WAITING),
                ("history", limits.HISTORY_WAITING),
                ("logins", limits.LOGINS_WAITING),
            )
        )
        now, accounts = clock.seconds, shard.accounts
        self._accounts = Accounts(
            accounts, passwords, settings, now, time_ns, entropy, logins
        )
        people = People(shard.accounts)
        self._live = live = make_live(
            LiveParts(people, sessions, mesh, settings, clock, entropy)
        )
        self.office = Office(shard.accounts, passwords, time_ns, self._router, live)
        places = Places(sessions, self._router, settings)
        bonds = Bonds(shard.relations, clock.seconds, mesh.has_peers)
        belongings = Belongings(shard.rooms, clock.seconds, mesh.has_peers)
        self._memberships = Memberships(
            sessions, belongings, shard.rooms, mesh.has_peers, clock
        )
        self._showings = Showings(
            sessions,
            Attendance(
                now,
                mesh.entered,
                mesh.left,
                mesh.attends,
                mesh.has_peers,
                not settings.presence_offline_block,
            ),
            people,
            bonds,
            belongings,
            mesh,
            presence,
            settings.write_to_anyone,
            clock,
            time_ns,
            entropy,
        )
        self._marking = Marking(
            people, bonds, belongings, shard.reads, self._router, history, clock
        )
        directory = Directory(
            accounts, bonds, self._router, settings, now, history, mesh.has_peers
        )
        self._neighbour = Neighbour(
            sessions, places, desk, bonds, directory, self._showings, live, clock
        )
        self._desk = desk
        self._door = Door(
            shard=shard,
            desk=desk,
            accounts=self._accounts,
            people=people,
            posting=Posting(
                Recipients(people, bonds, belongings, settings),
                desk,
                self._router,
                time_ns,
                entropy,
            ),
            relating=Relating(
                people,
                bonds,
                shard.relations,
                desk,
                self._router,
                now,
                time_ns,
                entropy,
            ),
            groups=make_groups(
                GroupParts(
                    people,
                    belongings,
                    shard.rooms,
                    desk,
                    self._router,
                    history,
                    now,
                    time_ns,
                    entropy,
                )
            ),
            serving=Serving(
                shard.messages, belongings, self._marking, settings, history
            ),
            directory=directory,
            marking=self._marking,
            showings=self._showings,
            live=live,
            sessions=sessions,
            places=places,
            router=self._router,
            settings=settings,
            clock=clock,
            entropy=entropy,
            time_ns=time_ns,
            server=int.from_bytes(entropy(4), "big") >> 1,
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
            self._marking.stop()
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
        return self._accounts.register(command, source)

    def issue_token(self, command: IssueToken, source: str) -> Deferred[str]:
        """See ``IFrontDesk``."""
        return self._accounts.issue_token(command, source)
