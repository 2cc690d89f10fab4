"""Who waits for an answer, and what is repeated meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall


class Waiting:
    """Deferreds by the numbers of sends and requests."""

    def __init__(self, reactor: Any, forget: Callable[[int], None]) -> None:
        """
        Nobody waits.

        Args:
            forget: Called with the number of an answer that nobody waits for any more.
        """
        self._reactor = reactor
        self._forget = forget
        self._answers: dict[int, Deferred[Any]] = {}
        self._repeats: dict[int, IDelayedCall] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._answers

    def expect(self, number: int) -> Deferred[Any]:
        """The answer with this number; cancelling it ends the waiting."""
        answer: Deferred[Any] = Deferred(lambda _: self._cancelled(number))
        self._answers[number] = answer
        return answer

    def remind(self, number: int, seconds: float, again: Callable[[int], None]) -> None:
        """Call ``again`` every so many seconds until there is an answer."""

        def late() -> None:
            self.remind(number, seconds, again)
            again(number)

        self._repeats[number] = self._reactor.callLater(seconds, late)

    def answered(self, number: int, result: Any) -> None:
        """Tell whoever waits for it; exceptions are raised there."""
        answer = self._drop(number)
        if answer is None:
            return
        if isinstance(result, Exception):
            answer.errback(result)
        else:
            answer.callback(result)

    def over(self, error: Exception) -> None:
        """Tell everybody that there will be no answer."""
        for number in list(self._answers):
            self.answered(number, error)

    def _cancelled(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        _ = self._drop(number)
        self._forget(number)

    def _drop(self, number: int) -> Deferred[Any] | None:
        """Take an answer, and end its repeats."""
        repeat = self._repeats.pop(number, None)
        if repeat is not None and repeat.active():
            repeat.cancel()
        return self._answers.pop(number, None)
