"""Real nodes, and blocking clients for each of their doors."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from timtw.loss.frames import BINARY, FrameReader, frame, handshake
from timtw.loss.nodes import CONFIGURATION, ROOT
from timtw.loss.speech import (
    Answer,
    Heard,
    JsonSpeech,
    Login,
    Speech,
    Texts,
    ThriftSpeech,
)

SECONDS: Final = 20.0
"""How long anything may take."""
SPEECH: Final = JsonSpeech()
PASSWORD: Final = "correct horse battery"
MANUAL: Final = ROOT / "docs" / "how-to" / "put-a-proxy-in-front.md"


def configuration(clients: str, registers: int = 0) -> str:
    """The usual configuration with further keys in ``[clients]``."""
    text = CONFIGURATION.replace("tcp =\n", clients)
    return text.replace(
        "registers_per_minute = 0", f"registers_per_minute = {registers}"
    )


def example(language: str) -> str:
    """The configuration of a proxy that the manual shows."""
    text = MANUAL.read_text("utf-8")
    return text.partition(f"```{language}\n")[2].partition("```")[0]


def where(program: str) -> str | None:
    """The path of a program, which ordinary users do not have in their PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing(program: str) -> str | None:
    """Why a test that needs ``program`` is left out; None if it is there."""
    return None if where(program) else f"{program} is not installed"


def wait_for(port: int, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until something listens on ``port``. Raises OSError: nothing ever does."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            connect(port).close()
            return
        except OSError:
            if time.monotonic() > end or not alive():
                raise
        time.sleep(0.02)


class Proxy:
    """A proxy as a process."""

    def __init__(self, words: list[str], log: Path, port: int) -> None:
        """Start it, and wait until it takes connections on ``port``."""
        words = [where(words[0]) or words[0], *words[1:]]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            wait_for(port, lambda: self._process.poll() is None)
        except OSError as error:
            self.stop()
            words_said = log.read_text(errors="replace")
            raise AssertionError(f"no proxy: {words_said}") from error

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(SECONDS)


def connect(
    port: int, source: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> socket.socket:
    """A connection to a server on this machine, from an address of it."""
    line = socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0))
    return line if tls is None else tls.wrap_socket(line, server_hostname="127.0.0.1")


def register(
    port: int,
    name: str,
    source: str,
    *forged: tuple[str, str],
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Register over HTTP, from an address, with further headers."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    line.sock = connect(port, source, tls)
    try:
        line.request("POST", "/tim2", SPEECH.register(name, PASSWORD), dict(forged))
        heard = SPEECH.hear(line.getresponse().read())
    finally:
        line.close()
    assert isinstance(heard, Answer)
    return heard


class Talker:
    """A logged-in client on a stream: JSON on WebSocket, or Thrift behind lengths."""

    def __init__(
        self, line: socket.socket, name: str, *, path: str = "/tim", plain: bool = False
    ) -> None:
        """Shake hands, unless the stream is ``plain``, and log in at once."""
        self._line = line
        self._plain = plain
        self._speech: Speech = ThriftSpeech() if plain else SPEECH
        self._reader = FrameReader()
        self._rest = b""
        self._heard: list[Heard] = []
        login = self._speech.login(Login(name, PASSWORD, "door", 1, False))
        start = b"" if plain else handshake("127.0.0.1", path)
        line.sendall(start + self._packed(login))
        answer = self.hear()
        assert isinstance(answer, Answer) and answer.ok, answer

    def _packed(self, payload: bytes) -> bytes:
        if self._plain:
            return len(payload).to_bytes(4, "big") + payload
        return frame(payload)

    def _frames(self, data: bytes) -> list[bytes]:
        if not self._plain:
            return [said for op, said in self._reader.feed(data) if op == BINARY]
        self._rest += data
        found = []
        while len(self._rest) >= 4:
            end = 4 + int.from_bytes(self._rest[:4], "big")
            if len(self._rest) < end:
                break
            found.append(self._rest[4:end])
            self._rest = self._rest[end:]
        return found

    def write(self, peer: str, body: str) -> None:
        """Send a text, and wait for its echo."""
        self._line.sendall(self._packed(self._speech.text(peer, body)))
        assert self.texts() == [body]

    def texts(self) -> list[str]:
        """The texts of the next frame, which is confirmed if it wants to be."""
        heard = self.hear()
        assert isinstance(heard, Texts), heard
        if heard.receipt:
            confirmed = self._speech.acknowledge(heard.receipt)
            self._line.sendall(self._packed(confirmed))
        return [one.body for one in heard.texts]

    def hear(self) -> Heard:
        """The next thing that comes."""
        while not self._heard:
            data = self._line.recv(1 << 16)
            assert data, "the node has hung up"
            self._heard += map(self._speech.hear, self._frames(data))
        return self._heard.pop(0)

    def close(self) -> None:
        """Hang up."""
        self._line.close()
