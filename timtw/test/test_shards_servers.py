"""PostgreSQL and MariaDB pass the contract of all engines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor

from timtw.model.stores import IShard
from timtw.shards.server.places import place_of
from timtw.shards.server.shard import ServerShard
from timtw.test import (
    contracts,
    contracts_keeping,
    contracts_kinds,
    contracts_reads,
    contracts_relations,
    contracts_rooms,
    contracts_roomstates,
    contracts_standing,
    servers,
)

REACTOR: Any = reactor


class _Server(contracts.ShardContract):
    """Shards in a database on a server."""

    def make_server(self) -> servers.Server:
        """The server of this process."""
        raise NotImplementedError

    def make_shard(self) -> IShard:
        """A shard in an empty database."""
        server = self.make_server()
        self.place = server.url(server.emptied()), Path(self.mktemp())
        return shard_at(*self.place)

    async def other_node(self) -> IShard:
        """See ``ShardContract``."""
        other = shard_at(*self.place)
        await other.start()
        self.addCleanup(other.stop)
        return other


class _Postgres(_Server):
    """Shards in PostgreSQL."""

    def make_server(self) -> servers.Server:
        """See ``_Server``."""
        return servers.postgres()


class _MariaDb(_Server):
    """Shards in MariaDB."""

    def make_server(self) -> servers.Server:
        """See ``_Server``."""
        return servers.mariadb()


def shard_at(url: str, keys: Path) -> ServerShard:
    """A shard in the database of that url."""
    return ServerShard(place_of(url), keys, 0, REACTOR, REACTOR, os.urandom)


class PostgresAccountTests(_Postgres, contracts.AccountContract):
    """Accounts in PostgreSQL."""


class PostgresStandingTests(_Postgres, contracts_standing.StandingContract):
    """Verifiers and blocks in PostgreSQL."""


class PostgresMessageTests(_Postgres, contracts.MessageContract):
    """Messages in PostgreSQL."""


class PostgresRemovalTests(_Postgres, contracts_kinds.RemovalContract):
    """Revoked and burnt texts in PostgreSQL."""


class PostgresReadTests(_Postgres, contracts_reads.ReadContract):
    """Read marks in PostgreSQL."""


class PostgresRelationTests(_Postgres, contracts_relations.RelationContract):
    """Friends and blocks in this engine."""


class PostgresRoomTests(_Postgres, contracts_rooms.RoomContract):
    """Rooms and their members in this engine."""


class PostgresRoomStateTests(_Postgres, contracts_roomstates.RoomStateContract):
    """What becomes of rooms in this engine."""


class PostgresCustomTests(_Postgres, contracts_kinds.CustomContract):
    """Kinds of applications in PostgreSQL."""


class PostgresReaderTests(_Postgres, contracts.ReaderContract):
    """Readers in PostgreSQL."""


class PostgresKeepingTests(_Postgres, contracts_keeping.KeepingContract):
    """Old messages in PostgreSQL."""


class PostgresForgettingTests(_Postgres, contracts_keeping.ForgettingContract):
    """Old devices in PostgreSQL."""


class PostgresDeskTests(_Postgres, contracts.DeskContract):
    """The posting desk over PostgreSQL."""


class MariaDbAccountTests(_MariaDb, contracts.AccountContract):
    """Accounts in MariaDB."""


class MariaDbStandingTests(_MariaDb, contracts_standing.StandingContract):
    """Verifiers and blocks in MariaDB."""


class MariaDbMessageTests(_MariaDb, contracts.MessageContract):
    """Messages in MariaDB."""


class MariaDbRemovalTests(_MariaDb, contracts_kinds.RemovalContract):
    """Revoked and burnt texts in MariaDB."""


class MariaDbReadTests(_MariaDb, contracts_reads.ReadContract):
    """Read marks in MariaDB."""


class MariaDbRelationTests(_MariaDb, contracts_relations.RelationContract):
    """Friends and blocks in this engine."""


class MariaDbRoomTests(_MariaDb, contracts_rooms.RoomContract):
    """Rooms and their members in this engine."""


class MariaDbRoomStateTests(_MariaDb, contracts_roomstates.RoomStateContract):
    """What becomes of rooms in this engine."""


class MariaDbCustomTests(_MariaDb, contracts_kinds.CustomContract):
    """Kinds of applications in MariaDB."""


class MariaDbReaderTests(_MariaDb, contracts.ReaderContract):
    """Readers in MariaDB."""


class MariaDbKeepingTests(_MariaDb, contracts_keeping.KeepingContract):
    """Old messages in MariaDB."""


class MariaDbForgettingTests(_MariaDb, contracts_keeping.ForgettingContract):
    """Old devices in MariaDB."""


class MariaDbDeskTests(_MariaDb, contracts.DeskContract):
    """The posting desk over MariaDB."""
