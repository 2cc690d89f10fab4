"""PostgreSQL and MariaDB when they fail, and when two nodes use them."""

from __future__ import annotations

from timtw.test import contracts_servers, contracts_starts, servers


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


class PostgresRaceTests(_Postgres, contracts_servers.RacesContract):
    """Two nodes on PostgreSQL."""


class MariaDbDoubtTests(_MariaDb, contracts_servers.DoubtContract):
    """COMMIT and MariaDB."""


class MariaDbFaultTests(_MariaDb, contracts_servers.FaultsContract):
    """MariaDB fails."""


class MariaDbStartTests(_MariaDb, contracts_starts.StartsContract):
    """Starting on MariaDB."""


class MariaDbRaceTests(_MariaDb, contracts_servers.RacesContract):
    """Two nodes on MariaDB."""
