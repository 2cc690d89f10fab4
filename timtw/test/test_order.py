"""Commands of one session begin in order, and sends overlap."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.order import InOrder
from timtw.model import limits


class OrderTests(SynchronousTestCase):
    """Texts stand for sends, numbers for everything else."""

    def setUp(self) -> None:
        """An order whose beginnings are recorded."""
        self.begun: list[str | int] = []
        self.crowds: list[bool] = []
        self.order: InOrder[str | int] = InOrder(self)

    def overlaps(self, item: str | int) -> bool:
        """Texts do."""
        return isinstance(item, str)

    def is_heavy(self, item: str | int) -> bool:
        """Numbers below 0 are."""
        return isinstance(item, int) and item < 0

    def crowded(self, much: bool) -> None:
        """Too much waits, or there is room again."""
        self.crowds.append(much)

    def begin(self, item: str | int) -> None:
        """A text is under way with others, a number alone."""
        self.begun.append(item)
        if isinstance(item, str):
            self.order.together()
        else:
            self.order.alone()

    def done(self, *, alone: bool) -> None:
        """Something that was under way is done."""
        if alone:
            self.order.alone_no_more()
        else:
            self.order.together_no_more()
        self.order.go_on()

    def test_sends_overlap(self) -> None:
        """Sends begin at once, so many together and not one more."""
        for number in range(limits.SENDS_UNDER_WAY + 1):
            self.order.add(f"send {number}")
        self.assertEqual(limits.SENDS_UNDER_WAY, len(self.begun))
        self.done(alone=False)
        self.assertEqual(limits.SENDS_UNDER_WAY + 1, len(self.begun))

    def test_others_do_not(self) -> None:
        """Anything else waits for all sends before it, and sends wait for it."""
        for item in ("a", "b", 1, "c", 2):
            self.order.add(item)
        self.assertEqual(["a", "b"], self.begun)
        self.done(alone=False)
        self.assertEqual(["a", "b"], self.begun)
        self.done(alone=False)
        self.assertEqual(["a", "b", 1], self.begun)
        self.done(alone=True)
        self.assertEqual(["a", "b", 1, "c"], self.begun)
        self.done(alone=False)
        self.assertEqual(["a", "b", 1, "c", 2], self.begun)

    def test_first(self) -> None:
        """What is put first begins before all that wait."""
        for item in (1, 2):
            self.order.add(item)
        self.order.add_first(3)
        self.done(alone=True)
        self.assertEqual([1, 3], self.begun)

    def test_crowded(self) -> None:
        """So many may wait; one more is too much until half of them are gone."""
        self.order.add(0)
        for number in range(limits.PENDING_COMMANDS):
            self.order.add(number + 1)
        self.assertEqual([], self.crowds)
        self.order.add(1000)
        self.assertEqual([True], self.crowds)
        for _ in range(limits.PENDING_COMMANDS // 2):
            self.done(alone=True)
        self.assertEqual([True], self.crowds)
        self.done(alone=True)
        self.assertEqual([True, False], self.crowds)

    def test_end(self) -> None:
        """After the end nothing begins any more, whatever is done or waits."""
        for item in (1, 2):
            self.order.add(item)
        self.order.end()
        self.done(alone=True)
        self.order.add_first(3)
        self.order.go_on()
        self.assertEqual([1], self.begun)


class Quick:
    """Items that are done as soon as they begin, but for the number 0."""

    def __init__(self) -> None:
        self.order: InOrder[int] = InOrder(self)
        self.depths: list[int] = []
        self.depth = 0

    def is_heavy(self, item: int) -> bool:
        """None is."""
        return False

    def begin(self, item: int) -> None:
        """Be done at once, if it is not 0."""
        self.depth += 1
        self.depths.append(self.depth)
        self.order.alone()
        if item:
            self.order.alone_no_more()
            self.order.go_on()
        self.depth -= 1

    def overlaps(self, item: int) -> bool:
        """Nothing does."""
        return False

    def crowded(self, much: bool) -> None:
        """Nobody minds."""


class QuickOrderTests(SynchronousTestCase):
    """Items that are done as soon as they begin."""

    def test_many_at_once(self) -> None:
        """Thousands that waited are done one after the other, not one in another."""
        quick = Quick()
        for item in range(5000):
            quick.order.add(item)
        quick.order.alone_no_more()
        quick.order.go_on()
        self.assertEqual([1] * 5000, quick.depths)
