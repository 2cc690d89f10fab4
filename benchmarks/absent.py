"""Texts for users who are away: what storing costs, and what fetching them costs.

    python -m benchmarks absent

Devices that were there once and are away get texts; then they come back, ask for what
waits (a request 17) and acknowledge page after page. At last one comes back for whom a
hundred thousand are waiting, while the node's memory is watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from benchmarks.arriving import Crowd, talkers
from benchmarks.clocks import Reading, clocks_of
from benchmarks.control import echoed
from benchmarks.load import Plan, Result, Traffic
from benchmarks.options import Options
from benchmarks.people import Person, settle
from benchmarks.rows import Row, of_result, windows_of
from benchmarks.serving import BenchNode, served, workplace
from benchmarks.talker import JSON, Broken
from benchmarks.watching import Watched

SENDERS: Final = 10
AWAY: Final = 50
"""Users who are away; those who come back do so together."""
IN_FLIGHT: Final = 200
WINDOWS: Final = 4
STORE, DRAIN, ONE = "absent store", "absent drain", "absent drain of one"


def measure(options: Options) -> Iterator[Row]:
    """Three rows, each with a bare echo of as many texts beside it."""
    control = echoed(SENDERS, IN_FLIGHT)
    with workplace(options.directory) as directory:
        people = settle(directory, SENDERS + AWAY + 1)
        senders, away, one = people[:SENDERS], people[SENDERS:-1], people[-1:]
        with served(directory, options.profile) as node:
            Crowd(node.port).visit(people)
            if options.wants(STORE) or options.wants(DRAIN):
                result, stored = store(node, senders, away, options.scaled(40_000))
                details = {"windows": windows_of(result), "users": AWAY}
                yield Row(STORE, of_result(result), control, details)
                drained, watched = drain(node, away, stored)
                yield Row(DRAIN, drained.per_message(), control, {"users": AWAY})
            if options.wants(ONE):
                _, stored = store(node, senders, one, options.scaled(100_000))
                drained, watched = drain(node, one, stored)
                values = {**drained.per_message(), "grown_kb": watched.grown_kb}
                details = {"texts": stored, "memory": watched.samples}
                yield Row(ONE, values, control, details)


def store(
    node: BenchNode, senders: Sequence[Person], away: Sequence[Person], count: int
) -> tuple[Result, int]:
    """Send so many texts to those who are away; how many it were in the end."""
    there = talkers(Crowd(node.port), senders)
    for place, talker in enumerate(there):
        first = place * len(away) // len(there)
        talker.write_to([*away[first:], *away[:first]])
    traffic = Traffic(there, clocks_of(node.pid))
    result = traffic.run(Plan(count // WINDOWS, IN_FLIGHT, 0, WINDOWS))
    traffic.close()
    return result, traffic.echoes


def drain(
    node: BenchNode, away: Sequence[Person], stored: int
) -> tuple[Reading, Watched]:
    """Let all of them come back and fetch what waits."""
    there = talkers(Crowd(node.port), away)
    traffic = Traffic(there, clocks_of(node.pid))
    watched = Watched(node.pid)
    before = traffic.reading()
    for talker in there:
        talker.say(JSON.backlog())
    traffic.until(lambda: watched.look() and all(talker.ends for talker in there))
    spent = traffic.reading().since(before)
    traffic.close()
    received = sum(talker.received for talker in there)
    if received != stored:
        raise Broken(f"{stored} were stored, and {received} came")
    return attrs.evolve(spent, messages=received), watched
