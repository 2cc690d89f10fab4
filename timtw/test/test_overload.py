"""Who is refused first when a node has more to do than it can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from timtw.core.overload import Gate
from timtw.model import limits
from timtw.model.commands import (
    ChangeProfile,
    Command,
    FindAccount,
    IssueToken,
    LogIn,
    Ping,
    PullHistory,
    ReadProfiles,
    Register,
    SendMessage,
)
from timtw.model.errors import Overloaded, StorageUnavailable, TimError
from timtw.model.events import (
    History,
    LoggedIn,
    Pong,
    ProfileChanged,
    Profiles,
    Refused,
    Streamed,
)
from timtw.model.limits import (
    HISTORY_WAITING,
    LOGINS_WAITING,
    SENDS_UNDER_WAY,
    STORAGE_WAITING,
)
from timtw.model.posting import Batch, Outcome
from timtw.model.profiles import About
from timtw.model.stores import IMessageStore
from timtw.model.values import STREAM, Address, Content, Device
from timtw.shards import groupcommit
from timtw.shards.memory.shard import MemoryShard
from timtw.test.stage import OPEN, Client, Stage, entropy_of


class GateTests(SynchronousTestCase):
    """A gate for one class of work."""

    def setUp(self) -> None:
        """A gate that shuts at ten."""
        self.waiting = 0
        self.gate = Gate("history", 10, lambda: self.waiting)

    def lets_in(self, waiting: int) -> bool:
        """Whether somebody is let in while so much waits."""
        self.waiting = waiting
        try:
            self.gate.enter()
        except Overloaded:
            return False
        return True

    def test_both_sides(self) -> None:
        """Below the limit everybody is served, at it nobody."""
        self.assertTrue(self.lets_in(9))
        self.assertFalse(self.lets_in(10))

    def test_does_not_flap(self) -> None:
        """Whoever was refused is served when half of it is done, not a moment later."""
        told = [self.lets_in(waiting) for waiting in (10, 9, 6, 5, 9, 10, 5)]
        self.assertEqual([False, False, False, True, True, False, True], told)

    def test_log(self) -> None:
        """An operator reads when it began and when it was over, once each."""
        with capturedLogs() as events:
            for waiting in (3, 10, 11, 10, 5, 4):
                self.lets_in(waiting)
        self.assertEqual(
            [("history", 10), ("history", 5)],
            [(event["what"], event["waiting"]) for event in events],
        )


@implementer(IMessageStore)
class HeldMessages:
    """A store of messages whose commits wait for a test."""

    def __init__(self, messages: IMessageStore) -> None:
        """Like ``messages`` but for commits."""
        self._messages = messages
        self.held: Deferred[None] | None = None

    def __getattr__(self, name: str) -> object:
        """Everything else works."""
        return getattr(self._messages, name)

    def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
        """See ``IMessageStore``."""
        if self.held is None:
            return self._messages.post(batch)
        return self.held.addCallback(lambda _none: self._messages.post(batch))

    def release(self) -> None:
        """Go on."""
        held, self.held = self.held, None
        assert held is not None
        held.callback(None)


class Crowded(SynchronousTestCase):
    """Many write to Bob while commits take long; Ada is logged in."""

    writers: ClassVar[int]

    def setUp(self) -> None:
        """Everybody is logged in, and the next commit does not end."""

        def shard(clock: Clock) -> MemoryShard:
            made = MemoryShard(clock, entropy_of(1))
            self.messages = HeldMessages(made.messages)
            made.messages = self.messages  # type: ignore[assignment]
            return made

        settings = attrs.evolve(OPEN, device_limit=self.writers)
        self.stage = Stage(settings=settings, shard=shard)
        self.addresses = {
            name: self.stage.register(name) for name in ("ada", "bob", "cyd")
        }
        self.bob_address = self.addresses["bob"]
        self.ada = self.stage.log_in("ada")
        self.bob = self.stage.log_in("bob")
        self.crowd = [
            self.stage.log_in("cyd", f"{n}", acknowledges=False)
            for n in range(self.writers)
        ]
        self.ada.writes(self.bob_address, "before")
        self.crowd[0].writes(self.bob_address, "before")
        self.stage.settle()
        self.messages.held = Deferred()

    def fill(self, up_to: int) -> None:
        """Let the crowd write until so many texts wait."""
        desk = self.stage.cores["north"]._desk
        for number in range(desk.waiting, up_to):
            client = self.crowd[number // SENDS_UNDER_WAY]
            client.writes(self.bob_address, f"{number}")
        self.assertEqual(up_to, desk.waiting)

    def answer(self, command: Command, client: Client | None = None) -> object:
        """What Ada is answered, or why she is refused."""
        client = client or self.ada
        before = len(client.events)
        client.asks(command)
        self.stage.settle()
        found = client.events[before:]
        self.assertTrue(found, command)
        event = found[0]
        return type(event.error) if isinstance(event, Refused) else type(event)

    def login(self) -> object:
        """What a login is answered."""
        login = LogIn("ada", "ada", "", "", Device("laptop"))
        return self.answer(login, self.stage.connect())

    def post(self, work: Deferred[Any]) -> object:
        """What a request over HTTP is answered."""
        try:
            return type(self.stage.ready(work))
        except TimError as error:
            return type(error)

    def register(self, name: str) -> object:
        """What a registration is answered."""
        command = Register(name, name, "")
        return self.post(self.stage.cores["north"].register(command, "home"))

    def token(self) -> object:
        """What somebody is answered who asks for a token."""
        command = IssueToken("ada", "ada", "", None)
        return self.post(self.stage.cores["north"].issue_token(command, "home"))

    def requests(self) -> list[object]:
        """What Ada is answered to whatever is refused first."""
        commands = (
            PullHistory(self.bob_address.node, 0, 5),
            ReadProfiles((self.bob_address.node,)),
            FindAccount("bob"),
            ChangeProfile(About("Ada")),
        )
        return [self.answer(command) for command in commands]

    def go_on(self) -> None:
        """The commit ends, and all others after it."""
        self.messages.release()
        self.stage.settle(1.0)


class HistoryTests(Crowded):
    """What is refused first."""

    writers = -(-HISTORY_WAITING // SENDS_UNDER_WAY)

    def test_history_first(self) -> None:
        """
        When much waits history and profiles are refused, and nothing else; later they
        are served again, by themselves.
        """
        served = [History, Profiles, Profiles, ProfileChanged]
        self.fill(HISTORY_WAITING - 1)
        self.assertEqual(served, self.requests())
        self.fill(HISTORY_WAITING)
        self.assertEqual([Overloaded] * 4, self.requests())
        self.assertEqual((LoggedIn, str), (self.login(), self.token()))
        self.assertEqual(Address, self.register("dan"))
        self.go_on()
        self.assertEqual(served, self.requests())
        self.assertFalse(any(client.told(Refused) for client in self.crowd))

    def test_what_is_wrong_is_said(self) -> None:
        """A request that could never be served is not answered "later"."""
        self.fill(HISTORY_WAITING)
        wrong = self.answer(PullHistory("no node", 0, 5))
        self.assertNotEqual(Overloaded, wrong)


class ReadsTests(Crowded):
    """Reads are as good a reason as texts."""

    writers = 1

    def test_reads(self) -> None:
        """When storage cannot keep up with reading, history is refused as well."""
        shard = self.stage.shard
        for _ in range(HISTORY_WAITING):
            _ = shard.accounts.accounts(())
        self.assertEqual(HISTORY_WAITING, shard.waiting)
        self.ada.asks(PullHistory(self.bob_address.node, 0, 5))
        (refused,) = self.ada.told(Refused)
        self.assertEqual(5104, refused.error.code)
        self.stage.settle()
        self.assertEqual(History, self.requests()[0])


class NumbersTests(SynchronousTestCase):
    """Who is refused first is a matter of three numbers."""

    def test_order(self) -> None:
        """History goes first, then whoever comes, and texts last."""
        numbers = [HISTORY_WAITING, LOGINS_WAITING, STORAGE_WAITING]
        self.assertEqual([2_500, 7_500, 10_000], numbers)


class TextsTests(Crowded):
    """What is refused last, with numbers a tenth as large."""

    texts = STORAGE_WAITING // 10
    logins = LOGINS_WAITING // 10
    writers = -(-texts // SENDS_UNDER_WAY)

    def setUp(self) -> None:
        """The gates are smaller, and so is the desk."""
        self.patch(limits, "LOGINS_WAITING", self.logins)
        self.patch(groupcommit, "STORAGE_WAITING", self.texts)
        super().setUp()

    def test_logins_next_and_texts_last(self) -> None:
        """
        Then logins, tokens and registrations are refused; texts not before there is no
        room for one more. Who is logged in stays, and what needs no storage goes on.
        """
        self.fill(self.logins - 1)
        self.assertEqual((LoggedIn, str), (self.login(), self.token()))
        self.fill(self.logins)
        self.assertEqual((Overloaded, Overloaded), (self.login(), self.token()))
        self.assertEqual(Overloaded, self.register("dan"))
        self.fill(self.texts - 1)
        self.ada.writes(self.bob_address, "the last one")
        self.ada.writes(self.bob_address, "one too many", 7)
        self.assertEqual(Pong, self.answer(Ping()))
        self.stream()
        self.assertFalse(self.ada.closed or self.bob.closed)
        self.go_on()
        self.assertEqual(["before", "the last one"], self.ada.echoes)
        refused = [one for one in self.ada.told(Refused) if one.error.code == 5103]
        self.assertEqual(1, len(refused))
        self.assertIsInstance(refused[0].error, StorageUnavailable)
        crowd = [text for text in self.bob.texts if text and text.isdecimal()]
        self.assertEqual(list(map(str, range(self.texts - 1))), crowd)
        self.assertEqual((LoggedIn, str), (self.login(), self.token()))
        self.ada.writes(self.bob_address, "one too many", 7)
        self.stage.settle()
        self.assertEqual(1, self.bob.texts.count("one too many"))

    def stream(self) -> None:
        """What Bob streams reaches Ada."""
        ada = self.addresses["ada"]
        self.bob.asks(SendMessage(ada.node, Content(text="live"), kind=STREAM))
        self.stage.settle()
        self.assertEqual(1, len(self.ada.told(Streamed)))
