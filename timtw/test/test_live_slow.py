"""Connections that take less than is pushed: who waits, and who misses something."""

from __future__ import annotations

import attrs

from timtw.model import limits
from timtw.model.commands import (
    FetchBacklog,
    Ping,
    Push,
    SendMessage,
    SendParcel,
    Subscribe,
)
from timtw.model.events import (
    Delivery,
    LiveEnded,
    ParcelCame,
    Pieces,
    PiecesDropped,
    Pong,
    Refused,
    Streamed,
)
from timtw.model.live import Ending, Flow
from timtw.model.values import STREAM, Content
from timtw.rooms.live import backlog
from timtw.rooms.live.backlog import Backlog, Budget
from timtw.test.livekit import LiveCase, bodies, dropped, endings, live_of
from timtw.test.stage import OPEN, Client

SIZE = 10 * limits.KIB
"""Octets of a piece in these tests, a hundred of which fill a queue."""


def body(number: int) -> bytes:
    """A large piece with a number."""
    return b"%08d" % number + bytes(SIZE - limits.PIECE_BYTES - 8)


def numbers(client: Client) -> list[int]:
    """The numbers of the pieces that came."""
    return [int(one[:8]) for one in bodies(client)]


class LiveFlowTests(LiveCase):
    """In a live room whoever is slow misses something, and nobody else."""

    def setUp(self) -> None:
        """Bob and Cyd have subscribed to a room of Ada's."""
        super().setUp()
        self.room = self.opens(self.ada)
        for who in (self.bob, self.cyd):
            self.subscribes(who, self.room)

    def push(self, first: int, end: int) -> None:
        """Ada pushes, a piece a turn."""
        for number in range(first, end):
            self.pushes(self.ada, self.room, body(number), seconds=0.01)

    def test_v9_one_stalled_viewer(self) -> None:
        """Others get everything at once, and the publisher is not held."""
        self.bob.session.writable(False)
        self.push(0, 300)
        self.assertEqual(list(range(300)), numbers(self.cyd))
        self.assertEqual([], bodies(self.bob))
        self.assertFalse(self.ada.held)

    def test_v9_the_newest_are_kept(self) -> None:
        """When he takes again he is told how many are missing; the newest come."""
        self.bob.session.writable(False)
        self.push(0, 150)
        before = len(self.bob.events)
        self.bob.session.writable(True)
        self.push(150, 152)
        kept = limits.LIVE_QUEUE_BYTES // SIZE
        self.assertEqual(list(range(150 - kept, 152)), numbers(self.bob))
        self.assertEqual(150 - kept, dropped(self.bob))
        self.assertIsInstance(self.bob.events[before], PiecesDropped)
        report = live_of(self.stage).report()
        self.assertEqual(150 - kept, report.dropped)
        self.assertEqual(152 + kept + 2, report.sent)

    def test_nothing_is_dropped_that_has_room(self) -> None:
        """A queue holds so much and not one piece more."""
        most = limits.LIVE_QUEUE_BYTES // SIZE
        self.bob.session.writable(False)
        self.push(0, most)
        self.assertEqual(0, live_of(self.stage).report().dropped)
        self.push(most, most + 1)
        self.assertEqual(1, live_of(self.stage).report().dropped)

    def test_pieces_without_number(self) -> None:
        """Tiny pieces are counted, so that a million of them do not wait."""
        self.bob.session.writable(False)
        for number in range(limits.LIVE_QUEUE_PIECES + 1):
            self.ada.asks(Push(self.room, b"%d" % number))
        self.stage.settle()
        waiting = limits.LIVE_QUEUE_PIECES + 1 - live_of(self.stage).report().dropped
        self.assertLessEqual(waiting, limits.LIVE_QUEUE_PIECES)
        self.assertLess(0, waiting)

    def test_one_large_piece(self) -> None:
        """What is larger than a queue waits alone."""
        self.bob.session.writable(False)
        for letter in (b"a", b"b"):
            large = letter * (limits.LIVE_QUEUE_BYTES + 1)
            self.pushes(self.ada, self.room, large)
        self.bob.session.writable(True)
        self.assertEqual([b"b"], [one[:1] for one in bodies(self.bob)])
        self.assertEqual(1, dropped(self.bob))

    def test_what_a_node_has_room_for(self) -> None:
        """Above it slow subscribers get nothing, but they are told how many."""
        self.patch(backlog, "LIVE_QUEUES_BYTES", 3 * SIZE)
        for who in (self.bob, self.cyd):
            who.session.writable(False)
        self.push(0, 9)
        self.assertLessEqual(live_of(self.stage).works.budget.octets, 3 * SIZE)
        for who in (self.bob, self.cyd):
            who.session.writable(True)
        came = len(bodies(self.bob)) + len(bodies(self.cyd))
        self.assertEqual(18, came + dropped(self.bob) + dropped(self.cyd))
        self.assertEqual(0, live_of(self.stage).works.budget.octets)

    def test_taken_in_parts(self) -> None:
        """A line that takes a little gets a little, in order, and rooms take turns."""
        other = self.opens(self.ada)
        self.subscribes(self.bob, other)
        self.bob.session.writable(False)
        for number in range(6):
            room = (self.room, other)[number % 2]
            self.pushes(self.ada, room, b"%d" % number)
        taking = Taking(self.bob)
        for _ in range(6):
            taking.take_one()
        self.assertEqual([b"0", b"2", b"4"], bodies(self.bob, self.room))
        self.assertEqual([b"1", b"3", b"5"], bodies(self.bob, other))
        first = [event.pieces[0].body for event in self.bob.told(Pieces)]
        self.assertEqual({b"0", b"1"}, set(first[:2]))

    def test_end_behind_what_waits(self) -> None:
        """That the room has ended is told behind what still comes of it."""
        self.bob.session.writable(False)
        self.push(0, 2)
        self.assertIsNone(self.ends(self.ada, self.room))
        self.assertEqual(([], []), (bodies(self.bob), endings(self.bob)))
        self.bob.session.writable(True)
        self.assertEqual([0, 1], numbers(self.bob))
        self.assertIsInstance(self.bob.events[-1], LiveEnded)
        self.assertEqual([0, 0, 0, 0], self.left_behind())

    def test_subscribing_on_a_slow_line(self) -> None:
        """Who subscribes while the line takes nothing gets it later."""
        late = self.stage.log_in("cyd", "late")
        late.session.writable(False)
        other = self.opens(self.ada)
        for room in (self.room, other):
            late.asks(Subscribe(room, True))
        self.push(0, 1)
        self.pushes(self.ada, other, b"00000001")
        self.assertEqual([], bodies(late))
        late.session.writable(True)
        self.assertEqual([0, 1], numbers(late))

    def test_leaving_with_a_queue(self) -> None:
        """What waited for somebody who leaves takes no room."""
        for who in (self.bob, self.cyd):
            who.session.writable(False)
        self.push(0, 5)
        self.leaves(self.bob, self.room)
        self.cyd.vanishes()
        self.assertEqual([0, 0, 0, 0], self.left_behind())


class Taking:
    """A line that takes one event at a time."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.offer = client.session._seat.offer  # type: ignore[attr-defined]
        seat = client.session._seat  # type: ignore[attr-defined]
        seat.offer = self.offer_one

    def offer_one(self, event: object) -> bool:
        """Take this one and nothing more."""
        self.client.session.writable(False)
        return bool(self.offer(event))

    def take_one(self) -> None:
        """The line takes again."""
        self.client.session.writable(True)


class FileFlowTests(LiveCase):
    """In a file room nothing is dropped; who pushes is held."""

    def setUp(self) -> None:
        """Bob and Cyd have subscribed to a room of Ada's."""
        super().setUp()
        self.room = self.opens(self.ada, Flow.FILE)
        for who in (self.bob, self.cyd):
            self.subscribes(who, self.room)

    def push_until_held(self, first: int = 0) -> int:
        """Ada pushes until she is not read from any more; how many she has pushed."""
        number = first
        while not self.ada.held:
            self.pushes(self.ada, self.room, body(number), seconds=0.01)
            number += 1
            assert number < 1000
        return number

    def test_the_publisher_is_held(self) -> None:
        """As soon as a queue is full, until half of it is gone; nothing is missing."""
        self.bob.session.writable(False)
        pushed = self.push_until_held()
        most = limits.LIVE_QUEUE_BYTES // SIZE
        self.assertIn(pushed, (most + 1, most + 2))
        self.assertEqual(list(range(pushed)), numbers(self.cyd))
        taking = Taking(self.bob)
        while self.ada.held:
            taking.take_one()
        left = pushed - len(bodies(self.bob))
        self.assertIn(left, (most // 2, most // 2 - 1))
        while len(bodies(self.bob)) < pushed:
            taking.take_one()
        self.assertEqual(list(range(pushed)), numbers(self.bob))
        self.assertEqual(0, dropped(self.bob))

    def test_the_slow_one_leaves(self) -> None:
        """Then nobody is held any more."""
        for leave in (self.bob.vanishes, lambda: self.leaves(self.cyd, self.room)):
            slow = self.bob if leave == self.bob.vanishes else self.cyd
            slow.session.writable(False)
            self.push_until_held()
            leave()
            self.assertFalse(self.ada.held)
        self.assertEqual([0, 0, 0, 0], self.left_behind())

    def test_the_held_one_leaves(self) -> None:
        """Nobody touches a line that has gone."""
        self.bob.session.writable(False)
        self.push_until_held()
        self.ada.vanishes()
        self.bob.session.writable(True)
        self.assertTrue(self.ada.held)

    def test_end_while_held(self) -> None:
        """Another device ends the room: who pushed is read from, all of it comes."""
        laptop = self.stage.log_in("ada", "laptop")
        self.bob.session.writable(False)
        pushed = self.push_until_held()
        self.assertIsNone(self.ends(laptop, self.room))
        self.assertFalse(self.ada.held)
        self.bob.session.writable(True)
        self.assertEqual(list(range(pushed)), numbers(self.bob))
        self.assertEqual([Ending.REMOVED], endings(self.bob))

    def test_others_are_not_held(self) -> None:
        """Who pushes into another room goes on, and so does Cyd's line."""
        self.bob.session.writable(False)
        self.push_until_held()
        other = self.opens(self.cyd, Flow.FILE)
        self.pushes(self.cyd, other, b"1")
        self.assertFalse(self.cyd.held)


class PaceTests(LiveCase):
    """How much one account may push."""

    settings = attrs.evolve(OPEN, live_bytes_per_second=100_000, commands_per_second=5)

    def test_octets(self) -> None:
        """So many octets at once; with more its connection rests, nothing is lost."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        size = 50_000 - limits.PIECE_BYTES
        self.pushes(self.ada, room, bytes(size), bytes(size), seconds=0)
        self.assertFalse(self.ada.held)
        self.ada.asks(Push(room, bytes(size)))
        self.assertTrue(self.ada.held)
        self.stage.settle(0.3)
        self.assertTrue(self.ada.held)
        self.stage.settle(0.3)
        self.assertFalse(self.ada.held)
        self.assertEqual(3, len(bodies(self.bob)))

    def test_all_connections_of_an_account(self) -> None:
        """They share the pace; other accounts have their own."""
        room = self.opens(self.ada)
        self.allows(self.ada, room, self.bob_is)
        laptop = self.stage.log_in("ada", "laptop")
        self.pushes(self.ada, room, bytes(99_000), seconds=0)
        self.assertFalse(self.ada.held)
        laptop.asks(Push(room, bytes(99_000)))
        self.assertTrue(laptop.held)
        self.bob.asks(Push(room, bytes(99_000)))
        self.assertFalse(self.bob.held)

    def test_refused_pieces_count(self) -> None:
        """Who may not push cannot do so without end."""
        room = self.opens(self.ada)
        for _ in range(2):
            self.bob.asks(Push(room, bytes(60_000)))
        self.assertTrue(self.bob.held)
        self.assertEqual(2, len(self.bob.told(Refused)))

    def test_parcels_count(self) -> None:
        """Big data to accounts is paced as pushes are."""
        for _ in range(2):
            self.assertFalse(self.bob.held)
            self.bob.asks(SendParcel(self.ada_is.node, bytes(60_000), False))
            self.stage.settle(0.05)
        self.assertTrue(self.bob.held)
        self.stage.settle(1)
        self.assertFalse(self.bob.held)
        self.assertEqual(2, len(self.ada.told(ParcelCame)))

    def test_they_are_no_commands(self) -> None:
        """Hundreds of small pieces a second are no hundreds of commands."""
        room = self.opens(self.ada)
        self.stage.settle(1)
        self.pushes(self.ada, room, *[b"x"] * 100, seconds=0)
        self.assertFalse(self.ada.held)

    def test_rest_of_a_lost_line(self) -> None:
        """A line that is lost while it rests leaves nothing behind."""
        room = self.opens(self.ada)
        self.pushes(self.ada, room, bytes(200_000), seconds=0)
        self.ada.vanishes()
        self.stage.settle(5)
        self.assertTrue(self.ada.held)


class OrderTests(LiveCase):
    """What one connection sends takes effect in the order in which it was sent."""

    def test_v1_order(self) -> None:
        """Thousands of pieces of two publishers come, each one's in order."""
        room = self.opens(self.ada)
        self.allows(self.ada, room, self.bob_is)
        self.subscribes(self.cyd, room)
        for number in range(3000):
            self.ada.asks(Push(room, b"a%d" % number))
            self.bob.asks(Push(room, b"b%d" % number))
            if number % 700 == 0:
                self.stage.settle(0.01)
        self.stage.settle()
        came = bodies(self.cyd)
        for letter in (b"a", b"b"):
            wanted = [letter + b"%d" % number for number in range(3000)]
            self.assertEqual(wanted, [one for one in came if one[:1] == letter])

    def test_v1_behind_texts(self) -> None:
        """Pieces and parcels do not overtake a text that waits for its commit."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.bob.asks(FetchBacklog())
        self.stage.settle()
        self.ada.writes(self.bob_is, "0")
        self.ada.asks(Push(room, b"1"))
        self.ada.asks(SendParcel(self.bob_is.node, b"2", True))
        self.ada.asks(SendMessage(self.bob_is.node, Content("3"), kind=STREAM))
        self.assertEqual([], bodies(self.bob))
        before = len(self.bob.events)
        self.stage.settle()
        kinds = [type(event) for event in self.bob.events[before:]]
        self.assertEqual([Delivery, Pieces, ParcelCame, Streamed], kinds)

    def test_v1_on_a_slow_line(self) -> None:
        """Pieces, parcels and streams that have waited come as they were sent."""
        room = self.opens(self.ada, Flow.FILE)
        self.subscribes(self.bob, room)
        self.bob.session.writable(False)
        before = len(self.bob.events)
        for number in range(3):
            self.ada.asks(Push(room, b"%d" % number))
            self.ada.asks(SendParcel(self.bob_is.node, b"%d" % number, True))
        done = SendMessage(self.bob_is.node, Content("done"), kind=STREAM)
        self.ada.asks(done)
        self.stage.settle()
        taking = Taking(self.bob)
        for _ in range(7):
            self.assertEqual(before, len(self.bob.events))
            before += 1
            taking.take_one()
        kinds = [type(event) for event in self.bob.events[-7:]]
        self.assertEqual([Pieces, ParcelCame] * 3 + [Streamed], kinds)
        self.assertEqual([0, 0, 0], self.left_behind()[1:])

    def test_streams_wait_within_bounds(self) -> None:
        """Streams for a line that takes nothing are lost when too many wait."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.bob.session.writable(False)
        for number in range(limits.LIVE_QUEUE_PIECES + 9):
            self.ada.asks(
                SendMessage(self.bob_is.node, Content(str(number)), kind=STREAM)
            )
        self.stage.settle()
        self.bob.session.writable(True)
        self.assertEqual(limits.LIVE_QUEUE_PIECES + 1, len(self.bob.told(Streamed)))

    def test_x9_long_streams_wait_within_bounds(self) -> None:
        """Long ones are lost when they have too many bytes."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.bob.session.writable(False)
        long = Content("x" * (limits.LIVE_QUEUE_BYTES // 8))
        for _ in range(50):
            self.ada.asks(SendMessage(self.bob_is.node, long, kind=STREAM))
        self.stage.settle()
        budget = live_of(self.stage).works.budget
        self.assertLess(budget.octets, 2 * limits.LIVE_QUEUE_BYTES)
        self.bob.session.writable(True)
        self.assertEqual(8, len(self.bob.told(Streamed)))

    def test_waiting_pieces_hold_the_line(self) -> None:
        """What is large does not collect behind something that takes time."""
        room = self.opens(self.ada)
        self.ada.writes(self.bob_is, "0")
        self.ada.asks(Push(room, bytes(1000)))
        self.assertTrue(self.ada.held)
        self.stage.settle()
        self.assertFalse(self.ada.held)

    def test_pings_are_answered(self) -> None:
        """Also while pieces wait."""
        room = self.opens(self.ada)
        self.ada.writes(self.bob_is, "0")
        self.ada.asks(Push(room, bytes(1000)))
        self.ada.asks(Ping())
        self.assertEqual([Pong()], self.ada.told(Pong))


class BacklogTests(LiveCase):
    """The arithmetic of one queue."""

    def test_to_the_octet(self) -> None:
        """So much may wait, and one octet or piece more is too much."""
        event = ParcelCame.__new__(ParcelCame)
        for octets, pieces in (
            (limits.LIVE_QUEUE_BYTES, 1),
            (1, limits.LIVE_QUEUE_PIECES),
        ):
            queue = Backlog(Budget(), False)
            queue.add(event, octets, pieces, 0)
            self.assertFalse(queue.is_crowded)
            queue.add(event, 1, 1, 1)
            self.assertTrue(queue.is_crowded)

    def test_budget_is_given_back(self) -> None:
        """Whatever is taken, dropped or cleared is off the node's account."""
        budget = Budget()
        queues = [Backlog(budget, drops) for drops in (True, False)]
        event = ParcelCame.__new__(ParcelCame)
        for queue in queues:
            for _ in range(limits.LIVE_QUEUE_PIECES + 9):
                queue.add(event, 100, 1, 0)
            queue.take()
        self.assertEqual(sum(queue.octets for queue in queues), budget.octets)
        self.assertTrue(queues[1].is_crowded)
        for queue in queues:
            queue.clear()
        self.assertEqual(0, budget.octets)
