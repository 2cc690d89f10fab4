"""One at a time per account."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.logins.turns import LentTurns, Turns
from timtw.model.limits import TURN_SECONDS


class TurnsTests(SynchronousTestCase):
    """Who waits for whom."""

    def setUp(self) -> None:
        """Nobody holds anything."""
        self.turns = Turns()
        self.order: list[str] = []

    def take(self, name: str, key: int) -> None:
        """Somebody wants a turn."""

        async def take() -> None:
            await self.turns.take(key)
            self.order.append(name)

        self.assertNoResult(Deferred.fromCoroutine(take())) if name.startswith(
            "waits"
        ) else self.successResultOf(Deferred.fromCoroutine(take()))

    def test_in_order(self) -> None:
        """Those who want the same key get it one after the other, as they came."""
        self.take("a", 1)
        self.take("waits b", 1)
        self.take("waits c", 1)
        self.assertEqual(["a"], self.order)
        self.turns.give_back(1)
        self.assertEqual(["a", "waits b"], self.order)
        self.turns.give_back(1)
        self.assertEqual(["a", "waits b", "waits c"], self.order)

    def test_keys_are_apart(self) -> None:
        """Nobody waits for another account."""
        self.take("a", 1)
        self.take("b", 2)
        self.assertEqual(["a", "b"], self.order)

    def test_nothing_is_left(self) -> None:
        """A key that nobody wants any more is forgotten."""
        for name in ("a", "waits b"):
            self.take(name, 1)
        for _ in range(2):
            self.turns.give_back(1)
        self.assertEqual({}, self.turns._locks)
        self.take("c", 1)


class LentTests(SynchronousTestCase):
    """Turns that other nodes have borrowed."""

    def setUp(self) -> None:
        """Nobody has."""
        self.clock = Clock()
        self.turns = LentTurns(self.clock)

    def lend(self, key: int) -> Deferred[int]:
        """Somebody wants one."""
        return Deferred.fromCoroutine(self.turns.lend(key))

    def test_one_at_a_time(self) -> None:
        """The next one has it when the first gives it back, other keys at once."""
        first, second = self.lend(1), self.lend(1)
        number = self.successResultOf(first)
        self.successResultOf(self.lend(2))
        self.assertNoResult(second)
        self.turns.returned(number)
        self.assertNotEqual(number, self.successResultOf(second))

    def test_both_sides(self) -> None:
        """A borrower that is never heard of again keeps nobody out for ever."""
        first, second, third = (self.lend(1) for _ in range(3))
        number = self.successResultOf(first)
        self.clock.advance(TURN_SECONDS - 0.1)
        self.assertNoResult(second)
        self.clock.advance(0.1)
        self.successResultOf(second)
        self.turns.returned(number)
        self.assertNoResult(third)

    def test_stop(self) -> None:
        """A node that stops leaves no timer behind."""
        numbers = [self.successResultOf(self.lend(key)) for key in range(3)]
        self.turns.returned(numbers[0])
        self.turns.stop()
        self.assertEqual([], self.clock.getDelayedCalls())
