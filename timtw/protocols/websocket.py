"""Clients on WebSocket: what autobahn's protocol and a client's line make together.

docs/reference/protocol.md, sections 1.2 and 1.3. What goes out is made of complete,
unmasked, unfragmented messages, which ``outflow`` writes once a turn.
"""

from __future__ import annotations

from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.python.failure import Failure

from timtw.protocols.clientline import ClientLine, Shared
from timtw.protocols.frames import websocket_message
from timtw.protocols.wsreader import MessageReader, Silence

NORMAL: Final = 1000
TOO_MUCH: Final = frozenset({1002, 1003, 1007, 1009})
"""With these codes a client says that a frame of ours was more than it can take."""


class WebSocketClient(ClientLine, MessageReader):
    """One client on a WebSocket."""

    pack = staticmethod(websocket_message)

    # From autobahn.

    def onOpen(self) -> None:
        """The handshake is done."""
        self.opened()

    def onPing(self, payload: bytes) -> None:
        """A WebSocket ping is answered, and a sign of life."""
        if self.in_touch:
            self.sendPong(payload)
        self.alive()

    def onPong(self, payload: bytes) -> None:
        """A WebSocket pong is a sign of life."""
        self.alive()

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> Any:
        """The client hangs up, or agrees to our closing."""
        if self.in_touch and self._session is not None:
            self._session.refused(code in TOO_MUCH)
        return super().onCloseFrame(code, reasonRaw)

    def connectionLost(self, reason: Failure) -> None:
        """The line is gone."""
        super().connectionLost(reason)
        # autobahn lets the result of this one refer to the connection.
        self.is_closed = None
        self.ended()

    # For the line.

    @property
    def in_touch(self) -> bool:
        """See ClientLine."""
        return bool(self.state == self.STATE_OPEN)

    def limit_frames(self, size: int) -> None:
        """See ClientLine."""
        self.maxMessagePayloadSize = size

    def say_end(self) -> None:
        """See ClientLine."""
        self.sendClose(NORMAL)

    def cut(self) -> None:
        """See ClientLine."""
        if self.state == self.STATE_CLOSED:
            self.transport.abortConnection()
        else:
            self.dropConnection(abort=True)

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,
        isReply: bool = False,
    ) -> None:
        """Say that this is the end, without a reason, behind what waits."""
        self.flush()
        super().sendCloseFrame(code=code, isReply=isReply)
        if self.state == self.STATE_CLOSING:
            self.start_deadline()
            self.reading_changed()

    def set_reading(self, stopped: bool) -> None:
        """See ClientLine; an answer to our closing is always read."""
        self.stopped = stopped
        if stopped and self.in_touch:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()
            if self.data:
                self._shared.turn.at_end(self.consumeData)

    def unregisterProducer(self) -> None:
        """Let the transport close without waiting for us, if it would."""
        if self._out is not None:
            super().unregisterProducer()


class WebSocketClients(WebSocketServerFactory):
    """Makes the protocol of each upgraded connection."""

    log = Silence()
    noisy = False

    def __init__(self, shared: Shared) -> None:
        super().__init__(reactor=shared.clock, server="")
        # The timers of autobahn would run on the global reactor: none is used. The
        # request has arrived when it gets here, closing has a deadline of ours.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            failByDrop=False,
            utf8validateIncoming=False,
            allowNullOrigin=True,
        )
        self._shared = shared

    def protocol_for(self, source: str) -> WebSocketClient:
        """The protocol for a client at ``source``."""
        protocol = WebSocketClient(self._shared, source)
        protocol.factory = self
        return protocol
