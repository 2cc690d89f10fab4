"""The feed, step by step: what waits for a device, and how it is asked for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.sending import State
from timtw.model import limits
from timtw.test.feedkit import Script

HOLD = limits.HOLD_SECONDS


class HoldTests(SynchronousTestCase):
    """A backlog waits for the client to ask."""

    def test_wait(self) -> None:
        """Nothing goes out for three seconds, then everything as ordinary frames."""
        script = Script(3).begin()
        script.passes(HOLD - 0.1)
        self.assertEqual(([], []), (script.sent, script.reads))
        script.passes(0.1)
        script.answer()
        self.assertEqual([1, 2, 3], script.sent)
        self.assertEqual([1, 2, 3], script.backlog)
        self.assertEqual(0, script.ends)
        self.assertIs(State.LIVE, script.feed.state)

    def test_live_does_not_overtake(self) -> None:
        """What comes during the wait follows the backlog and is not marked as it."""
        script = Script(2).begin()
        script.offer()
        self.assertEqual([], script.sent)
        script.passes(HOLD)
        script.answer()
        self.assertEqual([1, 2, 3], script.sent)
        self.assertEqual([1, 2], script.backlog)

    def test_writing_ends_it(self) -> None:
        """A client that has begun to talk is not waited for."""
        script = Script(2).begin()
        script.feed.stir()
        script.answer()
        self.assertEqual([1, 2], script.sent)

    def test_no_backlog(self) -> None:
        """Without a backlog nothing waits, and a request gets the end mark."""
        script = Script(2, cursor=2).begin()
        self.assertIs(State.LIVE, script.feed.state)
        script.feed.ask()
        self.assertEqual(([], 1), (script.sent, script.ends))
        self.assertIs(State.LIVE, script.feed.state)

    def test_more_than_a_window(self) -> None:
        """A long backlog goes out as it is confirmed, all of it in order."""
        script = Script(100).begin()
        script.passes(HOLD)
        script.answer()
        self.assertEqual(limits.WINDOW_FRAMES, len(script.sent))
        script.acknowledge_everything()
        self.assertEqual(list(range(1, 101)), script.sent)


class AgainTests(SynchronousTestCase):
    """What a lost connection had in flight."""

    def test_at_once(self) -> None:
        """It goes out without waiting, not marked; the rest waits and is marked."""
        script = Script(5, again_up_to=2).begin()
        self.assertEqual([1, 2], script.sent)
        self.assertEqual([], script.backlog)
        script.passes(HOLD)
        script.answer()
        self.assertEqual([1, 2, 3, 4, 5], script.sent)
        self.assertEqual([3, 4, 5], script.backlog)

    def test_all_of_it(self) -> None:
        """If that is everything, the connection is live at once."""
        script = Script(2, again_up_to=9).begin()
        self.assertEqual([1, 2], script.sent)
        self.assertIs(State.LIVE, script.feed.state)

    def test_settled(self) -> None:
        """What the lost connection had confirmed out of turn is stepped over."""
        script = Script(4, cursor=1, again_up_to=4, settled=(3,)).begin()
        self.assertEqual([2, 4], script.sent)
        script.acknowledge(2)
        self.assertEqual((3, [2, 3]), (script.feed.acked, script.marked))

    def test_settled_in_pages(self) -> None:
        """So it is in pages, where it counts as delivered with what is around it."""
        script = Script(4, settled=(2, 4)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual([(1, 3)], script.pages)
        self.assertEqual([], script.marked)
        script.acknowledge(3)
        self.assertEqual(4, script.feed.acked)
        self.assertEqual([1, 2, 3, 4], sorted(script.marked))

    def test_all_settled(self) -> None:
        """Where nothing is left to send it counts as delivered at once."""
        script = Script(2, settled=(1, 2)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual(([], 1), (script.pages, script.ends))
        self.assertEqual((2, [1, 2]), (script.feed.acked, script.marked))

    def test_hand_over(self) -> None:
        """A lost line hands over what was confirmed, what went out, and the islands."""
        script = Script().begin()
        script.offer(4)
        script.acknowledge(1, 3)
        self.assertEqual((1, 4, frozenset({3})), script.feed.hand_over())

    def test_request_takes_the_rest(self) -> None:
        """A request behind it brings only the rest in pages, then the end mark."""
        script = Script(5, again_up_to=2).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual([(3, 4, 5)], script.pages)
        script.acknowledge_everything()
        self.assertEqual(1, script.ends)
        self.assertEqual(5, script.feed.acked)


class PageTests(SynchronousTestCase):
    """A backlog that is asked for."""

    def asked(self, backlog: int, **more: int) -> Script:
        """A feed with a backlog whose client has asked for it."""
        script = Script(backlog, **more).begin()  # type: ignore[arg-type]
        script.feed.ask()
        script.answer()
        return script

    def test_ten_entries(self) -> None:
        """Ten entries are one page, eleven are two."""
        self.assertEqual([10], [len(page) for page in self.asked(10).pages])
        script = self.asked(11)
        script.acknowledge_everything()
        self.assertEqual([10, 1], [len(page) for page in script.pages])
        self.assertEqual(1, script.ends)

    def test_page_bytes(self) -> None:
        """A page ends before the entry that would make it too large."""
        exact = self.asked(4, page_bytes=300, measure=100)
        self.assertEqual([(1, 2, 3)], exact.pages)
        less = self.asked(4, page_bytes=299, measure=100)
        self.assertEqual([(1, 2)], less.pages)

    def test_oversized_entry(self) -> None:
        """An entry larger than a page is a page of its own."""
        script = self.asked(2, page_bytes=300, measure=301)
        script.acknowledge_everything()
        self.assertEqual([(1,), (2,)], script.pages)

    def test_one_outstanding(self) -> None:
        """The next page and the end mark wait for the answer to the one before."""
        script = self.asked(15)
        script.passes(5)
        self.assertEqual((1, 0), (len(script.pages), script.ends))
        script.acknowledge(10)
        self.assertEqual((2, 0), (len(script.pages), script.ends))
        script.acknowledge(15)
        self.assertEqual((2, 1), (len(script.pages), script.ends))
        self.assertIs(State.LIVE, script.feed.state)

    def test_answer_covers_the_page(self) -> None:
        """One answer confirms all entries of a page."""
        script = self.asked(7)
        script.acknowledge(7)
        self.assertEqual([7], script.cursors[-1:])
        self.assertEqual([1, 2, 3, 4, 5, 6, 7], script.marked)

    def test_d14_second_request_joins(self) -> None:
        """Asking again before the end mark changes nothing."""
        script = self.asked(15)
        script.offer()
        script.feed.ask()
        script.answer()
        script.acknowledge_everything()
        self.assertEqual([10, 5], [len(page) for page in script.pages])
        self.assertEqual(1, script.ends)
        self.assertEqual(16, script.sent[-1])

    def test_request_after_the_end(self) -> None:
        """Asking again after the end mark is answered by another end mark."""
        script = self.asked(3)
        script.acknowledge_everything()
        script.feed.ask()
        self.assertEqual((1, 2), (len(script.pages), script.ends))

    def test_live_waits_for_the_end(self) -> None:
        """What comes meanwhile follows the end mark as an ordinary frame."""
        script = self.asked(3)
        script.offer()
        script.answer()
        self.assertEqual([1, 2, 3], script.sent)
        script.acknowledge(3)
        self.assertEqual([1, 2, 3, 4], script.sent)
        self.assertEqual((1, 1), (len(script.pages), script.ends))

    def test_request_beside_frames(self) -> None:
        """Asking while ordinary frames wait for answers sends none of them again."""
        script = Script(40).begin()
        script.passes(HOLD)
        script.answer()
        script.feed.ask()
        script.answer()
        script.acknowledge_everything()
        self.assertEqual(list(range(1, 41)), script.sent)
        self.assertEqual((1, 1), (len(script.pages), script.ends))

    def test_own_entries_are_stepped_over(self) -> None:
        """A plain client gets no own texts in pages, and its cursor passes them."""
        script = Script(5, own=(1, 3, 5)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual([(2, 4)], script.pages)
        script.acknowledge_everything()
        self.assertEqual(5, script.feed.acked)

    def test_own_entries_only(self) -> None:
        """A backlog of nothing but own texts is an end mark, and no empty page."""
        script = Script(30, own=range(1, 31)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual(([], 1), (script.pages, script.ends))
        self.assertEqual(30, script.feed.acked)

    def test_whole(self) -> None:
        """A client that wants everything gets its own texts too, with receipts."""
        script = Script(3, own=(1, 3), whole=True).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual([(1, 2, 3)], script.pages)
        frames = Script(1, own=(1,), whole=True).begin()
        frames.passes(HOLD)
        frames.answer()
        self.assertEqual([((1,), 1)], frames.frames)


class ResumeTests(SynchronousTestCase):
    """A client that says how far it has read."""

    def test_nothing_before(self) -> None:
        """A client that says how far it has read is sent nothing before it says so."""
        script = Script(4, cursor=4, whole=True).begin()
        script.offer()
        self.assertEqual([], script.sent)
        script.feed.ask(3)
        script.answer()
        self.assertEqual([4, 5], script.sent)

    def test_flights_wait_as_well(self) -> None:
        """That includes what a lost line of it had in flight; silence ends the wait."""
        script = Script(2, cursor=1, whole=True, again_up_to=2).begin()
        self.assertEqual([], script.sent)
        script.passes(HOLD)
        script.answer()
        self.assertEqual([2], script.sent)

    def test_within(self) -> None:
        """A number among what went out confirms that part; the rest is not repeated."""
        script = Script(whole=True).begin()
        script.feed.ask(0)
        script.offer(4)
        script.feed.ask(2)
        self.assertEqual(2, script.feed.acked)
        self.assertEqual([1, 2, 3, 4], script.sent)
        self.assertEqual([1, 2], script.marked)
        self.assertEqual(2, script.ends)

    def test_part_of_a_page(self) -> None:
        """A number inside a page confirms that part of it; the rest comes again."""
        script = Script(4, whole=True).begin()
        script.feed.ask(0)
        script.answer()
        script.feed.ask(3)
        script.answer()
        self.assertEqual([(1, 2, 3, 4), (4,)], script.pages)
        self.assertEqual(([(0, 3)], 3), (script.claims, script.feed.acked))

    def test_ahead(self) -> None:
        """A number beyond what went out here is taken as the client's word."""
        script = Script(10, whole=True).begin()
        script.feed.ask(7)
        script.answer()
        self.assertEqual([(8, 9, 10)], script.pages)
        self.assertEqual([(0, 7)], script.claims)
        self.assertEqual(7, script.feed.acked)

    def test_ahead_of_everything(self) -> None:
        """A number beyond the log is taken as its end."""
        script = Script(3, whole=True).begin()
        script.feed.ask(99)
        self.assertEqual(([], 1, 3), (script.sent, script.ends, script.feed.acked))
        script.offer()
        self.assertEqual([4], script.sent)

    def test_behind(self) -> None:
        """A client that has lost its own store gets everything again."""
        script = Script(4, cursor=4, whole=True).begin()
        script.feed.ask(0)
        script.answer()
        self.assertEqual([(1, 2, 3, 4)], script.pages)
        self.assertEqual([], script.cursors)

    def test_below_zero(self) -> None:
        """A negative number means from the beginning."""
        script = Script(2, cursor=1, whole=True).begin()
        script.feed.ask(-5)
        script.answer()
        self.assertEqual([(1, 2)], script.pages)

    def test_behind_repeats_what_was_confirmed(self) -> None:
        """Going back sends again also what was confirmed out of turn."""
        script = Script(whole=True).begin()
        script.feed.ask(0)
        script.offer(3)
        script.acknowledge(1, 3)
        script.cleared().feed.ask(0)
        script.answer()
        self.assertEqual([(1, 2, 3)], script.pages)

    def test_behind_repeats_echoes(self) -> None:
        """Going back sends again also the own texts that were echoed."""
        script = Script(whole=True).begin()
        script.feed.ask(0)
        script.offer(2)
        script.offer(own=True)
        script.acknowledge(1)
        script.cleared().feed.ask(0)
        script.answer()
        self.assertEqual([(1, 2, 3)], script.pages)

    def test_during_pages(self) -> None:
        """Going back in the middle of pages begins again there, with one end mark."""
        script = Script(25, whole=True).begin()
        script.feed.ask(0)
        script.answer()
        script.acknowledge(10)
        script.cleared().feed.ask(5)
        script.answer()
        script.acknowledge_everything()
        self.assertEqual(list(range(6, 26)), script.sent)
        self.assertEqual(1, script.ends)

    def test_a_read_of_before_is_ignored(self) -> None:
        """What was read before going back is not sent behind it."""
        script = Script(10, cursor=5, whole=True).begin()
        script.feed.ask(5)
        stale = script.reads.pop()
        script.feed.ask(0)
        fresh = script.reads.pop()
        self.assertEqual((0, 10), fresh[:2])
        script.feed.loaded(script.page_of(*stale[:2]), stale[2])
        self.assertEqual([], script.sent)
        script.feed.loaded(script.page_of(*fresh[:2]), fresh[2])
        self.assertEqual([tuple(range(1, 11))], script.pages)

    def test_a_read_of_before_on_a_full_line(self) -> None:
        """What was read before going back is forgotten, also if no new read began."""
        script = Script(10, cursor=5, whole=True).begin()
        script.feed.ask(5)
        stale = script.reads.pop()
        script.feed.writable(False)
        script.feed.ask(0)
        self.assertEqual([], script.reads)
        script.feed.loaded(script.page_of(*stale[:2]), stale[2])
        script.feed.writable(True)
        script.answer()
        self.assertEqual([tuple(range(1, 11))], script.pages)

    def test_a_failed_read_of_before_on_a_full_line(self) -> None:
        """The failure of an abandoned read does not delay the next one."""
        script = Script(10, cursor=5, whole=True).begin()
        script.feed.ask(5)
        stale = script.reads.pop()
        script.feed.writable(False)
        script.feed.ask(0)
        script.feed.unread(stale[2])
        script.feed.writable(True)
        self.assertEqual([(0, 10)], [read[:2] for read in script.reads])

    def test_a_failed_read_of_before_is_is_ignored(self) -> None:
        """The failure of an abandoned read delays nothing."""
        script = Script(10, cursor=5, whole=True).begin()
        script.feed.ask(5)
        stale = script.reads.pop()
        script.feed.ask(0)
        script.feed.unread(stale[2])
        script.answer()
        self.assertEqual([tuple(range(1, 11))], script.pages)


class StorageTests(SynchronousTestCase):
    """Reads that fail, and entries that are gone."""

    def test_d20_read_again(self) -> None:
        """After a failed read storage is asked again a second later, not before."""
        script = Script(1).begin()
        script.feed.ask()
        script.feed.unread(script.reads.pop()[2])
        script.offer()
        script.passes(limits.READ_AGAIN_SECONDS - 0.1)
        self.assertEqual([], script.reads)
        script.passes(0.1)
        script.answer()
        self.assertEqual([1], script.sent)

    def test_d20_read_again_behind_an_older_alarm(self) -> None:
        """So it is where time was asked for earlier, for something that is done."""
        script = Script().begin()
        script.offer()
        script.passes(limits.ACK_SECONDS - 0.5)
        script.acknowledge(1)
        script.grow()
        script.feed.raised(2)
        script.feed.unread(script.reads.pop()[2])
        script.passes(limits.READ_AGAIN_SECONDS)
        script.answer()
        self.assertEqual([1, 2], script.sent)

    def test_one_read_at_a_time(self) -> None:
        """However much is offered meanwhile, storage is asked once."""
        script = Script(1).begin()
        script.feed.stir()
        script.offer(5)
        self.assertEqual(1, len(script.reads))
        script.answer()
        self.assertEqual([1, 2, 3, 4, 5, 6], script.sent)

    def test_small_pieces(self) -> None:
        """Storage may answer in pieces of any size."""
        script = Script(9).begin()
        script.feed.stir()
        script.answer(most=2)
        self.assertEqual(list(range(1, 10)), script.sent)

    def test_d1_gaps(self) -> None:
        """What was revoked is stepped over, and the cursor passes it."""
        script = Script(6, gone=(1, 3, 4, 6)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual([(2, 5)], script.pages)
        script.acknowledge(5)
        self.assertEqual(6, script.feed.acked)

    def test_d1_everything_gone(self) -> None:
        """A backlog that is gone altogether is an end mark and no page."""
        script = Script(200, gone=range(1, 201)).begin()
        script.feed.ask()
        script.answer()
        self.assertEqual(([], 1), (script.pages, script.ends))
        self.assertEqual(200, script.feed.acked)

    def test_d1_gone_at_the_end_of_a_page(self) -> None:
        """A gap behind a full page does not become an empty page."""
        script = Script(14, gone=(11, 12, 13, 14)).begin()
        script.feed.ask()
        script.answer()
        script.acknowledge_everything()
        self.assertEqual([tuple(range(1, 11))], script.pages)
        self.assertEqual((1, 14), (script.ends, script.feed.acked))

    def test_gone_among_frames(self) -> None:
        """A gap among ordinary frames is passed when the frame before is confirmed."""
        script = Script(3, gone=(2,)).begin()
        script.feed.stir()
        script.answer()
        self.assertEqual([1, 3], script.sent)
        script.acknowledge(3)
        self.assertEqual(0, script.feed.acked)
        script.acknowledge(1)
        self.assertEqual(3, script.feed.acked)
