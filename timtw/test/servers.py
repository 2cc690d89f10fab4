"""Database servers for tests: real ones, on a Unix socket in a temporary directory.

A server is started when the first test asks for it and stopped when the process ends.
It accepts nobody from outside: it has no network, and its directory is closed to
others. Tests that find no programs are left out and named.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import psycopg2
import pymysql
from twisted.trial.unittest import SkipTest

from timtw.shards import schema

PATIENCE = 60.0
"""Seconds that a server may take to start on a busy machine."""
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


def program(name: str) -> str:
    """Where a program of a database is; SkipTest if it is nowhere."""
    places = [*os.environ.get("PATH", "").split(":"), *_PLACES]
    debian = Path("/usr/lib/postgresql")
    if debian.is_dir():
        versions = sorted(debian.iterdir(), key=lambda path: -float(path.name))
        places = [str(path / "bin") for path in versions] + places
    found = shutil.which(name, path=":".join(places))
    if found is None:
        raise SkipTest(f"{name} is not installed")
    return found


def _is_there(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _bound() -> Sequence[str]:
    """What lets a server end with this process, however that ends."""
    found = shutil.which("setpriv")
    return () if found is None else (found, "--pdeathsig", "QUIT", "--")


class Server:
    """A process that can be killed and started again on the same files."""

    user: ClassVar[str]
    ending: ClassVar[int] = signal.SIGKILL
    """The signal that ends the server quickly, when its files are of no more use."""
    tables: ClassVar[str]
    """The question for the names of all tables of a database."""
    shared = ""
    """The database that tests use one after the other."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="timtw-"))
        self.process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self._own()
        self.make()
        self.start()
        atexit.register(self.remove)

    def _own(self) -> None:
        """A server refuses to run as root: then it gets a user of its own."""
        self.identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam(self.user if self.user in names else "nobody")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self.identity = {"user": user.pw_uid, "group": user.pw_gid}
            self.identity["extra_groups"] = []

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
            raise RuntimeError(done.stdout.decode(errors="replace"))

    def make(self) -> None:
        """Make the files of an empty server."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """What runs the server in the foreground."""
        raise NotImplementedError

    sleep: ClassVar[str]
    """A statement that lasts as many seconds as its parameter says."""
    time_limit: ClassVar[str]
    """The question how long a statement may take."""

    def connected(self, database: str | None) -> Any:
        """A connection whose statements stand for themselves."""
        raise NotImplementedError

    def ask(self, text: str, database: str | None = None) -> list[Any]:
        """What a statement answers, carried out by itself."""
        with closing(self.connected(database)) as connection:
            return self._answers(connection, text)

    @contextmanager
    def locked(self, text: str, database: str) -> Iterator[None]:
        """Hold what a statement locks."""
        with closing(self.connected(database)) as connection:
            self._answers(connection, "BEGIN")
            self._answers(connection, text)
            yield
            self._answers(connection, "ROLLBACK")

    def _answers(self, connection: Any, text: str) -> list[Any]:
        """What a statement answers."""
        with connection.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall()) if cursor.description else []

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

    def disconnect(self, database: str) -> None:
        """End all connections to a database; they have ended when this returns."""
        raise NotImplementedError

    @contextmanager
    def careless(self, database: str) -> Iterator[None]:
        """Let the server commit without waiting for the disk."""
        raise NotImplementedError
        yield

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
            except (psycopg2.Error, pymysql.Error):
                if self.process.poll() is None and time.monotonic() < last:
                    time.sleep(0.02)
                    continue
                output_text = (self.directory / "output").read_text(errors="replace")
                raise RuntimeError(output_text[-2000:]) from None
            return

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the server, and wait for it; by default as a power cut would."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            process.wait()

    def remove(self) -> None:
        """End the server and remove its files."""
        self.kill(self.ending)
        shutil.rmtree(self.directory, ignore_errors=True)

    def emptied(self) -> str:
        """The name of the database that tests share, without any row."""
        if not self.shared:
            self.shared = self.database()
        names = [*schema.metadata.tables, *schema.servers.tables]
        names.remove("schema_version")
        there = {row[0] for row in self.ask(self.tables, self.shared)}
        with closing(self.connected(self.shared)) as connection:
            for name in names:
                if name in there:
                    self._answers(connection, f"DELETE FROM {name}")
        return self.shared

    def database(self) -> str:
        """The name of a new, empty database."""
        name = f"t{next(self._names)}"
        self.ask(f"CREATE DATABASE {name}")
        return name


class Postgres(Server):
    """PostgreSQL."""

    user = "postgres"
    # After anything worse its shared memory would stay behind.
    ending = signal.SIGQUIT

    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

    def make(self) -> None:
        """See ``Server``."""
        self.run(
            *(program("initdb"), "--no-sync", "--auth=trust", "--username=root"),
            *(
                "--encoding=UTF8",
                "--locale=C",
                "--pgdata",
                str(self.directory / "data"),
            ),
        )

    def command(self) -> Sequence[str]:
        """See ``Server``."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "shared_buffers": "64MB",
            "max_connections": "50",
            "log_min_messages": "fatal",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [program("postgres"), "-D", str(self.directory / "data"), *options]

    sleep = "SELECT pg_sleep(%s)"
    time_limit = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"

    def connected(self, database: str | None) -> Any:
        """See ``Server``."""
        connection = psycopg2.connect(
            host=str(self.directory), user="root", dbname=database or "postgres"
        )
        connection.autocommit = True
        return connection

    def url(self, database: str, socket: Path | None = None, port: int = 0) -> str:
        """See ``Server``."""
        place = self.directory if socket is None else socket
        if place.name.startswith(".s.PGSQL"):
            place = place.parent
        where = f":{port}" if port else ""
        return f"postgresql://root:secret@{where}/{database}?host={place}"

    @property
    def socket(self) -> Path:
        """See ``Server``."""
        return self.directory / ".s.PGSQL.5432"

    def disconnect(self, database: str) -> None:
        """See ``Server``."""
        found = self.ask(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}'"
        )
        for pid, _ended in found:
            while _is_there(pid):
                time.sleep(0.001)

    @contextmanager
    def careless(self, database: str) -> Iterator[None]:
        """See ``Server``."""
        self.ask(f"ALTER DATABASE {database} SET synchronous_commit = off")
        try:
            yield
        finally:
            self.ask(f"ALTER DATABASE {database} RESET synchronous_commit")


class MariaDb(Server):
    """MariaDB."""

    user = "mysql"
    tables = (
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = DATABASE()"
    )

    def make(self) -> None:
        """See ``Server``."""
        self.run(
            *(program("mariadb-install-db"), "--no-defaults", "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
            *(f"--datadir={self.directory / 'data'}", "--innodb-log-file-size=64M"),
            f"--tmpdir={self.directory}",
        )

    def command(self) -> Sequence[str]:
        """See ``Server``."""
        settings = {
            "datadir": self.directory / "data",
            # Servers that share a directory for this remove each other's files.
            "tmpdir": self.directory,
            "socket": self.directory / "socket",
            "pid-file": self.directory / "pid",
            "innodb-log-file-size": "64M",
            "innodb-buffer-pool-size": "64M",
            "max-connections": 50,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [program("mariadbd"), "--no-defaults", "--skip-networking", *options]

    sleep = "SELECT SLEEP(%s)"
    time_limit = "SELECT CAST(@@max_statement_time * 1000 AS INTEGER)"

    def connected(self, database: str | None) -> Any:
        """See ``Server``."""
        return pymysql.connect(
            unix_socket=str(self.directory / "socket"),
            user="root",
            database=database,
            autocommit=True,
            ssl_disabled=True,
        )

    def url(self, database: str, socket: Path | None = None, port: int = 0) -> str:
        """See ``Server``."""
        where = f":{port}" if port else ""
        return f"mysql://root@{where}/{database}?host={socket or self.socket}"

    @property
    def socket(self) -> Path:
        """See ``Server``."""
        return self.directory / "socket"

    def disconnect(self, database: str) -> None:
        """See ``Server``."""
        found = self.ask(
            "SELECT id FROM information_schema.processlist "
            f"WHERE db = '{database}' AND id != CONNECTION_ID()"
        )
        for (number,) in found:
            self.ask(f"KILL {number}")

    @contextmanager
    def careless(self, database: str) -> Iterator[None]:
        """See ``Server``."""
        self.ask("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            yield
        finally:
            self.ask("SET GLOBAL innodb_flush_log_at_trx_commit = 1")


@lru_cache
def postgres() -> Postgres:
    """The PostgreSQL of this process."""
    return Postgres()


@lru_cache
def mariadb() -> MariaDb:
    """The MariaDB of this process."""
    return MariaDb()
