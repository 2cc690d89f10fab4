"""A line to a database server that can be slow, be reset, and be cut at a COMMIT.

It runs in threads of its own, because a node that starts needs it while nobody else
does anything. What other threads set takes effect with the next bytes.
"""

from __future__ import annotations

import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final

CHUNK: Final = 65536
"""Bytes that are passed on at once."""
COMMITS: Final = (b"COMMIT\0", b"COMMIT")
"""How a COMMIT ends on the way to PostgreSQL, and to MariaDB."""
CUTS: Final = ("before", "at once", "answered")
"""Where a line is cut: before the server has the COMMIT, as soon as it was handed
over, or when the answer is there."""


class Proxy:
    """Listens on a socket of its own and passes everything on to a server's.

    Attributes:
        delay: Seconds by which everything is late that passes.
        cutting: The probability that a COMMIT is cut.
    """

    def __init__(self, server: Path, rng: random.Random) -> None:
        """Listen; ``server`` is the socket of the server."""
        self.delay = self.cutting = 0.0
        self._server = server
        self._rng = rng
        self._directory = Path(tempfile.mkdtemp(prefix="timtw-"))
        self.socket = self._directory / server.name
        self._lines: set[_Line] = set()
        self._port = socket.socket(socket.AF_UNIX)
        self._port.bind(str(self.socket))
        self._port.listen()
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more and end what is under way."""
        # Closing alone would not wake the thread that waits.
        self._port.shutdown(socket.SHUT_RDWR)
        self._port.close()
        self.reset()
        shutil.rmtree(self._directory, ignore_errors=True)

    def reset(self) -> None:
        """End every connection."""
        for line in list(self._lines):
            line.end()

    def cut(self) -> str:
        """Where the COMMIT that is there is cut, if it is."""
        if self._rng.random() < self.cutting:
            return self._rng.choice(CUTS)
        return ""

    def _accept(self) -> None:
        """Take connections until the port is closed."""
        while True:
            try:
                near, _address = self._port.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self._server))
            except OSError:
                near.close()
                far.close()
                continue
            Thread(target=self._serve, args=(near, far), daemon=True).start()

    def _serve(self, near: socket.socket, far: socket.socket) -> None:
        """Serve one connection."""
        line = _Line(self, near, far)
        self._lines.add(line)
        line.run()
        self._lines.discard(line)


class _Line:
    """One connection: the side of the node and that of the server."""

    def __init__(self, proxy: Proxy, near: socket.socket, far: socket.socket) -> None:
        self._proxy = proxy
        self._near = near
        self._far = far
        self._deaf = False

    def run(self) -> None:
        """Pass on what comes from both sides, until one of them ends."""
        answers = Thread(target=self._carry, args=(self._answer,), daemon=True)
        answers.start()
        self._carry(self._ask)
        answers.join()
        self._near.close()
        self._far.close()

    def end(self) -> None:
        """Cut both sides."""
        for side in (self._near, self._far):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def _carry(self, work: Callable[[], None]) -> None:
        """Pass on from one side, and end both."""
        with suppress(OSError):
            work()
        self.end()

    def _ask(self) -> None:
        """From the node to the server."""
        while data := self._near.recv(CHUNK):
            time.sleep(self._proxy.delay)
            cut = self._proxy.cut() if data.endswith(COMMITS) else ""
            if cut == "before":
                return
            self._deaf = bool(cut)
            self._far.sendall(data)
            if cut == "at once":
                return

    def _answer(self) -> None:
        """From the server to the node."""
        while data := self._far.recv(CHUNK):
            time.sleep(self._proxy.delay)
            if self._deaf:
                return
            self._near.sendall(data)
