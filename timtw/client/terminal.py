"""A terminal with a line being typed at its bottom, and everything else above it."""

from __future__ import annotations

import os
import signal
import termios
import tty
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure

from timtw.client.lineedit import Entered, Left, LineEditor


class Terminal(Protocol):
    """See the module. What is written must be harmless.

    Attributes:
        prompt: Stands before the line.
        closed: Fires when everything is written after ``close``.
    """

    def __init__(
        self, reactor: Any, typed: Callable[[str], None], left: Callable[[], None]
    ) -> None:
        """
        Take the terminal; ``close`` gives it back.

        Args:
            typed: Called with each line that was entered.
            left: Called when whoever types wants to end it.
        """
        self.prompt = "> "
        self._typed = typed
        self._left = left
        self._editor = LineEditor()
        self._saved = termios.tcgetattr(0)
        self._open = True
        self._columns = 0
        self.closed: Deferred[None] = Deferred()
        tty.setraw(0)
        resized = signal.SIGWINCH
        self._before = signal.signal(
            resized, lambda *_: reactor.callFromThread(self.draw)
        )
        # On other systems than POSIX its signature is another one.
        make: Any = StandardIO
        make(self, os.dup(0), os.dup(1), reactor=reactor)

    def dataReceived(self, data: bytes) -> None:
        """Keys."""
        for event in self._editor.feed(data):
            if isinstance(event, Entered):
                self._typed(event.text)
            elif isinstance(event, Left):
                self._left()
        self.draw()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The terminal is gone."""
        if self._open:
            self._left()
        self.closed.callback(None)

    def say(self, line: str) -> None:
        """Write a line above the one that is being typed."""
        self._fit()
        self._write(f"\r\x1b[K{line}\r\n")
        self.draw()

    def draw(self) -> None:
        """Write prompt and line once more."""
        if self._open:
            self._fit()
            self._write(self._editor.shown(self.prompt, self._columns))

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._open:
            self._open = False
            _ = signal.signal(signal.SIGWINCH, self._before)
            self._write("\r\x1b[K")
            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
            os.set_blocking(0, True)
            if self.transport is not None:
                self.transport.loseConnection()

    def _fit(self) -> None:
        """Look how wide the terminal is; a narrower one has cut the line into rows."""
        columns = os.get_terminal_size(0).columns or 80
        if columns < self._columns:
            above = self._editor.column // columns
            self._write((f"\x1b[{above}A" if above else "") + "\r\x1b[J")
        self._columns = columns

    def _write(self, text: str) -> None:
        """Hand text to the terminal."""
        if self.transport is not None:
            self.transport.write(text.encode("utf-8", "replace"))
