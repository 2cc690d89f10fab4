"""Load for a node, and what is measured while it lasts.

*In a closed loop* a fixed number of texts is under way: each echo lets one more be
sent. That finds out what the node can do. *At a pace* texts are sent at a fixed rate,
and each latency counts from when the text was due: that finds out what users wait.
"""

from __future__ import annotations

import selectors
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from benchmarks.clocks import Clocks, Reading
from benchmarks.talker import Broken, Talker

STALLED: Final = 15.0
"""Seconds without anything after which a run is given up."""


@attrs.define
class Result:
    """What one run measured; latencies are seconds, unsorted."""

    windows: list[Reading] = attrs.Factory(list)
    latencies: list[float] = attrs.Factory(list)

    @property
    def whole(self) -> Reading:
        """All windows as one."""
        parts = zip(*map(attrs.astuple, self.windows), strict=True)
        return Reading(*map(sum, parts))

    def latency(self, part: float) -> float:
        """The latency in milliseconds that this part of the messages stays below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1e3


@attrs.frozen
class Plan:
    """How much to send: windows of so many messages each, after the warm-up."""

    messages: int
    in_flight: int
    warm_up: int
    windows: int = 1


class Traffic:
    """Talkers in one selector."""

    def __init__(
        self,
        talkers: Sequence[Talker],
        clocks: Clocks,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        """
        Args:
            clocks: Those beside the server.
            selector: Where others are served in the same loop; a new one if none.
        """
        self.echoes = 0
        self.latencies: list[float] = []
        self.selector = selector or selectors.DefaultSelector()
        self._talkers = talkers
        self._senders = [talker for talker in talkers if talker.peers]
        self._idle: deque[Talker] = deque()
        self._clocks = clocks
        self._goes_on = False
        for talker in talkers:
            ready = partial(self._ready, talker)
            self.selector.register(talker.line, selectors.EVENT_READ, ready)

    def reading(self) -> Reading:
        """Clocks and counters now."""
        return self._clocks(self.echoes)

    def run(self, plan: Plan) -> Result:
        """Warm up, measure, and wait until everything has arrived."""
        self._start(plan.in_flight)
        self._until_echoed(plan.warm_up)
        result = Result()
        self.latencies = result.latencies
        for _ in range(plan.windows):
            before = self.reading()
            self._until_echoed(plan.messages)
            result.windows.append(self.reading().since(before))
        self.latencies = []
        self.finish()
        return result

    def _start(self, in_flight: int) -> None:
        """Send the first ones; who has nothing under way waits for a turn."""
        senders = self._senders
        each = -(-in_flight // len(senders))
        self._idle = deque(senders * each)
        self._goes_on = True
        self._send_next(in_flight)

    def _send_next(self, count: int) -> None:
        """Let those who have waited longest send one each."""
        now = time.perf_counter()
        chosen = Counter(self._idle.popleft() for _ in range(count))
        for talker, number in chosen.items():
            talker.send(number, now)

    def _ready(self, talker: Talker) -> None:
        """Something has come for one of them."""
        count = talker.ready(self.latencies)
        if not count:
            return
        self.echoes += count
        if self._goes_on:
            if self._idle:
                self._idle.extend([talker] * count)
                self._send_next(count)
            else:
                talker.send(count, time.perf_counter())

    def turn(self, seconds: float) -> bool:
        """Serve whoever is ready within so many seconds; whether there was anybody."""
        ready = self.selector.select(seconds)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def until(self, done: Callable[[], bool]) -> None:
        """Serve everybody until ``done``."""
        while not done():
            if not self.turn(STALLED):
                raise Broken("nothing has come for a long time")

    def _until_echoed(self, count: int) -> None:
        """Serve everybody until there are so many more echoes."""
        goal = self.echoes + count
        self.until(lambda: self.echoes >= goal)

    def pace(self, rate: float, done: Callable[[], bool]) -> None:
        """Send so many texts a second, by turns, until ``done``."""
        self._goes_on = False
        begun = time.perf_counter()
        sent = 0
        while not done():
            due = int((time.perf_counter() - begun) * rate)
            for number in range(sent, due):
                talker = self._senders[number % len(self._senders)]
                talker.send(1, begun + number / rate)
            sent = max(sent, due)
            following = begun + (sent + 1) / rate
            self.turn(max(0.0, following - time.perf_counter()))

    def finish(self) -> None:
        """Send no more, and wait until every text was echoed and delivered."""
        self._goes_on = False
        there = {talker.node: talker for talker in self._talkers}
        self.until(lambda: all(not talker.waiting for talker in self._senders))
        for talker in self._senders:
            for peer in talker.peers:
                if peer in there and peer in talker.echoed:
                    last, got = talker.echoed[peer], there[peer].got
                    self.until(partial(_is_there, got, talker.node, last))
        self._compare(there)

    def _compare(self, there: Mapping[bytes, Talker]) -> None:
        """Broken if the first texts of a conversation are missing or were foreign."""
        if all(peer in there for talker in self._senders for peer in talker.peers):
            received = sum(talker.received for talker in self._talkers)
            echoes = sum(talker.echoes for talker in self._talkers)
            if received != echoes:
                raise Broken(f"{echoes} were sent, and {received} came")

    def close(self) -> None:
        """Hang up all lines."""
        for talker in self._talkers:
            self.selector.unregister(talker.line)
            talker.line.close()


def _is_there(got: dict[bytes, int], author: bytes, last: int) -> bool:
    """Whether the last text of this author has come; Broken if a later one has."""
    found = got.get(author, 0)
    if found > last:
        raise Broken(f"text {found} came, and only {last} were sent")
    return found == last
