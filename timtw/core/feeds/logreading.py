"""What the readings of an account's own log and of a room's have in common."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.core.deferreds import background
from timtw.core.feeds.feed import Feed
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.events import Delivery, Page
from timtw.model.interfaces import IOutbox
from timtw.model.posting import IPostingDesk, IWaitingMove
from timtw.model.stores import IMessageStore, IReaderStore
from timtw.model.value import value
from timtw.model.values import Address, LogEntry, LogPage


@value
class Surroundings:
    """What one connection has around its feeds.

    Args:
        owner: Whose connection it is.
        now: The seconds of ``clock``; one for all, as a bound method takes 64 bytes.
    """

    owner: Address
    outbox: IOutbox
    messages: IMessageStore
    readers: IReaderStore
    desk: IPostingDesk
    clock: IReactorTime
    now: Callable[[], float]


class LogReading:
    """Lets a feed write to one client what it reads of the log ``number``.

    A subclass provides the rest of ``timtw.core.feeds.port``.
    """

    __slots__ = (
        "_alarm",
        "_around",
        "_claimed",
        "_cursor",
        "_feed",
        "_low",
        "_move",
        "_outbox",
        "_told",
        "key",
        "number",
    )

    _log = Logger()

    def __init__(self, around: Surroundings, number: int) -> None:
        """Nothing is read before there is a feed."""
        self._around = around
        self._outbox = around.outbox
        self._feed: Feed | None = None
        self.number = number
        self.key = b""
        self._cursor = self._told = self._low = self._claimed = 0
        self._move: IWaitingMove | None = None
        self._alarm: IDelayedCall | None = None

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """Write one entry; ``False`` if the line is gone."""
        return self._outbox.offer(Delivery(entry, receipt, backlog))

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page."""
        self._outbox.offer(Page(entries, receipt))

    def measure(self, entry: LogEntry) -> int:
        """The bytes that an entry takes."""
        return self._outbox.measure(entry)

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """Read the log."""
        feed = self._feed
        assert feed is not None

        def loaded(page: LogPage) -> None:
            if self._feed is feed:
                feed.loaded(page, ticket)
                self.rested()

        def unread(failure: Failure) -> None:
            if failure.check(StorageUnavailable) is None:
                self._log.failure("a log was not read", failure)
            if self._feed is feed:
                feed.unread(ticket)
                self.rested()

        page = self._around.messages.read_log(
            self.number, after, up_to, limits.LOG_READ_ENTRIES
        )
        _ = page.addCallback(loaded).addErrback(unread)

    def rested(self) -> None:
        """The feed has gone as far as it can for now."""

    def claimed(self, after: int, up_to: int) -> None:
        """
        Confirm a part of the log that other connections have carried.

        No part is gone through twice, however often a client goes back and forth.
        """
        after = max(after, self._claimed)
        if after >= up_to:
            return
        self._claimed = up_to
        background("claims", self._confirm_claimed(after, up_to), self._log)

    async def _confirm_claimed(self, after: int, up_to: int) -> None:
        raise NotImplementedError

    def wake(self, at: float) -> None:
        """Call the feed at this time, or earlier."""
        delay = max(0.0, at - self._around.clock.seconds())
        if self._alarm is None:
            self._alarm = self._around.clock.callLater(delay, self._awake)
        elif self._alarm.getTime() > at:
            self._alarm.reset(delay)

    def _awake(self) -> None:
        self._alarm = None
        if self._feed is not None:
            self._feed.awake()

    def _silence(self) -> None:
        """Let no alarm ring any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
