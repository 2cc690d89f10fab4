"""One connection's reading of one account's log, without any connection.

Invariants
  1. acked <= sent <= head. Everything up to ``acked`` is confirmed; everything up to
     ``sent`` was written, stepped over or is gone; ``head`` is the newest number known.
  2. first arrivals are in the order of the log: ``sent`` only grows, except where
     unconfirmed frames are sent again after a suspension or on the client's request.
  3. LIVE means sent == head. Every other state reads storage from ``sent`` on.
  4. at most one read of storage is under way, and at most one page.

States: HOLD (a backlog waits for the client to ask for it), PAGES (the client asked),
FLOW (entries go out as ordinary frames as room appears), LIVE, SUSPENDED (a frame went
unanswered three times). docs/guarantees.md tells the same for readers.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from timtw.core.flights import Flight, Flights
from timtw.model import limits
from timtw.model.values import LogEntry, LogPage


class State(enum.Enum):
    """Where a feed stands; see the module's text."""

    HOLD = "hold"
    PAGES = "pages"
    FLOW = "flow"
    LIVE = "live"
    SUSPENDED = "suspended"


class Port(Protocol):
    """What a feed needs of its surroundings."""

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> None:
        """Write one entry; receipt 0 wants no acknowledgement."""

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page of the backlog."""

    def end_of_backlog(self) -> None:
        """Write the end mark of the backlog."""

    def measure(self, entry: LogEntry) -> int:
        """The bytes that an entry takes."""

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """Read the log; answered by ``loaded`` or ``unread``, never from inside."""

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """Everything up to ``acked`` is confirmed, ``entries`` among it just now."""

    def claimed(self, after: int, up_to: int) -> None:
        """The client says that it has this part of the log; it was not sent here."""

    def stuck(self, seq: int) -> None:
        """This entry stopped the reader."""

    def wake(self, at: float) -> None:
        """Call ``awake`` at this time; an earlier wish stays in force."""


class Feed:
    """The heart of delivery: which entry goes out when, and what counts as received."""

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
    ) -> None:
        """
        A feed that begins behind ``cursor``; ``start`` sets it going.

        Args:
            whole: Whether the client wants its own messages of the backlog as well.
            page_bytes: The largest page.
            again_up_to: What a lost connection of this reader had in flight ends
                here and goes out at once.
            settled: Numbers above ``cursor`` that need not be sent any more.
        """
        self._port = port
        self._now = now
        self._whole = whole
        self._page_bytes = page_bytes
        self.head = head
        self.sent = cursor
        self._backlog_to = head
        self._again_up_to = max(cursor, min(again_up_to, head))
        self._page_to = 0
        self._flights = Flights(cursor)
        self._settled = {seq for seq in settled if seq > cursor}
        self._loaded: deque[LogEntry] = deque()
        self._loaded_to = cursor
        self._ticket = 0
        self._reading = False
        self._receipt = 0
        self._writable = True
        self._held_until = now() + limits.HOLD_SECONDS
        self._read_again_at = 0.0
        self._echoes: deque[int] = deque()
        self.state = State.HOLD
        if self._again_up_to >= head:
            self.state = State.FLOW if cursor < head else State.LIVE

    @property
    def acked(self) -> int:
        """Everything up to here is confirmed."""
        return self._flights.acked

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
        self.head = seq
        if self.state is not State.LIVE:
            if self.state is State.FLOW:
                self._pump()
        elif seq == self.sent + 1 and self._writable and self._fits(entry):
            self._transmit(entry)
        else:
            self.state = State.FLOW
            self._pump()

    def raised(self, head: int) -> None:
        """Storage says that the log reaches to ``head``."""
        if head > self.head:
            self.head = head
            if self.state is State.LIVE:
                self.state = State.FLOW
            self._pump()

    def loaded(self, page: LogPage, ticket: int) -> None:
        """The answer to ``read``."""
        if ticket != self._ticket:
            return
        self._reading = False
        self._loaded.extend(page.entries)
        self._loaded_to = page.up_to
        self._pump()

    def unread(self, ticket: int) -> None:
        """Storage could not be read; it is asked again a second later."""
        if ticket == self._ticket:
            self._reading = False
            self._read_again_at = self._now() + 1.0
            self._port.wake(self._read_again_at)

    def writable(self, now: bool) -> None:
        """The line takes bytes, or does not."""
        self._writable = now
        if now:
            self._repeat_overdue(self._now())
            self._pump()

    def awake(self) -> None:
        """The time that was asked for by ``wake`` has come, or a later one."""
        now = self._now()
        if self.state is State.HOLD:
            if now < self._held_until:
                self._port.wake(self._held_until)
            else:
                self.stir()
        self._repeat_overdue(now)
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
            self._resume_behind(min(resume, self.head))
        elif self.state is State.SUSPENDED:
            self._go_back(self.acked)
        if self.state is State.PAGES:
            return
        self.state = State.PAGES
        self._page_to = self.head
        self._pump()

    def acknowledged(self, receipt: int) -> None:
        """The client has received the frame with this receipt."""
        before = self._flights.acked
        flight = self._flights.land(receipt)
        if flight is None:
            return
        self._port.confirmed(self._flights.acked, flight.entries)
        if self._echoes and self._flights.acked > before:
            self._forget_echoes()
        if self.state is State.SUSPENDED:
            self._go_back(self._flights.acked)
            self.state = State.FLOW
        if self.state is not State.LIVE:
            self._pump()

    def skip(self, seq: int) -> None:
        """Never send this entry to this reader; it has stopped it too often."""
        if seq <= self.acked:
            return
        self._go_back(self.acked)
        self._settled.add(seq)
        self.state = State.FLOW
        self._pump()

    def first_unanswered(self) -> int:
        """The first entry that was written and not confirmed, or 0."""
        flight = self._flights.first()
        return flight.entries[0].seq if flight is not None and flight.entries else 0

    def hand_over(self) -> tuple[int, int, frozenset[int]]:
        """``acked``, ``sent`` and what is settled between, for the next connection."""
        acked, sent = self.acked, self.sent
        self._go_back(acked)
        return acked, sent, frozenset(self._settled)

    # Sending.

    def _pump(self) -> None:
        """Send what may go out, or ask for what is needed to do so."""
        while self._writable and self.state is not State.SUSPENDED:
            if self.state is State.PAGES:
                if self._flights_hold_a_page() or not self._page_step():
                    return
                continue
            limit = self._again_up_to if self.state is State.HOLD else self.head
            if self.sent >= limit:
                if self.state is State.FLOW:
                    self.state = State.LIVE
                return
            if not self._have_next(limit):
                return
            if not self._loaded:
                self._pass_by(self._loaded_to)
            elif self._omitted(self._loaded[0]):
                self._pass_by(self._loaded.popleft().seq)
            elif self._fits(self._loaded[0]):
                self._transmit(self._loaded.popleft())
            else:
                return

    def _have_next(self, limit: int) -> bool:
        """Whether it is known what follows ``sent``; if not, storage is asked."""
        if self._loaded or self._loaded_to > self.sent:
            return True
        if not self._reading and self._now() >= self._read_again_at:
            self._reading = True
            self._ticket += 1
            self._loaded_to = self.sent
            self._port.read(self.sent, limit, self._ticket)
        return False

    def _fits(self, entry: LogEntry) -> bool:
        """Whether the window has room for one more frame."""
        flights = self._flights
        if entry.own and entry.seq > self._backlog_to:
            return len(self._echoes) < limits.WINDOW_ECHOES
        return flights.frames == 0 or (
            flights.frames < limits.WINDOW_FRAMES
            and flights.octets + self._port.measure(entry) <= limits.WINDOW_BYTES
        )

    def _omitted(self, entry: LogEntry) -> bool:
        """Whether this connection steps over ``entry``."""
        if entry.seq in self._settled:
            return True
        return entry.own and not self._whole and entry.seq <= self._backlog_to

    def _transmit(self, entry: LogEntry) -> None:
        """Write one entry as an ordinary frame."""
        backlog = entry.seq <= self._backlog_to
        self.sent = entry.seq
        if entry.own and not backlog:
            self._port.deliver(entry, 0, False)
            if self._flights.frames:
                self._echoes.append(entry.seq)
            self._passed(entry.seq)
            return
        flight = self._launch((entry,), entry.seq, self._port.measure(entry), backlog)
        self._port.deliver(entry, flight.receipt, self._marked_backlog(entry.seq))

    def _marked_backlog(self, seq: int) -> bool:
        return self._again_up_to < seq <= self._backlog_to

    def _launch(
        self,
        entries: tuple[LogEntry, ...],
        last: int,
        size: int,
        backlog: bool,
        paged: bool = False,
    ) -> Flight:
        """Expect an answer to what is about to be written."""
        self._receipt = self._receipt % 0x7FFFFFFF + 1
        now = self._now()
        if not self._flights.frames:
            self._port.wake(now + limits.ACK_SECONDS)
        flight = Flight(entries, last, self._receipt, size, now, backlog, paged)
        self._flights.launch(flight)
        return flight

    def _pass_by(self, seq: int) -> None:
        self.sent = seq
        self._passed(seq)

    def _passed(self, seq: int) -> None:
        """Everything up to ``seq`` needs no answer beyond those under way."""
        if self._flights.pass_by(seq):
            self._port.confirmed(seq, ())

    # Pages.

    def _flights_hold_a_page(self) -> bool:
        return any(flight.paged for flight in self._flights)

    def _page_step(self) -> bool:
        """Send a page or the end mark; ``False`` when storage must be read first."""
        if self.sent >= self._page_to:
            self.state = State.FLOW
            self._port.end_of_backlog()
            return True
        if not self._have_next(self._page_to):
            return False
        entries: list[LogEntry] = []
        size = 0
        while self._loaded and len(entries) < limits.PAGE_ENTRIES:
            entry = self._loaded[0]
            if not self._omitted(entry):
                more = self._port.measure(entry)
                if entries and size + more > self._page_bytes:
                    break
                entries.append(entry)
                size += more
            elif not entries:
                self._pass_by(entry.seq)
            self._loaded.popleft()
        if entries:
            self._send_page(tuple(entries), size)
        else:
            self._pass_by(self._loaded_to)
        return True

    def _send_page(self, entries: tuple[LogEntry, ...], size: int) -> None:
        last = entries[-1].seq
        self.sent = last
        flight = self._launch(entries, last, size, True, paged=True)
        self._port.page(entries, flight.receipt)

    # Repeats.

    def _repeat_overdue(self, now: float) -> None:
        """Send again what was not answered in time, or give up for now."""
        if self.state is State.SUSPENDED or not self._writable:
            return
        due = now - limits.ACK_SECONDS
        for flight in list(self._flights):
            if flight.sent_at > due:
                continue
            if flight.times >= limits.TRANSMISSIONS:
                self.state = State.SUSPENDED
                self._port.stuck(flight.entries[0].seq)
                return
            flight.times += 1
            flight.sent_at = now
            if flight.paged:
                self._port.page(flight.entries, flight.receipt)
            else:
                entry = flight.entries[0]
                marked = self._marked_backlog(entry.seq)
                self._port.deliver(entry, flight.receipt, marked)
        waiting = [flight.sent_at for flight in self._flights]
        if waiting:
            self._port.wake(min(waiting) + limits.ACK_SECONDS)

    def _resume_behind(self, seq: int) -> None:
        """The client says that it has everything up to ``seq``."""
        if self.state is not State.SUSPENDED and self.acked <= seq <= self.sent:
            before = self.acked
            landed = self._flights.land_up_to(seq)
            entries = [entry for flight in landed for entry in flight.entries]
            if self.acked > before or entries:
                self._port.confirmed(self.acked, entries)
            return
        before = self.acked
        self._go_back(seq)
        if seq > before:
            self._port.claimed(before, seq)
        else:
            self._settled.clear()

    def _forget_echoes(self) -> None:
        while self._echoes and self._echoes[0] <= self._flights.acked:
            self._echoes.popleft()

    def _go_back(self, seq: int) -> None:
        """Begin again behind ``seq``: nothing is under way any more."""
        self._settled |= self._flights.ground(seq)
        self._settled.update(self._echoes)
        self._echoes.clear()
        self._settled = {number for number in self._settled if number > seq}
        self.sent = seq
        self._loaded.clear()
        self._loaded_to = seq
        self._ticket += 1
        self._reading = False
        if self.state in (State.SUSPENDED, State.PAGES, State.LIVE):
            self.state = State.FLOW
