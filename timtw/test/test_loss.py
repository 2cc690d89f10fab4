"""Nothing is lost, doubled, reordered or foreign: the real node, killed again."""

from __future__ import annotations

import os
from typing import Final

from twisted.trial.unittest import TestCase

from timtw.loss.commands import describe, reports
from timtw.test.planted import planted

HISTORIES: Final = int(os.environ.get("TIMTW_HISTORIES", "30"))
SEED: Final = int(os.environ.get("TIMTW_SEED", "1"))
FOUND_WITHIN: Final = 30


class LossTests(TestCase):
    """Sixteen devices, two hundred echoes, SIGKILL, and everybody comes back."""

    timeout = 3600

    def test_d7_histories(self) -> None:
        """Whoever got an echo can rely on it, whatever happens to the node."""
        for report in reports(SEED, HISTORIES):
            self.assertEqual((), report.findings, describe(report))


class PlantedTests(TestCase):
    """The checker is able to find what it looks for."""

    timeout = 3600

    def find(self, bug: str, kind: str) -> None:
        """Play until there is a finding of this kind."""
        seen = []
        for report in reports(SEED, FOUND_WITHIN, planted(bug)):
            kinds = {finding.kind for finding in report.findings}
            if kind in kinds:
                return
            seen.append(kinds)
        self.fail(f"{bug} was not found: {seen}")

    def test_echo_before_commit(self) -> None:
        """A node that echoes what it has not committed is found to lose texts."""
        self.find("echo-before-commit", "lost")

    def test_d10_foreign_acknowledgement(self) -> None:
        """A node that takes anybody's acknowledgement is found to lose texts."""
        self.find("foreign-ack", "lost")

    def test_early_cursor(self) -> None:
        """A node that moves a cursor before it may is found to lose texts."""
        self.find("early-cursor", "lost")
