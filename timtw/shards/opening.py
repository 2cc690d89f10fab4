"""Which engine stands behind a URL of the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from timtw.model.stores import IShard, ShardError
from timtw.shards.memory import MemoryShard
from timtw.shards.sqlite import SqliteShard

DEFAULT_NAME: Final = "tim.db"
_MEMORY: Final = "memory:"
_SQLITE: Final = "sqlite:///"


def open_shard(url: str, state_dir: str, keys: str, reactor: Any) -> IShard:
    """
    The engine behind ``url``, not yet started.

    Args:
        url: ``memory:``, or ``sqlite:///`` and a path, or empty for ``tim.db`` in
            ``state_dir``.
        keys: The directory of the master key; an engine without a file needs none.
        reactor: Anything with the time and the threads of a reactor.

    Raises ShardError: there is no such engine.
    """
    if url == _MEMORY:
        return MemoryShard(reactor, os.urandom)
    if not url:
        path = Path(state_dir) / DEFAULT_NAME
    elif url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        path = Path(url[len(_SQLITE) :])
    else:
        # Only the part before the colon: the rest may hold a password.
        scheme = url.partition(":")[0]
        raise ShardError(
            f"no storage engine for a url that begins with {scheme!r}: "
            "use memory: or sqlite:///PATH"
        )
    return SqliteShard(path, Path(keys), reactor, reactor, os.urandom)
