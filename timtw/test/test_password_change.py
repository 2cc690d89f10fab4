"""Changing the password, and logins that cost no password check."""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.logins.remembered import Remembered
from timtw.model import limits
from timtw.model.commands import ChangePassword, FetchBacklog, LogIn
from timtw.model.errors import (
    BadToken,
    PermissionDenied,
    StorageUnavailable,
    TimError,
    TooFrequent,
    WrongOldPassword,
)
from timtw.model.events import (
    EndOfBacklog,
    Event,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Refused,
)
from timtw.model.standing import Standing
from timtw.model.values import Account, Address, Device
from timtw.protocols import structs
from timtw.protocols.codecs import THRIFT
from timtw.test.stage import OPEN, Client, QuickPasswords, Stage, entropy_of
from timtw.test.test_wire_conversation import Wire, of


def outcome(event: Event) -> type[TimError] | None:
    """Why a command was refused, ``None`` if it was not."""
    return type(event.error) if isinstance(event, Refused) else None


class CountingPasswords(QuickPasswords):
    """Passwords whose checks are counted."""

    def __init__(self) -> None:
        """Nothing was checked."""
        self.checks = 0

    def check(self, verifier: str | None, password: str) -> Deferred[bool]:
        """See ``timtw.core.logins.passwords.Passwords``."""
        self.checks += 1
        return super().check(verifier, password)


class Case(SynchronousTestCase):
    """Two nodes, and Ada."""

    settings = OPEN

    def setUp(self) -> None:
        """Ada has an account."""
        self.passwords = CountingPasswords()
        self.stage = Stage(("north", "south"), self.settings, passwords=self.passwords)
        self.stage.register("ada")

    def try_in(
        self,
        password: str = "ada",
        token: str = "",
        resource: str = "phone",
        node: str = "north",
    ) -> type[TimError] | None:
        """Why a login fails, ``None`` if it does not."""
        client = self.stage.connect(node)
        name = "" if token else "ada"
        password = "" if token else password
        client.asks(LogIn(name, password, token, "", Device(resource)))
        self.stage.settle()
        failed = outcome(client.events[-1])
        client.vanishes()
        return failed

    def change(self, client: Client, old: str = "ada", new: str = "new") -> Event:
        """What a client is told last when it changes the password."""
        client.asks(ChangePassword(old, new))
        self.stage.settle()
        return client.events[-1]


class ChangeTests(Case):
    """A user sets a new password."""

    def test_l14_others_end(self) -> None:
        """L14: everybody else is logged out on every node, the asker stays."""
        me = self.stage.log_in("ada", "me")
        others = [
            self.stage.log_in("ada", "x", node, additions=True)
            for node in ("north", "south")
        ]
        credential = others[0].told(LoggedIn)[0].credential
        assert credential is not None
        self.assertEqual(PasswordChanged(), self.change(me))
        for other in others:
            self.assertEqual([LoggedOut()], other.told(LoggedOut))
            self.assertTrue(other.closed)
        self.assertFalse(me.closed)
        me.asks(FetchBacklog())
        self.stage.settle()
        self.assertEqual(1, len(me.told(EndOfBacklog)))
        self.assertIs(BadToken, self.try_in(token=credential, resource="x"))
        for node in ("north", "south"):
            self.assertIs(PermissionDenied, self.try_in(node=node))
            self.assertIsNone(self.try_in("new", node=node))

    def test_new_credential(self) -> None:
        """A client with the additions gets a new credential; its old one is over."""
        me = self.stage.log_in("ada", "me", additions=True)
        old = me.told(LoggedIn)[0].credential
        changed = self.change(me)
        assert isinstance(changed, PasswordChanged)
        assert old is not None and changed.credential is not None
        self.assertIs(BadToken, self.try_in(token=old, resource="me"))
        self.assertIsNone(self.try_in(token=changed.credential, resource="me"))

    def test_l15_what_will_not_do(self) -> None:
        """L15: a wrong old password, an empty or a too long new one change nothing."""
        me, other = self.stage.log_in("ada", "me"), self.stage.log_in("ada", "other")
        longest = "p" * limits.PASSWORD_BYTES
        for old, new in (
            ("wrong", "new"),
            ("", "new"),
            ("ada", ""),
            ("ada", longest + "p"),
        ):
            self.assertIs(WrongOldPassword, outcome(self.change(me, old, new)))
        self.assertEqual(4, len(me.told(Refused)))
        self.assertFalse(other.closed)
        self.assertIsNone(self.try_in())
        self.assertEqual(PasswordChanged(), self.change(me, "ada", longest))
        self.assertIsNone(self.try_in(longest))

    def test_two_at_once(self) -> None:
        """Of two devices that change it at once, one is told that it was too late."""
        both = [self.stage.log_in("ada", name) for name in ("one", "two")]
        for number, client in enumerate(both):
            client.asks(ChangePassword("ada", f"new {number}"))
        self.stage.settle()
        done = [client.told(PasswordChanged) for client in both]
        self.assertEqual([1, 0], [len(one) for one in done])
        self.assertIsNone(self.try_in("new 0"))

    def test_without_a_credential(self) -> None:
        """If no credential can be stored the change is told as done all the same."""
        me = self.stage.log_in("ada", "me", additions=True)

        def away(*args: object) -> None:
            raise StorageUnavailable()

        self.patch(self.stage.shard.accounts, "put_credential", away)
        self.assertEqual(PasswordChanged(), self.change(me))
        self.assertIsNone(self.try_in("new"))


class GuessTests(Case):
    """Somebody with a foreign device in hand guesses the old password."""

    settings = attrs.evolve(OPEN, failed_logins_per_minute=3.0)

    def test_both_sides(self) -> None:
        """Three wrong ones a minute; then even the right one has to wait."""
        me = self.stage.log_in("ada", "me")
        for _ in range(3):
            self.assertIs(WrongOldPassword, outcome(self.change(me, "wrong")))
        self.assertIs(TooFrequent, outcome(self.change(me)))
        self.stage.settle(20)
        self.assertEqual(PasswordChanged(), self.change(me))


class CheapTests(Case):
    """A login with a password that was right a moment ago."""

    def checks(self, password: str = "ada", node: str = "north") -> int:
        """How many password checks a login costs."""
        before = self.passwords.checks
        self.try_in(password, node=node)
        return self.passwords.checks - before

    def test_one_check(self) -> None:
        """The first login is checked, the next ones are not, on each node."""
        costs = [self.checks(node=node) for node in ("north", "south") for _ in "abc"]
        self.assertEqual([1, 0, 0, 1, 0, 0], costs)

    def test_wrong_ones(self) -> None:
        """A wrong password is checked each time, and is not let in."""
        self.checks()
        self.assertEqual([1, 1], [self.checks("wrong") for _ in "ab"])
        self.assertIs(PermissionDenied, self.try_in("wrong"))

    def test_new_password(self) -> None:
        """A password that was changed on another node is not remembered as right."""
        self.checks()
        office = self.stage.cores["south"].office
        self.stage.ready(office.set_password("ada", "", "new"))
        self.assertIs(PermissionDenied, self.try_in())
        self.stage.ready(office.set_password("ada", "", "ada"))
        self.assertEqual([1, 0], [self.checks() for _ in "ab"])

    def test_blocked(self) -> None:
        """A block on another node holds for a remembered password."""
        self.checks()
        self.stage.ready(self.stage.cores["south"].office.block("ada", "", 0))
        self.assertIs(PermissionDenied, self.try_in())

    def test_minutes(self) -> None:
        """Ten minutes after the check the password is checked again, not before."""
        self.checks()
        self.stage.clock.advance(limits.REMEMBERED_SECONDS - 1)
        self.assertEqual(0, self.checks())
        self.stage.clock.advance(1)
        self.assertEqual(1, self.checks())


class RememberedTests(SynchronousTestCase):
    """What is kept in memory."""

    def test_limit(self) -> None:
        """So many are remembered; with one more the oldest is forgotten."""
        self.patch(limits, "REMEMBERED_PASSWORDS", 3)
        kept = Remembered(entropy_of(1), Clock().seconds)
        people = [Standing(Account(Address(n, "n"), 0), "hash") for n in range(4)]
        for one in people[:3]:
            kept.learn(one, "p")
        self.assertTrue(all(kept.knows(one, "p") for one in people[:3]))
        kept.learn(people[3], "p")
        self.assertEqual(
            [False, True, True, True], [kept.knows(one, "p") for one in people]
        )
        self.assertEqual(3, len(kept))

    def test_what_makes_the_difference(self) -> None:
        """Another account, version or password is not known; the hash is not asked."""
        kept = Remembered(entropy_of(1), Clock().seconds)
        ada = Standing(Account(Address(1, "n"), 0), "hash", 5)
        kept.learn(ada, "p")
        self.assertTrue(kept.knows(ada, "p"))
        for other, password in (
            (ada, "q"),
            (attrs.evolve(ada, version=6), "p"),
            (attrs.evolve(ada, account=Account(Address(2, "n"), 0)), "p"),
        ):
            self.assertFalse(kept.knows(other, password))


class WireTests(Wire):
    """What clients send and get."""

    def test_request_21(self) -> None:
        """One answer each: the change, a wrong old, an empty new, a missing field."""
        self.register("alice")
        alice = self.open()
        self.say(alice, b'\x90{"name":"alice","pwd":"secret"}')
        refused = {"code": 4112, "info": str(WrongOldPassword())}
        no = {"ok": False, "timType": 41, "error": refused, "t": 21}
        bare = {"ok": False, "timType": 41, "error": refused}
        yes = {"ok": True, "timType": 41, "t": 21}
        for body, wanted in (
            (b'"reqStr":"wrong","reqStr2":"x"', no),
            (b'"reqStr":"secret","reqStr2":""', no),
            (b'"reqStr":"secret","node":"N"', bare),
            (b'"reqStr2":"x"', bare),
            (b'"reqStr":"secret","reqStr2":"x"', yes),
        ):
            (answer,) = self.say(alice, b'\xa9{"rtype":21,%b}' % body)
            self.assertEqual((b"\x0c", wanted), (answer[:1], of(answer)), body)
        again = self.open()
        (answer,) = self.say(again, b'\x90{"name":"alice","pwd":"x"}')
        self.assertIs(of(answer)["ok"], True)

    def test_with_additions(self) -> None:
        """Behind the answer comes the new credential, as at a login."""
        self.register("alice")
        alice = self.open()
        extend = b'"extend":{"timtw":"1"}'
        self.say(alice, b'\x90{"name":"alice","pwd":"secret",%b}' % extend)
        change = b'\xa9{"rtype":21,"reqStr":"secret","reqStr2":"x"}'
        done, credential = self.say(alice, change)
        self.assertEqual({"ok": True, "timType": 41, "t": 21}, of(done))
        self.assertEqual(
            (15, "r-"), (of(credential)["timType"], of(credential)["n"][:2])
        )


class EmptyLoginTests(Wire):
    """A client object that was never told who it is."""

    settings = attrs.evolve(OPEN, logins_per_minute=1, failed_logins_per_minute=1)

    def test_empty_login(self) -> None:
        """R6: an empty login is refused with 4105 and counts as no attempt."""
        self.register("alice")
        stranger = self.open()
        for _ in range(5):
            (answer,) = self.say(stranger, bytes.fromhex("1000"))
            ack = THRIFT.decode(structs.TimAck, answer[1:])
            assert ack.error is not None
            self.assertEqual((False, 16, 4105), (ack.ok, ack.timType, ack.error.code))
        (answer,) = self.say(self.open(), b'\x90{"name":"alice","pwd":"secret"}')
        self.assertIs(of(answer)["ok"], True)
