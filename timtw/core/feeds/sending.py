"""What a feed sends, and sends again: the half of ``feed`` that writes."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

from timtw.core.feeds.ahead import Ahead
from timtw.core.feeds.flights import Flight, Flights
from timtw.core.feeds.port import Port
from timtw.core.feeds.receipts import Receipts
from timtw.model import limits
from timtw.model.values import LogEntry


class State(enum.Enum):
    """Where a feed stands; see the module's text."""

    HOLD = "hold"
    PAGES = "pages"
    FLOW = "flow"
    LIVE = "live"
    SUSPENDED = "suspended"


class Sending:
    """Which entry goes out when; the invariants stand in ``timtw.core.feeds.feed``."""

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
        self._held_until = 0.0
        if self._again_up_to < head or whole:
            self.state = State.HOLD
            self._held_until = now() + limits.HOLD_SECONDS
        else:
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
