"""A restart: thousands come back at once, while others go on talking.

    python -m benchmarks restart

Five thousand devices are connected when the node is stopped. It starts again; some
people log in and write to each other at a fixed pace; then all the others come back at
once with their resume credentials. Seconds count from the first of these, latencies
from the moment at which each text was due.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from typing import Final

import attrs

from benchmarks.arriving import SECONDS, Crowd, talkers
from benchmarks.clocks import clocks_of
from benchmarks.load import Result, Traffic
from benchmarks.options import Options
from benchmarks.people import Person, settle
from benchmarks.rows import Row
from benchmarks.serving import BenchNode, served, workplace

COUNT: Final = 5_000
PAIRS: Final = 20
PACE: Final = 200.0
"""Texts a second of all pairs: what a node of a few thousand people sees."""
CALM_SECONDS: Final = 5.0
"""How long the pace is measured before the others come back."""
STEP: Final = 20
"""Steps of clients on their way in that are served between two looks at the talkers,
so that it is the node's delay that is measured and not the generator's."""
NAME: Final = "restart"


def measure(options: Options) -> Iterator[Row]:
    """One row; the control is the same pace when nobody comes back."""
    with workplace(options.directory) as directory:
        people = settle(directory, options.scaled(COUNT) + 2 * PAIRS)
        talking, others = people[: 2 * PAIRS], people[2 * PAIRS :]
        with served(directory, options.profile) as node:
            before = Crowd(node.port)
            before.gather(others)
            node.stop()
            before.close()
            node.start()
            yield _come_back(node, talking, others)


def _come_back(node: BenchNode, talking: list[Person], others: list[Person]) -> Row:
    """Measure the pace without and with the others coming back."""
    there = talkers(Crowd(node.port), talking)
    for sender, recipient in zip(there[:PAIRS], talking[PAIRS:], strict=True):
        sender.write_to([recipient])
    traffic = Traffic(there, clocks_of(node.pid))
    calm = Result(latencies=traffic.latencies)
    end = time.perf_counter() + CALM_SECONDS
    traffic.pace(PACE, lambda: time.perf_counter() >= end)
    traffic.finish()
    busy = Result()
    traffic.latencies = busy.latencies
    back = Back(node.port, others, traffic.selector)
    before = traffic.reading()
    traffic.pace(PACE, back.done)
    spent = traffic.reading().since(before)
    traffic.finish()
    crowd = back.crowd
    values = {
        **attrs.evolve(spent, messages=len(crowd.lines)).per_message(),
        "p50_ms": round(busy.latency(0.50), 1),
        "p99_ms": round(busy.latency(0.99), 1),
        "seconds": round(spent.at, 1),
        "refused": sum(crowd.failures.values()),
    }
    control = {
        "p50_ms": round(calm.latency(0.50), 1),
        "p99_ms": round(calm.latency(0.99), 1),
    }
    details = {
        "devices": len(crowd.lines),
        "failures": crowd.failures,
        "texts": len(busy.latencies),
        "longest_ms": round(busy.latency(1.0), 1),
    }
    crowd.close()
    traffic.close()
    return Row(NAME, values, control, details)


class Back:
    """Those who come back, served a little at a time within the loop of the others."""

    def __init__(
        self, port: int, people: list[Person], selector: selectors.BaseSelector
    ) -> None:
        """Nobody has begun yet."""
        self.crowd = Crowd(port)
        self._people = people
        self._begun = 0
        self._end = time.perf_counter() + SECONDS
        self._inner = self.crowd.selector
        self._outer = selector
        selector.register(self._inner, selectors.EVENT_READ, self._ready)

    def _ready(self) -> None:
        """Some of them are ready."""
        self.crowd.serve(0, STEP)

    def done(self) -> bool:
        """Let some more begin; whether all are in, refused or late."""
        if self._begun < len(self._people):
            self.crowd.begin(self._people[self._begun : self._begun + STEP])
            self._begun += STEP
            return False
        if not self.crowd.settled and time.perf_counter() < self._end:
            return False
        self.crowd.give_up()
        self._outer.unregister(self._inner)
        return True
