"""How a node starts on a database server, and what it makes of what it finds there.

A part of the contract in ``timtw.test.contracts``; see there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, MetaData, Table
from twisted.internet.defer import gatherResults
from twisted.logger import capturedLogs

from timtw.model.stores import ShardError
from timtw.shards.server.places import place_of
from timtw.shards.server.shard import ServerShard
from timtw.shards.tables import schema
from timtw.shards.tables.migrations import EMBEDDED, Migration
from timtw.test.contracts import NOW
from timtw.test.contracts_servers import REACTOR, ServerCase, told

COLOUR: Column[Any] = Table(
    "account", MetaData(), Column("colour", BigInteger)
).c.colour
COLOURS = Table("colours", MetaData(), Column("name", BigInteger, index=True))
"""What a later version might add."""


class StartsContract(ServerCase):
    """How a node starts on a server."""

    async def test_nothing_there(self) -> None:
        """
        A server that is not there is one sentence, without the password.
        """
        for path in ("/nowhere", "127.0.0.1"):
            url = self.server.url(self.database, Path(path), port=9)
            text = await self.refused(url)
            self.assertIn("cannot be reached", text)
            self.assertNotIn("secret", text)

    async def test_no_such_database(self) -> None:
        """
        Neither is a database that nobody has made.
        """
        text = await self.refused(self.server.url("nothing"))
        self.assertIn("cannot be reached", text)

    async def test_waited_for(self) -> None:
        """
        A node that starts together with its database waits for it.
        """
        self.server.kill()
        self.addCleanup(self.running)
        shard = self.shard(patience=60)
        with capturedLogs() as logs:
            waiting = told("waiting for the {place}")
            starting = shard.start()
            await waiting
            self.assertNoResult(starting)
            self.server.start()
            await starting
        self.addCleanup(shard.stop)
        self.assertNotIn("secret", repr(logs))

    def running(self) -> None:
        """Let the server run."""
        if self.server.process is None:
            self.server.start()

    async def test_two_nodes_found_one_database(self) -> None:
        """
        Nodes that start at once on an empty database agree on one set of keys.
        """
        self.database = self.server.database()
        shards = [self.shard() for _ in range(3)]
        for shard in shards:
            self.addCleanup(shard.stop)
        await gatherResults([shard.start() for shard in shards])
        made = await shards[0].accounts.register("ada", "here", "hash", NOW)
        for shard in shards:
            self.assertEqual(made, await shard.accounts.find("ada", "here"))

    async def test_newer_database(self) -> None:
        """
        A database of a newer program is refused.
        """
        self.database = self.server.database()
        shard = self.shard()
        await shard.start()
        await shard.stop()
        newer = schema.VERSION + 1
        self.server.ask(f"UPDATE schema_version SET version = {newer}", self.database)
        text = await self.refused(self.server.url(self.database))
        self.assertIn("use a newer program", text)

    async def test_older_database(self) -> None:
        """
        A newer program takes over a database with what it holds.
        """
        self.database = self.server.database()
        shard = self.shard()
        await shard.start()
        ada = await shard.accounts.register("ada", "here", "hash", NOW)
        await shard.stop()
        shard = await self.newer(
            Migration(schema.VERSION + 1, (COLOURS, COLOUR)),
            Migration(schema.VERSION + 2, ("UPDATE account SET colour = 7",)),
            Migration(schema.VERSION + 3, ("nonsense",), EMBEDDED),
        )
        self.assertEqual(ada, await shard.accounts.find("ada", "here"))
        self.assertEqual(
            [(schema.VERSION + 3,)], self.asked("version", "schema_version")
        )
        self.assertEqual([(7,)], self.asked("colour", "account"))
        self.assertEqual([], self.asked("name", "colours"))

    async def test_step_was_broken_off(self) -> None:
        """
        A step that an earlier start did not finish is finished.
        """
        self.database = self.server.database()
        shard = self.shard()
        await shard.start()
        await shard.stop()
        change = "ALTER TABLE account ADD COLUMN colour BIGINT"
        self.server.ask(change, self.database)
        await self.newer(Migration(schema.VERSION + 1, (COLOUR, COLOURS)))
        self.assertEqual(
            [(schema.VERSION + 1,)], self.asked("version", "schema_version")
        )
        self.assertEqual([], self.asked("name", "colours"))

    async def test_failed_step(self) -> None:
        """
        A step that fails is one sentence, and the database keeps its version.
        """
        self.database = self.server.database()
        shard = self.shard()
        await shard.start()
        await shard.stop()
        wrong = Migration(schema.VERSION + 1, (COLOURS, "UPDATE nowhere SET a = 1"))
        with self.assertRaises(ShardError) as caught:
            await self.newer(wrong)
        self.assertIn("nowhere", str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual([(schema.VERSION,)], self.asked("version", "schema_version"))
        await self.newer(Migration(schema.VERSION + 1, (COLOURS,)))
        self.assertEqual([], self.asked("name", "colours"))

    async def newer(self, *steps: Migration) -> ServerShard:
        """A started node of a program that has these steps."""

        class Newer(ServerShard):
            _migrations: ClassVar = steps

        url = self.server.url(self.database)
        shard = Newer(place_of(url), self.keys, 0, REACTOR, REACTOR, os.urandom)
        await shard.start()
        self.addCleanup(shard.stop)
        return shard

    def asked(self, column: str, table: str) -> list[Any]:
        """What stands in a column of a table."""
        return self.server.ask(f"SELECT {column} FROM {table}", self.database)

    async def test_other_keys(self) -> None:
        """
        A node with keys of another installation is refused.
        """
        await self.started()
        self.keys = Path(self.mktemp())
        text = await self.refused(self.server.url(self.database))
        self.assertIn("is missing", text)

    async def test_not_durable(self) -> None:
        """
        A server that may lose what it has committed is refused.
        """
        with self.server.careless(self.database):
            text = await self.refused(self.server.url(self.database))
        self.assertIn("not durable", text)
