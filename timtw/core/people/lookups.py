"""What storage has said, remembered until it changes.

Whoever changes something makes every node forget it. A look-up that is under way
meanwhile begins again, so that nothing is remembered, nor answered, from before a
change. Where there are other nodes, whose word can be lost, nothing is believed for
longer than some seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@attrs.define(eq=False)
class _Look(Generic[K]):
    """A look at storage that is under way, and what has changed meanwhile."""

    late: set[K] = attrs.Factory(set)


class LookUps(Generic[K, V]):
    """The values of the keys that were asked for lately."""

    def __init__(
        self,
        read: Callable[[Sequence[K]], Deferred[Mapping[K, V]]],
        now: Callable[[], float],
        seconds: float,
        most: int,
        at_once: int,
        weight: Callable[[V], int] = lambda value: 1,
    ) -> None:
        """
        Args:
            read: Asks storage, which answers each of these keys.
            now: Counts seconds.
            seconds: How long a value is believed.
            most: How much is remembered, as ``weight`` weighs it.
            at_once: Keys of one look at storage.
        """
        self._read = read
        self._now = now
        self._seconds = seconds
        self._most = most
        self._at_once = at_once
        self._weight = weight
        self._known: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._remembered = 0
        self._under_way: dict[K, list[_Look[K]]] = {}

    def known(self, key: K) -> V | None:
        """The value, if storage need not be asked."""
        found = self._known.get(key)
        if found is None or found[1] <= self._now():
            return None
        self._known.move_to_end(key)
        return found[0]

    async def look_up(self, keys: Iterable[K]) -> dict[K, V]:
        """
        The values of these keys, from storage where they are not known.

        Raises StorageUnavailable.
        """
        wanted = tuple(dict.fromkeys(keys))
        values = ((key, self.known(key)) for key in wanted)
        found = {key: value for key, value in values if value is not None}
        missing = [key for key in wanted if key not in found]
        if not missing:
            return found
        look: _Look[K] = _Look()
        for key in wanted:
            self._under_way.setdefault(key, []).append(look)
        try:
            while missing:
                some, missing = missing[: self._at_once], missing[self._at_once :]
                await self._look(some, found, look)
                # Also of those that were at hand, or read before these.
                late, look.late = look.late, set()
                for key in late:
                    found.pop(key, None)
                missing += [key for key in late if key not in missing]
        finally:
            self._stop(look, wanted)
        return found

    async def _look(self, keys: Sequence[K], found: dict[K, V], look: _Look[K]) -> None:
        """Find what storage says; what has changed meanwhile is not remembered."""
        until = self._now() + self._seconds
        for key, value in (await self._read(keys)).items():
            found[key] = value
            if key not in look.late:
                self._keep(key, value, until)

    def _stop(self, look: _Look[K], keys: Sequence[K]) -> None:
        """A look is over."""
        for key in keys:
            looks = self._under_way[key]
            looks.remove(look)
            if not looks:
                del self._under_way[key]

    def _keep(self, key: K, value: V, until: float) -> None:
        self._drop(key)
        self._known[key] = (value, until)
        self._remembered += self._weight(value)
        while self._remembered > self._most:
            self._drop(next(iter(self._known)))

    def _drop(self, key: K) -> None:
        dropped = self._known.pop(key, None)
        if dropped is not None:
            self._remembered -= self._weight(dropped[0])

    def forget(self, key: K) -> None:
        """The value has changed, or may have."""
        self._drop(key)
        for look in self._under_way.get(key, ()):
            look.late.add(key)
