"""Read marks as devices of people see them: unread numbers agree."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import (
    ChangeRelation,
    ListReadMarks,
    MarkRead,
    PullHistory,
    SendMessage,
)
from timtw.model.errors import (
    BadParameter,
    Overloaded,
    PermissionDenied,
    StorageUnavailable,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Marked, ReadMarksListed, Refused
from timtw.model.progress import ReadMark
from timtw.model.relations import Step
from timtw.model.values import Content
from timtw.test.stage import Client, Stage

SOON = limits.CURSOR_SECONDS + 0.1


class MarkCase(SynchronousTestCase):
    """Ada has written five texts to Bob, who has a device on each node."""

    def setUp(self) -> None:
        """All are there and know our additions; one device of Bob does not."""
        self.stage = Stage(("north", "south"))
        self.ada_is = self.stage.register("ada")
        self.bob_is = self.stage.register("bob")
        self.ada = self.stage.log_in("ada", additions=True)
        self.phone = self.stage.log_in("bob", additions=True)
        self.desk = self.stage.log_in("bob", "desk", "south", additions=True)
        self.old = self.stage.log_in("bob", "old", "south")
        for number in range(5):
            self.ada.writes(self.bob_is, f"{number}")
        self.stage.settle(1)

    def reads(self, who: Client, mid: int, peer: str | None = None) -> None:
        """Somebody says how far they have read."""
        who.asks(MarkRead(self.ada_is.node if peer is None else peer, mid))
        self.stage.settle(SOON)

    def told(self, who: Client) -> list[tuple[str, int, int]]:
        """The read marks that somebody was told since this was last asked."""
        marks = [one.mark for one in who.told(Marked)]
        who.events[:] = [one for one in who.events if not isinstance(one, Marked)]
        return [
            (mark.reader.node, mark.mid, mark.last)
            for mark in marks
            if isinstance(mark, ReadMark)
        ]

    def refused(self, who: Client) -> list[type[Exception]]:
        """What somebody was refused with."""
        return [type(one.error) for one in who.told(Refused)]


class MarkTests(MarkCase):
    """Who is told, and what."""

    def test_unread_numbers_agree(self) -> None:
        """All devices of the reader, and the author, are told how far is read."""
        bob = self.bob_is.node
        for mid, expected in ((2, [(bob, 2, 5)]), (1, []), (2, []), (9, [(bob, 5, 5)])):
            self.reads(self.phone, mid)
            for who in (self.phone, self.desk, self.ada):
                self.assertEqual(expected, self.told(who), mid)
        self.assertEqual([], self.old.told(Marked))
        self.assertEqual([], self.refused(self.phone))

    def test_many_are_one(self) -> None:
        """What is read within a moment is stored and told once."""
        for mid in (1, 3, 2):
            self.phone.asks(MarkRead(self.ada_is.node, mid))
        self.reads(self.desk, 2)
        self.stage.settle(SOON)
        self.assertIn((self.bob_is.node, 3, 5), self.told(self.desk))
        self.assertEqual([(self.bob_is.node, 3, 5)], self.told(self.ada)[-1:])

    def test_nothing_waits(self) -> None:
        """A text behind a mark is as quick as any."""
        self.phone.asks(MarkRead(self.ada_is.node, 5))
        self.phone.asks(SendMessage(self.ada_is.node, Content("seen")))
        self.stage.settle(0.05)
        self.assertEqual(["seen"], self.phone.echoes)
        self.assertEqual([], self.told(self.phone))

    def test_refused(self) -> None:
        """What names no text of nobody else is refused."""
        far = self.stage.register("far", "elsewhere").node
        for mid, peer, error in (
            (0, self.ada_is.node, BadParameter),
            (-1, self.ada_is.node, BadParameter),
            (1, "zzz", UnknownAccount),
            (1, far, UnknownAccount),
            (1, self.bob_is.node, PermissionDenied),
        ):
            self.phone.events.clear()
            self.reads(self.phone, mid, peer)
            self.assertEqual([error], self.refused(self.phone))
        self.assertEqual([], self.told(self.desk))

    def test_block(self) -> None:
        """Across a block the own devices are told, and the other side is not."""
        self.reads(self.phone, 1)
        self.told(self.ada)
        self.phone.asks(ChangeRelation(Step.BLOCK, self.ada_is.node))
        self.stage.settle()
        self.reads(self.phone, 3)
        self.assertEqual([], self.told(self.ada))
        self.assertIn((self.bob_is.node, 3, 5), self.told(self.desk))
        self.ada.asks(PullHistory(self.bob_is.node, 0, 9))
        self.phone.asks(PullHistory(self.ada_is.node, 0, 9))
        self.stage.settle()
        self.assertEqual([], self.told(self.ada))
        self.assertIn((self.bob_is.node, 3, 5), self.told(self.phone))

    def test_history(self) -> None:
        """With the history both sides are told how far each has read."""
        self.reads(self.phone, 3)
        for who in (self.ada, self.phone):
            self.told(who)
        self.reads(self.ada, 5, self.bob_is.node)
        for who in (self.ada, self.phone, self.old):
            self.told(who)
        both = [(self.ada_is.node, 5, 5), (self.bob_is.node, 3, 5)]
        for who, peer in ((self.ada, self.bob_is), (self.phone, self.ada_is)):
            who.asks(PullHistory(peer.node, 0, 9))
            self.stage.settle()
            self.assertEqual(sorted(both), sorted(self.told(who)))
        self.old.asks(PullHistory(self.ada_is.node, 0, 9))
        self.stage.settle()
        self.assertEqual([], self.old.told(Marked))

    def test_storage_fails(self) -> None:
        """A mark that cannot be stored is stored later, and told then."""
        reads: Any = self.stage.shard.reads
        reads.raised = lambda marks: fail(StorageUnavailable())
        self.reads(self.phone, 2)
        self.reads(self.phone, 4)
        self.assertEqual(([], []), (self.told(self.desk), self.refused(self.phone)))
        del reads.raised
        self.stage.settle(limits.READ_AGAIN_SECONDS)
        self.assertEqual([(self.bob_is.node, 4, 5)], self.told(self.desk))

    def test_node_stops(self) -> None:
        """What was marked a moment before a node stops is not forgotten."""
        self.phone.asks(MarkRead(self.ada_is.node, 4))
        self.stage.ready(self.stage.cores["north"].stop())
        self.stage.settle()
        reads = self.stage.shard.reads
        found = self.stage.ready(reads.listed(self.bob_is.number, None, 9))
        self.assertEqual([4], [read.mid for read in found])
        self.stage.settle(60)

    def test_too_often(self) -> None:
        """So many marks a minute and not one more; others may still mark."""
        self.patch(limits, "READ_MARKS_PER_MINUTE", 2)
        self.stage.start("north", alone=False)
        phone = self.stage.log_in("bob", additions=True)
        for mid in (1, 2):
            self.reads(phone, mid)
        self.assertEqual([], self.refused(phone))
        self.reads(phone, 3)
        self.assertEqual([TooFrequent], self.refused(phone))
        ada = self.stage.log_in("ada", additions=True)
        self.reads(ada, 1, self.bob_is.node)
        self.assertEqual([], self.refused(ada))

    def test_too_many_wait(self) -> None:
        """As many conversations as may wait are marked, and one more is refused."""
        self.patch(limits, "READ_MARKS_WAITING", 1)
        cyd = self.stage.register("cyd")
        self.phone.asks(MarkRead(self.ada_is.node, 1))
        self.phone.asks(MarkRead(self.ada_is.node, 2))
        self.phone.asks(MarkRead(cyd.node, 1))
        self.stage.settle(SOON)
        self.assertEqual([Overloaded], self.refused(self.phone))
        self.assertEqual([(self.bob_is.node, 2, 5)], self.told(self.desk))


class ListTests(MarkCase):
    """The list of all."""

    def listed(self, who: Client, after: str | None = None) -> str | None:
        """Ask for the list; where it goes on."""
        who.asks(ListReadMarks(after))
        self.stage.settle()
        return who.told(ReadMarksListed)[-1].more

    def test_in_pieces(self) -> None:
        """A device that comes back is told of all conversations, piece by piece."""
        self.patch(limits, "READ_MARKS_LISTED", 2)
        peers = [self.ada_is]
        for name in ("cyd", "dan", "eve"):
            peers.append(self.stage.register(name))
            self.stage.log_in(name).writes(self.bob_is, "hi")
        self.stage.settle(1)
        for peer in peers:
            self.reads(self.phone, 1, peer.node)
        self.told(self.desk)
        pieces = []
        more = self.listed(self.desk)
        pieces.append([one.mark for one in self.desk.told(Marked)])
        self.desk.events.clear()
        assert more is not None
        self.assertIsNone(self.listed(self.desk, more))
        pieces.append([one.mark for one in self.desk.told(Marked)])
        self.assertEqual([2, 2], [len(piece) for piece in pieces])
        found = {
            one.other.node: (one.mid, one.last)
            for piece in pieces
            for one in piece
            if isinstance(one, ReadMark)
        }
        expected = {peer.node: (1, 1) for peer in peers}
        expected[self.ada_is.node] = (1, 5)
        self.assertEqual(expected, found)

    def test_nothing_read(self) -> None:
        """Who has read nothing gets an empty list; a wrong place is refused."""
        self.assertIsNone(self.listed(self.ada))
        self.assertEqual([], self.told(self.ada))
        self.ada.asks(ListReadMarks("no node"))
        self.assertEqual([BadParameter], self.refused(self.ada))

    def test_too_busy(self) -> None:
        """Lists are refused where too much waits, as histories are."""
        self.patch(limits, "HISTORY_WAITING", 1)
        self.stage.start("north", alone=False)
        ada = self.stage.log_in("ada", additions=True)
        phone = self.stage.log_in("bob", additions=True)
        ada.writes(self.bob_is, "hi")
        phone.asks(ListReadMarks())
        self.assertEqual([Overloaded], self.refused(phone))
