"""A line to a database server that a test can cut at a COMMIT, to the byte."""

from __future__ import annotations

import enum
import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

REACTOR: Any = reactor
LOST = Failure(ConnectionLost())
COMMITS = (b"COMMIT\0", b"COMMIT")
"""How a COMMIT ends on the way to PostgreSQL, and to MariaDB."""


class Cut(enum.Enum):
    """Where the next COMMIT is cut."""

    BEFORE = "it does not reach the server"
    AFTER = "its answer does not reach the node"
    WITHIN = "the node loses its line, and the server hears of it when it is told"


class Cutter:
    """Listens on a socket of its own and passes everything on to a server's.

    Args:
        server: The server's socket.
    """

    def __init__(self, server: Path) -> None:
        self.server = server
        # Not below the test's own directory, whose name may be too long for a socket.
        self.directory = Path(tempfile.mkdtemp(prefix="timtw-"))
        self.socket = self.directory / server.name
        self.cut: Cut | None = None
        self.cuts = 0
        self.lines: list[_Client] = []
        self.held: _Client | None = None
        factory = Factory.forProtocol(lambda: _Client(self))
        self._port = REACTOR.listenUNIX(str(self.socket), factory)

    def deliver(self) -> None:
        """Let the server have the COMMIT that is held."""
        assert self.held is not None
        held, self.held = self.held, None
        held.deliver()

    def give_up(self) -> None:
        """End the line to the server on which a COMMIT is held."""
        assert self.held is not None
        held, self.held = self.held, None
        held.end()

    async def close(self) -> None:
        """Listen no more and end what is under way."""
        await self._port.stopListening()
        if self.held is not None:
            self.give_up()
        for line in self.lines[:]:
            line.end()
        shutil.rmtree(self.directory)


class _Client(Protocol):
    """The side of the node."""

    transport: Any

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter
        self._waiting: list[bytes] = []
        self._far = _Server(self)
        self.deaf = False

    def connectionMade(self) -> None:
        """See ``IProtocol``."""
        self._cutter.lines.append(self)
        endpoint = UNIXClientEndpoint(REACTOR, str(self._cutter.server))
        connecting = connectProtocol(endpoint, self._far)
        _ = connecting.addCallbacks(self._through, lambda _failure: self.end())

    def _through(self, _far: Any) -> None:
        """The server is reached."""
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self._far.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        """See ``IProtocol``."""
        cutter = self._cutter
        if cutter.cut is not None and data.endswith(COMMITS):
            cut, cutter.cut = cutter.cut, None
            cutter.cuts += 1
            if cut is Cut.BEFORE:
                self.end()
                return
            if cut is Cut.WITHIN:
                cutter.held = self
                self._waiting.append(data)
                self.transport.abortConnection()
                return
            self.deaf = True
        if self._far.connected:
            self._far.transport.write(data)
        else:
            self._waiting.append(data)

    def connectionLost(self, reason: Failure = LOST) -> None:
        """See ``IProtocol``."""
        if self in self._cutter.lines:
            self._cutter.lines.remove(self)
        if self._cutter.held is not self:
            self.end()

    def deliver(self) -> None:
        """Pass on what was held, and end when it is answered."""
        self.deaf = True
        self._through(self._far)

    def end(self) -> None:
        """Cut both sides."""
        for side in (self, self._far):
            if side.connected:
                side.transport.abortConnection()


class _Server(Protocol):
    """The side of the server."""

    transport: Any

    def __init__(self, near: _Client) -> None:
        self._near = near

    def dataReceived(self, data: bytes) -> None:
        """See ``IProtocol``."""
        if self._near.deaf:
            self._near.end()
        else:
            self._near.transport.write(data)

    def connectionLost(self, reason: Failure = LOST) -> None:
        """See ``IProtocol``."""
        self._near.end()
