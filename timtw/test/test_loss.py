"""Nothing is lost, doubled, reordered or foreign in a hindered and killed node."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Final

from twisted.trial.unittest import TestCase

from timtw import cli
from timtw.loss.commands import CLEAN, FAILED, FOUND, SQLITE, check_loss
from timtw.loss.faults import EMBEDDED, POWER_CUT, Kinds, Plan
from timtw.loss.server_faults import ON_SERVERS
from timtw.test.losskit import HistoryCase, Planted
from timtw.test.planted import planted

SEED: Final = int(os.environ.get("TIMTW_SEED", "1"))
PLANS: Final = (
    Plan(("stop", "vanish", "full-database"), "altered-records", 30),
    Plan(("slow", "clock", "locked"), "overwritten-bytes", 30),
    Plan(("fade", "mute", "full-disk", "read-only"), "sealed-directory", 30),
)
"""Every kind of fault; those that excuse refusals come after those that do not."""
SERVER_PLANS: Final = (
    Plan(("reset", "deadlock", "slow-database", "commit-cut", "terminated"), "", 30),
    Plan(("locked-rows", "database-stopped", "database-killed"), POWER_CUT, 30),
)
"""Every kind of fault that only a database on a server has."""
FADING: Final = Plan(("fade", "fade", "fade"), "", 30)
BUGS: Final = (
    # A node that echoes what it has not committed.
    Planted("echo-before-commit", "lost", Plan((), "", 30)),
    # One that takes anybody's acknowledgement.
    Planted("foreign-ack", "lost", FADING),
    # One that moves a cursor before it may.
    Planted("early-cursor", "lost", FADING),
    # One that takes an acknowledgement for all that it has sent.
    Planted("ack-for-all", "lost", FADING),
    # One that stores what is repeated again.
    Planted("repeat-stored-again", "doubled", Plan((), "", 30)),
    # One that lets a new text pass those that wait.
    Planted("live-overtakes", "reordered", Plan(("slow",), "", 30)),
    # One that leaves gaps after a full disk.
    Planted("numbers-kept", "misnumbered", Plan(("full-database",), "", 30)),
)
ELSEWHERE: Final = ("stop", "slow", "vanish", "clock", "mute", "fade")
"""Faults that have nothing to do with what a node keeps things in."""


class LossTests(HistoryCase):
    """Sixteen devices, faults, SIGKILL, and everybody comes back."""

    def test_d7_histories(self) -> None:
        """Whoever got an echo can rely on it, whatever happens to the node."""
        self.check(SEED, PLANS)

    def test_every_kind(self) -> None:
        """No kind of fault is left out of the histories that are played here."""

        def tried(plans: tuple[Plan, ...]) -> set[str]:
            names = [name for plan in plans for name in (*plan.running, plan.down)]
            return set(names) - {""}

        def there(kinds: Kinds) -> set[str]:
            return {*kinds.running, *kinds.down}

        self.assertEqual(there(EMBEDDED), tried(PLANS))
        self.assertEqual(there(ON_SERVERS), tried(SERVER_PLANS) | {*ELSEWHERE})


class PostgresLossTests(HistoryCase):
    """The same with everything on a PostgreSQL that fails."""

    engine = "postgresql"

    def test_d7_histories(self) -> None:
        """Whoever got an echo can rely on it, whatever happens to PostgreSQL."""
        self.check(SEED, SERVER_PLANS)

    def test_doubt_is_failure(self) -> None:
        """A node that writes again what may be stored is found to double texts."""
        self.find(Planted("doubt-is-failure", "doubled", Plan(("commit-cut",), "", 10)))


class MariaDbLossTests(HistoryCase):
    """The same with everything on a MariaDB that fails."""

    engine = "mariadb"

    def test_d7_histories(self) -> None:
        """Whoever got an echo can rely on it, whatever happens to MariaDB."""
        self.check(SEED, SERVER_PLANS)

    def test_doubt_is_refusal(self) -> None:
        """A node that refuses what is stored is found to deny texts."""
        self.find(Planted("doubt-is-refusal", "denied", Plan(("commit-cut",), "", 10)))


class PlantedTests(HistoryCase):
    """The checker is able to find what it looks for."""

    def test_d10_planted(self) -> None:
        """
        Nodes with bugs are found to lose, double, reorder and misnumber texts, one that
        takes anybody's acknowledgement among them.
        """
        self.find(*BUGS)


class CommandTests(TestCase):
    """``timtw check-loss``."""

    timeout = 600

    def words(self, **words: object) -> Namespace:
        """What somebody wrote who left the database away."""
        return Namespace(database=SQLITE, **words)

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
        words = self.words(seed=SEED, histories=2, jobs=2, launcher=launcher)
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
        words = self.words(seed=1, histories=1, jobs=1, launcher=launcher)
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
