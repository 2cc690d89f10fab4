"""The first thing done in a database on a server: its tables, its version, its keys.

Several nodes may start on an empty database at once, so all of it happens under a lock
of the database. Where tables cannot be made in a transaction, whatever a start that was
interrupted has left is completed by the next one: the version is written last.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
from sqlalchemy.schema import CreateIndex, CreateTable

from timtw.model.stores import ShardError
from timtw.shards import schema
from timtw.shards.dialects import Sql
from timtw.shards.keys import KeyRing, WrappedKeys, load_master_key
from timtw.shards.operations import Operation, first_of
from timtw.shards.statements import InstallationStatements

_LOCK: Final = 1_953_067_895
"""The number of the advisory lock: "timw" in ASCII."""


@attrs.frozen
class Customs:
    """How an engine wants to be talked to where SQL is no help.

    Args:
        lock: Statements after which no other node founds or changes tables.
        unlock: Statements that end that.
        tables: Answers with the number of tables of a name.
        indexes: Answers with the number of indexes of a name.
    """

    lock: tuple[str, ...]
    unlock: tuple[str, ...]
    tables: str
    indexes: str


POSTGRES: Final = Customs(
    lock=("BEGIN", f"SELECT pg_advisory_xact_lock({_LOCK})"),
    unlock=("COMMIT",),
    tables="SELECT count(*) FROM pg_tables "
    "WHERE schemaname = current_schema() AND tablename = %s",
    indexes="SELECT count(*) FROM pg_indexes "
    "WHERE schemaname = current_schema() AND indexname = %s",
)
MYSQL: Final = Customs(
    lock=("SELECT GET_LOCK(CONCAT('timtw ', DATABASE()), 5)",),
    unlock=("SELECT RELEASE_LOCK(CONCAT('timtw ', DATABASE()))",),
    tables="SELECT count(*) FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = %s",
    indexes="SELECT count(*) FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND index_name = %s",
)


class Founding:
    """Makes the operation that makes a database ready.

    Args:
        keys: The directory of the master key.
    """

    def __init__(
        self, sql: Sql, customs: Customs, keys: Path, entropy: Callable[[int], bytes]
    ) -> None:
        self._sql = sql
        self._customs = customs
        self._keys = keys
        self._entropy = entropy
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
        """Make the tables, or see that they are what this program knows."""
        row = None
        if (yield from self._has(self._customs.tables, schema.schema_version.name)):
            row = yield from first_of(self._statements.read_version, ())
        if row is None:
            yield from self._create()
            yield self._statements.insert_version, (schema.VERSION,)
        elif row[0] > schema.VERSION:
            raise ShardError(
                f"the database has schema version {row[0]}, this program knows "
                f"versions up to {schema.VERSION}: use a newer program"
            )
        elif row[0] < schema.VERSION:
            raise ShardError(
                f"the database has schema version {row[0]}, which no release had"
            )

    def _create(self) -> Operation[None]:
        """Make the tables that are missing."""
        wanted = [*schema.metadata.sorted_tables, *schema.servers.sorted_tables]
        for table in wanted:
            if not (yield from self._has(self._customs.tables, table.name)):
                yield self._sql.text(CreateTable(table)), ()
            for index in table.indexes:
                if not (yield from self._has(self._customs.indexes, str(index.name))):
                    yield self._sql.text(CreateIndex(index)), ()

    def _has(self, question: str, name: str) -> Operation[bool]:
        """Whether there is something of that name."""
        row = yield from first_of(question, (name,))
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
