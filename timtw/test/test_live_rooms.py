"""Virtual rooms on one node, as founders and subscribers see them."""

from __future__ import annotations

import attrs

from timtw.model import limits
from timtw.model.commands import (
    AllowPush,
    EndLive,
    OpenLive,
    Push,
    Subscribe,
    Unsubscribe,
)
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    TooFrequent,
    Undefined,
    UnknownAccount,
)
from timtw.model.events import Event, LiveDone, Pieces
from timtw.model.idents import node_of
from timtw.model.live import Ending, Flow
from timtw.rooms.live.room import Room
from timtw.test.livekit import NOWHERE, LiveCase, bodies, endings, live_of, seated
from timtw.test.stage import OPEN, Client


class Fault(Exception):
    """What a fault in the code would raise."""


class RoomTests(LiveCase):
    """What can be asked about virtual rooms."""

    def test_life(self) -> None:
        """What the founder pushes comes to who subscribed, until the room ends."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.assertEqual([], self.pushes(self.ada, room, b"1", b"2"))
        self.assertEqual([b"1", b"2"], bodies(self.bob))
        self.assertEqual([], bodies(self.ada))
        self.assertIsNone(self.ends(self.ada, room))
        self.assertEqual([PermissionDenied], self.pushes(self.ada, room, b"3"))
        self.assertEqual([b"1", b"2"], bodies(self.bob))

    def test_fault_at_one_subscriber(self) -> None:
        """A fault of ours in what one is told ends his line; the others are told."""
        offer = Client.offer

        def faulty(client: Client, event: Event) -> bool:
            if client is self.bob and isinstance(event, Pieces):
                raise Fault
            return offer(client, event)

        self.patch(Client, "offer", faulty)
        room = self.opens(self.ada)
        for who in (self.bob, self.cyd, self.ada):
            self.subscribes(who, room)
        self.pushes(self.ada, room, b"1")
        self.assertEqual(1, len(self.flushLoggedErrors(Fault)))
        self.assertTrue(self.bob.closed)
        self.assertEqual([[b"1"], [b"1"]], [bodies(self.cyd), bodies(self.ada)])

    def test_fault_in_one_room(self) -> None:
        """A fault of ours in one room costs the pieces of no other."""
        one, other = self.opens(self.ada), self.opens(self.ada)
        for room in (one, other):
            self.subscribes(self.bob, room)
        flush = Room.flush

        def faulty(room: Room) -> None:
            if node_of(room.number) == one:
                raise Fault
            flush(room)

        self.patch(Room, "flush", faulty)
        for room in (one, other):
            self.ada.asks(Push(room, room.encode()))
        self.stage.settle()
        self.assertEqual(1, len(self.flushLoggedErrors(Fault)))
        self.assertEqual([other.encode()], bodies(self.bob))

    def test_pieces_of_a_turn_are_one_object(self) -> None:
        """All who subscribed in one form get the same object, made once."""
        room = self.opens(self.ada)
        for who in (self.bob, self.cyd):
            self.subscribes(who, room)
        self.subscribes(self.ada, room, binary=False)
        for body in (b"1", b"2"):
            self.ada.asks(Push(room, body, dtype=3))
        self.stage.settle()
        (mine,), (his,), (hers,) = (
            who.told(Pieces) for who in (self.ada, self.bob, self.cyd)
        )
        self.assertIs(his, hers)
        self.assertIs(mine.pieces, his.pieces)
        self.assertEqual((False, True), (mine.binary, his.binary))
        one, two = his.pieces
        self.assertEqual((self.ada_is, 3), (one.sender, one.dtype))
        self.assertNotIn(0, (one.ident, two.ident))
        self.assertNotEqual(one.ident, two.ident)

    def test_other_form(self) -> None:
        """Subscribing again changes the form, for what is pushed from then on."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room, binary=False)
        self.ada.asks(Push(room, b"1"))
        self.subscribes(self.bob, room, binary=True)
        self.subscribes(self.bob, room, binary=True)
        self.pushes(self.ada, room, b"2")
        forms = [(one.pieces[0].body, one.binary) for one in self.bob.told(Pieces)]
        self.assertEqual([(b"1", False), (b"2", True)], forms)

    def test_unsubscribe(self) -> None:
        """Nothing more comes; leaving what one is not in is fine."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        for _ in range(2):
            self.leaves(self.bob, room)
        self.leaves(self.bob, NOWHERE)
        self.pushes(self.ada, room, b"1")
        self.assertEqual([], bodies(self.bob))

    def test_v2_unknown_rooms(self) -> None:
        """No room begins to exist because somebody names it."""
        for room, wrong in ((NOWHERE, Undefined), ("no node", BadParameter)):
            self.assertEqual(wrong, self.refusal(self.bob, Subscribe(room, True)))
        self.assertEqual([PermissionDenied], self.pushes(self.bob, NOWHERE, b"1"))
        self.assertEqual([PermissionDenied], self.pushes(self.bob, "no node", b"1"))
        self.assertEqual(PermissionDenied, self.ends(self.bob, NOWHERE))
        self.assertEqual({}, live_of(self.stage).rooms)

    def test_v5_lines_that_are_lost(self) -> None:
        """A subscription ends with its connection, though nobody pushes."""
        room, other = self.opens(self.ada), self.opens(self.ada)
        for one in (room, other):
            self.subscribes(self.bob, one)
        self.subscribes(self.cyd, room)
        self.leaves(self.bob, other)
        self.bob.vanishes()
        self.assertEqual(1, seated(self.stage))
        self.cyd.vanishes()
        self.assertEqual(0, seated(self.stage))

    def test_v6_in_effect_when_answered(self) -> None:
        """What is pushed right behind the answer comes."""
        room = self.opens(self.ada)
        self.bob.asks(Subscribe(room, True))
        self.assertEqual(1, len(self.bob.told(LiveDone)))
        self.ada.asks(Push(room, b"1"))
        self.stage.settle()
        self.assertEqual([b"1"], bodies(self.bob))

    def test_not_what_was_before(self) -> None:
        """What was pushed before, in the same turn, does not come."""
        room = self.opens(self.ada)
        self.ada.asks(Push(room, b"1"))
        self.bob.asks(Subscribe(room, True))
        self.ada.asks(Push(room, b"2"))
        self.bob.asks(Unsubscribe(room))
        self.ada.asks(Push(room, b"3"))
        self.stage.settle()
        self.assertEqual([b"2"], bodies(self.bob))

    def test_v7_end_is_told(self) -> None:
        """Subscribers are told that the room has ended, behind its last piece."""
        room = self.opens(self.ada)
        plain = self.stage.log_in("cyd", "old")
        for who in (self.bob, plain):
            self.subscribes(who, room)
        self.ada.asks(Push(room, b"1"))
        self.assertIsNone(self.ends(self.ada, room))
        self.assertEqual([Ending.REMOVED], endings(self.bob))
        self.assertIsInstance(self.bob.events[-2], Pieces)
        self.assertEqual([], endings(plain))
        self.assertEqual([], endings(self.ada))

    def test_v7_others_cannot_end_it(self) -> None:
        """Who has not founded it is refused, and it goes on."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.assertIs(PermissionDenied, self.ends(self.bob, room))
        self.pushes(self.ada, room, b"1")
        self.assertEqual([b"1"], bodies(self.bob))

    def test_v8_right_to_push(self) -> None:
        """The founder gives the right to push, and takes it back."""
        room = self.opens(self.ada)
        self.subscribes(self.cyd, room)
        self.assertEqual([PermissionDenied], self.pushes(self.bob, room, b"1"))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is))
        self.assertEqual([], self.pushes(self.bob, room, b"2"))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is, allowed=False))
        self.assertEqual([PermissionDenied], self.pushes(self.bob, room, b"3"))
        self.assertEqual([b"2"], bodies(self.cyd))

    def test_v8_who_may_give_it(self) -> None:
        """Only the founder, and only to an account that exists in the domain."""
        room = self.opens(self.ada)
        other = self.stage.register("eve", domain="elsewhere")
        nobody = attrs.evolve(other, node=NOWHERE)
        self.assertIs(PermissionDenied, self.allows(self.bob, room, self.bob_is))
        self.assertIs(UnknownAccount, self.allows(self.ada, room, other))
        self.assertIs(UnknownAccount, self.allows(self.ada, room, nobody))
        malformed = AllowPush(room, "no node", True)
        self.assertIs(BadParameter, self.refusal(self.ada, malformed))
        self.assertIs(PermissionDenied, self.allows(self.ada, NOWHERE, self.bob_is))
        self.assertIsNone(self.allows(self.ada, room, self.ada_is, allowed=False))
        self.assertEqual([], self.pushes(self.ada, room, b"1"))

    def test_i4_other_domain(self) -> None:
        """For accounts of another domain there is no such room, though they name it."""
        room = self.opens(self.ada)
        self.stage.register("eve", domain="elsewhere")
        eve = self.stage.log_in("eve", domain="elsewhere")
        self.assertIs(Undefined, self.refusal(eve, Subscribe(room, True)))
        self.pushes(self.ada, room, b"1")
        self.assertEqual([], bodies(eve))

    def test_all_devices_of_the_founder(self) -> None:
        """Rights belong to the account and not to a connection."""
        room = self.opens(self.ada)
        laptop = self.stage.log_in("ada", "laptop")
        self.subscribes(self.bob, room)
        self.assertEqual([], self.pushes(laptop, room, b"1"))
        self.assertEqual([b"1"], bodies(self.bob))
        self.assertIsNone(self.ends(laptop, room))


class CapTests(LiveCase):
    """How much there may be; one more is refused."""

    settings = attrs.evolve(OPEN, live_rooms=3)

    def test_v10_rooms_of_an_account(self) -> None:
        """So many, and again one when one has ended."""
        rooms = [self.opens(self.ada) for _ in range(3)]
        self.assertIs(PermissionDenied, self.refusal(self.ada, OpenLive()))
        self.opens(self.bob)
        self.assertIsNone(self.ends(self.ada, rooms[1]))
        self.opens(self.ada, Flow.FILE)

    def test_v10_rooms_of_a_node(self) -> None:
        """So many rooms begin on one node."""
        self.patch(limits, "LIVE_ROOMS", 2)
        rooms = [self.opens(who) for who in (self.ada, self.bob)]
        self.assertIs(TooFrequent, self.refusal(self.cyd, OpenLive()))
        self.ends(self.ada, rooms[0])
        self.opens(self.cyd)

    def test_v10_making_and_ending(self) -> None:
        """So many a minute, however short they live."""
        for _ in range(limits.LIVE_ROOMS_PER_MINUTE):
            self.ada.asks(OpenLive())
            done = self.ada.told(LiveDone)[-1]
            self.ada.asks(EndLive(node_of(done.room)))
        self.assertIs(TooFrequent, self.refusal(self.ada, OpenLive()))
        self.stage.settle(1.1)
        self.opens(self.ada)

    def test_subscriptions(self) -> None:
        """So many of one connection, and again one when it leaves one."""
        self.patch(limits, "LIVE_SUBSCRIPTIONS", 2)
        rooms = [self.opens(self.ada) for _ in range(3)]
        for room in rooms[:2]:
            self.subscribes(self.bob, room)
        again = Subscribe(rooms[0], False)
        more = Subscribe(rooms[2], True)
        self.assertIsNone(self.refusal(self.bob, again))
        self.assertIs(PermissionDenied, self.refusal(self.bob, more))
        self.subscribes(self.cyd, rooms[2])
        self.leaves(self.bob, rooms[1])
        self.assertIsNone(self.refusal(self.bob, more))

    def test_pushers(self) -> None:
        """So many accounts may push beside the founder."""
        self.patch(limits, "LIVE_PUSHERS", 1)
        room = self.opens(self.ada)
        self.assertIsNone(self.allows(self.ada, room, self.bob_is))
        self.assertIs(PermissionDenied, self.allows(self.ada, room, self.cyd_is))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is, allowed=False))
        self.assertIsNone(self.allows(self.ada, room, self.cyd_is))

    def test_subscribing_and_leaving_in_a_loop(self) -> None:
        """Nothing is left behind, and others get what they get."""
        room = self.opens(self.ada)
        self.subscribes(self.cyd, room)
        for number in range(500):
            self.bob.asks(Subscribe(room, bool(number % 2)))
            self.ada.asks(Push(room, b"%d" % number))
            self.bob.asks(Unsubscribe(room))
            if number % 50 == 0:
                self.bob.vanishes()
                self.bob = self.stage.log_in("bob", additions=True)
        self.stage.settle()
        self.assertEqual([b"%d" % number for number in range(500)], bodies(self.cyd))
        self.assertEqual([1, 0, 0, 0], self.left_behind())
        self.cyd.vanishes()
        self.assertIsNone(self.ends(self.ada, room))
        self.assertEqual({}, live_of(self.stage).rooms)
        self.assertEqual({}, dict(live_of(self.stage)._founders))
