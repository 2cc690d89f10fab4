"""The node that is measured: ``twistd tim`` as a process on a core of its own."""

from __future__ import annotations

import socket
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.machine import SERVER_CORE, on_core
from timtw.loss.nodes import Node, free_port
from timtw.test.test_doors_tls import make_certificate

STARTS: Final = 20.0
"""Seconds in which a server has to begin to listen."""
CONFIGURATION: Final = """\
[node]
state_dir = state

[clients]
websocket = tcp:{{port}}:interface=127.0.0.1
    ssl:{tls}:interface=127.0.0.1:privateKey={folder}/key.pem:certKey={folder}/chain.pem
tcp = tcp:{lines}:interface=127.0.0.1

[accounts]
device_limit = 5
device_type_limit = 5

[messages]
from = anyone

[live]
bytes_per_second = 0

[limits]
registers_per_minute = 0
logins_per_minute = 0
failed_logins_per_minute = 0
commands_per_second = 0
"""
"""As shipped, but for the limits of a single address, which is where all of us are, and
for the pace of a single account."""


class BenchNode(Node):
    """A node with every door: WebSocket on ``port``, and the two below."""

    def __init__(
        self,
        directory: Path,
        options: Sequence[str],
        launcher: Sequence[str],
        url: str = "",
    ):
        self.tls, self.lines = free_port(), free_port()
        make_certificate(directory)
        text = CONFIGURATION.format(
            tls=self.tls, lines=self.lines, folder=directory.resolve()
        )
        if url:
            text += f"\n[shard main]\nurl = {url}\n"
        super().__init__(directory, launcher, options, text)
        self.directory = directory

    def start(self) -> None:
        """Start it on its core."""
        with on_core(SERVER_CORE):
            super().start()
        for port in (self.tls, self.lines):
            patiently(port).close()


def patiently(port: int) -> socket.socket:
    """Connect to a server that may not listen yet."""
    end = time.monotonic() + STARTS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


@contextmanager
def workplace(parent: str | None = None) -> Iterator[Path]:
    """A directory on the disk that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="timtw-bench-", dir=parent) as directory:
        yield Path(directory)


@contextmanager
def served(
    directory: Path, profile: str = "", launcher: Sequence[str] = (), url: str = ""
) -> Iterator[BenchNode]:
    """
    A running node; it is stopped at the end.

    Args:
        profile: Where cProfile's figures go, if anywhere.
        launcher: What runs twistd, where that is not this interpreter's twistd.
        url: Its database, if that is on a server.
    """
    options = [f"--profile={Path(profile).resolve()}", "--profiler=cProfile"]
    node = BenchNode(directory, options if profile else [], launcher, url)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def client_tls() -> ssl.SSLContext:
    """What a client needs in order to speak TLS to a node of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
