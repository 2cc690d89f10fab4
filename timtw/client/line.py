"""One connection to a node: bytes of a socket to frames and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Protocol as Shape

from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.client.addresses import Framing
from timtw.client.trouble import words
from timtw.client.wsframes import BadLine
from timtw.model.limits import CLIENT_SILENCE_SECONDS


class Owner(Shape):
    """Who uses a line."""

    def line_made(self, line: Line) -> None:
        """There is a transport; the handshake begins."""
        ...

    def line_opened(self) -> None:
        """Frames may be written from now on."""
        ...

    def line_heard(self, frame: bytes) -> None:
        """A frame of the node; may raise BadLine."""
        ...

    def line_too_long(self) -> None:
        """The node found a frame too long, and ends the line."""
        ...

    def line_free(self) -> None:
        """What was written has been taken."""
        ...

    def line_lost(self, reason: str) -> None:
        """The line is gone; said once."""
        ...


@implementer(IPushProducer)
class Line(Protocol):
    """See the module.

    Attributes:
        heard_at: When anything came last, in the seconds of ``now``.
        takes: Whether the transport takes more.
    """

    def __init__(
        self, owner: Owner, framing: Framing, now: Callable[[], float]
    ) -> None:
        """A line that is not connected."""
        self._owner = owner
        self._framing = framing
        self._now = now
        self._opened = False
        self._reason = ""
        self._stopped = False
        self.heard_at = now()
        self.takes = True

    def connectionMade(self) -> None:
        """The transport is there: begin the handshake."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self._owner.line_made(self)
        self._write(self._framing.opening())
        self._open()

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the node."""
        self.heard_at = self._now()
        frames = self._framing.feed(data)
        self._open()
        try:
            for frame in frames:
                self._owner.line_heard(frame)
        except BadLine as error:
            self.drop(str(error))
        self._write(self._framing.replies())
        if self._framing.too_long and not self._reason:
            self._owner.line_too_long()
        if self._framing.failure:
            self._reason = self._reason or self._framing.failure
            self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone."""
        self._owner.line_lost(self._reason or words(reason))

    def say(self, frames: list[bytes]) -> None:
        """Write frames."""
        self._write(b"".join(map(self._framing.wrapped, frames)))

    def leave(self) -> None:
        """Say goodbye, and close when everything is written."""
        self._write(self._framing.closing())
        self._end()

    def drop(self, reason: str) -> None:
        """Cut the line at once, whatever is not written."""
        self._reason = self._reason or reason
        if ITCPTransport.providedBy(self.transport):
            self.transport.abortConnection()
        else:
            self._end()

    def _open(self) -> None:
        """Tell the owner when the handshake is done."""
        if self._framing.ready and not self._opened:
            self._opened = True
            self._owner.line_opened()

    def _write(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        if data and self.transport is not None:
            self.transport.write(data)

    def _end(self) -> None:
        """Close when everything is written."""
        transport: Any = self.transport
        if transport is not None:
            transport.unregisterProducer()
            transport.loseConnection()

    # Reading and writing at the pace of the other side.

    def stop_reading(self, stopped: bool) -> None:
        """Leave what comes where it is, or take it."""
        transport: Any = self.transport
        if stopped != self._stopped and transport is not None:
            self._stopped = stopped
            self.heard_at = self._now()
            (transport.pauseProducing if stopped else transport.resumeProducing)()

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come for so long that the line must be dead."""
        silence = self._now() - self.heard_at
        return not self._stopped and silence >= CLIENT_SILENCE_SECONDS

    def pauseProducing(self) -> None:
        """The transport has enough."""
        self.takes = False

    def resumeProducing(self) -> None:
        """The transport takes more."""
        self.takes = True
        self._owner.line_free()

    def stopProducing(self) -> None:
        """The transport is gone, which ``connectionLost`` tells."""
