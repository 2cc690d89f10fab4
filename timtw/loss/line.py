"""A loop of timers and sockets, and a client's line in it.

One selector drives all lines of a history, so that a seed decides what the devices
do. Nothing here blocks, and nothing waits without a bound.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import struct
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from timtw.loss.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    BadFrame,
    FrameReader,
    frame,
    handshake,
)

GLANCE: Final = 0.1
"""Seconds after which a loop looks at the clock though nothing happens."""
CHUNK: Final = 65536
"""Bytes that are read from a socket at once."""
SIP: Final = 256
"""Bytes that a slow reader reads at once."""
SIP_SECONDS: Final = 0.02
"""How long a slow reader rests between two of them."""
ROOM: Final = 4096
"""Bytes that the operating system keeps for a slow reader at least."""


class Timer:
    """Something that is to be done at a time, unless it is cancelled."""

    def __init__(self, call: Callable[[], None]) -> None:
        """Do ``call`` when the time comes."""
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Do nothing when the time comes."""
        self.call = None


class Stopped(Exception):
    """Nobody wants to know how the history ends."""


class Loop:
    """Timers and sockets of one history."""

    def __init__(self, stop: Event | None = None) -> None:
        """A loop without anything in it, which ends when ``stop`` is set."""
        self._stop = stop or Event()
        self.selector = selectors.DefaultSelector()
        self.vanished: list[socket.socket] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Do ``call`` in so many seconds."""
        timer = Timer(call)
        self._count += 1
        due = time.monotonic() + seconds
        heapq.heappush(self._timers, (due, self._count, timer))
        return timer

    def run(self, done: Callable[[], bool], seconds: float) -> bool:
        """
        Run until ``done`` says so or the time is up; whether it said so.

        Raises Stopped: ``stop`` was set.
        """
        end = time.monotonic() + seconds
        while not done():
            if self._stop.is_set():
                raise Stopped
            now = time.monotonic()
            if now >= end:
                return False
            self._turn(now, end)
        return True

    def close(self) -> None:
        """Give back what the operating system lent."""
        for lost in self.vanished:
            lost.close()
        self.selector.close()

    def _turn(self, now: float, end: float) -> None:
        """Wait for the next thing, and do all that is due."""
        end = min(end, now + GLANCE)
        wait = min(end, self._timers[0][0] if self._timers else end) - now
        for key, mask in self.selector.select(max(0.0, wait)):
            key.data(mask)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                call()


class Line:
    """A WebSocket to the node, from the first byte to the last."""

    def __init__(
        self,
        loop: Loop,
        port: int,
        heard: Callable[[bytes], None],
        lost: Callable[[str], None],
        slow: bool = False,
    ) -> None:
        """
        Begin to connect.

        Args:
            heard: Called with every binary frame.
            lost: Called once when the line is gone without our doing, with a
                complaint, which is empty if the node simply went away.
            slow: Read a few bytes now and then.
        """
        self._loop = loop
        self._heard = heard
        self._lost = lost
        self._reader = FrameReader()
        self._out = handshake(f"127.0.0.1:{port}")
        self._held = b""
        self._reading = True
        self._slow = slow
        self.open = True
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if slow:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self._socket.connect_ex(("127.0.0.1", port))
        loop.selector.register(self._socket, selectors.EVENT_WRITE, self._ready)
        self._connected = False

    def send(self, payload: bytes) -> None:
        """Send a frame, at once or when the line is open."""
        data = frame(payload)
        if not self._reader.upgraded:
            self._held += data
            return
        self._out += data
        self._write()

    def read(self, wanted: bool) -> None:
        """Read from the socket, or let what comes pile up in it."""
        self._reading = wanted
        self._watch()

    def drop(self, hard: bool) -> None:
        """Leave without a word; ``hard`` with a reset instead of an end."""
        if self.open and hard:
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._end()

    def vanish(self) -> None:
        """Leave so that the node hears nothing of it: the socket stays as it is."""
        if self.open:
            self.open = False
            self._unwatch()
            self._loop.vanished.append(self._socket)

    def _ready(self, mask: int) -> None:
        """The selector has something."""
        self._connected = True
        if self.open and mask & selectors.EVENT_WRITE:
            self._write()
        if self.open and mask & selectors.EVENT_READ:
            self._read()

    def _read(self) -> None:
        """Take what has come."""
        try:
            data = self._socket.recv(SIP if self._slow else CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone("")
            return
        if self._slow:
            self.read(False)
            self._loop.later(SIP_SECONDS, lambda: self.read(True))
        try:
            frames = self._reader.feed(data)
        except BadFrame as error:
            self._gone(f"got what is no frame: {error}")
            return
        if self._held and self._reader.upgraded:
            self._out, self._held = self._out + self._held, b""
            self._write()
        for opcode, payload in frames:
            if self.open:
                self._frame(opcode, payload)

    def _frame(self, opcode: int, payload: bytes) -> None:
        """Take one frame."""
        if opcode == BINARY:
            self._heard(payload)
        elif opcode == PING:
            self._out += frame(payload, PONG)
            self._write()
        elif opcode == CLOSE:
            self._gone("")
        else:
            self._gone(f"got a frame with opcode {opcode}")

    def _write(self) -> None:
        """Hand over what the socket takes."""
        if self.open and self._connected and self._out:
            try:
                self._out = self._out[self._socket.send(self._out) :]
            except BlockingIOError:
                pass
            except OSError:
                # What the node wrote before it went may still be read.
                self._out = b""
                if not self._reading:
                    self._gone("")
                    return
        self._watch()

    def _watch(self) -> None:
        """Tell the selector what is wanted."""
        if not self.open:
            return
        wanted = selectors.EVENT_WRITE if self._out else 0
        if self._reading and self._connected:
            wanted |= selectors.EVENT_READ
        registered = self._socket.fileno() in self._loop.selector.get_map()
        if not wanted:
            if registered:
                self._loop.selector.unregister(self._socket)
        elif registered:
            self._loop.selector.modify(self._socket, wanted, self._ready)
        else:
            self._loop.selector.register(self._socket, wanted, self._ready)

    def _gone(self, complaint: str) -> None:
        """The line is gone; tell it."""
        if self.open:
            self._end()
            self._lost(complaint)

    def _end(self) -> None:
        """Close the socket."""
        if self.open:
            self.open = False
            self._unwatch()
            self._socket.close()

    def _unwatch(self) -> None:
        """Hear nothing more of the socket."""
        if self._socket.fileno() in self._loop.selector.get_map():
            self._loop.selector.unregister(self._socket)
