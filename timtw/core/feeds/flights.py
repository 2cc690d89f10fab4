"""What one connection has been sent and has not confirmed yet.

Invariants
  1. flights stand in the order of the log; each covers everything after the one
     before it up to its own ``last``.
  2. ``frames`` and ``octets`` count exactly the flights that wait for an answer.
  3. the first flight of a non-empty queue waits for an answer: what is confirmed
     at the front is taken off at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from timtw.model import limits
from timtw.model.values import TEXT, Conversation, LogEntry

NO_NUMBERS: Final[frozenset[int]] = frozenset()
"""Shared by all connections: an empty set of its own takes 216 bytes."""


class Flight:
    """Log entries that travel together, up to the number ``last``.

    Not an attrs class: two are made per message on the busiest path.
    """

    __slots__ = (
        "confirmed",
        "entries",
        "last",
        "receipt",
        "sent_at",
        "size",
        "times",
    )

    def __init__(
        self,
        entries: tuple[LogEntry, ...],
        last: int,
        receipt: int,
        size: int,
        sent_at: float,
    ) -> None:
        """A flight with receipt 0 needs no answer."""
        self.entries = entries
        self.last = last
        self.receipt = receipt
        self.size = size
        self.sent_at = sent_at
        self.times = 1
        self.confirmed = receipt == 0


class Flights:
    """The flights of one connection and the highest number confirmed without a hole.

    Beyond ``acked`` some numbers need not be sent any more: ``settled`` ones, whose
    confirmation did arrive, and echoes, which this line has carried.
    """

    __slots__ = (
        "_by_receipt",
        "_echoes",
        "_late",
        "_queue",
        "acked",
        "arrived",
        "frames",
        "octets",
        "settled",
    )

    def __init__(self, acked: int, settled: Iterable[int] = ()) -> None:
        """
        Everything up to ``acked`` is confirmed, and the numbers of ``settled``.

        ``arrived`` is what the last answer added to ``acked``: entries that were
        confirmed and before which nothing is unconfirmed any more.
        """
        self.acked = acked
        self.arrived: tuple[LogEntry, ...] = ()
        self.frames = 0
        self.octets = 0
        self.settled = _above(acked, settled)
        self._echoes: set[int] | frozenset[int] = NO_NUMBERS
        self._queue: list[Flight] = []
        self._by_receipt: dict[int, Flight] | None = None
        self._late: dict[int, tuple[LogEntry, ...]] | None = None

    def __iter__(self) -> Iterator[Flight]:
        """The flights that wait for an answer, oldest first."""
        return (flight for flight in self._queue if not flight.confirmed)

    def has_room(self, size: int) -> bool:
        """Whether a frame of ``size`` fits; a large one may be alone."""
        return self.frames == 0 or (
            self.frames < limits.WINDOW_FRAMES
            and self.octets + size <= limits.WINDOW_BYTES
        )

    def has_room_for_echo(self) -> bool:
        """Whether one more echo may go out behind what waits for an answer."""
        return len(self._echoes) < limits.WINDOW_ECHOES

    def is_known(self, seq: int) -> bool:
        """Whether this line need not carry ``seq`` any more."""
        return seq in self.settled or seq in self._echoes

    def launch(self, flight: Flight) -> None:
        """Expect the answer to ``flight``, which is about to be written."""
        self._queue.append(flight)
        if self._by_receipt is None:
            self._by_receipt = {}
        self._by_receipt[flight.receipt] = flight
        self.frames += 1
        self.octets += flight.size

    # Runs of entries in which every answer comes in order; nothing else waits then.

    def add_run(self, count: int, octets: int) -> bool:
        """Count so many frames that wait for an answer, if they fit."""
        frames, size = self.frames + count, self.octets + octets
        if self._queue or frames > limits.ROOM_FRAMES or size > limits.WINDOW_BYTES:
            return False
        self.frames, self.octets = frames, size
        return True

    def land_run(self, last: int, count: int, octets: int) -> None:
        """So many of them are answered, up to the number ``last``."""
        self.acked = last
        self.frames -= count
        self.octets -= octets

    def adopt(self, flight: Flight) -> None:
        """One of them, which is counted already, waits by itself from now on."""
        self._queue.append(flight)
        if self._by_receipt is None:
            self._by_receipt = {}
        self._by_receipt[flight.receipt] = flight

    def pass_by(self, last: int, entries: tuple[LogEntry, ...] = ()) -> bool:
        """
        Take everything up to ``last`` as confirmed; whether ``acked`` moved.

        Args:
            entries: What of it an earlier connection had confirmed.
        """
        if not self._queue:
            self.acked = last
            return True
        tail = self._queue[-1]
        if tail.confirmed:
            tail.last = last
            tail.entries += entries
        else:
            self._queue.append(Flight(entries, last, 0, 0, 0.0))
        return False

    def echo(self, seq: int) -> bool:
        """Count an echo that was written; whether ``acked`` moved."""
        if self.frames:
            if isinstance(self._echoes, frozenset):
                self._echoes = set()
            self._echoes.add(seq)
        return self.pass_by(seq)

    def land(self, receipt: int) -> Flight | None:
        """The flight that ``receipt`` answers, or ``None`` for an unknown number."""
        waiting = self._by_receipt
        flight = None if waiting is None else waiting.pop(receipt, None)
        if flight is None:
            return None
        self._settle(flight)
        self._advance()
        echoes = len(self._echoes)
        if echoes and (echoes > limits.WINDOW_FRAMES or not self.frames):
            left = {seq for seq in self._echoes if seq > self.acked}
            self._echoes = left or NO_NUMBERS
        return flight

    def drop(self, conversation: Conversation, mid: int) -> list[Flight]:
        """
        Take a text that is gone out of what may be sent again.

        Returns: the flights in which nothing is left that wants an answer.
        """
        empty = []
        for flight in self:
            left = tuple(
                entry
                for entry in flight.entries
                if entry.message.mid != mid
                or entry.message.conversation != conversation
                or entry.message.kind != TEXT
            )
            if not left:
                empty.append(flight)
            flight.entries = left
        return empty

    def answered_late(self, receipt: int) -> list[Flight]:
        """
        Count the answer to a frame that is being sent again under another receipt.

        Returns: the flights to which there is nothing more to answer.
        """
        entries = () if self._late is None else self._late.pop(receipt, ())
        if not entries:
            return []
        self.settled |= {one.seq for one in entries if one.seq > self.acked}
        return [
            flight
            for flight in self
            if all(one.seq in self.settled for one in flight.entries)
        ]

    def up_to(self, seq: int) -> list[Flight]:
        """The flights that wait for an answer and lie wholly at or below ``seq``."""
        return [flight for flight in self if flight.last <= seq]

    def first(self) -> Flight | None:
        """The oldest flight that waits for an answer."""
        return self._queue[0] if self._queue else None

    def ground(self, acked: int) -> None:
        """Forget all flights; everything up to ``acked`` is confirmed."""
        settled = set(self.settled)
        late = self._late or {}
        for flight in self._queue:
            if flight.confirmed:
                settled.update(entry.seq for entry in flight.entries)
            else:
                late[flight.receipt] = flight.entries
        while len(late) > limits.LATE_RECEIPTS:
            del late[next(iter(late))]
        self._late = late or None
        self.settled = _above(acked, settled)
        self._queue.clear()
        self._by_receipt = None
        self.frames = self.octets = 0
        self.acked = acked

    def start_over(self, acked: int) -> None:
        """Forget all flights and that anything above ``acked`` was ever confirmed."""
        self.ground(acked)
        self.settled = NO_NUMBERS
        self._echoes = NO_NUMBERS

    def _settle(self, flight: Flight) -> None:
        flight.confirmed = True
        self.frames -= 1
        self.octets -= flight.size

    def _advance(self) -> None:
        queue = self._queue
        arrived: tuple[LogEntry, ...] = ()
        while queue and queue[0].confirmed:
            first = queue.pop(0)
            self.acked = first.last
            arrived = arrived + first.entries if arrived else first.entries
        self.arrived = arrived


def _above(acked: int, numbers: Iterable[int]) -> frozenset[int]:
    """Those of the numbers that are above ``acked``."""
    return frozenset(seq for seq in numbers if seq > acked) or NO_NUMBERS
