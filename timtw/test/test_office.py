"""Accounts by hand: what operators do, on a running node and on storage alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from timtw.core.office import Office
from timtw.model import limits
from timtw.model.commands import IssueToken, LogIn
from timtw.model.errors import (
    BadParameter,
    BadToken,
    NameTaken,
    PermissionDenied,
    TimError,
    UnknownAccount,
)
from timtw.model.events import LoggedIn, LoggedOut, Refused
from timtw.model.interfaces import IOffice
from timtw.model.values import FIRST_ACCOUNT, AccountLine, Device
from timtw.test.stage import MIDNIGHT_NS, Client, QuickPasswords, SlowPasswords, Stage

PHONE = Device("phone", 1)
SECOND = 1_000_000_000


class OfficeCase(SynchronousTestCase):
    """Two nodes, the office of one, and Ada on both."""

    def setUp(self) -> None:
        """Ada is logged in on both nodes, with a credential; so is Bob on one."""
        self.stage = Stage(("north", "south"))
        self.office = self.stage.cores["north"].office
        self.ada = self.stage.register("ada")
        self.bob = self.stage.register("bob")
        self.devices = [
            self.stage.log_in("ada", node, node, additions=True)
            for node in ("north", "south")
        ]
        self.other = self.stage.log_in("bob", "phone", "south")

    def token(self) -> str:
        """A token of Ada's."""
        core = self.stage.cores["south"]
        return self.stage.ready(core.issue_token(IssueToken("ada", "ada"), "x"))

    def credential(self, number: int = 0) -> tuple[str, Device]:
        """The credential of one of Ada's devices, and the device."""
        device = ("north", "south")[number]
        held = self.devices[number].told(LoggedIn)[0].credential
        assert held is not None
        return held, Device(device)

    def outcome(
        self,
        name: str = "",
        password: str = "",
        token: str = "",
        device: Device = PHONE,
        node: str = "south",
    ) -> type[TimError] | None:
        """Why a login fails, ``None`` if it does not."""
        client = self.stage.connect(node)
        client.asks(LogIn(name, password, token, "", device))
        self.stage.settle()
        event = client.events[-1]
        return type(event.error) if isinstance(event, Refused) else None

    def assert_ended(self, *clients: Client) -> None:
        """These got the notice that keeps them away, and their lines are closed."""
        self.stage.settle()
        for client in clients:
            self.assertEqual([LoggedOut()], client.told(LoggedOut))
            self.assertTrue(client.closed)
        self.assertFalse(self.other.closed)


class EverythingEndsTests(OfficeCase):
    """What ends sessions, tokens and credentials on every node."""

    def test_interface(self) -> None:
        """The core's office is one."""
        verifyObject(IOffice, self.office)

    def test_l14_new_password(self) -> None:
        """A new password ends everything that was there by the old one."""
        token, (credential, device) = self.token(), self.credential()
        self.stage.ready(self.office.set_password("ada", "", "new"))
        self.assert_ended(*self.devices)
        self.assertIs(BadToken, self.outcome(token=token))
        self.assertIs(BadToken, self.outcome(token=credential, device=device))
        self.assertIs(PermissionDenied, self.outcome("ada", "ada"))
        self.assertIsNone(self.outcome("ada", "new"))

    def test_l13_block(self) -> None:
        """A blocked account is told 4105, whatever it logs in with, on every node."""
        token, (credential, device) = self.token(), self.credential()
        self.stage.ready(self.office.block("ada", "", 0))
        self.assert_ended(*self.devices)
        for node in ("north", "south"):
            self.assertIs(PermissionDenied, self.outcome("ada", "ada", node=node))
        self.assertIs(PermissionDenied, self.outcome(token=token))
        self.assertIs(PermissionDenied, self.outcome(token=credential, device=device))
        with self.assertRaises(PermissionDenied):
            self.token()
        self.stage.ready(self.office.unblock("ada", ""))
        self.assertIs(BadToken, self.outcome(token=token))
        self.assertIs(BadToken, self.outcome(token=credential, device=device))
        self.assertIsNone(self.outcome("ada", "ada"))

    def test_block_ends_by_itself(self) -> None:
        """A block of five seconds lasts five; nothing from before is good after it."""
        token, (credential, device) = self.token(), self.credential()
        self.stage.ready(self.office.block("ada", "", 5))
        self.stage.settle(4.8)
        self.assertIs(PermissionDenied, self.outcome("ada", "ada"))
        self.stage.settle(0.2)
        self.assertIs(BadToken, self.outcome(token=token))
        self.assertIs(BadToken, self.outcome(token=credential, device=device))
        self.assertIsNone(self.outcome("ada", "ada"))

    def test_l13_block_survives_a_restart(self) -> None:
        """L13: a block holds after a restart, until it is lifted."""
        self.stage.ready(self.office.block("ada", "", 0))
        core = self.stage.start("north")
        self.assertIs(PermissionDenied, self.outcome("ada", "ada", node="north"))
        self.stage.ready(core.office.unblock("ada", ""))
        self.assertIsNone(self.outcome("ada", "ada", node="north"))

    def test_kick(self) -> None:
        """Who is kicked is out with all devices, and comes back by password only."""
        token, (credential, device) = self.token(), self.credential()
        self.stage.ready(self.office.kick("ada", ""))
        self.assert_ended(*self.devices)
        self.assertIs(BadToken, self.outcome(token=token))
        self.assertIs(BadToken, self.outcome(token=credential, device=device))
        self.assertIsNone(self.outcome("ada", "ada"))

    def test_unblock_ends_nothing(self) -> None:
        """Lifting a block that is not there disturbs nobody."""
        self.stage.ready(self.office.unblock("ada", ""))
        self.stage.settle()
        self.assertFalse(any(device.closed for device in self.devices))
        credential, device = self.credential()
        self.assertIsNone(self.outcome(token=credential, device=device))


class UnderWayTests(SynchronousTestCase):
    """Logins that are under way when everything ends."""

    def test_between_proof_and_admission(self) -> None:
        """A password that was right a moment ago lets nobody in after its change."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        stage.register("ada")
        office = stage.cores["north"].office
        endings: tuple[Callable[[], Deferred[None]], ...] = (
            lambda: office.set_password("ada", "", "ada"),
            lambda: office.kick("ada", ""),
            lambda: office.block("ada", "", 0),
        )
        for end in endings:
            client = stage.connect()
            client.asks(LogIn("ada", "ada", "", "", PHONE, additions=True))
            stage.settle()
            stage.ready(end())
            passwords.decide()
            stage.settle()
            (event,) = client.events
            assert isinstance(event, Refused), event
            self.assertIsInstance(event.error, PermissionDenied)


class NamesTests(OfficeCase):
    """What is said about names, passwords and times that will not do."""

    def test_unknown(self) -> None:
        """A name that nobody has, or only in another domain, is told as such."""
        office = self.office
        for wrong in (
            lambda: office.set_password("eve", "", "x"),
            lambda: office.block("eve", "", 0),
            lambda: office.unblock("eve", ""),
            lambda: office.kick("ada", "elsewhere"),
        ):
            with self.assertRaises(UnknownAccount):
                self.stage.ready(wrong())

    def test_add(self) -> None:
        """An account made by hand can log in; a name is taken once."""
        made = self.stage.ready(self.office.add("cyd", "secret", ""))
        self.assertIsNone(self.outcome("cyd", "secret"))
        line = self.stage.ready(self.office.accounts(made.number - 1, 1))[0]
        self.assertEqual((made, "cyd"), (line.account.address, line.name))
        with self.assertRaises(NameTaken):
            self.stage.ready(self.office.add("cyd", "secret", ""))

    def test_l15_bad_parameters(self) -> None:
        """Empty names and passwords, and times out of range, change nothing."""
        office = self.office
        longest = limits.BLOCK_SECONDS
        wrongs: tuple[Callable[[], Deferred[Any]], ...] = (
            lambda: office.add("", "x", ""),
            lambda: office.add("x", "", ""),
            lambda: office.set_password("ada", "", ""),
            lambda: office.block("ada", "", -1),
            lambda: office.block("ada", "", longest + 1),
        )
        for wrong in wrongs:
            with self.assertRaises(BadParameter):
                self.stage.ready(wrong())
        self.assertIsNone(self.outcome("ada", "ada"))
        self.stage.ready(office.block("ada", "", longest))
        self.assertIs(PermissionDenied, self.outcome("ada", "ada"))

    def test_list(self) -> None:
        """The list tells names and blocks; a block that is over is none."""
        self.stage.ready(self.office.block("ada", "", 60))

        def lines() -> dict[str, int]:
            listed = self.office.accounts(FIRST_ACCOUNT, 10)
            found: Sequence[AccountLine] = self.stage.ready(listed)
            return {one.name: one.blocked_until for one in found}

        until = lines()["ada"]
        self.assertEqual({"ada": until, "bob": 0}, lines())
        now = MIDNIGHT_NS + int(self.stage.clock.seconds() * SECOND)
        self.assertTrue(now + 58 * SECOND < until <= now + 60 * SECOND)
        self.stage.settle(61)
        self.assertEqual({"ada": 0, "bob": 0}, lines())


class StoppedTests(SynchronousTestCase):
    """The office on storage without a node."""

    def test_a_node_finds_it_done(self) -> None:
        """What was done while no node ran holds when one runs."""
        stage = Stage(())
        clock: Clock = stage.clock
        office = Office(stage.shard.accounts, QuickPasswords(), stage.time_ns)
        for name in ("ada", "bob", "cyd"):
            stage.ready(office.add(name, name, ""))
        stage.ready(office.block("ada", "", 0))
        stage.ready(office.set_password("bob", "", "new"))
        stage.ready(office.kick("cyd", ""))
        stage.start("north")
        for name, password, wanted in (
            ("ada", "ada", Refused),
            ("bob", "bob", Refused),
            ("bob", "new", LoggedIn),
            ("cyd", "cyd", LoggedIn),
        ):
            client = stage.connect()
            client.asks(LogIn(name, password, "", "", PHONE))
            clock.advance(0)
            stage.settle()
            self.assertIsInstance(client.events[-1], wanted, name)
