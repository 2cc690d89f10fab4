"""What pairs of accounts are to each other, remembered until it changes.

Whoever changes a relation makes every node forget it (``RelationChanged``). A look-up
that is under way meanwhile begins again, so that nothing is remembered from before a
change. Where there are other nodes, whose word can be lost, nothing is believed for
longer than ``BOND_SECONDS``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import attrs

from timtw.model import limits
from timtw.model.relations import Bond
from timtw.model.stores import IRelationStore
from timtw.model.values import Conversation


@attrs.define(eq=False)
class _LookUp:
    """A look at storage that is under way."""

    is_late: bool = False


class Bonds:
    """The bonds of the pairs that were asked for lately."""

    def __init__(
        self, store: IRelationStore, now: Callable[[], float], has_peers: bool
    ) -> None:
        """``now`` counts seconds."""
        self._store = store
        self._now = now
        self._seconds = limits.BOND_SECONDS if has_peers else float("inf")
        self._known: OrderedDict[Conversation, tuple[Bond, float]] = OrderedDict()
        self._under_way: dict[Conversation, list[_LookUp]] = {}

    def known(self, pair: Conversation) -> Bond | None:
        """The bond, if storage need not be asked."""
        found = self._known.get(pair)
        if found is None or found[1] <= self._now():
            return None
        self._known.move_to_end(pair)
        return found[0]

    async def look_up(self, pair: Conversation) -> Bond:
        """
        The bond, from storage.

        Raises StorageUnavailable.
        """
        while True:
            until = self._now() + self._seconds
            look = _LookUp()
            looks = self._under_way.setdefault(pair, [])
            looks.append(look)
            try:
                bond = await self._store.bond(pair)
            finally:
                looks.remove(look)
                if not looks:
                    self._under_way.pop(pair, None)
            if not look.is_late:
                self._known[pair] = (bond, until)
                self._known.move_to_end(pair)
                if len(self._known) > limits.BONDS:
                    self._known.popitem(last=False)
                return bond

    def forget(self, pair: Conversation) -> None:
        """The relation has changed, or may have."""
        self._known.pop(pair, None)
        for look in self._under_way.get(pair, ()):
            look.is_late = True
