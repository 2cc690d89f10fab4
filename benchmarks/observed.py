"""``twistd`` that tells how many timers wait, and whose its memory is.

    python -m benchmarks.observed SOCKET WORDS OF TWISTD ...

The node is the same; a thread beside it answers whoever connects to the Unix socket
with one line of JSON, and sleeps otherwise. /proc tells everything else from outside.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import json
import socket
import sys
from threading import Thread
from typing import Any

from twisted.internet.threads import blockingCallFromThread


def observe(path: str) -> None:
    """Begin to answer on a socket at ``path``."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    Thread(target=_answer, args=(listening,), daemon=True).start()


def _answer(listening: socket.socket) -> None:
    """Answer one after the other."""
    while True:
        line, _ = listening.accept()
        # twistd chooses the reactor, so it is known only when the node runs.
        from twisted.internet import reactor

        running: Any = reactor
        counted = blockingCallFromThread(running, _count, running)
        line.sendall(json.dumps(counted).encode())
        line.close()


def _count(reactor: Any) -> dict[str, int]:
    """What the reactor has to do, how many objects Python has, what SQLite takes."""
    used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    used.restype = ctypes.c_int64
    return {
        "timers": len(reactor.getDelayedCalls()),
        "sockets": len(reactor.getReaders()),
        "objects": sys.getallocatedblocks(),
        "sqlite_kb": used() // 1024,
    }


def asked(path: str) -> dict[str, int]:
    """What the node at ``path`` says."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    told: dict[str, int] = json.loads(answer)
    return told


if __name__ == "__main__":
    observe(sys.argv.pop(1))
    from twisted.scripts.twistd import run

    run()
