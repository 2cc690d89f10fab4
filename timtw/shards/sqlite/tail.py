"""What the journal holds and the tables do not hold yet, in memory and ready to read.

The writer's thread alone changes a tail, and only after a COMMIT; any thread may read
it. Whoever wants everything looks here first and into the tables afterwards: what has
left the tail by then is in the tables.

Numbers of a conversation and of a log have no gaps, so what a tail holds of one is a
run: everything from its ``base`` on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeAlias, TypeVar

from timtw.model.values import TEXT, Conversation, LogEntry, Message
from timtw.shards.logpages import Line
from timtw.shards.repeats import as_read

Key = TypeVar("Key")

_Pair: TypeAlias = tuple[int, int]
Once: TypeAlias = tuple[int, int, int, bytes]
"""Period, conversation and digest of a send whose client chose its id."""
First: TypeAlias = tuple[int, int]
"""The mid and the time of such a send."""
Reader: TypeAlias = tuple[int, bytes]
Mark: TypeAlias = tuple[int, int, int]
RoomReader: TypeAlias = tuple[int, bytes, int]


class Kept:
    """A message or event of the journal.

    Not an attrs class: one is made per message on the busiest path.
    """

    __slots__ = (
        "_as_read",
        "message",
        "n",
        "once",
        "recipient_seq",
        "sender_seq",
        "size",
    )

    def __init__(
        self,
        n: int,
        message: Message,
        sender_seq: int,
        recipient_seq: int,
        size: int,
        once: Once | None,
    ) -> None:
        """Row ``n`` of the journal, with a packed content of ``size`` bytes."""
        self.n = n
        self.message = message
        self.sender_seq = sender_seq
        self.recipient_seq = recipient_seq
        self.size = size
        self.once = once
        self._as_read: Message | None = None

    @property
    def as_read(self) -> Message:
        """The message as storage gives it: one object, however many read it."""
        found = self._as_read
        if found is None:
            found = self._as_read = as_read(self.message)
        return found


class Run:
    """Consecutive items, the first of which has the number ``base``.

    Items are only added at the end, or become ``None`` where a text is gone. What is
    moved goes with the whole run, for which a shorter one takes its place: a reader of
    the old one is not disturbed.
    """

    __slots__ = ("base", "items")

    def __init__(self, base: int, items: list[Kept | None]) -> None:
        self.base = base
        self.items = items

    @property
    def last(self) -> int:
        """The newest number."""
        return self.base + len(self.items) - 1

    def get(self, number: int) -> Kept | None:
        """The item of this number, if it is here and not gone."""
        place = number - self.base
        return self.items[place] if 0 <= place < len(self.items) else None


class Newest(Generic[Key]):
    """The highest value of each key, in two generations.

    ``turn`` begins a new one. When the values of the old one are in the tables they
    are dropped (``done``), or else taken back (``undone``).
    """

    def __init__(self) -> None:
        self._new: dict[Key, int] = {}
        self._old: dict[Key, int] = {}

    def get(self, key: Key) -> int:
        """The value, or 0."""
        return self._new.get(key) or self._old.get(key, 0)

    def update(self, values: Mapping[Key, int]) -> None:
        """Take in values that are not lower than those before."""
        self._new.update(values)

    def turn(self) -> None:
        """What is here now is about to go into the tables."""
        self._old = {**self._old, **self._new}
        self._new = {}

    def done(self) -> None:
        """What was here at the last ``turn`` is in the tables."""
        self._old = {}

    def clear(self) -> None:
        """All values are in the tables."""
        self._new, self._old = {}, {}

    def undone(self) -> None:
        """It did not get there."""
        self._new = {**self._old, **self._new}
        self._old = {}


class Tail:
    """All rows of the journal, as they are read."""

    def __init__(self) -> None:
        self.rows = 0
        self.octets = 0
        self.moves = 0
        self.once: dict[Once, First] = {}
        self.cursors: Newest[Reader] = Newest()
        self.marks: Newest[Mark] = Newest()
        self.rooms: Newest[RoomReader] = Newest()
        self._texts: dict[_Pair, Run] = {}
        self._logs: dict[int, Run] = {}
        self._order: deque[Kept] = deque()
        self._turned = 0

    # For readers in any thread.

    def log(self, account: int) -> Run | None:
        """The newest part of a log."""
        return self._logs.get(account)

    def texts(self, pair: _Pair) -> Run | None:
        """The newest part of a conversation."""
        return self._texts.get(pair)

    def last(self, pair: _Pair) -> int:
        """The newest number of a conversation, or of the log ``(account, 0)``, or 0."""
        run = self._texts.get(pair)
        if run is None:
            # An account is nobody's conversation with number 0.
            run = self._logs.get(pair[0]) if pair[1] == 0 else None
        return 0 if run is None else run.last

    # For the writer.

    @property
    def first(self) -> int:
        """The number of the oldest row, or 0."""
        return self._order[0].n if self._order else 0

    def has_older(self, before: int) -> bool:
        """Whether anything is older than that."""
        return any(kept.message.timestamp < before for kept in self._order)

    def turn(self) -> None:
        """What cursors and marks there are now is about to go into the tables."""
        for newest in (self.cursors, self.marks, self.rooms):
            newest.turn()
        self._turned = self.moves

    def turned(self) -> None:
        """They are in the tables."""
        for newest in (self.cursors, self.marks, self.rooms):
            newest.done()
        self.moves -= self._turned

    def turn_back(self) -> None:
        """They did not get there."""
        for newest in (self.cursors, self.marks, self.rooms):
            newest.undone()

    def add(self, kept: Iterable[Kept]) -> None:
        """Take in what was committed, in the order of its numbers."""
        for one in kept:
            message = one.message
            first, second = pair = message.conversation
            if message.kind == TEXT:
                _append(self._texts, pair, message.mid, one)
            sender = message.sender.number
            if one.sender_seq:
                _append(self._logs, sender, one.sender_seq, one)
            other = second if sender == first else first
            if other != sender or not one.sender_seq:
                _append(self._logs, other, one.recipient_seq, one)
            if one.once is not None:
                self.once[one.once] = (message.mid, message.timestamp)
            self._order.append(one)
            self.rows += 1
            self.octets += one.size

    def clear(self) -> None:
        """Everything is in the tables."""
        self._texts, self._logs, self.once = {}, {}, {}
        for newest in (self.cursors, self.marks, self.rooms):
            newest.clear()
        self._order = deque()
        self.rows = self.octets = self.moves = self._turned = 0

    def remove(self, pair: _Pair, mid: int) -> None:
        """A text is gone."""
        run = self._texts.get(pair)
        kept = None if run is None else run.get(mid)
        if run is None or kept is None:
            return
        run.items[mid - run.base] = None
        sender = kept.message.sender.number
        other = Conversation(*pair).peer_of(sender)
        for owner, seq in ((sender, kept.sender_seq), (other, kept.recipient_seq)):
            log = self._logs.get(owner)
            if log is not None and log.get(seq) is kept:
                log.items[seq - log.base] = None

    def drop(self, up_to: int) -> None:
        """The rows up to this number are in the tables and no more in the journal."""
        texts: dict[_Pair, int] = {}
        logs: dict[int, int] = {}
        order = self._order
        while order and order[0].n <= up_to:
            one = order.popleft()
            message = one.message
            first, second = pair = message.conversation
            if message.kind == TEXT:
                texts[pair] = texts.get(pair, 0) + 1
            sender = message.sender.number
            if one.sender_seq:
                logs[sender] = logs.get(sender, 0) + 1
            other = second if sender == first else first
            if other != sender or not one.sender_seq:
                logs[other] = logs.get(other, 0) + 1
            if one.once is not None:
                self.once.pop(one.once, None)
            self.rows -= 1
            self.octets -= one.size
        _shorten(self._texts, texts)
        _shorten(self._logs, logs)


def _append(runs: dict[Key, Run], key: Key, number: int, one: Kept) -> None:
    """Add an item at the end of a run."""
    run = runs.get(key)
    if run is None:
        runs[key] = Run(number, [one])
    else:
        run.items.append(one)


def _shorten(runs: dict[Key, Run], counts: Mapping[Key, int]) -> None:
    """Take so many items from the beginnings of runs."""
    for key, count in counts.items():
        run = runs[key]
        left = run.items[count:]
        if left:
            runs[key] = Run(run.base + count, left)
        else:
            del runs[key]


def entries_of(account: int, run: Run, after: int, up_to: int) -> Iterator[Line]:
    """The entries of a log in a range."""
    base, items = run.base, run.items
    for place in range(max(after + 1 - base, 0), min(up_to + 1 - base, len(items))):
        kept = items[place]
        if kept is not None:
            message = kept.as_read
            own = message.kind == TEXT and message.sender.number == account
            yield base + place, LogEntry(base + place, message, own), kept.size


def texts_of(run: Run, newest: int, until: int | None) -> Iterator[Message]:
    """The texts of a conversation up to a number and a time, newest first."""
    base, items = run.base, run.items
    for place in range(min(newest + 1 - base, len(items)) - 1, -1, -1):
        kept = items[place]
        if kept is not None and (until is None or kept.message.timestamp <= until):
            yield kept.as_read
