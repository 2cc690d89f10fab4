"""A line between a browser and a node that a test can mute and cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Final

CHUNK: Final = 65536
"""Bytes that are carried at once."""


class Line:
    """Carries bytes between a port of its own and a node's, in threads."""

    def __init__(self, target: int) -> None:
        """Listen; every connection leads to the port ``target``."""
        self._target = target
        self._muted = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def mute(self) -> None:
        """From now on what the node says is lost; what it is told still arrives."""
        self._muted.set()

    def cut(self) -> None:
        """End all connections; new ones carry both directions again."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._muted.clear()

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._sockets += [near, far]
            for source, sink, mutable in ((near, far, False), (far, near, True)):
                arguments = (source, sink, mutable)
                threading.Thread(
                    target=self._carry, args=arguments, daemon=True
                ).start()

    def _carry(self, source: socket.socket, sink: socket.socket, mutable: bool) -> None:
        with contextlib.suppress(OSError), source:
            while data := source.recv(CHUNK):
                if not (mutable and self._muted.is_set()):
                    sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
