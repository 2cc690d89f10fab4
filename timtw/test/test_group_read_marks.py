"""Read marks in groups: the unread numbers of a member's devices agree."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail

from timtw.model import limits
from timtw.model.commands import ListReadMarks, MarkRead, PullHistory
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    StorageUnavailable,
    UnknownAccount,
)
from timtw.model.events import History, Marked, ReadMarksListed
from timtw.model.progress import ReadMark
from timtw.model.values import Address
from timtw.test.roomkit import Case, make_room, pull_in, refusals, remove, says
from timtw.test.stage import Client, Stage

SOON = limits.CURSOR_SECONDS + 0.1


class GroupMarks(Case):
    """Ada has written five texts to her group with Bob, who has a device on each node,
    and Cyd."""

    def setUp(self) -> None:
        """All know our additions."""
        stage = Stage(("north", "south"))
        self.play(stage)
        self.ada_here = stage.log_in("ada", additions=True)
        self.phone = stage.log_in("bob", additions=True)
        self.desk = stage.log_in("bob", "desk", "south", additions=True)
        self.cyd_here = stage.log_in("cyd", additions=True)
        self.everybody = (self.ada_here, self.phone, self.desk, self.cyd_here)
        self.says(5)

    def says(self, times: int) -> None:
        """Ada writes so many texts."""
        for number in range(times):
            says(self.ada_here, self.room, f"{number}")
        self.stage.settle(1)

    def reads(self, who: Client, mid: int, node: str | None = None) -> None:
        """Somebody says how far they have read."""
        who.asks(MarkRead(self.room.node if node is None else node, mid, True))
        self.stage.settle(SOON)

    def told(self, who: Client) -> list[tuple[str, str, int, int]]:
        """The read marks of groups that somebody was told since this was last asked."""
        marks = [one.mark for one in who.told(Marked)]
        who.events[:] = [one for one in who.events if not isinstance(one, Marked)]
        return [
            (mark.reader.node, mark.other.node, mark.mid, mark.last)
            for mark in marks
            if isinstance(mark, ReadMark) and mark.of_room
        ]

    def listed(self, who: Client, after: str | None = None) -> list[tuple[int, int]]:
        """How far somebody has read their groups."""
        self.told(who)
        who.asks(ListReadMarks(after))
        self.stage.settle()
        return [(mid, last) for _, _, mid, last in self.told(who)]

    def place(self, mid: int, last: int = 5) -> list[tuple[str, str, int, int]]:
        """What Bob's devices are told of a mark."""
        return [(self.bob.node, self.room.node, mid, last)]


class GroupMarkTests(GroupMarks):
    """Who is told, and what."""

    def test_own_devices_only(self) -> None:
        """All devices of the reader are told, and no other member, however often."""
        for mid, expected in ((2, 2), (1, 0), (2, 0), (9, 5), (5, 0)):
            self.reads(self.phone, mid)
            for who in (self.phone, self.desk):
                self.assertEqual(
                    self.place(expected) if expected else [], self.told(who)
                )
        for who in (self.ada_here, self.cyd_here):
            self.assertEqual([], who.told(Marked))
        for who in self.everybody:
            self.assertEqual([], refusals(who))

    def test_history_brings_none(self) -> None:
        """Who reads the history of a group is told no marks with it: not its own, which
        it has, nor those of up to 100,000 others."""
        for who in (self.ada_here, self.phone):
            self.reads(who, 3)
        self.told(self.phone)
        self.phone.asks(PullHistory(self.room.node, 0, 10, of_room=True))
        self.stage.settle()
        self.assertEqual(5, len(self.phone.told(History)[-1].messages))
        self.assertEqual([], self.phone.told(Marked))

    def test_refused(self) -> None:
        """Only members mark, and only what there is."""
        far = self.stage.register("far", "elsewhere")
        alien = make_room(self.stage, far)
        dan = self.stage.log_in("dan", additions=True)
        for who, mid, node, error in (
            (self.phone, 0, self.room.node, BadParameter),
            (self.phone, 1, "zzz", UnknownAccount),
            (self.phone, 1, self.ada.node, UnknownAccount),
            (self.phone, 1, alien.node, UnknownAccount),
            (dan, 1, self.room.node, PermissionDenied),
        ):
            who.events.clear()
            self.reads(who, mid, node)
            self.assertEqual([error], refusals(who), node)
        self.phone.events.clear()
        self.phone.asks(MarkRead(self.room.node, 1))
        self.stage.settle(SOON)
        self.assertEqual([UnknownAccount], refusals(self.phone), "no account")
        self.assertEqual([], self.told(self.desk))
        self.assertEqual([], self.listed(dan))

    def test_removed(self) -> None:
        """Who was removed marks nothing from the next moment on, on every node, and is
        not told how much was written since."""
        self.reads(self.phone, 2)
        self.phone.asks(MarkRead(self.room.node, 3, True))
        remove(self.stage, self.room.number, self.ada, self.bob)
        self.told(self.desk)
        self.stage.settle(SOON)
        self.assertEqual([], self.told(self.desk))
        for who in (self.phone, self.desk):
            self.reads(who, 4)
            self.assertEqual([PermissionDenied], refusals(who))
            self.assertEqual([], self.listed(who))

    def test_comes_back(self) -> None:
        """Who joins again begins there, whatever was read before; what is older than
        that is no news."""
        self.reads(self.phone, 2)
        remove(self.stage, self.room.number, self.ada, self.bob)
        self.says(3)
        pull_in(self.stage, self.room.number, self.ada, self.bob)
        self.stage.settle(1)
        self.says(2)
        for who in (self.phone, self.desk):
            self.assertEqual([(8, 10)], self.listed(who))
        self.reads(self.phone, 8)
        self.assertEqual([], self.told(self.desk))
        self.reads(self.phone, 9)
        self.assertEqual(self.place(9, 10), self.told(self.desk))
        self.assertEqual([(9, 10)], self.listed(self.desk))

    def test_storage_fails(self) -> None:
        """A mark that cannot be stored is stored later, and told then."""
        reads: Any = self.stage.shard.reads
        reads.raised = lambda marks: fail(StorageUnavailable())
        self.reads(self.phone, 4)
        self.assertEqual([], self.told(self.desk))
        del reads.raised
        self.stage.settle(limits.READ_AGAIN_SECONDS)
        self.assertEqual(self.place(4), self.told(self.desk))

    def test_nothing_per_text(self) -> None:
        """What is written costs no look at marks, however many are in the group."""
        reads: Any = self.stage.shard.reads
        for name in ("raised", "of", "listed"):
            setattr(reads, name, lambda *_: self.fail("marks were looked at"))
        self.says(3)
        self.assertEqual([], refusals(self.ada_here))


class GroupListTests(GroupMarks):
    """The list of all."""

    def test_nothing_read(self) -> None:
        """A device that comes later counts what came since the account has joined."""
        pull_in(self.stage, self.room.number, self.ada, self.dan)
        self.says(2)
        dan = self.stage.log_in("dan", additions=True)
        self.assertEqual([(5, 7)], self.listed(dan))
        self.assertEqual([(0, 7)], self.listed(self.cyd_here))

    def test_in_pieces(self) -> None:
        """Groups and people are told together, piece by piece, each once."""
        self.patch(limits, "READ_MARKS_LISTED", 2)
        expected: dict[str, tuple[int, int]] = {self.room.node: (0, 5)}
        for name in ("eve", "fay"):
            peer = self.stage.register(name)
            self.stage.log_in(name).writes(self.bob, "hi")
            self.stage.settle(1)
            self.phone.asks(MarkRead(peer.node, 1))
            expected[peer.node] = (1, 1)
            room: Address = make_room(self.stage, self.ada, self.bob)
            expected[room.node] = (0, 0)
        self.stage.settle(SOON)
        found: list[tuple[str, tuple[int, int]]] = []
        more: str | None = None
        for pieces in range(1, 4):
            self.desk.events.clear()
            self.desk.asks(ListReadMarks(more))
            self.stage.settle()
            for event in self.desk.told(Marked):
                assert isinstance(event.mark, ReadMark)
                mark = event.mark
                found.append((mark.other.node, (mark.mid, mark.last)))
            more = self.desk.told(ReadMarksListed)[-1].more
            self.assertEqual(pieces == 3, more is None)
        self.assertEqual(sorted(expected.items()), sorted(found))
