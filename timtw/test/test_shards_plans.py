"""Every statement on a busy path finds its rows by an index, on every engine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, Text
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from timtw.model.errors import StorageUnavailable
from timtw.model.limits import BATCH_DRAFTS
from timtw.model.posting import Batch
from timtw.model.profiles import About
from timtw.model.progress import Confirmed, CursorMove, Read
from timtw.model.roominfo import RoomInfo
from timtw.model.roomsteps import RoomStep
from timtw.model.values import FIRST_ACCOUNT, Device, TokenGrant
from timtw.shards.server.places import place_of
from timtw.shards.server.shard import ServerShard
from timtw.shards.sqlite.statements import JournalStatements, MovingStatements, Slices
from timtw.shards.tables import schema
from timtw.shards.tables.account_statements import AccountStatements
from timtw.shards.tables.compiling import ROWS as KEYS
from timtw.shards.tables.compiling import FixedRows
from timtw.shards.tables.dialects import SQLITE
from timtw.shards.tables.migrations import migrate
from timtw.shards.tables.operations import Begin, Operation, Run, Statement
from timtw.shards.tables.relations import RelationStatements
from timtw.shards.tables.room_statements import RoomStatements
from timtw.shards.tables.statements import (
    ONCE,
    CleaningStatements,
    InstallationStatements,
    PostingStatements,
    ReaderStatements,
    ReadingStatements,
)
from timtw.test import servers
from timtw.test.contracts import ADA, BOB, CYD, NOW, PAIR, PHONE, draft
from timtw.test.contracts_kinds import removal
from timtw.test.contracts_rooms import about, change, create

REACTOR: Any = reactor
ROWS: Final = 4000
"""Rows of each table, so many that no planner reads them all in order to find a few."""
FOUNDED: Final = frozenset(("schema_version", "installation", "data_key"))


def rows_of(table: Table, chance: Random) -> str:
    """A statement that fills a table with rows of chance."""

    def value(column: Column[Any]) -> str:
        if isinstance(column.type, LargeBinary):
            return f"'{chance.randbytes(8).hex()}'"
        if isinstance(column.type, Text):
            return "'x'"
        return str(chance.getrandbits(20 if column.name == "slot" else 30))

    rows = [f"({', '.join(value(column) for column in table.c)})" for _ in range(ROWS)]
    return f"INSERT INTO {table} VALUES {', '.join(rows)}"


class _Plans(TestCase):
    """What a server does in order to carry out the statements of a node."""

    def make_server(self) -> servers.Server:
        """The server of this process."""
        raise NotImplementedError

    def searched(self, text: str, values: Sequence[Any]) -> Iterator[str]:
        """What is wrong with the way in which a statement finds its rows."""
        raise NotImplementedError

    async def start(self) -> ServerShard:
        """A node on a database full of rows of chance."""
        self.server = self.make_server()
        self.database = self.server.database()
        url = self.server.url(self.database)
        place, keys = place_of(url), Path(self.mktemp())
        shard = ServerShard(place, keys, 0, REACTOR, REACTOR, os.urandom)
        await shard.start()
        self.addCleanup(shard.stop)
        self.fill()
        return shard

    async def check(self) -> None:
        """Explain every statement of a busy node."""
        shard = await self.start()
        statements = await self.traffic(shard)
        self.assertGreater(len(statements), 25)
        self.explain(statements)

    async def check_many(self) -> None:
        """Explain what is asked for as many sends as one commit holds."""
        shard = await self.start()
        seen: dict[str, Sequence[Any]] = {}
        shard.messages._commit = noting(shard.messages._commit, seen)
        for count in (2, 64, BATCH_DRAFTS):
            drafts = [draft(f"{n}", ident=count * 1000 + n) for n in range(count)]
            await shard.messages.post(Batch(tuple(drafts)))
        asked = {k: v for k, v in seen.items() if k.startswith("SELECT")}
        self.assertIn(KEYS * len(ONCE), [len(keys) for keys in asked.values()])
        self.explain(asked)

    def explain(self, statements: Mapping[str, Sequence[Any]]) -> None:
        """Explain these."""
        with closing(self.server.connected(self.database)) as connection:
            self.cursor = connection.cursor()
            wrong = [
                f"{found}: {text}"
                for text, values in statements.items()
                for found in self.searched(text, values)
            ]
        self.assertEqual([], wrong)

    def fill(self) -> None:
        """Put rows into all tables, and let the server see how many there are."""
        chance = Random(1)
        for table in (*schema.metadata.sorted_tables, *schema.servers.sorted_tables):
            if table.name not in FOUNDED:
                self.server.ask(rows_of(table, chance), self.database)
                self.server.ask(self.analyse.format(table), self.database)

    analyse = "ANALYZE {}"

    async def traffic(self, shard: ServerShard) -> dict[str, Sequence[Any]]:
        """Let a node do everything that it does often; its statements."""
        seen: dict[str, Sequence[Any]] = {}
        messages, readers, accounts = shard.messages, shard.readers, shard.accounts
        messages._commit = noting(messages._commit, seen)
        messages._read = noting(messages._read, seen)
        readers._write = noting(readers._write, seen)
        accounts._read = noting(accounts._read, seen)
        accounts._write = noting(accounts._write, seen)
        reads = shard.reads
        reads._read = noting(reads._read, seen)
        reads._write = noting(reads._write, seen)
        await reads.raised([Read(BOB.number, PAIR, 1)])
        await reads.of(PAIR)
        await reads.listed(BOB.number, None, 9)
        relations = shard.relations
        relations._read = noting(relations._read, seen)
        await relations.bonds([PAIR])
        await relations.rosters([ADA.number, BOB.number])
        ada = await accounts.register("ada", "here", "hash", NOW)
        await accounts.find("ada", "here")
        number = ada.address.number
        await accounts.accounts([number])
        await accounts.change_profile(number, About(name="Ada"))
        await accounts.put_token("t", TokenGrant(ada, "ada", None), NOW + 10)
        await accounts.take_token("t", NOW)
        await accounts.put_credential(number, PHONE, "c", NOW)
        await accounts.credential(PHONE, "c", NOW)
        state = await readers.open(BOB.number, PHONE, NOW)
        for n in range(9):
            await readers.open(BOB.number, Device(f"{n}"), NOW + n)
        state = await readers.open(BOB.number, PHONE, NOW + 10)
        await readers.stuck(BOB.number, state.key, 1)
        drafts = tuple(draft(f"{n}", ident=n) for n in range(1, 4))
        await messages.post(Batch(drafts))
        await messages.post(Batch((draft("4"), removal(1))))
        other = await readers.open(BOB.number, Device("8"), NOW + 11)
        moves = [
            CursorMove(BOB.number, key, 2, (Confirmed(PAIR, 2),))
            for key in (state.key, other.key)
        ]
        await messages.post(Batch((), tuple(moves)))
        await messages.heads([ADA.number, BOB.number])
        await messages.read_log(BOB.number, 1, 4, 10)
        await messages.history(PAIR, 0, None, 10)
        await messages.delivered(PAIR, BOB.number)
        await self.rooms(shard, seen)
        # The accounts of chance cannot be read; how they are searched for can be asked.
        listing = accounts.listing(FIRST_ACCOUNT, 10)
        await self.assertFailure(listing, StorageUnavailable)
        return seen

    async def rooms(self, shard: ServerShard, seen: dict[str, Sequence[Any]]) -> None:
        """Do what is often done about rooms."""
        rooms = shard.rooms
        rooms._read = noting(rooms._read, seen)
        wish = create(info=RoomInfo("topic"))
        room = wish.content.room
        steps = (
            wish,
            about(RoomStep.JOIN, room, BOB, text="please"),
            about(RoomStep.PULL_IN, room, ADA, BOB),
            change(room, ADA, RoomInfo("new"), [BOB]),
            about(RoomStep.BAR, room, BOB, CYD),
            about(RoomStep.REMOVE, room, ADA, BOB),
        )
        for step in steps:
            await shard.messages.post(Batch((step,)))
        await rooms.room(room)
        await rooms.belonging(room, ADA.number)
        await rooms.rooms_of(ADA.number)
        await rooms.blocked_rooms(ADA.number)
        await rooms.members(room, None, 10)
        await rooms.barred(room)
        await rooms.profiles([room, 12345])
        await shard.messages.post(Batch((about(RoomStep.DISSOLVE, room),)))


def noting(run: Run, seen: dict[str, Sequence[Any]]) -> Any:
    """``run``, which notes the statements of operations."""

    def noted(begin: Begin[Any]) -> Any:
        def operation() -> Operation[Any]:
            working = begin()
            rows: Any = None
            while True:
                try:
                    statement: Statement = working.send(rows)
                except StopIteration as stop:
                    return stop.value
                seen[statement[0]] = statement[1]
                rows = yield statement

        return run(operation)

    return noted


class PostgresPlanTests(_Plans):
    """The plans of PostgreSQL."""

    def make_server(self) -> servers.Server:
        """See ``_Plans``."""
        return servers.postgres()

    async def test_every_statement(self) -> None:
        """
        Nothing that a node does becomes slower with what is stored already.
        """
        await self.check()

    async def test_many_sends(self) -> None:
        """
        Neither does a commit of many messages whose clients chose ids.
        """
        await self.check_many()

    def searched(self, text: str, values: Sequence[Any]) -> Iterator[str]:
        """See ``_Plans``."""
        self.cursor.execute(f"EXPLAIN {text}", tuple(values))
        plan = [row[0].strip() for row in self.cursor.fetchall()]
        is_page = "LIMIT" in text
        for line in plan:
            if "Seq Scan" in line or (
                is_page and line.startswith(("Sort ", "->  Sort"))
            ):
                yield line


class MariaDbPlanTests(_Plans):
    """The plans of MariaDB."""

    analyse = "ANALYZE TABLE {}"

    def make_server(self) -> servers.Server:
        """See ``_Plans``."""
        return servers.mariadb()

    async def test_every_statement(self) -> None:
        """
        Nothing that a node does becomes slower with what is stored already.
        """
        await self.check()

    async def test_many_sends(self) -> None:
        """
        Neither does a commit of many messages whose clients chose ids.
        """
        await self.check_many()

    def searched(self, text: str, values: Sequence[Any]) -> Iterator[str]:
        """See ``_Plans``; an insert of rows searches for nothing."""
        if text.startswith("INSERT"):
            return
        self.cursor.execute(f"EXPLAIN {text}", tuple(values))
        names = [column[0] for column in self.cursor.description]
        for row in self.cursor.fetchall():
            plan = dict(zip(names, row, strict=True))
            if (plan["table"] or "").startswith("<"):
                continue  # The keys that the statement itself brings.
            if plan["type"] in ("ALL", "index") or "filesort" in (plan["Extra"] or ""):
                yield f"{plan}"


class SqlitePlanTests(SynchronousTestCase):
    """The plans of the embedded engine."""

    def test_every_statement(self) -> None:
        """
        Neither reading nor bringing the journal to its places reads a whole table.
        """
        connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(connection.close)
        migrate(connection, InstallationStatements(SQLITE))
        moving = MovingStatements(SQLITE)
        for slices in (*moving.rows, *moving.moves):
            connection.execute(slices.create)
        kinds = (
            *(ReadingStatements, ReaderStatements, PostingStatements),
            *(AccountStatements, CleaningStatements, JournalStatements),
            *(RelationStatements, RoomStatements),
        )
        texts = [
            text for kind in kinds for text in texts_of(vars(kind(SQLITE)).values())
        ]
        texts += texts_of(vars(moving).values())
        self.assertGreater(len(texts), 60)
        for text in texts:
            if not text.startswith("CREATE") and text not in emptied(moving):
                nothing = [0] * text.count("?")
                plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", nothing)
                found = [row[3] for row in plan if is_whole(row[3])]
                self.assertEqual([], found, text)


def texts_of(values: Any) -> list[str]:
    """The texts in the attributes of a class of statements."""
    found: list[str] = []
    for one in values:
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, FixedRows):
            found += [text for _size, text in one.texts]
        elif isinstance(one, Slices):
            found += [one.create, one.clear, one.fill, *one.move]
        elif isinstance(one, tuple):
            found += texts_of(one)
    return found


def emptied(moving: MovingStatements) -> list[str]:
    """The statements that empty the lists of a move, which read them all."""
    return [slices.clear for slices in (*moving.rows, *moving.moves)]


def is_whole(step: str) -> bool:
    """Whether a step of a plan reads a whole table; a part of the statement is none."""
    own = "CONSTANT ROW" in step or "anon_" in step
    return step.startswith("SCAN") and not own
