"""One at a time per key: logins of one account take turns, on a node and over all."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from timtw.model.limits import TURN_SECONDS


class Turns:
    """A lock per key that exists only while somebody holds or wants it."""

    def __init__(self) -> None:
        """Nobody holds anything."""
        self._locks: dict[Hashable, tuple[DeferredLock, int]] = {}

    async def take(self, key: Hashable) -> None:
        """Wait until it is our turn; ``give_back`` must follow."""
        lock, wanted = self._locks.get(key, (None, 0))
        if lock is None:
            lock = DeferredLock()
        self._locks[key] = lock, wanted + 1
        await lock.acquire()

    def give_back(self, key: Hashable) -> None:
        """Let the next one go on."""
        lock, wanted = self._locks[key]
        if wanted == 1:
            del self._locks[key]
        else:
            self._locks[key] = lock, wanted - 1
        lock.release()


class LentTurns:
    """Turns that are lent to other nodes: each ends by itself after a while."""

    def __init__(self, clock: IReactorTime) -> None:
        """Nobody has borrowed anything."""
        self._clock = clock
        self._turns = Turns()
        self._numbers = count(1)
        self._lent: dict[int, tuple[Hashable, IDelayedCall]] = {}

    async def lend(self, key: Hashable) -> int:
        """Wait for the next turn; its number."""
        await self._turns.take(key)
        number = next(self._numbers)
        end = self._clock.callLater(TURN_SECONDS, self.returned, number)
        self._lent[number] = key, end
        return number

    def returned(self, number: int) -> None:
        """Let the next one go on; a turn that has ended ends once."""
        key, end = self._lent.pop(number, (None, None))
        if end is not None:
            if end.active():
                end.cancel()
            self._turns.give_back(key)

    def stop(self) -> None:
        """Lend nothing any more: whoever waits waits for nothing."""
        for _, end in self._lent.values():
            end.cancel()
        self._lent.clear()
