"""What ``make test`` says at its end."""

from pathlib import Path

from twisted.trial import unittest

from timtw.test.summary import LONGEST, Summary, in_order, parse

SKIPPING = """\
timtw.test.test_page
  PageTests
    test_talk ...                                                     [SKIPPED]

===============================================================================
[SKIPPED]
chromium is not installed

timtw.test.test_page.PageTests.test_keys
timtw.test.test_page.PageTests.test_talk
===============================================================================
[SKIPPED]
strace is not installed

timtw.test.test_disk.DiskTests.test_order
-------------------------------------------------------------------------------
Ran 7 tests in 0.101s

PASSED (skips=3, successes=4)
"""


class SummaryTests(unittest.SynchronousTestCase):
    """A run of trial is counted as what it was."""

    def test_all_passed(self) -> None:
        """A good run has its number of tests."""
        summary = parse("Ran 12 tests in 0.1s\n\nPASSED (successes=12)\n", 0)
        self.assertEqual("12 passed, 0 failed", str(summary))

    def test_failures_and_errors_count(self) -> None:
        """Whatever went wrong counts as failed."""
        text = "FAILED (failures=2, errors=3, unexpectedSuccesses=1, successes=4)\n"
        self.assertEqual("4 passed, 6 failed", str(parse(text, 1)))

    def test_nothing_ran(self) -> None:
        """A run of no tests has failed, although trial calls it passed."""
        self.assertEqual(Summary(0, 1), parse("Ran 0 tests in 0.0s\n\nPASSED\n", 0))

    def test_no_summary(self) -> None:
        """A run that died on its way has failed."""
        self.assertEqual(Summary(0, 1), parse("Killed\n", -9))

    def test_bad_status_after_good_summary(self) -> None:
        """A run that ended badly has failed, whatever it said."""
        self.assertEqual(Summary(2, 1), parse("PASSED (successes=2)\n", 1))

    def test_only_the_last_summary_counts(self) -> None:
        """Summaries that tests themselves print are not the run's."""
        text = "FAILED (errors=1)\nPASSED (successes=2)\n"
        self.assertEqual(Summary(2, 0), parse(text, 0))

    def test_left_out_tests_are_named(self) -> None:
        """Each reason is told with the tests that it left out."""
        prefix = "timtw.test.test_page.PageTests"
        self.assertEqual(
            (
                f"{prefix}.test_keys, {prefix}.test_talk: chromium is not installed",
                "timtw.test.test_disk.DiskTests.test_order: strace is not installed",
            ),
            parse(SKIPPING, 0).left_out,
        )

    def test_left_out_is_not_failed(self) -> None:
        """A machine without a browser can still pass."""
        self.assertEqual("4 passed, 0 failed", str(parse(SKIPPING, 0)))

    def test_left_out_is_failed_where_all_must_run(self) -> None:
        """Where every test must run, one that was left out has failed."""
        self.assertEqual("4 passed, 3 failed", str(parse(SKIPPING, 0).strict()))

    def test_every_module_is_run(self) -> None:
        """All modules are run once, the longest ones first; none of these is gone."""
        here = Path(__file__).parent
        names = in_order(here)
        stems = [path.stem for path in here.rglob("test_*.py")]
        self.assertCountEqual([f"timtw.test.{stem}" for stem in stems], names)
        self.assertEqual(
            [f"timtw.test.{stem}" for stem in LONGEST], names[: len(LONGEST)]
        )
