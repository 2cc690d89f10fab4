"""Big text and octets between accounts, as those who send and get them see it."""

from __future__ import annotations

from typing import ClassVar

import attrs

from timtw.model import limits
from timtw.model.commands import (
    ChangeRelation,
    FetchBacklog,
    PullHistory,
    SendMessage,
    SendParcel,
)
from timtw.model.errors import PermissionDenied, TimError, UnknownAccount
from timtw.model.events import History, ParcelCame, Refused
from timtw.model.live import Parcel
from timtw.model.relations import Step
from timtw.model.values import STREAM, Address, Content
from timtw.test.livekit import NOWHERE, LiveCase
from timtw.test.roomkit import make_room
from timtw.test.stage import OPEN, Client


class ParcelTests(LiveCase):
    """Ada sends to Bob and Cyd, who are on another node."""

    nodes: ClassVar[tuple[str, ...]] = ("north", "south")

    def sends(self, who: Client, peer: str, octets: bytes) -> list[type[TimError]]:
        """Somebody sends; why it was refused."""
        before = len(who.events)
        who.asks(SendParcel(peer, octets, False))
        self.stage.settle(0.3)
        refused = [one for one in who.events[before:] if isinstance(one, Refused)]
        return [type(one.error) for one in refused]

    def came(self, who: Client) -> list[bytes]:
        """What came, in order."""
        return [event.parcel.octets for event in who.told(ParcelCame)]

    def test_every_device(self) -> None:
        """Each device of the receiver gets it, on both nodes; nobody else does."""
        near = self.stage.log_in("bob", "near", node="north")
        laptop = self.stage.log_in("ada", "laptop")
        self.ada.asks(SendParcel(self.bob_is.node, b"text", True))
        self.stage.settle()
        for device in (near, self.bob):
            (event,) = device.told(ParcelCame)
            wanted = Parcel(self.ada_is, self.bob_is, b"text", True)
            self.assertEqual(wanted, event.parcel)
        for other in (laptop, self.ada, self.cyd):
            self.assertEqual([], self.came(other))

    def test_lost_when_nobody_is_there(self) -> None:
        """It is in no backlog and in no history, and nobody is told."""
        self.bob.vanishes()
        self.assertEqual([], self.sends(self.ada, self.bob_is.node, b"1"))
        again = self.stage.log_in("bob", node="south")
        again.asks(FetchBacklog())
        again.asks(PullHistory(self.ada_is.node, 0, 10))
        self.stage.settle(5)
        self.assertEqual(([], []), (self.came(again), again.entries))
        self.assertEqual([History(())], again.told(History))

    def test_a_connection_on_its_way_in(self) -> None:
        """Who has not logged in gets nothing."""
        stranger = self.stage.connect("south")
        self.sends(self.ada, self.bob_is.node, b"1")
        self.assertEqual([], stranger.events)

    def test_v1_order(self) -> None:
        """They come in the order in which one connection sent them."""
        for number in range(200):
            self.ada.asks(SendParcel(self.bob_is.node, b"%d" % number, False))
        self.stage.settle()
        self.assertEqual([b"%d" % number for number in range(200)], self.came(self.bob))

    def fill(self, count: int = 1000) -> int:
        """Ada sends to Bob until she is held; how many parcels she has sent."""
        octets = bytes(100 * limits.KIB)
        for number in range(count):
            self.ada.asks(SendParcel(self.bob_is.node, octets, False))
            self.stage.settle(0.02)
            if self.ada.held:
                return number + 1
        raise AssertionError("nobody holds her")

    def test_a_slow_device_holds_who_sends(self) -> None:
        """Until the device takes again; nothing is missing, Cyd is not concerned."""
        self.bob.session.writable(False)
        sent = self.fill(100)
        under_way = sent * 100 * limits.KIB
        most = limits.LIVE_QUEUE_BYTES + limits.STREAM_WINDOW
        most += limits.STREAM_WAITING_BYTES + 2 * 101 * limits.KIB
        self.assertLess(under_way, most)
        self.assertEqual([], self.sends(self.cyd, self.ada_is.node, b"1"))
        self.assertEqual([b"1"], self.came(self.ada))
        self.bob.session.writable(True)
        self.stage.settle(1)
        self.assertFalse(self.ada.held)
        self.assertEqual(sent, len(self.came(self.bob)))
        for node in self.nodes:
            self.assertEqual([0, 0, 0, 0], self.left_behind(node))

    def test_a_slow_device_on_the_same_node(self) -> None:
        """It makes no difference where the device is."""
        self.bob.session.writable(False)
        count = 0
        while not self.cyd.held:
            self.sends(self.cyd, self.bob_is.node, bytes(100 * limits.KIB))
            count += 1
            self.assertLess(count, 20)
        self.assertLess(limits.LIVE_QUEUE_BYTES, count * 101 * limits.KIB)
        self.bob.session.writable(True)
        self.assertFalse(self.cyd.held)
        self.assertEqual(count, len(self.came(self.bob)))

    def test_a_slow_device_that_goes(self) -> None:
        """Who was held for it goes on."""
        self.bob.session.writable(False)
        self.fill()
        self.bob.vanishes()
        self.stage.settle(1)
        self.assertFalse(self.ada.held)
        for node in self.nodes:
            self.assertEqual([0, 0, 0, 0], self.left_behind(node))

    def test_a_node_that_goes(self) -> None:
        """Who was held for a device there goes on."""
        self.bob.session.writable(False)
        self.fill()
        self.stage.hub.cut("north", "south")
        self.stage.settle(limits.LIVE_LOOK_SECONDS + 1)
        self.assertFalse(self.ada.held)
        self.assertEqual([0, 0, 0, 0], self.left_behind())


class RightsTests(LiveCase):
    """Who may send to whom: whoever may send a stream, and nobody else."""

    settings = attrs.evolve(OPEN, write_to_anyone=False)

    def verdicts(self, who: Client, peer: str) -> set[type[TimError] | None]:
        """What becomes of a parcel and of a stream."""
        found: set[type[TimError] | None] = set()
        for command in (
            SendParcel(peer, b"x", False),
            SendMessage(peer, Content("x"), kind=STREAM),
        ):
            before = len(who.events)
            who.asks(command)
            self.stage.settle(0.3)
            refused = [one for one in who.events[before:] if isinstance(one, Refused)]
            found.add(type(refused[0].error) if refused else None)
        return found

    def relate(self, step: Step, who: Client, peer: Address) -> None:
        """A step between two."""
        who.asks(ChangeRelation(step, peer.node))
        self.stage.settle(0.3)

    def test_a2_strangers_and_blocked(self) -> None:
        """Strangers may not, friends may, and nobody across a block."""
        bob = self.bob_is.node
        self.assertEqual({PermissionDenied}, self.verdicts(self.ada, bob))
        self.relate(Step.ASK, self.ada, self.bob_is)
        self.assertEqual({PermissionDenied}, self.verdicts(self.ada, bob))
        self.relate(Step.ASK, self.bob, self.ada_is)
        self.assertEqual({None}, self.verdicts(self.ada, bob))
        self.relate(Step.BLOCK, self.bob, self.ada_is)
        self.assertEqual({PermissionDenied}, self.verdicts(self.ada, bob))
        self.assertEqual({PermissionDenied}, self.verdicts(self.bob, self.ada_is.node))
        self.assertEqual(1, len(self.bob.told(ParcelCame)))

    def test_a2_nobody_and_oneself(self) -> None:
        """Unknown and malformed nodes, other domains and oneself are refused."""
        other = self.stage.register("eve", domain="elsewhere")
        for node in (NOWHERE, "no node", "", other.node):
            self.assertEqual({UnknownAccount}, self.verdicts(self.ada, node))
        self.assertEqual({PermissionDenied}, self.verdicts(self.ada, self.ada_is.node))

    def test_q5_groups(self) -> None:
        """Big data does not go to groups: nobody would see which one it is of."""
        group = make_room(self.stage, self.ada_is, self.bob_is)
        self.assertEqual({UnknownAccount}, self.verdicts(self.ada, group.node))
        self.assertEqual([], self.bob.told(ParcelCame))
