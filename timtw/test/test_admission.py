"""Which devices may be logged in at once."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.logins.admission import Room, excess, room_for
from timtw.core.logins.comebacks import Comebacks
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.errors import TooManyDevices
from timtw.model.peers import Comer, Presence
from timtw.model.values import Device

PHONE, DESK = 1, 2


def there(
    name: str,
    kind: int | None,
    age: float,
    source: str = "elsewhere",
    silence: float = 0.0,
) -> Presence:
    """A device that is logged in for ``age`` seconds."""
    return Presence(name, Comer(Device(name, kind), source), age, silence)


class Rule(SynchronousTestCase):
    """The rule, as a table."""

    def room(
        self,
        present: Sequence[Presence],
        kind: int | None = PHONE,
        total: int = 1,
        of_a_kind: int = 1,
        name: str = "new",
        may_take_over: bool = True,
        is_loser: bool = False,
    ) -> tuple[list[str], list[str]]:
        """Who is taken over and who is displaced for a newcomer of this kind."""
        settings = Settings(device_limit=total, device_type_limit=of_a_kind)
        comer = Comer(Device(name, kind), "home")
        room = room_for(comer, present, settings, may_take_over, is_loser)
        return (
            [one.connection for one in room.taken_over],
            [one.connection for one in room.displaced],
        )


class DisplacementTests(Rule):
    """The limits per kind and per account."""

    def test_first(self) -> None:
        """The first device displaces nobody."""
        self.assertEqual(([], []), self.room([]))
        self.assertEqual(Room(), room_for(Comer(Device(), "x"), [], Settings()))

    def test_account_limit(self) -> None:
        """The last free place is given; one more displaces the oldest of all."""
        one = [there("a", 3, 99.0)]
        two = [there("b", 4, 98.0), there("a", 3, 99.0)]
        self.assertEqual(([], []), self.room(one, total=2))
        self.assertEqual(([], ["a"]), self.room(two, total=2))

    def test_l4_kind_limit(self) -> None:
        """L4: of one kind the oldest of that kind goes, exactly at the limit."""
        present = [
            there("desk", DESK, 99.0),
            there("old", PHONE, 98.0),
            there("newer", PHONE, 97.0),
        ]
        self.assertEqual(([], []), self.room(present, total=9, of_a_kind=3))
        self.assertEqual(([], ["old"]), self.room(present, total=9, of_a_kind=2))

    def test_both_limits(self) -> None:
        """Who goes for the kind makes room for the account as well."""
        present = [there("desk", DESK, 99.0), there("phone", PHONE, 98.0)]
        self.assertEqual(([], ["phone"]), self.room(present, total=2))
        self.assertEqual(([], ["phone", "desk"]), self.room(present, total=1))

    def test_no_kind(self) -> None:
        """A device without a kind counts only for the account."""
        present = [there("a", None, 99.0), there("b", None, 98.0)]
        self.assertEqual(([], []), self.room(present, kind=None, total=3))
        self.assertEqual(([], []), self.room(present, kind=PHONE, total=3))
        self.assertEqual(([], ["a"]), self.room(present, kind=None, total=2))

    def test_a_lowered_limit(self) -> None:
        """Where more are logged in than may be, all who are too many go."""
        present = [there(name, PHONE, 99.0 - n) for n, name in enumerate("abc")]
        self.assertEqual(([], ["a", "b", "c"]), self.room(present, total=9))

    def test_displace_after(self) -> None:
        """Ten seconds after the last login a device is displaced, before not."""
        old = there("a", PHONE, 50.0)
        present = [old, there("b", DESK, 10.0)]
        self.assertEqual(([], ["a"]), self.room(present, total=2))
        with self.assertRaises(TooManyDevices):
            self.room([old, there("b", DESK, 9.9)], total=2)

    def test_nobody_to_displace(self) -> None:
        """Where there is room the last login may be a moment ago."""
        self.assertEqual(([], []), self.room([there("a", DESK, 0.0)], total=2))

    def test_s7_loser(self) -> None:
        """S7: who was displaced displaces nobody, and is let in where there is room."""
        present = [there("a", PHONE, 99.0)]
        with self.assertRaises(TooManyDevices):
            self.room(present, is_loser=True)
        self.assertEqual(
            ([], []), self.room(present, total=2, of_a_kind=2, is_loser=True)
        )


class TakeoverTests(Rule):
    """A device that is back before its old line was given up."""

    def test_same_address(self) -> None:
        """R7: from the same address it takes its old line's place at once."""
        old = there("new", PHONE, 0.0, "home")
        self.assertEqual((["new"], []), self.room([old]))
        self.assertEqual((["new"], []), self.room([old], is_loser=True))

    def test_silence(self) -> None:
        """From another address only if the old line was silent for over 20 seconds."""
        limit = limits.SILENT_SECONDS
        silent = there("new", PHONE, 99.0, silence=limit + 0.1)
        heard = there("new", PHONE, 99.0, silence=limit)
        self.assertEqual((["new"], []), self.room([silent]))
        self.assertEqual(([], ["new"]), self.room([heard]))

    def test_another_device(self) -> None:
        """Another resource or kind is another device, silent or not."""
        desk = Presence("x", Comer(Device("new", DESK), "home"), 99.0, 99.0)
        tablet = there("tablet", PHONE, 99.0, "home", 99.0)
        for other in (desk, tablet):
            self.assertEqual(
                ([], ["x"] if other is desk else ["tablet"]), self.room([other])
            )

    def test_no_more_than_needed(self) -> None:
        """Where there is room an old line stays; where not, the oldest goes first."""
        lines = [there("new", PHONE, 9.0 - n, "home") for n in range(3)]
        named = [
            Presence(f"{n}", one.comer, one.age, 0.0) for n, one in enumerate(lines)
        ]
        self.assertEqual(([], []), self.room(named, total=4, of_a_kind=4))
        self.assertEqual((["0"], []), self.room(named, total=4, of_a_kind=3))
        self.assertEqual((["0", "1"], []), self.room(named, total=2, of_a_kind=4))

    def test_before_displacing(self) -> None:
        """The own old line goes and nobody else, though another one is older."""
        present = [there("desk", DESK, 99.0), there("new", PHONE, 1.0, "home")]
        self.assertEqual((["new"], []), self.room(present, total=2))

    def test_too_often(self) -> None:
        """Without the right to take over, the old line is like any other."""
        old = there("new", PHONE, 50.0, "home")
        self.assertEqual(([], ["new"]), self.room([old], may_take_over=False))


class ExcessTests(SynchronousTestCase):
    """Who goes where more are logged in than may be."""

    def gone(
        self, present: Sequence[Presence], total: int, of_a_kind: int
    ) -> tuple[list[str], list[str]]:
        """Who goes quietly and who with the notice."""
        room = excess(
            present, Settings(device_limit=total, device_type_limit=of_a_kind)
        )
        return (
            [one.connection for one in room.taken_over],
            [one.connection for one in room.displaced],
        )

    def test_both_sides(self) -> None:
        """The older go, as many as are too much, however young all of them are."""
        present = [there("b", None, 2), there("c", None, 1), there("a", None, 3)]
        self.assertEqual(([], []), self.gone(present, 3, 1))
        self.assertEqual(([], ["a"]), self.gone(present, 2, 1))
        self.assertEqual(([], ["a", "b"]), self.gone(present, 1, 1))
        self.assertEqual(([], []), self.gone([], 1, 1))

    def test_kinds(self) -> None:
        """Each kind has its own limit."""
        present = [
            there("old desk", DESK, 9),
            there("old phone", PHONE, 8),
            there("desk", DESK, 7),
            there("phone", PHONE, 6),
        ]
        gone = self.gone(present, 9, 1)
        self.assertEqual(([], ["old desk", "old phone"]), gone)

    def test_same_device(self) -> None:
        """The old line of a device that is in again goes without a word."""
        phone = Comer(Device("phone", PHONE), "home")
        present = [
            Presence("old", phone, 9, 0),
            Presence("new", phone, 8, 0),
            there("desk", DESK, 7),
        ]
        self.assertEqual((["old"], []), self.gone(present, 2, 1))


class MemoryTests(SynchronousTestCase):
    """What is remembered of devices that come back."""

    def setUp(self) -> None:
        """Nothing is remembered."""
        self.now = 100.0
        self.kept = Comebacks(lambda: self.now)
        self.phone = Comer(Device("phone", PHONE), "home")

    def is_loser(self, comer: Comer | None = None, account: int = 1) -> bool:
        """Whether it is one."""
        return self.kept.is_loser(account, comer or self.phone)

    def test_a_minute(self) -> None:
        """A displaced device is a loser for 60 seconds, this very one only."""
        self.kept.displaced(1, self.phone)
        self.assertTrue(self.is_loser())
        for other in (Comer(Device("phone", 2), "home"), Comer(self.phone.device, "x")):
            self.assertFalse(self.is_loser(other))
        self.assertFalse(self.is_loser(account=2))
        self.now += limits.COMEBACK_SECONDS - 1
        self.assertTrue(self.is_loser())
        self.now += 1
        self.assertFalse(self.is_loser())

    def test_takeovers(self) -> None:
        """Three takeovers within any minute, not four."""
        for _ in range(limits.TAKEOVERS):
            self.assertTrue(self.kept.may_take_over(1, self.phone))
            self.kept.took_over(1, self.phone)
            self.now += 10
        self.assertFalse(self.kept.may_take_over(1, self.phone))
        self.assertTrue(self.kept.may_take_over(2, self.phone))
        self.now += limits.TAKEOVER_SECONDS - 30
        self.assertTrue(self.kept.may_take_over(1, self.phone))
        self.kept.took_over(1, self.phone)
        self.assertFalse(self.kept.may_take_over(1, self.phone))

    def test_limit(self) -> None:
        """So many devices are remembered; with one more the oldest is forgotten."""
        self.patch(limits, "COMEBACKS", 2)
        for account in (1, 2):
            self.kept.displaced(account, self.phone)
            for _ in range(limits.TAKEOVERS):
                self.kept.took_over(account, self.phone)
        self.assertTrue(self.is_loser())
        self.assertFalse(self.kept.may_take_over(1, self.phone))
        self.kept.displaced(3, self.phone)
        self.kept.took_over(3, self.phone)
        self.assertFalse(self.is_loser())
        self.assertTrue(self.is_loser(account=2))
        self.assertTrue(self.kept.may_take_over(1, self.phone))
        self.assertFalse(self.kept.may_take_over(2, self.phone))
