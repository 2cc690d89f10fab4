"""The command: ``python -m timtw.test.fuzz --seconds 300``."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from timtw.test.fuzz import corpus
from timtw.test.fuzz.conversations import Report, converse
from timtw.test.fuzz.planted import BUGS
from timtw.test.fuzz.targets import TARGETS

_EXECUTED: Final = re.compile(r"stat::number_of_executed_units: (\d+)")
_CRASH: Final = re.compile(r"Test unit written to (\S+)")
_WHY: Final = re.compile(r"=== Uncaught Python exception: ===\n(.+)")
_SECONDS_A_RUN: Final = 20
"""Above this one execution hangs; it is far from what any takes that is watched."""
_MEGABYTES: Final = 2048
_CONVERSATIONS: Final = 0.3
"""The share of the time that conversations get."""


@attrs.frozen
class Outcome:
    """What came of one target.

    Args:
        why: What was found; empty if nothing was.
        found: The input that showed it.
        executions: How many there were.
        kept: Inputs that are in its corpus now; 0 if it was not written.
    """

    executions: int
    why: str = ""
    found: bytes = b""
    kept: int = 0


def cover(
    name: str, limits: Sequence[str], seed: int, bug: str = "", keep: bool = False
) -> Outcome:
    """Fuzz one target in a process of its own.

    It begins with the corpus; with a bug in it with the seeds alone, as the corpus
    holds what has found that bug before.
    """
    begin = list(TARGETS[name].seeds()) if bug else corpus.inputs(name)
    with tempfile.TemporaryDirectory(prefix="timtw-fuzz-") as folder:
        top = Path(folder)
        (top / "corpus").mkdir()
        for number, data in enumerate(begin):
            (top / "corpus" / f"{number}").write_bytes(data)
        words = [
            *(sys.executable, "-m", "timtw.test.fuzz.cover", name, bug or "-"),
            *(f"-seed={seed}", f"-max_len={TARGETS[name].longest}", *limits),
            *(f"-timeout={_SECONDS_A_RUN}", f"-rss_limit_mb={_MEGABYTES}"),
            *("-print_final_stats=1", f"-artifact_prefix={top}/", str(top / "corpus")),
        ]
        log = top / "log"
        with log.open("wb") as out:
            subprocess.run(words, stdout=out, stderr=out, check=False)
        text = log.read_text("utf-8", "replace")
        executed = _EXECUTED.search(text)
        if executed is None:
            return Outcome(0, f"it did not run:\n{text[-3000:]}")
        executions, crash = int(executed[1]), _CRASH.search(text)
        if crash is not None:
            why = _WHY.search(text)
            told = why[1] if why else text[-3000:]
            return Outcome(executions, told, Path(crash[1]).read_bytes())
        if not keep:
            return Outcome(executions)
        found = [one.read_bytes() for one in (top / "corpus").iterdir()]
        return Outcome(executions, kept=corpus.keep(name, found))


def describe(name: str, outcome: Outcome) -> str:
    """What came of a target, for people."""
    line = f"{name}: {outcome.executions} executions"
    if outcome.kept:
        line += f", {outcome.kept} inputs kept"
    if outcome.why:
        line += f", FOUND with {outcome.found.hex() or 'nothing'}\n  {outcome.why}"
    return line


def told(report: Report) -> str:
    """What came of the conversations, for people."""
    line = (
        f"conversations: {report.conversations} from seed {report.seed}, "
        f"{report.frames} frames, memory {report.grown:+d} KiB"
    )
    return "\n  FOUND ".join([line, *report.findings])


def _say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Fuzz for a while; 1 if anything was found."""
    parser = argparse.ArgumentParser("python -m timtw.test.fuzz")
    parser.add_argument("--seconds", type=float, default=300.0, help="all in all")
    parser.add_argument("--runs", type=int, help="executions of a target instead")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", action="append", choices=[*TARGETS, "conversations"])
    parser.add_argument("--plant", default="", choices=["", *BUGS])
    parser.add_argument("--keep", action="store_true", help="write the corpus")
    options = parser.parse_args(words)
    chosen = options.only or [*TARGETS, "conversations"]
    targets = [BUGS[options.plant].target] if options.plant else chosen
    covered = len(set(targets) & set(TARGETS))
    share = options.seconds * (_CONVERSATIONS if covered else 1.0)
    share = share if "conversations" in targets else 0.0
    each = (options.seconds - share) / max(1, covered)
    _say(f"seed {options.seed}")
    bad = 0
    for name in targets:
        if name == "conversations":
            report = converse(options.seed, seconds=share)
            _say(told(report))
            bad += len(report.findings)
            continue
        limit = f"-runs={options.runs}" if options.runs else ""
        limits = [limit or f"-max_total_time={max(1, round(each))}"]
        outcome = cover(name, limits, options.seed, options.plant, options.keep)
        _say(describe(name, outcome))
        bad += bool(outcome.why)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
