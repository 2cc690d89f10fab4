"""Clients on TCP: each frame behind its length, and nothing else.

docs/reference/protocol.md, section 1.7: a length of four bytes, big-endian, and then
what one WebSocket message would carry.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableDescriptor,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure

from timtw.model.limits import STALLED_SECONDS
from timtw.protocols.clientline import ClientLine, Shared
from timtw.protocols.frames import TCP_ANSWER, tcp_answers, tcp_message
from timtw.protocols.sources import counted, source_of

_LENGTH: Final = 4
"""Bytes of the length in front of each frame."""


class TcpClient(ClientLine, Protocol):
    """One client on a plain byte stream, or on TLS.

    A frame that has begun has to be complete within ``STALLED_SECONDS``; the time in
    which nothing is read from the client does not count.
    """

    pack = staticmethod(tcp_message)

    def __init__(self, shared: Shared, source: str) -> None:
        super().__init__(shared, source)
        self._connected = False
        self._stopped = False
        self._limit = 0
        self._waiting: bytearray | None = None
        self._needed = 0
        self._begun: float | None = None
        self._stall: IDelayedCall | None = None

    # From the transport.

    def connectionMade(self) -> None:
        """The stream is ready."""
        self._connected = True
        self.opened()

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the client; once the line is ending they mean nothing."""
        if self._ending:
            return
        waiting = self._waiting
        if waiting or self._stopped:
            if waiting is None:
                waiting = self._waiting = bytearray()
            waiting += data
            if self._stopped or len(waiting) < self._needed:
                return
            self._take_waiting()
        else:
            self._take(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The line is gone."""
        self._connected = False
        self._waiting = None
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self.ended()

    # Reading.

    def _take_waiting(self) -> None:
        """Take what has waited; after a pause as well as when a frame is complete."""
        if self._ending or self._stopped or not self._waiting:
            return
        data = bytes(self._waiting)
        self._waiting = None
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Hand on every frame that is complete; the rest waits."""
        start, size = 0, len(data)
        needed = _LENGTH
        if size >= 2 * TCP_ANSWER and self._wire.takes_answers:
            receipts = tcp_answers(data)
            if receipts:
                self.answers(receipts)
                start = len(receipts) * TCP_ANSWER
        while not (self._stopped or self._ending) and size - start >= _LENGTH:
            body = start + _LENGTH
            length = int.from_bytes(data[start:body], "big")
            if length > self._limit:
                self._too_long(data[body : body + 1])
                return
            if size - body < length:
                needed = _LENGTH + length
                break
            start = body + length
            self.message(data[body:start])
        if self._ending or not self._connected:
            return
        self._needed = needed
        if start < size:
            self._waiting = bytearray(data[start:])
        self._watch(begins=start > 0)

    def _too_long(self, head: bytes) -> None:
        """The rest cannot be told from further frames: say why, and end."""
        if self._out is not None:
            for frame in self._wire.too_long(head):
                self._out.write(self.pack(frame))
        self.close()

    def _watch(self, begins: bool) -> None:
        """An incomplete frame has its time, from when it began."""
        if self._stopped or not self._waiting:
            self._begun = None
            return
        if begins or self._begun is None:
            self._begun = self._shared.clock.seconds()
        if self._stall is None:
            self._stall = self._shared.clock.callLater(STALLED_SECONDS, self._stalled)

    def _stalled(self) -> None:
        """Look how old the frame is that is incomplete now, if one is."""
        self._stall = None
        if self._begun is None:
            return
        clock = self._shared.clock
        left = self._begun + STALLED_SECONDS - clock.seconds()
        if left > 0:
            self._stall = clock.callLater(left, self._stalled)
        else:
            self.abort()

    # For the line.

    @property
    def in_touch(self) -> bool:
        """See ClientLine."""
        return self._connected

    def limit_frames(self, size: int) -> None:
        """See ClientLine."""
        self._limit = size

    def set_reading(self, stopped: bool) -> None:
        """See ClientLine; a line that is ending is read, so that its end is seen."""
        self._stopped = stopped
        if stopped and not self._ending:
            self._begun = None
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()
            if self._waiting:
                self._shared.turn.at_end(self._take_waiting)

    def say_end(self) -> None:
        """See ClientLine.

        Closing with bytes of the client unread would take back what was written last,
        so only our direction ends, where the transport can do that; the client's is
        read to its end, and cut when that takes too long.
        """
        self.reading_changed()
        transport: Any = self.transport
        transport.unregisterProducer()
        wrapped = isinstance(transport, ProtocolWrapper)  # TLS ends in its own way.
        halves = IHalfCloseableDescriptor.providedBy(transport) and not wrapped
        end = transport.loseWriteConnection if halves else transport.loseConnection
        end()

    def cut(self) -> None:
        """See ClientLine."""
        if self._connected:
            self._connected = False
            self.transport.abortConnection()


class TcpClients(Factory):
    """Makes the protocol of each connection."""

    noisy = False

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def buildProtocol(self, addr: IAddress | None) -> TcpClient:
        """The protocol for a client at ``addr``."""
        protocol = TcpClient(self._shared, counted(source_of(addr)))
        protocol.factory = self
        return protocol
