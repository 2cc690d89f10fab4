"""Database servers for tests: real ones, on a Unix socket in a temporary directory.

A server is started when the first test asks for it and stopped when the process ends.
Tests that find no programs are left out and named.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from typing import ClassVar, TypeVar

from twisted.trial.unittest import SkipTest

from timtw.loss import mariadb as loss_mariadb
from timtw.loss import postgres as loss_postgres
from timtw.loss import servers
from timtw.loss.servers import NotInstalled, is_there
from timtw.shards.tables import schema

T = TypeVar("T")


class Server(servers.Server):
    """A server that tests ask for what they need."""

    tables: ClassVar[str]
    """The question for the names of all tables of a database."""
    sleep: ClassVar[str]
    """A statement that lasts as many seconds as its parameter says."""
    time_limit: ClassVar[str]
    """The question how long a statement may take."""
    lock_waits: ClassVar[str]
    """The question how many statements wait for a lock."""
    shared = ""
    """The database that tests use one after the other."""

    def __init__(self) -> None:
        self._names = count(1)
        super().__init__()
        atexit.register(self.remove)

    def disconnect(self, database: str) -> None:
        """End all connections to a database; they have ended when this returns."""
        raise NotImplementedError

    @contextmanager
    def careless(self, database: str) -> Iterator[None]:
        """Let the server commit without waiting for the disk."""
        raise NotImplementedError
        yield

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
                    self.answers(connection, f"DELETE FROM {name}")
        return self.shared

    def database(self) -> str:
        """The name of a new, empty database."""
        name = f"t{next(self._names)}"
        self.ask(f"CREATE DATABASE {name}")
        return name


class Postgres(loss_postgres.Postgres, Server):
    """PostgreSQL."""

    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    sleep = "SELECT pg_sleep(%s)"
    time_limit = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"
    lock_waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    def disconnect(self, database: str) -> None:
        """See ``Server``."""
        found = self.ask(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}'"
        )
        for pid, _ended in found:
            while is_there(pid):
                time.sleep(0.001)

    @contextmanager
    def careless(self, database: str) -> Iterator[None]:
        """See ``Server``."""
        self.ask(f"ALTER DATABASE {database} SET synchronous_commit = off")
        try:
            yield
        finally:
            self.ask(f"ALTER DATABASE {database} RESET synchronous_commit")


class MariaDb(loss_mariadb.MariaDb, Server):
    """MariaDB."""

    tables = (
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = DATABASE()"
    )
    sleep = "SELECT SLEEP(%s)"
    time_limit = "SELECT CAST(@@max_statement_time * 1000 AS INTEGER)"
    lock_waits = (
        "SELECT count(*) FROM information_schema.innodb_trx "
        "WHERE trx_state = 'LOCK WAIT'"
    )

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


def _made(make: Callable[[], T]) -> T:
    """A server; SkipTest if its programs are nowhere."""
    try:
        return make()
    except NotInstalled as error:
        raise SkipTest(str(error)) from None


@lru_cache
def postgres() -> Postgres:
    """The PostgreSQL of this process."""
    return _made(Postgres)


@lru_cache
def mariadb() -> MariaDb:
    """The MariaDB of this process."""
    return _made(MariaDb)
