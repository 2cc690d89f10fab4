"""One connection from its opening to its end."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import (
    Acknowledge,
    Command,
    FetchBacklog,
    FindAccount,
    LogIn,
    LogOut,
    Ping,
    PullHistory,
    ReadProfiles,
    SendMessage,
    Unacceptable,
)
from timtw.model.errors import BadParameter, PermissionDenied, UnknownAccount
from timtw.model.events import (
    AlreadyLoggedIn,
    Delivery,
    EndOfBacklog,
    Event,
    History,
    LoggedIn,
    LoggedOut,
    Pong,
    Profiles,
    Refused,
)
from timtw.model.values import Content, Device
from timtw.test.stage import OPEN, SlowPasswords, Stage


def log_in(name: str = "ada", password: str = "ada", resource: str = "phone") -> LogIn:
    """A login by password."""
    return LogIn(name, password, "", "", Device(resource))


class DeadlineTests(SynchronousTestCase):
    """A connection that does not log in."""

    def test_both_sides(self) -> None:
        """It is closed after five seconds, without a word, and not before."""
        stage = Stage()
        client = stage.connect()
        stage.clock.advance(limits.LOGIN_DEADLINE - 0.1)
        self.assertFalse(client.closed)
        stage.clock.advance(0.1)
        self.assertTrue(client.closed)
        self.assertEqual([], client.events)

    def test_failed_login_does_not_extend_it(self) -> None:
        """A wrong password neither closes the line nor gives more time."""
        stage = Stage()
        client = stage.connect()
        stage.clock.advance(4)
        client.asks(log_in("nobody"))
        stage.settle(0.5)
        self.assertEqual(1, len(client.told(Refused)))
        self.assertFalse(client.closed)
        stage.settle(0.6)
        self.assertTrue(client.closed)

    def test_waiting_does_not_count(self) -> None:
        """While a login waits for its decision the deadline stands still."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        stage.register("ada")
        client = stage.connect()
        stage.clock.advance(3)
        client.asks(log_in(password="wrong"))
        stage.settle(60)
        self.assertFalse(client.closed)
        passwords.decide()
        self.assertIsInstance(client.events[-1], Refused)
        stage.clock.advance(limits.LOGIN_DEADLINE - 3.2)
        self.assertFalse(client.closed)
        stage.clock.advance(0.3)
        self.assertTrue(client.closed)

    def test_l10_l17_login_ends_it(self) -> None:
        """A session outlives the deadline."""
        stage = Stage()
        stage.register("ada")
        client = stage.log_in("ada")
        stage.settle(2 * limits.LOGIN_DEADLINE)
        self.assertFalse(client.closed)


class SilenceTests(SynchronousTestCase):
    """A session whose client says nothing."""

    def setUp(self) -> None:
        """Ada is logged in on a node that wants a sign of life every minute."""
        self.stage = Stage(settings=attrs.evolve(OPEN, ping_timeout=60.0))
        self.stage.register("ada")
        self.ada = self.stage.log_in("ada")

    def test_silence(self) -> None:
        """It is closed without the notice that would keep the client away."""
        self.stage.clock.advance(59)
        self.assertFalse(self.ada.closed)
        self.stage.clock.advance(2)
        self.assertTrue(self.ada.closed)
        self.assertEqual([], self.ada.told(LoggedOut))

    def test_l12_anything_is_life(self) -> None:
        """Each command, also a refused one, is a sign of life, as is a bare frame."""
        signs: list[Command] = [
            Ping(),
            Acknowledge(99),
            FetchBacklog(),
            SendMessage("zzz", Content("x")),
            Unacceptable(BadParameter()),
        ]
        for sign in signs:
            self.stage.clock.advance(40)
            self.ada.asks(sign)
            self.stage.clock.advance(40)
            self.assertFalse(self.ada.closed, sign)
            self.ada.session.alive()
        self.ada.session.alive()
        self.stage.clock.advance(59)
        self.assertFalse(self.ada.closed)
        self.stage.clock.advance(2)
        self.assertTrue(self.ada.closed)

    def test_ping_is_answered(self) -> None:
        """A ping has an answer, an acknowledgement has none."""
        before = len(self.ada.events)
        self.ada.asks(Acknowledge(5))
        self.ada.asks(Ping())
        self.assertEqual([Pong()], self.ada.events[before:])


class BeforeLoginTests(SynchronousTestCase):
    """What a stranger may say."""

    def test_commands_close(self) -> None:
        """Anything but a login ends the line without a word."""
        commands: list[Command] = [
            SendMessage("zzz", Content("x")),
            FetchBacklog(),
            PullHistory("zzz", 0, 1),
            FindAccount("ada"),
            ReadProfiles(("zzz",)),
            LogOut(),
            Unacceptable(BadParameter()),
        ]
        stage = Stage()
        for command in commands:
            client = stage.connect()
            client.asks(command)
            stage.settle()
            self.assertTrue(client.closed, command)
            self.assertEqual([], client.events)

    def test_pings_are_ignored(self) -> None:
        """A ping or an acknowledgement before the login is not answered."""
        client = Stage().connect()
        client.asks(Ping())
        client.asks(Acknowledge(1))
        self.assertEqual(([], False), (client.events, client.closed))

    def test_damaged_login(self) -> None:
        """A login that cannot be understood is answered and the line stays."""
        stage = Stage()
        stage.register("ada")
        client = stage.connect()
        damaged = Unacceptable(BadParameter(), at_login=True, about="x")
        client.asks(damaged)
        self.assertEqual([Refused(damaged, damaged.error)], client.events)
        client.asks(log_in())
        stage.settle()
        self.assertIsInstance(client.events[-1], LoggedIn)

    def test_failed_then_good(self) -> None:
        """After a wrong password the right one is welcome on the same line."""
        stage = Stage()
        stage.register("ada")
        client = stage.connect()
        for password in ("wrong", "ada"):
            client.asks(log_in(password=password))
        stage.settle()
        refused, welcome = client.events
        assert isinstance(refused, Refused)
        self.assertIsInstance(refused.error, PermissionDenied)
        self.assertIsInstance(welcome, LoggedIn)

    def test_failed_login_leaves_nothing(self) -> None:
        """Whoever is not let in hears nothing of the account."""
        stage = Stage()
        ada, _bob = stage.register("ada"), stage.register("bob")
        stranger = stage.connect()
        stranger.asks(log_in(password="wrong"))
        stage.settle()
        stage.log_in("bob").writes(ada, "secret")
        stage.settle()
        self.assertEqual([], stranger.entries)


class LoggedInTests(SynchronousTestCase):
    """A session, its answers and their order."""

    def setUp(self) -> None:
        """Ada and Bob have accounts."""
        self.stage = Stage()
        self.ada_address = self.stage.register("ada")
        self.bob_address = self.stage.register("bob")

    def test_second_login(self) -> None:
        """A login on a logged-in line is fine and changes nothing."""
        ada = self.stage.log_in("ada")
        again = log_in("bob", "bob")
        ada.asks(again)
        self.assertEqual([AlreadyLoggedIn(again)], ada.told(AlreadyLoggedIn))
        ada.writes(self.bob_address, "hi")
        self.stage.settle()
        self.assertEqual(
            [self.ada_address], [one.message.sender for one in ada.entries]
        )

    def test_behind_the_login(self) -> None:
        """What follows the login at once waits for it and is answered in order."""
        client = self.stage.connect()
        for command in (
            log_in(),
            log_in("bob", "bob"),
            FetchBacklog(),
            PullHistory(self.bob_address.node, 0, 5),
            SendMessage(self.bob_address.node, Content("hi")),
            FindAccount("bob"),
        ):
            client.asks(command)
        self.stage.settle()
        kinds = [LoggedIn, AlreadyLoggedIn, EndOfBacklog, History, Delivery, Profiles]
        self.assertEqual(kinds, [type(event) for event in client.events])

    def test_behind_a_failed_login(self) -> None:
        """What follows a failed login ends the line."""
        client = self.stage.connect()
        client.asks(log_in(password="wrong"))
        client.asks(FetchBacklog())
        self.stage.settle()
        self.assertEqual([Refused], [type(event) for event in client.events])
        self.assertTrue(client.closed)

    def test_answers_in_order(self) -> None:
        """Answers come in the order of the questions, refusals in their places."""
        ada = self.stage.log_in("ada")
        bob = self.bob_address.node
        ada.events.clear()
        for command in (
            SendMessage(bob, Content("1")),
            SendMessage(bob, Content("2")),
            PullHistory(bob, 0, 5),
            SendMessage("nobody", Content("3")),
            Unacceptable(BadParameter()),
            SendMessage(self.ada_address.node, Content("4")),
            FindAccount("bob"),
            SendMessage(bob, Content("5")),
        ):
            ada.asks(command)
        self.stage.settle()
        self.assertEqual(
            ["1", "2", 2, UnknownAccount, BadParameter, PermissionDenied, 1, "5"],
            [what(event) for event in ada.events],
        )

    def test_q9_logout(self) -> None:
        """Logging out is confirmed, ends the line, and what follows is not done."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        ada.asks(LogOut())
        ada.writes(self.bob_address, "too late")
        self.stage.settle()
        self.assertEqual([LoggedOut()], ada.told(LoggedOut))
        self.assertTrue(ada.closed)
        bob.writes(self.ada_address, "hi")
        self.stage.settle()
        self.assertEqual(([], []), (ada.entries, bob.texts))

    def test_connections_have_names(self) -> None:
        """Each connection has a text of its own; the node's number is the same."""
        first, second = (self.stage.log_in(name) for name in ("ada", "bob"))
        one, other = first.told(LoggedIn)[0], second.told(LoggedIn)[0]
        self.assertNotEqual(one.connection, other.connection)
        self.assertEqual(one.server, other.server)
        self.assertTrue(0 <= one.server < 2**31)
        self.assertEqual(self.ada_address, one.address)

    def test_head(self) -> None:
        """A login is told how far the account's log reaches."""
        ada = self.stage.log_in("ada")
        self.assertEqual([0], [one.head for one in ada.told(LoggedIn)])
        for _ in range(3):
            ada.writes(self.bob_address, "hi")
        self.stage.settle()
        bob = self.stage.log_in("bob")
        self.assertEqual([3], [one.head for one in bob.told(LoggedIn)])


def what(event: Event) -> object:
    """An answer in short: a text, a number of things, or an error."""
    if isinstance(event, Delivery):
        return event.entry.message.content.text
    if isinstance(event, Refused):
        return type(event.error)
    if isinstance(event, History):
        return len(event.messages)
    assert isinstance(event, Profiles)
    return len(event.profiles)


class DisplacedTests(SynchronousTestCase):
    """A device that has to make room."""

    def setUp(self) -> None:
        """Ada may have one device."""
        settings = attrs.evolve(OPEN, device_limit=1)
        self.stage = Stage(settings=settings)
        self.stage.register("ada")

    def test_notice(self) -> None:
        """The older device gets the log-out notice and its line ends."""
        old = self.stage.log_in("ada", "old")
        self.stage.settle(10)
        self.stage.log_in("ada", "new")
        self.assertEqual([LoggedOut()], old.told(LoggedOut))
        self.assertTrue(old.closed)

    def test_too_soon(self) -> None:
        """Within ten seconds the newcomer is refused and the older one stays."""
        old = self.stage.log_in("ada", "old")
        self.stage.settle(9)
        new = self.stage.connect()
        new.asks(log_in())
        self.stage.settle()
        (refused,) = new.told(Refused)
        self.assertEqual(4111, refused.error.code)
        self.assertFalse(old.closed or new.closed)

    def test_l3_two_at_once(self) -> None:
        """Of two that log in at the same moment exactly one is let in."""
        clients = [self.stage.connect() for _ in range(2)]
        for client, name in zip(clients, "ab", strict=True):
            client.asks(attrs.evolve(log_in(), device=Device(name)))
        self.stage.settle()
        self.assertEqual([1, 0], [len(one.told(LoggedIn)) for one in clients])
        self.assertEqual([0, 1], [len(one.told(Refused)) for one in clients])

    def test_one_after_the_other(self) -> None:
        """Where anybody may displace at once, each is logged in in its turn."""
        settings = attrs.evolve(OPEN, device_limit=1, displace_after=0.0)
        stage = Stage(settings=settings)
        stage.register("ada")
        clients = [stage.connect() for _ in range(2)]
        for client, additions in zip(clients, (True, False), strict=True):
            device = Device(f"{additions}")
            client.asks(attrs.evolve(log_in(), additions=additions, device=device))
        stage.settle()
        told = [[type(event) for event in client.events] for client in clients]
        self.assertEqual([[LoggedIn, LoggedOut], [LoggedIn]], told)

    def test_nothing_is_repeated_to_the_successor(self) -> None:
        """What the displaced line confirmed out of turn does not come again."""
        bob = self.stage.register("bob")
        writer = self.stage.log_in("bob")
        old = self.stage.log_in("ada", acknowledges=False)
        ada = old.told(LoggedIn)[0].address
        for text in ("one", "two", "three"):
            writer.writes(ada, text)
        self.stage.settle(10)
        receipts = {one.entry.seq: one.receipt for one in old.told(Delivery)}
        old.asks(Acknowledge(receipts[2]))
        new = self.stage.log_in("ada")
        self.assertTrue(old.closed)
        self.assertEqual(["one", "three"], new.texts)
        self.assertNotEqual(bob, ada)
