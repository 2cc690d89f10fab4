"""Histories of the loss checker for tests, which begin with the same stopped nodes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import attrs
from twisted.trial.unittest import SkipTest, TestCase

from timtw.loss.commands import describe, played
from timtw.loss.faults import Plan
from timtw.loss.servers import NotInstalled
from timtw.loss.template import Template, make_template
from timtw.test.planted import planted

FOUND_WITHIN = 30
"""Histories within which a planted bug has to be found."""
JOBS = 3
"""Much of a history is waiting."""
FEW_JOBS = 2
"""What looks for a planted bug ends at the first finding."""


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

    def find(self, bug: str, kind: str, plan: Plan) -> None:
        """Play until a node with this bug has a finding of this kind."""
        good = template(self.engine)
        bad = attrs.evolve(good, node=good.node.launched(planted(bug)))
        seen = []
        plays = [(seed, plan) for seed in range(1, FOUND_WITHIN + 1)]
        for report in played(bad, plays, FEW_JOBS):
            kinds = {finding.kind for finding in report.findings}
            if kind in kinds:
                return
            seen.append((report.faults, kinds))
        self.fail(f"{bug} was not found: {seen}")
