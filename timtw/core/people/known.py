"""What rights depend on and is read one by one, remembered until it changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

from timtw.core.people.lookups import LookUps
from timtw.model import limits

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Known(Generic[K, V]):
    """What was asked for lately; see ``LookUps``.

    Args:
        read: Reads one from storage; ``None`` is asked for again each time.
        most: How much is remembered; the least recently used one is read again.
        now: Counts seconds.
        has_peers: Whether there are other nodes.
        weight: How much one is.
    """

    def __init__(
        self,
        read: Callable[[K], Deferred[V]],
        most: int,
        now: Callable[[], float],
        has_peers: bool,
        weight: Callable[[V], int] = lambda value: 1,
    ) -> None:
        def read_one(keys: Sequence[K]) -> Deferred[Mapping[K, V]]:
            (key,) = keys
            return read(key).addCallback(lambda value: {key: value})

        seconds = limits.BOND_SECONDS if has_peers else float("inf")
        self._look_ups = LookUps(read_one, now, seconds, most, 1, weight)

    def known(self, key: K) -> V | None:
        """What it is, if storage need not be asked."""
        return self._look_ups.known(key)

    async def look_up(self, key: K) -> V:
        """
        What it is, from storage.

        Raises StorageUnavailable.
        """
        return (await self._look_ups.look_up((key,)))[key]

    def forget(self, key: K) -> None:
        """It has changed, or may have."""
        self._look_ups.forget(key)
