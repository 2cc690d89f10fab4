"""One connection's reading of one account's log, without any connection.

Invariants
  1. acked <= sent <= head. Everything up to ``acked`` is confirmed; everything up to
     ``sent`` was written, stepped over or is gone; ``head`` is the newest number known.
  2. first arrivals are in the order of the log: ``sent`` only grows, except where
     unconfirmed frames are sent again after a suspension or on the client's request.
  3. LIVE means sent == head. Every other state reads storage from ``sent`` on.
  4. at most one read of storage is under way, and at most one page.
  5. a text is not transmitted, nor again, once it is known to be gone. What storage is
     asked for is as it was then; ``unseen`` is how far the log has grown since without
     a look at what it has grown by, which may be removals.

States: HOLD (a backlog waits for the client to ask for it), PAGES (the client asked),
FLOW (entries go out as ordinary frames as room appears), LIVE, SUSPENDED (a frame went
unanswered three times). docs/guarantees.md tells the same for readers.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

from timtw.core.ahead import Ahead
from timtw.core.flights import Flight, Flights
from timtw.core.port import Port
from timtw.core.receipts import Receipts
from timtw.model import limits
from timtw.model.values import REMOVALS, TEXT, LogEntry, LogPage


class State(enum.Enum):
    """Where a feed stands; see the module's text."""

    HOLD = "hold"
    PAGES = "pages"
    FLOW = "flow"
    LIVE = "live"
    SUSPENDED = "suspended"


class Feed:
    """The heart of delivery: which entry goes out when, and what counts as received."""

    __slots__ = (
        "_again_up_to",
        "_ahead",
        "_asking",
        "_backlog_to",
        "_flights",
        "_held_until",
        "_now",
        "_page",
        "_page_bytes",
        "_page_to",
        "_port",
        "_receipts",
        "_unseen",
        "_whole",
        "_writable",
        "head",
        "sent",
        "state",
    )

    def __init__(
        self,
        port: Port,
        now: Callable[[], float],
        cursor: int,
        head: int,
        *,
        whole: bool,
        page_bytes: int,
        again_up_to: int = 0,
        settled: Iterable[int] = (),
        receipts: Receipts | None = None,
    ) -> None:
        """
        A feed that begins behind ``cursor``; ``start`` sets it going.

        Args:
            whole: Whether the client wants its own messages of the backlog as well.
                Such a client says how far it has the log before anything is sent.
            page_bytes: The largest page.
            again_up_to: What a lost connection of this reader had in flight ends
                here and goes out at once.
            settled: Numbers above ``cursor`` that need not be sent any more.
            receipts: Shared with other feeds of the connection, if there are some.
        """
        self._port = port
        self._now = now
        self._whole = whole
        self._page_bytes = page_bytes
        self.head = head
        self.sent = cursor
        self._backlog_to = head
        self._again_up_to = cursor if whole else max(cursor, min(again_up_to, head))
        self._page_to = 0
        self._page: Flight | None = None
        self._flights = Flights(cursor, settled)
        self._ahead = Ahead(cursor)
        self._receipts = Receipts() if receipts is None else receipts
        self._unseen = 0
        self._asking = False
        self._writable = True
        self._held_until = now() + limits.HOLD_SECONDS
        self.state = State.HOLD
        if self._again_up_to >= head and not whole:
            self.state = State.FLOW if cursor < head else State.LIVE

    @property
    def acked(self) -> int:
        """Everything up to here is confirmed."""
        return self._flights.acked

    @property
    def is_reading(self) -> bool:
        """Whether entries that storage was asked for are on their way, or wait here."""
        return self._ahead.is_busy

    @property
    def is_idle(self) -> bool:
        """Whether everything is sent and confirmed: nothing but ``head`` counts."""
        return (
            self.state is State.LIVE
            and self._flights.acked == self.head
            and not self._flights.frames
        )

    def start(self) -> None:
        """Begin to send."""
        if self.state is State.HOLD:
            self._port.wake(self._held_until)
        self._pump()

    # What comes from the node.

    def offered(self, entry: LogEntry) -> None:
        """The log has grown by ``entry``, or by more than that if hints were lost."""
        seq = entry.seq
        if seq <= self.head:
            return
        if seq > self.head + 1:
            self._look_away(seq)
        self.head = seq
        if entry.message.kind != TEXT:
            self._heed(entry)
        if self.state is not State.LIVE:
            self._pump()
        elif seq == self.sent + 1 and self._writable and self._fits(entry):
            self._transmit(entry)
        else:
            self.state = State.FLOW
            self._pump()

    def raised(self, head: int) -> None:
        """Storage says that the log reaches to ``head``."""
        if head > self.head:
            self._look_away(head)
            self.head = head
            if self.state is State.LIVE:
                self.state = State.FLOW
            self._pump()

    def loaded(self, page: LogPage, ticket: int) -> None:
        """The answer to ``read``."""
        if self._ahead.take(page, ticket):
            for entry in page.entries:
                if entry.message.kind != TEXT:
                    self._heed(entry)
            if not self._asking:
                self._pump()

    def unread(self, ticket: int) -> None:
        """Storage could not be read; it is asked again a little later."""
        again_at = self._now() + limits.READ_AGAIN_SECONDS
        if self._ahead.fail(ticket, again_at):
            self._port.wake(again_at)

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        self._writable = now
        if now:
            self._repeat_overdue()
            self._pump()

    def awake(self) -> None:
        """The time that was asked for by ``wake`` has come, or a later one."""
        if self.state is State.HOLD:
            if self._now() < self._held_until:
                self._port.wake(self._held_until)
            else:
                self.stir()
        self._repeat_overdue()
        self._pump()

    # What comes from the client.

    def stir(self) -> None:
        """End the wait for a request: the backlog goes out as ordinary frames."""
        if self.state is State.HOLD:
            self.state = State.FLOW
            self._pump()

    def ask(self, resume: int | None = None) -> None:
        """
        The client asks for what is waiting.

        Args:
            resume: The client has everything up to this number and wants the rest.
        """
        if resume is not None:
            self.resume(resume)
        elif self.state is State.SUSPENDED:
            self._go_back(self.acked)
        if self.state is not State.PAGES:
            self.state = State.PAGES
            self._page_to = self.head
            self._pump()

    # Many at once, in rooms (timtw.core.volleys).

    def sent_run(self, first: int, last: int, octets: int) -> int:
        """
        Take entries as sent that are about to be written, all of them or none.

        Returns: the first of their receipts, which are consecutive; 0 for none.
        """
        flights, count = self._flights, last - first + 1
        if first != self.sent + 1 or self.state is not State.LIVE or not self._writable:
            return 0
        if not flights.add_run(count, octets):
            return 0
        self.head = self.sent = last
        return self._receipts.run(count)

    def landed_run(self, last: int, count: int, octets: int) -> None:
        """The first so many entries of all that were sent so are confirmed."""
        self._flights.land_run(last, count, octets)
        self._port.confirmed(last, ())

    def single_out(self, entry: LogEntry, receipt: int, at: float) -> None:
        """An entry that was sent so waits for its answer by itself from now on."""
        size = weight_of(entry)
        flight = Flight((entry,), entry.seq, receipt, size, at)
        self._flights.adopt(flight)

    def resume(self, seq: int) -> None:
        """The client has everything up to this number, and does not ask yet."""
        self._resume_behind(min(max(seq, 0), self.head))

    def go_on(self) -> None:
        """It may be this feed's turn to read from storage."""
        self._pump()

    def acknowledged(self, receipt: int) -> None:
        """The client has received the frame with this receipt."""
        flight = self._flights.land(receipt)
        if flight is None:
            for answered in self._flights.answered_late(receipt):
                self.acknowledged(answered.receipt)
            return
        if flight is self._page:
            self._page = None
        acked = self._flights.acked
        self._port.confirmed(acked, self._flights.arrived)
        if self.state is State.SUSPENDED:
            self._go_back(acked)
        if self.state is not State.LIVE:
            self._pump()

    def skip(self, seq: int) -> None:
        """Never send this entry to this reader; it has stopped it too often."""
        if seq > self.acked:
            self._flights.settled |= {seq}
            if self.state is State.SUSPENDED:
                self._go_back(self.acked)
                self._pump()

    def first_unanswered(self) -> int:
        """The first entry that was written and not confirmed, or 0."""
        flight = self._flights.first()
        return flight.entries[0].seq if flight is not None else 0

    def hand_over(self) -> tuple[int, int, frozenset[int]]:
        """``acked``, ``sent`` and what is settled between, for the next connection."""
        acked, sent = self.acked, self.sent
        self._go_back(acked)  # Echoes that were written may be lost with the line.
        return acked, sent, self._flights.settled

    # Texts that are gone.

    def _look_away(self, head: int) -> None:
        """The log has grown to ``head``, and by what is not known."""
        self._unseen = head
        self._ahead.abandon(self.sent)

    def _heed(self, entry: LogEntry) -> None:
        """Send a text that ``entry`` removes no more, unless it was on its way."""
        removal = entry.message
        if removal.kind not in REMOVALS or self.state is State.SUSPENDED:
            return  # A suspended connection begins again from storage.
        conversation, mid = removal.conversation, removal.mid
        self._ahead.drop(conversation, mid)
        for flight in self._flights.drop(conversation, mid):
            self.acknowledged(flight.receipt)

    # Sending.

    def _pump(self) -> None:
        """Send what may go out, or ask for what is needed to do so."""
        while self._writable and self.state is not State.SUSPENDED:
            if self.state is State.PAGES:
                if self._page is not None or not self._page_step():
                    return
                continue
            limit = self._again_up_to if self.state is State.HOLD else self.head
            if self.sent >= limit:
                if self.state is State.FLOW:
                    self.state = State.LIVE
                return
            if not self._knows_next(limit) or not self._step():
                return

    def _knows_next(self, limit: int) -> bool:
        """Whether it is known what follows ``sent``; if not, storage is asked."""
        if self._ahead.knows(self.sent):
            return True
        if not self._port.may_read():
            return False
        ticket = self._ahead.ticket(self.sent, self._now())
        if not ticket:
            return False
        self._asking = True  # The answer may be at hand.
        self._port.read(self.sent, limit, ticket)
        self._asking = False
        return self._ahead.knows(self.sent)

    def _step(self) -> bool:
        """Send or step over what follows ``sent``; ``False`` if there is no room."""
        entries = self._ahead.entries
        if not entries:
            self._pass_by(self._ahead.reaches)
        elif self._omitted(entries[0]):
            entry = entries.pop(0)
            self._pass_by(entry.seq, () if entry.own else (entry,))
        elif self._fits(entries[0]):
            self._transmit(entries.pop(0))
        else:
            return False
        return True

    def _fits(self, entry: LogEntry) -> bool:
        """Whether the window has room for one more frame."""
        if entry.own and entry.seq > self._backlog_to:
            return self._flights.has_room_for_echo()
        return self._flights.has_room(weight_of(entry))

    def _omitted(self, entry: LogEntry) -> bool:
        """Whether this connection steps over ``entry``."""
        if self._flights.is_known(entry.seq):
            return True
        return entry.own and not self._whole and entry.seq <= self._backlog_to

    def _transmit(self, entry: LogEntry) -> None:
        """Write one entry as an ordinary frame, an own live one as an echo."""
        seq = entry.seq
        if entry.own and seq > self._backlog_to:
            if not self._port.deliver(entry, 0, False):
                self._cut_off()
                return
            self.sent = seq
            if self._flights.echo(seq):
                self._port.confirmed(seq, ())
        else:
            self.sent = seq
            flight = self._launch((entry,), weight_of(entry))
            self._port.deliver(entry, flight.receipt, self._is_backlog(seq))

    def _cut_off(self) -> None:
        """An echo was not written: the line is gone, and it counts for nothing."""
        self._writable = False
        self._ahead.abandon(self.sent)
        if self.state is State.LIVE:
            self.state = State.FLOW

    def _is_backlog(self, seq: int) -> bool:
        """Whether an entry came while the device was away."""
        return self._again_up_to < seq <= self._backlog_to

    def _launch(self, entries: tuple[LogEntry, ...], size: int) -> Flight:
        """Expect an answer to what is about to be written."""
        now = self._now()
        if not self._flights.frames:
            self._port.wake(now + limits.ACK_SECONDS)
        flight = Flight(entries, entries[-1].seq, self._receipts.next(), size, now)
        self._flights.launch(flight)
        return flight

    def _pass_by(self, seq: int, known: tuple[LogEntry, ...] = ()) -> None:
        """Step over everything up to ``seq``: the client has it, or nobody will."""
        self.sent = seq
        if self._flights.pass_by(seq, known):
            self._port.confirmed(seq, known)

    def _page_step(self) -> bool:
        """Send a page or the end mark; ``False`` when storage must be read first."""
        if self.sent >= self._page_to:
            self.state = State.FLOW
            self._port.end_of_backlog()
            return True
        if not self._knows_next(self._page_to):
            return False
        page: list[LogEntry] = []
        known: list[LogEntry] = []
        size = 0
        ahead = self._ahead.entries
        while ahead and len(page) < limits.PAGE_ENTRIES:
            if self._omitted(ahead[0]):
                entry = ahead.pop(0)
                if not entry.own:
                    known.append(entry)
                continue
            more = self._port.measure(ahead[0])
            if page and size + more > self._page_bytes:
                break
            page.append(ahead.pop(0))
            size += more
        if page:
            self.sent = page[-1].seq
            self._page = self._launch(tuple(page), size)
            self._port.page(self._page.entries, self._page.receipt)
            if known:
                self._pass_by(max(self.sent, known[-1].seq), tuple(known))
        else:
            self._pass_by(self._ahead.reaches, tuple(known))
        return True

    # Repeats.

    def _repeat_overdue(self) -> None:
        """Send again what was not answered in time, or give up for now."""
        if self.state is State.SUSPENDED or not self._writable:
            return
        now = self._now()
        due = now - limits.ACK_SECONDS
        for flight in list(self._flights):
            if flight.sent_at > due:
                continue
            if self._unseen > max(self.sent, self._ahead.reaches):
                self._read_again()
                return
            if flight.times >= limits.TRANSMISSIONS:
                self.state = State.SUSPENDED
                self._ahead.abandon(self.sent)
                self._port.stuck(flight.entries[0].seq)
                return
            flight.times += 1
            flight.sent_at = now
            if flight is self._page:
                self._port.page(flight.entries, flight.receipt)
            else:
                entry = flight.entries[0]
                self._port.deliver(entry, flight.receipt, self._is_backlog(entry.seq))
        earliest = min((flight.sent_at for flight in self._flights), default=None)
        if earliest is not None:
            self._port.wake(earliest + limits.ACK_SECONDS)

    def _read_again(self) -> None:
        """Send what is unanswered as storage has it now: some of it may be gone."""
        state = self.state
        self._unseen = 0
        self._go_back(self.acked)
        if state is State.PAGES:
            self.state = state

    def _resume_behind(self, seq: int) -> None:
        """The client says that it has everything up to ``seq``."""
        acked = self.acked
        if self.state is not State.SUSPENDED and acked <= seq <= self.sent:
            for flight in self._flights.up_to(seq):
                self.acknowledged(flight.receipt)
            acked = self.acked
            if seq <= acked:
                return
            # A part of a page was meant: the rest of it comes again.
        if seq < acked:
            self._flights.start_over(seq)
        self._go_back(seq)
        if seq > acked:
            self._port.claimed(acked, seq)

    def _go_back(self, seq: int) -> None:
        """Begin again behind ``seq``: nothing is under way any more."""
        self._flights.ground(seq)
        self._page = None
        self.sent = seq
        self._ahead.abandon(seq)
        if self.state is not State.HOLD:
            self.state = State.FLOW


def weight_of(entry: LogEntry) -> int:
    """About how many bytes an entry takes in the window."""
    return limits.ENTRY_BYTES + entry.message.content.weight
