"""The embedded engine passes the contract of all engines and keeps its own promises."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from timtw.model.errors import NameTaken, StorageUnavailable
from timtw.model.limits import CLEAN_HURRY_SECONDS, CLEAN_ROWS
from timtw.model.posting import Batch, Posted
from timtw.model.progress import CursorMove
from timtw.model.stores import IShard, ShardError
from timtw.model.values import BURN, REVOCATION, TEXT, TokenGrant
from timtw.shards.memory.shard import MemoryShard
from timtw.shards.opening import open_shard
from timtw.shards.sqlite import moving
from timtw.shards.sqlite import posting as sqlite_posting
from timtw.shards.sqlite.shard import SqliteShard
from timtw.shards.tables import schema
from timtw.shards.tables.migrations import Migration
from timtw.test import (
    contracts,
    contracts_kinds,
    contracts_reads,
    contracts_relations,
    contracts_rooms,
    contracts_roomstates,
    contracts_standing,
)
from timtw.test.contracts import (
    ADA,
    BOB,
    NOW,
    PHONE,
    SECOND,
    WINDOW,
    draft,
)
from timtw.test.contracts_kinds import removal

REACTOR: Any = reactor
NEXT = schema.VERSION + 1
"""The version that a newer program has."""


def make(place: Path, kind: type[SqliteShard] = SqliteShard) -> SqliteShard:
    """A shard in ``place``, with its keys beside it."""
    keys = place / "keys"
    return kind(place / "data" / "tim.db", keys, REACTOR, REACTOR, os.urandom)


class Sqlite(contracts.ShardContract):
    """Shards in a directory of their own."""

    def make_shard(self) -> IShard:
        """A shard in a new directory."""
        return make(Path(self.mktemp()))


class SqliteAccountTests(Sqlite, contracts.AccountContract):
    """Accounts in SQLite."""


class SqliteStandingTests(Sqlite, contracts_standing.StandingContract):
    """Verifiers and blocks in SQLite."""


class SqliteMessageTests(Sqlite, contracts.MessageContract):
    """Messages in SQLite."""


class SqliteRemovalTests(Sqlite, contracts_kinds.RemovalContract):
    """Revoked and burnt texts in this engine."""


class SqliteReadTests(Sqlite, contracts_reads.ReadContract):
    """Read marks in SQLite."""


class SqliteRelationTests(Sqlite, contracts_relations.RelationContract):
    """Friends and blocks in this engine."""


class SqliteRoomTests(Sqlite, contracts_rooms.RoomContract):
    """Rooms and their members in this engine."""


class SqliteRoomStateTests(Sqlite, contracts_roomstates.RoomStateContract):
    """What becomes of rooms in this engine."""


class SqliteCustomTests(Sqlite, contracts_kinds.CustomContract):
    """Kinds of applications in this engine."""


class SqliteReaderTests(Sqlite, contracts.ReaderContract):
    """Readers in SQLite."""


class SqliteDeskTests(Sqlite, contracts.DeskContract):
    """The posting desk over SQLite."""


class Moving(Sqlite):
    """Shards in which a move is always under way, a row at a time."""

    def setUp(self) -> Any:
        """Move all the time."""
        self.patch(moving, "JOURNAL_ROWS", 0)
        self.patch(moving, "MOVE_ROWS", 1)
        return super().setUp()


class MovingMessageTests(Moving, contracts.MessageContract):
    """Messages that are partly in the journal and partly in the tables."""


class MovingRemovalTests(Moving, contracts_kinds.RemovalContract):
    """Revoked and burnt texts, wherever they lie."""


class MovingReadTests(Moving, contracts_reads.ReadContract):
    """Read marks where a move is under way."""


class MovingRelationTests(Moving, contracts_relations.RelationContract):
    """Friends and blocks in this engine."""


class MovingRoomTests(Moving, contracts_rooms.RoomContract):
    """Rooms and their members in this engine."""


class MovingRoomStateTests(Moving, contracts_roomstates.RoomStateContract):
    """What becomes of rooms in this engine."""


class MovingCustomTests(Moving, contracts_kinds.CustomContract):
    """Kinds of applications, wherever they lie."""


class MovingReaderTests(Moving, contracts.ReaderContract):
    """Readers whose cursors lie partly in the journal."""


class FileCase(TestCase):
    """A directory for databases."""

    def setUp(self) -> None:
        """Name a directory."""
        self.place = Path(self.mktemp())

    async def opened(self, kind: type[SqliteShard] = SqliteShard) -> SqliteShard:
        """A started shard in the directory, stopped after the test."""
        shard = make(self.place, kind)
        await shard.start()
        self.addCleanup(shard.stop)
        return shard

    async def moved(self, shard: SqliteShard) -> SqliteShard:
        """The shard after a restart, which brings the journal to the tables."""
        await shard.stop()
        again = make(self.place)
        await again.start()
        self.addCleanup(again.stop)
        return again

    async def founded(self) -> None:
        """Let a shard make its files, and stop it."""
        shard = make(self.place)
        await shard.start()
        await shard.stop()

    async def refused(self, kind: type[SqliteShard] = SqliteShard) -> str:
        """The sentence with which a shard refuses to start."""
        shard = make(self.place, kind)
        with self.assertRaises(ShardError) as caught:
            await shard.start()
            self.addCleanup(shard.stop)
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        return text

    def sql(self, text: str) -> list[Any]:
        """Run a statement on the file by another connection."""
        connection = sqlite3.connect(self.place / "data" / "tim.db")
        try:
            with connection:
                return list(connection.execute(text))
        finally:
            connection.close()


class RestartTests(FileCase):
    """What a new start finds."""

    async def test_everything_survives(self) -> None:
        """
        Accounts, messages, cursors and numbers are there after a restart.
        """
        shard = make(self.place)
        await shard.start()
        ada = await shard.accounts.register("ada", "here", "hash", NOW)
        await shard.messages.post(Batch((draft("1", ident=5), draft("2"))))
        state = await shard.readers.open(ADA.number, PHONE, NOW)
        await shard.messages.post(Batch((), (CursorMove(ADA.number, state.key, 1),)))
        await shard.stop()
        shard = await self.opened()
        self.assertEqual(ada, await shard.accounts.find("ada", "here"))
        posted = await shard.messages.post(Batch((draft("1", ident=5), draft("3"))))
        self.assertEqual([1, 3], contracts.mids(posted))
        state = await shard.readers.open(ADA.number, PHONE, NOW)
        self.assertEqual((1, 3), (state.cursor, state.head))

    async def test_files_are_private(self) -> None:
        """
        Nobody else on the machine can read what a node writes.
        """
        await self.opened()
        paths = [p for p in self.place.rglob("*") if p.is_file()]
        self.assertIn("tim.db-wal", [path.name for path in paths])
        self.assertIn("master.key", [path.name for path in paths])
        for path in (*paths, self.place / "data", self.place / "keys"):
            self.assertEqual(0, stat.S_IMODE(path.stat().st_mode) & 0o077, path)

    async def test_second_node_is_refused(self) -> None:
        """
        Of two nodes on one file the second does not start, the first goes on.
        """
        shard = await self.opened()
        self.assertIn("in use by another node", await self.refused())
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from timtw.shards.sqlite.file import DatabaseFile\n"
            "DatabaseFile(Path(sys.argv[1])).take()\n"
        )
        path = self.place / "data" / "tim.db"
        command = [sys.executable, "-c", code, str(path)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        other = subprocess.run(command, capture_output=True, text=True, env=env)
        self.assertIn("in use by another node", other.stderr)
        await shard.accounts.register("ada", "", "hash", NOW)

    async def test_newer_schema_is_refused(self) -> None:
        """
        A database of a newer program is left alone.
        """
        await self.founded()
        self.sql("UPDATE schema_version SET version = 999")
        self.assertIn("999", await self.refused())

    async def test_foreign_database_is_refused(self) -> None:
        """
        A database of another program is left alone.
        """
        (self.place / "data").mkdir(parents=True)
        self.sql("CREATE TABLE theirs (a)")
        self.assertIn("another program", await self.refused())
        self.assertEqual([("theirs",)], self.sql("SELECT name FROM sqlite_schema"))

    async def test_older_schema_is_brought_forward(self) -> None:
        """
        A newer program takes over a database with what it holds.
        """

        class Newer(SqliteShard):
            _migrations: ClassVar = (
                Migration(NEXT, ("ALTER TABLE account ADD COLUMN colour BIGINT",)),
                Migration(NEXT + 1, ("UPDATE account SET colour = 7",)),
            )

        shard = make(self.place)
        await shard.start()
        ada = await shard.accounts.register("ada", "", "hash", NOW)
        await shard.stop()
        shard = await self.opened(Newer)
        self.assertEqual(ada, await shard.accounts.find("ada", ""))
        version = self.sql("SELECT version FROM schema_version")
        self.assertEqual([(NEXT + 1,)], version)
        self.assertEqual([(7,)], self.sql("SELECT colour FROM account"))

    async def test_version_1_is_brought_forward(self) -> None:
        """
        What the first version stored is read, and can be revoked.
        """
        shard = make(self.place)
        await shard.start()
        await shard.messages.post(Batch((draft("old"), draft("new"))))
        await shard.stop()
        shard = make(self.place)
        await shard.start()
        await shard.stop()
        later = ("relation", "room", "room_member", "room_reader")
        for table in ("journal", "journal_move", *later):
            self.sql(f"DROP TABLE {table}")
        for column in ("id", "sender"):
            self.sql(f"ALTER TABLE log DROP COLUMN {column}")
        self.sql("ALTER TABLE reader DROP COLUMN session")
        self.sql("DROP INDEX member_account")
        self.sql("UPDATE schema_version SET version = 1")
        shard = await self.opened()
        await shard.messages.post(Batch((removal(1),)))
        page = await shard.messages.read_log(ADA.number, 0, 9, 9)
        kinds = [(entry.seq, entry.message.kind) for entry in page.entries]
        self.assertEqual([(2, TEXT), (3, REVOCATION)], kinds)
        version = self.sql("SELECT version FROM schema_version")
        self.assertEqual([(schema.VERSION,)], version)

    async def test_removed_text_leaves_no_body(self) -> None:
        """
        Of a revoked or burnt text the database keeps that there was one.
        """
        shard = make(self.place)
        await shard.start()
        await shard.messages.post(Batch((draft("1"), draft("2"), draft("3"))))
        burn = removal(2, BOB, ADA, kind=BURN)
        await shard.messages.post(Batch((removal(1), burn)))
        text = "SELECT mid, state, length(body) > 0 FROM"
        rows = self.sql(f"{text} journal WHERE kind = {TEXT}")
        self.assertEqual([(1, 1, 0), (2, 2, 0), (3, 0, 1)], rows)
        shard = await self.moved(shard)
        await shard.messages.post(Batch((removal(3),)))
        rows = self.sql(f"{text} message")
        self.assertEqual([(1, 1, 0), (2, 2, 0), (3, 1, 0)], rows)

    async def test_failed_step_leaves_nothing(self) -> None:
        """
        A step forward that fails half-way leaves the database at its version.
        """

        class Broken(SqliteShard):
            _migrations: ClassVar = (
                Migration(NEXT, ("CREATE TABLE new (a)", "SELECT * FROM nowhere")),
            )

        await self.founded()
        self.assertIn("nowhere", await self.refused(Broken))
        version = self.sql("SELECT version FROM schema_version")
        self.assertEqual([(schema.VERSION,)], version)
        made = self.sql("SELECT name FROM sqlite_schema WHERE name = 'new'")
        self.assertEqual([], made)
        await self.opened()


class KeyTests(FileCase):
    """Which keys a database is opened with."""

    @property
    def key(self) -> Path:
        """The key file."""
        return self.place / "keys" / "master.key"

    async def test_i13_missing_key_is_refused(self) -> None:
        """
        A node whose key file is gone does not make another one.
        """
        await self.founded()
        self.key.unlink()
        self.assertIn("is missing", await self.refused())
        self.assertFalse(self.key.exists())

    async def test_other_key_is_refused(self) -> None:
        """
        A node with the keys of another installation does not start.
        """
        await self.founded()
        self.key.write_text("ab" * 32)
        self.assertIn("do not belong to this database", await self.refused())

    async def test_damaged_key_is_refused(self) -> None:
        """
        A key file that holds no key is named.
        """
        await self.founded()
        for text in ("", "ab" * 31, "zz" * 32):
            self.key.write_text(text)
            self.assertIn("32 bytes in hex", await self.refused())

    async def test_i13_open_key_is_refused(self) -> None:
        """
        A key file that others may read is refused with what to do.
        """
        await self.founded()
        for mode in (0o640, 0o604):
            self.key.chmod(mode)
            self.assertIn("chmod 600", await self.refused())
        self.key.chmod(0o400)
        await self.opened()


class DurabilityTests(FileCase):
    """Commits reach the disk, or nothing is served."""

    async def test_live_writer_is_durable(self) -> None:
        """
        The connection that writes waits for the disk at each commit.
        """
        shard = await self.opened()

        def ask(connection: sqlite3.Connection) -> list[Any]:
            names = ("synchronous", "journal_mode")
            return [connection.execute(f"PRAGMA {n}").fetchone() for n in names]

        self.assertEqual([(2,), ("wal",)], await shard._writer.submit(ask))

    async def test_less_is_refused(self) -> None:
        """
        A node whose commits would not wait for the disk does not start.
        """

        class Weak(SqliteShard):
            _synchronous: ClassVar[str] = "NORMAL"

        self.assertIn("synchronous 1", await self.refused(Weak))

    async def test_test_builds_can_force_it(self) -> None:
        """
        A build for tests can be made careless, to see that other tests notice.
        """

        class Careless(SqliteShard):
            _synchronous: ClassVar[str] = "OFF"
            _least_synchronous: ClassVar[int] = 0

        await (await self.opened(Careless)).messages.post(Batch((draft(),)))


class OutageTests(FileCase):
    """Storage that fails, and comes back."""

    async def test_full_disk(self) -> None:
        """
        On a full disk a message is refused whole, and later ones are stored again.
        """
        shard = await self.opened()
        await shard.messages.post(Batch((draft("1"),)))
        limit = "PRAGMA max_page_count = 1"
        await shard._writer.submit(lambda c: c.execute(limit).fetchone())
        large = Batch((draft("2"), draft("x" * 1_000_000)))
        await self.assertFailure(shard.messages.post(large), StorageUnavailable)
        (posted,) = await shard.messages.post(Batch((draft("3"),)))
        assert isinstance(posted, Posted)
        self.assertEqual((2, 2), (posted.message.mid, posted.sender_seq))

    async def test_fault_fails_alone(self) -> None:
        """
        What cannot be stored fails alone; what travels with it is stored, gapless.
        """
        shard = await self.opened()
        asked = [
            shard.messages.post(Batch((draft("1"),))),
            shard.messages.post(Batch((draft("2", ident=1 << 70),))),
            shard.messages.post(Batch((draft("3"),))),
        ]
        register = shard.accounts.register
        taken = [register("ada", "", "hash", NOW) for _ in range(2)]
        await self.assertFailure(taken[1], NameTaken)
        await taken[0]
        fault = asked.pop(1)
        await self.assertFailure(fault, Exception)
        posted = await gatherResults(asked)
        self.assertEqual(
            [1, 2], [mid for some in posted for mid in contracts.mids(some)]
        )

    async def test_d15_damaged_record(self) -> None:
        """
        A record that does not open is named in the log and left out; the rest comes.
        """
        shard = make(self.place)
        await shard.start()
        texts = ("1", "2", "3", "4")
        await shard.messages.post(Batch(tuple(draft(text) for text in texts)))
        shard = await self.moved(shard)
        self.sql("UPDATE message SET id = id + 1 WHERE mid IN (2, 3)")
        read = shard.messages.read_log
        with capturedLogs() as events:
            page = await read(ADA.number, 0, 4, 9)
            past = await shard.messages.history(
                page.entries[0].message.conversation, 0, None, 9
            )
        self.assertEqual(([1, 4], 4), ([one.seq for one in page.entries], page.up_to))
        self.assertEqual([4, 1], [one.mid for one in past])
        self.assertEqual([2, 3, 3, 2], [event["mid"] for event in events])
        small = await read(ADA.number, 1, 4, 1)
        self.assertEqual(((), 3), (small.entries, small.up_to))
        rest = await read(ADA.number, 3, 4, 1)
        self.assertEqual([4], [one.seq for one in rest.entries])


class MovingTests(FileCase):
    """What happens when the journal cannot be brought to the tables."""

    def setUp(self) -> None:
        """Move with each commit."""
        super().setUp()
        self.patch(moving, "JOURNAL_ROWS", 0)

    async def test_failure_is_survived(self) -> None:
        """
        When a table is damaged what is posted is stored nevertheless, and read.
        """
        shard = await self.opened()
        self.sql("ALTER TABLE message RENAME TO elsewhere")
        with capturedLogs() as events:
            for n in range(1, 12):
                posted = await shard.messages.post(Batch((draft(f"{n}"),)))
                self.assertEqual([n], contracts.mids(posted))
        told = [one for one in events if "could not be moved" in one["log_format"]]
        self.assertTrue(0 < len(told) < 6, told)  # Ever more rarely.
        page = await shard.messages.read_log(ADA.number, 0, 11, 20)
        self.assertEqual(11, len(page.entries))
        self.sql("ALTER TABLE elsewhere RENAME TO message")
        for _ in range(30):
            await shard.messages.post(Batch())
        self.assertEqual([(11,)], self.sql("SELECT count(*) FROM message"))
        self.assertEqual([(0,)], self.sql("SELECT count(*) FROM journal"))

    async def test_journal_is_limited(self) -> None:
        """
        A journal that grows and grows takes so much and no more, until it can be moved.
        """
        self.patch(moving, "JOURNAL_ROWS", 1000)
        self.patch(sqlite_posting, "JOURNAL_MOST", 3)
        shard = await self.opened()
        await shard.messages.post(Batch((draft("1"), draft("2"), draft("3"))))
        await self.assertFailure(
            shard.messages.post(Batch((draft("4"),))), StorageUnavailable
        )
        self.patch(sqlite_posting, "JOURNAL_MOST", 4)
        posted = await shard.messages.post(Batch((draft("4"),)))
        self.assertEqual([4], contracts.mids(posted))

    async def test_journal_is_limited_in_bytes(self) -> None:
        """
        The same for a journal of few and large messages.
        """
        self.patch(moving, "JOURNAL_ROWS", 1000)
        self.patch(sqlite_posting, "JOURNAL_MOST_BYTES", 1000)
        shard = await self.opened()
        await shard.messages.post(Batch((draft("x" * 900),)))
        await shard.messages.post(Batch((draft("x" * 200),)))
        await self.assertFailure(
            shard.messages.post(Batch((draft("x"),))), StorageUnavailable
        )

    async def test_many_bytes_are_moved(self) -> None:
        """
        Few large messages are moved when they are many bytes.
        """
        self.patch(moving, "JOURNAL_ROWS", 1000)
        self.patch(moving, "JOURNAL_BYTES", 1000)
        shard = await self.opened()
        await shard.messages.post(Batch((draft("x" * 900),)))
        for _ in range(20):
            await shard.messages.post(Batch())
        self.assertEqual([(1,)], self.sql("SELECT count(*) FROM journal"))
        await shard.messages.post(Batch((draft("x" * 200),)))
        for _ in range(20):
            await shard.messages.post(Batch())
        self.assertEqual([(0,)], self.sql("SELECT count(*) FROM journal"))


class CleaningTests(FileCase):
    """What has expired is deleted, and nothing else."""

    async def test_expired_rows_go_in_steps(self) -> None:
        """
        Sends and tokens that nobody can ask for any more are deleted in small steps.
        """
        clock = Clock()
        path = self.place / "data" / "tim.db"
        shard = SqliteShard(path, self.place, REACTOR, clock, os.urandom)
        await shard.start()
        ada = await shard.accounts.register("ada", "", "hash", NOW)
        for n in range(3):
            later = NOW + n * WINDOW + n * 60 * SECOND
            await shard.accounts.put_token(f"{n}", TokenGrant(ada, "ada"), later)
        old = [draft(ident=n + 1) for n in range(CLEAN_ROWS + 1)]
        await shard.messages.post(Batch(tuple(old)))
        recent = [draft(f"{n}", ident=1, at=NOW + n * WINDOW) for n in (1, 2)]
        await shard.messages.post(Batch(tuple(recent)))
        await shard.stop()
        shard = SqliteShard(path, self.place, REACTOR, clock, os.urandom)
        await shard.start()
        self.addCleanup(shard.stop)
        clock.advance((NOW + 2 * WINDOW) // SECOND)
        left = []
        for _ in range(3):
            await shard.messages.post(Batch())
            rows = self.sql("SELECT count(*) FROM send_once")
            left += [rows[0][0], self.sql("SELECT count(*) FROM token")[0][0]]
            clock.advance(CLEAN_HURRY_SECONDS)
        self.assertEqual([3, 1, 2, 1, 2, 1], left)


class OpeningTests(TestCase):
    """Which engine a configuration gets."""

    def test_urls(self) -> None:
        """
        Each url of the configuration leads to its engine.
        """
        place = self.mktemp()
        memory = open_shard("memory:", place, place, REACTOR, time.time_ns)
        self.assertIsInstance(memory, MemoryShard)
        for url, path in (
            ("", f"{place}/tim.db"),
            ("sqlite:////var/x.db", "/var/x.db"),
            ("sqlite:///x.db", "x.db"),
        ):
            shard = open_shard(url, place, place, REACTOR, time.time_ns)
            assert isinstance(shard, SqliteShard)
            self.assertEqual(Path(path), shard._file.path)
        self.assertFalse(Path(place).exists())

    def test_unknown_url(self) -> None:
        """
        An engine that does not exist is refused without telling the password.
        """
        for url in ("oracle://me:secret@host/x", "sqlite:///", "x"):
            with self.assertRaises(ShardError) as caught:
                open_shard(url, "s", "k", REACTOR, time.time_ns)
            self.assertNotIn("secret", str(caught.exception))
