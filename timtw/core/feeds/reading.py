"""The surroundings of one connection's feeds: its client's outbox, storage, a clock.

Each connection reads its account's own log, and the logs of the rooms that the account
is a member of (``timtw.core.feeds.roomfeeds``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import attrs
from twisted.internet.task import deferLater

from timtw.core.deferreds import background
from timtw.core.feeds.fanout import Fanout
from timtw.core.feeds.feed import Feed
from timtw.core.feeds.flights import NO_NUMBERS
from timtw.core.feeds.logreading import LogReading, Surroundings
from timtw.core.feeds.roomfeeds import RoomFeeds
from timtw.core.sessions import Leftover
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.events import EndOfBacklog, Expired
from timtw.model.idents import node_of
from timtw.model.interfaces import IRouter
from timtw.model.posting import IWaitingMove
from timtw.model.progress import CursorMove, DeliveredMark, ReaderState, RoomState
from timtw.model.values import TEXT, Address, LogEntry

_FIRST_OF_ROOMS: Final = limits.FIRST_ROOM_RECEIPT


class Reading(LogReading):
    """Lets feeds write to one client and keeps the cursors of reader ``key``."""

    __slots__ = (
        "_doubts",
        "_fanout",
        "_head",
        "_news",
        "_rooms",
        "_router",
        "_skipped",
        "_writable",
    )

    def __init__(self, around: Surroundings, router: IRouter, fanout: Fanout) -> None:
        """Nothing is read before ``begin``; what is heard of is kept."""
        super().__init__(around, around.owner.number)
        self._router = router
        self._fanout = fanout
        self._head = 0
        self._skipped = NO_NUMBERS
        self._writable = True
        self._rooms: RoomFeeds | None = None
        self._news: dict[int, RoomState | None] | None = None
        self._doubts = NO_NUMBERS

    @property
    def acked(self) -> int:
        """Everything up to here is confirmed on this connection."""
        return self._feed.acked if self._feed is not None else 0

    def left(self) -> Leftover:
        """What this connection knows better than storage, while it goes on."""
        rooms = {} if self._rooms is None else self._rooms.acked()
        nothing: frozenset[int] = frozenset()
        return Leftover(
            self.acked,
            self.acked,
            nothing,
            {room: Leftover(at, at, nothing) for room, at in rooms.items()},
        )

    def begin(self, state: ReaderState, whole: bool, left: Sequence[Leftover]) -> None:
        """
        Start where the reader stands.

        Args:
            whole: Whether the client's own messages belong to its backlog.
            left: What other connections of this reader know better than storage.
        """
        behind = max([state.cursor, *(one.acked for one in left)])
        cursor = max(behind, state.low)
        settled = set().union(*(one.settled for one in left))
        if state.stuck_count >= limits.STUCK_TIMES:
            settled.add(state.stuck_seq)
            self._skipped |= {state.stuck_seq}
        self.key = state.key
        self._cursor = self._told = cursor
        self._low = state.low if whole else 0
        self._tell_gap(behind)
        self._feed = Feed(
            self,
            self._around.now,
            cursor,
            max(state.head, self._head, cursor),
            whole=whole,
            page_bytes=self._outbox.page_bytes,
            again_up_to=max((one.sent for one in left), default=0),
            settled=settled,
        )
        if not self._writable:
            self._feed.writable(False)
        self._feed.start()
        self._begin_rooms(state, whole, left)

    def _begin_rooms(
        self, state: ReaderState, whole: bool, left: Sequence[Leftover]
    ) -> None:
        """Read the rooms of the account, as it is a member of them now."""
        states = {one.room: one for one in state.rooms}
        news, self._news = self._news or {}, None
        doubts, self._doubts = self._doubts, NO_NUMBERS
        for room, now in news.items():
            if now is None:
                states.pop(room, None)
            elif room not in states or states[room].cursor < now.cursor:
                states[room] = now
        if states:
            rooms = self._make_rooms(whole)
            if doubts:
                rooms.writable(False)
            rooms.begin(attrs.evolve(state, rooms=tuple(states.values())), left)
            for room in doubts:
                rooms.doubted(room)
            if doubts:
                rooms.writable(self._writable)

    def _make_rooms(self, whole: bool) -> RoomFeeds:
        """A place for the readings of rooms."""
        rooms = self._rooms = RoomFeeds(
            self._around, self._fanout, self, self.key, whole, self._writable
        )
        return rooms

    def belongs(self, state: RoomState) -> None:
        """The account is a member of this room."""
        if self._feed is None:
            self._doubts -= {state.room}
            self._news = {**(self._news or {}), state.room: state}
        else:
            (self._rooms or self._make_rooms(False)).belongs(state)

    def parted(self, room: int) -> None:
        """The account is no member of this room."""
        if self._feed is None:
            self._doubts -= {room}
            self._news = {**(self._news or {}), room: None}
        elif self._rooms is not None:
            self._rooms.parted(room)

    def doubted(self, room: int) -> None:
        """Whether the account is a member of this room is being asked."""
        if self._feed is None:
            self._doubts |= {room}
        elif self._rooms is not None:
            self._rooms.doubted(room)

    def rooms(self) -> Collection[int]:
        """The rooms of which the client is sent what is written."""
        return () if self._rooms is None else self._rooms.acked()

    def offered(self, entry: LogEntry) -> None:
        """The log has grown."""
        if self._feed is not None:
            self._feed.offered(entry)
        else:
            self._head = max(self._head, entry.seq)

    def raised(self, head: int) -> None:
        """Storage says that the log reaches to ``head``."""
        if self._feed is not None:
            self._feed.raised(head)
        else:
            self._head = max(self._head, head)

    def acknowledged(self, receipt: int) -> None:
        """The client confirms what was sent under this number."""
        if receipt >= _FIRST_OF_ROOMS:
            if self._rooms is not None:
                self._rooms.answers.acknowledged([receipt])
        elif self._feed is not None:
            self._feed.acknowledged(receipt)

    def acknowledged_all(self, receipts: Sequence[int]) -> None:
        """The client confirms several at once."""
        if self._rooms is None or max(receipts) < _FIRST_OF_ROOMS:
            for receipt in receipts:
                if self._feed is not None and receipt < _FIRST_OF_ROOMS:
                    self._feed.acknowledged(receipt)
            return
        if min(receipts) >= _FIRST_OF_ROOMS:
            self._rooms.answers.acknowledged(receipts)
            return
        for receipt in receipts:
            self.acknowledged(receipt)

    def asked(self, resume: int | None) -> None:
        """The client asks for what is waiting."""
        if self._feed is None:
            return
        self._tell_gap(resume)
        if self._rooms is None:
            self._feed.ask(resume)
        else:
            if resume is not None:
                self._feed.resume(resume)
            self._rooms.asked()

    def asked_for(self, room: int | None, resume: int | None) -> None:
        """The client asks for what is waiting in a room; ``None`` is none there is."""
        if self._rooms is not None and room is not None:
            self._rooms.asked_for(room, resume)
        else:
            self._outbox.offer(EndOfBacklog())

    def page_out(self) -> None:
        """See ``Pageable`` of ``timtw.core.feeds.paging``."""
        if self._feed is not None:
            self._feed.ask()

    def stir(self) -> None:
        """The client has begun to talk: do not wait for it to ask."""
        if self._feed is not None:
            self._feed.stir()
        if self._rooms is not None:
            self._rooms.stir()

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        self._writable = now
        if self._feed is not None:
            self._feed.writable(now)
        if self._rooms is not None:
            self._rooms.writable(now)

    def choked(self) -> None:
        """The client says that a frame was more than it can take."""
        if self._feed is not None:
            suspect = self._feed.first_unanswered()
            if suspect:
                background("note", self._note_stuck(suspect), self._log)
            elif self._rooms is not None:
                self._rooms.choked()

    def end(self) -> tuple[bytes, Leftover] | None:
        """Stop reading; what is left for the next connection of this reader."""
        self._silence()
        if self._feed is None:
            return None
        acked, sent, settled = self._feed.hand_over()
        self._feed = None
        rooms = {} if self._rooms is None else self._rooms.end()
        self._rooms = None
        if self._cursor > self._told:
            self._next_move().confirm(self._cursor)
        background("cursors were not flushed", self._around.desk.flush(), self._log)
        return self.key, Leftover(acked, sent, settled, rooms)

    # What the feed asks for (timtw.core.feeds.feed.Port).

    def end_of_backlog(self) -> None:
        """Write the end mark, unless something waits in rooms."""
        if self._rooms is None:
            self._outbox.offer(EndOfBacklog())
        else:
            self._rooms.paged(self)

    def may_read(self) -> bool:
        """The account's own log waits for no other."""
        return True

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """Move the cursor, and the delivered marks of conversations."""
        if self._skipped:
            entries = [one for one in entries if one.seq not in self._skipped]
        if acked > self._cursor:
            self._cursor = acked
        elif not entries:
            return
        move = self._move
        if move is None or not move.waits:
            if not entries and self._cursor < self._told + limits.ECHOES_UNTOLD:
                return
            move = self._move = self._next_move()
        self._told = self._cursor
        move.confirm(self._cursor)
        for entry in entries:
            message = entry.message
            if message.kind == TEXT and not entry.own:
                move.mark(message.conversation, message.mid)

    def stuck(self, seq: int) -> None:
        """Count how often this entry has stopped the reader."""
        background("a stuck reader was not noted", self._note_stuck(seq), self._log)
        if self._rooms is not None:
            self._rooms.gave_up(self)

    def _stored(self, move: CursorMove) -> None:
        """A cursor is durable: the authors may know."""
        for conversation, mid in move.confirmed:
            number = conversation.peer_of(self._around.owner.number)
            author = Address(number, node_of(number), self._around.owner.domain)
            self._router.mark(DeliveredMark(self._around.owner, author, mid))

    def _next_move(self) -> IWaitingMove:
        """What the next commit stores of this reader."""
        return self._around.desk.move(self._around.owner.number, self.key, self._stored)

    def _tell_gap(self, behind: int | None) -> None:
        """Tell once that entries behind this number have expired, if some have."""
        if behind is not None and behind < self._low:
            self._outbox.offer(Expired(self._low))
            self._low = 0

    async def _confirm_claimed(self, after: int, up_to: int) -> None:
        around = self._around
        while after < up_to:
            try:
                page = await around.messages.read_log(
                    self.number, after, up_to, limits.LOG_READ_ENTRIES
                )
            except StorageUnavailable:
                await deferLater(around.clock, limits.READ_AGAIN_SECONDS)
                if self._feed is None:
                    return  # The next connection will hear the same of the client.
                continue
            after = page.up_to
            self.confirmed(after, page.entries)

    async def _note_stuck(self, seq: int) -> None:
        around = self._around
        times = await around.readers.stuck(around.owner.number, self.key, seq)
        self._log.warn(
            "entry {seq} of account {account} has stopped a reader {times} times",
            seq=seq,
            account=around.owner.node,
            times=times,
        )
        if times >= limits.STUCK_TIMES and self._feed is not None:
            self._skipped |= {seq}
            self._feed.skip(seq)
