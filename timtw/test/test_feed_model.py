"""The feed against a model: hypothesis looks for a way to break its invariants."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.feed import Feed
from timtw.core.feeds.sending import State
from timtw.model import limits
from timtw.model.values import (
    REVOCATION,
    TEXT,
    Address,
    Content,
    Conversation,
    LogEntry,
    LogPage,
    Message,
)

ME, PEER = Address(1, "me"), Address(2, "peer")
ENTRY_BYTES = 40 * 1024
"""So large that the window is full by bytes before it is full by frames."""


HEAVY = Content(text="x" * ENTRY_BYTES)


def entry(seq: int, own: bool) -> LogEntry:
    """An entry of my log."""
    sender, recipient = (ME, PEER) if own else (PEER, ME)
    message = Message(Conversation(2, 1), seq, seq, sender, recipient, seq, HEAVY)
    return LogEntry(seq, message, own)


def removal(seq: int, gone: int) -> LogEntry:
    """An entry of my log after which the text with the number ``gone`` is gone."""
    told = entry(seq, False).message
    return LogEntry(seq, attrs.evolve(told, mid=gone, kind=REVOCATION), False)


@attrs.define(eq=False)
class Line:
    """One connection: what was written to it, and what the client made of it."""

    whole: bool
    head_at_login: int
    alarm: float | None = None
    unread: deque[tuple[tuple[int, ...], int, bool]] = attrs.Factory(deque)
    outstanding: dict[int, tuple[int, ...]] = attrs.Factory(dict)
    receipts: set[int] = attrs.Factory(set)
    reads: deque[tuple[int, int, int, list[LogEntry]]] = attrs.Factory(deque)
    cursor: int = 0
    rewound: set[int] = attrs.Factory(set)
    renewed: set[int] = attrs.Factory(set)
    silent: bool = True


class FeedMachine(RuleBasedStateMachine):
    """A reader that connects, loses lines, confirms, asks; a node that crashes."""

    log: dict[int, LogEntry]
    feed: Feed
    line: Line

    @initialize(whole=st.booleans(), backlog=st.integers(0, 45), own=st.booleans())
    def begin(self, whole: bool, backlog: int, own: bool) -> None:
        """A first connection over a log that may hold something already."""
        self.time = 0.0
        self.log = {}
        self.head = 0
        self.whole = whole
        self.durable = 0
        self.moved = 0
        self.arrived: set[int] = set()
        self.front = 0
        self.known_acked: set[int] = set()
        self.excused: set[int] = set()
        self.stuck_at: list[int] = []
        self.removed: dict[int, int] = {}
        for number in range(backlog):
            self._grow(own and number % 3 == 0)
        self._connect(0, frozenset())

    def _grow(self, own: bool) -> LogEntry:
        self.head += 1
        self.log[self.head] = entry(self.head, own)
        return self.log[self.head]

    def _connect(self, again_up_to: int, settled: frozenset[int]) -> None:
        self.line = Line(self.whole, self.head)
        cursor = max(self.durable, self.moved)
        self.line.cursor = cursor
        self.writable = True
        self.feed = Feed(
            self,
            lambda: self.time,
            cursor,
            self.head,
            whole=self.whole,
            page_bytes=3 * ENTRY_BYTES,
            again_up_to=again_up_to,
            settled=settled,
        )
        self.feed.start()

    # The port.

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """Write one entry."""
        if not receipt:
            assert entry.own and entry.seq > self.line.head_at_login
            self._write((entry.seq,), 0)
            self.known_acked.add(entry.seq)
        else:
            assert not entry.own or self.whole
            self._write((entry.seq,), receipt)
        return True

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page."""
        assert receipt
        assert 0 < len(entries) <= limits.PAGE_ENTRIES
        assert len(entries) == 1 or len(entries) * ENTRY_BYTES <= 3 * ENTRY_BYTES
        self._write(tuple(one.seq for one in entries), receipt)

    def _write(self, seqs: tuple[int, ...], receipt: int) -> None:
        """Bytes go to the line; the client reads them later, or never."""
        assert self.writable
        for seq in seqs:
            known = self.removed.get(seq, 0) <= self.feed.head
            assert seq in self.log or not known, "a message that is gone was sent"
        again = receipt in self.line.receipts
        if receipt:
            self.line.receipts.add(receipt)
            self.line.renewed.add(receipt)
        allowed = again or not any(
            seq in self.known_acked and seq not in self.line.rewound for seq in seqs
        )
        self.line.unread.append((seqs, receipt, allowed))

    @rule(most=st.integers(1, 40))
    def client_reads(self, most: int) -> None:
        """What was written arrives, in order."""
        for _ in range(min(most, len(self.line.unread))):
            seqs, receipt, allowed = self.line.unread.popleft()
            if receipt:
                self.line.outstanding[receipt] = seqs
            for seq in seqs:
                self._came(seq, allowed)

    def _came(self, seq: int, allowed: bool) -> None:
        """The client sees an entry."""
        if seq in self.arrived:
            assert allowed, f"{seq} was repeated after its confirmation"
        else:
            assert seq > self.front, "overtaken"
            self.arrived.add(seq)
            self.front = seq

    def end_of_backlog(self) -> None:
        """The end mark."""
        assert self.feed.sent >= self.feed._page_to

    def measure(self, entry: LogEntry) -> int:
        """All entries are of one size."""
        return ENTRY_BYTES

    def may_read(self) -> bool:
        """See ``Port``."""
        return True

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """Storage answers later with what it has now."""
        assert after < up_to <= self.head
        found = [one for seq, one in self.log.items() if after < seq <= up_to]
        self.line.reads.append((after, up_to, ticket, found))

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """The cursor may move."""
        assert all(one.seq <= acked for one in entries)
        self.moved = max(self.moved, acked)

    def claimed(self, after: int, up_to: int) -> None:
        """The client has it from elsewhere."""
        self.excused.update(range(after + 1, up_to + 1))
        self.moved = max(self.moved, up_to)

    def stuck(self, seq: int) -> None:
        """A reader is stopped."""
        self.stuck_at.append(seq)

    def wake(self, at: float) -> None:
        """Keep the earliest wish."""
        assert at >= self.time
        if self.line.alarm is None or at < self.line.alarm:
            self.line.alarm = at

    # What happens.

    @rule(owns=st.lists(st.booleans(), min_size=1, max_size=6), heard=st.booleans())
    def log_grows(self, owns: list[bool], heard: bool) -> None:
        """Something is posted; the hints may be lost."""
        for own in owns:
            new = self._grow(own)
            if heard:
                self.feed.offered(new)

    @precondition(lambda self: self.line.reads)
    @rule()
    def storage_answers_everything(self) -> None:
        """All reads come back."""
        while self.line.reads:
            self.storage_answers(True, 64)

    @rule()
    def look(self) -> None:
        """The node compares heads with storage."""
        self.feed.raised(self.head)

    @rule(place=st.integers(0, 9))
    def message_goes(self, place: int) -> None:
        """A message that nobody has seen yet is gone for good."""
        unseen = [seq for seq in self.log if seq > self.feed._ahead.reaches]
        unseen = [seq for seq in unseen if seq > self.feed.head]
        if unseen:
            del self.log[unseen[place % len(unseen)]]

    @rule(place=st.integers(0, 200), heard=st.booleans())
    def text_is_taken_back(self, place: int, heard: bool) -> None:
        """Any text is revoked, wherever it is on its way; the hint may be lost."""
        texts = [seq for seq, one in self.log.items() if one.message.kind == TEXT]
        if not texts:
            return
        gone = texts[place % len(texts)]
        self.head += 1
        self.log[self.head] = removal(self.head, gone)
        del self.log[gone]
        self.removed[gone] = self.head
        if heard:
            self.feed.offered(self.log[self.head])

    @precondition(lambda self: self.line.reads)
    @rule(works=st.booleans(), most=st.integers(1, 20))
    def storage_answers(self, works: bool, most: int) -> None:
        """A read comes back, in pieces or not at all."""
        _after, up_to, ticket, found = self.line.reads.popleft()
        if not works:
            self.feed.unread(ticket)
            return
        some = tuple(found[:most])
        reaches = some[-1].seq if len(found) > most else up_to
        self.feed.loaded(LogPage(some, reaches), ticket)

    @precondition(lambda self: self.line.outstanding)
    @rule(place=st.integers(0, 40))
    def client_acknowledges(self, place: int) -> None:
        """Any frame that was read is confirmed, in any order, sometimes twice."""
        receipts = sorted(self.line.outstanding)
        receipt = receipts[place % len(receipts)]
        self._confirm(receipt)

    def _confirm(self, receipt: int) -> None:
        """The client confirms a frame."""
        seqs = self.line.outstanding[receipt]
        self.known_acked.update(seqs)
        if receipt in self.line.renewed:
            self.line.rewound.difference_update(seqs)
        self.feed.acknowledged(receipt)

    @rule()
    def client_acknowledges_everything(self) -> None:
        """All that was written is read and confirmed."""
        self.client_reads(len(self.line.unread))
        for receipt in sorted(self.line.outstanding):
            self._confirm(receipt)

    @rule()
    def everything_works(self) -> None:
        """Line, storage and client do what they should for a while."""
        self.line_fills(True)
        for _ in range(12):
            while self.line.reads:
                self.storage_answers(True, 64)
            self.client_acknowledges_everything()

    @rule(receipt=st.integers(-5, 2**31))
    def stranger_acknowledges(self, receipt: int) -> None:
        """A number that was never given out counts for nothing."""
        if receipt not in self.line.outstanding:
            before = self.feed.acked
            self.feed.acknowledged(receipt)
            assert self.feed.acked == before

    @rule()
    def client_asks(self) -> None:
        """Type 17."""
        self._speaks()
        self.feed.ask()

    def _has(self) -> int:
        """The number up to which the client has everything that is not gone."""
        missing = [one for one in self.log if one not in self.arrived]
        return min(missing) - 1 if missing else self.head

    def _speaks(self) -> None:
        """A client that counts says how far it is before anything else it says."""
        if self.whole and self.line.silent:
            self.resume(self._has())

    @precondition(lambda self: self.whole)
    @rule()
    def client_resumes(self) -> None:
        """Type 17 with the number up to which the client has everything."""
        self.resume(self._has())

    @precondition(lambda self: self.whole)
    @rule(place=st.integers(0, 200))
    def client_resumes_anywhere(self, place: int) -> None:
        """Type 17 with a number that pleases the client."""
        self.resume(place % (self.head + 3))

    def resume(self, seq: int) -> None:
        """Type 17 with a number."""
        self.line.silent = False
        seq = min(seq, self.feed.head)
        self.known_acked.update(range(1, seq + 1))
        self.line.rewound.update(range(seq + 1, self.head + 1))
        self.line.renewed.clear()
        self.arrived.update(range(1, seq + 1))
        self.front = max(self.front, seq)
        self.feed.ask(seq)

    @rule()
    def client_writes(self) -> None:
        """The client sends something: no waiting any more."""
        self._speaks()
        self.feed.stir()

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        """Alarms ring."""
        self._speaks()
        self.time += seconds
        while self.line.alarm is not None and self.line.alarm <= self.time:
            self.line.alarm = None
            self.feed.awake()

    @rule(open=st.booleans())
    def line_fills(self, open: bool) -> None:
        """The transport takes nothing, or takes bytes again."""
        self.writable = open
        self.feed.writable(open)

    @rule()
    def cursor_is_stored(self) -> None:
        """A commit carries the cursor."""
        self.durable = self.moved

    @rule()
    def line_breaks(self) -> None:
        """The client comes back to the same node; what it had not read is lost."""
        acked, sent, settled = self.feed.hand_over()
        self.moved = max(self.moved, acked)
        self._connect(sent, settled)

    @rule()
    def node_crashes(self) -> None:
        """What was not stored is forgotten: it may come again."""
        self.moved = self.durable
        self.known_acked = {seq for seq in self.known_acked if seq <= self.durable}
        self._connect(0, frozenset())

    # What always holds.

    @invariant()
    def numbers_are_in_order(self) -> None:
        """acked <= sent <= head, and the cursor never passes what is acked."""
        feed = self.feed
        assert feed.acked <= feed.sent <= feed.head <= self.head
        assert self.durable <= self.moved

    @invariant()
    def live_means_up_to_date(self) -> None:
        """LIVE only from sent = head."""
        if self.feed.state is State.LIVE:
            assert self.feed.sent == self.feed.head

    @invariant()
    def nothing_unconfirmed_is_passed(self) -> None:
        """Everything the cursor has passed was confirmed, or needs it not."""
        for seq in range(1, self.moved + 1):
            one = self.log.get(seq)
            assert (
                one is None
                or seq in self.known_acked
                or seq in self.excused
                or (one.own and not self.whole)
            ), f"the cursor passed {seq}"

    @invariant()
    def window_is_kept(self) -> None:
        """Unacknowledged frames stay within the window, one page beside them."""
        flights = self.feed._flights
        assert flights.frames == len(list(flights))
        page = self.feed._page
        frames, octets = flights.frames, flights.octets
        if page is not None:
            frames, octets = frames - 1, octets - page.size
        assert frames <= limits.WINDOW_FRAMES
        assert octets <= limits.WINDOW_BYTES or frames == 1
        assert self.line.alarm is not None or not (
            flights.frames and self.writable and self.feed.state is not State.SUSPENDED
        )

    def teardown(self) -> None:
        """With a willing client everything arrives in the end."""
        if not hasattr(self, "feed"):
            return
        self.feed.raised(self.head)
        self.line_fills(True)
        if self.whole:
            self.client_reads(len(self.line.unread))
            self.resume(self._has())
        for _ in range(400):
            if self.feed.state is State.LIVE and not self.feed._flights.frames:
                break
            if self.feed.state is State.SUSPENDED:
                self.feed.ask()
            while self.line.reads:
                self.storage_answers(True, 20)
            self.client_acknowledges_everything()
            self.time_passes(3.0)
        assert self.feed.state is State.LIVE, self.feed.state
        assert self.feed.acked == self.head
        for seq, one in self.log.items():
            assert (
                seq in self.arrived
                or seq in self.excused
                or (one.own and not self.whole)
            ), f"{seq} never came"


def walk(rng: random.Random) -> None:
    """One long life, in which what is frequent in real life is frequent."""
    machine = FeedMachine()
    machine.begin(rng.random() < 0.5, rng.randint(0, 45), rng.random() < 0.5)
    few: list[tuple[int, Callable[[], None]]] = [
        (12, lambda: machine.log_grows(_owns(rng), rng.random() < 0.8)),
        (12, lambda: machine.client_reads(rng.randint(1, 40))),
        (3, machine.client_acknowledges_everything),
        (2, machine.look),
        (2, machine.client_asks),
        (1, lambda: machine.message_goes(rng.randint(0, 9))),
        (3, lambda: machine.text_is_taken_back(rng.randint(0, 200), _likely(rng))),
        (1, lambda: machine.time_passes(rng.choice([0.5, 3.0, 10.0]))),
        (1, lambda: machine.line_fills(rng.random() < 0.7)),
        (1, machine.cursor_is_stored),
        (1, machine.line_breaks),
        (1, machine.everything_works),
    ]
    for _ in range(120):
        acts = list(few)
        if machine.line.reads:
            works, most = rng.random() < 0.9, rng.randint(1, 20)
            acts.append((20, lambda w=works, m=most: machine.storage_answers(w, m)))  # type: ignore[misc]
        if machine.line.outstanding:
            place = rng.randint(0, 40)
            acts.append((10, lambda p=place: machine.client_acknowledges(p)))  # type: ignore[misc]
        if machine.whole:
            acts += [(1, machine.client_resumes), (1, machine.node_crashes)]
            place = rng.randint(0, 200)
            acts.append((1, lambda p=place: machine.client_resumes_anywhere(p)))  # type: ignore[misc]
        rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
        machine.numbers_are_in_order()
        machine.live_means_up_to_date()
        machine.nothing_unconfirmed_is_passed()
        machine.window_is_kept()
    machine.teardown()


def _likely(rng: random.Random) -> bool:
    """Whether a hint arrives."""
    return rng.random() < 0.8


def _owns(rng: random.Random) -> list[bool]:
    """Whether each of a few new entries is one's own."""
    return [rng.random() < 0.3 for _ in range(rng.randint(1, 6))]


class FeedModelTests(SynchronousTestCase):
    """Whatever happens in whatever order, the promises hold."""

    def test_invariants(self) -> None:
        """No sequence of events loses, doubles or reorders an entry."""
        run_state_machine_as_test(
            FeedMachine,
            settings=settings(
                max_examples=200,
                stateful_step_count=50,
                deadline=None,
                derandomize=True,
            ),
        )

    def test_long_walks(self) -> None:
        """Three hundred long lives, drawn as they happen to happen, hold as well."""
        for seed in range(300):
            with self.subTest(seed):
                walk(random.Random(seed))
