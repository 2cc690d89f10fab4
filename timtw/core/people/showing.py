"""Presence: who is told how somebody is, and that somebody has gone.

docs/reference/protocol.md, section 4.4. Nothing of it is stored. What is for other
nodes is gathered for ``PRESENCE_GATHER_SECONDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from timtw.core.buckets import Buckets
from timtw.core.deferreds import background
from timtw.core.logins.tickets import Entropy, MessageIdents
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.presence import (
    Attendance,
    Newest,
    fault,
    is_for_friends,
    may_see,
    named,
)
from timtw.core.serving import Asker
from timtw.core.sessions import Sessions
from timtw.model import idents, limits
from timtw.model.commands import ShowPresence
from timtw.model.errors import StorageUnavailable, TooFrequent
from timtw.model.events import Event
from timtw.model.peers import IMesh
from timtw.model.presence import Appearance, Parting, Showing, Version
from timtw.model.relations import Bond
from timtw.model.values import Address, Device


class Showings:
    """Brings appearances to the sessions that may see them, here and elsewhere."""

    _log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        attendance: Attendance,
        people: People,
        bonds: Bonds,
        belongings: Belongings,
        mesh: IMesh,
        gate: Gate,
        to_anyone: bool,
        clock: IReactorTime,
        time_ns: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        """``to_anyone`` is whether strangers may be shown something."""
        self._sessions = sessions
        self._attendance = attendance
        self._people = people
        self._bonds = bonds
        self._belongings = belongings
        self._mesh = mesh
        self._gate = gate
        self._to_anyone = to_anyone
        self._clock = clock
        self._time_ns = time_ns
        self._idents = MessageIdents(entropy)
        self._newest = Newest(clock.seconds)
        self._copies = Buckets(limits.PRESENCE_COPIES_PER_MINUTE, clock.seconds)
        self._counter = 0
        self._gathered: list[Showing] = []
        self._receivers = 0
        self._flush: IDelayedCall | None = None
        self._round: IDelayedCall | None = None
        self._is_going_round = False
        self._runs = True

    # What a client shows.

    async def show(self, who: Asker, command: ShowPresence) -> list[Event]:
        """
        Show what is asked to whom it is for and who may see it; nothing is answered.

        Raises BadParameter, UnknownAccount, TooFrequent, Overloaded or
        StorageUnavailable.
        """
        refusal = fault(command)
        if refusal is not None:
            raise refusal
        self._gate.enter()
        me = who.address
        receivers = await self._receivers_of(me, command)
        ident = command.ident
        appearance = Appearance(
            sender=me,
            device=who.device,
            ident=self._idents.next() if ident is None else ident,
            version=Version(who.session, self._count()),
            status=command.status,
        )
        audience = None if is_for_friends(command) else frozenset(receivers)
        if audience is None or audience:
            # Who has gone meanwhile is not shown any more.
            if not self._sessions.of(me.number):
                return []
            self._attendance.shows(Parting(me, who.device, who.session, audience))
        self.publish(Showing(appearance, tuple(receivers)))
        return []

    async def _receivers_of(self, me: Address, command: ShowPresence) -> Sequence[int]:
        """The accounts that are to see it and may."""
        if is_for_friends(command):
            friends = (await self._bonds.friends((me.number,)))[me.number]
            self._count_copies(me, len(friends))
            return friends
        wanted = [*(command.peers or ())]
        if command.peer is not None:
            wanted.append(command.peer)
        # All who are named count: each of them has to be looked up.
        self._count_copies(me, len(wanted))
        numbers = {node: idents.number_of(node) for node in wanted}
        found = await self._people.look_up_all(
            [number for number in numbers.values() if number is not None]
        )
        there = {
            node: number
            for node, number in numbers.items()
            if number in found and found[number].domain == me.domain
        }
        others = [there[node] for node in named(command, there)]
        bonds = await self._bonds.look_up_all(
            me.number, [number for number in others if number != me.number]
        )
        fellows: Collection[int] = ()
        strangers = [n for n, bond in bonds.items() if bond is Bond.STRANGERS]
        if strangers and not self._to_anyone:
            fellows = await self._belongings.fellows(me.number, strangers)
            # Somebody may have blocked meanwhile; what has not changed is at hand.
            bonds = await self._bonds.look_up_all(me.number, bonds)
        return [
            number
            for number, bond in bonds.items()
            if may_see(bond, self._to_anyone, number in fellows)
        ]

    def _count_copies(self, me: Address, copies: int) -> None:
        """Refuse what is too much for one account."""
        if not self._copies.of(me.number).take(max(1, copies)):
            raise TooFrequent()

    def _count(self) -> int:
        """A number that grows: for each session, and where two have one number."""
        self._counter = max(self._counter + 1, self._time_ns())
        return self._counter

    # Bringing it there.

    def publish(self, showing: Showing) -> None:
        """Show it here at once, and on other nodes with the next that is gathered."""
        if not self._newest.passes(showing.appearance):
            return
        self._sessions.show(showing)
        if not self._mesh.has_peers or not showing.receivers:
            return
        self._gathered.append(showing)
        self._receivers += len(showing.receivers)
        if self._receivers >= limits.PRESENCE_GATHERED:
            self._carry()
        elif self._flush is None:
            seconds = limits.PRESENCE_GATHER_SECONDS
            self._flush = self._clock.callLater(seconds, self._carry)

    def _carry(self) -> None:
        """Hand over what was gathered for other nodes."""
        if self._flush is not None and self._flush.active():
            self._flush.cancel()
        self._flush = None
        gathered, self._gathered, self._receivers = self._gathered, [], 0
        if gathered:
            self._mesh.show(gathered)

    def shown(self, showings: Iterable[Showing]) -> None:
        """Another node has something to show to sessions here."""
        for showing in showings:
            if self._newest.passes(showing.appearance):
                self._sessions.show(showing)

    # Who has gone.

    def entered(self, account: Address) -> None:
        """The account has its first session here."""
        self._attendance.came(account)

    def left(self, account: Address, device: Device) -> None:
        """The account's last session here has ended."""
        self._attendance.went(account, device)
        self._wait()

    def _wait(self) -> None:
        """See to those who have gone when the time of the first is over."""
        due = self._attendance.next_due()
        if due is None or not self._runs or self._round is not None:
            return
        if not self._is_going_round:
            # Many who go at about the same time are looked up together.
            wait = due + limits.PRESENCE_GATHER_SECONDS - self._clock.seconds()
            self._round = self._clock.callLater(max(0.0, wait), self._go_round)

    def _go_round(self) -> None:
        self._round = None
        self._is_going_round = True
        background("nobody was told who has gone", self._tell_due(), self._log)

    async def _tell_due(self) -> None:
        """Tell of some; the others have their turn after what has come meanwhile."""
        try:
            await self._tell_gone(self._attendance.due())
        finally:
            self._is_going_round = False
            self._wait()

    async def _tell_gone(self, partings: Sequence[Parting]) -> None:
        """Tell the friends of those who are gone from all nodes."""
        elsewhere: Collection[int] = ()
        if self._mesh.has_peers:
            elsewhere = await self._mesh.take_over(partings)
        gone: list[Parting] = []
        for parting in partings:
            number = parting.sender.number
            if self._is_back(number):
                continue
            if number in elsewhere or parting.audience == frozenset():
                self._attendance.gone(number)
            else:
                gone.append(parting)
        if not gone:
            return
        try:
            rosters = await self._bonds.friends(one.sender.number for one in gone)
        except StorageUnavailable:
            for parting in gone:
                if not self._is_back(parting.sender.number):
                    self._attendance.again(parting)
            return
        for parting in gone:
            number = parting.sender.number
            if not self._is_back(number):
                self._attendance.gone(number)
                self._tell(parting, rosters[number])

    def _is_back(self, number: int) -> bool:
        """Whether an account has come back here, or even gone again."""
        return bool(self._sessions.of(number)) or self._attendance.waits_for(number)

    def _tell(self, parting: Parting, friends: Sequence[int]) -> None:
        """Tell those of them to whom the account has shown itself."""
        audience = parting.audience
        if audience is not None:
            friends = [friend for friend in friends if friend in audience]
        appearance = Appearance(
            sender=parting.sender,
            device=parting.device,
            ident=self._idents.next(),
            version=Version(parting.session, self._count()),
            gone=True,
        )
        # The account itself too: who comes back at this moment can say so again.
        self.publish(Showing(appearance, (*friends, parting.sender.number)))

    def take_over(self, partings: Sequence[Parting]) -> list[int]:
        """Which of these accounts are here, or are waited for here."""
        return [one.sender.number for one in partings if self._inherit(one, True)]

    def inherit(self, partings: Sequence[Parting]) -> None:
        """A node stops; whoever was gone from it is waited for here."""
        for parting in partings:
            self._inherit(parting, False)
        self._wait()

    def _inherit(self, parting: Parting, ask: bool) -> bool:
        is_here = bool(self._sessions.of(parting.sender.number))
        return self._attendance.inherit(parting, is_here, ask)

    def stop(self) -> None:
        """Leave to other nodes whom this one waits for."""
        self._runs = False
        self._carry()
        if self._round is not None:
            self._round.cancel()
            self._round = None
        if self._mesh.has_peers:
            self._mesh.bequeath(self._attendance.all())
        self._attendance.end()
