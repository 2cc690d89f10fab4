"""Whether the cost of a message depends on how much else there is.

    python -m benchmarks flat

Processor time per message with more and more connections, stored messages, and
conversations of one account. The spread is by how much the dearest is above the
cheapest.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.arriving import Crowd, talkers
from benchmarks.clocks import clocks_of
from benchmarks.load import Plan, Result, Traffic
from benchmarks.options import Options
from benchmarks.past import remembered
from benchmarks.people import Person, settle
from benchmarks.rows import Row, windows_of
from benchmarks.serving import BenchNode, served, workplace
from benchmarks.talker import Talker

IN_FLIGHT: Final = 200
WINDOWS: Final = 3
MESSAGES: Final = 6_000
"""Of each window; the middle one of three counts."""
WARM_UP: Final = 2_000
CONNECTIONS: Final = (10, 100, 1_000, 10_000)
ACTIVE_CONNECTIONS: Final = (400, 1_000, 10_000)
"""Not fewer, for then several texts would share a packet, which makes each cheaper."""
STORED: Final = (1_000, 10_000, 100_000)
LARGE: Final = 1_000_000
ACCOUNTS: Final = 2_000
"""Accounts that share the stored messages."""
STEADY: Final = 60_000
"""Messages that are there before connections are added: enough to fill the journal,
as nothing is moved from it before that and a message costs less."""
TALKING: Final = 200
"""Accounts among these that talk when messages are stored."""
CONVERSATIONS: Final = (1, 100, 1_000)

IDLE = "flat over connections"
ACTIVE = "flat over active connections"
PAST = "flat over stored"
FRIENDS = "flat over conversations"
FRIENDS_THERE = "conversations with all there"


def measure(options: Options) -> Iterator[Row]:
    """A row for each thing there can be more of."""
    if options.wants(IDLE) or options.wants(ACTIVE):
        yield from _connections(options)
    if options.wants(PAST):
        stored = (*STORED, LARGE) if options.large else STORED
        found = {str(count): _with_past(count, options) for count in stored}
        yield _row(PAST, found)
    for name, there in ((FRIENDS, False), (FRIENDS_THERE, True)):
        if options.wants(name):
            found = {
                str(count): _with_friends(count, there, options)
                for count in CONVERSATIONS
            }
            yield _row(name, found)


def _row(name: str, found: Mapping[str, Result]) -> Row:
    """The processor time of each, and their spread."""
    costs = {label: _cost(result) for label, result in found.items()}
    least, most = min(costs.values()), max(costs.values())
    values = {"spread_percent": round((most / least - 1) * 100, 1), **costs}
    return Row(
        name, values, {}, {label: windows_of(one) for label, one in found.items()}
    )


def _cost(result: Result) -> float:
    """Microseconds of a message: of the window in the middle."""
    costs = [one.server_cpu / one.messages * 1e6 for one in result.windows]
    return round(statistics.median(costs), 1)


def _plan(options: Options) -> Plan:
    messages = options.scaled(MESSAGES)
    return Plan(messages, IN_FLIGHT, options.scaled(WARM_UP), WINDOWS)


def _connections(options: Options) -> Iterator[Row]:
    """Ten talk while more and more are there, and then more and more of these talk."""
    few = CONNECTIONS[0]
    idle, active = {}, {}
    with workplace(options.directory) as directory:
        before = options.scaled(STEADY)
        # Everybody has read everything: who is idle is sent nothing.
        people = settle(directory, CONNECTIONS[-1], remembered(before, CONNECTIONS[-1]))
        with served(directory, options.profile) as node:
            there: list[Talker] = []
            for count in CONNECTIONS:
                there += talkers(Crowd(node.port), people[len(there) : count])
                idle[str(count)] = _in_pairs(node, there[:few], people[:few], options)
            for count in ACTIVE_CONNECTIONS if options.wants(ACTIVE) else ():
                found = _in_pairs(node, there[:count], people[:count], options)
                active[str(count)] = found
    if options.wants(IDLE):
        yield _row(IDLE, idle)
    if options.wants(ACTIVE):
        yield _row(ACTIVE, active)


def _in_pairs(
    node: BenchNode, there: Sequence[Talker], people: Sequence[Person], options: Options
) -> Result:
    """Let the first half write to the second, each to one."""
    half = len(people) // 2
    for place, talker in enumerate(there):
        talker.write_to(people[place + half : place + half + 1] if place < half else ())
    return _talk(node, there, options)


def _talk(node: BenchNode, there: Sequence[Talker], options: Options) -> Result:
    """Measure what they say."""
    traffic = Traffic(there, clocks_of(node.pid))
    result = traffic.run(_plan(options))
    traffic.selector.close()
    return result


def _with_past(count: int, options: Options) -> Result:
    """Some accounts talk where all have said so much before."""
    past = remembered(options.scaled(count), TALKING)
    with workplace(options.directory) as directory:
        people = settle(directory, ACCOUNTS, past)[:TALKING]
        with served(directory, options.profile) as node:
            there = talkers(Crowd(node.port), people)
            for place, talker in enumerate(there):
                talker.write_to(
                    [people[(place + step) % TALKING] for step in (1, 2, 3)]
                )
            return _talk(node, there, options)


def _with_friends(count: int, are_there: bool, options: Options) -> Result:
    """One account writes to so many by turns, of as many who are there or not."""
    with workplace(options.directory) as directory:
        people = settle(directory, 1 + CONVERSATIONS[-1])
        with served(directory, options.profile) as node:
            Crowd(node.port).visit(people)
            there = talkers(Crowd(node.port), people if are_there else people[:1])
            there[0].write_to(people[1 : 1 + count])
            return _talk(node, there, options)
