"""The control socket of a running node: one request per line, one answer per line.

It is a Unix socket in ``state_dir`` with mode 0600: whoever may use it is the user of
the node, or root, and could read the storage as well.
"""

from __future__ import annotations

import os
import socket
import stat
import uuid
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from timtw.model.errors import BadParameter, Undefined
from timtw.model.interfaces import IOffice
from timtw.model.limits import CONTROL_CONNECTIONS, CONTROL_LINE, SOCKET_PATH_BYTES
from timtw.office import requests

SOCKET_NAME: Final = "control.socket"
"""The socket's name in ``state_dir``."""


class ControlError(Exception):
    """The control socket cannot be served; the text is one sentence."""


class Control(LineOnlyReceiver):
    """One connection: requests are carried out one after the other."""

    _log = Logger()
    delimiter = b"\n"
    MAX_LENGTH = CONTROL_LINE
    factory: Any
    transport: Any

    def connectionMade(self) -> None:
        """Take the connection, if there are not too many."""
        self._busy = False
        self._waiting: list[bytes] = []
        self.factory.connections.add(self)
        if len(self.factory.connections) > CONTROL_CONNECTIONS:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody waits for answers any more."""
        self.factory.connections.discard(self)
        self._waiting.clear()

    def lineReceived(self, line: bytes) -> None:
        """One request. What came with it waits; nothing further is read."""
        self._waiting.append(line)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """Begin the oldest request, or read again."""
        if not self._waiting:
            self._busy = False
            self.transport.resumeProducing()
            return
        self._busy = True
        self.transport.pauseProducing()
        doing = Deferred.fromCoroutine(self._answer(self._waiting.pop(0)))
        _ = doing.addErrback(self._failed).addCallback(self._answered)

    async def _answer(self, line: bytes) -> requests.Answer:
        """Carry out a request."""
        try:
            request = requests.read(line)
        except BadParameter as error:
            return requests.refusal(error)
        return await requests.answer(self.factory.office, request)

    def _failed(self, failure: Failure) -> requests.Answer:
        """A bug is told with a reference that the log repeats."""
        reference = uuid.uuid4().hex[:12]
        self._log.failure("Request failed: {reference}", failure, reference=reference)
        return requests.refusal(Undefined(f"{Undefined.info} {reference}"))

    def _answered(self, answer: requests.Answer) -> None:
        """Write the answer and go on."""
        if self in self.factory.connections:
            self.sendLine(requests.write(answer))
            self._next()


class ControlFactory(ServerFactory):
    """Makes the protocol of each connection."""

    noisy = False

    def __init__(self, office: IOffice) -> None:
        self.office = office
        self.connections: set[Control] = set()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection."""
        protocol = Control()
        protocol.factory = self
        return protocol


class ControlSocket:
    """The socket, from the start of the node to its end."""

    _log = Logger()

    def __init__(self, office: IOffice, state_dir: Path, reactor: Any) -> None:
        """Nothing is served before ``start``."""
        self._factory = ControlFactory(office)
        self._path = state_dir / SOCKET_NAME
        self._reactor = reactor
        self._port: IListeningPort | None = None

    def start(self) -> None:
        """
        Listen; a socket that a killed node left behind is replaced.

        A path that is too long for a socket is no reason not to run: the log says
        that accounts can then be managed only while the node is stopped.

        Raises ControlError: somebody serves it, or it cannot be made.
        """
        if len(os.fsencode(self._path)) > SOCKET_PATH_BYTES:
            self._log.warn(
                "the path of {name} in state_dir has more than {limit} bytes: there "
                "is no control socket, accounts are managed while the node is stopped",
                name=SOCKET_NAME,
                limit=SOCKET_PATH_BYTES,
            )
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # With it the socket is private from its first moment on.
        mask = os.umask(0o177)
        try:
            self._remove_stale()
            self._port = self._reactor.listenUNIX(
                str(self._path), self._factory, mode=0o600
            )
        except (CannotListenError, OSError) as error:
            raise ControlError(
                f"the control socket {self._path} cannot be made: {_why(error)}"
            ) from error
        finally:
            os.umask(mask)

    def _remove_stale(self) -> None:
        """Remove a socket that nobody serves; leave everything else alone."""
        try:
            is_socket = stat.S_ISSOCK(self._path.lstat().st_mode)
        except FileNotFoundError:
            return
        if not is_socket:
            raise ControlError(f"{self._path} is in the way: it is not a socket")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                self._path.unlink()
                return
        raise ControlError(f"another node serves the control socket {self._path}")

    async def stop(self) -> None:
        """Serve no more; the socket is removed."""
        port, self._port = self._port, None
        if port is not None:
            closing = port.stopListening()
            for connection in tuple(self._factory.connections):
                connection.transport.abortConnection()
            if closing is not None:
                await closing


def _why(error: Exception) -> str:
    """The system's words for what went wrong."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    return str(getattr(cause, "strerror", None) or cause)
