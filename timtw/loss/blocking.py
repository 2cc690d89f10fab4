"""A client that waits for what it wants: for benchmarks and for simple scenes."""

from __future__ import annotations

import socket
from typing import Final

from timtw.loss.frames import BINARY, FrameReader, frame, handshake
from timtw.loss.nodes import Node
from timtw.loss.speech import Answer, Heard, Login, Speech

CHUNK: Final = 1 << 18
"""Bytes that are read from a socket at once."""
SECONDS: Final = 20.0
"""How long anything may take."""


def connect(port: int) -> socket.socket:
    """A plain connection to a server on this machine."""
    line = socket.create_connection(("127.0.0.1", port), SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def register(node: Node, speech: Speech, name: str, password: str) -> str:
    """Make an account; its node."""
    answer = speech.hear(node.post(speech.register(name, password)))
    assert isinstance(answer, Answer) and answer.ok, answer
    return answer.text


class Visitor:
    """A client on a blocking socket, logged in from the beginning."""

    def __init__(self, port: int, speech: Speech, login: Login) -> None:
        """Connect and log in; there must be nothing waiting."""
        self.line = connect(port)
        self._speech = speech
        self._reader = FrameReader()
        self._heard: list[Heard] = []
        self.line.sendall(handshake("127.0.0.1"))
        self.send(speech.login(login))
        answer = self.hear()
        assert isinstance(answer, Answer) and answer.ok, answer

    def send(self, *payloads: bytes) -> None:
        """Send frames in one go."""
        self.line.sendall(b"".join(map(frame, payloads)))

    def hear(self) -> Heard:
        """The next thing that comes."""
        while not self._heard:
            data = self.line.recv(CHUNK)
            assert data, "the node has hung up"
            frames = self._reader.feed(data)
            self._heard += [self._speech.hear(p) for op, p in frames if op == BINARY]
        return self._heard.pop(0)

    def close(self) -> None:
        """Hang up."""
        self.line.close()
