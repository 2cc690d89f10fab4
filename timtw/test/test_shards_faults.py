"""PostgreSQL and MariaDB when they fail, and when two nodes use them."""

from __future__ import annotations

from collections.abc import Mapping

from timtw.test import (
    contracts_restore,
    contracts_servers,
    contracts_starts,
    contracts_waiting,
    servers,
)


class _Postgres(contracts_servers.ServerCase):
    """On PostgreSQL."""

    def make_server(self) -> servers.Server:
        """See ``ServerCase``."""
        return servers.postgres()


class _MariaDb(contracts_servers.ServerCase):
    """On MariaDB."""

    def make_server(self) -> servers.Server:
        """See ``ServerCase``."""
        return servers.mariadb()


class PostgresDoubtTests(_Postgres, contracts_servers.DoubtContract):
    """COMMIT and PostgreSQL."""


class PostgresFaultTests(_Postgres, contracts_servers.FaultsContract):
    """PostgreSQL fails."""


class PostgresStartTests(_Postgres, contracts_starts.StartsContract):
    """Starting on PostgreSQL."""


class PostgresMarkTests(_Postgres, contracts_waiting.MarkContract):
    """COMMITs that PostgreSQL carries out late."""


class PostgresCrowdTests(_Postgres, contracts_waiting.CrowdContract):
    """Too much is asked of PostgreSQL."""


class PostgresRestoreTests(_Postgres, contracts_restore.RestoreContract):
    """Backups of PostgreSQL."""

    name = "PostgreSQL"
    owner = "ROLE"
    programs = ("pg_dump", "pg_restore", "vacuumdb")

    def environment(self) -> Mapping[str, str]:
        """See ``RestoreContract``."""
        return {"PGHOST": str(self.server.socket.parent)}


class PostgresRaceTests(_Postgres, contracts_servers.RacesContract):
    """Two nodes on PostgreSQL."""


class MariaDbDoubtTests(_MariaDb, contracts_servers.DoubtContract):
    """COMMIT and MariaDB."""


class MariaDbFaultTests(_MariaDb, contracts_servers.FaultsContract):
    """MariaDB fails."""


class MariaDbStartTests(_MariaDb, contracts_starts.StartsContract):
    """Starting on MariaDB."""


class MariaDbMarkTests(_MariaDb, contracts_waiting.MarkContract):
    """COMMITs that MariaDB carries out late."""


class MariaDbCrowdTests(_MariaDb, contracts_waiting.CrowdContract):
    """Too much is asked of MariaDB."""


class MariaDbRestoreTests(_MariaDb, contracts_restore.RestoreContract):
    """Backups of MariaDB."""

    name = "MariaDB"
    owner = "USER"
    programs = ("mariadb-dump", "mariadb")

    def environment(self) -> Mapping[str, str]:
        """See ``RestoreContract``."""
        (self.folder / ".my.cnf").write_text(f"[client]\nsocket={self.server.socket}\n")
        return {"HOME": str(self.folder)}


class MariaDbRaceTests(_MariaDb, contracts_servers.RacesContract):
    """Two nodes on MariaDB."""
