"""The node with its database on PostgreSQL and on MariaDB.

    python -m benchmarks servers

The database servers are started for it, on a Unix socket and on the core of the load
generator, with commits that wait for the disk; a server that is set to less is refused.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
from twisted.trial.unittest import SkipTest

from benchmarks.absent import AWAY, SENDERS, drain, store
from benchmarks.arriving import Crowd, talkers
from benchmarks.clocks import clocks_of
from benchmarks.load import Plan, Traffic
from benchmarks.machine import cpu_of_family
from benchmarks.options import Options
from benchmarks.past import TOGETHER
from benchmarks.people import Person, settle
from benchmarks.rows import Row, of_result, windows_of
from benchmarks.serving import served, workplace
from benchmarks.storage import Traffic as Stored
from timtw.model.posting import Batch
from timtw.model.stores import IShard
from timtw.model.values import Content, Conversation, Draft
from timtw.test import servers

WINDOWS: Final = 4
CASES: Final[Mapping[int, int]] = {200: 10, 2000: 100}
"""Pairs, by how many messages are in flight."""
MESSAGES: Final = 30_000
WARM_UP: Final = 4_000
DRAINED: Final = 20_000
ACCOUNTS: Final = 200
"""Accounts that share what is stored in many conversations; five each."""
PAGE: Final = 50
PAGES: Final = 300
"""Pages that are read for a figure."""
FEW, MANY, LARGE = 1_000, 50_000, 1_000_000
"""Messages of one conversation whose pages are read; the last with ``--large``."""


class Careless(Exception):
    """The server may lose what it has committed."""


@attrs.frozen(eq=False)
class Engine:
    """A database server, and what has to be asked of it in its own words.

    Args:
        settings: What decides whether a commit waits for the disk, as it has to be.
        size: The question for the bytes of a database.
    """

    name: str
    make: Callable[[], servers.Server]
    settings: Mapping[str, str]
    ask: str
    size: str


ENGINES: Final = (
    Engine(
        "postgresql",
        servers.postgres,
        {"fsync": "on", "synchronous_commit": "on"},
        "SELECT current_setting('{}')",
        "SELECT pg_database_size('{}')",
    ),
    Engine(
        "mariadb",
        servers.mariadb,
        {"innodb_flush_log_at_trx_commit": "1"},
        "SELECT @@{}",
        "SELECT sum(file_size) FROM information_schema.innodb_sys_tablespaces "
        "WHERE name LIKE '{}/%'",
    ),
)


def measure(options: Options) -> Iterator[Row]:
    """All rows of each server that is installed."""
    for engine in ENGINES:
        if not any(options.wants(f"{engine.name} {what}") for what in _WHAT):
            continue
        try:
            server = engine.make()
        except SkipTest as why:
            print(f"{engine.name} is left out: {why}", file=sys.stderr)
            continue
        settings = _settings(engine, server)
        for what, part in _WHAT.items():
            if options.wants(f"{engine.name} {what}"):
                for row in part(f"{engine.name} {what}", engine, server, options):
                    yield attrs.evolve(row, details={**row.details, **settings})


def _settings(engine: Engine, server: servers.Server) -> dict[str, str]:
    """What decides whether commits are durable, printed; Careless if they are not."""
    found = {
        name: str(server.ask(engine.ask.format(name))[0][0]) for name in engine.settings
    }
    version = str(server.ask("SELECT version()")[0][0])
    print(f"{version}: {found}", file=sys.stderr)
    if found != dict(engine.settings):
        raise Careless(f"{engine.name} is set to {found}, not to {engine.settings}")
    return {"server": version, **found}


def _talk(
    name: str, engine: Engine, server: servers.Server, options: Options, in_flight: int
) -> Iterator[Row]:
    """One-to-one texts, as many under way at any moment."""
    pairs = CASES[in_flight]
    url = server.url(server.database())
    messages = options.scaled(MESSAGES) // WINDOWS
    plan = Plan(messages, in_flight, options.scaled(WARM_UP), WINDOWS)
    with workplace(options.directory) as directory:
        people = settle(directory, 2 * pairs, url=url)
        with served(directory, options.profile, url=url) as node:
            there = talkers(Crowd(node.port), people)
            for sender, one in zip(there[:pairs], people[pairs:], strict=True):
                sender.write_to([one])
            traffic = Traffic(there, clocks_of(node.pid))
            before = _cpu(server)
            result = traffic.run(plan)
            spent = _cpu(server) - before
            traffic.close()
    values = of_result(result)
    database = spent / traffic.echoes
    values["database_cpu_us"] = round(database * 1e6, 1)
    # Of what others used, the database is a part that belongs to us.
    others = values["others_share"] - database * values["rate"] / (os.cpu_count() or 1)
    values["others_share"] = round(max(0.0, others), 2)
    details = {"windows": windows_of(result), "pairs": pairs, "in_flight": in_flight}
    yield Row(name, values, {}, details)


def _cpu(server: servers.Server) -> float:
    """Processor seconds of all processes of a server."""
    assert server.process is not None
    # A helper starts the server in its own place, so the number is the server's.
    return cpu_of_family(server.process.pid)


def _drained(
    name: str, engine: Engine, server: servers.Server, options: Options
) -> Iterator[Row]:
    """Devices come back and fetch what has come for them."""
    url = server.url(server.database())
    with workplace(options.directory) as directory:
        people = settle(directory, SENDERS + AWAY, url=url)
        with served(directory, options.profile, url=url) as node:
            Crowd(node.port).visit(people)
            senders, away = people[:SENDERS], people[SENDERS:]
            _result, count = store(node, senders, away, options.scaled(DRAINED))
            before = _cpu(server)
            spent, _watched = drain(node, away, count)
            database = (_cpu(server) - before) / count * 1e6
    values = {**spent.per_message(), "database_cpu_us": round(database, 1)}
    yield Row(name, values, {}, {"users": AWAY, "texts": count})


def _one(
    name: str, engine: Engine, server: servers.Server, options: Options
) -> Iterator[Row]:
    """Pages out of one conversation, while it is short and when it is long."""
    found: dict[str, float] = {}

    async def work(shard: IShard, people: list[Person]) -> None:
        first, second = people[0].address, people[1].address
        count = 0
        for size in (FEW, options.scaled(LARGE if options.large else MANY)):
            while count < size:
                now, text = time.time_ns(), f"{count:0100d}"
                drafts = [
                    Draft(first, second, count + n, False, now, Content(text))
                    for n in range(1, TOGETHER + 1)
                ]
                await shard.messages.post(Batch(tuple(drafts), ()))
                count += TOGETHER
            both = Conversation.between(first.number, second.number)
            places = [(both, random.randint(PAGE, count)) for _ in range(PAGES)]
            found.update(await _paged(shard, places, f"_{count}"))

    with workplace(options.directory) as directory:
        settle(directory, 2, work, server.url(server.database()))
    yield Row(name, found)


def _many(
    name: str, engine: Engine, server: servers.Server, options: Options
) -> Iterator[Row]:
    """Pages out of many conversations; rows and bytes of a message."""
    database = server.database()
    accounts = options.scaled(ACCOUNTS) * (10 if options.large else 1)
    count = options.scaled(LARGE if options.large else MANY)
    found: dict[str, float] = {}

    async def work(shard: IShard, people: list[Person]) -> None:
        traffic = Stored([person.address for person in people])
        before = _size(engine, server, database)
        pairs: set[Conversation] = set()
        for _ in range(0, count, TOGETHER):
            drafts = traffic.drafts(TOGETHER)
            pairs.update(draft.conversation for draft in drafts)
            await shard.messages.post(Batch(tuple(drafts), ()))
        rows, octets = _size(engine, server, database)
        found["rows_each"] = round((rows - before[0]) / count, 2)
        found["bytes_each"] = round((octets - before[1]) / count)
        found["conversations"] = len(pairs)
        chosen = random.sample(sorted(pairs), min(PAGES, len(pairs)))
        found.update(await _paged(shard, [(pair, 0) for pair in chosen]))

    with workplace(options.directory) as directory:
        settle(directory, accounts, work, server.url(database))
    yield Row(name, found)


async def _paged(
    shard: IShard, places: Sequence[tuple[Conversation, int]], label: str = ""
) -> dict[str, float]:
    """How long it takes to read a page at each of these places."""
    taken = []
    for pair, newest in places:
        begun = time.perf_counter()
        await shard.messages.history(pair, newest, None, PAGE)
        taken.append((time.perf_counter() - begun) * 1e3)
    taken.sort()
    middle, last = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    return {f"p50_ms{label}": round(middle, 2), f"p99_ms{label}": round(last, 2)}


def _size(engine: Engine, server: servers.Server, database: str) -> tuple[int, int]:
    """Rows of all tables that grow with messages, and bytes of the database."""
    rows = 0
    for table in ("message", "log", "send_once", "counter", "member"):
        rows += server.ask(f"SELECT count(*) FROM {table}", database)[0][0]
    return rows, int(server.ask(engine.size.format(database))[0][0])


def _talking(in_flight: int) -> Any:
    """The part with so many messages in flight."""
    return partial(_talk, in_flight=in_flight)


_WHAT: Final[Mapping[str, Any]] = {
    **{f"{count} in flight": _talking(count) for count in CASES},
    "drain": _drained,
    "history of one": _one,
    "history of many": _many,
}
