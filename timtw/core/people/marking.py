"""Read marks: how far accounts have read, gathered, stored and told.

docs/reference/protocol.md, section 12.13. A mark is a state and in no log. Many are
stored in one transaction, which nothing waits for. Those of a room are told to the
reader alone: of N members who read each text, each would else be told N times.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from timtw.core.buckets import Buckets
from timtw.core.deferreds import background
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.policy import is_of, may_write_to, meets
from timtw.model import idents, limits
from timtw.model.commands import ListReadMarks, MarkRead
from timtw.model.errors import (
    BadParameter,
    Overloaded,
    StorageUnavailable,
    TimError,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Event, Marked, ReadMarksListed
from timtw.model.interfaces import IRouter
from timtw.model.progress import Read, ReadMark
from timtw.model.relations import Bond
from timtw.model.stores import IReadStore
from timtw.model.values import Address, Conversation


class Marking:
    """Keeps what is marked until it is stored, then tells whom it concerns."""

    _log = Logger()

    def __init__(
        self,
        people: People,
        bonds: Bonds,
        belongings: Belongings,
        store: IReadStore,
        router: IRouter,
        gate: Gate,
        clock: IReactorTime,
    ) -> None:
        """``gate`` is shut for lists when too much waits."""
        self._people = people
        self._bonds = bonds
        self._belongings = belongings
        self._store = store
        self._router = router
        self._gate = gate
        self._clock = clock
        self._marks = Buckets(limits.READ_MARKS_PER_MINUTE, clock.seconds)
        self._waiting: dict[tuple[int, Conversation], int] = {}
        self._timer: IDelayedCall | None = None
        self._is_storing = False
        self._runs = True

    async def mark(self, me: Address, command: MarkRead) -> list[Event]:
        """
        Keep a mark; it is told when it is stored.

        Raises BadParameter, UnknownAccount, PermissionDenied, TooFrequent, Overloaded
        or StorageUnavailable.
        """
        if command.mid <= 0:
            raise BadParameter("mid has to name a message")
        number = idents.number_of(command.peer)
        if number is None:
            raise UnknownAccount()
        refusal, seen = await self._may(me, number, command.of_room)
        if refusal is not None:
            raise refusal
        if not self._marks.of(me.number).take():
            raise TooFrequent()
        if command.mid <= seen:
            return []
        place = Conversation.between(me.number, number)
        key = (me.number, Conversation.of_room(number) if command.of_room else place)
        if key not in self._waiting and len(self._waiting) >= limits.READ_MARKS_WAITING:
            raise Overloaded()
        self._waiting[key] = max(command.mid, self._waiting.get(key, 0))
        self._store_after(limits.CURSOR_SECONDS)
        return []

    async def _may(
        self, me: Address, number: int, of_room: bool
    ) -> tuple[TimError | None, int]:
        """Why an account may not mark here; up to where it has read by being there."""
        if of_room:
            room = await self._belongings.room(number)
            if room is None or not is_of(me, room):
                return UnknownAccount(), 0
            belonging = await self._belongings.belonging(number, me.number)
            return may_write_to(room, belonging), belonging.joined_mid
        other = self._people.known(number) or await self._people.look_up(number)
        return UnknownAccount() if other is None else meets(me, other), 0

    def _store_after(self, seconds: float) -> None:
        is_busy = self._timer is not None or self._is_storing
        if self._waiting and self._runs and not is_busy:
            self._timer = self._clock.callLater(seconds, self._store_now)

    def _store_now(self) -> None:
        self._timer = None
        self._is_storing = True
        background("read marks were not stored", self._store_some(), self._log)

    async def _store_some(self) -> None:
        """Store what waits; what fails waits again."""
        keys = list(self._waiting)[: limits.READ_MARKS_AT_ONCE]
        taken = {key: self._waiting.pop(key) for key in keys}
        pause = 0.0
        try:
            marks = [Read(*key, mid) for key, mid in taken.items()]
            raised = await self._store.raised(marks)
            for read in raised:
                await self._tell(read)
        except StorageUnavailable:
            pause = limits.READ_AGAIN_SECONDS
            for key, mid in taken.items():
                self._waiting[key] = max(mid, self._waiting.get(key, 0))
        finally:
            self._is_storing = False
            self._store_after(pause)

    async def _tell(self, read: Read) -> None:
        """Tell the account's devices, and the other side unless there is a block."""
        place = read.conversation
        if place.is_of_room:
            belonging = await self._belongings.belonging(place.first, read.account)
            if belonging.is_member:
                self._router.mark(self._mark(read))
            return
        bond = await self._bonds.look_up(place)
        self._router.mark(self._mark(read, bond is Bond.BLOCKED))

    def _mark(self, read: Read, quiet: bool = True) -> ReadMark:
        """What is told of a mark."""
        place = read.conversation
        numbers = (read.account, place.peer_of(read.account))
        reader, other = (Address(n, idents.node_of(n)) for n in numbers)
        return ReadMark(reader, other, read.mid, read.last, quiet, place.is_of_room)

    async def of(self, me: Address, conversation: Conversation) -> list[Event]:
        """
        How far an account and, unless there is a block, the other side have read.

        Raises StorageUnavailable.
        """
        reads = await self._store.of(conversation)
        mine = [read for read in reads if read.account == me.number]
        if len(mine) < len(reads):
            bond = await self._bonds.look_up(conversation)
            reads = mine if bond is Bond.BLOCKED else reads
        return [Marked(self._mark(read)) for read in reads]

    async def listed(self, me: Address, command: ListReadMarks) -> list[Event]:
        """
        How far an account has read its conversations.

        Raises BadParameter, Overloaded or StorageUnavailable.
        """
        number: int | None = None
        if command.after is not None:
            number = idents.number_of(command.after)
            if number is None:
                raise BadParameter("this is no node")
        self._gate.enter()
        after: Conversation | None = None
        if number is not None:
            after = Conversation.between(me.number, number)
            if await self._belongings.room(number) is not None:
                after = Conversation.of_room(number)
        most = limits.READ_MARKS_LISTED
        found = await self._store.listed(me.number, after, most + 1)
        marks = [self._mark(read) for read in found[:most]]
        more = marks[-1].other.node if len(found) > most else None
        return [*(Marked(mark) for mark in marks), ReadMarksListed(more)]

    def stop(self) -> None:
        """Store what waits, if storage takes it."""
        self._runs = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        marks = [Read(*key, mid) for key, mid in self._waiting.items()]
        self._waiting.clear()
        if marks:
            background(
                "read marks were not stored", self._store.raised(marks), self._log
            )
