"""Runs twistd with a bug planted in it, to see that the tests find such bugs.

    python -m timtw.test.planted --bug=foreign-ack -- -n tim --config=node.ini

The product knows nothing of this: its classes are changed in memory before it starts.
"""

from __future__ import annotations

import argparse
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.python.failure import Failure
from twisted.scripts.twistd import run

from timtw.core.reading import Reading
from timtw.model.errors import TimError
from timtw.model.values import LogEntry
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite_file import DatabaseFile
from timtw.shards.writer import Writer


def echo_before_commit() -> None:
    """What a transaction will have done is told before its COMMIT."""

    def transact(self: Any, jobs: Sequence[Any], ride: Any) -> list[Any]:
        connection = self._connection
        results: list[Any] = []
        connection.execute("BEGIN IMMEDIATE")
        for operation, result in jobs:
            try:
                results.append((result, operation(connection)))
            except TimError:
                results.append((result, Failure()))
        self._reactor.callFromThread(self._deliver, results)
        ride(connection)
        connection.execute("COMMIT")
        self._companion.committed()
        return []

    _replace(Writer, "_transact", transact)


def foreign_ack() -> None:
    """An acknowledgement counts for every connection that waits for its number."""
    readings: weakref.WeakSet[Reading] = weakref.WeakSet()
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
    deliver, page = Reading.deliver, Reading.page

    def move(self: Any, entry: LogEntry) -> None:
        account = self._owner.number
        self._desk.move(account, self._key, lambda _: None).confirm(entry.seq)

    def deliver_it(self: Any, entry: LogEntry, receipt: int, backlog: bool) -> None:
        deliver(self, entry, receipt, backlog)
        move(self, entry)

    def page_it(self: Any, entries: tuple[LogEntry, ...], receipt: int) -> None:
        page(self, entries, receipt)
        move(self, entries[-1])

    _replace(Reading, "deliver", deliver_it)
    _replace(Reading, "page", page_it)


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
    "synchronous-off": synchronous_off,
    "sealing-off": sealing_off,
}


def _replace(owner: type, name: str, method: Callable[..., Any]) -> None:
    """Put another method in the place of one that has to be there."""
    assert name in vars(owner), f"{owner.__name__} has no {name} any more"
    setattr(owner, name, method)


def planted(bug: str) -> list[str]:
    """The launcher of a node with this bug in it."""
    return [sys.executable, "-m", __name__, f"--bug={bug}", "--"]


def main(words: Sequence[str]) -> None:
    """Plant the bug and be twistd."""
    parser = argparse.ArgumentParser("python -m timtw.test.planted")
    parser.add_argument("--bug", choices=sorted(BUGS), required=True)
    parser.add_argument("words", nargs="+", help="what twistd is told")
    options = parser.parse_args(words)
    BUGS[options.bug]()
    sys.argv = ["twistd", *options.words]
    run()


if __name__ == "__main__":
    main(sys.argv[1:])
