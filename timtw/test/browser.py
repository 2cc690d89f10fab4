"""A person at the chat page: a context of a headless Chromium that nobody shares.

Everything here waits by looking, never by sleeping for a time that was guessed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.trial import unittest

from timtw.loss.nodes import CONFIGURATION, Node
from timtw.test.chromium import chromium

PATIENCE: Final = 30.0
"""Seconds after which something that should happen has not."""
LOOK: Final = 0.05
"""Seconds between two looks."""
DESKTOP: Final = (1200, 800)
PHONE: Final = (390, 844)
PASSWORD: Final = "correct horse battery"
HARMLESS: Final = ("WebSocket connection to", "net::ERR_")
"""What the browser's console says about connections that a test has cut."""

SERIOUS: Final = ("serious", "critical")
"""What axe-core may not find anywhere."""

Found = TypeVar("Found")


def missing() -> str | None:
    """Why there can be no browser here, or nothing.

    With TIMTW_REQUIRE_BROWSER set to 1 a missing browser is a failure of the tests.
    """
    if os.environ.get("TIMTW_REQUIRE_BROWSER") == "1":
        return None
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    for module in ("selenium", "axe_core_python"):
        if find_spec(module) is None:
            return f"the Python package {module} is not installed"
    return None


class Browser:
    """One person's browser. Selectors are CSS."""

    def __init__(
        self,
        url: str,
        size: tuple[int, int] = DESKTOP,
        language: str = "en",
        flags: Sequence[str] = (),
    ) -> None:
        """Open the page in a fresh context of a browser with these flags."""
        self._home = chromium(language, flags)
        self.driver, self._context = self._home.enter()
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=False,
        )
        self.dark(False)
        self.driver.get(url)

    def close(self) -> None:
        """Close all windows and forget what is stored."""
        self._home.leave(self.driver, self._context)

    def new_tab(self) -> None:
        """Open a tab beside those that there are, and look at it."""
        self.driver.switch_to.window(self._home.open(self._context))

    def save_into(self, directory: Path) -> None:
        """Save files there without a question."""
        self._home.save_into(self._context, directory)

    def command(self, name: str, **parameters: object) -> None:
        """Tell the browser itself something."""
        self.driver.execute_cdp_cmd(name, parameters)

    def dark(self, wanted: bool) -> None:
        """Prefer dark or light colours, and no animations."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.command("Emulation.setEmulatedMedia", features=features)

    # --- looking

    def until(self, look: Callable[[], Found], what: str) -> Found:
        """Look until the answer is true; elements may be replaced meanwhile.

        Raises TimeoutException: it did not become true; the text says what.
        """
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
        )
        from selenium.webdriver.support.wait import WebDriverWait

        ignored = (NoSuchElementException, StaleElementReferenceException)
        waiting = WebDriverWait(self.driver, PATIENCE, LOOK, ignored)
        found: Found = waiting.until(lambda _: look(), f"not seen: {what}")
        return found

    def all(self, selector: str) -> list[Any]:
        """The visible elements."""
        elements = self.driver.find_elements("css selector", selector)
        return [element for element in elements if element.is_displayed()]

    def one(self, selector: str) -> Any:
        """The first visible element, waited for."""
        return self.until(lambda: self.all(selector), selector)[0]

    def gone(self, selector: str) -> None:
        """Wait until no such element is visible."""
        self.until(lambda: not self.all(selector), f"no more {selector}")

    def run(self, script: str, *arguments: object) -> Any:
        """The result of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def texts(self) -> list[str]:
        """The texts of the open conversation in their order, own ones with "> "."""
        script = """
            return [...document.querySelectorAll(".message")].map((element) =>
              (element.classList.contains("mine") ? "> " : "")
              + element.querySelector(".text").textContent)
        """
        found: list[str] = self.run(script)
        return found

    def states(self) -> list[str]:
        """The words under the own texts of the open conversation."""
        script = """
            return [...document.querySelectorAll(".mine .state")]
              .map((element) => element.textContent)
        """
        found: list[str] = self.run(script)
        return found

    def shows(self, *texts: str) -> None:
        """Wait until the open conversation is exactly this."""
        try:
            self.until(lambda: self.texts() == list(texts), "the expected texts")
        except Exception as error:
            raise AssertionError(f"seen {self.texts()}, not {list(texts)}") from error

    def problems(self) -> list[str]:
        """What the console holds against the page."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if not any(text in entry["message"] for text in HARMLESS)
        ]

    # --- doing

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def shifted(self, key: str, times: int = 1) -> None:
        """Press a key while Shift is held."""
        from selenium.webdriver import ActionChains

        for _ in range(times):
            chain = ActionChains(self.driver)
            chain.key_down("\ue008").send_keys(key).key_up("\ue008").perform()

    def write(self, selector: str, text: str) -> None:
        """Write into an element and press Enter."""
        self.one(selector).send_keys(text, "\ue007")

    def click(self, selector: str) -> None:
        """Click an element."""
        self.one(selector).click()

    def register(self, name: str) -> None:
        """Register and arrive in the chat."""
        self.click("form + button")
        self._enter(name)

    def log_in(self, name: str) -> None:
        """Log in and arrive in the chat."""
        self.one("#name").clear()
        self._enter(name)

    def _enter(self, name: str) -> None:
        self.one("#name").send_keys(name)
        self.write("#password", PASSWORD)
        self.one("#find, #text")

    def find(self, name: str) -> None:
        """Find somebody and open the conversation."""
        self.write("#find", name)
        self.one("#text")

    def see(self, selector: str, text: str) -> None:
        """Wait until the first visible element of these has a text in it."""
        self.until(lambda: text in self.one(selector).text, f"{text} in {selector}")

    def at(self, name: str) -> None:
        """Wait until the focus is at the element with this id."""
        script = "return document.activeElement.id"
        self.until(lambda: self.run(script) == name, f"the focus at {name}")

    def held(self, selector: str) -> None:
        """Wait until the focus is at such an element."""
        script = "return document.activeElement.matches(arguments[0])"
        self.until(lambda: self.run(script, selector), f"the focus at {selector}")

    def say(self, *texts: str) -> None:
        """Write texts into the open conversation."""
        for text in texts:
            self.write("#text", text)


class BrowserCase(unittest.SynchronousTestCase):
    """A running node, and browsers that look at its page."""

    skip = missing()
    configuration = CONFIGURATION

    def setUp(self) -> None:
        """Start the real program in a directory of its own."""
        directory = Path(self.mktemp()).absolute()
        directory.mkdir(parents=True)
        self.node = Node(directory, configuration=self.configuration)
        self.node.start()
        self.addCleanup(self.node.kill)
        self.url = f"http://127.0.0.1:{self.node.port}/"

    def browser(
        self,
        size: tuple[int, int] = DESKTOP,
        language: str = "en",
        url: str = "",
        flags: Sequence[str] = (),
    ) -> Browser:
        """A browser for this test; its console must stay free of complaints."""
        browser = Browser(url or self.url, size, language, flags)
        self.addCleanup(self._judge, browser)
        return browser

    def person(
        self, name: str, size: tuple[int, int] = DESKTOP, language: str = "en"
    ) -> Browser:
        """A browser of somebody who has just registered."""
        browser = self.browser(size, language)
        browser.register(name)
        return browser

    def _judge(self, browser: Browser) -> None:
        try:
            self.assertEqual([], browser.problems())
        finally:
            browser.close()

    def fits(self, browser: Browser) -> None:
        """No element is wider than the screen."""
        wide = browser.run(
            """
            const wide = [...document.querySelectorAll("body *")].filter((element) =>
              element.getBoundingClientRect().right > innerWidth + 1
              && element.checkVisibility() && !element.closest(".unseen"));
            const page = document.scrollingElement;
            return [page.scrollWidth > innerWidth, wide.map((e) => e.outerHTML)]
            """
        )
        self.assertEqual([False, []], wide)

    def accessible(self, browser: Browser) -> None:
        """axe-core agrees, in light and in dark colours."""
        axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
        browser.run(axe)
        for dark in (False, True):
            browser.dark(dark)
            found = browser.driver.execute_async_script(
                "const done = arguments[0]; axe.run().then(done)"
            )
            serious = [
                (violation["id"], [node["html"] for node in violation["nodes"]])
                for violation in found["violations"]
                if violation["impact"] in SERIOUS
            ]
            self.assertEqual([], serious)
