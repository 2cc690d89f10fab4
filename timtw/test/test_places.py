"""Devices of one account on several nodes: the limits hold over all of them."""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import LogIn
from timtw.model.errors import TooManyDevices
from timtw.model.events import LoggedIn, LoggedOut, Refused
from timtw.model.peers import EndTurn
from timtw.model.values import Address, Device
from timtw.test.stage import OPEN, Client, Stage

NODES = ("north", "south", "west")
ONE = attrs.evolve(OPEN, device_limit=1)


class Case(SynchronousTestCase):
    """Three nodes, and one account for each of them to own."""

    settings = ONE

    def setUp(self) -> None:
        """Register until every node owns somebody."""
        self.stage = Stage(NODES, self.settings)
        self.owned: dict[str, str] = {}
        self.addresses: dict[str, Address] = {}
        while len(self.owned) < len(NODES):
            name = f"name {len(self.addresses)}"
            address = self.stage.register(name)
            self.addresses[name] = address
            owner = self.stage.hub.owner(address.number)
            assert owner is not None
            self.owned[owner] = name

    def comes(
        self, name: str, node: str, resource: str, acknowledges: bool = True
    ) -> Client:
        """A device begins to log in."""
        client = self.stage.connect(node)
        client.acknowledges = acknowledges
        client.asks(LogIn(name, name, "", "", Device(resource)))
        return client

    def kinds(self, *clients: Client) -> list[list[type]]:
        """What each was told, by kind."""
        return [[type(event) for event in client.events] for client in clients]

    def cut_off(self, node: str) -> None:
        """A node reaches no other one."""
        for other in NODES:
            if other != node:
                self.stage.hub.cut(node, other)

    def mend(self, node: str) -> None:
        """A node reaches the others again."""
        for other in NODES:
            if other != node:
                self.stage.hub.mend(node, other)


class SameMomentTests(Case):
    """Logins that do not know of each other when they begin."""

    def test_l3_one_is_let_in(self) -> None:
        """Of three at the same moment on three nodes one is in, whoever owns them."""
        for name in self.owned.values():
            clients = [self.comes(name, node, node) for node in NODES]
            self.stage.settle(0.3)
            found = sorted(self.kinds(*clients), key=str)
            self.assertEqual([[LoggedIn], [Refused], [Refused]], found)
            for client in clients:
                for refused in client.told(Refused):
                    self.assertIsInstance(refused.error, TooManyDevices)
                client.vanishes()

    def test_l2_everybody_hears(self) -> None:
        """Those who are let in hear of what comes, on every node."""
        self.stage.settings = OPEN
        for node in NODES:
            self.stage.start(node, alone=False)
        name = self.owned["west"]
        clients = [self.comes(name, node, node) for node in NODES]
        self.stage.settle()
        writer = self.stage.log_in(self.owned["north"])
        writer.writes(self.addresses[name], "hi")
        self.stage.settle()
        self.assertEqual([["hi"]] * 3, [client.texts for client in clients])

    def test_l5_in_their_turn(self) -> None:
        """Where anybody may displace at once, the last one alone stays."""
        self.stage.settings = attrs.evolve(ONE, displace_after=0.0)
        for node in NODES:
            self.stage.start(node, alone=False)
        clients = [self.comes(self.owned["west"], node, node) for node in NODES]
        self.stage.settle(0.5)
        found = sorted(self.kinds(*clients), key=len)
        self.assertEqual([[LoggedIn]] + [[LoggedIn, LoggedOut]] * 2, found)

    def test_stalled_login(self) -> None:
        """A node that never finishes a login keeps the others waiting ten seconds."""
        name = self.owned["north"]
        number = self.addresses[name].number
        turns: list[EndTurn] = []
        _ = self.stage.hub.place("west").turn(number).addCallback(turns.append)
        self.stage.settle()
        self.assertEqual(1, len(turns))
        south = self.comes(name, "south", "south")
        self.stage.settle(limits.TURN_SECONDS - 0.2)
        self.assertEqual([], south.events)
        self.stage.settle(0.2)
        self.assertEqual([[LoggedIn]], self.kinds(south))

    def test_many_stalled_logins(self) -> None:
        """A login waits ten seconds, however many are before it; its turn goes on."""
        name = self.owned["north"]
        number = self.addresses[name].number
        turns: list[EndTurn] = []
        for _ in range(2):
            _ = self.stage.hub.place("west").turn(number).addCallback(turns.append)
        south = self.comes(name, "south", "south")
        self.stage.settle(limits.TURN_SECONDS + 0.1)
        self.assertEqual([[LoggedIn]], self.kinds(south))
        # What comes too late is given back, and holds up nobody.
        self.stage.settle(limits.TURN_SECONDS)
        south.vanishes()
        again = self.comes(name, "south", "south")
        self.stage.settle()
        self.assertEqual([[LoggedIn]], self.kinds(again))


class SplitTests(Case):
    """Nodes that cannot reach each other for a while."""

    def test_older_goes(self) -> None:
        """What was too much is ended after the split: the older, with the notice."""
        for owner in NODES:
            name = self.owned[owner]
            older = self.comes(name, "north", "phone")
            self.stage.settle(1)
            self.cut_off("south")
            younger = self.comes(name, "south", "desk")
            self.stage.settle(limits.PRESENT_SECONDS + 1)
            self.assertEqual([[LoggedIn]] * 2, self.kinds(older, younger), owner)
            self.mend("south")
            self.stage.settle()
            self.assertEqual(
                [[LoggedIn, LoggedOut], [LoggedIn]], self.kinds(older, younger), owner
            )
            self.assertEqual((True, False), (older.closed, younger.closed))
            self.stage.settle(10)
            back = self.comes(name, "west", "phone")
            self.stage.settle()
            self.assertEqual([[Refused]], self.kinds(back))
            younger.vanishes()

    def test_within_the_limit(self) -> None:
        """After a split nobody goes who may stay."""
        name = self.owned["west"]
        other = self.owned["north"]
        devices = [self.comes(name, "north", "phone"), self.comes(other, "north", "x")]
        self.cut_off("north")
        self.stage.settle()
        self.mend("north")
        self.stage.settle()
        self.assertEqual([[LoggedIn]] * 2, self.kinds(*devices))

    def test_same_device(self) -> None:
        """A device that came back on the other side loses its old line quietly."""
        name = self.owned["west"]
        older = self.comes(name, "north", "phone")
        self.stage.settle()
        self.cut_off("south")
        younger = self.comes(name, "south", "phone")
        self.stage.settle(limits.PRESENT_SECONDS + 1)
        self.mend("south")
        self.stage.settle()
        self.assertEqual([[LoggedIn]] * 2, self.kinds(older, younger))
        self.assertEqual((True, False), (older.closed, younger.closed))

    def test_without_the_owner(self) -> None:
        """Nodes that only miss the owner may let in too many, until it is back."""
        self.stage.settings = attrs.evolve(OPEN, device_limit=2)
        for node in NODES:
            self.stage.start(node, alone=False)
        name = self.owned["west"]
        clients = [self.comes(name, "west", "west")]
        self.stage.settle(10)
        self.cut_off("west")
        clients += [self.comes(name, node, node) for node in ("north", "south")]
        self.stage.settle(limits.PRESENT_SECONDS + 0.2)
        self.assertEqual([[LoggedIn]] * 3, self.kinds(*clients))
        self.mend("west")
        self.stage.settle()
        self.assertEqual([True, False, False], [client.closed for client in clients])

    def test_a_stopped_node(self) -> None:
        """A node that stops with a turn that is lent leaves no timer behind."""
        number = self.addresses[self.owned["west"]].number
        _ = self.stage.hub.place("south").turn(number)
        self.stage.settle()
        for core in self.stage.cores.values():
            self.stage.ready(core.stop())
        self.assertEqual([], self.stage.clock.getDelayedCalls())


class TakeoverTests(Case):
    """A device that comes back on another node before its old line has ended."""

    def setUp(self) -> None:
        """Somebody writes to it."""
        super().setUp()
        self.name, self.node = self.owned["west"], self.addresses[self.owned["west"]]
        self.writer = self.stage.log_in(self.owned["north"], "writer")

    def test_nothing_is_repeated(self) -> None:
        """What the old line has confirmed is stored before the new one begins."""
        old = self.comes(self.name, "north", "phone")
        self.stage.settle()
        self.writer.writes(self.node, "one")
        self.stage.settle(0.05)
        self.assertEqual(["one"], old.texts)
        new = self.comes(self.name, "south", "phone")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertTrue(old.closed)
        self.assertEqual([LoggedIn], self.kinds(new)[0])

    def test_nothing_is_lost(self) -> None:
        """What the old line has not confirmed comes on the new one."""
        old = self.comes(self.name, "north", "phone", acknowledges=False)
        self.stage.settle()
        self.writer.writes(self.node, "one")
        self.stage.settle(0.05)
        self.assertEqual(["one"], old.texts)
        new = self.comes(self.name, "south", "phone")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual((True, ["one"]), (old.closed, new.texts))

    def test_beside_the_old_line(self) -> None:
        """Nor is anything repeated where both lines may stay."""
        self.stage.settings = OPEN
        for node in NODES:
            self.stage.start(node, alone=False)
        writer = self.stage.log_in(self.owned["north"], "writer")
        old = self.comes(self.name, "north", "phone")
        self.stage.settle()
        writer.writes(self.node, "one")
        self.stage.settle(0.05)
        new = self.comes(self.name, "south", "phone")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual((["one"], []), (old.texts, new.texts))
        self.assertFalse(old.closed)

    def test_both_sides(self) -> None:
        """A node that does not store is waited for half a second."""
        old = self.comes(self.name, "north", "phone")
        self.stage.settle()
        self.patch(self.stage.cores["north"]._desk, "flush", Deferred)
        new = self.comes(self.name, "south", "phone")
        self.stage.settle(limits.SETTLE_SECONDS)
        self.assertEqual((True, []), (old.closed, new.events))
        self.stage.settle(0.1)
        self.assertEqual([[LoggedIn]], self.kinds(new))

    def test_three_takeovers(self) -> None:
        """Going from node to node it takes over three times a minute as well."""
        lines = [self.comes(self.name, "north", "phone")]
        for node in ("south", "west", "north"):
            self.stage.settle()
            lines.append(self.comes(self.name, node, "phone"))
        self.stage.settle()
        self.assertEqual([[LoggedIn]] * 4, self.kinds(*lines))
        self.assertEqual([True] * 3 + [False], [line.closed for line in lines])
        fourth = self.comes(self.name, "south", "phone")
        self.stage.settle()
        self.assertEqual([[Refused]], self.kinds(fourth))
