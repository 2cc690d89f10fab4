"""Many connections: a burst of logins, and the memory of those that are idle.

    python -m benchmarks connections

Ten thousand clients connect at the same moment, from many addresses, and log in with
their resume credentials. When all are in and nothing happens any more, the memory that
the node has more than before is divided by their number.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import attrs

from benchmarks.arriving import Crowd
from benchmarks.clocks import Reading, clocks_of
from benchmarks.control import Parrot, bare
from benchmarks.machine import Memory, memory_of
from benchmarks.options import Options
from benchmarks.people import Person, settle
from benchmarks.rows import Row
from benchmarks.serving import served, workplace
from timtw.model.values import Address

COUNT: Final = 10_000
EARLIER: Final = 200
"""Clients that come and go first, so that what is made once has been made."""
CALM_SECONDS: Final = 3.0
"""How long nothing happens before memory is read."""
KINDS: Final = ("websocket", "tcp")


@attrs.frozen
class Found:
    """What a crowd did to a server."""

    crowd: Crowd
    spent: Reading
    before: Memory
    after: Memory

    @property
    def burst(self) -> dict[str, float]:
        """How the arrival went."""
        waits = sorted(self.crowd.seconds)
        return {
            **self.spent.per_message(),
            "p50_ms": round(waits[len(waits) // 2] * 1e3),
            "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3),
            "seconds": round(self.spent.at, 1),
            "refused": sum(self.crowd.failures.values()),
        }

    @property
    def idle(self) -> dict[str, float]:
        """What each connection occupies."""
        count = len(self.crowd.lines)
        return {
            "kb_each": round((self.after.uss - self.before.uss) / count / 1024, 2),
            "kb_each_pss": round((self.after.pss - self.before.pss) / count / 1024, 2),
        }

    @property
    def details(self) -> dict[str, Any]:
        """What else is worth knowing."""
        return {
            "connections": len(self.crowd.lines),
            "failures": self.crowd.failures,
            "uss_kb_before": self.before.uss // 1024,
            "uss_kb_after": self.after.uss // 1024,
        }


def measure(options: Options) -> Iterator[Row]:
    """Two rows for each kind of connection, with a bare server beside them."""
    count = options.scaled(COUNT)
    nobody = [Person(Address(1, "1"), "")] * count
    with bare() as server:
        crowd = Crowd(server.port, Parrot(), by_websocket=False)
        control = _crowded(crowd, server.pid, nobody)
        crowd.close()
    for kind in KINDS:
        if not options.wants(kind):
            continue
        with workplace(options.directory) as directory:
            people = settle(directory, EARLIER + count)
            with served(directory, options.profile) as node:
                by_websocket = kind == "websocket"
                port = node.port if by_websocket else node.lines
                Crowd(port, by_websocket=by_websocket).visit(people[count:])
                crowd = Crowd(port, by_websocket=by_websocket)
                found = _crowded(crowd, node.pid, people[:count])
                crowd.close()
        beside = {key: control.burst[key] for key in ("rate", "cpu_us")}
        yield Row(f"burst {kind}", found.burst, beside, found.details)
        yield Row(f"idle {kind}", found.idle, control.idle, found.details)


def _crowded(crowd: Crowd, pid: int, people: list[Person]) -> Found:
    """Let all of them come at once, and then be calm."""
    time.sleep(CALM_SECONDS)
    before, clocks = memory_of(pid), clocks_of(pid)
    begun = clocks(0)
    crowd.begin(people)
    crowd.wait()
    spent = clocks(len(crowd.lines)).since(begun)
    time.sleep(CALM_SECONDS)
    return Found(crowd, spent, before, memory_of(pid))
