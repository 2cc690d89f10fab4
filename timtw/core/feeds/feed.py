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

from timtw.core.feeds.flights import Flight
from timtw.core.feeds.sending import Sending, State, weight_of
from timtw.model import limits
from timtw.model.values import REMOVALS, TEXT, LogEntry, LogPage


class Feed(Sending):
    """The heart of delivery: which entry goes out when, and what counts as received."""

    __slots__ = ()

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
        if self._now() < self._ahead.again_at:
            self._port.wake(self._ahead.again_at)  # This alarm was an older wish.

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

    # Many at once, in rooms (timtw.core.feeds.volleys).

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
