"""A PostgreSQL server that is started, hindered and killed."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg2

from timtw.loss.servers import DATABASE, Server, program


class Postgres(Server):
    """PostgreSQL."""

    user = "postgres"
    # After anything worse its shared memory would stay behind.
    ending = signal.SIGQUIT
    errors = (psycopg2.Error,)

    def make(self) -> None:
        """See ``Server``."""
        self.run(
            *(program("initdb"), "--no-sync", "--auth=trust", "--username=root"),
            *("--encoding=UTF8", "--locale=C", "--pgdata", str(self.data)),
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
        return [program("postgres"), "-D", str(self.data), *options]

    def connected(self, database: str | None) -> Any:
        """See ``Server``."""
        connection = psycopg2.connect(
            host=str(self.directory), user="root", dbname=database or "postgres"
        )
        connection.autocommit = True
        return connection

    def connections(self) -> list[int]:
        """See ``Server``."""
        found = self.ask("SELECT pid, datname FROM pg_stat_activity")
        return [number for number, name in found if name == DATABASE]

    def terminate(self, number: int) -> None:
        """See ``Server``."""
        self.ask(f"SELECT pg_terminate_backend({number})")

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
