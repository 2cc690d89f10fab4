"""The browsers that tests share: who comes back from the dead, and who shares what."""

from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from timtw.test.browser import missing
from timtw.test.chromium import Chromium, chromium

ALONE: Final = ("--mute-audio",)
"""Flags that no other test uses."""


class ChromiumTests(SynchronousTestCase):
    """One browser for many tests."""

    skip = missing()

    def running(self) -> Chromium:
        """The browser, which ends with this test."""
        found = chromium("en", ALONE)
        self.addCleanup(found.close)
        return found

    def test_replaced(self) -> None:
        """Tests have one browser as long as it answers, and then another."""
        first = self.running()
        self.assertIs(first, self.running())
        first.close()
        second = self.running()
        self.assertIsNot(first, second)
        self.assertTrue(second.alive)

    def test_apart(self) -> None:
        """Two tabs of a person share what is stored, two persons nothing; and nothing
        is left when they have gone."""
        home = self.running()
        store = "localStorage.setItem('who', 'ada')"
        stored = "return localStorage.getItem('who')"
        page = f"http://{home.address}/json/version"
        seen = []
        ada, adas = home.enter()
        ada.get(page)
        ada.execute_script(store)
        ada.switch_to.window(home.open(adas))
        ada.get(page)
        seen.append(ada.execute_script(stored))
        bob, bobs = home.enter()
        bob.get(page)
        seen.append(bob.execute_script(stored))
        home.leave(ada, adas)
        home.leave(bob, bobs)
        new, news = home.enter()
        new.get(page)
        seen.append(new.execute_script(stored))
        home.leave(new, news)
        self.assertEqual(["ada", None, None], seen)
