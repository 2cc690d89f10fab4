"""``timtw user``, put together: the commands, and the storage of a stopped node.

``python -m timtw.users add ada --config=node.ini`` runs them without ``timtw``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from timtw.config import NodeConfig
from timtw.model.stores import ShardError
from timtw.office import commands, requests
from timtw.office.requests import Answer, Fields

T = TypeVar("T")
_MEMORY: Final = "memory:"
_TURN: Final = 0.1
"""Seconds that a turn of the reactor lasts when nothing happens."""


@contextmanager
def opened(config: NodeConfig) -> Iterator[commands.Ask]:
    """
    The office over the storage of a node that does not run.

    Raises ShardError: the storage cannot be opened.
    """
    # Not at the top: beside a running node nothing of this is needed.
    from twisted.internet.selectreactor import SelectReactor

    from timtw.core.logins.passwords import ArgonPasswords
    from timtw.core.office import Office
    from timtw.shards.opening import open_shard

    url = str(config.shards[0].url)
    if url == _MEMORY:
        raise ShardError("no node runs, and memory: keeps nothing without one")
    # A reactor of its own, not the global one: it turns while somebody waits.
    reactor: Any = SelectReactor()
    reactor.startRunning(installSignalHandlers=False)
    node = config.node
    shard = open_shard(url, str(node.state_dir), str(node.keys), reactor, time.time_ns)
    _wait(reactor, shard.start())
    passwords = ArgonPasswords(reactor)
    passwords.start()
    try:
        office = Office(shard.accounts, passwords, time.time_ns)

        def ask(request: Fields) -> Answer:
            return _wait(reactor, requests.answer(office, request))

        yield ask
    finally:
        passwords.stop()
        _wait(reactor, shard.stop())


def _wait(reactor: Any, result: Deferred[T] | Coroutine[Any, Any, T]) -> T:
    """Turn the reactor until ``result`` is there."""
    if not isinstance(result, Deferred):
        result = Deferred.fromCoroutine(result)
    found: list[T] = []
    failures: list[Failure] = []
    _ = result.addCallbacks(found.append, failures.append)
    while not (found or failures):
        reactor.iterate(_TURN)
    if failures:
        failures[0].raiseException()
    return found[0]


def add_parser(subparsers: Any) -> None:
    """Add ``user`` and its commands to a parser's commands."""
    commands.add_parser(subparsers, opened)


def main(words: Sequence[str]) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="timtw", description="Accounts by hand.")
    add_parser(parser.add_subparsers(metavar="COMMAND", required=True))
    arguments = parser.parse_args(["user", *words])
    status: int = arguments.func(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
