"""Runs twistd in a process that can be hindered; the node in it knows nothing of that.

    python -m timtw.loss.launcher -n tim --config=node.ini

Orders come as lines on the standard input:

* ``clock -60`` sets the wall clock that the program sees back by a minute,
* ``pages 1`` keeps the database from growing by a page, ``pages 0`` lets it grow,
* ``size 4096`` keeps files from growing beyond so many bytes, ``size -1`` ends that.

At their end the process ends: no node is left behind by a checker that is killed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from typing import Any, Final, TextIO

ANY_SIZE: Final = 4_294_967_294
"""The most pages that SQLite lets a database have."""
_CAPABILITIES: Final = 0x20080522
"""The version of what Linux is told of capabilities."""
_OVERRIDES: Final = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: root may write where nobody may."""


class Hindrances:
    """What is wrong with the machine that the node sees."""

    def __init__(self) -> None:
        """Nothing is wrong."""
        self.shift = 0.0
        self.pages = ANY_SIZE

    def order(self, words: Sequence[str]) -> None:
        """Carry out one order."""
        kind, amount = words[0], int(words[1])
        if kind == "clock":
            self.shift += amount
        elif kind == "pages":
            self.pages = amount or ANY_SIZE
        elif kind == "size":
            _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            soft = hard if amount < 0 else amount
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def listen(self, orders: TextIO) -> None:
        """Carry out every order until there are no more."""
        for line in orders:
            self.order(line.split())

    def set_clock(self) -> None:
        """Whoever asks for the time of day from now on is told ours."""
        seconds, nanoseconds = time.time, time.time_ns
        time.time = lambda: seconds() + self.shift
        time.time_ns = lambda: nanoseconds() + int(self.shift * 1e9)


class Connection(sqlite3.Connection):
    """A connection to a database that may be kept from growing."""

    hindrances: Hindrances
    _pages = ANY_SIZE

    def execute(self, *words: Any) -> sqlite3.Cursor:
        """As in any connection, with as many pages as there may be by now."""
        pages = self.hindrances.pages
        if pages != self._pages:
            self._pages = pages
            super().execute(f"PRAGMA max_page_count = {pages}")
        return super().execute(*words)


def _obey_modes() -> None:
    """Take from root what lets it write into a directory that forbids that."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    data = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "capget") and libc.capget(header, data) == 0:
        data[0] &= ~_OVERRIDES
        libc.capset(header, data)


def hinder() -> None:
    """Become a process that can be hindered; before anything asks for the time."""
    hindrances = Connection.hindrances = Hindrances()
    hindrances.set_clock()
    connect: Any = partial(sqlite3.connect, factory=Connection)
    sqlite3.connect = connect
    _obey_modes()
    Thread(target=_serve, args=(hindrances,), daemon=True).start()


def _serve(hindrances: Hindrances) -> None:
    """Carry out orders; when whoever gives them is gone, the process ends."""
    hindrances.listen(sys.stdin)
    os._exit(1)


def main(words: Sequence[str], prepare: Callable[[], None] | None = None) -> None:
    """Be twistd, hindered; ``prepare`` is called when the clock is ours."""
    hinder()
    if prepare is not None:
        prepare()
    # Not at the top: Twisted keeps the clock that it finds.
    from twisted.scripts.twistd import run

    sys.argv = ["twistd", *words]
    run()


if __name__ == "__main__":
    main(sys.argv[1:])
