"""Nothing is lost, doubled, reordered or foreign in a hindered and killed node."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Final

from twisted.trial.unittest import TestCase

from timtw import cli
from timtw.loss.commands import CLEAN, FAILED, FOUND, check_loss, describe, reports
from timtw.test.planted import planted

HISTORIES: Final = int(os.environ.get("TIMTW_HISTORIES", "12"))
"""As many as there are kinds of faults: each of them happens."""
SEED: Final = int(os.environ.get("TIMTW_SEED", "1"))
FOUND_WITHIN: Final = 30
JOBS: Final = 3
"""Much of a history is waiting."""
FEW_JOBS: Final = 2
"""What looks for a planted bug ends at the first finding."""


class LossTests(TestCase):
    """Sixteen devices, faults, SIGKILL, and everybody comes back."""

    timeout = 3600

    def test_d7_histories(self) -> None:
        """Whoever got an echo can rely on it, whatever happens to the node."""
        for report in reports(SEED, HISTORIES, jobs=JOBS):
            self.assertEqual((), report.findings, describe(report))


class PlantedTests(TestCase):
    """The checker is able to find what it looks for."""

    timeout = 3600

    def find(self, bug: str, kind: str) -> None:
        """Play until there is a finding of this kind."""
        seen = []
        for report in reports(SEED, FOUND_WITHIN, planted(bug), FEW_JOBS):
            kinds = {finding.kind for finding in report.findings}
            if kind in kinds:
                return
            seen.append((report.faults, kinds))
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

    def test_acknowledgement_for_all(self) -> None:
        """A node that takes one acknowledgement for all is found to lose texts."""
        self.find("ack-for-all", "lost")

    def test_repeat_stored_again(self) -> None:
        """A node that stores what is repeated again is found to double texts."""
        self.find("repeat-stored-again", "doubled")

    def test_live_overtakes(self) -> None:
        """A node that lets a new text pass those that wait is found to reorder."""
        self.find("live-overtakes", "reordered")

    def test_numbers_kept(self) -> None:
        """A node that leaves gaps after a full disk is found to misnumber."""
        self.find("numbers-kept", "misnumbered")


class CommandTests(TestCase):
    """``timtw check-loss``."""

    timeout = 600

    def test_clean(self) -> None:
        """A good node ends with 0, and each history says what it was hindered by."""
        out = StringIO()
        with redirect_stdout(out):
            status = cli.main(["check-loss", "--seed", "6", "--histories", "1"])
        self.assertEqual(CLEAN, status, out.getvalue())
        history, total = out.getvalue().splitlines()
        self.assertTrue(history.startswith("history 6 (mute"), history)
        self.assertTrue(history.endswith(" 0 findings"), history)
        self.assertTrue(total.startswith("1 histories, "), total)

    def test_found(self) -> None:
        """Findings end with 1, and each is followed by the story of its text."""
        out = StringIO()
        launcher = planted("live-overtakes")
        words = Namespace(seed=SEED, histories=2, jobs=JOBS, launcher=launcher)
        with redirect_stdout(out):
            status = check_loss(words)
        self.assertEqual(FOUND, status, out.getvalue())
        _head, _colon, story = out.getvalue().partition("\n  reordered: ")
        for words_of_it in (" sends it to ", " it comes to ", "the node is killed"):
            self.assertIn(words_of_it, story)

    def test_no_node(self) -> None:
        """Where no node can be started that is said, and the end is another one."""
        out, err = StringIO(), StringIO()
        launcher = ["sh", "-c", "echo nothing works here; exit 1"]
        words = Namespace(seed=1, histories=1, jobs=1, launcher=launcher)
        with redirect_stdout(out), redirect_stderr(err):
            status = check_loss(words)
        self.assertEqual((FAILED, ""), (status, out.getvalue()))
        self.assertIn("nothing works here", err.getvalue())

    def test_wrong_words(self) -> None:
        """No histories are no check."""
        with redirect_stderr(StringIO()):
            error = self.assertRaises(
                SystemExit, cli.main, ["check-loss", "--histories", "0"]
            )
        self.assertEqual(2, error.code)
