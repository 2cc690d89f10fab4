"""Frames that have come and wait to be taken, in bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail, succeed

from timtw.client.values import Frame
from timtw.model.limits import CLIENT_FRAMES, CLIENT_FRAMES_BYTES


class Frames:
    """What has come and was not taken yet, in bounds.

    Attributes:
        missed: How many were dropped so far, by the node or here.
    """

    def __init__(self, hold: Callable[[bool], None] | None) -> None:
        """
        Nothing has come.

        Args:
            hold: Called when the line is to be read no more, and again; ``None`` if
                the oldest are dropped instead.
        """
        self._hold = hold
        self._waiting: deque[tuple[int, Any, int]] = deque()
        self._readers: deque[Deferred[Any]] = deque()
        self._bytes = self._before = 0
        self._held = False
        self._error: Exception | None = None
        self.missed = 0

    def lost(self, count: int) -> None:
        """So many were dropped before whatever comes next."""
        self.missed += count
        self._before += count

    def came(self, one: Any, size: int) -> None:
        """Something for whoever reads next."""
        if self._error is not None:
            return
        before, self._before = self._before, 0
        if self._readers:
            self._readers.popleft().callback(_with(one, before))
            return
        self._waiting.append((before, one, size))
        self._bytes += size
        if len(self._waiting) <= CLIENT_FRAMES and self._bytes <= CLIENT_FRAMES_BYTES:
            return
        if self._hold is not None:
            if not self._held:
                self._held = True
                self._hold(True)
        elif len(self._waiting) > 1:
            self._drop()

    def _drop(self) -> None:
        """Drop the oldest; the next one tells of it."""
        before, _, size = self._waiting.popleft()
        self._bytes -= size
        self.missed += 1
        after, one, size = self._waiting.popleft()
        self._waiting.appendleft((before + 1 + after, one, size))

    def next(self) -> Deferred[Any]:
        """The oldest; waits for it if there is none."""
        if self._waiting:
            before, one, size = self._waiting.popleft()
            self._bytes -= size
            few = len(self._waiting) <= CLIENT_FRAMES // 2
            if self._held and few and self._bytes <= CLIENT_FRAMES_BYTES // 2:
                self._let_go()
            return succeed(_with(one, before))
        if self._error is not None:
            return fail(self._error)
        reader: Deferred[Any] = Deferred(self._readers.remove)
        self._readers.append(reader)
        return reader

    def over(self, error: Exception) -> None:
        """Nothing more comes; what is there can still be taken."""
        if self._error is None:
            self._error = error
        self._let_go()
        while self._readers:
            self._readers.popleft().errback(error)

    def again(self) -> None:
        """There is another line, which is read: not for long, if too much waits."""
        if self._held and self._hold is not None:
            self._hold(True)

    def _let_go(self) -> None:
        """The line may be read."""
        if self._held and self._hold is not None:
            self._held = False
            self._hold(False)


def _with(one: Any, missed: int) -> Any:
    """A frame that knows how many were dropped before it."""
    if not missed or not isinstance(one, Frame):
        return one
    return attrs.evolve(one, missed=missed)
