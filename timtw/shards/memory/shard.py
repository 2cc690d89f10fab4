"""The engine without a database: everything in dictionaries, nothing in files.

It keeps every promise of the interfaces but one: what it holds ends with the process.
Operations are carried out in order in a later turn of the clock, as those of a real
engine would be, so that a test can stop before they happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model.stores import IShard
from timtw.shards.digests import Digests
from timtw.shards.memory.accounts import MemoryAccounts
from timtw.shards.memory.keeping import MemoryKeeping
from timtw.shards.memory.messages import MemoryMessages
from timtw.shards.memory.readers import MemoryReaders
from timtw.shards.memory.reads import MemoryReads
from timtw.shards.memory.relations import MemoryRelations
from timtw.shards.memory.rooms import MemoryRooms

T = TypeVar("T")

KEY_BYTES: Final = 32
"""Length of the key of the digests, which lives as long as the shard."""


class Turns:
    """Carries out operations in the order of their coming, in a later turn."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self._call: IDelayedCall | None = None

    @property
    def waiting(self) -> int:
        """How many operations wait."""
        return len(self._waiting)

    def submit(self, operation: Callable[[], T]) -> Deferred[T]:
        """Carry out ``operation`` in a later turn; fires with what it returns."""
        result: Deferred[T] = Deferred()
        self._waiting.append((operation, result))
        if self._call is None:
            self._call = self._clock.callLater(0, self._run)
        return result

    def _run(self) -> None:
        """Carry out everything that waits; what comes meanwhile waits again."""
        self._call = None
        waiting, self._waiting = self._waiting, []
        for operation, result in waiting:
            try:
                value = operation()
            except Exception:
                result.errback(Failure())
            else:
                result.callback(value)


@implementer(IShard)
class MemoryShard:
    """Accounts, messages and readers in dictionaries.

    Args:
        clock: Any reactor's time; results come by ``callLater``.
        entropy: Gives as many random bytes as asked for.
    """

    def __init__(self, clock: IReactorTime, entropy: Callable[[int], bytes]) -> None:
        self._turns = Turns(clock)
        digests = Digests(entropy(KEY_BYTES))
        submit = self._turns.submit
        self.accounts = MemoryAccounts(submit, digests, clock, entropy)
        self.messages = MemoryMessages(submit, digests)
        self.readers = MemoryReaders(submit, digests, self.messages)
        self.messages.readers = self.readers
        self.relations = MemoryRelations(submit, self.readers.reached)
        self.messages.relations = self.relations
        self.rooms = self.messages.rooms = MemoryRooms(submit, self.relations)
        self.readers.joined = self.rooms.joined
        self.reads = MemoryReads(submit, self.messages.ends, self.rooms.memberships)
        self.keeping = MemoryKeeping(submit, self.messages, self.readers, self.accounts)

    @property
    def waiting(self) -> int:
        """See ``IShard``."""
        return self._turns.waiting

    def start(self) -> Deferred[None]:
        """Nothing has to be opened."""
        return self._turns.submit(_nothing)

    def stop(self) -> Deferred[None]:
        """Fires when everything asked for before is done."""
        return self._turns.submit(_nothing)


def _nothing() -> None:
    """The operation of starting and stopping."""
