"""The page in real browsers: devices, reloads, keys, sizes, colours, languages."""

import os
from collections.abc import Callable

from timtw.test.browser import PASSWORD, PHONE, Browser, BrowserCase

ENTER, TAB, ESCAPE = "\ue007", "\ue004", "\ue00c"


class DeviceTests(BrowserCase):
    """Tabs, reloads, and the end of a login."""

    def test_reload(self) -> None:
        """A reload keeps login, draft and unread numbers; the password is nowhere."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("one", "two")
        alice.one("#text").send_keys("not finished")
        bob.until(lambda: bob.one(".unread").text.startswith("2"), "two unread texts")
        for browser in (alice, bob):
            browser.driver.refresh()
        alice.shows("> one", "> two")
        self.assertEqual("not finished", alice.one("#text").get_attribute("value"))
        bob.until(lambda: bob.one(".unread").text.startswith("2"), "still two")
        stored = "return JSON.stringify([{...localStorage}, {...sessionStorage}])"
        self.assertIn("not finished", alice.run(stored))
        self.assertNotIn(PASSWORD, alice.run(stored))

    def test_two_tabs(self) -> None:
        """Two tabs are two devices: both show everything, whoever wrote it."""
        alice, bob = self.person("alice"), self.person("bob")
        first = alice.driver.current_window_handle
        alice.find("bob")
        alice.say("from the first")
        alice.new_tab()
        alice.driver.get(self.url)
        alice.log_in("alice")
        alice.click(".conversations button")
        alice.shows("> from the first")
        alice.say("from the second")
        bob.click(".conversations button")
        bob.say("to both")
        everything = ("> from the first", "> from the second", "to both")
        alice.shows(*everything)
        alice.driver.refresh()
        alice.shows(*everything)
        alice.driver.switch_to.window(first)
        alice.shows(*everything)

    def test_closed_tab_comes_back(self) -> None:
        """A tab that is opened after one was closed goes on as that device."""
        alice = self.person("alice")
        first = alice.driver.current_window_handle
        alice.new_tab()
        new = alice.driver.current_window_handle
        alice.driver.switch_to.window(first)
        alice.driver.close()
        alice.driver.switch_to.window(new)
        alice.driver.get(self.url)
        alice.one("#find")

    def test_log_out(self) -> None:
        """After logging out nothing of the conversations stays in the browser."""
        alice, _ = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("a secret")
        alice.until(lambda: alice.states() == ["delivered"], "delivered")
        alice.click("#you")
        alice.click("#logout")
        alice.click("#logout-sure")
        alice.one("#name")
        stored = alice.run("return JSON.stringify({...localStorage})")
        self.assertNotIn("a secret", stored)
        alice.driver.refresh()
        alice.one("#name")

    def test_displaced(self) -> None:
        """A device that was displaced says why, and does not come back by itself."""
        self.node.kill()
        self.patch(os, "environ", dict(os.environ))
        os.environ["TIMTW_ACCOUNTS_DEVICE_LIMIT"] = "1"
        os.environ["TIMTW_ACCOUNTS_DEVICE_TYPE_LIMIT"] = "1"
        os.environ["TIMTW_ACCOUNTS_DISPLACE_AFTER"] = "0"
        self.node.start()
        first = self.person("alice")
        second = self.browser()
        second.log_in("alice")
        self.assertIn("logged out", first.one(".notice").text)
        first.driver.refresh()
        first.one(".notice")
        self.assertEqual([], second.all(".notice"))

    def test_wrong_password(self) -> None:
        """Refusals are explained in words: a wrong password, a name that is taken."""
        self.person("alice")
        other = self.browser()
        other.one("#name").send_keys("alice")
        other.write("#password", "wrong")
        problem = "#login-problem"
        other.until(lambda: "Wrong name or password" in other.one(problem).text, "why")
        other.click("form + button")
        other.write("#password", PASSWORD)
        other.until(lambda: "taken" in other.one(problem).text, "the name is taken")

    def test_policy_is_enforced(self) -> None:
        """A script that does not come from the node's files does not run."""
        browser = Browser(self.url)
        self.addCleanup(browser.close)
        browser.one("#name")
        browser.run(
            "const script = document.createElement('script');"
            "script.textContent = 'window.intruder = 1';"
            "document.body.append(script)"
        )
        self.assertFalse(browser.run("return 'intruder' in window"))
        self.assertIn("Content Security Policy", "".join(browser.problems()))


class KeyboardTests(BrowserCase):
    """The first conversation without a mouse."""

    def test_tab_enter_escape(self) -> None:
        """Tab, Enter, Escape and typing are enough for the whole first conversation."""
        self.person("bob")
        alice = self.browser()
        alice.at("name")
        alice.keys(TAB, TAB, TAB, ENTER)
        alice.at("name")
        alice.keys("alice", TAB, PASSWORD, ENTER)
        alice.at("find")
        alice.keys("bob", ENTER)
        alice.at("text")
        alice.keys("typed", ENTER)
        alice.shows("> typed")
        alice.keys(ESCAPE)
        alice.gone("#text")
        alice.keys(ENTER)
        alice.at("text")
        alice.shows("> typed")
        alice.keys("two")
        alice.shifted(ENTER)
        alice.keys("lines", ENTER)
        alice.shows("> typed", "> two\nlines")
        alice.until(lambda: alice.states() == ["delivered"] * 2, "both stored")
        alice.shifted(TAB)
        alice.keys(ENTER)
        alice.one(".removal")
        alice.keys(ESCAPE)
        alice.gone(".removal")
        alice.keys(ENTER)
        alice.one(".removal")
        alice.shifted(TAB)
        alice.keys(ENTER)
        alice.shows("> typed")
        alice.at("text")
        alice.keys(ESCAPE)
        alice.gone("#text")
        alice.shifted(TAB, times=4)
        alice.keys(ENTER)
        alice.one("dialog")
        alice.keys(ESCAPE)
        alice.gone("dialog")


class LookTests(BrowserCase):
    """Every screen on a telephone, in both languages, light and dark."""

    def test_phone(self) -> None:
        """On a telephone nothing has to be scrolled sideways, on no screen."""
        self.tour(self.fits)

    def test_axe_english(self) -> None:
        """axe-core finds nothing serious on any screen in English."""
        self.tour(self.accessible)

    def test_axe_chinese(self) -> None:
        """axe-core finds nothing serious on any screen in Chinese."""
        self.tour(self.accessible, language="zh-CN")

    def tour(self, look: Callable[[Browser], None], language: str = "en") -> None:
        """Show every screen to ``look``."""
        self.person("W" * 60)
        alice = self.browser(PHONE, language)
        alice.one("#name")
        look(alice)
        alice.click("form + button")
        alice.write("#name", "alice")
        alice.one(".problem")
        look(alice)
        alice.write("#password", PASSWORD)
        alice.one("#find")
        look(alice)
        alice.write("#find", "nobody")
        alice.until(lambda: "nobody" in alice.one("#find-answer").text, "nobody")
        look(alice)
        alice.one("#find").clear()
        alice.find("W" * 60)
        alice.one(".top p")
        look(alice)
        alice.say("x" * 300, "http://example.org/" + "y/" * 100, "שלום", "😀" * 50)
        alice.until(lambda: alice.states() and len(set(alice.states())) == 1, "sent")
        look(alice)
        alice.run("document.querySelector('.act').click()")
        alice.one(".removal")
        look(alice)
        alice.keys(ESCAPE)
        alice.gone(".removal")
        alice.keys(ESCAPE)
        alice.one(".conversations")
        look(alice)
        alice.click("#you")
        look(alice)
        alice.click("#logout")
        look(alice)
        alice.keys(ESCAPE)
        self.node.kill()
        alice.one("#status")
        look(alice)
