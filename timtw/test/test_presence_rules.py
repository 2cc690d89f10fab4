"""The rules of presence as tables: whom it is for, what is news, who has gone."""

from __future__ import annotations

from itertools import product

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.people.presence import (
    Attendance,
    Newest,
    fault,
    is_for_friends,
    may_see,
    named,
)
from timtw.core.people.unseen import Unseen
from timtw.model import limits
from timtw.model.commands import ShowPresence
from timtw.model.errors import BadParameter, UnknownAccount
from timtw.model.idents import node_of
from timtw.model.presence import Appearance, Parting, Status, Version, widened
from timtw.model.relations import Bond
from timtw.model.values import Address, Device
from timtw.protocols.codecs import THRIFT
from timtw.protocols.presences import shown_presence

ADA = Address(1, "1")
PHONE = Device("phone", 1)


def asked(
    broad: bool, peer: str | None = None, peers: tuple[str, ...] | None = None
) -> ShowPresence:
    """A request to show something."""
    return ShowPresence(Status(show=1), peer, peers, broad)


def appearance(session: int, counter: int = 1, gone: bool = False) -> Appearance:
    """How Ada is in one of her sessions."""
    version = Version(session, counter)
    return Appearance(ADA, PHONE, 7, version, Status(show=counter), gone)


class RequestTests(SynchronousTestCase):
    """Whom a request is for, and what is wrong with it."""

    def test_a5_who_may_see(self) -> None:
        """Friends; strangers if anyone may, or in one room; nobody across a block."""
        neither, anyone, fellows, both = product((False, True), repeat=2)
        table = {
            Bond.FRIENDS: {neither, anyone, fellows, both},
            Bond.STRANGERS: {anyone, fellows, both},
            Bond.BLOCKED: set(),
        }
        for bond, allowed in table.items():
            for case in (neither, anyone, fellows, both):
                self.assertEqual(case in allowed, may_see(bond, *case), (bond, case))

    def test_whom_it_is_for(self) -> None:
        """Of a list and an account the list wins, in a broadcast the account."""
        table: list[tuple[ShowPresence, list[str] | None]] = [
            (asked(False), None),
            (asked(False, "a"), ["a"]),
            (asked(False, "x"), None),
            (asked(False, None, ()), None),
            (asked(False, "a", ()), ["a"]),
            (asked(False, None, ("a", "b")), ["a", "b"]),
            (asked(False, None, ("a", "b", "a")), ["a", "b"]),
            (asked(False, None, ("a", "x")), None),
            (asked(False, "a", ("b", "x")), ["b"]),
            (asked(False, "x", ("a", "b")), ["a", "b"]),
            (asked(False, "x", ("a", "y")), None),
            (asked(True, "a", ("b",)), ["a"]),
            (asked(True, "x", ("b",)), []),
            (asked(True, None, ("a", "x")), ["a"]),
            (asked(True, None, ()), []),
        ]
        for command, expected in table:
            if expected is None:
                self.assertRaises(UnknownAccount, named, command, {"a", "b"})
            else:
                self.assertEqual(expected, named(command, {"a", "b"}), command)
        self.assertTrue(is_for_friends(asked(True)))
        for command, _ in table:
            self.assertFalse(is_for_friends(command))

    def test_limits(self) -> None:
        """A list or a text that is too long is refused, one less long is not."""
        for more in (0, 1):
            names = tuple(f"{n}" for n in range(limits.PRESENCE_LIST + more))
            refusal = fault(asked(False, None, names))
            self.assertEqual(bool(more), isinstance(refusal, BadParameter))
            rest = bytes(limits.PRESENCE_BYTES - 24 + more)
            status = Status(1, "ä" * 4, 2, {"key": "text"}, {"k": rest})
            self.assertEqual(limits.PRESENCE_BYTES + more, status.weight)
            refusal = fault(ShowPresence(status))
            self.assertEqual(bool(more), isinstance(refusal, BadParameter))

    def test_largest_frame(self) -> None:
        """Whatever is shown, the frame is one that every client takes."""
        letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        keys = [one + other for one in letters for other in letters]
        most = next(
            status
            for status in (
                Status(1, "", 2, dict.fromkeys(keys[:count], ""))
                for count in range(len(keys), 0, -1)
            )
            if fault(ShowPresence(status)) is None
        )
        long = "x" * limits.NAME_BYTES
        device = Device(long, 1)
        address = Address(-1, node_of(-1), long)
        shown = Appearance(address, device, 2**52, Version(1, 1), most)
        frame = THRIFT.encode(shown_presence(shown, address))
        self.assertLess(len(frame), limits.SMALL_FRAME)

    def test_audiences(self) -> None:
        """Too many accounts to be remembered are all friends."""
        some = frozenset(range(limits.SHOWN_TO))
        self.assertEqual(some, widened(some, frozenset({0})))
        self.assertIsNone(widened(some, frozenset({-1})))
        self.assertIsNone(widened(None, frozenset()))
        self.assertIsNone(widened(frozenset(), None))


class NewestTests(SynchronousTestCase):
    """What is news of somebody."""

    def news(self, *shown: Appearance) -> list[bool]:
        """Which of these, coming in this order, are let through."""
        newest = Newest(Clock().seconds)
        return [newest.passes(one) for one in shown]

    def test_p3_older_comes_later(self) -> None:
        """What a session has shown before does not take the place of what is newer."""
        one, two = appearance(5, 1), appearance(5, 2)
        self.assertEqual([True, True], self.news(one, two))
        self.assertEqual([True, False], self.news(two, one))
        self.assertEqual([True, False], self.news(one, one))
        other = appearance(4, 1)
        self.assertEqual([True, True], self.news(two, other))

    def test_p1_gone_comes_late(self) -> None:
        """Who has logged in and shown itself meanwhile is not gone."""
        gone = appearance(5, 9, gone=True)
        self.assertEqual([True, True], self.news(appearance(5), gone))
        self.assertEqual([True, False], self.news(appearance(6), gone))
        self.assertEqual([True, True], self.news(gone, appearance(6)))
        self.assertEqual([True, False], self.news(gone, appearance(5, 10)))

    def test_p1_gone_once(self) -> None:
        """Two nodes that tell it at the same time are one news."""
        four, five = appearance(4, 9, gone=True), appearance(5, 9, gone=True)
        self.assertEqual([True, False], self.news(four, five))
        self.assertEqual([True, False], self.news(five, four))
        again = self.news(four, appearance(5), five, appearance(5, 2))
        self.assertEqual([True, True, True, False], again)

    def test_how_long(self) -> None:
        """After a while nothing is under way any more, and whatever comes is news."""
        clock = Clock()
        newest = Newest(clock.seconds)
        self.assertTrue(newest.passes(appearance(5, 2)))
        clock.advance(limits.PRESENCE_MARK_SECONDS - 0.01)
        self.assertFalse(newest.passes(appearance(5, 1)))
        clock.advance(limits.PRESENCE_MARK_SECONDS)
        self.assertTrue(newest.passes(appearance(5, 1)))

    def test_how_many(self) -> None:
        """The account that was not heard of longest is forgotten first."""
        self.patch(limits, "PRESENCE_MARKS", 2)
        newest = Newest(Clock().seconds)
        one, two, three = (
            attrs.evolve(appearance(1, 2), sender=Address(number, f"{number}"))
            for number in (1, 2, 3)
        )
        for shown in (one, two, one, three):
            newest.passes(shown)
        self.assertEqual(
            [False, False, True], [newest.passes(shown) for shown in (one, three, two)]
        )

    def test_sessions_of_one_account(self) -> None:
        """Of an account with ever new sessions the oldest are forgotten."""
        newest = Newest(Clock().seconds)
        for session in range(1, 2 * limits.READERS):
            self.assertTrue(newest.passes(appearance(session)))
        (mark,) = newest._marks.values()
        self.assertEqual(limits.READERS, len(mark.counters))


class AttendanceTests(SynchronousTestCase):
    """Who has gone."""

    def setUp(self) -> None:
        """Nobody is here."""
        self.clock = Clock()
        self.there: list[int] = []
        self.attendance = self.made()

    def made(self, has_peers: bool = True, tells: bool = True) -> Attendance:
        """An attendance that others hear of."""
        self.there = []
        self.attended: list[Parting] = []
        return Attendance(
            self.clock.seconds,
            self.there.append,
            self.there.remove,
            self.attended.append,
            has_peers,
            tells,
        )

    def comes_and_goes(self) -> None:
        """Ada shows herself to all and goes."""
        self.attendance.came(ADA)
        self.attendance.shows(Parting(ADA, PHONE, 3, None))
        self.attendance.went(ADA, PHONE)

    def test_time_to_come_back(self) -> None:
        """Nobody is gone before the time is over; other nodes look here as long."""
        self.comes_and_goes()
        self.clock.advance(limits.PARTING_SECONDS - 0.01)
        self.assertEqual([], self.attendance.due())
        self.assertEqual([1], self.there)
        self.clock.advance(0.01)
        self.assertEqual([Parting(ADA, PHONE, 3, None)], self.attendance.due())
        self.assertEqual([1], self.there)
        self.attendance.gone(1)
        self.assertEqual([], self.there)

    def test_l7_comes_back(self) -> None:
        """Who comes back in time has never gone, and goes as somebody shown."""
        self.comes_and_goes()
        self.clock.advance(limits.PARTING_SECONDS - 0.01)
        self.attendance.came(ADA)
        self.clock.advance(1)
        self.assertEqual([], self.attendance.due())
        self.assertEqual([1], self.there)
        self.attendance.went(ADA, PHONE)
        self.clock.advance(limits.PARTING_SECONDS)
        self.assertEqual([Parting(ADA, PHONE, 3, None)], self.attendance.due())

    def test_nobody_waits(self) -> None:
        """Without other nodes, or if nobody is told, who was not shown goes at once."""
        for has_peers, tells, waits in (
            (True, True, True),
            (False, True, False),
            (True, False, False),
        ):
            self.attendance = self.made(has_peers, tells)
            self.attendance.came(ADA)
            self.attendance.went(ADA, PHONE)
            self.assertEqual(waits, self.there == [1])
            self.assertEqual(waits, self.attendance.waits_for(1))

    def test_some_at_once(self) -> None:
        """Of many who are due some come first."""
        for number in range(limits.PARTINGS_AT_ONCE + 1):
            self.attendance.came(Address(number, f"{number}"))
            self.attendance.went(Address(number, f"{number}"), PHONE)
        self.clock.advance(limits.PARTING_SECONDS)
        self.assertEqual(limits.PARTINGS_AT_ONCE, len(self.attendance.due()))
        self.assertEqual(1, len(self.attendance.due()))
        self.assertEqual([], self.attendance.due())

    def test_too_many(self) -> None:
        """Of more than are waited for the first is gone at once."""
        self.patch(limits, "PARTINGS", 2)
        for number in (1, 2, 3):
            self.attendance.came(Address(number, f"{number}"))
            self.attendance.went(Address(number, f"{number}"), PHONE)
        self.assertEqual([2, 3], self.there)

    def test_inheriting(self) -> None:
        """Who is here, or is waited for here, goes on as what it was elsewhere."""
        parting = Parting(ADA, PHONE, 3, frozenset({2}))
        self.assertFalse(self.attendance.inherit(parting, False, ask=True))
        self.attendance.came(ADA)
        self.assertTrue(self.attendance.inherit(parting, True, ask=True))
        self.attendance.went(ADA, PHONE)
        self.assertEqual([parting], self.attendance.all())
        later = attrs.evolve(parting, session=5, audience=frozenset({4}))
        self.assertTrue(self.attendance.inherit(later, False, ask=True))
        both = attrs.evolve(later, audience=frozenset({2, 4}))
        self.assertEqual([both], self.attendance.all())
        self.attendance = self.made()
        self.assertTrue(self.attendance.inherit(parting, False, ask=False))
        self.assertEqual(([parting], [1]), (self.attendance.all(), self.there))

    def test_what_would_be_left_behind(self) -> None:
        """Others are told what somebody has shown whenever that is more, once."""
        some = Parting(ADA, PHONE, 3, frozenset({2}))
        other = attrs.evolve(some, session=2, audience=frozenset({4}))
        both = attrs.evolve(some, audience=frozenset({2, 4}))
        everybody = attrs.evolve(some, session=4, audience=None)
        self.attendance.came(ADA)
        for parting, expected in (
            (some, [some]),
            (some, []),
            (other, [both]),
            (everybody, [everybody]),
            (some, []),
        ):
            self.attended.clear()
            self.attendance.shows(parting)
            self.assertEqual(expected, self.attended)
        self.attendance = self.made(tells=False)
        self.attendance.shows(some)
        self.assertEqual([], self.attended)


class UnseenTests(SynchronousTestCase):
    """What waits for a slow line."""

    def test_newest_of_each_device(self) -> None:
        """Of each device the newest waits, in the order of their coming."""
        unseen = Unseen()
        other = attrs.evolve(appearance(2), device=Device("other"))
        unseen.add(appearance(1, 1))
        unseen.add(other)
        unseen.add(appearance(1, 2))
        self.assertEqual([other, appearance(1, 2)], unseen.take())
        self.assertEqual([], unseen.take())

    def test_how_many(self) -> None:
        """Of too many the oldest goes."""
        self.patch(limits, "PRESENCE_UNSEEN", 2)
        unseen = Unseen()
        shown = [
            attrs.evolve(appearance(1), device=Device(f"{number}"))
            for number in range(3)
        ]
        for one in shown:
            unseen.add(one)
        self.assertEqual(shown[1:], unseen.take())
