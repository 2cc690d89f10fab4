"""The addresses of accounts, which never change once they exist."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from timtw.model import limits
from timtw.model.peoplestores import IAccountStore
from timtw.model.values import Account, Address


class People:
    """The addresses of accounts, which never change once they exist."""

    def __init__(self, store: IAccountStore) -> None:
        """Ask ``store`` about whoever is not remembered."""
        self._store = store
        self._known: OrderedDict[int, Address] = OrderedDict()

    def known(self, number: int) -> Address | None:
        """The address, if it is at hand."""
        address = self._known.get(number)
        if address is not None:
            self._known.move_to_end(number)
        return address

    async def look_up(self, number: int) -> Address | None:
        """The address, or ``None`` if there is no such account."""
        found = (await self._store.accounts((number,))).get(number)
        return None if found is None else self.remember(found)

    async def look_up_all(self, numbers: Iterable[int]) -> dict[int, Address]:
        """
        The addresses of those accounts that exist.

        Raises StorageUnavailable.
        """
        found: dict[int, Address] = {}
        missing: list[int] = []
        for number in dict.fromkeys(numbers):
            address = self.known(number)
            if address is None:
                missing.append(number)
            else:
                found[number] = address
        if missing:
            accounts = await self._store.accounts(missing)
            found |= {n: self.remember(one) for n, one in accounts.items()}
        return found

    def remember(self, account: Account) -> Address:
        """Keep an address at hand."""
        self._known[account.number] = account.address
        if len(self._known) > limits.ADDRESSES:
            self._known.popitem(last=False)
        return account.address
