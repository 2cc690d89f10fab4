"""Which devices of an account may be logged in at once: a pure rule.

docs/reference/protocol.md, section Devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs

from timtw.core.settings import Settings
from timtw.model.errors import TooManyDevices
from timtw.model.values import Device

K = TypeVar("K")


@attrs.frozen
class Present(Generic[K]):
    """A device that is logged in.

    Args:
        key: What the caller calls it.
        since: When it logged in, seconds on the node's clock.
    """

    key: K
    device: Device
    since: float


def displaced_by(
    newcomer: Device, present: Sequence[Present[K]], now: float, settings: Settings
) -> list[K]:
    """
    The keys of the devices that have to go so that ``newcomer`` may come.

    For the limit per kind the oldest of that kind goes, for the limit of the account
    the oldest of all. A device without a kind counts only for the account.

    Raises TooManyDevices: somebody would have to go, and the account's last login was
        less than ``displace_after`` seconds ago.
    """
    staying = sorted(present, key=lambda one: one.since)
    going: list[Present[K]] = []
    if newcomer.kind is not None:
        same = [one for one in staying if one.device.kind == newcomer.kind]
        surplus = len(same) + 1 - settings.device_type_limit
        going += same[: max(0, surplus)]
        staying = [one for one in staying if one not in going]
    surplus = len(staying) + 1 - settings.device_limit
    going += staying[: max(0, surplus)]
    if going and now - max(one.since for one in present) < settings.displace_after:
        raise TooManyDevices()
    return [one.key for one in going]
