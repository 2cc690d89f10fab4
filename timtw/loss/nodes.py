"""The real program as a process: made, started, killed, and started on what is left."""

from __future__ import annotations

import copy
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import timtw

START_SECONDS: Final = 90.0
"""How long a node may take until it answers; a very busy machine needs a minute."""
STOP_SECONDS: Final = 20.0
"""How long a node may take to end by itself."""
ROOT: Final = Path(timtw.__file__).resolve().parent.parent

CONFIGURATION: Final = """\
[node]
state_dir = state

[clients]
websocket = tcp:{port}:interface=127.0.0.1
tcp =

[accounts]
device_limit = 5
device_type_limit = 5

[messages]
from = anyone

[limits]
registers_per_minute = 0
logins_per_minute = 0
failed_logins_per_minute = 0
commands_per_second = 0
"""


class NodeFailed(Exception):
    """The program ended, or did not answer in time; the text holds its last words."""


def twistd() -> list[str]:
    """The command that runs twistd with this interpreter."""
    return [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]


def free_port() -> int:
    """A port of this machine that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Node:
    """One directory with a configuration and state, and the process that serves it."""

    def __init__(
        self,
        directory: Path,
        launcher: Sequence[str] = (),
        options: Sequence[str] = (),
        configuration: str = CONFIGURATION,
        further: Sequence[int] = (),
    ) -> None:
        """
        A node that does not run yet.

        Args:
            launcher: What runs twistd; this interpreter's twistd if empty.
            options: Further options of twistd.
            configuration: What is in the file; ``{port}`` stands for the port.
            further: Ports that the configuration names besides.
        """
        self._further = further
        self._configuration = configuration
        self._directory = directory
        self._command = [*(launcher or twistd()), *options]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def pid(self) -> int:
        """The number of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def state(self) -> Path:
        """The directory of the database."""
        return self._directory / "state"

    @property
    def database(self) -> Path:
        """The database."""
        return self.state / "tim.db"

    @property
    def write_ahead_log(self) -> Path:
        """What SQLite has written and not yet brought into the database."""
        return self.state / "tim.db-wal"

    @property
    def log(self) -> Path:
        """What the process has written."""
        return self._directory / "node.log"

    def start(self) -> None:
        """Start the program and wait until it takes connections."""
        configuration = self._configuration.format(port=self.port)
        (self._directory / "node.ini").write_text(configuration)
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
        words = ["-n", "--pidfile=", "tim", "--config=node.ini"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *words],
                cwd=self._directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        """Try to connect until it works."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                for port in (self.port, *self._further):
                    socket.create_connection(("127.0.0.1", port), 1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        words = self.log.read_text(errors="replace")[-2000:]
        raise NodeFailed(f"the node does not answer; its last words:\n{words}")

    def tell(self, order: str) -> None:
        """Give an order to a node that was started by ``timtw.loss.launcher``."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"{order}\n".encode())
        self._process.stdin.flush()

    def seal(self) -> dict[Path, int]:
        """Let nothing be written where the state is; the modes that were there."""
        everything = [self.state, *self.state.rglob("*")]
        modes = {one: one.stat().st_mode & 0o777 for one in everything}
        for one, mode in modes.items():
            one.chmod(mode & 0o555)
        return modes

    def pause(self) -> None:
        """Let the process do nothing until ``resume``."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the process as a power cut would end it."""
        self._end(signal.SIGKILL)

    def crash(self) -> None:
        """The same of the process and of whatever it keeps things in."""
        self.kill()

    def stop(self) -> None:
        """Let the process finish what it does."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self._process.kill()
            self._process.wait()
            raise NodeFailed("the node does not stop") from error
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None

    def post(self, payload: bytes) -> bytes:
        """One frame over HTTP, and the frame that answers it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/tim2", payload)
            return connection.getresponse().read()
        finally:
            connection.close()

    def launched(self, launcher: Sequence[str]) -> Self:
        """The same stopped node, run by something else."""
        twin = copy.copy(self)
        twin._command = list(launcher)
        return twin

    def copy(self, directory: Path, rng: random.Random) -> Node:
        """
        A stopped node of its own with what this stopped one has stored.

        Args:
            rng: Draws what happens to it by itself.
        """
        shutil.copytree(self._directory, directory)
        twin = Node(directory, configuration=self._configuration)
        twin._command = self._command
        return twin

    def remove(self) -> None:
        """End the process and remove what lies elsewhere than in its directory."""
        self.kill()
