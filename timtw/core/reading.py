"""The surroundings of one feed: a client's outbox, storage, a clock."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.core.deferreds import background
from timtw.core.feed import Feed
from timtw.core.flights import NO_NUMBERS
from timtw.core.sessions import Leftover
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.events import Delivery, EndOfBacklog, Expired, Page
from timtw.model.idents import node_of
from timtw.model.interfaces import IOutbox, IRouter
from timtw.model.stores import IMessageStore, IPostingDesk, IReaderStore, IWaitingMove
from timtw.model.values import (
    TEXT,
    Address,
    CursorMove,
    DeliveredMark,
    LogEntry,
    LogPage,
    ReaderState,
)


class Reading:
    """Lets a feed write to one client and keeps the cursor of reader ``key``."""

    __slots__ = (
        "_alarm",
        "_claimed",
        "_clock",
        "_cursor",
        "_desk",
        "_feed",
        "_head",
        "_low",
        "_messages",
        "_move",
        "_outbox",
        "_owner",
        "_readers",
        "_router",
        "_skipped",
        "_told",
        "_writable",
        "key",
    )

    _log = Logger()

    def __init__(
        self,
        owner: Address,
        outbox: IOutbox,
        messages: IMessageStore,
        readers: IReaderStore,
        desk: IPostingDesk,
        router: IRouter,
        clock: IReactorTime,
    ) -> None:
        """Nothing is read before ``begin``; heads that are heard of are kept."""
        self._owner = owner
        self._outbox = outbox
        self._messages = messages
        self._readers = readers
        self._desk = desk
        self._router = router
        self._clock = clock
        self._feed: Feed | None = None
        self.key = b""
        self._head = self._low = 0
        self._cursor = self._told = 0
        self._move: IWaitingMove | None = None
        self._claimed = 0
        self._skipped = NO_NUMBERS
        self._writable = True
        self._alarm: IDelayedCall | None = None

    @property
    def acked(self) -> int:
        """Everything up to here is confirmed on this connection."""
        return self._feed.acked if self._feed is not None else 0

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
            self._clock.seconds,
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
        if self._feed is not None:
            self._feed.acknowledged(receipt)

    def asked(self, resume: int | None) -> None:
        """The client asks for what is waiting."""
        if self._feed is not None:
            self._tell_gap(resume)
            self._feed.ask(resume)

    def stir(self) -> None:
        """The client has begun to talk: do not wait for it to ask."""
        if self._feed is not None:
            self._feed.stir()

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        self._writable = now
        if self._feed is not None:
            self._feed.writable(now)

    def choked(self) -> None:
        """The client says that a frame was more than it can take."""
        if self._feed is not None:
            suspect = self._feed.first_unanswered()
            if suspect:
                background("note", self._note_stuck(suspect), self._log)

    def end(self) -> tuple[bytes, Leftover] | None:
        """Stop reading; what is left for the next connection of this reader."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._feed is None:
            return None
        acked, sent, settled = self._feed.hand_over()
        self._feed = None
        if self._cursor > self._told:
            self._next_move().confirm(self._cursor)
        background("cursors were not flushed", self._desk.flush(), self._log)
        return self.key, Leftover(acked, sent, settled)

    # What the feed asks for (timtw.core.feed.Port).

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """Write one entry; ``False`` if the line is gone."""
        return self._outbox.offer(Delivery(entry, receipt, backlog))

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page."""
        self._outbox.offer(Page(entries, receipt))

    def end_of_backlog(self) -> None:
        """Write the end mark."""
        self._outbox.offer(EndOfBacklog())

    def measure(self, entry: LogEntry) -> int:
        """The bytes that an entry takes."""
        return self._outbox.measure(entry)

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """Read the log."""
        feed = self._feed
        assert feed is not None

        def loaded(page: LogPage) -> None:
            if self._feed is feed:
                feed.loaded(page, ticket)

        def unread(failure: Failure) -> None:
            if failure.check(StorageUnavailable) is None:
                self._log.failure("a log was not read", failure)
            if self._feed is feed:
                feed.unread(ticket)

        page = self._messages.read_log(
            self._owner.number, after, up_to, limits.LOG_READ_ENTRIES
        )
        _ = page.addCallback(loaded).addErrback(unread)

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

    def claimed(self, after: int, up_to: int) -> None:
        """
        Confirm a part of the log that other connections have carried.

        No part is gone through twice, however often a client goes back and forth.
        """
        after = max(after, self._claimed)
        if after >= up_to:
            return
        self._claimed = up_to
        background("claims", self._confirm_claimed(after, up_to), self._log)

    def stuck(self, seq: int) -> None:
        """Count how often this entry has stopped the reader."""
        background("a stuck reader was not noted", self._note_stuck(seq), self._log)

    def wake(self, at: float) -> None:
        """Call the feed at this time, or earlier."""
        delay = max(0.0, at - self._clock.seconds())
        if self._alarm is None:
            self._alarm = self._clock.callLater(delay, self._awake)
        elif self._alarm.getTime() > at:
            self._alarm.reset(delay)

    def _awake(self) -> None:
        self._alarm = None
        if self._feed is not None:
            self._feed.awake()

    def _stored(self, move: CursorMove) -> None:
        """A cursor is durable: the authors may know."""
        for conversation, mid in move.confirmed:
            number = conversation.peer_of(self._owner.number)
            author = Address(number, node_of(number), self._owner.domain)
            self._router.mark(DeliveredMark(self._owner, author, mid))

    def _next_move(self) -> IWaitingMove:
        """What the next commit stores of this reader."""
        return self._desk.move(self._owner.number, self.key, self._stored)

    def _tell_gap(self, behind: int | None) -> None:
        """Tell once that entries behind this number have expired, if some have."""
        if behind is not None and behind < self._low:
            self._outbox.offer(Expired(self._low))
            self._low = 0

    async def _confirm_claimed(self, after: int, up_to: int) -> None:
        while after < up_to:
            page = await self._messages.read_log(
                self._owner.number, after, up_to, limits.LOG_READ_ENTRIES
            )
            after = page.up_to
            self.confirmed(after, page.entries)

    async def _note_stuck(self, seq: int) -> None:
        times = await self._readers.stuck(self._owner.number, self.key, seq)
        self._log.warn(
            "entry {seq} of account {account} has stopped a reader {times} times",
            seq=seq,
            account=self._owner.node,
            times=times,
        )
        if times >= limits.STUCK_TIMES and self._feed is not None:
            self._skipped |= {seq}
            self._feed.skip(seq)
