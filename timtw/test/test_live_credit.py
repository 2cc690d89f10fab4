"""Streams on a link with credit, against a model: what goes out, when, and in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.live import Freight, Piece
from timtw.model.values import Address
from timtw.rooms.live.credit import Link

WINDOW, LINK, WAITING = 100, 250, 300
"""Small windows, so that a few loads fill them."""
KEYS = (2, 3, 4, 5)
"""Streams; the even ones drop the oldest where the others hold who sends."""
ADA = Address(9, "ada")


def load(key: int, first: int, count: int) -> tuple[Piece, ...]:
    """Pieces of a stream, numbered from ``first`` on."""
    return tuple(Piece(key, ADA, b"", None, first + one) for one in range(count))


class LinkMachine(RuleBasedStateMachine):
    """A node that ships, and one that takes and repays, or does not."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Link()
        self.wire: deque[Freight] = deque()
        self.sizes: dict[tuple[int, int], int] = {}
        self.added = dict.fromkeys(KEYS, 0)
        self.arrived: dict[int, list[int]] = {key: [] for key in KEYS}
        self.told = dict.fromkeys(KEYS, 0)
        self.dropped = dict.fromkeys(KEYS, 0)
        self.missing = dict.fromkeys(KEYS, 0)
        self.repayable: dict[int, int] = {}
        self.under_way: dict[int, list[tuple[int, int]]] = {key: [] for key in KEYS}

    def ship(self) -> None:
        """What may go goes."""
        for freight in self.link.ready():
            self.wire.append(freight)
            size = self.sizes[freight.stream, freight.goods[0].ident]  # type: ignore[union-attr]
            self.under_way[freight.stream].append((freight.upto, size))

    @rule(
        key=st.sampled_from(KEYS),
        size=st.sampled_from((1, 30, 60, WINDOW, 2 * WINDOW, LINK + 1)),
        count=st.integers(1, 3),
    )
    def add(self, key: int, size: int, count: int) -> None:
        """Something is to be sent."""
        if key % 2 and self.link.waiting(key) > WAITING:
            return  # Whoever sends is held.
        first = self.added[key] + 1
        self.added[key] += count
        self.sizes[key, first] = size
        dropped = self.link.add(key, load(key, first, count), size, key % 2 == 0)
        assert not (dropped and key % 2), "nothing is dropped where senders are held"
        self.dropped[key] += dropped
        self.ship()

    @precondition(lambda self: self.wire)
    @rule()
    def arrive(self) -> None:
        """The oldest freight on the wire arrives."""
        freight = self.wire.popleft()
        numbers = [one.ident for one in freight.goods if isinstance(one, Piece)]
        self.arrived[freight.stream] += numbers
        self.told[freight.stream] += freight.dropped
        self.repayable[freight.stream] = freight.upto

    @precondition(lambda self: self.wire)
    @rule()
    def lose(self) -> None:
        """The oldest freight on the wire is lost."""
        freight = self.wire.popleft()
        self.missing[freight.stream] += len(freight.goods) + freight.dropped

    @precondition(lambda self: self.repayable)
    @rule(data=st.data(), is_lost=st.booleans())
    def repay(self, data: st.DataObject, is_lost: bool) -> None:
        """What has arrived of a stream is repaid, or the word of it is lost."""
        key = data.draw(st.sampled_from(sorted(self.repayable)))
        upto = self.repayable.pop(key)
        if not is_lost:
            self.take(key, upto)

    def take(self, key: int, upto: int) -> None:
        """The word of a repayment arrives."""
        self.link.repaid(key, upto)
        self.under_way[key] = [one for one in self.under_way[key] if one[0] > upto]
        self.ship()

    @rule(key=st.sampled_from(KEYS))
    def time_is_up(self, key: int) -> None:
        """A stream was not repaid for too long, and the link has lost all of it."""
        if any(freight.stream == key for freight in self.wire):
            return
        self.link.lost(key)
        self.under_way[key] = []
        self.repayable.pop(key, None)
        self.ship()

    @invariant()
    def windows(self) -> None:
        """No more is under way than may be, or one large load alone."""
        everything = [one for loads in self.under_way.values() for one in loads]
        total = sum(size for _, size in everything)
        assert self.link.under_way == total
        assert total <= LINK or len(everything) == 1
        for loads in self.under_way.values():
            octets = sum(size for _, size in loads)
            assert octets <= WINDOW or len(loads) == 1

    @invariant()
    def order(self) -> None:
        """What arrives is in order and comes once."""
        for numbers in self.arrived.values():
            assert numbers == sorted(set(numbers))

    @invariant()
    def progress(self) -> None:
        """Nothing waits of a stream while both windows are empty."""
        if not self.link.under_way:
            assert not any(self.link.waiting(key) for key in KEYS)

    @invariant()
    def bound(self) -> None:
        """What waits of a stream that drops is bounded, but for one load."""
        for key in KEYS:
            if key % 2 == 0:
                assert self.link.waiting(key) <= max(WAITING, LINK + 1)

    def teardown(self) -> None:
        """When all is taken nothing is left, and every piece is accounted for."""
        while self.wire or self.repayable:
            while self.wire:
                self.arrive()
            for key in sorted(self.repayable):
                self.take(key, self.repayable.pop(key))
            for key in KEYS:
                self.time_is_up(key)
        for key in KEYS:
            self.time_is_up(key)
        while self.wire:
            self.arrive()
            for key in sorted(self.repayable):
                self.take(key, self.repayable.pop(key))
        assert len(self.link) == 0
        assert self.link.under_way == 0
        for key in KEYS:
            came = len(self.arrived[key]) + self.told[key] + self.missing[key]
            assert came == self.added[key], (key, came, self.added[key])


class LinkTests(SynchronousTestCase):
    """Random lives of a link, and who has the next turn."""

    def setUp(self) -> None:
        """The windows are small."""
        self.patch(limits, "STREAM_WINDOW", WINDOW)
        self.patch(limits, "LINK_WINDOW", LINK)
        self.patch(limits, "STREAM_WAITING_BYTES", WAITING)

    def test_invariants(self) -> None:
        """No sequence of sends, losses and repayments breaks a promise."""
        run_state_machine_as_test(
            LinkMachine,
            settings=settings(
                max_examples=300,
                stateful_step_count=40,
                deadline=None,
                derandomize=True,
            ),
        )

    def shipped(self, link: Link) -> Sequence[int]:
        """The streams of what goes out."""
        return [freight.stream for freight in link.ready()]

    def test_turns(self) -> None:
        """A stream of which much waits lets the others go in between."""
        link = Link()
        link.add(7, load(7, 1, 1), LINK, False)
        self.assertEqual([7], self.shipped(link))
        for number in range(3):
            link.add(2, load(2, number, 1), 10, False)
        link.add(3, load(3, 1, 1), 10, False)
        self.assertEqual([], self.shipped(link))
        link.repaid(7, LINK)
        self.assertEqual([2, 3, 2, 2], self.shipped(link))

    def test_window_to_the_octet(self) -> None:
        """So much is under way, and one octet more is too much."""
        link = Link()
        link.add(2, load(2, 1, 1), WINDOW - 1, False)
        link.add(2, load(2, 2, 1), 1, False)
        link.add(2, load(2, 3, 1), 1, False)
        self.assertEqual([2, 2], self.shipped(link))
        self.assertEqual(1, link.waiting(2))

    def test_link_to_the_octet(self) -> None:
        """The same of all streams together."""
        link = Link()
        for key, size in ((2, 100), (3, 100), (4, 50), (5, 1)):
            link.add(key, load(key, 1, 1), size, False)
        self.assertEqual([2, 3, 4], self.shipped(link))
        link.repaid(2, 100)
        self.assertEqual([5], self.shipped(link))

    def test_late_word_of_an_earlier_stream(self) -> None:
        """What was given up and is repaid later does not count for what came after."""
        link = Link()
        link.add(2, load(2, 1, 1), WINDOW, False)
        (first,) = link.ready()
        link.lost(2)
        link.add(2, load(2, 2, 1), WINDOW, False)
        self.assertEqual([2], self.shipped(link))
        self.assertFalse(link.repaid(2, first.upto))
        self.assertEqual(WINDOW, link.under_way)

    def test_ended_streams(self) -> None:
        """What waits of a stream that has ended does not go."""
        link = Link()
        for number in range(3):
            link.add(2, load(2, number, 1), WINDOW, False)
        (first,) = link.ready()
        link.forget(2)
        link.repaid(2, first.upto)
        self.assertEqual(([], 0), (self.shipped(link), len(link)))
