"""What a bare Twisted server makes of the same bytes."""

from __future__ import annotations

import selectors
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from benchmarks.clocks import clocks_of
from benchmarks.machine import SERVER_CORE, on_core
from benchmarks.serving import client_tls, patiently
from benchmarks.talker import JSON, TEXT
from timtw.loss.blocking import CHUNK
from timtw.loss.frames import frame
from timtw.loss.nodes import free_port
from timtw.loss.speech import LOGIN, Answer, JsonSpeech, Login

MESSAGES: Final = 300_000
"""The control bounces so many texts, for it is so much faster than a node."""


@attrs.frozen
class Bare:
    """A bare server that runs."""

    port: int
    pid: int


class Parrot(JsonSpeech):
    """What is said to a bare server: a text instead of a login; any answer will do."""

    def login(self, login: Login) -> bytes:
        """Something to send back."""
        return self.text("SrLu63KZLnq", TEXT)

    def hear(self, payload: bytes) -> Answer:
        """It came back."""
        return Answer(True, LOGIN)


@contextmanager
def bare(folder: Path | None = None) -> Iterator[Bare]:
    """
    A bare server on the node's core.

    Args:
        folder: Where the key and the certificate are; without it there is no TLS.
    """
    port = free_port()
    words = [str(Path(__file__).with_name("echo.py")), str(port)]
    words += [str(folder)] if folder else []
    with on_core(SERVER_CORE):
        server = subprocess.Popen([sys.executable, *words])
    try:
        patiently(port).close()
        yield Bare(port, server.pid)
    finally:
        server.kill()
        server.wait()


def echoed(lines: int, in_flight: int, folder: Path | None = None) -> dict[str, float]:
    """The same texts over as many lines, as many under way, sent back as they are."""
    data = frame(JSON.text("SrLu63KZLnq", TEXT))
    with bare(folder) as server:
        bouncers = [_Bouncer(server.port, data, folder) for _ in range(lines)]
        selector = selectors.DefaultSelector()
        for bouncer in bouncers:
            selector.register(bouncer.line, selectors.EVENT_READ, bouncer.ready)
            bouncer.line.sendall(data * (in_flight // lines))
        clocks = clocks_of(server.pid)
        begun = clocks(0)
        came = 0
        while came < MESSAGES:
            for key, _ in selector.select():
                came += key.data()
        ended = clocks(came)
        for bouncer in bouncers:
            bouncer.line.close()
    found = ended.since(begun).per_message()
    return {"rate": found["rate"], "cpu_us": found["cpu_us"]}


class _Bouncer:
    """One line to a bare server."""

    def __init__(self, port: int, data: bytes, folder: Path | None) -> None:
        line = patiently(port)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.line = client_tls().wrap_socket(line) if folder else line
        self._data = data
        self._rest = 0

    def ready(self) -> int:
        """Send as many whole texts as have come; how many that are."""
        size = len(self.line.recv(CHUNK))
        if isinstance(self.line, ssl.SSLSocket):
            while self.line.pending():
                size += len(self.line.recv(CHUNK))
        whole, self._rest = divmod(self._rest + size, len(self._data))
        if whole:
            self.line.sendall(self._data * whole)
        return whole
