"""Which engine stands behind a URL of the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from timtw.model.stores import IShard, ShardError
from timtw.shards.memory.shard import MemoryShard
from timtw.shards.server.places import MYSQL, POSTGRESQL, place_of
from timtw.shards.server.shard import ServerShard
from timtw.shards.sqlite.shard import SqliteShard

DEFAULT_NAME: Final = "tim.db"
_MEMORY: Final = "memory:"
_SQLITE: Final = "sqlite:///"
_SERVERS: Final = (f"{POSTGRESQL}:", f"{MYSQL}:")


@implementer(IReactorTime)
class Calendar:
    """The timers of a reactor with the time of day, which is what things expire by."""

    def __init__(self, reactor: IReactorTime, time_ns: Callable[[], int]) -> None:
        self._reactor = reactor
        self._time_ns = time_ns

    def seconds(self) -> float:
        """Seconds since 1970; they go back when the clock is set back."""
        return self._time_ns() / 1e9

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any
    ) -> IDelayedCall:
        """See ``IReactorTime``; the delay does not depend on the time of day."""
        return self._reactor.callLater(delay, callable, *args, **kw)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """See ``IReactorTime``."""
        return self._reactor.getDelayedCalls()


def open_shard(
    url: str,
    state_dir: str,
    keys: str,
    reactor: Any,
    time_ns: Callable[[], int],
    patience: float = 0,
) -> IShard:
    """
    The engine behind ``url``, not yet started.

    Args:
        url: ``memory:``, or ``sqlite:///`` and a path, or empty for ``tim.db`` in
            ``state_dir``, or what ``timtw.shards.server.places`` reads.
        keys: The directory of the master key; an engine without a file needs none.
        reactor: Anything with the time, the sockets and the threads of a reactor.
        time_ns: The time of day, nanoseconds since 1970.
        patience: Seconds that its start waits for a database on a server.

    Raises ShardError: there is no such engine.
    """
    calendar = Calendar(reactor, time_ns)
    if url == _MEMORY:
        return MemoryShard(calendar, os.urandom)
    if url.startswith(_SERVERS):
        place = place_of(url)
        return ServerShard(place, Path(keys), patience, reactor, calendar, os.urandom)
    if not url:
        path = Path(state_dir) / DEFAULT_NAME
    elif url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        path = Path(url[len(_SQLITE) :])
    else:
        # Only the part before the colon: the rest may hold a password.
        scheme = url.partition(":")[0]
        raise ShardError(
            f"no storage engine for a url that begins with {scheme!r}: "
            "use memory:, sqlite:///PATH, postgresql://... or mysql://..."
        )
    return SqliteShard(path, Path(keys), reactor, calendar, os.urandom)
