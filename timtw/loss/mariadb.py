"""A MariaDB server that is started, hindered and killed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql

from timtw.loss.servers import DATABASE, Server, program


class MariaDb(Server):
    """MariaDB."""

    user = "mysql"
    errors = (pymysql.Error,)

    def make(self) -> None:
        """See ``Server``."""
        self.run(
            *(program("mariadb-install-db"), "--no-defaults", "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
            *(f"--datadir={self.data}", "--innodb-log-file-size=64M"),
            f"--tmpdir={self.directory}",
        )

    def command(self) -> Sequence[str]:
        """See ``Server``."""
        settings = {
            "datadir": self.data,
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

    def connected(self, database: str | None) -> Any:
        """See ``Server``."""
        return pymysql.connect(
            unix_socket=str(self.directory / "socket"),
            user="root",
            database=database,
            autocommit=True,
            ssl_disabled=True,
        )

    def connections(self) -> list[int]:
        """See ``Server``."""
        found = self.ask("SELECT id, db FROM information_schema.processlist")
        return [number for number, name in found if name == DATABASE]

    def terminate(self, number: int) -> None:
        """See ``Server``."""
        with suppress(pymysql.Error):
            self.ask(f"KILL CONNECTION {number}")

    def url(self, database: str, socket: Path | None = None, port: int = 0) -> str:
        """See ``Server``."""
        where = f":{port}" if port else ""
        return f"mysql://root@{where}/{database}?host={socket or self.socket}"

    @property
    def socket(self) -> Path:
        """See ``Server``."""
        return self.directory / "socket"
