"""What goes out on a byte stream: gathered, written once a turn, never without bound.

A transport that has enough says so; then what follows waits here, the core is told,
and each time the transport has got rid of everything it is given a little more. So
the bytes that wait are known exactly, and so is whether a slow client moves at all.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.tcp import Server
from twisted.logger import Logger
from zope.interface import implementer

from timtw.model.limits import OUTBOX_BYTES, STALLED_SECONDS, WRITE_BYTES


def _sent(transport: Server, data: bytes) -> int:
    """
    Give the system as much as it takes, and say how much that was.

    Twisted would first ask whether the socket can be written, which costs more than
    writing: of a thousand sockets nearly all can. Where Twisted has something waiting
    already, or there is an error, it is left to it; so it is in a version of Twisted
    that keeps what waits elsewhere.
    """
    waiting = getattr(transport, "_tempDataLen", True)
    buffered = waiting or len(transport.dataBuffer) > transport.offset
    if buffered or transport.TLS or not transport.connected or transport.disconnecting:
        return 0
    sent = transport.writeSomeData(data)
    return sent if isinstance(sent, int) and sent > 0 else 0


class Turn:
    """Runs what it is given once, when the reactor has done all it has at hand.

    One for all connections of a node: it costs one timed call a turn, not one each.
    """

    __slots__ = ("_clock", "_waiting")

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: list[Callable[[], None]] = []

    def at_end(self, call: Callable[[], None]) -> None:
        """Call ``call`` at the end of this turn."""
        if not self._waiting:
            self._clock.callLater(0, self._run)
        self._waiting.append(call)

    def _run(self) -> None:
        """
        Run everything; what it asks for in turn belongs to the next turn.

        A fault of ours in one call costs the others nothing.
        """
        calls, self._waiting = self._waiting, []
        for call in calls:
            try:
                call()
            except Exception:
                self._log.failure("a fault at the end of a turn")


class Line(Protocol):
    """What an outflow tells the connection it belongs to."""

    def line_full(self) -> None:
        """The client reads too slowly; what is written from now on waits."""

    def line_free(self) -> None:
        """Everything that was written has been taken."""

    def line_dead(self) -> None:
        """Too much waits, or nothing has been taken for too long."""


class Sink(Protocol):
    """The part of a transport that an outflow uses."""

    def write(self, data: bytes) -> object:
        """Send ``data``."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> object:
        """Tell ``producer`` when there is enough."""


@implementer(IPushProducer)
class Outflow:
    """The bytes on their way to one client."""

    __slots__ = (
        "_clock",
        "_due",
        "_full",
        "_line",
        "_size",
        "_slow",
        "_stalled",
        "_transport",
        "_turn",
        "_waiting",
    )

    def __init__(
        self, line: Line, transport: Sink, turn: Turn, clock: IReactorTime
    ) -> None:
        self._line: Line | None = line
        self._transport = transport
        self._turn = turn
        self._clock = clock
        # An empty list takes 56 bytes, an empty deque 760.
        self._waiting: list[bytes] | None = None
        self._size = 0
        self._due = False
        self._full = False
        self._slow = False
        self._stalled: IDelayedCall | None = None
        transport.registerProducer(self, True)

    @property
    def empty(self) -> bool:
        """Whether the transport has been given everything."""
        return not self._waiting

    def write(self, data: bytes) -> None:
        """Send ``data`` with what else this turn brings."""
        if self._size > OUTBOX_BYTES:
            if self._line is not None:
                self._line.line_dead()
            return
        if self._waiting is None:
            self._waiting = [data]
        else:
            self._waiting.append(data)
        self._size += len(data)
        if self._full:
            return
        if self._size >= WRITE_BYTES:
            self.flush()
        elif not self._due:
            self._due = True
            self._turn.at_end(self._end_of_turn)

    def _end_of_turn(self) -> None:
        """Write what this turn has brought."""
        self._due = False
        self.flush()

    def flush(self) -> None:
        """Give the transport what waits, as long as it wants more."""
        transport = self._transport
        while self._waiting and not self._full:
            data = self._next(self._waiting)
            if type(transport) is Server:
                data = data[_sent(transport, data) :]
            if data:
                transport.write(data)

    def _next(self, waiting: list[bytes]) -> bytes:
        """Take what is given to the transport at once: whole frames, at least one."""
        if self._size <= WRITE_BYTES:
            self._waiting, self._size = None, 0
            return waiting[0] if len(waiting) == 1 else b"".join(waiting)
        count, size = 1, len(waiting[0])
        for data in islice(waiting, 1, None):
            size += len(data)
            if size > WRITE_BYTES:
                break
            count += 1
        data = waiting[0] if count == 1 else b"".join(waiting[:count])
        del waiting[:count]
        self._size -= len(data)
        return data

    def pauseProducing(self) -> None:
        """The transport has enough."""
        if self._full or self._line is None:
            return
        self._full = True
        self._stalled = self._clock.callLater(STALLED_SECONDS, self._stall)
        if not self._slow:
            self._slow = True
            self._line.line_full()

    def resumeProducing(self) -> None:
        """The transport has got rid of all it had; the client has moved."""
        if not self._full or self._line is None:
            return
        self._full = False
        self._stop_clock()
        self.flush()
        if not self._full:
            self._slow = False
            self._line.line_free()

    def stopProducing(self) -> None:
        """The transport is gone."""
        self.stop()

    def stop(self) -> None:
        """Drop what waits and forget the connection."""
        self._line = self._waiting = None
        self._size = 0
        self._stop_clock()

    def _stop_clock(self) -> None:
        """The client has moved."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _stall(self) -> None:
        """The client has not moved for too long."""
        self._stalled = None
        if self._line is not None:
            self._line.line_dead()
