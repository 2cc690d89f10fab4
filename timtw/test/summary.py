"""
``python -m timtw.test.summary [NAMES]``: run trial, and end with the counts.

The last line is ``N passed, N failed``.  Tests that were left out are named before it,
with their reasons; with ``LEFT_OUT=fail`` in the environment they count as failed.  A
run that executed no test, or that ended without a summary, has failed.
"""

import compileall
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

PACKAGE = Path(__file__).parent.parent
"""Where timtw lies."""

_RESULT = re.compile(r"^(PASSED|FAILED)(?: \((.*)\))?$", re.MULTILINE)
_COUNT = re.compile(r"(\w+)=(\d+)")
_SKIPPED = re.compile(r"^\[SKIPPED\]\n(.*?)(?=^={79}$|^-{79}$)", re.MULTILINE | re.S)
_TEST = re.compile(r"^[A-Za-z_]\w*(\.\w+){2,}$")

JOBS = "--jobs=3"
"""All tests run in three processes on two cores: much of a test is waiting for other
processes, servers and browsers."""

LONGEST = (
    "test_loss", "test_browser_live", "test_browser_groups", "test_browser_people",
    "test_browser_conversation", "test_client_node", "test_browser_page",
    "test_storage_fails",
)  # fmt: skip
"""Modules with tests that take long, which are begun first: at the end the other
processes would have nothing to do beside them."""

BROKEN = ("failures", "errors", "unexpectedSuccesses")
"""What trial calls the outcomes that nobody wanted."""


@attrs.frozen
class Summary:
    """
    What a run of trial came to.

    `left_out` has one line per reason, with the tests it left out.
    """

    passed: int
    failed: int
    skipped: int = 0
    left_out: tuple[str, ...] = ()

    def strict(self) -> "Summary":
        """The same, where a test that was left out counts as failed."""
        return attrs.evolve(self, failed=self.failed + self.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def parse(output: str, status: int) -> Summary:
    """
    Read what trial printed.

    Args:
        output: all of it.
        status: trial's exit status.
    """
    results = list(_RESULT.finditer(output))
    if not results:
        return Summary(passed=0, failed=1)
    counts = {name: int(count) for name, count in _COUNT.findall(results[-1][2] or "")}
    passed = counts.get("successes", 0)
    skipped = counts.get("skips", 0) + counts.get("expectedFailures", 0)
    failed = sum(counts.get(name, 0) for name in BROKEN)
    if failed == 0 and (status != 0 or passed + skipped == 0):
        failed = 1
    return Summary(passed, failed, skipped, tuple(_left_out(output)))


def _left_out(output: str) -> list[str]:
    """One line per reason for leaving tests out."""
    lines = []
    for section in _SKIPPED.finditer(output):
        rest = section[1].strip().splitlines()
        tests = [line for line in rest if _TEST.match(line)]
        reason = " ".join(line for line in rest if line and not _TEST.match(line))
        lines.append(f"{', '.join(tests)}: {reason}")
    return lines


def in_order(directory: Path) -> list[str]:
    """The names of all test modules in a directory, in the order to run them in."""
    found = {path.stem for path in directory.glob("test_*.py")}
    rest = sorted(found.difference(LONGEST))
    return [f"timtw.test.{stem}" for stem in (*LONGEST, *rest)]


def main(names: Sequence[str]) -> int:
    """Run trial over `names`, show what it prints, and say what it came to."""
    # Hundreds of nodes are started.  Where Python was told to write no bytecode, each
    # of them would compile all modules for itself.
    compileall.compile_dir(PACKAGE, quiet=2)
    command = [sys.executable, "-m", "twisted.trial", "--random=0"]
    command += names or [JOBS, *in_order(PACKAGE / "test")]
    printed = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as trial:
        assert trial.stdout is not None
        for line in trial.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            printed.append(line)
    summary = parse("".join(printed), trial.returncode)
    for line in summary.left_out:
        sys.stdout.write(f"left out: {line}\n")
    if os.environ.get("LEFT_OUT") == "fail":
        summary = summary.strict()
    sys.stdout.write(f"{summary}\n")
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
