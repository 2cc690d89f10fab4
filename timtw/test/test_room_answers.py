"""Acknowledgements of rooms: whose they are, and how many are waited for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.answers import Answers, Awaiting
from timtw.core.feeds.flights import Flights
from timtw.core.feeds.receipts import Receipts
from timtw.core.feeds.volleys import Salvo, Volley
from timtw.model import limits
from timtw.test.feedkit import entry


class Waiter:
    """A reading that writes down what it is told."""

    def __init__(self, answers: Answers) -> None:
        """It waits for nothing."""
        self.answers = answers
        self.volleys: list[Volley[Awaiting]] = []
        self.landings: list[int] = []
        self.alone: list[int] = []
        self.singled = 0

    def sends(self, count: int, receipt: int) -> None:
        """So many entries go out together."""
        salvo = Salvo([entry(n + 1) for n in range(count)], 0.0)
        self.volleys.append(self.answers.launch(self, salvo, receipt))

    def is_next(self, volley: Volley[Awaiting]) -> bool:
        """See ``Awaiting``."""
        return next(one for one in self.volleys if one.left) is volley

    def landed(self, volley: Volley[Awaiting], count: int) -> None:
        """See ``Awaiting``."""
        self.landings += range(volley.receipt, volley.receipt + count)
        volley.receipt += count
        volley.place += count

    def single_out(self) -> None:
        """See ``Awaiting``."""
        self.singled += 1
        volleys, self.volleys = self.volleys, []
        for volley in volleys:
            if volley.left:
                self.answers.differs(volley)
            for receipt in range(volley.receipt, volley.receipt + volley.left):
                self.answers.expects(receipt, self)

    def acknowledged(self, receipt: int) -> None:
        """See ``Awaiting``."""
        self.alone.append(receipt)


class AnswerTests(SynchronousTestCase):
    """Each answer gets to the room that waits for it."""

    def setUp(self) -> None:
        """Two rooms of one connection."""
        self.answers = Answers()
        self.one, self.other = Waiter(self.answers), Waiter(self.answers)

    def test_in_order(self) -> None:
        """Answers in order are taken as they come, in pieces of any size."""
        self.one.sends(5, 100)
        self.other.sends(2, 105)
        self.one.sends(3, 107)
        for told in ([100, 101], [102], [103, 104, 105, 106, 107], [108, 109]):
            self.answers.acknowledged(told)
        self.assertEqual([*range(100, 105), 107, 108, 109], self.one.landings)
        self.assertEqual([105, 106], self.other.landings)
        self.assertEqual(0, self.answers.volleys)
        self.assertEqual(0, self.one.singled + self.other.singled)

    def test_rooms_do_not_wait_for_each_other(self) -> None:
        """An answer of one room before those of another disturbs neither."""
        self.one.sends(2, 100)
        self.other.sends(2, 102)
        self.answers.acknowledged([102, 100, 103, 101])
        self.assertEqual([100, 101], self.one.landings)
        self.assertEqual([102, 103], self.other.landings)
        self.assertEqual(0, self.one.singled + self.other.singled)

    def test_out_of_order(self) -> None:
        """After an answer too early the room waits for each by itself."""
        self.one.sends(4, 100)
        self.other.sends(1, 104)
        self.answers.acknowledged([100, 102, 101, 103, 104])
        self.assertEqual([100], self.one.landings)
        self.assertEqual([102, 101, 103], self.one.alone)
        self.assertEqual([104], self.other.landings)

    def test_one_room_at_different_times(self) -> None:
        """An answer to what was sent later does not stand for what was sent before."""
        self.one.sends(2, 100)
        self.one.sends(2, 102)
        self.answers.acknowledged([100, 102])
        self.assertEqual([100], self.one.landings)
        self.assertEqual([102], self.one.alone)
        self.answers.acknowledged([103, 101])
        self.assertEqual([102, 103, 101], self.one.alone)

    def test_d19_strange_answers(self) -> None:
        """Numbers that nobody waits for, or that were answered, are ignored."""
        self.one.sends(2, 100)
        self.answers.acknowledged([5, 99, 102, 2**31, 100, 100, 101, 101])
        self.assertEqual([100, 101], self.one.landings)
        self.assertEqual([], self.one.alone)

    def test_numbers_begin_again(self) -> None:
        """What is on its way when the numbers begin again still has its answers."""
        self.one.sends(2, 1000)
        self.other.sends(1, 5)
        self.answers.acknowledged([1000, 5, 1001])
        self.assertEqual([1000, 1001], self.one.alone)
        self.assertEqual([5], self.other.landings)

    def test_most_volleys(self) -> None:
        """Of what goes out together so many are kept, and of the oldest each entry."""
        self.one.sends(1, 1)
        for n in range(limits.ROOM_VOLLEYS - 1):
            self.other.sends(1, 2 + n)
        self.assertEqual(0, self.one.singled)
        self.assertEqual(limits.ROOM_VOLLEYS, self.answers.volleys)
        self.other.sends(1, 5000)
        self.assertEqual(1, self.one.singled)
        self.assertEqual(limits.ROOM_VOLLEYS, self.answers.volleys)
        self.answers.acknowledged([1])
        self.assertEqual([1], self.one.alone)

    def test_most_receipts(self) -> None:
        """So many answers to frames that went out alone are waited for."""
        for receipt in range(1, limits.ROOM_RECEIPTS + 1):
            self.assertTrue(self.answers.expects(receipt, self.one))
        self.assertFalse(self.answers.expects(1, self.one))
        self.answers.expects(limits.ROOM_RECEIPTS + 1, self.one)
        self.answers.acknowledged([1, 2])
        self.assertEqual([2], self.one.alone)


class SalvoTests(SynchronousTestCase):
    """What goes out together is what follows in the log, each entry once."""

    def test_mixed(self) -> None:
        """What two nodes tell of in one turn goes out in the order of the log."""
        salvo = Salvo([entry(n) for n in (5, 7, 6, 8)], 0.0)
        self.assertEqual([5, 6, 7, 8], [one.seq for one in salvo.entries])
        self.assertTrue(salvo.is_plain)

    def test_holes(self) -> None:
        """Where one is missing they do not go out so, also if another is double."""
        for numbers in ((5, 7), (5, 5, 7)):
            salvo = Salvo([entry(n) for n in numbers], 0.0)
            self.assertFalse(salvo.is_plain)


class WindowTests(SynchronousTestCase):
    """How much of one room may be on its way."""

    def test_frames(self) -> None:
        """As many frames as a room may have unconfirmed, and not one more."""
        flights = Flights(0)
        self.assertTrue(flights.add_run(limits.ROOM_FRAMES, 1))
        self.assertFalse(flights.add_run(1, 1))
        flights.land_run(1, 1, 0)
        self.assertTrue(flights.add_run(1, 1))

    def test_octets(self) -> None:
        """As many bytes as any log may have unconfirmed, and not one more."""
        self.assertFalse(Flights(0).add_run(1, limits.WINDOW_BYTES + 1))
        self.assertTrue(Flights(0).add_run(1, limits.WINDOW_BYTES))

    def test_receipts(self) -> None:
        """Numbers in a row stay in a row where they begin again."""
        receipts = Receipts(10, 20)
        self.assertEqual(10, receipts.run(5))
        self.assertEqual(15, receipts.next())
        self.assertEqual(16, receipts.run(5))
        self.assertEqual(10, receipts.run(5))
        self.assertEqual(10, receipts.run(11))
        self.assertEqual(10, receipts.next())
