"""A group whose members are there and acknowledge everything.

    python -m benchmarks group

A delivery is one text that one member got and acknowledged. Everything is what users
get: the text is sealed and committed with ``synchronous = FULL``, every member is sent
it in order, and what it has confirmed is stored.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from benchmarks.arriving import Crowd
from benchmarks.clocks import Reading, clocks_of
from benchmarks.control import echoed
from benchmarks.members import Group
from benchmarks.options import Options
from benchmarks.people import Person, Preparation, settle
from benchmarks.rows import Row
from benchmarks.serving import served, workplace
from timtw.model.idents import node_of
from timtw.model.posting import Batch, Changed
from timtw.model.roominfo import Entry, RoomInfo, RoomWish
from timtw.model.roomsteps import RoomStep
from timtw.model.stores import IShard
from timtw.model.values import NOTICE, Address, Content, Draft

ROOM: Final = 7_000_000_000_000_000_007
SENDERS: Final = 20
TOGETHER: Final = 500
"""Steps in one commit while the group is made."""
WINDOWS: Final = 4


@attrs.frozen
class Case:
    """One group.

    Args:
        there: How many members are logged in.
        members: How many there are.
        silent: How many of those who are there read nothing.
    """

    name: str
    there: int = 1000
    members: int = 1000
    silent: int = 0
    in_flight: int = 32
    texts: int = 1200


CASES: Final = (
    Case("group of 1000"),
    Case("group of 1000, one in flight", in_flight=1, texts=200),
    Case("group of 1000, one does not read", silent=1),
    Case("group of 100000, 1000 there", members=100_000),
)


def measure(options: Options) -> Iterator[Row]:
    """One row for each case."""
    for case in CASES:
        if options.wants(case.name):
            control = echoed(SENDERS, 200)
            values, details = _run(case, options)
            yield Row(case.name, values, control, details)


def _run(
    case: Case, options: Options
) -> tuple[dict[str, float], dict[str, float | list[dict[str, float]]]]:
    """Run a node with one group under load."""
    texts = max(WINDOWS, options.scaled(case.texts))
    with workplace(options.directory) as directory:
        people = settle(directory, case.there, made(case))
        with served(directory, options.profile) as node:
            crowd = Crowd(node.port)
            crowd.gather(people)
            group = Group(crowd.lines, node_of(ROOM), SENDERS)
            group.settle()
            silent = group.silence(case.silent)
            clocks = clocks_of(node.pid)
            group.run(max(1, texts // 10), case.in_flight)
            group.latencies.clear()
            windows: list[Reading] = []
            for _ in range(WINDOWS):
                before = clocks(group.delivered)
                group.run(texts // WINDOWS, case.in_flight)
                windows.append(clocks(group.delivered).since(before))
            group.close()
            for one in silent:
                one.line.close()
    whole = Reading(*map(sum, zip(*map(attrs.astuple, windows), strict=True)))
    ordered = sorted(group.latencies)
    values = {
        **whole.per_message(),
        "p50_ms": round(statistics.median(ordered) * 1e3, 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3, 1),
    }
    shown = [window.per_message() for window in windows]
    return values, {"windows": shown, "there": case.there, "members": case.members}


def made(case: Case) -> Preparation:
    """Makes the group: those who are there, and as many others as it has."""

    async def prepare(shard: IShard, people: list[Person]) -> None:
        founder = people[0].address
        wish = RoomWish(Entry.OPEN, RoomInfo("benchmark"))
        await _steps(shard, [_step(RoomStep.CREATE, founder, wish)])
        others = [person.address for person in people[1:]]
        for n in range(case.members - len(people)):
            number = (n + 1) * 92_000_000_000_003
            others.append(Address(number, node_of(number)))
        joins = [_step(RoomStep.JOIN, one) for one in others]
        for first in range(0, len(joins), TOGETHER):
            await _steps(shard, joins[first : first + TOGETHER])

    return prepare


_idents = itertools.count(1)


def _step(step: RoomStep, who: Address, wish: RoomWish | None = None) -> Draft:
    """One step on the room."""
    return Draft(
        who,
        who,
        next(_idents),
        False,
        time.time_ns(),
        Content("", room=ROOM),
        kind=NOTICE,
        mid=step,
        wish=wish,
    )


async def _steps(shard: IShard, drafts: Sequence[Draft]) -> None:
    """Take steps; none is refused."""
    for outcome in await shard.messages.post(Batch(tuple(drafts))):
        assert isinstance(outcome, Changed) and outcome.refusal is None, outcome
