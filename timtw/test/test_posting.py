"""From a wish to write to a stored message: rights, identity, time."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.people.addresses import People
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import LogIn, SendMessage
from timtw.model.errors import PermissionDenied, TimError, UnknownAccount
from timtw.model.events import Delivery, Event, Refused
from timtw.model.values import Account, Address, Content, Device
from timtw.test.stage import MIDNIGHT_NS, OPEN, Client, Stage


class RightsTests(SynchronousTestCase):
    """Who may write to whom."""

    def refusal(self, stage: Stage, client: Client, node: str) -> type[TimError] | None:
        """Why a text to this node is refused."""
        before = len(client.told(Refused))
        client.asks(SendMessage(node, Content("hi")))
        stage.settle()
        refused = client.told(Refused)[before:]
        return type(refused[0].error) if refused else None

    def test_d23_i4_nobody(self) -> None:
        """Unknown, malformed and foreign nodes are refused alike, oneself otherwise."""
        stage = Stage()
        ada = stage.register("ada")
        eve = stage.register("eve", "elsewhere")
        client = stage.log_in("ada")
        stage.log_in("eve", domain="elsewhere")
        for node in ("2", "", "no node", eve.node, "1" + ada.node):
            self.assertIs(UnknownAccount, self.refusal(stage, client, node), node)
        self.assertIs(PermissionDenied, self.refusal(stage, client, ada.node))

    def test_friends_only(self) -> None:
        """Where only friends may write nobody may, as long as nobody has friends."""
        self.assertFalse(Settings().write_to_anyone)
        stage = Stage(settings=attrs.evolve(OPEN, write_to_anyone=False))
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        self.assertIs(PermissionDenied, self.refusal(stage, ada, bob.node))
        self.assertEqual([], phone.texts)


class IdentityTests(SynchronousTestCase):
    """What the node adds to a text."""

    def setUp(self) -> None:
        """Ada writes to Bob."""
        self.stage = Stage()
        self.bob = self.stage.register("bob")
        self.stage.register("ada")
        self.ada = self.stage.log_in("ada")

    def test_q4_idents(self) -> None:
        """A client's id is kept; ours fit into the numbers of JavaScript and differ."""
        for ident in (1, 2**53 - 1):
            self.ada.writes(self.bob, "hi", ident)
        for _ in range(50):
            self.ada.writes(self.bob, "hi")
        self.stage.settle(1)
        idents = [one.message.ident for one in self.ada.entries]
        self.assertEqual([1, 2**53 - 1], idents[:2])
        self.assertEqual(52, len(set(idents)))
        self.assertTrue(all(0 < ident < 2**53 for ident in idents))

    def test_time(self) -> None:
        """The time is that of the node when the text came."""
        self.stage.log_in("bob")
        self.ada.writes(self.bob, "first")  # what both are to each other is looked up
        self.stage.settle(5)
        before = self.stage.time_ns()
        self.ada.writes(self.bob, "hi")
        self.stage.settle(1)
        _, one = self.ada.entries
        self.assertEqual(before, one.message.timestamp)
        self.assertGreater(before, MIDNIGHT_NS)

    def test_author(self) -> None:
        """Both sides are told who wrote it, with the device while it is fresh."""
        phone = self.stage.log_in("bob")
        self.ada.writes(self.bob, "hi")
        self.stage.settle()
        (entry,) = phone.entries
        self.assertEqual(self.bob, entry.message.recipient)
        assert entry.message.device is not None
        self.assertEqual("phone", entry.message.device.resource)

    def test_a_fault_at_the_receiver(self) -> None:
        """A receiver at whom the node fails does not stop the author."""

        class Faulty(Client):
            def offer(self, event: Event) -> bool:
                if isinstance(event, Delivery):
                    raise RuntimeError("faulty")
                return super().offer(event)

        phone = Faulty()
        phone.session = self.stage.cores["north"].open(phone, "home")
        phone.asks(LogIn("bob", "bob", "", "", Device("phone")))
        self.stage.settle()
        count = limits.SENDS_UNDER_WAY + 5
        for number in range(count):
            self.ada.writes(self.bob, str(number))
        self.stage.settle(1)
        self.assertEqual(count, len(self.ada.echoes))
        self.assertTrue(self.flushLoggedErrors(RuntimeError))


class PeopleTests(SynchronousTestCase):
    """Addresses at hand."""

    def test_both_sides(self) -> None:
        """So many are remembered; one more drops the one not used for longest."""
        stage = Stage()
        people = People(stage.shard.accounts)
        for number in range(1, limits.ADDRESSES + 1):
            people.remember(Account(Address(number, ""), 0))
        self.assertIsNotNone(people.known(1))
        people.remember(Account(Address(limits.ADDRESSES + 1, ""), 0))
        self.assertIsNotNone(people.known(1))
        self.assertIsNone(people.known(2))

    def test_d23_look_up(self) -> None:
        """Whoever exists is found and remembered; whoever does not is not."""
        stage = Stage()
        ada = stage.register("ada")
        people = People(stage.shard.accounts)
        self.assertIsNone(people.known(ada.number))
        self.assertEqual(ada, stage.ready(people.look_up(ada.number)))
        self.assertEqual(ada, people.known(ada.number))
        found: list[Address | None] = [stage.ready(people.look_up(2))]
        self.assertEqual([None], found)
