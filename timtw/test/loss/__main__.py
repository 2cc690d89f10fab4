"""The command: ``python -m timtw.test.loss --seed 1 --histories 30``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from timtw.test.loss.history import Report, make_template, run_history

JOBS: Final = 2
"""Histories that are played at the same time, each with a node of its own."""


def reports(
    seed: int, histories: int, launcher: Sequence[str] = (), jobs: int = JOBS
) -> Iterator[Report]:
    """Play so many histories from ``seed`` on, and yield what came of each."""
    with tempfile.TemporaryDirectory(prefix="timtw-loss-") as directory:
        template = make_template(Path(directory, "template"), launcher)
        pool = ThreadPoolExecutor(jobs)
        try:
            yield from pool.map(
                lambda number: run_history(template, number),
                range(seed, seed + histories),
            )
        finally:
            pool.shutdown(cancel_futures=True)


def planted(bug: str) -> list[str]:
    """The launcher of a node with this bug in it; none for an empty name."""
    if not bug:
        return []
    return [sys.executable, "-m", "timtw.test.loss.planted", f"--bug={bug}", "--"]


def describe(report: Report) -> str:
    """A line about one history, and one for each thing that went wrong."""
    head = (
        f"history {report.seed}: {report.texts} texts, {report.echoes} echoed, "
        f"{report.repeats} repeats, {report.seconds:.1f} s, "
        f"{len(report.findings)} findings"
    )
    return "\n  ".join([head, *map(str, report.findings)])


def main(words: Sequence[str]) -> int:
    """Play the histories; 1 if anything went wrong in one of them."""
    parser = argparse.ArgumentParser("python -m timtw.test.loss")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--histories", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--plant", default="", help="run a node with this bug in it")
    options = parser.parse_args(words)
    bad = total = 0
    for report in reports(
        options.seed, options.histories, planted(options.plant), options.jobs
    ):
        total += report.texts
        bad += bool(report.findings)
        sys.stdout.write(describe(report) + "\n")
        sys.stdout.flush()
    sys.stdout.write(
        f"{options.histories} histories, {total} texts, {bad} histories with findings\n"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
