"""Durable one-to-one texts, from socket to disk to socket.

    python -m benchmarks one-to-one

Everything is what users get: sealed, committed with ``synchronous = FULL``,
acknowledged by the recipients, whose cursors are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from benchmarks.arriving import Crowd, talkers
from benchmarks.clocks import clocks_of
from benchmarks.control import echoed
from benchmarks.load import Plan, Result, Traffic
from benchmarks.options import Options
from benchmarks.people import settle
from benchmarks.rows import Row, of_result, windows_of
from benchmarks.serving import client_tls, served, workplace
from benchmarks.talker import JSON, THRIFT
from timtw.loss.speech import Speech

WINDOWS: Final = 4
"""The messages of a run are measured in so many parts, whose difference tells how much
the figures are worth."""


@attrs.frozen
class Case:
    """One way to send texts from one to one."""

    name: str
    pairs: int = 10
    in_flight: int = 200
    speech: Speech = JSON
    tls: bool = False


CASES: Final = (
    Case("one-to-one json"),
    Case("one-to-one thrift", speech=THRIFT),
    Case("one-to-one 2000 in flight", pairs=100, in_flight=2000),
    Case("one-to-one tls", tls=True),
)


def measure(options: Options) -> Iterator[Row]:
    """One row for each case."""
    for case in CASES:
        if options.wants(case.name):
            result, control = _run(case, options)
            yield Row(
                case.name,
                of_result(result),
                control,
                {
                    "windows": windows_of(result),
                    "pairs": case.pairs,
                    "in_flight": case.in_flight,
                    "messages": result.whole.messages,
                },
            )


def _run(case: Case, options: Options) -> tuple[Result, dict[str, float]]:
    """Run the node under load, and then the control."""
    messages = options.scaled(60_000)
    plan = Plan(messages // WINDOWS, case.in_flight, options.scaled(5_000), WINDOWS)
    with workplace(options.directory) as directory:
        people = settle(directory, 2 * case.pairs)
        with served(directory, options.profile) as node:
            port, tls = (node.tls, client_tls()) if case.tls else (node.port, None)
            crowd = Crowd(port, case.speech, tls=tls)
            there = talkers(crowd, people)
            for sender, recipient in zip(
                there[: case.pairs], people[case.pairs :], strict=True
            ):
                sender.write_to([recipient])
            traffic = Traffic(there, clocks_of(node.pid))
            result = traffic.run(plan)
            traffic.close()
        folder = directory if case.tls else None
        return result, echoed(case.pairs, case.in_flight, folder)
