"""Database servers that are started, hindered and killed: of tests and of histories.

Each has a directory and a Unix socket of its own and accepts nobody from outside: it
has no network, and its directory is closed to others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from timtw.loss.nodes import NodeFailed

PATIENCE: Final = 60.0
"""Seconds that a server may take to start on a busy machine."""
END_SECONDS: Final = 5.0
"""How long the processes of a server that was killed may take to be gone."""
DATABASE: Final = "timtw"
"""The database of a history."""
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


class NotInstalled(NodeFailed):
    """A program or a driver of a database is nowhere; the text names it."""


def program(name: str) -> str:
    """Where a program of a database is; NotInstalled if it is nowhere."""
    places = [*os.environ.get("PATH", "").split(":"), *_PLACES]
    debian = Path("/usr/lib/postgresql")
    if debian.is_dir():
        versions = sorted(debian.iterdir(), key=lambda path: -float(path.name))
        places = [str(path / "bin") for path in versions] + places
    found = shutil.which(name, path=":".join(places))
    if found is None:
        raise NotInstalled(f"{name} is not installed")
    return found


def _bound() -> Sequence[str]:
    """What lets a server end with this process, however that ends."""
    found = shutil.which("setpriv")
    return () if found is None else (found, "--pdeathsig", "QUIT", "--")


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    words = ["ps", "-A", "-o", "pid=,ppid="]
    listed = subprocess.run(words, capture_output=True, check=True).stdout.split()
    numbers = [int(word) for word in listed]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return [child for child, parent in pairs if parent == pid]


def is_there(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _send(number: int, processes: Sequence[int]) -> None:
    """Send a signal to processes, some of which may have ended."""
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, number)


class Server:
    """A process that can be killed and started again on the same files."""

    user: ClassVar[str]
    """Whom it runs as where this process is root: it refuses to be root."""
    ending: ClassVar[int] = signal.SIGKILL
    """The signal that ends the server quickly, when its files are of no more use."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """What its driver raises."""

    def __init__(self, source: Self | None = None) -> None:
        """
        Start a server on nothing.

        Args:
            source: A stopped server whose files this one starts on a copy of.
        """
        self.directory = Path(tempfile.mkdtemp(prefix="timtw-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: dict[str, Any] = {}
        try:
            if source is not None:
                shutil.copytree(source.data, self.data)
            self._own()
            if source is None:
                self.make()
            self.start()
        except BaseException:
            self.remove()
            raise

    def _own(self) -> None:
        """Where this process is root the server gets a user of its own."""
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam(self.user if self.user in names else "nobody")
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
            self.identity = {"user": user.pw_uid, "group": user.pw_gid}
            self.identity["extra_groups"] = []

    @property
    def data(self) -> Path:
        """The files of the server."""
        return self.directory / "data"

    def run(self, *command: str) -> None:
        """Run a command to its end."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **self.identity,
        )
        if done.returncode:
            raise NodeFailed(done.stdout.decode(errors="replace"))

    def make(self) -> None:
        """Make the files of an empty server."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """What runs the server in the foreground."""
        raise NotImplementedError

    def connected(self, database: str | None) -> Any:
        """A connection whose statements stand for themselves."""
        raise NotImplementedError

    def connections(self) -> list[int]:
        """The numbers of all connections to the database of a history."""
        raise NotImplementedError

    def terminate(self, number: int) -> None:
        """End a connection, as an administrator does; it may have ended already."""
        raise NotImplementedError

    def url(self, database: str, socket: Path | None = None, port: int = 0) -> str:
        """
        The url of a database, as a configuration says it.

        Args:
            socket: Another socket than the server's, or a host.
        """
        raise NotImplementedError

    @property
    def socket(self) -> Path:
        """The server's socket."""
        raise NotImplementedError

    def ask(self, text: str, database: str | None = None) -> list[Any]:
        """What a statement answers, carried out by itself."""
        with closing(self.connected(database)) as connection:
            return self.answers(connection, text)

    @contextmanager
    def locked(self, text: str, database: str) -> Iterator[Any]:
        """Hold what a statement locks; yields the connection that holds it."""
        with closing(self.connected(database)) as connection:
            self.answers(connection, "BEGIN")
            self.answers(connection, text)
            yield connection
            self.answers(connection, "ROLLBACK")

    def answers(self, connection: Any, text: str) -> list[Any]:
        """What a statement answers."""
        with connection.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall()) if cursor.description else []

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.directory / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*_bound(), *self.command()],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self.identity,
            )
        last = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("SELECT 1")
            except self.errors:
                if self.process.poll() is None and time.monotonic() < last:
                    time.sleep(0.02)
                    continue
                words = (self.directory / "output").read_text(errors="replace")
                raise NodeFailed(f"the database fails:\n{words[-2000:]}") from None
            return

    def pause(self) -> list[int]:
        """Let the server do nothing until ``resume``; the processes it has started."""
        return self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> list[int]:
        """Send a signal to the server and to all that it has started; these."""
        if self.process is None:
            return []
        self.process.send_signal(number)
        started = children(self.process.pid)
        _send(number, started)
        return started

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the server, and wait for it; by default as a power cut would."""
        # What is stopped starts nothing any more that would be forgotten.
        started = self.pause() if number == signal.SIGKILL else []
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            _send(number, started)
            process.wait()
        last = time.monotonic() + END_SECONDS
        while any(map(is_there, started)) and time.monotonic() < last:
            time.sleep(0.001)

    def remove(self) -> None:
        """End the server and remove its files."""
        self.kill(self.ending)
        shutil.rmtree(self.directory, ignore_errors=True)
