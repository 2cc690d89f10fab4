"""One connection's reading of the log of one room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from timtw.core.deferreds import background
from timtw.core.feeds.answers import Answers, Awaiting
from timtw.core.feeds.feed import Feed
from timtw.core.feeds.logreading import LogReading, Surroundings
from timtw.core.feeds.readturns import ReadTurns
from timtw.core.feeds.receipts import Receipts
from timtw.core.feeds.sending import State
from timtw.core.feeds.volleys import Salvo, Volley
from timtw.core.sessions import Leftover
from timtw.model import limits
from timtw.model.events import Deliveries, Expired, Revoked
from timtw.model.idents import node_of
from timtw.model.progress import CursorMove, RoomState
from timtw.model.values import REVOCATION, LogEntry, Message

_WORD = (1 << 63) - 1


class Company(Protocol):
    """The other rooms of the same connection."""

    receipts: Receipts
    answers: Answers
    turns: ReadTurns

    def moved(self, room: int) -> None:
        """Something is confirmed, and storage will hear of it."""

    def stored(self, move: CursorMove) -> None:
        """It has."""

    def tidy(self, reading: RoomReading) -> None:
        """Nothing goes on in this room."""

    def paged(self, reading: RoomReading) -> None:
        """The pages of this room have gone out."""

    def gave_up(self, reading: RoomReading) -> None:
        """The client has not answered what came of this room."""


class RoomReading(LogReading):
    """Lets a feed write what was written to a room, and keeps the cursor there.

    It is made when the room has something for the connection, and goes when all of it
    is confirmed: what is left then is one number.
    """

    __slots__ = ("_company", "_volleys", "in_doubt")

    def __init__(
        self,
        around: Surroundings,
        company: Company,
        key: bytes,
        state: RoomState,
        *,
        whole: bool,
        left: Sequence[Leftover] = (),
        skipped: frozenset[int] = frozenset(),
    ) -> None:
        """
        A reading from where the device stands; ``start`` sets it going.

        Args:
            whole: Whether the client says how far it is before anything is sent.
            left: What other connections of this reader know better than storage.
            skipped: Numbers that are not sent to this reader.
        """
        super().__init__(around, state.room)
        self._company = company
        self.in_doubt = False
        self._volleys: list[Volley[Awaiting]] = []
        self.key = key
        cursor = max([state.cursor, state.low, *(one.acked for one in left)])
        self._cursor = self._told = cursor
        self._low = state.low if whole and state.cursor < state.low else 0
        self._feed = Feed(
            self,
            self._around.now,
            cursor,
            max(state.head, cursor),
            whole=whole,
            page_bytes=self._outbox.page_bytes,
            again_up_to=max((one.sent for one in left), default=0),
            settled=skipped.union(*(one.settled for one in left)),
            receipts=company.receipts,
        )

    @property
    def feed(self) -> Feed:
        """The feed, until ``end``, with everything that it has sent one by one."""
        assert self._feed is not None
        if self._volleys:
            self.single_out()
        return self._feed

    @property
    def is_behind(self) -> bool:
        """Whether there is something that a request for the backlog would bring."""
        return self._feed is not None and self._feed.state is not State.LIVE

    @property
    def is_reading(self) -> bool:
        """Whether something that was read, or is being read, has not gone out."""
        return self._feed is not None and self._feed.is_reading

    def go_on(self) -> None:
        """See ``Reads`` of ``timtw.core.feeds.readturns``."""
        if self._feed is not None:
            self.feed.go_on()

    @property
    def acked(self) -> int:
        """Everything up to here is confirmed on this connection."""
        return self._cursor

    def start(self, writable: bool) -> None:
        """Begin to send."""
        if not writable:
            self.feed.writable(False)
        if self._low:
            self._outbox.offer(Expired(self._low, node_of(self.number)))
            self._low = 0
        self.feed.start()

    def offered(self, salvo: Salvo) -> None:
        """The log has grown; who is up to date is sent all of it at once."""
        feed = self._feed
        assert feed is not None
        if salvo.is_plain and not self.in_doubt:
            octets = salvo.octets[-1]
            receipt = feed.sent_run(salvo.first, salvo.last, octets)
            if receipt:
                volley = self._company.answers.launch(self, salvo, receipt)
                self._volleys.append(volley)
                if self._alarm is None:
                    self.wake(salvo.at + limits.ACK_SECONDS)
                self._outbox.offer(Deliveries(salvo.entries, receipt))
                return
        feed = self.feed
        for entry in salvo.entries:
            feed.offered(entry)

    def is_next(self, volley: Volley[Awaiting]) -> bool:
        """See ``Awaiting``."""
        return self._volleys[0] is volley

    def landed(self, volley: Volley[Awaiting], count: int) -> None:
        """The first so many of what was sent together are confirmed."""
        salvo, place = volley.salvo, volley.place
        volley.place = after = place + count
        volley.receipt += count
        if after == len(salvo.entries):
            self._volleys.remove(volley)
        if self._feed is not None:
            octets = salvo.octets[after] - salvo.octets[place]
            self._feed.landed_run(salvo.entries[after - 1].seq, count, octets)

    def single_out(self) -> None:
        """Something but answers in order happens: each entry waits by itself."""
        volleys, self._volleys = self._volleys, []
        answers = self._company.answers
        for volley in volleys:
            answers.differs(volley)
            receipt = volley.receipt
            for entry in volley.salvo.entries[volley.place :]:
                assert self._feed is not None
                self._feed.single_out(entry, receipt, volley.salvo.at)
                answers.expects(receipt, self)
                receipt += 1

    def acknowledged(self, receipt: int) -> None:
        """The client confirms what was sent under this number."""
        if self._feed is not None:
            self.feed.acknowledged(receipt)
            self.rested()

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        if self._feed is not None:
            self.feed.writable(now and not self.in_doubt)
            self.tidy()

    def doubt(self, whether: bool, writable: bool) -> None:
        """Send nothing until it is known whether the account is still a member."""
        self.in_doubt = whether
        self.writable(writable)

    def choked(self) -> bool:
        """The client says that a frame was too much; whether it was one of these."""
        suspect = 0 if self._feed is None else self.feed.first_unanswered()
        if suspect:
            self.stuck(suspect)
        return suspect > 0

    def page_out(self) -> None:
        """See ``Pageable``."""
        if self._feed is not None:
            self.feed.ask()
        else:
            self._company.paged(self)

    def end(self) -> Leftover:
        """Stop reading; what is left for the next connection of this reader."""
        self._silence()
        feed = self.feed
        self._feed = None
        acked, sent, settled = feed.hand_over()
        return Leftover(acked, sent, settled)

    # What the feed asks for (timtw.core.feeds.port).

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """Write one entry; whose revocation it is gets a word of thanks besides."""
        is_first = self._company.answers.expects(receipt, self)
        taken = super().deliver(entry, receipt, backlog)
        message = entry.message
        if message.kind == REVOCATION and is_first and not backlog:
            self._thank(message)
        return taken

    def _thank(self, revocation: Message) -> None:
        """Tell the devices of whoever has revoked a text that it is done."""
        if revocation.sender.number == self._around.owner.number:
            self._outbox.offer(Revoked(node_of(self.number), revocation.mid))

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page."""
        self._company.answers.expects(receipt, self)
        super().page(entries, receipt)

    def end_of_backlog(self) -> None:
        """The pages of this room have gone out."""
        self._company.paged(self)

    def may_read(self) -> bool:
        """Rooms read from storage one after the other."""
        return self._company.turns.take(self)

    def rested(self) -> None:
        """See ``LogReading``."""
        self.tidy()
        self._company.turns.give()

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """Move the cursor; nobody is told what has arrived in a room."""
        if acked <= self._cursor:
            return
        self._cursor = acked
        move = self._move
        if move is None or not move.waits:
            around = self._around
            move = self._move = around.desk.move(
                around.owner.number, self.key, self._company.stored, self.number
            )
            self._company.moved(self.number)
        move.confirm(acked)

    async def _confirm_claimed(self, after: int, up_to: int) -> None:
        """The client's word is enough."""
        self.confirmed(up_to, ())

    def stuck(self, seq: int) -> None:
        """Count how often this entry has stopped the reader."""
        background("a stuck reader was not noted", self._note_stuck(seq), self._log)
        self._company.gave_up(self)

    async def _note_stuck(self, seq: int) -> None:
        around = self._around
        account = around.owner.number
        times = await around.readers.stuck(
            account, self.key, stuck_number(self.number, seq)
        )
        self._log.warn(
            "entry {seq} of room {room} has stopped a reader of account {account} "
            "{times} times",
            seq=seq,
            room=node_of(self.number),
            account=around.owner.node,
            times=times,
        )
        if times >= limits.STUCK_TIMES and self._feed is not None:
            self.feed.skip(seq)

    def _awake(self) -> None:
        self._alarm = None
        if self._volleys:
            due = self._volleys[0].salvo.at + limits.ACK_SECONDS
            if due > self._around.now():
                self.wake(due)
                return
        if self._feed is not None:
            self.feed.awake()
        self.rested()

    def tidy(self) -> None:
        """Go, if nothing can come of what goes on here."""
        feed = self._feed
        if feed is None or self._alarm is not None or self.in_doubt:
            return
        if feed.is_idle:
            self._company.tidy(self)


def stuck_number(room: int, seq: int) -> int:
    """What stands for an entry of a room among the entries that stop a reader.

    It is negative, as those of the account's own log are not.
    """
    return -1 - ((room * 0x9E3779B97F4A7C15 + seq) & _WORD)
