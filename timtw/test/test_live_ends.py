"""Virtual rooms that end by themselves, or do not."""

from __future__ import annotations

import gc
import weakref
from typing import ClassVar

import attrs

from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.live import Ending
from timtw.rooms.live import ends
from timtw.test.livekit import LiveCase, bodies, endings, live_of
from timtw.test.stage import OPEN

IDLE, GRACE = 300.0, 60.0
SLACK = 2 * limits.LIVE_LOOK_SECONDS + 1
"""Nodes look every few seconds."""


class IdleTests(LiveCase):
    """Rooms into which nobody pushes; Ada's room is on one node of two."""

    nodes: ClassVar[tuple[str, ...]] = ("north", "south")
    settings: ClassVar[Settings] = attrs.evolve(
        OPEN, live_idle=IDLE, live_grace=GRACE, ping_timeout=100_000
    )

    def setUp(self) -> None:
        """Bob, on the other node, has subscribed."""
        super().setUp()
        self.room = self.opens(self.ada)
        self.subscribes(self.bob, self.room)

    def known(self) -> list[int]:
        """How many rooms each node knows."""
        return [len(live_of(self.stage, node).rooms) for node in self.nodes]

    def test_v13_founder_who_pauses(self) -> None:
        """The room stays as long as its founder is there, for hours."""
        self.stage.settle(3 * IDLE)
        self.pushes(self.ada, self.room, b"1")
        self.assertEqual(([], [b"1"]), (endings(self.bob), bodies(self.bob)))

    def test_v13_founder_on_another_node(self) -> None:
        """It makes no difference on which node the founder is."""
        far = self.stage.log_in("ada", "far", node="south")
        self.ada.vanishes()
        self.stage.settle(3 * IDLE)
        self.assertEqual([], endings(self.bob))
        self.assertEqual([], self.pushes(far, self.room, b"1"))

    def test_idle(self) -> None:
        """Without its founder it ends when nobody has pushed for so long."""
        self.ada.vanishes()
        self.stage.settle(IDLE - 1)
        self.assertEqual([], endings(self.bob))
        self.stage.settle(SLACK)
        self.assertEqual([Ending.IDLE], endings(self.bob))
        self.assertEqual([0, 0], self.known())

    def test_v4_pushes_anywhere_count(self) -> None:
        """A co-host on another node keeps it alive, though its home sees no piece."""
        self.assertIsNone(self.allows(self.ada, self.room, self.cyd_is))
        self.ada.vanishes()
        for _ in range(10):
            self.stage.settle(IDLE / 2)
            self.assertEqual([], self.pushes(self.cyd, self.room, b"1"))
        self.assertEqual(([], 10), (endings(self.bob), len(bodies(self.bob))))
        self.stage.settle(IDLE + SLACK)
        self.assertEqual([Ending.IDLE], endings(self.bob))

    def test_v4_a_node_with_subscribers_only(self) -> None:
        """A node where nothing arrives ends the room for nobody."""
        self.leaves(self.bob, self.room)
        self.subscribes(self.cyd, self.room)
        self.leaves(self.cyd, self.room)
        self.stage.settle(2 * IDLE + SLACK)
        self.assertEqual([1, 1], self.known())
        self.subscribes(self.bob, self.room)
        self.pushes(self.ada, self.room, b"1")
        self.assertEqual([b"1"], bodies(self.bob))

    def test_reconnect_within_the_grace(self) -> None:
        """A room that is idle survives its founder's way back."""
        self.stage.settle(2 * IDLE)
        self.ada.vanishes()
        self.stage.settle(GRACE - 1)
        self.ada = self.stage.log_in("ada", node="south")
        self.stage.settle(2 * IDLE)
        self.assertEqual([], endings(self.bob))
        self.ada.vanishes()
        self.stage.settle(GRACE + 2 * SLACK)
        self.assertEqual([Ending.IDLE], endings(self.bob))

    def test_home_stops(self) -> None:
        """A node that stops ends the rooms that have begun there."""
        other = self.opens(self.bob)
        self.subscribes(self.ada, other)
        self.stage.ready(self.stage.cores["north"].stop())
        self.stage.settle()
        self.assertEqual([Ending.NODE_STOPPED], endings(self.bob))
        self.assertEqual(1, len(live_of(self.stage, "south").rooms))

    def test_home_is_gone(self) -> None:
        """When it is gone without a word another one decides, after the grace."""
        self.stage.hub.vanish("north")
        self.stage.settle(2 * IDLE)
        self.assertEqual([1, 0], self.known())
        self.assertEqual([Ending.IDLE], endings(self.bob))

    def test_home_is_gone_and_the_founder_is_back(self) -> None:
        """The founder comes to a node that is left: the stream goes on."""
        self.stage.settle(2 * IDLE)
        self.stage.hub.vanish("north")
        self.stage.settle(GRACE - 10)
        again = self.stage.log_in("ada", "again", node="south")
        self.stage.settle(3 * IDLE)
        self.assertEqual([], self.pushes(again, self.room, b"1"))
        self.assertEqual(([], [b"1"]), (endings(self.bob), bodies(self.bob)))

    def test_the_end_is_lost(self) -> None:
        """A node that did not hear of the end notices it later."""
        self.stage.hub.cut("north", "south")
        self.assertIsNone(self.ends(self.ada, self.room))
        self.stage.hub.mend("north", "south")
        self.assertEqual([0, 1], self.known())
        self.stage.settle(IDLE + SLACK)
        self.assertEqual([0, 0], self.known())
        self.assertEqual([Ending.REMOVED], endings(self.bob))

    def test_many_rooms(self) -> None:
        """A node that knows many looks at some of them at a time, and at all."""
        self.patch(ends, "LIVE_LOOKED_AT", 2)
        rooms = [self.opens(self.ada) for _ in range(5)]
        for room in rooms:
            self.subscribes(self.bob, room)
        self.ada.vanishes()
        self.stage.settle(IDLE + SLACK)
        self.assertEqual([Ending.IDLE] * 6, endings(self.bob))
        self.assertEqual([0, 0], self.known())

    def test_a_connection_leaves_no_cycle(self) -> None:
        """What a lost connection took is free at once, without a look for garbage."""
        gc.disable()
        self.addCleanup(gc.enable)
        self.bob.session.writable(False)
        self.pushes(self.ada, self.room, b"1")
        session = weakref.ref(self.bob.session)
        self.bob.vanishes()
        self.stage.settle(limits.PARTING_SECONDS + 1)
        del self.bob.session
        self.assertIsNone(session())

    def test_no_timers_are_left(self) -> None:
        """Nodes that have stopped look for nothing."""
        for name in self.nodes:
            self.stage.ready(self.stage.cores[name].stop())
        for who in (self.ada, self.bob, self.cyd):
            who.vanishes()
        self.stage.settle(limits.PARTING_SECONDS + 1)
        self.assertEqual([], self.stage.clock.getDelayedCalls())


class WithFounderTests(LiveCase):
    """The operator wants rooms to end with their founders."""

    nodes: ClassVar[tuple[str, ...]] = ("north", "south")
    settings: ClassVar[Settings] = attrs.evolve(
        OPEN, live_idle=IDLE, live_grace=GRACE, live_end_with_founder=True
    )

    def test_founder_gone(self) -> None:
        """It ends although others push, when the founder was nowhere for so long."""
        room = self.opens(self.ada)
        self.allows(self.ada, room, self.cyd_is)
        self.subscribes(self.bob, room)
        self.ada.vanishes()
        self.stage.settle(GRACE - 1)
        self.assertEqual([], self.pushes(self.cyd, room, b"1"))
        self.assertEqual([], endings(self.bob))
        self.stage.settle(SLACK)
        self.assertEqual([Ending.FOUNDER_GONE], endings(self.bob))

    def test_founder_elsewhere(self) -> None:
        """A founder who has gone to another node is not gone."""
        room = self.opens(self.ada)
        self.subscribes(self.bob, room)
        self.stage.log_in("ada", "far", node="south")
        self.ada.vanishes()
        self.stage.settle(4 * IDLE)
        self.assertEqual([], endings(self.bob))
