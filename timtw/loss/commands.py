"""``timtw check-loss``: play histories against real nodes, and tell what went wrong."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, Final

from timtw.loss.backed import ENGINES
from timtw.loss.faults import Plan
from timtw.loss.history import Report, run_history
from timtw.loss.nodes import NodeFailed
from timtw.loss.template import Template, make_template

JOBS: Final = 2
"""Histories that are played at the same time, each with a node of its own."""
SQLITE: Final = "sqlite"
"""The database in a file."""
CLEAN, FOUND, FAILED = 0, 1, 3
"""Exit statuses; argparse ends with 2 for wrong words, a shell says 130 for Ctrl-C."""
INTERRUPTED: Final = 130


def add_check_loss(subparsers: Any) -> None:
    """Add ``check-loss`` to the command's parsers."""
    parser = subparsers.add_parser(
        "check-loss",
        help="look for lost messages in nodes that are killed and hindered",
        description="Starts nodes of its own on this machine, lets many devices write "
        "to each other, kills and hinders the nodes, and says of every text that was "
        "lost, doubled, out of order or foreign what happened to it. Ends with 0 when "
        "nothing was found, 1 when something was, 3 when no node could be started.",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="what the first history is drawn from; default %(default)s",
    )
    parser.add_argument(
        "--histories",
        type=_positive,
        default=30,
        help="how many are played, from as many seeds; default %(default)s",
    )
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=JOBS,
        help="how many are played at the same time; default %(default)s",
    )
    parser.add_argument(
        "--database",
        choices=(SQLITE, *ENGINES),
        default=SQLITE,
        help="what the nodes keep everything in; servers are started for it from the "
        "programs that are installed; default %(default)s",
    )
    parser.set_defaults(func=check_loss, launcher=())


def _positive(word: str) -> int:
    """A number of at least one."""
    number = int(word)
    if number < 1:
        raise ArgumentTypeError("at least 1 is needed")
    return number


def check_loss(arguments: Namespace) -> int:
    """Play the histories; the exit status."""
    try:
        return _played(arguments)
    except NodeFailed as error:
        sys.stderr.write(f"timtw check-loss: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _played(arguments: Namespace) -> int:
    """Write what came of each history as it ends, and of all at the end."""
    bad = total = 0
    histories = arguments.histories
    seed, launcher, jobs = arguments.seed, arguments.launcher, arguments.jobs
    engine = "" if arguments.database == SQLITE else arguments.database
    for report in reports(seed, histories, launcher, jobs, engine):
        total += report.texts
        bad += bool(report.findings)
        sys.stdout.write(describe(report) + "\n")
        sys.stdout.flush()
    sys.stdout.write(
        f"{histories} histories, {total} texts, {bad} histories with findings\n"
    )
    return FOUND if bad else CLEAN


def reports(
    seed: int,
    histories: int,
    launcher: Sequence[str] = (),
    jobs: int = JOBS,
    engine: str = "",
) -> Iterator[Report]:
    """
    Play so many histories from ``seed`` on, and yield what came of each.

    Args:
        engine: The server that databases are on, none if empty.
    """
    with tempfile.TemporaryDirectory(prefix="timtw-loss-") as directory:
        template = make_template(Path(directory, "template"), launcher, engine)
        plays = [(number, None) for number in range(seed, seed + histories)]
        try:
            yield from played(template, plays, jobs)
        finally:
            template.node.remove()


def played(
    template: Template, plays: Sequence[tuple[int, Plan | None]], jobs: int = JOBS
) -> Iterator[Report]:
    """Play histories from their seeds, with these plans or what is drawn."""
    pool = ThreadPoolExecutor(jobs)
    stop = Event()
    try:
        yield from pool.map(
            lambda one: run_history(template, one[0], stop, one[1]), plays
        )
    finally:
        # After Ctrl-C, or once enough was found, nobody waits for the others.
        stop.set()
        pool.shutdown(cancel_futures=True)


def describe(report: Report) -> str:
    """A line about one history, and for each thing that went wrong its story."""
    faults = ", ".join((*report.faults, "kill"))
    lines = [
        f"history {report.seed} ({faults}): {report.texts} texts, {report.echoes} "
        f"echoed, {report.repeats} repeats, {report.refusals} refusals, "
        f"{report.damaged} damaged, {report.seconds:.1f} s, "
        f"{len(report.findings)} findings"
    ]
    for finding, story in zip(report.findings, report.stories, strict=True):
        lines += [f"  {finding}", *(f"    {line}" for line in story)]
    return "\n".join(lines)
