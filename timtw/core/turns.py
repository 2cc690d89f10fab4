"""One at a time per key: logins of the same account take turns."""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.defer import DeferredLock


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
