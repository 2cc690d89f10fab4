"""Virtual rooms: one pushes and a thousand get it; a slow one among them; files.

    python -m benchmarks live

A delivery is one frame that one subscriber got. Every subscriber's bytes are compared
with what it has to get, so all of them are whole, in order, and nothing is missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import attrs

from benchmarks.arriving import Crowd
from benchmarks.audience import Audience, Publisher, subscribe
from benchmarks.clocks import Clocks, Reading, clocks_of
from benchmarks.control import echoed
from benchmarks.machine import memory_of
from benchmarks.options import Options
from benchmarks.people import settle
from benchmarks.pouring import pour, send
from benchmarks.rows import Row
from benchmarks.serving import served, workplace

SUBSCRIBERS: Final = 1000
FRAME: Final = 1024
IN_FLIGHT: Final = 256
"""Frames under way; more would have to wait in queues, and be dropped."""
RATES: Final = (
    ("live to 1000", IN_FLIGHT, 8_000),
    ("live to 1000, one in flight", 1, 200),
)
"""Names, frames under way and pushes."""
STALLED: Final = "live to 1000, one does not read"
WINDOWS: Final = 4
PACE: Final = 20
"""Frames a second where it is not the rate that is measured."""
PACED_SECONDS: Final = 5.0
"""How long each part lasts in which somebody reads, or does not."""
ORDER: Final = (False, True, True, False)
"""Whether the one is stalled; what else changes meanwhile falls upon both."""
STALLED_PUSHES: Final = 6_000
"""Six megabytes: the system keeps four for a socket."""
MIB: Final = 1 << 20


def measure(options: Options) -> Iterator[Row]:
    """One row for each figure."""
    names = [STALLED, *(name for name, _, _ in RATES)]
    if any(map(options.wants, names)):
        yield from _audience(options)
    if options.wants("file"):
        yield _file(options)
    for kind in (95, 96):
        if options.wants(f"big data {kind}"):
            yield _big(options, kind)


def _audience(options: Options) -> Iterator[Row]:
    """A thousand subscribers of one room."""
    control = echoed(20, 200)
    with workplace(options.directory) as directory:
        people = settle(directory, SUBSCRIBERS + 1)
        with served(directory, options.profile) as node:
            crowd = Crowd(node.port)
            crowd.gather(people)
            publisher = Publisher(*crowd.lines[0])
            room = publisher.open_room()
            time.sleep(1.0)
            before = memory_of(node.pid)
            subscribe(crowd.lines[1:], room)
            time.sleep(1.0)
            each = (memory_of(node.pid).uss - before.uss) / SUBSCRIBERS / 1024
            audience = Audience(crowd.lines[1:], publisher, FRAME)
            clocks = clocks_of(node.pid)
            for name, in_flight, pushes in RATES:
                if options.wants(name):
                    amount = max(WINDOWS, options.scaled(pushes))
                    values, details = _rate(audience, clocks, amount, in_flight)
                    values["kb_each"] = round(each, 2)
                    yield Row(name, values, control, details)
            if options.wants(STALLED):
                yield _stalled(options, audience, clocks, control)
            audience.close()
            publisher.line.close()


def _rate(
    audience: Audience, clocks: Clocks, pushes: int, in_flight: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """So many pushes, so many of them under way."""
    audience.run(max(1, pushes // 10), in_flight)
    windows: list[Reading] = []
    for _ in range(WINDOWS):
        begun = clocks(audience.delivered)
        audience.run(pushes // WINDOWS, in_flight)
        windows.append(clocks(audience.delivered).since(begun))
    parts = zip(*map(attrs.astuple, windows), strict=True)
    shown = [window.per_message() for window in windows]
    return Reading(*map(sum, parts)).per_message(), {"windows": shown}


def _stalled(
    options: Options, audience: Audience, clocks: Clocks, control: dict[str, float]
) -> Row:
    """The same audience at a pace; one of them reads for a while, and then not."""
    seconds = max(1.0, PACED_SECONDS * options.scale)
    slow = audience.lag()
    waits: dict[bool, list[float]] = {False: [], True: []}
    audience.pace(seconds / 2, PACE)
    begun = clocks(audience.delivered)
    for is_stalled in ORDER:
        if is_stalled and not waits[True]:
            audience.stall(slow, True)
            audience.latencies = []
            # More than the system keeps for it, so that the node must.
            audience.run(STALLED_PUSHES, IN_FLIGHT)
        elif not is_stalled:
            audience.stall(slow, False)
        audience.latencies = waits[is_stalled]
        audience.pace(seconds, PACE)
    spent = clocks(audience.delivered).since(begun).per_message()
    dropped = audience.missed(slow)
    values = {name: spent[name] for name in spent if name.endswith("_share")}
    for name, found in (("calm", waits[False]), ("stalled", waits[True])):
        ordered = sorted(found)
        values[f"{name}_p50_ms"] = round(ordered[len(ordered) // 2] * 1e3, 2)
        values[f"{name}_p99_ms"] = round(ordered[int(len(ordered) * 0.99)] * 1e3, 2)
    ratio = values["stalled_p99_ms"] / values["calm_p99_ms"]
    values["ratio"] = round(ratio, 3)
    values["dropped"] = dropped
    details = {"pace": PACE, "seconds": seconds, "order": ORDER}
    return Row(STALLED, values, control, details)


def _file(options: Options) -> Row:
    """A file through a room that loses nothing, and the node's memory meanwhile."""
    size = 1024 * MIB if options.large else options.scaled(128 * MIB)
    with workplace(options.directory) as directory:
        people = settle(directory, 2)
        with served(directory, options.profile) as node:
            crowd = Crowd(node.port)
            crowd.gather(people)
            values = pour(crowd.lines, size, node.pid)
            crowd.close()
    return Row("file", values, {}, {"bytes": size})


def _big(options: Options, kind: int) -> Row:
    """Big texts or octets from one account to another."""
    count = max(4, options.scaled(200))
    with workplace(options.directory) as directory:
        people = settle(directory, 2)
        with served(directory, options.profile) as node:
            crowd = Crowd(node.port)
            crowd.gather(people)
            values = send(crowd.lines, kind, count, node.pid)
            crowd.close()
    return Row(f"big data {kind}", values, {}, {"frames": count})
