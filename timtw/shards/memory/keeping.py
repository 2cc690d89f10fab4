"""What is kept how long by the engine without a database."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.stores import DONE, IKeeping, Place
from timtw.model.values import Expiring
from timtw.shards.memory.accounts import MemoryAccounts
from timtw.shards.memory.messages import MemoryMessages
from timtw.shards.memory.readers import MemoryReaders
from timtw.shards.memory.standings import Submit


@implementer(IKeeping)
class MemoryKeeping:
    """Everything in one step: there is no disk to wait for."""

    def __init__(
        self,
        submit: Submit,
        messages: MemoryMessages,
        readers: MemoryReaders,
        accounts: MemoryAccounts,
    ) -> None:
        self._submit = submit
        self._messages = messages
        self._readers = readers
        self._accounts = accounts

    def expire(self, what: Expiring, before: int, place: Place) -> Deferred[Place]:
        """See ``IKeeping``."""

        def operation() -> Place:
            if what is Expiring.ENTRIES:
                self._messages.expire_logs(before)
            elif what is Expiring.TEXTS:
                self._messages.expire_texts(before)
            else:
                for account, key in self._readers.forget(before):
                    self._accounts.end_credential(account, key)
            return DONE

        return self._submit(operation)
