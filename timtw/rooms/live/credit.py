"""How much of the streams to one other node is under way, and what waits for that.

No input and no output: loads go in, freight comes out as repayments make room for it.

Invariants
  1. of one stream at most ``STREAM_WINDOW`` octets are under way, of all together at
     most ``LINK_WINDOW``; one larger load may be alone.
  2. what goes out of one stream is what went in, in order, less what was dropped, and
     each freight says how many pieces were dropped before it.
  3. streams that wait take turns, one load each.
  4. whatever was lost on the way is repaid by the next freight that arrives, since
     octets are counted from the beginning; a stream of which nothing waits or is under
     way is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from timtw.model import limits
from timtw.model.live import Freight, Goods


class _Stream:
    """One stream to the node.

    Attributes:
        sent: Octets up to the end of what has gone out.
        repaid: Octets up to the end of what the node has taken.
        weight: Octets that wait.
        dropped: Pieces that were dropped since something has gone out.
        is_next: Whether it waits for its turn.
    """

    __slots__ = ("dropped", "is_next", "key", "repaid", "sent", "waiting", "weight")

    def __init__(self, key: int, start: int) -> None:
        self.key = key
        self.sent = self.repaid = start
        self.waiting: deque[tuple[Goods, int]] = deque()
        self.weight = 0
        self.dropped = 0
        self.is_next = False

    def may_go(self) -> bool:
        """Whether the next load has room among what is under way."""
        if not self.waiting:
            return False
        under_way = self.sent - self.repaid
        octets = self.waiting[0][1]
        return not under_way or under_way + octets <= limits.STREAM_WINDOW

    def drop(self) -> int:
        """Drop the oldest loads that are too much; how many pieces they had."""
        dropped = 0
        while self.weight > limits.STREAM_WAITING_BYTES and len(self.waiting) > 1:
            goods, octets = self.waiting.popleft()
            self.weight -= octets
            dropped += len(goods)
        self.dropped += dropped
        return dropped


class Link:
    """All streams to one other node."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._streams: dict[int, _Stream] = {}
        self._turns: deque[_Stream] = deque()
        self._total = 0
        self.under_way = 0

    def __len__(self) -> int:
        """Streams of which something waits or is under way."""
        return len(self._streams)

    def has(self, key: int) -> bool:
        """Whether something of a stream waits or is under way."""
        return key in self._streams

    def waiting(self, key: int) -> int:
        """Octets of a stream that wait."""
        stream = self._streams.get(key)
        return 0 if stream is None else stream.weight

    def unpaid(self) -> list[int]:
        """The streams of which something is under way."""
        return [one.key for one in self._streams.values() if one.sent != one.repaid]

    def add(self, key: int, goods: Goods, octets: int, drops: bool) -> int:
        """
        Take a load in; how many pieces were dropped for it.

        Args:
            drops: Whether the oldest loads make room if too much waits.
        """
        stream = self._streams.get(key)
        if stream is None:
            # Never where an earlier stream of this number has been.
            stream = self._streams[key] = _Stream(key, self._total)
        stream.waiting.append((goods, octets))
        stream.weight += octets
        self._queue(stream)
        return stream.drop() if drops else 0

    def ready(self) -> Iterator[Freight]:
        """What goes out now."""
        while self._turns:
            stream = self._turns[0]
            octets = stream.waiting[0][1] if stream.waiting else 0
            if self.under_way and self.under_way + octets > limits.LINK_WINDOW:
                return
            self._turns.popleft()
            stream.is_next = False
            if not stream.may_go():
                continue
            goods, octets = stream.waiting.popleft()
            stream.weight -= octets
            stream.sent += octets
            self._total += octets
            self.under_way += octets
            dropped, stream.dropped = stream.dropped, 0
            self._queue(stream)
            yield Freight(stream.key, goods, stream.sent, dropped)

    def repaid(self, key: int, upto: int) -> bool:
        """The node has taken a stream up to here; whether that is news."""
        stream = self._streams.get(key)
        if stream is None:
            return False
        gained = min(upto, stream.sent) - stream.repaid
        if gained <= 0:
            return False
        stream.repaid += gained
        self.under_way -= gained
        self._queue(stream)
        self._settle(stream)
        return True

    def lost(self, key: int) -> None:
        """What is under way of a stream will not be repaid."""
        stream = self._streams.get(key)
        if stream is not None:
            self.repaid(key, stream.sent)

    def forget(self, key: int) -> None:
        """The stream has ended: what waits will not go."""
        stream = self._streams.get(key)
        if stream is not None:
            stream.waiting.clear()
            stream.weight = 0
            self._settle(stream)

    def _queue(self, stream: _Stream) -> None:
        if not stream.is_next and stream.may_go():
            stream.is_next = True
            self._turns.append(stream)

    def _settle(self, stream: _Stream) -> None:
        if stream.sent == stream.repaid and not stream.waiting:
            del self._streams[stream.key]
