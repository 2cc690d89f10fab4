"""What two programs say to each other about one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from timtw.client.values import ClientError


class Cancelled(ClientError):
    """The other side does not want the file, or has given up."""


class Damaged(ClientError):
    """What has arrived is not what was sent."""


class Talk:
    """One side of it.

    Attributes:
        peer: The node of the other side.
        error: Why it has failed; None as long as it has not.
        over: Whether the other side need not hear that it is over.
        key: By which the sender knows this device, if it takes the file.
    """

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.error: Exception | None = None
        self.over = False
        self.key = ""
        self._heard: dict[str, Mapping[str, Any]] = {}
        self._waiter: Deferred[None] | None = None
        self._tellings: list[Deferred[None]] = []

    def said(self, word: str, content: Mapping[str, Any]) -> None:
        """The other side says something; who has taken it cannot refuse it."""
        if word == "cancel" or (word == "refuse" and "take" not in self._heard):
            self.failed(Cancelled(f"the other side says: {word}"))
            return
        if word == "taken" and content.get("by") != self.key:
            self.over = True
            self.failed(Cancelled("another device has taken it"))
            return
        self._heard.setdefault(word, content)
        self._wake()

    def failed(self, error: Exception) -> None:
        """It comes to no good end."""
        self.error = self.error or error
        self._wake()

    def check(self) -> None:
        """Raise why it has failed, if it has."""
        if self.error is not None:
            raise self.error

    async def wait(self, word: str) -> Mapping[str, Any]:
        """Wait until this was said; raises why it fails before that."""
        while word not in self._heard:
            self.check()
            self._waiter = Deferred()
            await self._waiter
        return self._heard[word]

    def expect(self, telling: Deferred[None]) -> None:
        """What is told may be refused."""
        self._tellings.append(telling)
        _ = telling.addErrback(self._refused)

    def _refused(self, failure: Failure) -> None:
        if isinstance(failure.value, ClientError):
            self.failed(failure.value)

    def end(self) -> None:
        """Nobody waits for refusals any more."""
        for telling in self._tellings:
            telling.cancel()
        self._tellings.clear()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.called:
            waiter.callback(None)
