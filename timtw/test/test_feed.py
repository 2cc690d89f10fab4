"""The feed, step by step: live traffic, the window, repeats, the line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.sending import State
from timtw.model import limits
from timtw.test.feedkit import Script, entry

FRAMES, BYTES = limits.WINDOW_FRAMES, limits.WINDOW_BYTES


class LiveTests(SynchronousTestCase):
    """What goes out when nothing is waiting."""

    def test_live_at_once(self) -> None:
        """A reader without a backlog gets a new entry without storage being asked."""
        script = Script().begin()
        self.assertIs(State.LIVE, script.feed.state)
        script.offer()
        self.assertEqual([1], script.sent)
        self.assertEqual([], script.reads)
        self.assertEqual([], script.backlog)

    def test_lost_hint(self) -> None:
        """An offer behind a lost one brings both, in order."""
        script = Script().begin()
        script.grow()
        script.offer()
        self.assertEqual([], script.sent)
        script.answer()
        self.assertEqual([1, 2], script.sent)
        self.assertIs(State.LIVE, script.feed.state)

    def test_old_offer(self) -> None:
        """An offer that comes twice is one frame."""
        script = Script().begin()
        script.offer()
        script.feed.offered(script.log[1])
        self.assertEqual([1], script.sent)

    def test_raised_head(self) -> None:
        """A look at the counter brings what no hint told of."""
        script = Script().begin()
        script.grow()
        script.feed.raised(1)
        script.answer()
        self.assertEqual([1], script.sent)
        script.feed.raised(1)
        self.assertEqual([], script.reads)

    def test_receipts_differ(self) -> None:
        """Each frame is acknowledged by a number of its own, from 1 on."""
        script = Script().begin()
        script.offer(3)
        self.assertEqual([1, 2, 3], [receipt for _, receipt in script.frames])

    def test_receipts_begin_again(self) -> None:
        """Behind the highest receipt comes 1, never 0, nor one of a room's."""
        script = Script().begin()
        script.feed._receipts._last = limits.FIRST_ROOM_RECEIPT - 2
        script.offer(2)
        receipts = [receipt for _, receipt in script.frames]
        self.assertEqual([limits.FIRST_ROOM_RECEIPT - 1, 1], receipts)

    def test_holes_in_the_answers(self) -> None:
        """Cursor and delivered marks wait at the first frame without an answer."""
        script = Script().begin()
        script.offer(3)
        script.acknowledge(2, 3)
        self.assertEqual((0, []), (script.feed.acked, script.marked))
        script.acknowledge(1)
        self.assertEqual((3, [1, 2, 3]), (script.feed.acked, script.marked))
        self.assertEqual(3, script.cursors[-1])

    def test_d19_strange_receipts(self) -> None:
        """Numbers that were never given out confirm nothing, and twice is once."""
        script = Script().begin()
        script.offer(2)
        for receipt in (0, -1, 3, 2**40):
            script.feed.acknowledged(receipt)
        self.assertEqual([], script.cursors)
        script.acknowledge(1)
        script.acknowledge(1)
        self.assertEqual([1], script.cursors)


class WindowTests(SynchronousTestCase):
    """A reader that does not confirm is paused."""

    def test_frames(self) -> None:
        """The window's last frame goes out; one more waits for an answer."""
        script = Script().begin()
        script.offer(FRAMES)
        self.assertEqual(FRAMES, len(script.sent))
        script.offer()
        script.answer()
        self.assertEqual(FRAMES, len(script.sent))
        script.acknowledge(1)
        self.assertEqual(list(range(1, FRAMES + 2)), script.sent)

    def test_bytes(self) -> None:
        """Frames of a quarter window: four go out, and the fifth after an answer."""
        script = Script(size=BYTES // 4).begin()
        script.offer(5)
        script.answer()
        self.assertEqual([1, 2, 3, 4], script.sent)
        script.acknowledge(1)
        self.assertEqual([1, 2, 3, 4, 5], script.sent)

    def test_one_byte_too_much(self) -> None:
        """A frame that ends one byte beyond the window waits."""
        script = Script().begin()
        script.offer(1, size=BYTES // 2)
        script.offer(1, size=BYTES // 2 + 1)
        script.answer()
        self.assertEqual([1], script.sent)

    def test_larger_than_the_window(self) -> None:
        """A frame larger than the window travels alone, and still arrives."""
        script = Script().begin()
        script.offer(1)
        script.offer(1, size=2 * BYTES)
        script.offer(1)
        script.answer()
        self.assertEqual([1], script.sent)
        script.acknowledge(1)
        self.assertEqual([1, 2], script.sent)
        script.acknowledge(2)
        self.assertEqual([1, 2, 3], script.sent)

    def test_out_of_turn_answers_make_room(self) -> None:
        """An answer makes room even while an earlier frame is unanswered."""
        script = Script().begin()
        script.offer(FRAMES + 1)
        script.acknowledge(5)
        script.answer()
        self.assertEqual(FRAMES + 1, script.sent[-1])


class EchoTests(SynchronousTestCase):
    """Own entries, live."""

    def test_echo_wants_no_answer(self) -> None:
        """An own entry is written without a receipt and moves the cursor at once."""
        script = Script().begin()
        script.offer(own=True)
        self.assertEqual([((1,), 0)], script.frames)
        self.assertEqual([1], script.cursors)

    def test_echo_behind_a_frame(self) -> None:
        """The cursor passes an echo only with the frame before it."""
        script = Script().begin()
        script.offer()
        script.offer(own=True)
        self.assertEqual([1, 2], script.sent)
        self.assertEqual([], script.cursors)
        script.acknowledge(1)
        self.assertEqual([2], script.cursors)

    def test_echoes_are_limited(self) -> None:
        """So many echoes go out behind an unanswered frame, and not one more."""
        script = Script().begin()
        script.offer()
        script.offer(limits.WINDOW_ECHOES + 1, own=True)
        script.answer()
        self.assertEqual(1 + limits.WINDOW_ECHOES, len(script.sent))
        script.acknowledge(1)
        script.answer()
        self.assertEqual(2 + limits.WINDOW_ECHOES, len(script.sent))

    def test_echoes_pass_a_full_window(self) -> None:
        """A reader that confirms nothing still sees its own texts accepted."""
        script = Script().begin()
        script.offer(FRAMES)
        script.offer(own=True)
        self.assertEqual(((FRAMES + 1,), 0), script.frames[-1])

    def test_echo_is_not_repeated(self) -> None:
        """After a suspension the echo that went out already is stepped over."""
        script = Script().begin()
        script.offer()
        script.offer(own=True)
        script.passes(3 * limits.ACK_SECONDS)
        self.assertIs(State.SUSPENDED, script.feed.state)
        script.cleared().feed.ask()
        script.answer()
        self.assertEqual([1], script.sent)
        script.acknowledge(1)
        self.assertEqual(2, script.feed.acked)

    def test_echo_to_a_dead_line(self) -> None:
        """An own text that could not be written counts as received by nobody."""
        script = Script().begin()
        script.open = False
        script.offer(own=True)
        script.offer(own=True)
        script.answer()
        self.assertEqual([], script.cursors)
        self.assertEqual((0, 0), script.feed.hand_over()[:2])


class RepeatTests(SynchronousTestCase):
    """Frames that are not answered in time."""

    def test_d11_three_transmissions(self) -> None:
        """A frame goes out at 0, 10 and 20 s under one receipt, then no more."""
        script = Script().begin()
        script.offer()
        script.passes(limits.ACK_SECONDS - 0.1)
        self.assertEqual(1, len(script.frames))
        script.passes(0.1)
        self.assertEqual(2, len(script.frames))
        script.passes(limits.ACK_SECONDS)
        self.assertEqual([((1,), 1)] * limits.TRANSMISSIONS, script.frames)
        self.assertIs(State.LIVE, script.feed.state)
        script.passes(limits.ACK_SECONDS)
        self.assertIs(State.SUSPENDED, script.feed.state)
        self.assertEqual([1], script.stops)
        script.offer()
        script.passes(1000)
        self.assertEqual(limits.TRANSMISSIONS, len(script.frames))

    def test_each_has_its_own_time(self) -> None:
        """A younger frame is repeated later than an older one."""
        script = Script().begin()
        script.offer()
        script.passes(4)
        script.offer()
        script.passes(6)
        self.assertEqual([1, 2, 1], script.sent)
        script.passes(4)
        self.assertEqual([1, 2, 1, 2], script.sent)

    def test_answer_ends_repeats(self) -> None:
        """What is confirmed is not sent again."""
        script = Script().begin()
        script.offer(2)
        script.passes(limits.ACK_SECONDS)
        script.acknowledge(1, 2)
        script.passes(100)
        self.assertEqual([1, 2, 1, 2], script.sent)

    def test_page_is_repeated_as_page(self) -> None:
        """An unanswered page comes again as the same page."""
        script = Script(3).begin()
        script.feed.ask()
        script.answer()
        script.passes(limits.ACK_SECONDS)
        self.assertEqual([(1, 2, 3)] * 2, script.pages)
        self.assertEqual(1, len({receipt for _, receipt in script.frames}))

    def test_backlog_repeats_as_backlog(self) -> None:
        """A repeated frame still says that it came while the device was away."""
        script = Script(1).begin()
        script.passes(limits.HOLD_SECONDS)
        script.answer()
        script.passes(limits.ACK_SECONDS)
        self.assertEqual([1, 1], script.backlog)


class SuspendedTests(SynchronousTestCase):
    """A connection that went silent, and how it comes back."""

    def suspended(self, count: int = 3) -> Script:
        """A feed with so many frames that nobody answered."""
        script = Script().begin()
        script.offer(count)
        script.passes(limits.TRANSMISSIONS * limits.ACK_SECONDS)
        self.assertIs(State.SUSPENDED, script.feed.state)
        return script

    def test_any_answer_resumes(self) -> None:
        """An answer to the third frame brings the first and second once more."""
        script = self.suspended()
        receipt = script.frames[2][1]
        script.cleared().feed.acknowledged(receipt)
        script.answer()
        self.assertEqual([1, 2], script.sent)
        script.acknowledge(1, 2)
        self.assertEqual(3, script.feed.acked)
        self.assertIs(State.LIVE, script.feed.state)

    def test_request_resumes(self) -> None:
        """Type 17 brings everything again from the first unconfirmed on, in pages."""
        script = self.suspended()
        script.cleared().feed.ask()
        script.answer()
        self.assertEqual([(1, 2, 3)], script.pages)

    def test_new_entries_wait(self) -> None:
        """What came during the silence follows the repeats, in order."""
        script = self.suspended()
        script.offer(2)
        receipt = script.frames[0][1]
        script.cleared().feed.acknowledged(receipt)
        script.answer()
        self.assertEqual([2, 3, 4, 5], script.sent)

    def test_late_receipt(self) -> None:
        """An answer under the receipt of before the suspension confirms."""
        script = self.suspended(2)
        old = script.frames[1][1]
        script.cleared().feed.ask()
        script.answer()
        self.assertEqual([(1, 2)], script.pages)
        script.feed.acknowledged(old)
        self.assertEqual(0, script.feed.acked)
        script.acknowledge(2)
        self.assertEqual(2, script.feed.acked)

    def test_late_receipts_cover_a_frame(self) -> None:
        """The old answer to an entry that is being sent again ends its repeats."""
        script = self.suspended(2)
        first, second = script.frames[0][1], script.frames[1][1]
        script.cleared().feed.acknowledged(first)
        script.answer()
        self.assertEqual([2], script.sent)
        script.feed.acknowledged(second)
        self.assertEqual(2, script.feed.acked)
        script.passes(100)
        self.assertEqual([2], script.sent)

    def test_late_receipts_are_limited(self) -> None:
        """Of the answers that come late, so many newest still count."""
        keep = limits.LATE_RECEIPTS
        script = Script().begin()
        flights = script.feed._flights
        for number in range(keep + 1):
            script.offer()
            receipt = script.frames[-1][1]
            flights.ground(number)
            self.assertEqual(receipt, number + 1)
        flights.ground(0)
        for receipt, settled in ((1, set()), (2, {2})):
            self.assertEqual([], flights.answered_late(receipt))
            self.assertEqual(settled, flights.settled)

    def test_skip(self) -> None:
        """An entry that is skipped no longer stops the reader."""
        script = self.suspended()
        script.cleared().feed.skip(1)
        script.answer()
        self.assertEqual([2, 3], script.sent)
        script.acknowledge(2, 3)
        self.assertEqual(3, script.feed.acked)

    def test_skip_of_the_past(self) -> None:
        """An entry that was confirmed meanwhile needs no skipping."""
        script = self.suspended()
        script.acknowledge(1)
        before = list(script.sent)
        script.feed.skip(1)
        self.assertEqual(before, script.sent)


class LineTests(SynchronousTestCase):
    """The line is full, at any moment."""

    def test_nothing_is_written(self) -> None:
        """While the line takes nothing, nothing is written, then all in order."""
        script = Script().begin()
        script.feed.writable(False)
        script.offer(2)
        script.offer(own=True)
        self.assertEqual([], script.sent)
        script.feed.writable(True)
        script.answer()
        self.assertEqual([1, 2, 3], script.sent)

    def test_no_repeats(self) -> None:
        """Frames that were never taken are repeated when the line is open again."""
        script = Script().begin()
        script.offer()
        script.feed.writable(False)
        script.passes(100)
        self.assertEqual([1], script.sent)
        self.assertIs(State.LIVE, script.feed.state)
        script.feed.writable(True)
        self.assertEqual([1, 1], script.sent)
        script.passes(limits.ACK_SECONDS)
        self.assertEqual([1, 1, 1], script.sent)

    def test_hold_runs_out(self) -> None:
        """A wait that ends on a full line ends when it is open again."""
        script = Script(2).begin()
        script.feed.writable(False)
        script.passes(limits.HOLD_SECONDS)
        script.answer()
        self.assertEqual([], script.sent)
        script.feed.writable(True)
        script.answer()
        self.assertEqual([1, 2], script.sent)

    def test_pages_wait(self) -> None:
        """A request on a full line is answered when it is open again."""
        script = Script(2).begin()
        script.feed.writable(False)
        script.feed.ask()
        script.answer()
        self.assertEqual(([], 0), (script.sent, script.ends))
        script.feed.writable(True)
        script.answer()
        script.acknowledge_everything()
        self.assertEqual(([1, 2], 1), (script.sent, script.ends))

    def test_end_mark_waits(self) -> None:
        """The end mark of a backlog is not written to a full line."""
        script = Script(1).begin()
        script.feed.ask()
        script.answer()
        script.feed.writable(False)
        script.acknowledge(1)
        self.assertEqual(0, script.ends)
        script.feed.writable(True)
        self.assertEqual(1, script.ends)

    def test_read_during_a_full_line(self) -> None:
        """What storage answers meanwhile goes out later, once."""
        script = Script().begin()
        script.grow()
        script.feed.raised(1)
        script.feed.writable(False)
        script.answer()
        self.assertEqual([], script.sent)
        script.feed.writable(True)
        self.assertEqual([1], script.sent)

    def test_suspended_line(self) -> None:
        """A suspended connection stays so, whatever its line does."""
        script = Script().begin()
        script.offer()
        script.passes(limits.TRANSMISSIONS * limits.ACK_SECONDS)
        script.feed.writable(False)
        script.feed.writable(True)
        self.assertEqual(limits.TRANSMISSIONS, len(script.sent))
        script.feed.writable(False)
        script.acknowledge(1)
        self.assertEqual(1, script.feed.acked)
        script.feed.offered(entry(2))
        self.assertEqual(limits.TRANSMISSIONS, len(script.sent))
