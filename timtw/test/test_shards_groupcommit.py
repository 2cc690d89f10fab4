"""The posting desk: what travels together, in which order, and what failure does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.errors import StorageUnavailable, TimError, Undefined
from timtw.model.limits import (
    BATCH_CURSORS,
    BATCH_DRAFTS,
    CURSOR_RETRY_SECONDS,
    CURSOR_SECONDS,
    STORAGE_WAITING,
)
from timtw.model.posting import Batch, Changed, Outcome, Posted
from timtw.model.progress import Confirmed, CursorMove
from timtw.model.stores import StorageDamaged
from timtw.model.values import Conversation
from timtw.shards import groupcommit
from timtw.shards.digests import Digests
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.memory.messages import MemoryMessages
from timtw.shards.memory.readers import MemoryReaders
from timtw.shards.memory.shard import Turns
from timtw.test.contracts import ADA, BOB, CYD, PAIR, confirm, draft

OTHER = Conversation.between(BOB.number, CYD.number)


class GatedMessages(MemoryMessages):
    """Messages in memory whose commits wait until they are let through."""

    def __init__(self, clock: Clock) -> None:
        digests = Digests(os.urandom(32))
        submit = Turns(clock).submit
        super().__init__(submit, digests)
        self.readers = MemoryReaders(submit, digests, self)
        self.batches: list[Batch] = []
        self.gates: list[Deferred[None]] = []
        self.full = False

    def post(self, batch: Batch) -> Deferred[Sequence[Outcome]]:
        """Note the batch; store it when its gate opens, or refuse it at once."""
        if self.full:
            return fail(StorageUnavailable())
        self.batches.append(batch)
        gate: Deferred[None] = Deferred()
        self.gates.append(gate)
        return gate.addCallback(lambda _none: super(GatedMessages, self).post(batch))


class DeskCase(SynchronousTestCase):
    """A desk over gated messages."""

    def setUp(self) -> None:
        """Make a desk."""
        self.clock = Clock()
        self.store = GatedMessages(self.clock)
        self.desk = GroupCommit(self.store, self.clock)
        self.answers: list[Posted | Changed | TimError] = []
        self.moved: list[CursorMove] = []

    def post(self, text: str = "x") -> None:
        """Post a text whose answer is kept."""
        self.desk.post(draft(text), self.answers.append)

    def confirm(
        self, cursor: int, *marks: tuple[Conversation, int], key: bytes = b"k"
    ) -> None:
        """Confirm something whose answer is kept."""
        confirmed = tuple(Confirmed(pair, mid) for pair, mid in marks)
        move = CursorMove(BOB.number, key, cursor, confirmed)
        confirm(self.desk, move, self.moved.append)

    def succeed(self) -> None:
        """Let the commit under way succeed."""
        self.store.gates.pop(0).callback(None)
        self.clock.advance(0)

    def fail_commit(self, error: Exception | None = None) -> None:
        """Let the commit under way fail."""
        self.store.gates.pop(0).errback(error or StorageUnavailable())

    def sizes(self) -> list[tuple[int, int]]:
        """The numbers of drafts and cursors of the commits so far."""
        return [(len(b.drafts), len(b.cursors)) for b in self.store.batches]

    def mids(self) -> list[int]:
        """The numbers of the stored messages, in the order of the answers."""
        return [a.message.mid for a in self.answers if isinstance(a, Posted)]


class GatheringTests(DeskCase):
    """What travels together."""

    def test_one_turn_is_one_commit(self) -> None:
        """
        What is sent in one turn shares a commit, and is answered after it, in order.
        """
        for n in range(3):
            self.post(f"{n}")
        self.assertEqual([], self.sizes())
        self.clock.advance(0)
        self.assertEqual([(3, 0)], self.sizes())
        self.assertEqual([], self.answers)
        self.succeed()
        self.assertEqual([1, 2, 3], self.mids())

    def test_waiting_ones_share_the_next(self) -> None:
        """
        What comes while a commit is under way waits for it and goes together.
        """
        self.post()
        self.clock.advance(0)
        for _ in range(2):
            self.post()
            self.clock.advance(1)
        self.assertEqual([(1, 0)], self.sizes())
        self.succeed()
        self.assertEqual([(1, 0), (2, 0)], self.sizes())
        self.succeed()
        self.assertEqual([1, 2, 3], self.mids())

    def test_few_wait_for_company(self) -> None:
        """
        Where fewer wait than half of the last commit, its answers may bring more to
        the next one before it begins.
        """
        self.desk.post(draft("first"), lambda _stored: self.post("after an answer"))
        for _ in range(3):
            self.post()
        self.clock.advance(0)
        self.post("waits")
        self.succeed()
        self.assertEqual([(4, 0), (2, 0)], self.sizes())

    def test_half_as_many_wait_for_nobody(self) -> None:
        """
        Where half as many wait as the last commit had, the next begins at once.
        """
        self.desk.post(draft("first"), lambda _stored: self.post("after an answer"))
        for _ in range(3):
            self.post()
        self.clock.advance(0)
        for _ in range(2):
            self.post()
        self.succeed()
        self.assertEqual([(4, 0), (2, 0)], self.sizes())

    def test_no_timer_without_traffic(self) -> None:
        """
        A desk without traffic does nothing.
        """
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_largest_commit(self) -> None:
        """
        A flood is stored in commits of a largest size.
        """
        for _ in range(BATCH_DRAFTS + 1):
            self.post()
        self.clock.advance(0)
        self.succeed()
        self.succeed()
        self.assertEqual([(BATCH_DRAFTS, 0), (1, 0)], self.sizes())
        self.assertEqual(list(range(1, BATCH_DRAFTS + 2)), self.mids())

    def test_too_many_waiting(self) -> None:
        """
        Above the limit sends are refused, in their turn, and accepted again below it.
        """
        more = 2 * BATCH_DRAFTS
        for _ in range(STORAGE_WAITING + more):
            self.post()
        self.assertEqual([], self.answers)
        self.clock.advance(0)
        while self.store.gates:
            self.succeed()
        self.assertEqual(list(range(1, STORAGE_WAITING + 1)), self.mids())
        for refused in self.answers[STORAGE_WAITING:]:
            self.assertIsInstance(refused, StorageUnavailable)
        self.assertEqual(STORAGE_WAITING + more, len(self.answers))
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual(STORAGE_WAITING + 1, self.mids()[-1])

    def test_too_much_waiting(self) -> None:
        """
        Large texts are refused before they are so many, and accepted again when what
        was before them is stored, or refused.
        """
        self.patch(groupcommit, "STORAGE_WAITING_BYTES", 20)
        for text in ("x" * 19, "y", "z"):
            self.post(text)
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([1, 2], self.mids())
        self.assertIsInstance(self.answers[2], StorageUnavailable)
        self.post("x" * 20)
        self.clock.advance(0)
        self.fail_commit()
        self.post("y")
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([1, 2, 3], self.mids())

    def test_faulty_callback_stays_alone(self) -> None:
        """
        A fault of one who sent does not keep the answers from others.
        """

        def faulty(_answer: Posted | Changed | TimError) -> None:
            raise ZeroDivisionError

        self.desk.post(draft(), faulty)
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([2], self.mids())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_d2_outage_refuses_what_travelled(self) -> None:
        """
        When storage fails those who travelled are told, and later ones go on.
        """
        self.post()
        self.clock.advance(0)
        self.post()
        self.fail_commit()
        self.assertIsInstance(self.answers[0], StorageUnavailable)
        self.succeed()
        self.assertEqual([1], self.mids())

    def test_second_outage_refuses_all_that_wait(self) -> None:
        """
        When storage stays away nobody waits for more than two attempts.
        """
        for _ in range(3 * BATCH_DRAFTS):
            self.post()
        self.clock.advance(0)
        self.fail_commit()
        self.assertEqual(BATCH_DRAFTS, len(self.answers))
        self.fail_commit()
        self.assertEqual(3 * BATCH_DRAFTS, len(self.answers))
        self.assertEqual([], self.store.gates)
        self.assertEqual(0, self.desk.waiting)
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([1], self.mids())
        for _ in range(2 * BATCH_DRAFTS):
            self.post()
        self.clock.advance(0)
        self.fail_commit()
        self.succeed()
        self.assertEqual(1 + BATCH_DRAFTS, len(self.mids()))

    def test_damage_is_found_by_halves(self) -> None:
        """
        Who needs a damaged part of the database is told 5103, and nobody else.
        """
        for n in range(6):
            self.post(f"{n}")
        self.clock.advance(0)
        while self.store.gates:
            texts = [d.content.text for d in self.store.batches[-1].drafts]
            if "4" in texts:
                self.fail_commit(StorageDamaged())
            else:
                self.succeed()
        codes = [getattr(answer, "code", 0) for answer in self.answers]
        self.assertEqual([0, 0, 0, 0, 5103, 0], codes)

    def test_fault_is_found_by_halves(self) -> None:
        """
        One draft that cannot be stored is refused alone; all others are stored.
        """
        for n in range(6):
            self.post(f"{n}")
        self.clock.advance(0)
        while self.store.gates:
            texts = [d.content.text for d in self.store.batches[-1].drafts]
            if "4" in texts:
                self.fail_commit(OverflowError())
            else:
                self.succeed()
        self.flushLoggedErrors(OverflowError)
        kinds = [type(answer) for answer in self.answers]
        self.assertEqual([Posted] * 4 + [Undefined, Posted], kinds)
        self.assertEqual([1, 2, 3, 4, 5], self.mids())

    def test_refused_at_once(self) -> None:
        """
        Where storage refuses a commit at once, those of the one before it are answered
        first: whoever wrote both hears of them in the order in which they were written.
        """
        self.post("1")
        self.clock.advance(0)
        self.post("2")
        self.store.full = True
        self.succeed()
        self.clock.advance(0)
        kinds = [type(answer) for answer in self.answers]
        self.assertEqual([Posted, StorageUnavailable], kinds)
        self.store.full = False
        self.post("3")
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([1, 2], self.mids())

    def test_all_refused_at_once(self) -> None:
        """
        So it is with more than one commit takes.
        """
        self.store.full = True
        found: list[int] = []
        numbers = range(BATCH_DRAFTS + 2)
        for n in numbers:
            self.desk.post(
                draft(f"{n}"), partial(lambda n, _answer: found.append(n), n)
            )
        for _ in range(4):
            self.clock.advance(0)
        self.assertEqual([*numbers], found)


class CursorTests(DeskCase):
    """How cursors travel."""

    def test_cursor_waits_for_company(self) -> None:
        """
        A confirmation alone is stored after a moment, and then told.
        """
        self.confirm(3)
        self.clock.advance(CURSOR_SECONDS * 0.9)
        self.assertEqual([], self.sizes())
        self.clock.advance(CURSOR_SECONDS * 0.2)
        self.assertEqual([(0, 1)], self.sizes())
        self.assertEqual([], self.moved)
        self.succeed()
        self.assertEqual([3], [move.cursor for move in self.moved])

    def test_cursor_rides_along(self) -> None:
        """
        A confirmation travels with the next message and needs no commit of its own.
        """
        self.confirm(3)
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.clock.advance(CURSOR_SECONDS * 2)
        self.assertEqual([(1, 1)], self.sizes())

    def test_moves_of_a_reader_are_merged(self) -> None:
        """
        Of several confirmations of a device the highest of each kind is stored.
        """
        self.confirm(3, (PAIR, 2))
        self.confirm(4, (PAIR, 3), (OTHER, 5))
        self.confirm(2, (PAIR, 1))
        self.clock.advance(CURSOR_SECONDS)
        self.succeed()
        (move,) = self.moved
        self.assertEqual(4, move.cursor)
        self.assertEqual({(PAIR, 3), (OTHER, 5)}, set(map(tuple, move.confirmed)))

    def test_most_cursors_of_a_commit(self) -> None:
        """
        Very many devices are stored in commits of a largest size.
        """
        for n in range(BATCH_CURSORS + 1):
            self.confirm(1, key=b"%d" % n)
        self.clock.advance(CURSOR_SECONDS)
        self.succeed()
        self.clock.advance(CURSOR_SECONDS)
        self.succeed()
        self.assertEqual([(0, BATCH_CURSORS), (0, 1)], self.sizes())
        self.assertEqual(BATCH_CURSORS + 1, len(self.moved))

    def test_failed_cursor_is_tried_again(self) -> None:
        """
        A confirmation survives an outage, merged with later ones, with growing pauses.
        """
        self.confirm(3, (PAIR, 2))
        pause = CURSOR_SECONDS
        self.clock.advance(pause)
        for _ in range(8):
            self.fail_commit()
            pause = min(pause * 2, CURSOR_RETRY_SECONDS)
            self.clock.advance(pause * 0.9)
            self.assertEqual([], self.store.gates)
            self.clock.advance(pause * 0.2)
            self.assertEqual(1, len(self.store.gates))
        self.fail_commit()
        self.assertEqual(CURSOR_RETRY_SECONDS, pause)
        self.confirm(4, (OTHER, 1))
        self.clock.advance(pause)
        self.succeed()
        (move,) = self.moved
        self.assertEqual(4, move.cursor)
        self.assertEqual({(PAIR, 2), (OTHER, 1)}, set(map(tuple, move.confirmed)))

    def test_cursor_cannot_spoil_messages(self) -> None:
        """
        After a failure messages and confirmations go apart until these succeed.
        """
        self.confirm(3)
        self.post()
        self.clock.advance(0)
        self.fail_commit()
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([1], self.mids())
        self.clock.advance(CURSOR_SECONDS * 2)
        self.succeed()
        self.confirm(4)
        self.post()
        self.clock.advance(0)
        self.succeed()
        self.assertEqual([(1, 1), (1, 0), (0, 1), (1, 1)], self.sizes())

    def test_faulty_move_is_given_up(self) -> None:
        """
        One confirmation that cannot be stored does not keep back the others.
        """
        for n in range(5):
            self.confirm(1, key=b"%d" % n)
        for _ in range(30):
            self.clock.advance(CURSOR_RETRY_SECONDS)
            if not self.store.gates:
                break
            if any(move.key == b"3" for move in self.store.batches[-1].cursors):
                self.fail_commit(OverflowError())
            else:
                self.succeed()
        self.flushLoggedErrors(OverflowError)
        self.assertEqual({b"0", b"1", b"2", b"4"}, {move.key for move in self.moved})
        self.assertEqual([], self.clock.getDelayedCalls())


class FlushTests(DeskCase):
    """Everything that waits is stored now."""

    def test_flush_takes_cursors_at_once(self) -> None:
        """
        A stopping node does not wait for company for its confirmations.
        """
        self.confirm(3)
        done = self.desk.flush()
        self.clock.advance(0)
        self.assertEqual([(0, 1)], self.sizes())
        self.assertNoResult(done)
        self.succeed()
        self.successResultOf(done)
        self.assertEqual(1, len(self.moved))

    def test_flush_of_nothing(self) -> None:
        """
        A desk that holds nothing is flushed at once.
        """
        done = self.desk.flush()
        self.clock.advance(0)
        self.successResultOf(done)
        self.assertEqual([], self.sizes())

    def test_flush_waits_for_what_was_before(self) -> None:
        """
        What comes after the flush does not hold it up.
        """
        self.post()
        self.clock.advance(0)
        self.post()
        self.confirm(1)
        done = self.desk.flush()
        self.succeed()
        self.assertNoResult(done)
        self.post()
        self.confirm(2, key=b"later")
        self.succeed()
        self.successResultOf(done)
        self.assertEqual([1, 2], self.mids())

    def test_flush_outlasts_an_outage(self) -> None:
        """
        A flush fires when the confirmations are stored, not before.
        """
        self.confirm(1)
        done = self.desk.flush()
        self.clock.advance(0)
        self.fail_commit()
        self.assertNoResult(done)
        self.clock.advance(CURSOR_RETRY_SECONDS)
        self.succeed()
        self.successResultOf(done)


class SenderTests(DeskCase):
    """Who is answered."""

    def test_sends_of_many_are_answered_each(self) -> None:
        """
        Each sender gets the answer to what it has sent.
        """
        answers: dict[str, list[Posted | Changed | TimError]] = {"ada": [], "bob": []}
        self.desk.post(draft("1", ADA, BOB), answers["ada"].append)
        self.desk.post(draft("2", BOB, CYD), answers["bob"].append)
        self.clock.advance(0)
        self.succeed()
        texts = {
            who: [a.message.content.text for a in got if isinstance(a, Posted)]
            for who, got in answers.items()
        }
        self.assertEqual({"ada": ["1"], "bob": ["2"]}, texts)
