"""Real database servers that fail, and two nodes that use one at the same time.

A part of the contract in ``timtw.test.contracts``; see there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import provider

from timtw.model.errors import BadParameter, NameTaken, StorageUnavailable, Undefined
from timtw.model.limits import BATCH_DRAFTS, DATABASE_STATEMENT_SECONDS
from timtw.model.posting import Batch, Outcome, Posted
from timtw.model.progress import CursorMove
from timtw.model.stores import ShardError
from timtw.model.values import FIRST_ACCOUNT, Conversation, Draft, LogPage, TokenGrant
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.server.places import place_of
from timtw.shards.server.shard import ServerShard
from timtw.shards.tables.operations import Begin, Operation, first_of
from timtw.test import servers
from timtw.test.contracts import ADA, BOB, CYD, NOW, PAIR, PHONE, draft
from timtw.test.contracts_kinds import removal
from timtw.test.cutter import Cut, Cutter

REACTOR: Any = reactor


def told(text: str) -> Deferred[None]:
    """Fires when the log says this."""
    found: Deferred[None] = Deferred()

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        if event.get("log_format") == text:
            globalLogPublisher.removeObserver(observe)
            found.callback(None)

    globalLogPublisher.addObserver(observe)
    return found


class ServerCase(TestCase):
    """One or more nodes over one database."""

    def make_server(self) -> servers.Server:
        """The server of this process."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Take an empty database."""
        self.server = self.make_server()
        self.database = self.server.emptied()
        self.keys = Path(self.mktemp())

    def shard(self, url: str = "", patience: float = 0) -> ServerShard:
        """A node's storage, not yet started."""
        place = place_of(url or self.server.url(self.database))
        return ServerShard(place, self.keys, patience, REACTOR, REACTOR, os.urandom)

    async def started(self, url: str = "") -> ServerShard:
        """A node's storage, stopped after the test."""
        shard = self.shard(url)
        await shard.start()
        self.addCleanup(shard.stop)
        return shard

    async def refused(self, url: str) -> str:
        """The sentence with which a start is refused."""
        shard = self.shard(url)
        with self.assertRaises(ShardError) as caught:
            await shard.start()
            self.addCleanup(shard.stop)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    async def post(self, shard: ServerShard, *drafts: Draft) -> list[Outcome]:
        """Post these in one batch."""
        return list(await shard.messages.post(Batch(drafts)))

    async def log(self, shard: ServerShard, account: int) -> LogPage:
        """The log of an account."""
        heads = await shard.messages.heads([account])
        return await shard.messages.read_log(account, 0, heads[account], 1000)


class DoubtContract(ServerCase):
    """The line is cut between COMMIT and its answer."""

    async def lines(self) -> tuple[ServerShard, Cutter]:
        """A node behind a line that can be cut."""
        cutter = Cutter(self.server.socket)
        self.addCleanup(cutter.close)
        shard = await self.started(self.server.url(self.database, cutter.socket))
        return shard, cutter

    async def test_cut_at_commit(self) -> None:
        """
        A message is stored once and answered as stored, wherever the line breaks.
        """
        shard, cutter = await self.lines()
        for n, cut in enumerate([Cut.AFTER, Cut.BEFORE, Cut.AFTER], 1):
            cutter.cut = cut
            (posted,) = await self.post(shard, draft(f"{n}"))
            assert isinstance(posted, Posted)
            self.assertEqual((n, n), (posted.message.mid, posted.sender_seq))
        self.assertEqual(3, cutter.cuts)
        page = await self.log(shard, BOB.number)
        texts = [entry.message.content.text for entry in page.entries]
        self.assertEqual(["1", "2", "3"], texts)

    async def test_cut_at_other_writes(self) -> None:
        """
        A name that was registered is answered, a token that was taken lets in.
        """
        shard, cutter = await self.lines()
        cutter.cut = Cut.AFTER
        ada = await shard.accounts.register("ada", "here", "hash", NOW)
        self.assertEqual(ada, await shard.accounts.find("ada", "here"))
        grant = TokenGrant(ada, "ada", None)
        await shard.accounts.put_token("t", grant, NOW + 10)
        cutter.cut = Cut.AFTER
        self.assertEqual(grant, await shard.accounts.take_token("t", NOW))
        self.assertEqual(2, cutter.cuts)


class FaultsContract(ServerCase):
    """The server fails."""

    async def test_connections_are_ended(self) -> None:
        """
        An administrator who ends all connections interrupts nobody.
        """
        shard = await self.started()
        await self.post(shard, draft("1"))
        await gatherResults([shard.messages.heads([n]) for n in range(8)])
        self.server.disconnect(self.database)
        (posted,) = await self.post(shard, draft("2"))
        self.assertIsInstance(posted, Posted)

    async def test_server_is_killed(self) -> None:
        """
        While the server is gone everything is refused; it comes back with everything.
        """
        shard = await self.started()
        await self.post(shard, draft("1"))
        self.server.kill()
        for _ in range(3):
            await self.assertFailure(self.posting(shard, "lost"), StorageUnavailable)
        heads = shard.messages.heads([BOB.number])
        await self.assertFailure(heads, StorageUnavailable)
        back = told("storage is back")
        self.server.start()
        await back
        await self.post(shard, draft("2"))
        page = await self.log(shard, BOB.number)
        texts = [entry.message.content.text for entry in page.entries]
        self.assertEqual(["1", "2"], texts)

    def posting(self, shard: ServerShard, text: str) -> Deferred[Any]:
        """Post one message."""
        return Deferred.fromCoroutine(self.post(shard, draft(text)))

    async def test_deadlock(self) -> None:
        """
        Of two transactions that wait for each other both are stored in the end.
        """
        shards = [await self.started() for _ in range(2)]
        keys = [b"a" * 16, b"b" * 16]
        for key in keys:
            self.server.ask(
                f"INSERT INTO mark VALUES ('{key.decode()}', 0, {NOW})", self.database
            )
        sleep, lock = self.server.sleep, "UPDATE mark SET number = 1 WHERE ident = %s"

        def begin(first: bytes, second: bytes) -> Begin[bytes]:
            def operation() -> Operation[bytes]:
                yield lock, (first,)
                yield sleep, (0.3,)
                yield lock, (second,)
                return first

            return operation

        writing = []
        for shard, order in zip(shards, (keys, keys[::-1]), strict=True):
            assert shard._pool is not None
            writing.append(shard._pool.write(begin(*order)))
        self.assertEqual(keys, await gatherResults(writing))

    async def test_lock_is_held(self) -> None:
        """
        What another program holds for too long is refused; nothing waits for ever.
        """
        shard = await self.started()
        await shard.accounts.register("ada", "here", "hash", NOW)
        with self.server.locked("SELECT * FROM account FOR UPDATE", self.database):
            number = (await shard.accounts.listing(FIRST_ACCOUNT, 1))[0].account.number
            blocking = shard.accounts.set_blocked(number, -1)
            await self.assertFailure(blocking, StorageUnavailable)
        await shard.accounts.set_blocked(number, -1)

    async def test_statements_are_limited(self) -> None:
        """
        A statement that takes too long is ended by the server itself.
        """
        shard = await self.started()
        assert shard._pool is not None
        asked = shard._pool.read(lambda: first_of(self.server.time_limit, ()))
        self.assertEqual((DATABASE_STATEMENT_SECONDS * 1000,), await asked)

    async def test_one_bad_row(self) -> None:
        """
        A message that no database takes fails alone; what came with it is stored.
        """
        shard = await self.started()
        desk = GroupCommit(shard.messages, REACTOR)
        answers: list[Outcome] = []
        for n in range(1, 9):
            desk.post(draft(f"{n}", ident=n if n != 5 else 1 << 63), answers.append)
        await desk.flush()
        self.flushLoggedErrors()
        kinds = [type(answer) for answer in answers]
        self.assertEqual([Posted] * 4 + [Undefined] + [Posted] * 3, kinds)
        mids = [one.message.mid for one in answers if isinstance(one, Posted)]
        self.assertEqual(list(range(1, 8)), mids)

    async def test_large_batch(self) -> None:
        """
        A batch of the largest size, of large messages, is one transaction.
        """
        shard = await self.started()
        large = "x" * 80_000
        drafts = [draft(large if n % 2 else "y") for n in range(BATCH_DRAFTS)]
        posted = await self.post(shard, *drafts)
        mids = [one.message.mid for one in posted if isinstance(one, Posted)]
        self.assertEqual(list(range(1, BATCH_DRAFTS + 1)), mids)


class RacesContract(ServerCase):
    """Two nodes use one database at the same time."""

    async def both(self) -> tuple[ServerShard, ServerShard]:
        """Two nodes."""
        return await self.started(), await self.started()

    async def test_names(self) -> None:
        """
        Of two nodes that register a name at once one gets it.
        """
        shards = await self.both()
        for n in range(10):
            asked = [s.accounts.register(f"n{n}", "x", "hash", NOW) for s in shards]
            outcomes: Any = await DeferredList(asked, consumeErrors=True)
            (made,) = [value for is_made, value in outcomes if is_made]
            (refused,) = [value for is_made, value in outcomes if not is_made]
            self.assertIsInstance(refused.value, NameTaken)
            self.assertEqual(made, await shards[0].accounts.find(f"n{n}", "x"))

    async def test_tokens(self) -> None:
        """
        A token lets one in, whichever node is asked.
        """
        shards = await self.both()
        made = await shards[0].accounts.register("ada", "here", "hash", NOW)
        grant = TokenGrant(made, "ada", None)
        for n in range(10):
            await shards[0].accounts.put_token(f"{n}", grant, NOW + 10)
            taking = [s.accounts.take_token(f"{n}", NOW) for s in shards]
            self.assertCountEqual([grant, None], await gatherResults(taking))

    async def test_passwords(self) -> None:
        """
        Of two nodes that change a password at once one does.
        """
        shards = await self.both()
        number = (await shards[0].accounts.register("ada", "x", "hash", NOW)).number
        for version in range(1, 11):
            changing = [s.accounts.set_verifier(number, "h", version) for s in shards]
            self.assertCountEqual([True, False], await gatherResults(changing))

    async def test_numbers(self) -> None:
        """
        Two nodes that write into the same conversations number without gaps.
        """
        shards = await self.both()
        people = (ADA, BOB, CYD)
        pairs = [(a, b) for a in people for b in people]
        posting = []
        for n in range(30):
            drafts = [draft(f"{n}", *pairs[(n + m) % 9]) for m in range(5)]
            posting.append(self.post(shards[n % 2], *drafts))
        running = [Deferred.fromCoroutine(one) for one in posting]
        posted = [one for batch in await gatherResults(running) for one in batch]
        numbers: dict[Conversation, list[int]] = {}
        for one in posted:
            assert isinstance(one, Posted)
            message = one.message
            numbers.setdefault(message.conversation, []).append(message.mid)
        for given in numbers.values():
            self.assertEqual(list(range(1, len(given) + 1)), sorted(given))
        for account in people:
            page = await self.log(shards[0], account.number)
            seqs = [entry.seq for entry in page.entries]
            self.assertEqual(list(range(1, len(seqs) + 1)), seqs)

    async def test_repeats(self) -> None:
        """
        A send that a client repeats over another node is one message.
        """
        shards = await self.both()
        for n in range(10):
            sends = [self.post(s, draft("hi", ident=n)) for s in shards]
            running = [Deferred.fromCoroutine(one) for one in sends]
            (one,), (other,) = await gatherResults(running)
            assert isinstance(one, Posted)
            assert isinstance(other, Posted)
            self.assertEqual({True, False}, {one.repeated, other.repeated})
            self.assertEqual(one.message.mid, other.message.mid)
        found = await shards[0].messages.history(PAIR, 0, None, 99)
        self.assertEqual(10, len(found))

    async def test_removals(self) -> None:
        """
        Of two devices that take one text back at once one has done it.
        """
        shards = await self.both()
        for _ in range(10):
            (text,) = await self.post(shards[0], draft("text"))
            assert isinstance(text, Posted)
            mid = text.message.mid
            removing = [self.post(s, removal(mid)) for s in shards]
            running = [Deferred.fromCoroutine(one) for one in removing]
            kinds = [type(batch[0]) for batch in await gatherResults(running)]
            self.assertCountEqual([Posted, BadParameter], kinds)
        heads = await shards[0].messages.heads([ADA.number])
        self.assertEqual({ADA.number: 20}, heads)

    async def test_cursors(self) -> None:
        """
        A position that a device has reached on one node is kept by all.
        """
        shards = await self.both()
        state = await shards[0].readers.open(BOB.number, PHONE, NOW)
        moving: list[Deferred[Any]] = []
        for cursor in range(1, 41):
            move = CursorMove(BOB.number, state.key, cursor)
            moving.append(shards[cursor % 2].messages.post(Batch((), (move,))))
            moving.append(shards[cursor % 2].readers.open(BOB.number, PHONE, NOW))
        await gatherResults(moving)
        state = await shards[0].readers.open(BOB.number, PHONE, NOW)
        self.assertEqual(40, state.cursor)
