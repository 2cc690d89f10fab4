"""Time on one connection."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.watch import Watch
from timtw.core.wheel import Wheel
from timtw.model.limits import LOGIN_DEADLINE


class Line:
    """A connection that notes when it is ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ends: list[float] = []

    def hang_up(self) -> None:
        """End the line."""
        self.ends.append(self._clock.seconds())


class WatchTests(SynchronousTestCase):
    """The deadline of the login, and silence afterwards."""

    def setUp(self) -> None:
        """A connection that has just been made."""
        self.clock = Clock()
        self.line = Line(self.clock)
        self.expired = self.line.ends
        self.watch = Watch(Wheel(self.clock), self.line)

    def test_deadline(self) -> None:
        """Whoever does not log in is given five seconds, whatever they say."""
        self.clock.advance(LOGIN_DEADLINE - 0.1)
        self.watch.heard()
        self.assertEqual([], self.expired)
        self.clock.advance(0.1)
        self.assertEqual([LOGIN_DEADLINE], self.expired)

    def test_pause(self) -> None:
        """The time of a decision does not count; what is left runs on."""
        self.clock.advance(3)
        self.watch.pause()
        self.clock.advance(100)
        self.watch.go_on()
        self.clock.advance(LOGIN_DEADLINE - 3 - 0.1)
        self.assertEqual([], self.expired)
        self.clock.advance(0.2)
        self.assertEqual(1, len(self.expired))

    def test_pauses_add_up(self) -> None:
        """Two attempts do not begin the deadline again."""
        for _ in range(2):
            self.clock.advance(2)
            self.watch.pause()
            self.watch.go_on()
        self.clock.advance(LOGIN_DEADLINE - 4)
        self.assertEqual(1, len(self.expired))

    def test_silence(self) -> None:
        """After the login the time since the last sign of life counts."""
        self.watch.pause()
        self.watch.expect_life(60)
        self.clock.advance(59)
        self.watch.heard()
        self.clock.advance(59.9)
        self.assertEqual([], self.expired)
        self.clock.advance(0.1)
        self.assertEqual([119.0], self.expired)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_silence_ends(self) -> None:
        """Nothing waits for those who have gone."""
        other = Watch(Wheel(self.clock), self.line)
        for watch in (self.watch, other):
            watch.pause()
            watch.expect_life(60.5)
        other.end()
        self.clock.advance(60.5)
        self.assertEqual([], self.expired)
        self.clock.advance(0.5)
        self.assertEqual([61.0], self.expired)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_end(self) -> None:
        """What is not watched any more does not expire; ending twice is fine."""
        self.watch.end()
        self.watch.end()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.clock.advance(100)
        self.assertEqual([], self.expired)
