"""Histories of the loss checker for tests, which begin with the same stopped nodes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import attrs
from twisted.trial.unittest import SkipTest, TestCase

from timtw.loss.commands import describe, played
from timtw.loss.faults import Plan
from timtw.loss.history import run_history
from timtw.loss.servers import NotInstalled
from timtw.loss.template import Template, make_template
from timtw.test.planted import planted

FOUND_WITHIN = 30
"""Histories within which a planted bug has to be found."""
JOBS = 3
"""Much of a history is waiting."""


@attrs.frozen
class Planted:
    """A bug, how it is found, and what happens to the node that has it."""

    bug: str
    kind: str
    plan: Plan


@lru_cache
def template(engine: str = "") -> Template:
    """What all histories on an engine begin with; SkipTest if it is not installed."""
    directory = Path(tempfile.mkdtemp(prefix="timtw-loss-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    try:
        made = make_template(directory / "template", (), engine)
    except NotInstalled as error:
        raise SkipTest(str(error)) from None
    atexit.register(made.node.remove)
    return made


class HistoryCase(TestCase):
    """Histories are played, and what they found is looked at."""

    timeout = 3600
    engine = ""

    def check(self, seed: int, plans: Sequence[Plan]) -> None:
        """Play each of these plans, from seeds in a row, and find nothing."""
        plays = list(enumerate(plans, seed))
        for report in played(template(self.engine), plays, JOBS):
            self.assertEqual((), report.findings, describe(report))

    def find(self, *all_planted: Planted) -> None:
        """Play until nodes with these bugs have findings of their kinds."""
        good = template(self.engine)
        with ThreadPoolExecutor(JOBS) as pool:
            seen = list(pool.map(lambda one: _sought(good, one), all_planted))
        missed = [
            (one.bug, kinds)
            for one, kinds in zip(all_planted, seen, strict=True)
            if kinds
        ]
        self.assertEqual([], missed)


def _sought(good: Template, planted_one: Planted) -> list[set[str]]:
    """The kinds that were found in each history instead; none if it was found."""
    bad = attrs.evolve(good, node=good.node.launched(planted(planted_one.bug)))
    seen = []
    for seed in range(1, FOUND_WITHIN + 1):
        report = run_history(bad, seed, plan=planted_one.plan)
        # A bug that does not fit the program any more keeps the node from starting.
        assert report.texts, describe(report)
        kinds = {finding.kind for finding in report.findings}
        if planted_one.kind in kinds:
            return []
        seen.append(kinds)
    return seen
