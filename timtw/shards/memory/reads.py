"""How far accounts have read, in the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.progress import Read
from timtw.model.rooms import Belonging
from timtw.model.stores import IReadStore
from timtw.model.values import Conversation
from timtw.shards.memory.standings import Submit


@implementer(IReadStore)
class MemoryReads:
    """Marks in a dictionary.

    Args:
        ends: The newest number of a conversation, and up to where it has expired.
        memberships: The rooms of an account, and what it is to them.
    """

    def __init__(
        self,
        submit: Submit,
        ends: Callable[[Conversation], tuple[int, int]],
        memberships: Callable[[int], Mapping[int, Belonging]],
    ) -> None:
        self._submit = submit
        self._ends = ends
        self._memberships = memberships
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
            joined = {
                Conversation.of_room(room): belonging.joined_mid
                for room, belonging in self._memberships(account).items()
            }
            places = {
                place
                for place, reader in self._marks
                if reader == account and not place.is_of_room
            }
            behind = [
                place
                for place in sorted(places | set(joined))
                if after is None or place > after
            ]
            return [
                self._read((place, account), joined.get(place, 0))
                for place in behind[:limit]
            ]

        return self._submit(operation)

    def _read(self, key: tuple[Conversation, int], joined: int = 0) -> Read:
        """How far an account has read; what has expired counts as read."""
        conversation, account = key
        last, low = self._ends(conversation)
        mid = max(self._marks.get(key, 0), low, joined)
        return Read(account, conversation, mid, last)
