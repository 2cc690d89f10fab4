"""How fast a session may ask, and what happens when something breaks."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer, provider

from timtw.model import limits
from timtw.model.commands import (
    Acknowledge,
    FindAccount,
    LogIn,
    LogOut,
    Ping,
    PullHistory,
    Push,
    SendMessage,
    SendParcel,
)
from timtw.model.errors import StorageUnavailable, Undefined
from timtw.model.events import (
    Delivery,
    History,
    LoggedIn,
    LoggedOut,
    Pong,
    Profiles,
    Refused,
)
from timtw.model.idents import node_of
from timtw.model.posting import Batch, Outcome
from timtw.model.progress import ReaderState
from timtw.model.stores import IMessageStore, IReaderStore, Reader
from timtw.model.values import Content, Conversation, Device, Message
from timtw.shards.memory.shard import MemoryShard
from timtw.test.stage import OPEN, Client, SlowPasswords, Stage, entropy_of


class CrowdTests(SynchronousTestCase):
    """Commands that wait for their turn."""

    def waiting(self, count: int) -> tuple[Stage, SlowPasswords, Client]:
        """A client that has sent so many commands behind a login that waits."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        stage.register("ada")
        client = stage.connect()
        client.asks(LogIn("ada", "ada", "", "", Device("phone")))
        stage.settle()
        for _ in range(count):
            client.asks(PullHistory("no node", 0, 1))
        return stage, passwords, client

    def test_x6_pending_commands(self) -> None:
        """So many may wait; with one more the client is not read from any more."""
        _stage, _passwords, client = self.waiting(limits.PENDING_COMMANDS)
        self.assertFalse(client.held)
        client.asks(FindAccount("ada"))
        self.assertTrue(client.held)

    def test_goes_on(self) -> None:
        """When they are done the client is read from again; all were answered."""
        stage, passwords, client = self.waiting(limits.PENDING_COMMANDS + 1)
        passwords.decide()
        stage.settle()
        self.assertFalse(client.held)
        self.assertEqual(limits.PENDING_COMMANDS + 1, len(client.told(Refused)))

    def test_thousands_in_one_buffer(self) -> None:
        """What was read in one go is answered, be it thousands of commands."""
        stage, passwords, client = self.waiting(5000)
        passwords.decide()
        stage.settle()
        self.assertEqual(5000, len(client.told(Refused)))
        self.assertFalse(client.closed)

    def test_end_in_a_crowd(self) -> None:
        """A line that ends while it is held is not touched any more."""
        stage, passwords, client = self.waiting(limits.PENDING_COMMANDS + 1)
        client.vanishes()
        passwords.decide()
        stage.settle()
        self.assertTrue(client.held)
        self.assertEqual([], client.events)

    def test_x6_sends_under_way(self) -> None:
        """So many sends wait for commits together, others for them."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        ada.writes(bob, "first")  # what both are to each other is looked up alone
        stage.settle()
        room = limits.SENDS_UNDER_WAY + limits.PENDING_COMMANDS
        for number in range(room):
            ada.writes(bob, str(number))
        self.assertFalse(ada.held)
        ada.writes(bob, "one more")
        self.assertTrue(ada.held)
        stage.settle(1)
        self.assertFalse(ada.held)
        expected = ["first", *map(str, range(room)), "one more"]
        self.assertEqual(expected, phone.texts)

    def test_large_sends(self) -> None:
        """Of large texts one is under way and one waits; no more is read meanwhile."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        ada.writes(bob, "first")
        stage.settle()
        texts = ["x" * limits.LARGE_SEND] * 2 + ["x" * (limits.LARGE_SEND + 1)] * 2
        for text in texts[:2]:
            ada.writes(bob, text)
        core = stage.cores["north"]
        self.assertEqual((2, False), (core._desk.waiting, ada.held))
        ada.writes(bob, texts[2])
        self.assertEqual((2, True), (core._desk.waiting, ada.held))
        stage.settle()
        self.assertFalse(ada.held)
        ada.writes(bob, texts[3])
        ada.writes(bob, "last")
        stage.settle()
        self.assertEqual(["first", *texts, "last"], phone.texts)

    def test_x6_many_entries_under_way(self) -> None:
        """Thousands of tiny entries are long as well."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        ada.writes(bob, "first")
        stage.settle()
        count = limits.LARGE_SEND // limits.MAP_ENTRY_BYTES
        extend = {str(number): "" for number in range(count)}
        content = Content(extend=extend)
        for _ in range(2):
            self.assertFalse(ada.held)
            ada.asks(SendMessage(bob.node, content))
        self.assertTrue(ada.held)

    def test_sends_share_a_commit(self) -> None:
        """Sends of one session that wait together are stored together."""
        batches: list[int] = []

        @implementer(IMessageStore)
        class Counting:
            def __init__(self, messages: IMessageStore) -> None:
                self._messages = messages

            def __getattr__(self, name: str) -> object:
                return getattr(self._messages, name)

            def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
                batches.append(len(batch.drafts))
                return self._messages.post(batch)

        def shard(clock: Clock) -> MemoryShard:
            made = MemoryShard(clock, entropy_of(1))
            made.messages = Counting(made.messages)  # type: ignore[assignment]
            return made

        stage = Stage(shard=shard)
        bob = stage.register("bob")
        stage.register("ada")
        ada, _phone = stage.log_in("ada"), stage.log_in("bob")
        for number in range(limits.SENDS_UNDER_WAY + 1):
            ada.writes(bob, str(number))
        stage.settle()
        self.assertEqual([limits.SENDS_UNDER_WAY, 1], [one for one in batches if one])


class RateTests(SynchronousTestCase):
    """Commands per second."""

    def setUp(self) -> None:
        """Ada may ask ten things a second."""
        self.stage = Stage(settings=attrs.evolve(OPEN, commands_per_second=10.0))
        self.stage.register("ada")
        self.ada = self.stage.log_in("ada")
        self.stage.settle(2)
        self.ada.events.clear()

    def test_x1_pauses(self) -> None:
        """Ten at once are fine; after the eleventh the client is not read from."""
        for _ in range(10):
            self.ada.asks(FindAccount("ada"))
        self.assertFalse(self.ada.held)
        self.ada.asks(FindAccount("ada"))
        self.assertTrue(self.ada.held)
        self.stage.clock.advance(0.09)
        self.assertTrue(self.ada.held)
        self.stage.clock.advance(0.02)
        self.assertFalse(self.ada.held)

    def test_never_refuses(self) -> None:
        """Everything that was read is answered, however much it was."""
        for _ in range(limits.FINDS_PER_MINUTE):
            self.ada.asks(FindAccount("ada"))
        self.stage.settle(5)
        self.assertEqual(limits.FINDS_PER_MINUTE, len(self.ada.told(Profiles)))
        self.assertEqual([], self.ada.told(Refused))

    def test_what_does_not_count(self) -> None:
        """Acknowledgements and pings are free."""
        for _ in range(100):
            self.ada.asks(Ping())
            self.ada.asks(Acknowledge(7))
        self.ada.asks(FindAccount("ada"))
        self.assertFalse(self.ada.held)
        self.assertEqual(100, len(self.ada.told(Pong)))

    def test_x1_what_is_refused_counts(self) -> None:
        """Pushes and big data count in octets; if they are refused, as requests too."""
        room = node_of(7)
        for refused in (Push(room, b"x"), SendParcel(room, b"x", True)):
            for _ in range(10):
                self.ada.asks(refused)
                self.stage.settle()
            self.assertFalse(self.ada.held)
            for _ in range(13):
                self.ada.asks(refused)
                self.stage.settle(0)
            self.assertTrue(self.ada.held)
            self.stage.settle(2)
            self.assertFalse(self.ada.held)
        self.assertEqual(46, len(self.ada.told(Refused)))

    def test_x1_the_pace_is_kept(self) -> None:
        """A client that asks whenever it may asks ten times a second."""
        asked = 0
        for _ in range(1000):
            if not self.ada.held:
                self.ada.asks(PullHistory("no node", 0, 1))
                asked += 1
            self.stage.clock.advance(0.01)
        self.assertAlmostEqual(110, asked, delta=3)

    def test_crowd_and_pace(self) -> None:
        """A client that is held for two reasons is read from when both are over."""
        for _ in range(limits.PENDING_COMMANDS + 2):
            self.ada.asks(FindAccount("ada"))
        self.assertTrue(self.ada.held)
        self.stage.settle(20)
        self.assertFalse(self.ada.held)

    def test_end_of_a_held_line(self) -> None:
        """A paused line that ends leaves no timer behind."""
        for _ in range(11):
            self.ada.asks(PullHistory("no node", 0, 1))
        self.ada.vanishes()
        self.stage.settle(0.05)
        self.assertEqual([], self.stage.clock.getDelayedCalls())


@implementer(IMessageStore)
class BrokenMessages:
    """A store of messages whose histories fail as told."""

    def __init__(self, messages: IMessageStore) -> None:
        """Like ``messages`` but for histories."""
        self._messages = messages
        self.error: Exception = RuntimeError("broken")

    def __getattr__(self, name: str) -> object:
        """Everything else works."""
        return getattr(self._messages, name)

    def history(
        self, conversation: Conversation, newest: int, until: int | None, count: int
    ) -> Deferred[Sequence[Message]]:
        """See ``IMessageStore``."""
        return fail(self.error)


@implementer(IReaderStore)
class BrokenReaders:
    """A store of readers that is away."""

    def __init__(self, readers: IReaderStore) -> None:
        """Like ``readers`` once it works."""
        self._readers = readers
        self.works = False

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""
        if self.works:
            return self._readers.open(account, device, now)
        return fail(StorageUnavailable())

    def seen(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""
        return fail(StorageUnavailable())

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``."""
        return fail(StorageUnavailable())


class FaultTests(SynchronousTestCase):
    """What breaks behind a session."""

    def setUp(self) -> None:
        """A node whose storage can be broken."""

        def shard(clock: Clock) -> MemoryShard:
            made = MemoryShard(clock, entropy_of(1))
            self.messages = BrokenMessages(made.messages)
            self.readers = BrokenReaders(made.readers)
            made.messages = self.messages  # type: ignore[assignment]
            made.readers = self.readers  # type: ignore[assignment]
            return made

        self.stage = Stage(settings=attrs.evolve(OPEN, device_limit=1), shard=shard)
        self.bob = self.stage.register("bob")
        self.stage.register("ada")

    def test_bug(self) -> None:
        """A bug is answered 5101 with a reference that the log repeats; then on."""
        self.readers.works = True
        ada = self.stage.log_in("ada")
        lines: list[LogEvent] = []

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        ada.asks(PullHistory(self.bob.node, 0, 5))
        ada.writes(self.bob, "still here")
        self.stage.settle()
        (refused,) = ada.told(Refused)
        self.assertIsInstance(refused.error, Undefined)
        (reference,) = [line["reference"] for line in lines if "reference" in line]
        self.assertIn(str(reference), str(refused.error))
        self.assertNotIn("broken", str(refused.error))
        self.assertEqual(["still here"], ada.echoes)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_d20_storage_away(self) -> None:
        """A database that is away is said so, without a bug in the log."""
        self.readers.works = True
        self.messages.error = StorageUnavailable()
        ada = self.stage.log_in("ada")
        ada.asks(PullHistory(self.bob.node, 0, 5))
        self.stage.settle()
        (refused,) = ada.told(Refused)
        self.assertEqual(5103, refused.error.code)
        self.assertEqual([], ada.told(History))

    def test_login_without_storage(self) -> None:
        """A login that fails in the middle leaves nobody logged in, and can repeat."""
        client = self.stage.connect()
        login = LogIn("ada", "ada", "", "", Device("phone"))
        client.asks(login)
        self.stage.settle()
        (refused,) = client.told(Refused)
        self.assertEqual(5103, refused.error.code)
        self.readers.works = True
        bob = self.stage.log_in("bob")
        (welcome,) = bob.told(LoggedIn)
        bob.writes(welcome.address, "to oneself")
        client = self.stage.connect()
        client.asks(login)
        self.stage.settle()
        self.assertEqual(1, len(client.told(LoggedIn)), client.events)
        bob.writes(client.told(LoggedIn)[0].address, "hi")
        self.stage.settle()
        self.assertEqual(["hi"], client.texts)
        self.assertEqual(1, len(client.told(Delivery)))

    def test_no_room_for_a_credential(self) -> None:
        """Who logs in while none can be stored is let in, and gets none."""
        self.readers.works = True

        def away(
            account: int, device: Device, credential: str, now: int
        ) -> Deferred[None]:
            return fail(StorageUnavailable())

        put = self.stage.shard.accounts.put_credential
        self.patch(self.stage.shard.accounts, "put_credential", away)
        (welcome,) = self.stage.log_in("ada", additions=True).told(LoggedIn)
        self.assertIsNone(welcome.credential)
        self.patch(self.stage.shard.accounts, "put_credential", put)
        (welcome,) = self.stage.log_in("ada", additions=True).told(LoggedIn)
        self.assertIsNotNone(welcome.credential)

    def test_logout_without_storage(self) -> None:
        """A logout whose credential cannot be ended is refused, not half done."""
        self.readers.works = True
        ada = self.stage.log_in("ada")

        def away(account: int, device: Device | None) -> Deferred[None]:
            return fail(StorageUnavailable())

        self.patch(self.stage.shard.accounts, "drop_credentials", away)
        ada.asks(LogOut())
        self.stage.settle()
        self.assertEqual(1, len(ada.told(Refused)))
        self.assertEqual([], ada.told(LoggedOut))
        self.assertFalse(ada.closed)
