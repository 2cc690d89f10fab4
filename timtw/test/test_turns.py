"""One at a time per account."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.turns import Turns


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
