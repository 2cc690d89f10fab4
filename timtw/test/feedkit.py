"""A feed on a script: everything around it is recorded, nothing happens by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from timtw.core.feeds.feed import Feed
from timtw.model import limits
from timtw.model.values import (
    Address,
    Content,
    Conversation,
    LogEntry,
    LogPage,
    Message,
)

ME, PEER = Address(1, "me"), Address(2, "peer")
Frame: TypeAlias = tuple[tuple[int, ...], int]
"""What was written: the numbers of the entries, and the receipt."""


def entry(seq: int, own: bool = False, size: int = limits.ENTRY_BYTES) -> LogEntry:
    """An entry of my log that weighs ``size``."""
    sender, recipient = (ME, PEER) if own else (PEER, ME)
    text = "x" * (size - limits.ENTRY_BYTES)
    message = Message(
        Conversation(2, 1), seq, seq, sender, recipient, seq, Content(text=text)
    )
    return LogEntry(seq, message, own)


class Script:
    """A feed's port, its storage, its clock and its client.

    Attributes:
        frames: What was written, in order: ordinary frames and pages.
        backlog: The numbers that went out as having come meanwhile.
        pages: The pages among ``frames``.
        ends: How many end marks were written.
        reads: What storage was asked for and has not answered.
        cursors: Each ``acked`` that was confirmed.
        marked: The numbers of the entries that were confirmed.
    """

    def __init__(
        self,
        backlog: int = 0,
        *,
        cursor: int = 0,
        own: Iterable[int] = (),
        gone: Iterable[int] = (),
        whole: bool = False,
        page_bytes: int = 8192,
        again_up_to: int = 0,
        settled: Iterable[int] = (),
        size: int = limits.ENTRY_BYTES,
        measure: int = 100,
    ) -> None:
        """A log of ``backlog`` entries and a feed that begins behind ``cursor``."""
        self.time = 0.0
        self.size = size
        self.measured = measure
        self.log: dict[int, LogEntry] = {}
        self.head = 0
        self.frames: list[Frame] = []
        self.backlog: list[int] = []
        self.pages: list[tuple[int, ...]] = []
        self.ends = 0
        self.reads: list[tuple[int, int, int]] = []
        self.cursors: list[int] = []
        self.marked: list[int] = []
        self.claims: list[tuple[int, int]] = []
        self.stops: list[int] = []
        self.alarm: float | None = None
        self.open = True
        for seq in range(1, backlog + 1):
            self.grow(seq in set(own))
            if seq in set(gone):
                del self.log[seq]
        self.feed = Feed(
            self,
            lambda: self.time,
            cursor,
            self.head,
            whole=whole,
            page_bytes=page_bytes,
            again_up_to=again_up_to,
            settled=settled,
        )

    def begin(self) -> Script:
        """Start the feed and answer what it reads."""
        self.feed.start()
        self.answer()
        return self

    # The port.

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """See ``Port``."""
        if self.open:
            self.frames.append(((entry.seq,), receipt))
            if backlog:
                self.backlog.append(entry.seq)
        return self.open

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """See ``Port``."""
        numbers = tuple(one.seq for one in entries)
        self.frames.append((numbers, receipt))
        self.pages.append(numbers)

    def end_of_backlog(self) -> None:
        """See ``Port``."""
        self.ends += 1

    def measure(self, entry: LogEntry) -> int:
        """See ``Port``."""
        return self.measured

    def may_read(self) -> bool:
        """See ``Port``."""
        return True

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """See ``Port``."""
        self.reads.append((after, up_to, ticket))

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """See ``Port``."""
        self.cursors.append(acked)
        self.marked.extend(one.seq for one in entries)

    def claimed(self, after: int, up_to: int) -> None:
        """See ``Port``."""
        self.claims.append((after, up_to))

    def stuck(self, seq: int) -> None:
        """See ``Port``."""
        self.stops.append(seq)

    def wake(self, at: float) -> None:
        """See ``Port``."""
        if self.alarm is None or at < self.alarm:
            self.alarm = at

    # What happens around it.

    def grow(self, own: bool = False, size: int = 0) -> LogEntry:
        """One more entry in the log, of which the feed does not hear."""
        self.head += 1
        self.log[self.head] = entry(self.head, own, size or self.size)
        return self.log[self.head]

    def offer(self, count: int = 1, own: bool = False, size: int = 0) -> None:
        """The log grows by so many entries, and the feed hears of each."""
        for _ in range(count):
            self.feed.offered(self.grow(own, size))

    def page_of(self, after: int, up_to: int, most: int = 64) -> LogPage:
        """What storage would answer."""
        found = [one for seq, one in self.log.items() if after < seq <= up_to]
        if len(found) > most:
            return LogPage(tuple(found[:most]), found[most - 1].seq)
        return LogPage(tuple(found), up_to)

    def answer(self, most: int = 64) -> None:
        """Storage answers whatever it is asked until nothing is asked any more."""
        while self.reads:
            after, up_to, ticket = self.reads.pop(0)
            self.feed.loaded(self.page_of(after, up_to, most), ticket)

    def passes(self, seconds: float) -> None:
        """Time passes, and the alarm rings when it is due."""
        end = self.time + seconds
        while self.alarm is not None and self.alarm <= end:
            self.time, self.alarm = max(self.time, self.alarm), None
            self.feed.awake()
        self.time = end

    def acknowledge(self, *numbers: int) -> None:
        """The client confirms the newest frame that ends with each number."""
        for number in numbers:
            receipt = [r for seqs, r in self.frames if seqs[-1] == number][-1]
            self.feed.acknowledged(receipt)
            self.answer()

    def acknowledge_everything(self) -> None:
        """The client confirms every frame, also those that come meanwhile."""
        done = 0
        while done < len(self.frames):
            self.feed.acknowledged(self.frames[done][1])
            self.answer()
            done += 1

    @property
    def sent(self) -> list[int]:
        """The numbers that went out, in order, repeats included."""
        return [seq for seqs, _receipt in self.frames for seq in seqs]

    def cleared(self) -> Script:
        """Forget what was written so far."""
        self.frames.clear()
        self.pages.clear()
        self.backlog.clear()
        self.ends = 0
        return self
