"""What waits for a database on a server: whoever asks, and whoever looks for a mark.

A part of the contract in ``timtw.test.contracts``; see there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from timtw.core.core import Core
from timtw.core.router import NoPeers
from timtw.model import limits
from timtw.model.commands import LogIn, PullHistory, Register
from timtw.model.errors import Overloaded
from timtw.model.events import Delivery, Event, History, LoggedIn, Refused
from timtw.model.posting import Outcome, Posted
from timtw.model.values import Device
from timtw.rooms.groups import Groups
from timtw.rooms.live.live import Live
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.server.shard import ServerShard
from timtw.test.contracts import BOB, draft
from timtw.test.contracts_servers import REACTOR, ServerCase
from timtw.test.cutter import Cut, Cutter
from timtw.test.stage import OPEN, Client, QuickPasswords, entropy_of

GLANCE = 0.15
"""Seconds between two looks at what a server does. MariaDB tells of its transactions
what it told the last time, unless nobody has asked for a tenth of a second."""
SECONDS = 30.0
"""How long a server may take until it does it."""


class Hearing(Client):
    """A client that can wait for what it is told."""

    waiting: tuple[type[Event], Deferred[Any]] | None = None

    def offer(self, event: Event) -> bool:
        """See ``IOutbox``."""
        taken = super().offer(event)
        if self.waiting is not None and isinstance(event, self.waiting[0]):
            done, self.waiting = self.waiting[1], None
            # Later: what it was told is the last step of a command but not its end.
            REACTOR.callLater(0, done.callback, event)
        return taken

    def next(self, kind: type[Event]) -> Deferred[Any]:
        """The next thing of a kind that it is told."""
        done: Deferred[Any] = Deferred()
        self.waiting = kind, done
        return done


class CrowdContract(ServerCase):
    """More is asked of a database than it can do."""

    async def node(self, shard: ServerShard) -> Core:
        """A node on this database."""
        core = Core(
            shard=shard,
            desk=GroupCommit(shard.messages, REACTOR),
            mesh=NoPeers(),
            passwords=QuickPasswords(),
            settings=OPEN,
            clock=REACTOR,
            entropy=entropy_of(7),
            time_ns=time.time_ns,
            make_groups=Groups,
            make_live=Live,
        )
        core.start()
        self.addCleanup(core.stop)
        return core

    async def test_history_first_then_logins(self) -> None:
        """
        When reads wait for the database history is refused, then whoever comes, never
        a text; later all are served again, by themselves.
        """
        self.patch(limits, "HISTORY_WAITING", 30)
        self.patch(limits, "LOGINS_WAITING", 90)
        shard = await self.started()
        core = await self.node(shard)
        bob = await core.register(Register("bob", "bob", ""), "home")
        await core.register(Register("ada", "ada", ""), "home")
        ada = Hearing()
        ada.session = core.open(ada, "home")
        ada.asks(LogIn("ada", "ada", "", "", Device("phone")))
        await ada.next(LoggedIn)
        self.assertEqual(0, shard.waiting)

        reading = self.reads(shard, 29)
        ada.asks(PullHistory(bob.node, 0, 5))
        self.assertEqual([], ada.told(Refused))
        await ada.next(History)
        await gatherResults(reading)

        reading = self.reads(shard, 30)
        self.assertEqual(30, shard.waiting)
        ada.asks(PullHistory(bob.node, 0, 5))
        (refused,) = ada.told(Refused)
        self.assertIsInstance(refused.error, Overloaded)
        await core.register(Register("cyd", "cyd", ""), "home")
        await gatherResults(reading)

        reading = self.reads(shard, 90)
        dan = core.register(Register("dan", "dan", ""), "home")
        await self.assertFailure(dan, Overloaded)
        self.assertGreaterEqual(shard.waiting, 90)
        ada.writes(bob, "never refused")
        await ada.next(Delivery)
        await gatherResults(reading)

        self.assertEqual(0, shard.waiting)
        ada.asks(PullHistory(bob.node, 0, 5))
        await ada.next(History)
        await core.register(Register("dan", "dan", ""), "home")
        self.assertEqual(1, len(ada.told(Refused)))

    def reads(self, shard: ServerShard, count: int) -> list[Deferred[Any]]:
        """Ask for so much at once."""
        return [shard.messages.heads([n + 1]) for n in range(count)]


class MarkContract(ServerCase):
    """A COMMIT is under way while the node already asks what became of it."""

    async def held(self, *before: str) -> tuple[ServerShard, Cutter, Deferred[Any]]:
        """A node that has lost its line in a COMMIT and looks for its mark."""
        cutter = Cutter(self.server.socket)
        self.addCleanup(cutter.close)
        shard = await self.started(self.server.url(self.database, cutter.socket))
        for text in before:
            await self.post(shard, draft(text))
        cutter.cut = Cut.WITHIN
        posting = Deferred.fromCoroutine(self.post(shard, draft("held")))
        await until(lambda: self.server.ask(self.server.lock_waits)[0][0] > 0)
        self.assertNoResult(posting)
        return shard, cutter, posting

    async def stored(self, shard: ServerShard) -> list[str | None]:
        """The texts that were stored."""
        page = await self.log(shard, BOB.number)
        return [entry.message.content.text for entry in page.entries]

    async def check(self, *before: str, delivered: bool) -> None:
        """The author hears of it when it is decided, and it is stored once."""
        shard, cutter, posting = await self.held(*before)
        (cutter.deliver if delivered else cutter.give_up)()
        answer: list[Outcome] = await posting
        (posted,) = answer
        assert isinstance(posted, Posted)
        self.assertEqual(len(before) + 1, posted.message.mid)
        self.assertEqual([*before, "held"], await self.stored(shard))

    async def test_first_commit_takes_place(self) -> None:
        """
        What a new connection commits late is answered as stored, and is there once.
        """
        await self.check(delivered=True)

    async def test_commit_takes_place(self) -> None:
        """
        So is what a connection commits late that has committed before.
        """
        await self.check("1", "2", delivered=True)

    async def test_commit_does_not_take_place(self) -> None:
        """
        What the server gives up in the end is stored by another transaction.
        """
        await self.check("1", delivered=False)


async def until(is_so: Callable[[], bool]) -> None:
    """Look at the server again and again until something is so."""
    last = time.monotonic() + SECONDS
    await deferLater(REACTOR, GLANCE)
    while not is_so():
        assert time.monotonic() < last, "it never was so"
        await deferLater(REACTOR, GLANCE)
