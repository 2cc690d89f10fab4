"""Every engine passes the contract of messages in rooms."""

from __future__ import annotations

from typing import Any

from timtw.shards.sqlite import known
from timtw.test import contracts_roomlogs
from timtw.test.test_shards_memory import _Memory
from timtw.test.test_shards_servers import _MariaDb, _Postgres
from timtw.test.test_shards_sqlite import Moving, Sqlite


class MemoryRoomLogTests(_Memory, contracts_roomlogs.RoomLogContract):
    """Without a database."""


class MemoryRoomReaderTests(_Memory, contracts_roomlogs.RoomReaderContract):
    """Without a database."""


class SqliteRoomLogTests(Sqlite, contracts_roomlogs.RoomLogContract):
    """In SQLite."""


class SqliteRoomReaderTests(Sqlite, contracts_roomlogs.RoomReaderContract):
    """In SQLite."""


class Forgetting(Sqlite):
    """Shards that know next to nothing by heart."""

    def setUp(self) -> Any:
        """What one commit needs is too much to be remembered already."""
        self.patch(known, "COUNTERS_CACHED", 1)
        return super().setUp()


class ForgettingRoomLogTests(Forgetting, contracts_roomlogs.RoomLogContract):
    """In SQLite, with more conversations than can be remembered."""


class ForgettingRoomReaderTests(Forgetting, contracts_roomlogs.RoomReaderContract):
    """In SQLite, with more devices than can be remembered."""


class MovingRoomLogTests(Moving, contracts_roomlogs.RoomLogContract):
    """Partly in the journal and partly in the tables."""


class MovingRoomReaderTests(Moving, contracts_roomlogs.RoomReaderContract):
    """Partly in the journal and partly in the tables."""


class PostgresRoomLogTests(_Postgres, contracts_roomlogs.RoomLogContract):
    """In PostgreSQL."""


class PostgresRoomReaderTests(_Postgres, contracts_roomlogs.RoomReaderContract):
    """In PostgreSQL."""


class MariaDbRoomLogTests(_MariaDb, contracts_roomlogs.RoomLogContract):
    """In MariaDB."""


class MariaDbRoomReaderTests(_MariaDb, contracts_roomlogs.RoomReaderContract):
    """In MariaDB."""
