"""The first thing done in a database on a server: its tables, its version, its keys.

Several nodes may start on an empty database at once, so all of it happens under a lock
of the database. PostgreSQL does it in one transaction. Where tables cannot be made in a
transaction, whatever a start that was interrupted has left is completed by the next
one: the number of a version is written after all that belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from timtw.shards.keys import KeyRing, WrappedKeys, load_master_key
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.migrations import Making, Migration, check, making, newest
from timtw.shards.tables.operations import Operation, first_of
from timtw.shards.tables.statements import InstallationStatements

_LOCK: Final = 1_953_067_895
"""The number of the advisory lock: "timw" in ASCII."""


@attrs.frozen
class Customs:
    """How an engine wants to be talked to where SQL is no help.

    Args:
        lock: Statements after which no other node founds or changes tables.
        unlock: Statements that end that.
        there: For each kind of thing, what answers with the number of those that
            have such names.
    """

    lock: tuple[str, ...]
    unlock: tuple[str, ...]
    there: Mapping[str, str]


POSTGRES: Final = Customs(
    lock=("BEGIN", f"SELECT pg_advisory_xact_lock({_LOCK})"),
    unlock=("COMMIT",),
    there={
        "table": "SELECT count(*) FROM pg_tables "
        "WHERE schemaname = current_schema() AND tablename = %s",
        "index": "SELECT count(*) FROM pg_indexes "
        "WHERE schemaname = current_schema() AND indexname = %s",
        "column": "SELECT count(*) FROM information_schema.columns WHERE "
        "table_schema = current_schema() AND table_name = %s AND column_name = %s",
    },
)
MYSQL: Final = Customs(
    lock=("SELECT GET_LOCK(CONCAT('timtw ', DATABASE()), 5)",),
    unlock=("SELECT RELEASE_LOCK(CONCAT('timtw ', DATABASE()))",),
    there={
        "table": "SELECT count(*) FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = %s",
        "index": "SELECT count(*) FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND index_name = %s",
        "column": "SELECT count(*) FROM information_schema.columns WHERE "
        "table_schema = DATABASE() AND table_name = %s AND column_name = %s",
    },
)


class Founding:
    """Makes the operation that makes a database ready.

    Args:
        keys: The directory of the master key.
    """

    def __init__(
        self,
        sql: Sql,
        customs: Customs,
        keys: Path,
        entropy: Callable[[int], bytes],
        migrations: Sequence[Migration],
    ) -> None:
        self._sql = sql
        self._customs = customs
        self._keys = keys
        self._entropy = entropy
        self._migrations = migrations
        self._statements = sql.made(InstallationStatements)

    def operation(self) -> Operation[KeyRing]:
        """
        Bring the tables to the newest version and open the keys.

        Raises ShardError.
        """
        for text in self._customs.lock:
            yield text, ()
        yield from self._bring_forward()
        ring = yield from self._unlock()
        for text in self._customs.unlock:
            yield text, ()
        return ring

    def _bring_forward(self) -> Operation[None]:
        """Make the tables, or bring them to the version that this program knows."""
        row = None
        versions = Making("", "table", (schema.schema_version.name,))
        if (yield from self._is_there(versions)):
            row = yield from first_of(self._statements.read_version, ())
        if row is None:
            for tables in (schema.metadata, schema.servers):
                for table in tables.sorted_tables:
                    yield from self._make(making(table, self._sql))
            version = schema.VERSION
            yield self._statements.insert_version, (version,)
        else:
            version = row[0]
            check(version, newest(self._migrations))
        for step in self._migrations:
            if step.version > version:
                yield from self._make(step.making(self._sql))
                yield self._statements.write_version, (step.version,)

    def _make(self, wanted: Iterable[Making]) -> Operation[None]:
        """Make what is missing of these."""
        for one in wanted:
            if not (yield from self._is_there(one)):
                yield one.text, ()

    def _is_there(self, one: Making) -> Operation[bool]:
        """Whether something is there already."""
        if not one.kind:
            return False
        row = yield from first_of(self._customs.there[one.kind], one.names)
        return bool(row[0])

    def _unlock(self) -> Operation[KeyRing]:
        """Open the keys of the installation; the first start makes them."""
        statements = self._statements
        place = yield from first_of(statements.read_installation, ())
        master = load_master_key(self._keys, place is None, self._entropy)
        if place is None:
            wrapped = master.found()
            row = (wrapped.installation, wrapped.check, wrapped.digest_key)
            yield statements.insert_installation, row
            for key in wrapped.data_keys.items():
                yield statements.insert_data_key, key
        else:
            ident, check, digest_key = place
            found = yield statements.read_data_keys, ()
            wrapped = WrappedKeys(ident, check, digest_key, dict(found))
        return master.open(wrapped)
