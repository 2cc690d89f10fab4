"""Clients that connect and log in, many at a time, on one selector."""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.people import Person
from benchmarks.talker import JSON, Broken, Talker
from timtw.loss.blocking import CHUNK
from timtw.loss.frames import frame, handshake
from timtw.loss.speech import Answer, Speech

ADDRESSES: Final = 40
"""Addresses of this machine that connections come from, for an address has about
28,000 ports."""
TOGETHER: Final = 100
"""How many log in at the same time where it is not the logins that are measured."""
SECONDS: Final = 40.0
"""How long a client waits to be let in; who is not in by then was not served."""
_UPGRADED: Final = b"HTTP/1.1 101"
_END: Final = b"\r\n\r\n"


class Arrival:
    """One client on its way in."""

    def __init__(self, crowd: Crowd, person: Person, number: int) -> None:
        """Begin to connect."""
        self.person = person
        self.begun = time.perf_counter()
        self.line = _socket(number)
        self._crowd = crowd
        self._data = b""
        self._upgraded = not crowd.by_websocket
        code = self.line.connect_ex(("127.0.0.1", crowd.port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, "no connection is possible")
        if crowd.tls is not None:
            self._secure(crowd.tls)
        crowd.selector.register(self.line, selectors.EVENT_WRITE, self._connected)

    def _secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS; these are few, so each is waited for."""
        self.line.setblocking(True)
        self.line = context.wrap_socket(self.line)

    def _connected(self) -> None:
        """The connection is there, or will not come."""
        code = self.line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(errno.errorcode[code])
            return
        crowd = self._crowd
        self.line.setblocking(True)
        crowd.selector.modify(self.line, selectors.EVENT_READ, self._came)
        self.line.sendall(
            handshake("127.0.0.1") if crowd.by_websocket else self._login()
        )

    def _login(self) -> bytes:
        """The login as the line carries it."""
        payload = self._crowd.speech.login(self.person.login())
        if self._crowd.by_websocket:
            return frame(payload)
        return len(payload).to_bytes(4, "big") + payload

    def _came(self) -> None:
        """Something has come."""
        try:
            data = self.line.recv(CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            self.fail("closed")
            return
        self._data += data
        if not self._upgraded:
            head, found, rest = self._data.partition(_END)
            if not found:
                return
            if not head.startswith(_UPGRADED):
                self.fail(head[:40].decode("latin-1"))
                return
            self._upgraded, self._data = True, rest
            self.line.sendall(self._login())
            return
        start = 2 if self._crowd.by_websocket else 4
        if len(self._data) > start:
            self._answered(self._data[start:])

    def _answered(self, payload: bytes) -> None:
        """The login is answered; what answers it is short and comes in one piece."""
        answer = self._crowd.speech.hear(payload)
        if isinstance(answer, Answer) and answer.ok:
            self._crowd.selector.unregister(self.line)
            self._crowd.arrived(self)
        else:
            self.fail(f"refused with {getattr(answer, 'code', answer)}")

    def fail(self, why: str) -> None:
        """It is not let in."""
        self._crowd.selector.unregister(self.line)
        self.line.close()
        self._crowd.failed(self, why)


def _socket(number: int) -> socket.socket:
    """A socket with an address of its own group."""
    line = socket.socket()
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    line.bind((f"127.0.1.{1 + number % ADDRESSES}", 0))
    line.setblocking(False)
    return line


class Crowd:
    """Many clients on their way in, over one door of a node."""

    def __init__(
        self,
        port: int,
        speech: Speech = JSON,
        *,
        by_websocket: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nobody has begun to connect."""
        self.port, self.speech = port, speech
        self.by_websocket, self.tls = by_websocket, tls
        self.selector = selectors.DefaultSelector()
        self.lines: list[tuple[Person, socket.socket]] = []
        self.seconds: list[float] = []
        self.failures: dict[str, int] = {}
        self._pending: set[Arrival] = set()

    @property
    def settled(self) -> bool:
        """Whether everybody is in, or was refused."""
        return not self._pending

    def begin(self, people: Sequence[Person]) -> None:
        """Let all of these connect at once."""
        for number, person in enumerate(people):
            self._pending.add(Arrival(self, person, number))

    def arrived(self, arrival: Arrival) -> None:
        """One is in."""
        self._pending.discard(arrival)
        self.seconds.append(time.perf_counter() - arrival.begun)
        self.lines.append((arrival.person, arrival.line))

    def failed(self, arrival: Arrival, why: str) -> None:
        """One was not let in."""
        self._pending.discard(arrival)
        self.failures[why] = self.failures.get(why, 0) + 1

    def serve(self, seconds: float, most: int) -> None:
        """Serve at most so many of those who are ready within so many seconds."""
        for key, _ in self.selector.select(seconds)[:most]:
            key.data()

    def wait(self) -> None:
        """Serve everybody until all are in or were refused, or are late."""
        end = time.monotonic() + SECONDS
        while self._pending and time.monotonic() < end:
            self.serve(1.0, len(self._pending))
        self.give_up()

    def give_up(self) -> None:
        """Wait no more: who is not in is late."""
        for late in tuple(self._pending):
            late.fail("late")

    def gather(self, people: Sequence[Person]) -> None:
        """Let all of these log in, some at a time; Broken if somebody is not let in."""
        for first in range(0, len(people), TOGETHER):
            self.begin(people[first : first + TOGETHER])
            self.wait()
        if self.failures:
            raise Broken(f"{len(self.lines)} are in, the others: {self.failures}")

    def visit(self, people: Sequence[Person]) -> None:
        """Let all of these log in once and leave again."""
        self.gather(people)
        self.close()

    def close(self) -> None:
        """Hang up all lines."""
        for _, line in self.lines:
            line.close()


def talkers(
    crowd: Crowd, people: Sequence[Person], together: int = 100
) -> list[Talker]:
    """Log in all of these, so many at a time, and let them talk."""
    for first in range(0, len(people), together):
        crowd.begin(people[first : first + together])
        crowd.wait()
    assert not crowd.failures and crowd.settled, crowd.failures
    lines = dict(crowd.lines)
    return [Talker(lines[person], person, crowd.speech) for person in people]
