"""SQLite deletes what is too old: the contract, and the steps it does it in."""

from __future__ import annotations

import sqlite3

from twisted.internet.defer import gatherResults

from timtw.model.errors import StorageUnavailable
from timtw.model.idents import node_of
from timtw.model.limits import BATCH_DRAFTS, CLEAN_BYTES, CLEAN_ROWS
from timtw.model.posting import Batch
from timtw.model.stores import DONE
from timtw.model.values import Address, Expiring
from timtw.shards.sqlite import file as sqlite_file
from timtw.shards.sqlite.shard import SqliteShard
from timtw.test import contracts_keeping
from timtw.test.contracts import ADA, LAPTOP, NOW, PHONE, draft
from timtw.test.contracts_keeping import expire
from timtw.test.test_shards_sqlite import FileCase, Moving, Sqlite, make


class SqliteKeepingTests(Sqlite, contracts_keeping.KeepingContract):
    """Old messages in SQLite."""


class SqliteForgettingTests(Sqlite, contracts_keeping.ForgettingContract):
    """Old devices in SQLite."""


class MovingKeepingTests(Moving, contracts_keeping.KeepingContract):
    """Old messages, wherever they lie."""


class MovingForgettingTests(Moving, contracts_keeping.ForgettingContract):
    """Old devices whose cursors lie partly in the journal."""


class StepTests(FileCase):
    """Old rows go a few at a time."""

    async def filled(self, number: int, text: str = "") -> SqliteShard:
        """A shard with so many old texts of Ada to Bob in its journal or tables."""
        shard = await self.opened()
        for start in range(0, number, 100):
            some = [draft(text) for _ in range(min(number - start, 100))]
            await shard.messages.post(Batch(tuple(some)))
        return shard

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])

    async def steps(self, shard: SqliteShard, what: Expiring, table: str) -> list[int]:
        """The rows that are left after each step of a round, once it deletes."""
        place, left = DONE, [self.count(table)]
        while True:
            place = await shard.keeping.expire(what, NOW + 1, place)
            left.append(self.count(table))
            if place == DONE:
                full = max(left)
                return [rows for rows in left[left.index(full) :] if rows < full]

    async def test_rows_of_a_step(self) -> None:
        """
        No commit waits for the deleting of more than so many rows.
        """
        shard = await self.filled(2 * CLEAN_ROWS + 200)
        self.assertEqual(0, self.count("message"))
        left = await self.steps(shard, Expiring.TEXTS, "message")
        self.assertEqual([CLEAN_ROWS + 200, 200, 0], left)
        left = await self.steps(shard, Expiring.ENTRIES, "log")
        self.assertEqual([CLEAN_ROWS * n + 400 for n in (3, 2, 1, 0)] + [0], left)

    async def test_exactly_one_step(self) -> None:
        """
        As many rows as fit into a step go in one.
        """
        shard = await self.filled(CLEAN_ROWS)
        self.assertEqual([0], await self.steps(shard, Expiring.TEXTS, "message"))

    async def test_bytes_of_a_step(self) -> None:
        """
        Nor for more than so many bytes of texts, of which one always goes.
        """
        shard = await self.filled(5, "x" * (CLEAN_BYTES // 2))
        left = await self.steps(shard, Expiring.TEXTS, "message")
        self.assertEqual([3, 1, 0], left)

    async def test_many_conversations(self) -> None:
        """
        However many conversations and devices there are, all come to their turn.
        """
        shard = await self.opened()
        people = [Address(number, node_of(number)) for number in range(1, 1202)]
        await gatherResults(
            shard.readers.open(one.number, device, NOW)
            for one in people
            for device in (PHONE, LAPTOP)
        )
        drafts = [draft("hi", ADA, one) for one in people]
        for start in range(0, len(drafts), BATCH_DRAFTS):
            part = tuple(drafts[start : start + BATCH_DRAFTS])
            await shard.messages.post(Batch(part))
        await expire(shard, Expiring.ENTRIES, NOW + 1)
        await expire(shard, Expiring.TEXTS, NOW + 1)
        await expire(shard, Expiring.DEVICES, NOW + 1)
        for table, left in (("message", 0), ("log", 0), ("reader", len(people))):
            self.assertEqual(left, self.count(table), table)

    async def test_after_a_restart(self) -> None:
        """
        What was not reached before the node stopped is reached afterwards.
        """
        shard = make(self.place)
        await shard.start()
        some = [draft() for _ in range(CLEAN_ROWS + 1)]
        await shard.messages.post(Batch(tuple(some)))
        await shard.stop()
        shard = make(self.place)
        await shard.start()
        await shard.keeping.expire(Expiring.TEXTS, NOW + 1, DONE)
        await shard.stop()
        self.assertEqual(1, self.count("message"))
        shard = await self.opened()
        await expire(shard, Expiring.TEXTS, NOW + 1)
        self.assertEqual(0, self.count("message"))

    async def test_storage_that_fails(self) -> None:
        """
        A step that fails changes nothing, and the next one goes on.
        """
        self.patch(sqlite_file, "STORAGE_BUSY_SECONDS", 0.0)
        shard = await self.filled(3)
        await expire(shard, Expiring.TEXTS, NOW)
        self.assertEqual(0, self.count("message"))
        lock = sqlite3.connect(self.place / "data" / "tim.db", isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        failing = shard.keeping.expire(Expiring.TEXTS, NOW + 1, DONE)
        await self.assertFailure(failing, StorageUnavailable)
        lock.execute("ROLLBACK")
        await expire(shard, Expiring.TEXTS, NOW + 1)
        self.assertEqual(0, self.count("message"))
        self.assertEqual(6, self.count("log"))
