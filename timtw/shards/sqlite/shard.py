"""The embedded engine: one SQLite file, one thread that writes, others that read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from zope.interface import implementer

from timtw.model.stores import IShard, ShardError
from timtw.shards.keys import KeyRing, WrappedKeys, load_master_key
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.cleaning import Cleaning
from timtw.shards.sqlite.file import DatabaseFile
from timtw.shards.sqlite.keeping import SqliteKeeping
from timtw.shards.sqlite.messages import SqliteMessages
from timtw.shards.sqlite.posting import Posting
from timtw.shards.sqlite.reader import ReadPool
from timtw.shards.sqlite.readers import SqliteReaders
from timtw.shards.sqlite.readonly import ReadOnlyReaders
from timtw.shards.sqlite.tail import Tail
from timtw.shards.sqlite.writer import Writer
from timtw.shards.tables.accounts import Accounts
from timtw.shards.tables.dialects import SQLITE
from timtw.shards.tables.migrations import MIGRATIONS, Migration, migrate
from timtw.shards.tables.readmarks import Reads
from timtw.shards.tables.relations import Relations
from timtw.shards.tables.rooms import Rooms
from timtw.shards.tables.statements import InstallationStatements, made


class MakeSealer(Protocol):
    """Makes a sealer of opened keys."""

    def __call__(self, ring: KeyRing, entropy: Callable[[int], bytes]) -> Sealer:
        """The sealer."""


@implementer(IShard)
class SqliteShard:
    """Everything of a node, or of a range of slots, in one file.

    Args:
        path: The database; it and its directory are made if they are missing.
        keys: The directory of the master key.
        reactor: Where results are brought from the threads.
        clock: Drives the deleting of what has expired.
        entropy: Gives as many random bytes as asked for.
    """

    accounts: Accounts
    messages: SqliteMessages
    readers: SqliteReaders
    keeping: SqliteKeeping
    relations: Relations
    rooms: Rooms
    reads: Reads

    # For test builds only; no configuration reaches these.
    _synchronous: ClassVar[str] = "FULL"
    _least_synchronous: ClassVar[int] = 2
    _make_sealer: ClassVar[MakeSealer] = Sealer
    _migrations: ClassVar[Sequence[Migration]] = MIGRATIONS

    def __init__(
        self,
        path: Path,
        keys: Path,
        reactor: IReactorFromThreads,
        clock: IReactorTime,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._file = DatabaseFile(path, self._synchronous, self._least_synchronous)
        self._keys = keys
        self._reactor = reactor
        self._clock = clock
        self._entropy = entropy

    @property
    def waiting(self) -> int:
        """See ``IShard``."""
        return max(self._reader.waiting, self._writer.waiting)

    def start(self) -> Deferred[None]:
        """
        Open the file; done when this returns, since nothing else can go on before.

        Fails with ShardError.
        """
        try:
            self._file.take()
            self._open()
        except ShardError:
            self._file.release()
            return fail()
        except sqlite3.Error as error:
            self._file.release()
            text = f"the database {self._file.path} cannot be opened: {error}"
            return fail(ShardError(text))
        return succeed(None)

    def _open(self) -> None:
        """Open the file, which is held, and start the threads."""
        connection = self._file.open_writer()
        try:
            ring = self._unlock(connection)
        except BaseException:
            connection.close()
            raise
        sealer = type(self)._make_sealer(ring, self._entropy)
        tail = Tail()
        posting = Posting(sealer, tail)
        posting.begin(connection)
        writer = Writer(self._reactor, self._file.open_writer, posting)
        reader = ReadPool(self._reactor, self._file.open_reader)
        self.accounts = Accounts(writer.run, reader.run, SQLITE, sealer, self._entropy)
        self.messages = SqliteMessages(writer, reader, sealer, posting, tail)
        unwritable = ReadOnlyReaders(reader, sealer, tail)
        self.readers = SqliteReaders(writer, sealer, posting, unwritable)
        self.keeping = SqliteKeeping(writer, reader, posting)
        self.relations = Relations(reader.run, SQLITE)
        self.rooms = Rooms(reader.run, SQLITE, sealer)
        self.reads = Reads(writer.run, reader.run, SQLITE, tail.last)
        self._writer, self._reader = writer, reader
        self._cleaning = Cleaning(writer, self._clock)
        writer.start(connection)
        reader.start()
        self._cleaning.start()

    def _unlock(self, connection: sqlite3.Connection) -> KeyRing:
        """Bring the tables to the newest version and open the keys."""
        statements = made(InstallationStatements)
        migrate(connection, statements, self._migrations)
        place = connection.execute(statements.read_installation).fetchone()
        master = load_master_key(self._keys, place is None, self._entropy)
        if place is None:
            wrapped = master.found()
            self._found(connection, statements, wrapped)
        else:
            data_keys = dict(connection.execute(statements.read_data_keys).fetchall())
            ident, check, digest_key = place
            wrapped = WrappedKeys(ident, check, digest_key, data_keys)
        return master.open(wrapped)

    def _found(
        self,
        connection: sqlite3.Connection,
        statements: InstallationStatements,
        wrapped: WrappedKeys,
    ) -> None:
        """Write the keys of a new installation."""
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            statements.insert_installation,
            (wrapped.installation, wrapped.check, wrapped.digest_key),
        )
        for key in wrapped.data_keys.items():
            connection.execute(statements.insert_data_key, key)
        connection.execute("COMMIT")

    def stop(self) -> Deferred[None]:
        """Finish what is under way, close and let go of the file."""
        self._cleaning.stop()
        self._reader.stop()
        return self._writer.stop().addCallback(lambda _none: self._file.release())
