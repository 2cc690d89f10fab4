"""Virtual rooms on two nodes: who pushes is on one, who subscribes on another."""

from __future__ import annotations

from typing import ClassVar

from timtw.model import limits
from timtw.model.commands import (
    AllowPush,
    EndLive,
    FetchBacklog,
    OpenLive,
    Push,
    SendMessage,
    SendParcel,
    Subscribe,
)
from timtw.model.errors import PermissionDenied, TooFrequent, Undefined
from timtw.model.events import Delivery, Pieces, PiecesDropped, Refused, Streamed
from timtw.model.live import Ending, Flow, Freight, Piece
from timtw.model.values import STREAM, Content
from timtw.test.livekit import (
    NOWHERE,
    LiveCase,
    bodies,
    dropped,
    endings,
    live_of,
)

SIZE = 16 * limits.KIB


class MeshCase(LiveCase):
    """Ada is on the north node, Bob and Cyd on the south one."""

    nodes: ClassVar[tuple[str, ...]] = ("north", "south")

    def setUp(self) -> None:
        """What passes between nodes is looked at."""
        super().setUp()
        self.shipped: list[Freight] = []
        live = live_of(self.stage, "south")
        shipped = live.shipped

        def look(origin: str, freight: Freight) -> None:
            self.shipped.append(freight)
            shipped(origin, freight)

        self.patch(live, "shipped", look)

    def cut(self) -> None:
        """Nothing passes between the nodes any more."""
        self.stage.hub.cut("north", "south")

    def mend(self) -> None:
        """Everything passes again."""
        self.stage.hub.mend("north", "south")


class TrafficTests(MeshCase):
    """What holds on one node holds across two."""

    def test_subscribers_elsewhere(self) -> None:
        """Pieces pass once, whatever the number of subscribers, and in order."""
        room = self.opens(self.ada)
        for who in (self.bob, self.cyd):
            self.subscribes(who, room)
        for number in range(100):
            self.ada.asks(Push(room, b"%d" % number))
        self.stage.settle()
        wanted = [b"%d" % number for number in range(100)]
        self.assertEqual(wanted, bodies(self.bob))
        self.assertIs(self.bob.told(Pieces)[0], self.cyd.told(Pieces)[0])
        self.assertEqual(100, sum(len(freight.goods) for freight in self.shipped))

    def test_v3_push_on_any_node(self) -> None:
        """The founder pushes on another node than that where the room has begun."""
        room = self.opens(self.ada)
        far = self.stage.log_in("ada", "far", node="south")
        near = self.stage.log_in("cyd", "near", node="north")
        self.ada.vanishes()
        for who in (self.bob, near):
            self.subscribes(who, room)
        self.assertEqual([], self.pushes(far, room, b"1"))
        self.assertEqual(([b"1"], [b"1"]), (bodies(self.bob), bodies(near)))

    def test_v8_rights_hold_everywhere(self) -> None:
        """They are decided on the node of who pushes, as soon as it has heard."""
        room = self.opens(self.ada)
        self.subscribes(self.ada, room)
        self.assertEqual([PermissionDenied], self.pushes(self.bob, room, b"1"))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is))
        self.assertEqual([], self.pushes(self.bob, room, b"2"))
        self.assertIsNone(self.allows(self.ada, room, self.bob_is, allowed=False))
        self.assertEqual([PermissionDenied], self.pushes(self.bob, room, b"3"))
        self.assertEqual([b"2"], bodies(self.ada))

    def test_nobody_there(self) -> None:
        """A node without subscribers is sent nothing."""
        room = self.opens(self.ada)
        self.pushes(self.ada, room, b"1")
        self.subscribes(self.bob, room)
        self.pushes(self.ada, room, b"2")
        self.leaves(self.bob, room)
        self.pushes(self.ada, room, b"3")
        goods = [one for freight in self.shipped for one in freight.goods]
        self.assertEqual([b"2"], [one.body for one in goods if isinstance(one, Piece)])

    def test_v7_end_everywhere(self) -> None:
        """Subscribers on other nodes are told, behind the last piece."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.ada.asks(Push(room, b"1"))
        self.assertIsNone(self.ends(self.ada, room))
        self.assertEqual([b"1"], bodies(self.bob))
        self.assertEqual([Ending.REMOVED], endings(self.bob))

    def test_v2_v12_lost_word_of_a_room(self) -> None:
        """A node that has not heard of a room asks before it refuses."""
        self.cut()
        room, other = self.opens(self.ada), self.opens(self.ada)
        self.allows(self.ada, other, self.bob_is)
        self.assertIs(Undefined, self.refusal(self.bob, Subscribe(room, True)))
        self.mend()
        self.assertEqual({}, live_of(self.stage, "south").rooms)
        self.subscribes(self.bob, room)
        self.assertEqual([], self.pushes(self.bob, other, b"1"))
        self.assertIs(Undefined, self.refusal(self.bob, Subscribe(NOWHERE, True)))
        self.pushes(self.ada, room, b"2")
        self.assertEqual([b"2"], bodies(self.bob))

    def test_v12_lost_word_of_a_right(self) -> None:
        """A right that was given while the link was down counts at the first push."""
        room = self.opens(self.ada)
        self.cut()
        self.allows(self.ada, room, self.bob_is)
        self.assertEqual([PermissionDenied], self.pushes(self.bob, room, b"1"))
        self.mend()
        self.assertEqual([], self.pushes(self.bob, room, b"2"))

    def test_questions_have_a_limit(self) -> None:
        """Who is refused again and again cannot keep other nodes busy."""
        asked: list[int] = []
        live = live_of(self.stage, "north")
        answer = live.live

        def count(room: int) -> object:
            asked.append(room)
            return answer(room)

        self.patch(live, "live", count)
        most = limits.LIVE_QUESTIONS_PER_MINUTE
        for _ in range(most + 9):
            refused = self.pushes(self.bob, NOWHERE, b"1", seconds=0.03)
            self.assertEqual([PermissionDenied], refused)
        # Some two seconds have passed.
        self.assertIn(len(asked), range(most, most + 4))

    def test_v10_caps_over_nodes(self) -> None:
        """Rooms that have begun on other nodes count for their founder."""
        far = self.stage.log_in("ada", "far", node="south")
        for number in range(self.settings.live_rooms):
            self.opens((self.ada, far)[number % 2])
        for who in (self.ada, far):
            self.assertIs(PermissionDenied, self.refusal(who, OpenLive()))

    def test_changes_at_the_same_moment(self) -> None:
        """Nodes agree on who may push, whichever change was first."""
        room = self.opens(self.ada)
        far = self.stage.log_in("ada", "far", node="south")
        self.ada.asks(AllowPush(room, self.bob_is.node, True))
        far.asks(AllowPush(room, self.cyd_is.node, True))
        self.stage.settle()
        known = {
            tuple(one.known for one in live_of(self.stage, node).rooms.values())
            for node in self.nodes
        }
        self.assertEqual(1, len(known))

    def test_v10_making_too_many(self) -> None:
        """Changes are limited, as every node is told of each."""
        room = self.opens(self.ada)
        for number in range(limits.LIVE_ROOMS_PER_MINUTE + 20):
            command = AllowPush(room, self.bob_is.node, number % 2 == 0)
            if self.refusal(self.ada, command) is TooFrequent:
                break
        # Some six seconds have passed.
        most = limits.LIVE_ROOMS_PER_MINUTE
        self.assertIn(number, range(most - 1, most + 10))


class CreditTests(MeshCase):
    """What is under way to another node, and what waits for it."""

    def burst(self, room: str, count: int, start: int = 0) -> list[bytes]:
        """Ada pushes in one turn; what she has pushed."""
        pushed = [b"%04d" % number + bytes(SIZE) for number in range(start, count)]
        for one in pushed:
            self.ada.asks(Push(room, one))
        return pushed

    def test_bound_of_what_is_under_way(self) -> None:
        """A text goes behind no more of a stream than the window."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        self.cyd.asks(FetchBacklog())
        self.stage.settle()
        self.burst(room, 60)
        self.stage.clock.advance(0)
        link = live_of(self.stage).works.shipping._links["south"]
        self.assertLessEqual(link.under_way, limits.STREAM_WINDOW)
        self.assertLess(limits.STREAM_WINDOW // 2, link.under_way)
        bob = self.stage.log_in("bob", "writer")
        bob.writes(self.cyd_is, "hi")
        self.stage.settle(0.05)
        self.assertEqual(1, len(self.cyd.told(Delivery)))

    def test_texts_on_a_narrow_link(self) -> None:
        """On a link that takes a megabyte a second texts do not wait for streams."""
        rate = 1_000_000
        self.stage.hub.narrow(rate)
        live, file = self.opens(self.ada), self.opens(self.ada, Flow.FILE)
        for room in (live, file):
            self.subscribes(self.bob, room)
        self.cyd.asks(FetchBacklog())
        writer = self.stage.log_in("bob", "writer", node="north")
        self.stage.settle(1)
        most = 2 * limits.STREAM_WINDOW / rate
        for number in range(5):
            self.burst(live, 200)
            if not self.ada.held:
                self.burst(file, 100)
            writer.writes(self.cyd_is, str(number))
            self.stage.settle(most + 0.05)
            self.assertEqual(number + 1, len(self.cyd.told(Delivery)))
        # Meanwhile the link has carried what it can.
        carried = sum(map(len, bodies(self.bob)))
        self.assertLess(0.8 * rate * 5 * most, carried)
        self.assertLess(0, live_of(self.stage).report().dropped)

    def test_live_drops_the_oldest(self) -> None:
        """What does not find room is dropped and counted; subscribers are told."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        pushed = self.burst(room, 200)
        self.stage.settle(1)
        came = bodies(self.bob)
        self.assertEqual(200, len(came) + dropped(self.bob))
        self.assertLess(0, dropped(self.bob))
        self.assertEqual(pushed[-1], came[-1])
        self.assertEqual(sorted(came), came)
        self.assertEqual(dropped(self.bob), live_of(self.stage).report().dropped)
        kinds = [type(event) for event in self.bob.events]
        self.assertLess(kinds.index(Pieces), kinds.index(PiecesDropped))
        self.assertFalse(self.ada.held)
        self.assertEqual(0, self.left_behind()[2])

    def test_file_drops_nothing(self) -> None:
        """Who pushes is held until there is room; all of it comes."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        pushed = self.burst(room, 200)
        self.assertTrue(self.ada.held)
        self.stage.settle(1)
        self.assertFalse(self.ada.held)
        self.assertEqual(pushed, bodies(self.bob))

    def test_v9_slow_subscriber_elsewhere(self) -> None:
        """In a file room a slow subscriber on another node holds who pushes."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        self.bob.session.writable(False)
        count = 0
        while not self.ada.held:
            self.burst(room, count + 1, count)
            self.stage.settle(0.02)
            count += 1
            self.assertLess(count, 400)
        self.bob.session.writable(True)
        self.stage.settle(1)
        self.assertFalse(self.ada.held)
        self.assertEqual(count, len(bodies(self.bob)))
        for node in self.nodes:
            self.assertEqual([0, 0, 0], self.left_behind(node)[1:])

    def test_v9_slow_subscriber_elsewhere_in_a_live_room(self) -> None:
        """In a live room it concerns nobody else, and takes no credit."""
        room = self.opens(self.ada)
        for who in (self.bob, self.cyd):
            self.subscribes(who, room)
        self.bob.session.writable(False)
        for number in range(300):
            self.burst(room, number + 1, number)
            self.stage.settle(0.02)
        self.assertEqual(300, len(bodies(self.cyd)))
        self.assertFalse(self.ada.held)
        self.bob.session.writable(True)
        self.assertEqual(300, len(bodies(self.bob)) + dropped(self.bob))

    def test_v1_what_follows_does_not_overtake(self) -> None:
        """A stream message and a parcel come behind the pieces sent before them."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        pushed = self.burst(room, 60)
        self.ada.asks(SendMessage(self.bob_is.node, Content("done"), kind=STREAM))
        self.ada.asks(SendParcel(self.bob_is.node, b"done", True))
        self.stage.settle(1)
        self.assertEqual(pushed, bodies(self.bob))
        kinds = [type(event).__name__ for event in self.bob.events[-3:]]
        self.assertEqual(["Pieces", "Streamed", "ParcelCame"], kinds)
        self.assertEqual("done", self.bob.told(Streamed)[0].message.content.text)

    def test_end_behind_what_waits(self) -> None:
        """A file room ends when what was pushed is on its way: all of it comes."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        pushed = self.burst(room, 60)
        self.assertIsNone(self.ends(self.ada, room))
        self.stage.settle(1)
        self.assertEqual(pushed, bodies(self.bob))
        self.assertEqual([Ending.REMOVED], endings(self.bob))

    def test_another_device_ends_it(self) -> None:
        """Also then all of it comes that was pushed before, and nothing behind it."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        laptop = self.stage.log_in("ada", "laptop")
        pushed = self.burst(room, 60)
        self.stage.clock.advance(0)
        laptop.asks(EndLive(room))
        laptop.asks(Push(room, b"too late"))
        self.assertEqual([], laptop.told(Refused))
        self.ada.asks(Push(room, b"too late"))
        self.stage.settle(1)
        for who in (self.ada, laptop):
            (refused,) = who.told(Refused)
            self.assertIsInstance(refused.error, PermissionDenied)
        self.assertEqual(pushed, bodies(self.bob))
        self.assertEqual([Ending.REMOVED], endings(self.bob))

    def test_link_that_is_cut(self) -> None:
        """What was under way is lost; who pushes is held for seconds, not for ever."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        self.burst(room, 200)
        self.assertTrue(self.ada.held)
        self.cut()
        self.stage.settle(limits.LIVE_LOOK_SECONDS + 1)
        self.assertFalse(self.ada.held)
        self.mend()
        self.pushes(self.ada, room, b"after")
        self.assertEqual(b"after", bodies(self.bob)[-1])
        self.assertEqual(0, self.left_behind()[2])

    def test_link_that_loses_something(self) -> None:
        """What was lost on the way does not narrow the window for ever."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        for start in range(0, 100, 10):
            self.burst(room, start + 10, start)
            self.stage.clock.advance(0)
            self.cut()
            self.stage.clock.advance(0.002)  # The repayments are lost.
            self.mend()
        self.stage.settle(limits.CREDIT_SECONDS + 2 * limits.LIVE_LOOK_SECONDS)
        self.assertEqual(0, self.left_behind()[2])
        self.pushes(self.ada, room, b"after")
        self.assertEqual(b"after", bodies(self.bob)[-1])

    def test_a_node_that_leaves(self) -> None:
        """Who is held for it goes on, and nothing is left of it."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        self.bob.session.writable(False)
        self.burst(room, 300)
        self.stage.settle(0.1)
        self.assertTrue(self.ada.held)
        self.stage.ready(self.stage.cores["south"].stop())
        self.stage.settle(limits.LIVE_LOOK_SECONDS + 1)
        self.assertFalse(self.ada.held)
        self.assertEqual(0, self.left_behind()[2])
