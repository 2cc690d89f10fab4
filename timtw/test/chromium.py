"""Headless Chromiums that serve one test after the other.

To start one costs more than most of what a test does in it.  People share nothing in it
all the same: each has a browser context of their own, with its own storage, cookies,
cache and locks, which is gone when they leave.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ANSWER: Final = 20.0
"""Seconds after which a Chromium that says nothing is dead."""


class Chromium:
    """The process, and a line to it on which contexts are made and removed.

    Attributes:
        address: Where it serves whoever wants to steer it.
    """

    def __init__(self, language: str, flags: Sequence[str]) -> None:
        """Start it in a fresh profile, with these flags besides ours."""
        from selenium import webdriver
        from websocket import create_connection

        self._profile = tempfile.mkdtemp(prefix="timtw-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        own = (f"--user-data-dir={self._profile}", f"--lang={language}")
        for flag in (*FLAGS, *own, *flags):
            options.add_argument(flag)
        preferences = {"intl.accept_languages": language}
        options.add_experimental_option("prefs", preferences)
        self._keeper = self._driver(options)
        atexit.register(self.close)
        about = self._keeper.capabilities["goog:chromeOptions"]
        self.address: str = about["debuggerAddress"]
        with urlopen(f"http://{self.address}/json/version") as answer:
            url = json.load(answer)["webSocketDebuggerUrl"]
        self._line = create_connection(url, ANSWER, suppress_origin=True)
        self._numbers = count(1)

    def close(self) -> None:
        """End it and forget its profile; it may be dead."""
        from selenium.common.exceptions import WebDriverException
        from urllib3.exceptions import HTTPError

        atexit.unregister(self.close)
        with suppress(WebDriverException, HTTPError):
            self._keeper.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        from websocket import WebSocketException

        try:
            self._ask("Browser.getVersion")
        except (WebSocketException, OSError):
            return False
        return True

    def enter(self) -> tuple[Any, str]:
        """A driver with a window in a new context, and what the context is called."""
        from selenium import webdriver

        context = self._ask("Target.createBrowserContext")["browserContextId"]
        window = self.open(context)
        options = webdriver.ChromeOptions()
        options.debugger_address = self.address
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = self._driver(options)
        driver.switch_to.window(window)
        return driver, context

    def open(self, context: str) -> str:
        """A new window in a context, as its driver calls it."""
        page = {"url": "about:blank", "browserContextId": context}
        window: str = self._ask("Target.createTarget", **page)["targetId"]
        return window

    def save_into(self, context: str, directory: Path) -> None:
        """Save what a context downloads there."""
        self._ask(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(directory),
            browserContextId=context,
        )

    def leave(self, driver: Any, context: str) -> None:
        """Close all windows of a context and remove what is stored in it."""
        try:
            self._ask("Target.disposeBrowserContext", browserContextId=context)
        finally:
            driver.quit()

    def _driver(self, options: Any) -> Any:
        """A new process of chromedriver."""
        from selenium import webdriver

        service = webdriver.ChromeService(shutil.which("chromedriver"))
        return webdriver.Chrome(options=options, service=service)

    def _ask(self, method: str, **parameters: object) -> Any:
        """What the browser itself answers."""
        number = next(self._numbers)
        question = {"id": number, "method": method, "params": parameters}
        self._line.send(json.dumps(question))
        while True:
            heard = json.loads(self._line.recv())
            if heard.get("id") == number:
                assert "error" not in heard, heard
                return heard["result"]


_running: dict[tuple[str, ...], Chromium] = {}


def chromium(language: str, flags: Sequence[str]) -> Chromium:
    """The one of this process with this language and these flags; one that has crashed
    is replaced."""
    kind = (language, *flags)
    found = _running.get(kind)
    if found is not None and not found.alive:
        found.close()
        found = None
    if found is None:
        found = _running[kind] = Chromium(language, flags)
    return found
