"""Which devices may be logged in at once."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.admission import Present, displaced_by
from timtw.core.settings import Settings
from timtw.model.errors import TooManyDevices
from timtw.model.values import Device

PHONE, DESK = 1, 2


def here(*devices: tuple[str, int | None, float]) -> list[Present[str]]:
    """Devices that are logged in: name, kind and since when."""
    return [Present(name, Device(name, kind), since) for name, kind, since in devices]


class AdmissionTests(SynchronousTestCase):
    """The rule, as a table."""

    def going(
        self,
        present: Sequence[Present[str]],
        kind: int | None = PHONE,
        total: int = 1,
        of_a_kind: int = 1,
        now: float = 100.0,
    ) -> list[str]:
        """Who has to go for a newcomer of this kind."""
        settings = Settings(device_limit=total, device_type_limit=of_a_kind)
        return displaced_by(Device("new", kind), present, now, settings)

    def test_first(self) -> None:
        """The first device displaces nobody."""
        self.assertEqual([], self.going([]))

    def test_account_limit(self) -> None:
        """The last free place is given; one more displaces the oldest of all."""
        one = here(("a", 3, 1.0))
        two = here(("b", 4, 2.0), ("a", 3, 1.0))
        self.assertEqual([], self.going(one, total=2))
        self.assertEqual(["a"], self.going(two, total=2))

    def test_kind_limit(self) -> None:
        """Of one kind the oldest of that kind goes, not the oldest of all."""
        present = here(("desk", DESK, 1.0), ("old", PHONE, 2.0), ("newer", PHONE, 3.0))
        self.assertEqual([], self.going(present, total=9, of_a_kind=3))
        self.assertEqual(["old"], self.going(present, total=9, of_a_kind=2))

    def test_both_limits(self) -> None:
        """Who goes for the kind makes room for the account as well."""
        present = here(("desk", DESK, 1.0), ("phone", PHONE, 2.0))
        self.assertEqual(["phone"], self.going(present, total=2))
        self.assertEqual(["phone", "desk"], self.going(present, total=1))

    def test_no_kind(self) -> None:
        """A device without a kind counts only for the account."""
        present = here(("a", None, 1.0), ("b", None, 2.0))
        self.assertEqual([], self.going(present, kind=None, total=3))
        self.assertEqual([], self.going(present, kind=PHONE, total=3))
        self.assertEqual(["a"], self.going(present, kind=None, total=2))

    def test_a_lowered_limit(self) -> None:
        """Where more are logged in than may be, all who are too many go."""
        present = here(("a", PHONE, 1.0), ("b", PHONE, 2.0), ("c", PHONE, 3.0))
        self.assertEqual(["a", "b", "c"], self.going(present, total=9))

    def test_displace_after(self) -> None:
        """Ten seconds after the last login a device is displaced, before not."""
        present = here(("a", PHONE, 10.0), ("b", DESK, 50.0))
        self.assertEqual(["a"], self.going(present, total=2, now=60.0))
        with self.assertRaises(TooManyDevices):
            self.going(present, total=2, now=59.9)

    def test_nobody_to_displace(self) -> None:
        """Where there is room the last login may be a moment ago."""
        self.assertEqual([], self.going(here(("a", DESK, 100.0)), total=2))
