"""Bugs that are planted into a node, to see that the tests find such bugs.

The product knows nothing of this: its classes are changed in memory before it starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred

from timtw.core.feeds.logreading import LogReading
from timtw.core.feeds.reading import Reading
from timtw.model.events import Delivery
from timtw.model.values import LogEntry
from timtw.shards.digests import Digests
from timtw.shards.sealing import Sealer
from timtw.shards.server.links import InDoubt
from timtw.shards.server.settling import Doubts
from timtw.shards.sqlite.file import DatabaseFile
from timtw.shards.sqlite.known import Known
from timtw.shards.sqlite.writer import Writer


def echo_before_commit() -> None:
    """What an operation will have done is told before the COMMIT that holds it."""
    submit = Writer.submit

    def submit_it(self: Any, operation: Callable[[Any], Any]) -> Deferred[Any]:
        early: Deferred[Any] = Deferred()

        def tell(value: Any) -> None:
            if not early.called:
                early.callback(value)

        def carry_out(connection: Any) -> Any:
            value = operation(connection)
            self._reactor.callFromThread(tell, value)
            return value

        _ = submit(self, carry_out).addBoth(tell)
        return early

    _replace(Writer, "submit", submit_it)


def foreign_ack() -> None:
    """An acknowledgement counts for every connection that waits for its number."""
    readings: set[Reading] = set()
    begin, acknowledged = Reading.begin, Reading.acknowledged

    def remember(self: Reading, *words: Any) -> None:
        readings.add(self)
        begin(self, *words)

    def acknowledge(self: Reading, receipt: int) -> None:
        for reading in list(readings):
            acknowledged(reading, receipt)

    _replace(Reading, "begin", remember)
    _replace(Reading, "acknowledged", acknowledge)


def early_cursor() -> None:
    """The cursor in storage is moved when an entry is written to the line."""
    deliver, page = LogReading.deliver, LogReading.page

    def move(self: Any, entry: LogEntry) -> None:
        desk, account = self._around.desk, self._around.owner.number
        desk.move(account, self.key, lambda _: None).confirm(entry.seq)

    def deliver_it(self: Any, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        written = deliver(self, entry, receipt, backlog)
        move(self, entry)
        return written

    def page_it(self: Any, entries: tuple[LogEntry, ...], receipt: int) -> None:
        page(self, entries, receipt)
        move(self, entries[-1])

    _replace(LogReading, "deliver", deliver_it)
    _replace(LogReading, "page", page_it)


def ack_for_all() -> None:
    """An acknowledgement counts for everything that the connection was sent."""
    deliver, page = LogReading.deliver, LogReading.page
    acknowledged = Reading.acknowledged
    waiting: dict[LogReading, list[int]] = {}

    def deliver_it(
        self: LogReading, entry: LogEntry, receipt: int, backlog: bool
    ) -> bool:
        waiting.setdefault(self, []).append(receipt)
        return deliver(self, entry, receipt, backlog)

    def page_it(self: LogReading, entries: tuple[LogEntry, ...], receipt: int) -> None:
        waiting.setdefault(self, []).append(receipt)
        page(self, entries, receipt)

    def acknowledge(self: Reading, receipt: int) -> None:
        for one in (receipt, *waiting.pop(self, [])):
            acknowledged(self, one)

    _replace(LogReading, "deliver", deliver_it)
    _replace(LogReading, "page", page_it)
    _replace(Reading, "acknowledged", acknowledge)


def repeat_stored_again() -> None:
    """A send that is repeated since its echo was lost is taken for another one."""
    _replace(Digests, "repeat", lambda self, sender, ident, content: os.urandom(16))


def live_overtakes() -> None:
    """What is written now goes out at once, whatever still waits before it."""
    offered = Reading.offered

    def offer(self: Any, entry: LogEntry) -> None:
        feed = self._feed
        if feed is not None and not entry.own and feed.sent + 1 < entry.seq:
            self._outbox.offer(Delivery(entry, 0, False))
        offered(self, entry)

    _replace(Reading, "offered", offer)


def numbers_kept() -> None:
    """Numbers that a transaction had taken are not given back when it fails."""
    _replace(Known, "forget", lambda self: None)


def doubt_is_failure() -> None:
    """A COMMIT without an answer counts as failed, and its work is done again."""

    async def not_stored(self: Doubts, doubt: InDoubt) -> bool:
        return False

    _replace(Doubts, "was_stored", not_stored)


def doubt_is_refusal() -> None:
    """What a COMMIT without an answer has stored is refused, and nobody looks."""

    async def unknown(self: Doubts, doubt: InDoubt) -> None:
        return None

    _replace(Doubts, "was_stored", unknown)


def synchronous_off() -> None:
    """Nothing waits for the disk, and the check of that is deaf."""
    open_writer = DatabaseFile.open_writer

    def careless(self: DatabaseFile) -> Any:
        self.synchronous = "OFF"
        self.least_synchronous = 0
        return open_writer(self)

    _replace(DatabaseFile, "open_writer", careless)


def sealing_off() -> None:
    """What is sealed lies in the database as it came."""
    _replace(Sealer, "seal", lambda self, plain, context: plain)
    _replace(Sealer, "open", lambda self, sealed, context: sealed)


BUGS: Final[Mapping[str, Callable[[], None]]] = {
    "echo-before-commit": echo_before_commit,
    "foreign-ack": foreign_ack,
    "early-cursor": early_cursor,
    "ack-for-all": ack_for_all,
    "repeat-stored-again": repeat_stored_again,
    "live-overtakes": live_overtakes,
    "numbers-kept": numbers_kept,
    "doubt-is-failure": doubt_is_failure,
    "doubt-is-refusal": doubt_is_refusal,
    "synchronous-off": synchronous_off,
    "sealing-off": sealing_off,
}


def _replace(owner: type, name: str, method: Callable[..., Any]) -> None:
    """Put another method in the place of one that has to be there."""
    assert name in vars(owner), f"{owner.__name__} has no {name} any more"
    setattr(owner, name, method)
