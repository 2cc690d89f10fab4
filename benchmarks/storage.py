"""What one message costs in storage alone: ``python -m benchmarks.storage``.

Batches of one-to-one messages of 100 bytes, sealed, with both log entries, counters and
one cursor move each, go into a fresh SQLite file with ``synchronous = FULL``. Prints a
table, and JSON with ``--json``. CPU is that of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, react

from timtw.model.idents import node_of
from timtw.model.posting import Batch
from timtw.model.progress import Confirmed, CursorMove
from timtw.model.values import Address, Content, Device, Draft
from timtw.shards.sqlite.shard import SqliteShard


class Traffic:
    """One-to-one traffic among some accounts, each of which has ten friends."""

    def __init__(self, addresses: Sequence[Address], chosen: bool = False) -> None:
        self._random = random.Random(7)
        self.addresses = addresses
        self.keys: dict[int, bytes] = {}
        self._chosen = chosen
        self._ident = 0
        self._cursor = 0

    def drafts(self, size: int) -> list[Draft]:
        """The next messages, each from somebody to one of the friends."""
        drafts = []
        for _ in range(size):
            place = self._random.randrange(len(self.addresses))
            step = self._random.choice((1, 2, 3, 5, 8, -1, -2, -3, -5, -8))
            sender = self.addresses[place]
            recipient = self.addresses[(place + step) % len(self.addresses)]
            self._ident += 1
            text, now = f"{self._ident:0100d}", time.time_ns()
            drafts.append(
                Draft(sender, recipient, self._ident, self._chosen, now, Content(text))
            )
        return drafts

    def batch(self, size: int) -> Batch:
        """The next batch of drafts, with the cursors of their recipients."""
        drafts = self.drafts(size)
        return Batch(tuple(drafts), tuple(map(self._move, drafts)))

    def _move(self, draft: Draft) -> CursorMove:
        """The recipient of a message confirms it."""
        self._cursor += 1
        number = draft.recipient.number
        confirmed = (Confirmed(draft.conversation, self._cursor),)
        return CursorMove(number, self.keys[number], self._cursor, confirmed)


def strangers(count: int) -> list[Address]:
    """So many addresses, always the same."""
    chance = random.Random(7)
    numbers = [chance.getrandbits(63) + 1 for _ in range(count)]
    return [Address(number, node_of(number)) for number in numbers]


async def measure(reactor: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Store all batches, one after the other, and count."""
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        place = Path(directory)
        shard = SqliteShard(place / "b.db", place, reactor, Clock(), os.urandom)
        await shard.start()
        traffic = Traffic(strangers(options.accounts), options.chosen)
        for address in traffic.addresses:
            state = await shard.readers.open(address.number, Device("phone"), 1)
            traffic.keys[address.number] = state.key
        batches = [traffic.batch(options.batch) for _ in range(options.batches)]
        wall, cpu = time.perf_counter(), time.process_time()
        for batch in batches:
            await shard.messages.post(batch)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(path.stat().st_size for path in place.iterdir())
        await shard.stop()
        stored = sum(path.stat().st_size for path in place.glob("b.db"))
    count = options.batch * options.batches
    return {
        "messages": count,
        "batch": options.batch,
        "accounts": options.accounts,
        "sqlite": sqlite3.sqlite_version,
        "messages_per_second": round(count / wall),
        "cpu_us_per_message": round(cpu / count * 1e6, 1),
        "wall_ms_per_batch": round(wall / options.batches * 1e3, 2),
        "bytes_per_message": round(stored / count),
        "files_at_end": size,
    }


def rows(result: dict[str, Any]) -> Iterator[str]:
    """The result as a table."""
    for name, value in result.items():
        yield f"{name.replace('_', ' '):<24}{value:>14}"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--chosen", action="store_true", help="clients choose ids")
    parser.add_argument("--directory", help="where the database is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    def run(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(report(reactor))

    async def report(reactor: Any) -> None:
        result = await measure(reactor, options)
        out = json.dumps(result) if options.json else "\n".join(rows(result))
        sys.stdout.write(out + "\n")

    react(run)


if __name__ == "__main__":
    main()
