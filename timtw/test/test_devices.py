"""Several devices of one account, on one node and on two."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import IssueToken, LogIn, Ping
from timtw.model.errors import BadToken, TooManyDevices
from timtw.model.events import LoggedIn, LoggedOut, Refused
from timtw.model.values import Device
from timtw.test.stage import OPEN, Client, Stage

ONE = attrs.evolve(OPEN, device_limit=1, device_type_limit=1)


class Case(SynchronousTestCase):
    """Two nodes on which an account may have one device."""

    settings = ONE

    def setUp(self) -> None:
        """Ada and Bob have accounts."""
        self.stage = Stage(("north", "south"), self.settings)
        self.ada = self.stage.register("ada")
        self.bob = self.stage.register("bob")

    def comes(
        self, resource: str, node: str = "north", source: str = "home", kind: int = 1
    ) -> Client:
        """A device of Ada's that tries to log in."""
        client = self.stage.connect(node, source)
        client.asks(LogIn("ada", "ada", "", "", Device(resource, kind)))
        self.stage.settle()
        return client

    def assert_in(self, *clients: Client) -> None:
        """These are logged in, and nobody has ended them."""
        for client in clients:
            self.assertEqual(1, len(client.told(LoggedIn)))
            self.assertEqual([], client.told(LoggedOut))
            self.assertFalse(client.closed)

    def assert_displaced(self, client: Client) -> None:
        """It got the notice that keeps it away, and its line is closed after it."""
        self.assertEqual(LoggedOut(), client.events[-1])
        self.assertTrue(client.closed)

    def assert_taken_over(self, client: Client) -> None:
        """Its line is closed without a word."""
        self.assertEqual([], client.told(LoggedOut))
        self.assertTrue(client.closed)

    def assert_refused(self, client: Client) -> None:
        """It was told 4111, and its line stays."""
        event = client.events[-1]
        assert isinstance(event, Refused), event
        self.assertIsInstance(event.error, TooManyDevices)
        self.assertFalse(client.closed)


class OneNodeTests(Case):
    """What another device, and the same one, does to the first."""

    def test_l6_displaced_with_notice(self) -> None:
        """L6: the displaced device is told, and closed afterwards."""
        phone = self.comes("phone")
        self.assert_refused(self.comes("desk"))
        self.stage.settle(10)
        desk = self.comes("desk")
        self.assert_in(desk)
        self.assert_displaced(phone)

    def test_l6_s7_loser_comes_back(self) -> None:
        """S7: a displaced device that comes back by itself does not win, ever."""
        phone = self.comes("phone")
        self.stage.settle(10)
        desk = self.comes("desk")
        self.assert_displaced(phone)
        for _ in range(6):
            self.stage.clock.advance(34)
            self.assert_refused(self.comes("phone"))
        self.assert_in(desk)

    def test_loser_after_a_minute(self) -> None:
        """A minute without an attempt, and the device may displace again."""
        self.comes("phone")
        self.stage.settle(10)
        desk = self.comes("desk")
        self.stage.clock.advance(limits.COMEBACK_SECONDS)
        self.assert_in(self.comes("phone"))
        self.assert_displaced(desk)

    def test_loser_where_there_is_room(self) -> None:
        """A displaced device is let in when the winner has gone."""
        self.comes("phone")
        self.stage.settle(10)
        self.comes("desk").vanishes()
        self.assert_in(self.comes("phone"))

    def test_person_at_another_place(self) -> None:
        """The same device from another address is no automatic return."""
        self.comes("phone")
        self.stage.settle(10)
        desk = self.comes("desk")
        self.stage.settle(10)
        self.assert_in(self.comes("phone", source="work"))
        self.assert_displaced(desk)

    def test_refused_newcomer_is_no_loser(self) -> None:
        """Who was refused without having been in may try again after ten seconds."""
        phone = self.comes("phone")
        self.assert_refused(self.comes("desk"))
        self.stage.settle(10)
        self.assert_in(self.comes("desk"))
        self.assert_displaced(phone)

    def test_overlapping_lines(self) -> None:
        """R7: a client that comes back before its old line ends disturbs nobody."""
        lines = [self.comes("phone")]
        for _ in range(8):
            self.stage.clock.advance(limits.TAKEOVER_SECONDS / limits.TAKEOVERS)
            lines.append(self.comes("phone"))
            self.assert_in(lines[-1])
            self.assert_taken_over(lines[-2])

    def test_takeover_keeps_messages(self) -> None:
        """What was written to the old line and not confirmed comes to the new one."""
        bob = self.stage.log_in("bob")
        old = self.comes("phone")
        old.acknowledges = False
        bob.writes(self.ada, "hi")
        self.stage.settle()
        self.assertEqual(["hi"], old.texts)
        new = self.comes("phone")
        self.assert_taken_over(old)
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual(["hi"], new.texts)

    def test_three_takeovers(self) -> None:
        """Three times in a minute an old line is taken over, not a fourth time."""
        lines = [self.comes("phone") for _ in range(1 + limits.TAKEOVERS)]
        for old in lines[:-1]:
            self.assert_taken_over(old)
        self.assert_refused(self.comes("phone"))
        self.assert_in(lines[-1])
        self.stage.clock.advance(limits.TAKEOVER_SECONDS)
        self.assert_in(self.comes("phone"))
        self.assert_taken_over(lines[-1])

    def test_silent_line(self) -> None:
        """From another address a line is taken over once it is silent for 20 s."""
        old = self.comes("phone")
        self.stage.clock.advance(9)
        self.assert_refused(self.comes("phone", source="train"))
        self.stage.clock.advance(limits.SILENT_SECONDS - 9)
        self.assert_in(self.comes("phone", source="train"))
        self.assert_taken_over(old)

    def test_a_ping_is_no_silence(self) -> None:
        """A line on which something was heard is displaced, with the notice."""
        old = self.comes("phone")
        self.stage.clock.advance(15)
        old.asks(Ping())
        self.stage.clock.advance(15)
        self.assert_in(self.comes("phone", source="train"))
        self.assert_displaced(old)


class TwoNodesTests(Case):
    """The limits hold over both nodes."""

    def test_l5_displaced_elsewhere(self) -> None:
        """L5: a device on the other node counts, and is displaced there."""
        phone = self.comes("phone", "south")
        self.assert_refused(self.comes("desk"))
        self.stage.settle(10)
        self.assert_in(self.comes("desk"))
        self.assert_displaced(phone)

    def test_l6_s7_loser_on_any_node(self) -> None:
        """S7: a displaced device does not win on another node either."""
        self.comes("phone", "south")
        self.stage.settle(10)
        desk = self.comes("desk")
        for node in ("south", "north", "south"):
            self.stage.clock.advance(34)
            self.assert_refused(self.comes("phone", node))
        self.assert_in(desk)

    def test_comes_back_elsewhere(self) -> None:
        """R7: a device that comes back on the other node takes its old line over."""
        old = self.comes("phone", "south")
        self.assert_in(self.comes("phone", "north"))
        self.assert_taken_over(old)

    def test_l5_oldest_of_both(self) -> None:
        """L5: the oldest of all goes, on whichever node it is."""
        self.stage.settings = attrs.evolve(OPEN, device_limit=2)
        for node in ("north", "south"):
            self.stage.start(node, alone=False)
        south = self.comes("one", "south")
        self.stage.settle(1)
        north = self.comes("two", "north")
        self.stage.settle(10)
        third = self.comes("three", "north")
        self.assert_displaced(south)
        self.assert_in(north, third)

    def test_cut_off(self) -> None:
        """A node that does not answer is not waited for beyond two seconds."""
        phone = self.comes("phone", "south")
        self.stage.hub.cut("north", "south")
        desk = self.comes("desk")
        self.assertEqual([], desk.events)
        self.stage.settle(limits.PRESENT_SECONDS)
        self.assert_in(phone, desk)


class TokenTests(Case):
    """A token is good on every node, and once."""

    settings = OPEN

    def test_token_of_another_node(self) -> None:
        """A token that one node gave out logs in on the other, one of two attempts."""
        desk = self.stage.cores["north"]
        command = IssueToken("ada", "ada", "")
        token = self.stage.ready(desk.issue_token(command, "home"))
        clients = [self.stage.connect(node) for node in ("south", "north")]
        for number, client in enumerate(clients):
            client.asks(LogIn("", "", token, "", Device(f"device {number}")))
        self.stage.settle()
        told = [client.told(LoggedIn) for client in clients]
        self.assertEqual(1, sum(map(len, told)))
        refused = [one for client in clients for one in client.told(Refused)]
        self.assertEqual([BadToken], [type(one.error) for one in refused])
