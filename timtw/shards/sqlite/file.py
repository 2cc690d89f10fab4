"""The database file: made private, held by one process, opened durable.

The file is locked through ``<name>.lock`` beside it for as long as the engine runs: the
one process that writes may then know its counters by heart.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path
from sqlite3 import connect
from typing import Final
from urllib.parse import quote

import attrs

from timtw.model.limits import STORAGE_BUSY_SECONDS
from timtw.model.stores import ShardError, ShardInUse

STATEMENTS_CACHED: Final = 256
"""Prepared statements kept per connection; there are fewer than that."""
CACHE_KIB: Final = 32 * 1024
"""Page cache of the writer; a reader has a quarter of it."""
CHECKPOINT_PAGES: Final = 2000
"""Pages of the write-ahead log (4 KiB each) that bring it into the file: few of them
change again before that, so waiting longer only makes a longer stop of it."""

_FULL: Final = 2
"""What ``PRAGMA synchronous`` answers when each commit waits for the disk."""


@attrs.define(eq=False)
class DatabaseFile:
    """The place of a database and how it is opened.

    Args:
        synchronous: Only test builds say anything but FULL.
        least_synchronous: What the live connection must answer at least.
    """

    path: Path
    synchronous: str = "FULL"
    least_synchronous: int = _FULL
    _lock: int | None = None

    def take(self) -> None:
        """
        Make the file if it is missing, and hold it.

        Raises ShardError: another process holds it, or it cannot be made.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not closed here: the lock lives as long as the descriptor.
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            self._lock = lock
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            self.release()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES) and self._held(error):
                raise ShardInUse(
                    f"the database {self.path} is in use by another node"
                ) from None
            raise ShardError(
                f"the database {self.path} cannot be opened: {error.strerror}"
            ) from None

    @staticmethod
    def _held(error: OSError) -> bool:
        """Whether the error came from the lock, which names no file."""
        return error.filename is None

    def release(self) -> None:
        """Let others have the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open_writer(self) -> sqlite3.Connection:
        """
        The connection that writes.

        Raises ShardError: what it writes would not survive a crash.
        """
        connection = self._open(CACHE_KIB)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            # Read back from the live connection: settings can be refused silently.
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            if mode != "wal" or level < self.least_synchronous:
                raise ShardError(
                    f"the database {self.path} is not durable "
                    f"(journal_mode {mode}, synchronous {level})"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def open_reader(self) -> sqlite3.Connection:
        """A connection that cannot write."""
        connection = self._open(CACHE_KIB // 4)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _open(self, cache: int) -> sqlite3.Connection:
        """A connection to the file, which must exist, without implicit transactions."""
        connection = connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=STORAGE_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_CACHED,
        )
        connection.execute(f"PRAGMA cache_size = -{cache}")
        return connection
