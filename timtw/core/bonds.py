"""What pairs of accounts are to each other, remembered until it changes."""

from __future__ import annotations

from collections.abc import Callable

from timtw.core.known import Known
from timtw.model import limits
from timtw.model.relations import Bond
from timtw.model.stores import IRelationStore
from timtw.model.values import Conversation


class Bonds(Known[Conversation, Bond]):
    """The bonds of the pairs that were asked for lately."""

    def __init__(
        self, store: IRelationStore, now: Callable[[], float], has_peers: bool
    ) -> None:
        """``now`` counts seconds."""
        super().__init__(store.bond, limits.BONDS, now, has_peers)
