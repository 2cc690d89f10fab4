"""What one connection reads of the rooms of its account.

Invariants
  1. of a room in which everything is confirmed, and nothing is on its way, one number
     is kept: how far that is. A reading is made when the room has something new.
  2. while a client of ours may still say how far it is, it is sent nothing
     (docs/decisions/004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger

from timtw.core.deferreds import background
from timtw.core.feeds.answers import Answers
from timtw.core.feeds.fanout import Fanout
from timtw.core.feeds.flights import NO_NUMBERS
from timtw.core.feeds.logreading import Surroundings
from timtw.core.feeds.paging import Pageable, Paging
from timtw.core.feeds.readturns import ReadTurns
from timtw.core.feeds.receipts import Receipts
from timtw.core.feeds.roomreading import RoomReading, stuck_number
from timtw.core.feeds.volleys import Salvo
from timtw.core.sessions import Leftover
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.events import EndOfBacklog, RoomNews, Streamed
from timtw.model.idents import node_of
from timtw.model.progress import CursorMove, ReaderState, RoomState
from timtw.model.values import Message

_Place: TypeAlias = int | RoomReading


class RoomFeeds:
    """The readings of one connection, by room.

    Attributes:
        answers: Who waits for which acknowledgement.
        turns: Whose turn it is to read from storage.
    """

    _log = Logger()

    __slots__ = (
        "_around",
        "_fanout",
        "_hold",
        "_inbox",
        "_is_paging_all",
        "_key",
        "_paging",
        "_places",
        "_unstored",
        "_whole",
        "_writable",
        "answers",
        "receipts",
        "turns",
    )

    def __init__(
        self,
        around: Surroundings,
        fanout: Fanout,
        inbox: Pageable,
        key: bytes,
        whole: bool,
        writable: bool,
    ) -> None:
        """
        Args:
            inbox: The account's own log, whose pages come before those of rooms.
            key: What storage calls the device.
            whole: Whether the client says how far it is before anything is sent.
        """
        self._around = around
        self._fanout = fanout
        self._inbox = inbox
        self._key = key
        self._whole = whole
        self._writable = writable
        self._places: dict[int, _Place] = {}
        self._paging = Paging(self._all_paged)
        self._is_paging_all = False
        self._unstored: set[int] = set()
        self._hold: IDelayedCall | None = None
        self.answers = Answers()
        self.turns = ReadTurns()
        self.receipts = Receipts(limits.FIRST_ROOM_RECEIPT, limits.LAST_RECEIPT)

    # The beginning and the end.

    def begin(self, state: ReaderState, left: Sequence[Leftover]) -> None:
        """Start where the device stands in each room; what waits is held."""
        skips = state.stuck_count >= limits.STUCK_TIMES
        seconds = limits.HOLD_SECONDS
        self._hold = self._around.clock.callLater(seconds, self._held_enough)
        for one in state.rooms:
            lost = [other.rooms[one.room] for other in left if one.room in other.rooms]
            cursor = max([one.cursor, *(other.acked for other in lost)])
            if cursor > one.cursor:
                self._unstored.add(one.room)
            if cursor >= max(one.head, one.low):
                self._places[one.room] = cursor
            else:
                suspect = cursor + 1
                stuck = skips and stuck_number(one.room, suspect) == state.stuck_seq
                skipped = frozenset({suspect}) if stuck else NO_NUMBERS
                self._open(one, lost, skipped)
            self._fanout.enter(one.room, self)
        background("heads of rooms", self._look(list(self._places)), self._log)

    async def _look(self, rooms: Sequence[int]) -> None:
        """Hear of what came between the look at storage and our entering."""
        around = self._around
        for start in range(0, len(rooms), limits.LOOK_ACCOUNTS):
            some = rooms[start : start + limits.LOOK_ACCOUNTS]
            heads: Mapping[int, int] | None = None
            while heads is None and self._places:
                try:
                    heads = await around.messages.heads(some)
                except StorageUnavailable:
                    await deferLater(around.clock, limits.READ_AGAIN_SECONDS)
            for room, head in (heads or {}).items():
                self.raised(room, head)

    def hang_up(self) -> None:
        """End the line; the client comes back and replays."""
        self._around.outbox.abort()

    def end(self) -> Mapping[int, Leftover]:
        """Stop reading; what is left for the next connection of this reader."""
        self._end_hold()
        left = {}
        for room, place in self._places.items():
            self._fanout.leave(room, self)
            if isinstance(place, RoomReading):
                left[room] = place.end()
            elif room in self._unstored:
                left[room] = Leftover(place, place, NO_NUMBERS)
        self._places.clear()
        self.answers.clear()
        self.turns.clear()
        return left

    def acked(self) -> Mapping[int, int]:
        """Up to where each room is confirmed on this connection."""
        return {
            room: place if isinstance(place, int) else place.acked
            for room, place in self._places.items()
        }

    # Membership.

    def belongs(self, state: RoomState) -> None:
        """The account is a member, from where ``state`` says."""
        room = state.room
        place = self._places.get(room)
        if place is not None:
            acked = place if isinstance(place, int) else place.acked
            if acked >= state.cursor:
                if isinstance(place, RoomReading):
                    place.doubt(False, self._writable)
                    place.tidy()
                return
            self.parted(room)
        self._places[room] = state.cursor
        self._fanout.enter(room, self)
        background("the head of a room", self._look((room,)), self._log)

    def parted(self, room: int) -> None:
        """The account is no member: nothing more goes out, and nothing again."""
        place = self._places.pop(room, None)
        self._fanout.leave(room, self)
        if isinstance(place, RoomReading):
            self._close(place)

    def doubted(self, room: int) -> None:
        """Whether the account is a member has to be asked."""
        place = self._places.get(room)
        if place is not None:
            if isinstance(place, int):
                place = self._open(RoomState(room, place, place))
            place.doubt(True, self._writable)

    # What the registry tells.

    def offered(self, room: int, salvo: Salvo) -> None:
        """See ``Attendant`` of ``timtw.core.feeds.fanout``."""
        place = self._places.get(room)
        if type(place) is int:
            if salvo.last <= place:
                return
            place = self._open(RoomState(room, place, place))
        if place is not None:
            place.offered(salvo)  # type: ignore[union-attr]
            if self.turns.waiting:
                self.turns.give()

    def raised(self, room: int, head: int) -> None:
        """See ``Attendant``."""
        place = self._places.get(room)
        if isinstance(place, int):
            if head <= place:
                return
            place = self._open(RoomState(room, place, place))
        if place is not None:
            place.feed.raised(head)
            self.turns.give()

    def streamed(self, message: Message) -> None:
        """See ``Attendant``; it does not wait for a slow line, nor for a doubt."""
        place = self._places.get(message.recipient.number)
        if isinstance(place, RoomReading) and place.in_doubt:
            return
        if self._writable:
            self._around.outbox.offer(Streamed(message))

    def changed(self, room: int) -> None:
        """See ``Attendant``."""
        self._around.outbox.offer(RoomNews(node_of(room)))

    # What the client says.

    def asked(self) -> None:
        """The client asks for everything: the own log, then the rooms."""
        self._is_paging_all = True
        self._paging.add(self._inbox)
        self._paging.go()

    def asked_for(self, room: int, resume: int | None) -> None:
        """The client asks for one room."""
        place = self._places.get(room)
        if isinstance(place, RoomReading):
            # Never back: what is older may be from before the membership.
            if resume is not None and resume > place.acked:
                place.feed.resume(resume)
            self._paging.add(place)
        self._paging.go()

    def stir(self) -> None:
        """Wait for no request any more."""
        if self._hold is not None:
            self._end_hold()
            self._held_enough()

    def _held_enough(self) -> None:
        self._hold = None
        for reading in self._readings():
            reading.feed.stir()
        self.turns.give()

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        self._writable = now
        for reading in self._readings():
            reading.writable(now)
            if self._writable is not now:
                return
        self.turns.give()

    def choked(self) -> bool:
        """The client says that a frame was too much; whether it was of a room."""
        return any(reading.choked() for reading in self._readings())

    # What the readings say.

    def moved(self, room: int) -> None:
        """See ``Company``."""
        self._unstored.add(room)

    def stored(self, move: CursorMove) -> None:
        """See ``Company``."""
        place = self._places.get(move.room)
        acked = place.acked if isinstance(place, RoomReading) else place or 0
        if acked <= move.cursor:
            self._unstored.discard(move.room)

    def tidy(self, reading: RoomReading) -> None:
        """See ``Company``: keep no more than a number."""
        room = reading.number
        if self._places.get(room) is reading:
            self._places[room] = reading.acked
            self._close(reading)

    def _close(self, reading: RoomReading) -> None:
        """Read no more; who waits for this one need not."""
        reading.end()
        self.turns.forget(reading)
        self._paging.done(reading)
        self.turns.give()

    def _open(
        self,
        state: RoomState,
        left: Sequence[Leftover] = (),
        skipped: frozenset[int] = NO_NUMBERS,
    ) -> RoomReading:
        """Begin to read a room."""
        whole = self._whole and self._hold is not None
        reading = RoomReading(
            self._around,
            self,
            self._key,
            state,
            whole=whole,
            left=left,
            skipped=skipped,
        )
        self._places[state.room] = reading
        reading.start(self._writable)
        return reading

    def _readings(self) -> list[RoomReading]:
        """The rooms in which something goes on."""
        places = self._places.values()
        return [place for place in places if isinstance(place, RoomReading)]

    def _end_hold(self) -> None:
        """The client has said where it is."""
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _all_paged(self) -> None:
        """Everything that was asked for has gone out."""
        self._around.outbox.offer(EndOfBacklog())

    def paged(self, reading: Pageable) -> None:
        """See ``Company``; the own log says it as well."""
        if reading is self._inbox and self._is_paging_all:
            self._is_paging_all = False
            self._end_hold()
            for room in self._readings():
                if room.is_behind:
                    self._paging.add(room)
        self._paging.done(reading)

    def gave_up(self, reading: Pageable) -> None:
        """See ``Company``; the own log says it as well."""
        if self._paging.give_up(reading):
            self._is_paging_all = False
            self.stir()
