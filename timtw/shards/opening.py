"""Which engine stands behind a URL of the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from timtw.model.stores import IShard, ShardError
from timtw.shards.memory import MemoryShard
from timtw.shards.places import MYSQL, POSTGRESQL, place_of
from timtw.shards.server import ServerShard
from timtw.shards.sqlite import SqliteShard

DEFAULT_NAME: Final = "tim.db"
_MEMORY: Final = "memory:"
_SQLITE: Final = "sqlite:///"
_SERVERS: Final = (f"{POSTGRESQL}:", f"{MYSQL}:")


def open_shard(
    url: str, state_dir: str, keys: str, reactor: Any, patience: float = 0
) -> IShard:
    """
    The engine behind ``url``, not yet started.

    Args:
        url: ``memory:``, or ``sqlite:///`` and a path, or empty for ``tim.db`` in
            ``state_dir``, or what ``timtw.shards.places`` reads.
        keys: The directory of the master key; an engine without a file needs none.
        reactor: Anything with the time, the sockets and the threads of a reactor.
        patience: Seconds that its start waits for a database on a server.

    Raises ShardError: there is no such engine.
    """
    if url == _MEMORY:
        return MemoryShard(reactor, os.urandom)
    if url.startswith(_SERVERS):
        place = place_of(url)
        return ServerShard(place, Path(keys), patience, reactor, os.urandom)
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
    return SqliteShard(path, Path(keys), reactor, reactor, os.urandom)
