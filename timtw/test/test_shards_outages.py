"""The embedded engine while the file cannot be written, or a page of it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import capturedLogs

from timtw.model.errors import StorageUnavailable
from timtw.model.posting import Batch, Outcome, Posted
from timtw.model.profiles import About
from timtw.model.progress import CursorMove, ReaderState
from timtw.model.stores import StorageDamaged
from timtw.model.values import Device
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.sqlite import file as sqlite_file
from timtw.shards.sqlite import moving
from timtw.shards.sqlite import posting as sqlite_posting
from timtw.shards.sqlite.shard import SqliteShard
from timtw.shards.sqlite.writer import OPERATIONS
from timtw.test.contracts import ADA, BOB, NOW, PHONE, draft, mids
from timtw.test.test_shards_sqlite import REACTOR, FileCase, make

PAGE = 4096


class Outage(FileCase):
    """A shard whose file another program can lock."""

    def setUp(self) -> None:
        """Nobody waits long for a lock."""
        super().setUp()
        self.patch(sqlite_file, "STORAGE_BUSY_SECONDS", 0.01)

    @property
    def file(self) -> Path:
        """The database."""
        return self.place / "data" / "tim.db"

    def lock(self) -> Callable[[], None]:
        """Let another program hold the right to write; ends it."""
        other = sqlite3.connect(self.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.addCleanup(other.close)
        return other.close


class LoginTests(Outage):
    """Who can log in while nothing can be written."""

    async def prepared(self) -> SqliteShard:
        """Bob's phone has confirmed two of three entries; the next has stopped it."""
        shard = make(self.place)
        await shard.start()
        await shard.messages.post(Batch((draft("1"), draft("2"), draft("3"))))
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        await shard.messages.post(Batch((), (CursorMove(BOB.number, state.key, 2),)))
        await shard.readers.stuck(BOB.number, state.key, 3)
        self.expected = ReaderState(state.key, 2, 3, 3, 1, session=1)
        return shard

    async def assert_logs_in(self, shard: SqliteShard) -> None:
        """A device that is known is where it was."""
        self.lock()
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual(self.expected, state)

    async def test_known_device(self) -> None:
        """A device that was here before logs in, and is where it was."""
        shard = await self.prepared()
        self.addCleanup(shard.stop)
        await self.assert_logs_in(shard)

    async def test_known_device_after_a_restart(self) -> None:
        """The same where nothing is in memory any more."""
        await self.assert_logs_in(await self.moved(await self.prepared()))

    async def test_nothing_was_ever_sent(self) -> None:
        """The same for an account without any message."""
        shard = await self.opened()
        before = await shard.readers.open(ADA.number, PHONE, NOW)
        self.lock()
        self.assertEqual(before, await shard.readers.open(ADA.number, PHONE, NOW))

    async def test_new_device(self) -> None:
        """
        A new device is refused: nobody would remember what it has and what it misses.
        """
        shard = await self.prepared()
        self.addCleanup(shard.stop)
        unlock = self.lock()
        asked = shard.readers.open(BOB.number, Device("new"), NOW)
        await self.assertFailure(asked, StorageUnavailable)
        unlock()
        state = await shard.readers.open(BOB.number, Device("new"), NOW)
        self.assertEqual(2, state.cursor)


class WaitingTests(Outage):
    """How long somebody waits for storage that is away."""

    async def test_two_attempts(self) -> None:
        """However many wait, all are refused when two attempts have failed."""
        shard = await self.opened()
        unlock = self.lock()
        with capturedLogs() as events:
            asked = [
                shard.accounts.change_profile(n, About("x"))
                for n in range(4 * OPERATIONS)
            ]
            self.assertEqual(len(asked), shard.waiting)
            for one in asked:
                await self.assertFailure(one, StorageUnavailable)
        told = [one for one in events if "storage failed" in one["log_format"]]
        self.assertEqual(2, len(told))
        self.assertEqual(0, shard.waiting)
        unlock()
        await shard.accounts.change_profile(1, About("x"))


class Doubtful(sqlite3.Connection):
    """A connection whose COMMIT can fail although it happens."""

    fails: ClassVar[bool] = False

    def execute(self, text: str, parameters: Any = ()) -> sqlite3.Cursor:
        """See ``sqlite3.Connection``."""
        done = super().execute(text, parameters)
        if text == "COMMIT" and type(self).fails:
            raise sqlite3.OperationalError("disk I/O error")
        return done


class DoubtTests(Outage):
    """A transaction that is in the file, though its COMMIT has failed."""

    def setUp(self) -> None:
        """COMMIT can fail so."""
        super().setUp()
        connect = partial(sqlite3.connect, factory=Doubtful)
        self.patch(sqlite_file, "connect", connect)
        self.addCleanup(setattr, Doubtful, "fails", False)

    async def test_comes_back(self) -> None:
        """
        What was refused and is there all the same has its number, is read in its place,
        and keeps nobody from writing more.
        """
        shard = await self.opened()
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        await shard.messages.post(Batch((draft("1"),)))
        Doubtful.fails = True
        moves = (CursorMove(BOB.number, state.key, 1),)
        doubtful = shard.messages.post(Batch((draft("2", ident=2),), moves))
        await self.assertFailure(doubtful, StorageUnavailable)
        Doubtful.fails = False
        again = Batch((draft("2", ident=2), draft("3")))
        first, second = await shard.messages.post(again)
        assert isinstance(first, Posted) and isinstance(second, Posted)
        self.assertEqual([2, 3], [one.message.mid for one in (first, second)])
        self.assertTrue(first.repeated)
        page = await shard.messages.read_log(BOB.number, 0, 3, 10)
        read = [(one.seq, one.message.content.text) for one in page.entries]
        self.assertEqual([(1, "1"), (2, "2"), (3, "3")], read)
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual(1, state.cursor)
        await shard.messages.post(Batch((), (CursorMove(BOB.number, state.key, 3),)))
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual(3, state.cursor)


class DamageTests(Outage):
    """A damaged page."""

    async def damaged(self, table: str) -> tuple[SqliteShard, Callable[[], None]]:
        """A shard whose small ``table`` cannot be read; what makes it whole again."""
        shard = make(self.place)
        await shard.start()
        await shard.messages.post(Batch((draft("1", ident=1),)))
        await shard.stop()
        await self.founded()  # Brings everything to the tables, and to the file.
        shard = await self.opened()
        query = f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'"
        ((page,),) = self.sql(query)
        place = (page - 1) * PAGE
        whole = self.file.read_bytes()[place : place + PAGE]
        self.overwrite(place, bytes(PAGE))
        return shard, lambda: self.overwrite(place, whole)

    def overwrite(self, place: int, octets: bytes) -> None:
        """Write into the file, past everybody who has it open."""
        with self.file.open("r+b") as file:
            file.seek(place)
            file.write(octets)

    async def test_others_are_stored(self) -> None:
        """
        Where sends with an id cannot be looked up those without one are stored, and
        everything is when the page is whole again.
        """
        shard, mend = await self.damaged("send_once")
        desk = GroupCommit(shard.messages, REACTOR)
        answers: list[Outcome] = []
        for n in range(8):
            desk.post(draft(f"{n}", ident=9 if n == 3 else None), answers.append)
        await desk.flush()
        codes = [getattr(one, "code", 0) for one in answers]
        self.assertEqual([0, 0, 0, 5103, 0, 0, 0, 0], codes)
        mend()
        (posted,) = await shard.messages.post(Batch((draft("3", ident=9),)))
        assert isinstance(posted, Posted)
        self.assertEqual((9, False), (posted.message.mid, posted.repeated))

    async def test_fails_alone(self) -> None:
        """Whoever asks together with somebody who meets damage is served."""
        shard, _mend = await self.damaged("send_once")
        bad = shard.messages.post(Batch((draft("2", ident=2),)))
        good: list[Deferred[None]] = [
            shard.accounts.change_profile(n, About("x")) for n in range(3)
        ]
        await self.assertFailure(bad, StorageDamaged)
        await gatherResults(good)


class FullJournalTests(Outage):
    """Moving has failed for so long that nothing more is taken."""

    async def test_comes_back_soon(self) -> None:
        """
        When the cause is gone texts are taken again after a minute at most, not after
        as many attempts as have failed before.
        """
        self.patch(moving, "JOURNAL_ROWS", 0)
        shard = await self.opened()
        self.sql("ALTER TABLE message RENAME TO elsewhere")
        for _ in range(300):
            await shard.messages.post(Batch((draft("x"),)))
        self.patch(sqlite_posting, "JOURNAL_MOST", 300)
        refused = shard.messages.post(Batch((draft("x"),)))
        await self.assertFailure(refused, StorageUnavailable)
        self.sql("ALTER TABLE elsewhere RENAME TO message")
        # As many commits as a quiet node has in a minute and a half.
        for _ in range(90):
            try:
                posted = await shard.messages.post(Batch((draft("x"),)))
            except StorageUnavailable:
                continue
            self.assertEqual([301], mids(posted))
            return
        self.fail("still refused")
