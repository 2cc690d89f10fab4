"""Which devices of an account may be logged in at once: a pure rule.

docs/reference/protocol.md, section Devices.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.errors import TooManyDevices
from timtw.model.peers import Comer, Presence


@attrs.frozen
class Room:
    """How room is made for a newcomer.

    Args:
        taken_over: Old lines of the newcomer's own device, which end without a word.
        displaced: Others, which are told that they are logged out.
    """

    taken_over: tuple[Presence, ...] = ()
    displaced: tuple[Presence, ...] = ()


def room_for(
    newcomer: Comer,
    present: Sequence[Presence],
    settings: Settings,
    may_take_over: bool = True,
    is_loser: bool = False,
) -> Room:
    """
    Who has to go so that ``newcomer`` may come.

    First go old lines of the same device, as few as will do; then for the limit per
    kind the oldest of that kind, for the limit of the account the oldest of all. A
    device without a kind counts only for the account.

    Args:
        may_take_over: Whether the device has not taken over too often lately.
        is_loser: Whether the newcomer was displaced, or refused after that, within
            ``COMEBACK_SECONDS``; such a one displaces nobody.

    Raises TooManyDevices: somebody would have to be displaced, and the newcomer is a
        loser or the account's last login was less than ``displace_after`` ago.
    """
    staying = sorted(present, key=lambda one: -one.age)
    taken_over: list[Presence] = []
    if may_take_over:
        for old in [one for one in staying if is_same(newcomer, one)]:
            if _surplus(newcomer, staying, settings) > 0:
                staying.remove(old)
                taken_over.append(old)
    displaced: list[Presence] = []
    kind = newcomer.device.kind
    if kind is not None:
        same = [one for one in staying if one.comer.device.kind == kind]
        displaced += same[: max(0, len(same) + 1 - settings.device_type_limit)]
        staying = [one for one in staying if one not in displaced]
    displaced += staying[: max(0, len(staying) + 1 - settings.device_limit)]
    if displaced:
        last_login = min(one.age for one in present)
        if is_loser or last_login < settings.displace_after:
            raise TooManyDevices()
    return Room(tuple(taken_over), tuple(displaced))


def excess(present: Sequence[Presence], settings: Settings) -> Room:
    """Who has to go as if those who are in had come one after the other just now."""
    at_once = attrs.evolve(settings, displace_after=0.0)
    staying: list[Presence] = []
    taken_over: list[Presence] = []
    displaced: list[Presence] = []
    for one in sorted(present, key=lambda one: -one.age):
        room = room_for(one.comer, staying, at_once)
        taken_over += room.taken_over
        displaced += room.displaced
        gone = (*room.taken_over, *room.displaced)
        staying = [old for old in staying if old not in gone] + [one]
    return Room(tuple(taken_over), tuple(displaced))


def is_same(newcomer: Comer, old: Presence) -> bool:
    """Whether ``old`` is the newcomer itself, back before its old line was given up."""
    return old.comer.device == newcomer.device and (
        old.comer.source == newcomer.source or old.silence > limits.SILENT_SECONDS
    )


def _surplus(newcomer: Comer, staying: Sequence[Presence], settings: Settings) -> int:
    """By how many a limit would be exceeded with the newcomer."""
    total = len(staying) + 1 - settings.device_limit
    kind = newcomer.device.kind
    if kind is None:
        return total
    same = sum(one.comer.device.kind == kind for one in staying)
    return max(total, same + 1 - settings.device_type_limit)
