"""A shard in a database on a server, whichever engine it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import random
from typing import Any, ClassVar, Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from timtw.model.stores import IShard, ShardError
from timtw.shards.repeats import NANOSECONDS
from timtw.shards.sealing import Sealer
from timtw.shards.server.cleaning import ServerCleaning
from timtw.shards.server.links import Link, Outage, line_of
from timtw.shards.server.messages import ServerMessages
from timtw.shards.server.pausing import Pauses
from timtw.shards.server.places import POSTGRESQL, Place
from timtw.shards.server.pool import Pool
from timtw.shards.server.statements import MarkStatements
from timtw.shards.tables import founding
from timtw.shards.tables.accounts import Accounts
from timtw.shards.tables.dialects import MYSQL, POSTGRES, Sql
from timtw.shards.tables.founding import Customs, Founding
from timtw.shards.tables.keeping import Keeping
from timtw.shards.tables.migrations import MIGRATIONS, Migration
from timtw.shards.tables.operations import Begin, Operation, first_of
from timtw.shards.tables.readers import Readers
from timtw.shards.tables.readmarks import Reads
from timtw.shards.tables.relations import Relations
from timtw.shards.tables.rooms import Rooms

IDENT_BYTES: Final = 16


@attrs.frozen(eq=False)
class Engine:
    """What is different from engine to engine.

    Args:
        durable: Raises ShardError where a commit may be lost that was answered.
        connect: Makes a link whose mark has this name; fails with Outage.
    """

    sql: Sql
    customs: Customs
    durable: Begin[None]
    connect: Callable[[bytes], Deferred[Link]]


def _postgres_durable() -> Operation[None]:
    """See ``Engine``."""
    for name in ("fsync", "synchronous_commit"):
        row = yield from first_of(f"SHOW {name}", ())
        if row[0] == "off":
            raise ShardError(f"the database is not durable ({name} is off)")


def _mysql_durable() -> Operation[None]:
    """See ``Engine``."""
    name = "innodb_flush_log_at_trx_commit"
    row = yield from first_of(f"SELECT @@{name}", ())
    if row[0] != 1:
        raise ShardError(f"the database is not durable ({name} is {row[0]})")


def postgres(place: Place, reactor: Any, clock: IReactorTime) -> Engine:
    """PostgreSQL."""
    try:
        # Not at the top: the drivers are extras.
        from timtw.shards.server.postgres import PostgresLink
    except ImportError:
        raise ShardError("PostgreSQL needs pip install 'timtw[postgres]'") from None

    async def connect(ident: bytes) -> Link:
        link = PostgresLink(reactor, clock, ident)
        await link.connect(place.for_postgres())
        return link

    def connecting(ident: bytes) -> Deferred[Link]:
        return Deferred.fromCoroutine(connect(ident))

    return Engine(POSTGRES, founding.POSTGRES, _postgres_durable, connecting)


def mysql(place: Place, reactor: Any, clock: IReactorTime) -> Engine:
    """MariaDB or MySQL."""
    try:
        from timtw.shards.server.mariadb import MariaLink
    except ImportError:
        raise ShardError("MariaDB needs pip install 'timtw[mysql]'") from None

    async def connect(ident: bytes) -> Link:
        link = MariaLink(reactor, clock, ident, place.for_mysql())
        await link.connect()
        return link

    def connecting(ident: bytes) -> Deferred[Link]:
        return Deferred.fromCoroutine(connect(ident))

    return Engine(MYSQL, founding.MYSQL, _mysql_durable, connecting)


@implementer(IShard)
class ServerShard:
    """Everything of a node in a database that other nodes may use as well.

    Args:
        keys: The directory of the master key.
        patience: Seconds that the start waits for a database that is not there yet.
        clock: Tells the time of day, by which things expire.
    """

    accounts: Accounts
    messages: ServerMessages
    readers: Readers
    keeping: Keeping
    relations: Relations
    rooms: Rooms
    reads: Reads

    # For tests only; no configuration reaches it.
    _migrations: ClassVar[Sequence[Migration]] = MIGRATIONS
    _log = Logger()

    def __init__(
        self,
        place: Place,
        keys: Path,
        patience: float,
        reactor: Any,
        clock: IReactorTime,
        entropy: Callable[[int], bytes],
    ) -> None:
        make = postgres if place.engine == POSTGRESQL else mysql
        self._place = place
        self._engine = make(place, reactor, clock)
        self._keys = keys
        self._patience = patience
        self._clock: IReactorTime = reactor
        self._calendar = clock
        self._entropy = entropy
        self._pool: Pool | None = None

    @property
    def waiting(self) -> int:
        """See ``IShard``."""
        return 0 if self._pool is None else self._pool.waiting

    def start(self) -> Deferred[None]:
        """See ``IShard``."""
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        """Connect, make the database ready, begin to serve."""
        engine, entropy = self._engine, self._entropy
        link = await self._first_link()
        begin = Founding(
            engine.sql, engine.customs, self._keys, entropy, self._migrations
        ).operation
        try:
            await link.read(engine.durable)
            ring = await link.read(begin)
        except ShardError:
            link.close()
            raise
        except Exception as error:  # of a driver, whichever it is
            link.close()
            text = f"the {self._place.shown} cannot be used: {line_of(error)}"
            raise ShardError(text) from None
        sealer = Sealer(ring, entropy)
        self._pool = pool = Pool(self._connect, self._look, self._clock, random)
        pool.adopt(link)
        sql = engine.sql
        self.accounts = Accounts(pool.write, pool.read, sql, sealer, entropy)
        self.messages = ServerMessages(pool.commit, pool.read, sql, sealer)
        self.readers = Readers(pool.write, sql, sealer)
        self.keeping = Keeping(pool.read, pool.write, sql)
        self.relations = Relations(pool.read, sql)
        self.rooms = Rooms(pool.read, sql, sealer)
        self.reads = Reads(pool.write, pool.read, sql)
        self._cleaning = ServerCleaning(pool.write, sql, self._calendar)
        self._cleaning.start()

    async def _first_link(self) -> Link:
        """The first link, waited for as long as the configuration says."""
        last = self._clock.seconds() + self._patience
        pauses = Pauses(random)
        while True:
            try:
                return await self._connect()
            except Outage as error:
                pause = pauses.next()
                shown = self._place.shown
                if self._clock.seconds() + pause > last:
                    text = f"the {shown} cannot be reached: {error}"
                    raise ShardError(text) from None
                self._log.warn("waiting for the {place}", place=shown)
                await deferLater(self._clock, pause)

    def _connect(self) -> Deferred[Link]:
        """A link with a new name."""
        return self._engine.connect(self._entropy(IDENT_BYTES))

    def _look(self, ident: bytes) -> Begin[int]:
        """The operation that reads the number of a mark."""
        statements = self._engine.sql.made(MarkStatements)

        def operation() -> Operation[int]:
            now = int(self._calendar.seconds() * NANOSECONDS)
            yield statements.look, (ident, 0, now)
            row = yield from first_of(statements.read, (ident,))
            return int(row[0])

        return operation

    def stop(self) -> Deferred[None]:
        """Finish what is under way and close."""
        pool, self._pool = self._pool, None
        if pool is None:
            return succeed(None)
        self._cleaning.stop()
        return pool.stop()
