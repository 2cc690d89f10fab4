"""What rights depend on, remembered until it changes.

Whoever changes it makes every node forget it (``IRouter.announce``). A look-up that is
under way meanwhile begins again, so that nothing is remembered from before a change.
Where there are other nodes, whose word can be lost, nothing is believed for longer
than ``BOND_SECONDS``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred

from timtw.model import limits

K = TypeVar("K")
V = TypeVar("V")


@attrs.define(eq=False)
class _LookUp:
    """A look at storage that is under way."""

    is_late: bool = False


class Known(Generic[K, V]):
    """What was asked for lately.

    Args:
        read: Reads one from storage; ``None`` is never remembered.
        most: How many are remembered; the least recently used one is read again.
        now: Counts seconds.
        has_peers: Whether there are other nodes.
    """

    def __init__(
        self,
        read: Callable[[K], Deferred[V]],
        most: int,
        now: Callable[[], float],
        has_peers: bool,
    ) -> None:
        self._read = read
        self._most = most
        self._now = now
        self._seconds = limits.BOND_SECONDS if has_peers else float("inf")
        self._known: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._under_way: dict[K, list[_LookUp]] = {}

    def known(self, key: K) -> V | None:
        """What it is, if storage need not be asked."""
        found = self._known.get(key)
        if found is None or found[1] <= self._now():
            return None
        self._known.move_to_end(key)
        return found[0]

    async def look_up(self, key: K) -> V:
        """
        What it is, from storage.

        Raises StorageUnavailable.
        """
        while True:
            until = self._now() + self._seconds
            look = _LookUp()
            looks = self._under_way.setdefault(key, [])
            looks.append(look)
            try:
                value = await self._read(key)
            finally:
                looks.remove(look)
                if not looks:
                    self._under_way.pop(key, None)
            if not look.is_late:
                self._remember(key, value, until)
                return value

    def _remember(self, key: K, value: V, until: float) -> None:
        """Keep it at hand."""
        if value is None:
            return
        self._known[key] = (value, until)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def forget(self, key: K) -> None:
        """It has changed, or may have."""
        self._known.pop(key, None)
        for look in self._under_way.get(key, ()):
            look.is_late = True
