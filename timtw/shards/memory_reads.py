"""How far accounts have read, in the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.stores import IReadStore
from timtw.model.values import Conversation, Read
from timtw.shards.memory_standings import Submit


@implementer(IReadStore)
class MemoryReads:
    """Marks in a dictionary.

    Args:
        ends: The newest number of a conversation, and up to where it has expired.
    """

    def __init__(
        self,
        submit: Submit,
        ends: Callable[[Conversation], tuple[int, int]],
    ) -> None:
        self._submit = submit
        self._ends = ends
        self._marks: dict[tuple[Conversation, int], int] = {}

    def raised(self, marks: Sequence[Read]) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""

        def operation() -> Sequence[Read]:
            found: dict[tuple[Conversation, int], Read] = {}
            for account, conversation, mid, _last in marks:
                key = (conversation, account)
                last, _low = self._ends(conversation)
                new = min(mid, last)
                if new > self._marks.get(key, 0):
                    self._marks[key] = new
                    found[key] = Read(account, conversation, new, last)
            return [found[key] for key in sorted(found)]

        return self._submit(operation)

    def of(self, conversation: Conversation) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""
        return self._submit(
            lambda: [
                self._read(key) for key in sorted(self._marks) if key[0] == conversation
            ]
        )

    def listed(
        self, account: int, after: Conversation | None, limit: int
    ) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""

        def operation() -> Sequence[Read]:
            keys = [key for key in sorted(self._marks) if key[1] == account]
            behind = [key for key in keys if after is None or key[0] > after]
            return [self._read(key) for key in behind[:limit]]

        return self._submit(operation)

    def _read(self, key: tuple[Conversation, int]) -> Read:
        """How far an account has read; what has expired counts as read."""
        conversation, account = key
        last, low = self._ends(conversation)
        return Read(account, conversation, max(self._marks[key], low), last)
