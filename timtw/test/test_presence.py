"""Presence as people see it: who is told how somebody is, and that they are gone."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import (
    ChangeRelation,
    ChangeRoom,
    CreateRoom,
    ShowPresence,
)
from timtw.model.errors import (
    BadParameter,
    Overloaded,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Appeared, Refused, RoomDone
from timtw.model.peers import INeighbour
from timtw.model.presence import Status
from timtw.model.relations import Step
from timtw.model.roominfo import Entry
from timtw.model.roomsteps import RoomStep
from timtw.model.values import Address, Device
from timtw.test.stage import OPEN, Client, Stage

FRIENDS_ONLY = attrs.evolve(OPEN, write_to_anyone=False)
HERE = Status(show=1, text="here", purpose=1)


class PresenceCase(SynchronousTestCase):
    """Ada on the north node and Bob on the south node are friends; Cyd is nobody's."""

    settings = FRIENDS_ONLY

    def setUp(self) -> None:
        """All have accounts, and a device that is there."""
        self.stage = Stage(("north", "south"), settings=self.settings)
        register = self.stage.register
        self.ada_is, self.bob_is = register("ada"), register("bob")
        self.cyd_is = register("cyd")
        self.ada = self.stage.log_in("ada")
        self.bob = self.stage.log_in("bob", node="south")
        self.cyd = self.stage.log_in("cyd")
        self.befriend(self.ada, self.ada_is, self.bob, self.bob_is)

    def befriend(
        self, one: Client, one_is: Address, other: Client, other_is: Address
    ) -> None:
        """Both ask."""
        one.asks(ChangeRelation(Step.ASK, other_is.node, ""))
        self.stage.settle()
        other.asks(ChangeRelation(Step.ASK, one_is.node, ""))
        self.stage.settle()

    def shows(
        self,
        who: Client,
        status: Status = HERE,
        peer: str | None = None,
        peers: tuple[str, ...] | None = None,
        broad: bool = True,
    ) -> list[type[Exception]]:
        """What somebody is refused with who shows something."""
        before = len(who.told(Refused))
        who.asks(ShowPresence(status, peer, peers, broad))
        self.stage.settle(0.5)
        return [type(one.error) for one in who.told(Refused)[before:]]

    def seen(self, who: Client) -> list[str | None]:
        """What somebody was told since this was last asked; "gone" for who is."""
        told = who.told(Appeared)
        who.events[:] = [one for one in who.events if not isinstance(one, Appeared)]
        for one in told:
            self.assertFalse(one.appearance.gone and one.appearance.status != Status())
        return ["gone" if t.appearance.gone else t.appearance.status.text for t in told]

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.stage.settle(seconds)


class ShowingTests(PresenceCase):
    """Who is told."""

    def test_p4_broadcast(self) -> None:
        """All friends are told, on every node and device, each with the id."""
        again = self.stage.log_in("bob", "laptop", node="north")
        other = self.stage.log_in("ada", "laptop", node="south")
        self.ada.asks(ShowPresence(HERE, broad=True, ident=77))
        self.passes(0.5)
        for device in (self.bob, again):
            (told,) = device.told(Appeared)
            self.assertEqual(self.bob_is, told.receiver)
            shown = told.appearance
            self.assertEqual((self.ada_is, 77, HERE), (shown.sender, shown.ident, HERE))
            self.assertEqual(Device("phone"), shown.device)
            self.assertFalse(shown.gone)
        for nobody in (self.ada, other, self.cyd):
            self.assertEqual([], nobody.told(Appeared))
        self.shows(self.ada)
        self.assertTrue(self.bob.told(Appeared)[-1].appearance.ident)

    def test_content_is_the_applications(self) -> None:
        """Whatever an application says arrives as it was said."""
        status = Status(-7, "am Meer 🌊\udc80", 42, {"a": "b"}, {"c": b"\x00\xff"})
        self.assertEqual([], self.shows(self.ada, status))
        self.assertEqual(status, self.bob.told(Appeared)[0].appearance.status)

    def test_directed(self) -> None:
        """One friend is told, or those of a list, each once; nobody else is."""
        bob, ada = self.bob_is.node, self.ada_is.node
        for broad in (False, True):
            self.shows(self.ada, peer=bob, broad=broad)
            self.assertEqual(["here"], self.seen(self.bob))
            self.shows(self.ada, peers=(bob, ada, bob), broad=broad)
            self.assertEqual(["here"], self.seen(self.bob))
            self.shows(self.ada, peer=ada, broad=broad)
        for nobody in (self.ada, self.cyd, self.bob):
            self.assertEqual([], self.seen(nobody))

    def test_unknown(self) -> None:
        """Whoever names somebody unknown is told, unless it is a broadcast."""
        far = self.stage.register("far", "elsewhere").node
        for peer in ("zzz", "", "not a node", far):
            for broad, refused in ((False, [UnknownAccount]), (True, [])):
                self.assertEqual(refused, self.shows(self.ada, peer=peer, broad=broad))
                peers = (self.bob_is.node, peer)
                found = self.shows(self.ada, peers=peers, broad=broad)
                self.assertEqual(refused, found)
                self.assertEqual(["here"] * broad, self.seen(self.bob))
        self.assertEqual([UnknownAccount], self.shows(self.ada, broad=False))
        self.assertEqual([UnknownAccount], self.shows(self.ada, peers=(), broad=False))
        self.assertEqual([], self.shows(self.ada, peers=()))
        self.assertEqual([], self.seen(self.bob))

    def test_a5_strangers_and_blocks(self) -> None:
        """Strangers are shown nothing, nor anybody where either side blocks."""
        bob, cyd = self.bob_is.node, self.cyd_is.node
        self.assertEqual([], self.shows(self.ada, peer=cyd, broad=False))
        self.assertEqual([], self.shows(self.ada, peers=(cyd, bob), broad=False))
        self.assertEqual([], self.shows(self.ada, peer=cyd))
        self.assertEqual(([], ["here"]), (self.seen(self.cyd), self.seen(self.bob)))
        self.bob.asks(ChangeRelation(Step.BLOCK, self.ada_is.node))
        self.passes(0.1)
        for one, other, node in (
            (self.ada, self.bob, bob),
            (self.bob, self.ada, self.ada_is.node),
        ):
            self.assertEqual([], self.shows(one, peer=node, broad=False))
            self.assertEqual([], self.shows(one, peers=(node,), broad=False))
            self.assertEqual([], self.shows(one, peers=(node,)))
            self.assertEqual([], self.shows(one))
            self.assertEqual([], self.seen(other))

    def test_a6_friendship_ends_elsewhere(self) -> None:
        """A list of friends that is remembered ends with the friendship, anywhere."""
        bob, ada = self.bob_is.node, self.ada_is.node
        self.shows(self.ada)
        self.assertEqual(["here"], self.seen(self.bob))
        for step in (Step.LEAVE, Step.BLOCK):
            self.bob.asks(ChangeRelation(step, ada))
            self.passes(0.05)
            self.ada.asks(ShowPresence(HERE, broad=True))
            self.passes(0.5)
            self.assertEqual([], self.seen(self.bob), step)
            self.befriend(self.bob, self.bob_is, self.ada, self.ada_is)
            self.shows(self.ada)
            self.assertEqual(["here"], self.seen(self.bob), step)
        self.ada.asks(ChangeRelation(Step.LEAVE, bob))
        self.passes(0.05)
        self.bob.asks(ShowPresence(HERE, broad=True))
        self.passes(0.5)
        self.assertEqual([], self.seen(self.ada))

    def test_too_much(self) -> None:
        """Too long a list or text is refused, and nobody is told."""
        many = (self.bob_is.node,) * (limits.PRESENCE_LIST + 1)
        long = Status(text="x" * (limits.PRESENCE_BYTES + 1))
        for broad in (True, False):
            found = self.shows(self.ada, peers=many, broad=broad)
            self.assertEqual([BadParameter], found)
            found = self.shows(self.ada, long, self.bob_is.node, broad=broad)
            self.assertEqual([BadParameter], found)
        self.assertEqual([], self.seen(self.bob))
        self.assertEqual([], self.shows(self.ada, peers=many[1:]))
        long = Status(text="x" * limits.PRESENCE_BYTES)
        self.assertEqual([], self.shows(self.ada, long))
        self.assertEqual(["here", long.text], self.seen(self.bob))

    def test_too_often(self) -> None:
        """One account causes so many copies a minute, however it spreads them."""
        self.patch(limits, "PRESENCE_COPIES_PER_MINUTE", 3)
        self.stage.start("north", alone=False)
        self.ada = self.stage.log_in("ada")
        results = [self.shows(self.ada) for _ in range(4)]
        self.assertEqual([[], [], [], [TooFrequent]], results)
        self.stage.clock.advance(60)
        self.assertEqual([], self.shows(self.ada, peers=()))
        self.assertEqual([], self.shows(self.ada))

    def test_too_many_strangers(self) -> None:
        """Who is named counts also if it is a stranger, who sees nothing."""
        self.patch(limits, "PRESENCE_COPIES_PER_MINUTE", 3)
        self.stage.start("north", alone=False)
        self.ada = self.stage.log_in("ada")
        for refused in ([], [TooFrequent]):
            peers = (self.cyd_is.node, self.bob_is.node)
            self.assertEqual(refused, self.shows(self.ada, peers=peers))

    def test_too_busy(self) -> None:
        """Presence is refused first where too much waits for storage."""
        self.patch(limits, "PRESENCE_WAITING", 3)
        self.stage.start("north", alone=False)
        self.ada = self.stage.log_in("ada")
        other = self.stage.log_in("ada", "laptop")
        for waiting, refused in ((2, False), (3, True)):
            for _ in range(waiting):
                self.ada.writes(self.bob_is, "hi")
            other.asks(ShowPresence(HERE, broad=True))
            found = [type(one.error) for one in other.told(Refused)]
            self.assertEqual([Overloaded] * refused, found)
            self.passes(0.5)

    def test_slow_line(self) -> None:
        """A line that takes nothing is told the newest as soon as it does."""
        self.bob.session.writable(False)
        for text in ("one", "two"):
            self.shows(self.ada, Status(text=text))
        self.assertEqual([], self.seen(self.bob))
        self.bob.session.writable(True)
        self.assertEqual(["two"], self.seen(self.bob))
        self.bob.session.writable(False)
        self.shows(self.ada)
        self.bob.vanishes()
        self.bob.session.writable(True)
        self.assertEqual([], self.seen(self.bob))

    def test_one_notice_per_node(self) -> None:
        """Another node is told once of each, however many of its people may see it."""
        for name in ("dan", "eve"):
            address = self.stage.register(name)
            friend = self.stage.log_in(name, node="south")
            self.befriend(self.ada, self.ada_is, friend, address)
        self.passes(1)
        calls: list[Callable[[INeighbour], None]] = []
        carry = self.stage.hub.carry

        def counted(
            origin: str, to: str, call: Callable[[INeighbour], None], octets: int = 0
        ) -> None:
            calls.append(call)
            carry(origin, to, call, octets)

        self.stage.hub.carry = counted  # type: ignore[method-assign]
        for text in ("one", "two"):
            self.ada.asks(ShowPresence(Status(text=text), broad=True))
        self.passes(0.5)
        self.assertEqual(1, len(calls))
        self.assertEqual(["one", "two"], self.seen(self.bob))

    def test_p3_overtaken_between_nodes(self) -> None:
        """What somebody has shown before is not shown behind what came later, whatever
        way both went; what different devices show stands beside each other."""
        held: list[Callable[[], None]] = []
        desk = self.stage.log_in("ada", "desk")
        carry = self.stage.hub.carry

        def late(
            origin: str, to: str, call: Callable[[INeighbour], None], octets: int = 0
        ) -> None:
            held.append(lambda: carry(origin, to, call, octets))

        self.stage.hub.carry = late  # type: ignore[method-assign]
        for who, text in (
            (self.ada, "away"),
            (desk, "at the desk"),
            (self.ada, "back"),
        ):
            who.asks(ShowPresence(Status(text=text), broad=True))
            self.passes(0.2)
        self.stage.hub.carry = carry  # type: ignore[method-assign]
        for arrive in reversed(held):
            arrive()
            self.passes(0.01)
        self.assertEqual(["back", "at the desk"], self.seen(self.bob))

    def test_much_at_once_does_not_wait(self) -> None:
        """What is gathered for another node goes before it is too much."""
        self.patch(limits, "PRESENCE_GATHERED", 2)
        self.ada.asks(ShowPresence(Status(text="one"), broad=True))
        self.passes(0.03)
        self.assertEqual([], self.seen(self.bob))
        self.ada.asks(ShowPresence(Status(text="two"), broad=True))
        self.passes(0.03)
        self.assertEqual(["one", "two"], self.seen(self.bob))
        self.passes(1)
        self.assertEqual([], self.seen(self.bob))


class FellowTests(PresenceCase):
    """Ada and Cyd are no friends, and in one group on two nodes."""

    def setUp(self) -> None:
        """Cyd is on the other node, Ada lets her into her group."""
        super().setUp()
        self.cyd = self.stage.log_in("cyd", "laptop", node="south")
        self.ada.asks(CreateRoom("Topic", Entry.PRIVATE))
        self.passes(0.1)
        (made,) = self.ada.told(RoomDone)
        self.room = made.room
        self.step(self.ada, RoomStep.PULL_IN, self.cyd_is)

    def step(self, who: Client, step: RoomStep, peer: Address | None = None) -> None:
        """A step about the group, which has arrived on both nodes."""
        who.asks(ChangeRoom(step, self.room, "" if peer is None else peer.node))
        self.passes(0.05)
        self.assertEqual([], who.told(Refused))

    def test_a5_fellow_members(self) -> None:
        """Who is in one group may be shown something, if it is named; a broadcast
        is for friends, and whoever is in no group with Ada is a stranger."""
        ada, bob, cyd = self.ada_is.node, self.bob_is.node, self.cyd_is.node
        for broad in (False, True):
            self.shows(self.ada, peer=cyd, broad=broad)
            self.assertEqual(["here"], self.seen(self.cyd))
            self.shows(self.cyd, peers=(ada, bob), broad=broad)
            self.assertEqual(["here"], self.seen(self.ada))
        self.shows(self.ada)
        self.assertEqual(([], ["here"]), (self.seen(self.cyd), self.seen(self.bob)))

    def test_a5_block_between_members(self) -> None:
        """A block counts in a group as well, whoever blocks, and for both."""
        for one, other in ((self.ada, self.cyd_is), (self.cyd, self.ada_is)):
            one.asks(ChangeRelation(Step.BLOCK, other.node))
            self.passes(0.05)
            self.shows(self.ada, peer=self.cyd_is.node, broad=False)
            self.shows(self.cyd, peer=self.ada_is.node, broad=False)
            self.assertEqual(([], []), (self.seen(self.ada), self.seen(self.cyd)))
            one.asks(ChangeRelation(Step.LEAVE, other.node))
            self.passes(0.05)
        self.shows(self.ada, peer=self.cyd_is.node, broad=False)
        self.assertEqual(["here"], self.seen(self.cyd))

    def test_a6_end_of_the_membership(self) -> None:
        """Who has left, was removed or barred is a stranger again, at once."""
        for who, step in (
            (self.ada, RoomStep.REMOVE),
            (self.cyd, RoomStep.LEAVE),
            (self.ada, RoomStep.BAR),
        ):
            self.shows(self.ada, peer=self.cyd_is.node, broad=False)
            self.assertEqual(["here"], self.seen(self.cyd))
            self.step(who, step, None if who is self.cyd else self.cyd_is)
            self.ada.asks(ShowPresence(HERE, self.cyd_is.node))
            self.cyd.asks(ShowPresence(HERE, self.ada_is.node))
            self.passes(0.5)
            self.assertEqual(([], []), (self.seen(self.ada), self.seen(self.cyd)))
            self.step(self.ada, RoomStep.PULL_IN, self.cyd_is)


class AnyoneTests(PresenceCase):
    """Where anybody may write to anybody."""

    settings = OPEN

    def test_a5_blocks_count_nevertheless(self) -> None:
        """Strangers may be shown something, until one of them blocks the other."""
        cyd = self.cyd_is.node
        self.shows(self.ada, peer=cyd, broad=False)
        self.assertEqual(["here"], self.seen(self.cyd))
        self.shows(self.ada)
        self.assertEqual(([], ["here"]), (self.seen(self.cyd), self.seen(self.bob)))
        self.cyd.asks(ChangeRelation(Step.BLOCK, self.ada_is.node))
        self.passes(0.1)
        self.assertEqual([], self.shows(self.ada, peer=cyd, broad=False))
        self.assertEqual([], self.seen(self.cyd))
