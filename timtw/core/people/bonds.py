"""What pairs of accounts are to each other, and who their friends are, remembered.

Whoever changes a relation makes every node forget it (``RelationChanged``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from timtw.core.people.lookups import LookUps
from timtw.model import limits
from timtw.model.peoplestores import IRelationStore
from timtw.model.relations import Bond
from timtw.model.values import Conversation


class Bonds:
    """The bonds of the pairs, and the friends of the accounts, asked for lately."""

    def __init__(
        self, store: IRelationStore, now: Callable[[], float], has_peers: bool
    ) -> None:
        """``now`` counts seconds."""
        seconds = limits.BOND_SECONDS if has_peers else float("inf")
        self._pairs = LookUps(
            store.bonds, now, seconds, limits.BONDS, limits.BONDS_AT_ONCE
        )
        self._rosters = LookUps(
            store.rosters,
            now,
            seconds,
            limits.ROSTERS,
            limits.ROSTERS_AT_ONCE,
            lambda friends: 1 + len(friends),
        )

    def known(self, pair: Conversation) -> Bond | None:
        """The bond, if storage need not be asked."""
        return self._pairs.known(pair)

    async def look_up(self, pair: Conversation) -> Bond:
        """
        The bond.

        Raises StorageUnavailable.
        """
        return (await self._pairs.look_up((pair,)))[pair]

    async def look_up_all(self, account: int, others: Iterable[int]) -> dict[int, Bond]:
        """
        What each of these is to an account.

        Raises StorageUnavailable.
        """
        pairs = {Conversation.between(account, other): other for other in others}
        bonds = await self._pairs.look_up(pairs)
        return {pairs[pair]: bond for pair, bond in bonds.items()}

    async def friends(self, accounts: Iterable[int]) -> dict[int, Sequence[int]]:
        """
        The friends of each of these accounts.

        Raises StorageUnavailable.
        """
        return await self._rosters.look_up(accounts)

    def forget(self, pair: Conversation) -> None:
        """The relation has changed, or may have."""
        self._pairs.forget(pair)
        for account in pair:
            self._rosters.forget(account)
