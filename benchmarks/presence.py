"""What the end of very many sessions costs: ``python -m benchmarks.presence``.

So many accounts are logged in and have shown themselves, each with so many friends
among the others, whose relations lie in a fresh SQLite file. Within so many seconds all
of them lose their lines, in an order of chance, and whoever is still there is told of
each friend that is gone, as JSON frames. There are no sockets, so that nothing but this
is measured. Prints a table, and JSON with ``--json``. CPU is that of the whole process;
a stall is how late a timer of ten milliseconds is.
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
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, LoopingCall, deferLater, react

from benchmarks.storage import rows, strangers
from timtw.core.feeds.fanout import Fanout
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.presence import Attendance
from timtw.core.people.showing import Showings
from timtw.core.router import NoPeers
from timtw.core.sessions import Sessions
from timtw.model import limits
from timtw.model.idents import slot_of
from timtw.model.presence import Appearance, Parting
from timtw.model.relations import Half
from timtw.model.values import Address, Device
from timtw.protocols.codecs import JSON
from timtw.protocols.presences import shown_presence
from timtw.shards.sqlite.shard import SqliteShard

PHONE = Device("phone", 1)


class Line:
    """A logged-in connection that counts what it is told."""

    device = PHONE
    told = 0

    def __init__(self, owner: Address) -> None:
        self.owner = owner

    def shown(self, appearance: Appearance) -> None:
        """Somebody is gone."""
        JSON.encode(shown_presence(appearance, self.owner))
        Line.told += 1


class Crowd:
    """All accounts, and the part of a node that tells who has gone."""

    def __init__(self, reactor: Any, shard: SqliteShard, count: int) -> None:
        now, self.asked = reactor.seconds, 0
        self.lines = [Line(address) for address in strangers(count)]
        sessions: Sessions = Sessions(
            now,
            lambda account: self.showings.entered(account),
            lambda account, device: self.showings.left(account, device),
            Fanout(reactor, self._nothing, self._nothing),
        )
        self.sessions: Any = cast(Any, sessions)
        alone = NoPeers()
        self.attendance = Attendance(
            now, self._nothing, self._nothing, alone.attends, False, True
        )
        bonds = Bonds(shard.relations, now, has_peers=False)
        self.showings = Showings(
            sessions,
            self.attendance,
            People(shard.accounts),
            bonds,
            Belongings(shard.rooms, now, has_peers=False),
            alone,
            Gate("presence", limits.PRESENCE_WAITING, lambda: shard.waiting),
            False,
            reactor,
            time.time_ns,
            os.urandom,
        )
        for session, line in enumerate(self.lines):
            self.sessions.add(line.owner, line)
            self.attendance.shows(Parting(line.owner, line.device, session, None))

    def _nothing(self, account: int) -> None:
        """Nobody else wants to know."""

    @property
    def waiting(self) -> bool:
        """Whether somebody is not told of yet."""
        return self.attendance.next_due() is not None


def befriend(database: Path, addresses: list[Address], friends: int) -> None:
    """Write relations in which each account has about so many friends."""
    chance = random.Random(7)
    numbers = [address.number for address in addresses]
    pairs = set()
    for place, number in enumerate(numbers):
        for _ in range(friends // 2):
            other = numbers[(place + chance.randrange(1, len(numbers))) % len(numbers)]
            pairs.add((max(number, other), min(number, other)))
    relate(database, pairs)


def relate(database: Path, pairs: Iterable[tuple[int, int]]) -> None:
    """Write that the accounts of each pair, the higher number first, are friends."""
    asked = int(Half.ASKED)
    names = "slot, first, second, first_half, second_half"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            f"INSERT INTO relation ({names}) VALUES (?, ?, ?, ?, ?)",
            sorted((slot_of(pair[0]), *pair, asked, asked) for pair in pairs),
        )


class Stalls:
    """How late a timer is."""

    def __init__(self, reactor: Any) -> None:
        self.seconds: list[float] = []
        self._now = reactor.seconds
        self._call = LoopingCall(self._tick)
        self._call.clock = reactor
        self._last = self._now()

    def start(self) -> None:
        """Begin to look."""
        self._last = self._now()
        _ = self._call.start(0.01, now=False)

    def stop(self) -> list[float]:
        """How late it was each time, in order of size."""
        self._call.stop()
        return sorted(self.seconds)

    def _tick(self) -> None:
        now = self._now()
        self.seconds.append(max(0.0, now - self._last - 0.01))
        self._last = now


async def measure(reactor: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Let everybody go, and count."""
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        place = Path(directory)
        shard = SqliteShard(place / "b.db", place, reactor, Clock(), os.urandom)
        await shard.start()
        await shard.stop()
        befriend(place / "b.db", strangers(options.accounts), options.friends)
        shard = SqliteShard(place / "b.db", place, reactor, Clock(), os.urandom)
        await shard.start()
        crowd, stalls = Crowd(reactor, shard, options.accounts), Stalls(reactor)
        stalls.start()
        wall, cpu = time.perf_counter(), time.process_time()
        ending = await part(reactor, crowd, options.seconds)
        while crowd.waiting:
            await deferLater(reactor, 0.1)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        late = stalls.stop()
        await shard.stop()
    return {
        "accounts": options.accounts,
        "friends": options.friends,
        "told": Line.told,
        "seconds": round(wall, 1),
        "cpu_us_per_end": round(ending / options.accounts * 1e6, 1),
        "cpu_us_per_account": round(cpu / options.accounts * 1e6, 1),
        "cpu_percent": round(cpu / wall * 100),
        "stall_ms_p99": round(late[int(len(late) * 0.99)] * 1e3, 1),
        "stall_ms_most": round(late[-1] * 1e3, 1),
    }


async def part(reactor: Any, crowd: Crowd, seconds: float) -> float:
    """End all sessions, as evenly as it goes; the CPU that this alone has taken."""
    lines = crowd.lines[:]
    random.Random(8).shuffle(lines)
    begun, ended, cpu = reactor.seconds(), 0, 0.0
    while ended < len(lines):
        share = min(1.0, (reactor.seconds() - begun) / seconds)
        until, before = int(len(lines) * share), time.process_time()
        for line in lines[ended:until]:
            crowd.sessions.remove(line.owner, line)
        cpu += time.process_time() - before
        ended = until
        await deferLater(reactor, 0.005)
    return cpu


def main(words: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.presence", description=__doc__
    )
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--friends", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--directory", default=None, help="where the database lies")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)

    def run(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(measure(reactor, options)).addCallback(shown)

    def shown(result: dict[str, Any]) -> None:
        out = json.dumps(result) if options.json else "\n".join(rows(result))
        sys.stdout.write(out + "\n")

    react(run)


if __name__ == "__main__":
    main(sys.argv[1:])
