"""Accounts that exist before a node starts, each with a credential for one device.

A registration and a first login cost an argon2id hash each, which is meant and not what
is measured here. So the accounts are put into the storage directly, in memory, and the
finished directory is copied to the disk; from then on everything goes over the wire.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from timtw.loss.speech import Login
from timtw.model.stores import IShard
from timtw.model.values import Address, Device
from timtw.shards.opening import open_shard

T = TypeVar("T")
DEVICE: Final = Device("load", 1)
TOGETHER: Final = 500
"""Accounts that are made at the same time."""
MEMORY_FILES: Final = Path("/dev/shm")
"""Where flushing costs nothing."""


@attrs.frozen
class Person:
    """An account, and what its device logs in with."""

    address: Address
    credential: str

    @property
    def node(self) -> str:
        """What others call the account."""
        return self.address.node

    def login(self, additions: bool = False) -> Login:
        """The login of the person's device."""
        assert DEVICE.resource is not None and DEVICE.kind is not None
        return Login("", "", DEVICE.resource, DEVICE.kind, additions, self.credential)


Preparation = Callable[[IShard, list[Person]], Coroutine[Any, Any, None]]
"""What else is put into the storage."""


def settle(
    directory: Path, count: int, more: Preparation | None = None, url: str = ""
) -> list[Person]:
    """
    Make a state directory with so many accounts below ``directory``.

    Args:
        more: Called with the open storage when the accounts are there.
        url: The database on a server where everything but the keys goes.
    """
    if url:
        return _within(directory / "state", count, more, url)
    place = MEMORY_FILES if MEMORY_FILES.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as fast:
        state = Path(fast) / "state"
        state.mkdir()
        people = _within(state, count, more)
        shutil.copytree(state, directory / "state")
    return people


def _within(
    state: Path, count: int, more: Preparation | None, url: str = ""
) -> list[Person]:
    """Open a storage, fill it and close it."""
    reactor: Any = SelectReactor()
    reactor.startRunning(installSignalHandlers=False)
    keys = state / "keys"
    shard = open_shard(url, str(state), str(keys), reactor, time.time_ns)

    async def work() -> list[Person]:
        await shard.start()
        people: list[Person] = []
        for first in range(0, count, TOGETHER):
            numbers = range(first, min(first + TOGETHER, count))
            people += await gatherResults([_made(shard, n) for n in numbers])
        if more is not None:
            await more(shard, people)
        await shard.stop()
        return people

    try:
        return _turned(reactor, Deferred.fromCoroutine(work()))
    finally:
        reactor.fireSystemEvent("shutdown")


def _made(shard: IShard, number: int) -> Deferred[Person]:
    """One account with its credential."""

    async def work() -> Person:
        now = time.time_ns()
        account = await shard.accounts.register(f"person{number}", "", "-", now)
        credential = f"r-{number:043d}"
        owner = account.address.number
        await shard.accounts.put_credential(owner, DEVICE, credential, now)
        return Person(account.address, credential)

    return Deferred.fromCoroutine(work())


def _turned(reactor: Any, result: Deferred[T]) -> T:
    """Turn the reactor until ``result`` is there."""
    found: list[T] = []
    failures: list[Failure] = []
    _ = result.addCallbacks(found.append, failures.append)
    while not (found or failures):
        # ``iterate(0.1)`` would wait so long for bytes while a timed call is due.
        reactor.runUntilCurrent()
        wait = reactor.timeout()
        reactor.doIteration(0.1 if wait is None else min(wait, 0.1))
    if failures:
        failures[0].raiseException()
    return found[0]
