"""Clients on WebSocket: what autobahn's protocol and a client's line make together.

docs/reference/protocol.md, sections 1.2 and 1.3. What goes out is made of complete,
unmasked, unfragmented messages, which ``outflow`` writes once a turn.

autobahn prepares a protocol by some ninety assignments, which take a fifth of a
millisecond and four kilobytes. Nearly all of what they assign is the same for each
connection. So one connection is prepared by autobahn, once and for show, and its class
is given what that connection has: a new one of this class is as if it had been prepared
itself, and holds only what changes.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from timtw.protocols.clientline import ClientLine, Shared
from timtw.protocols.frames import (
    MASKED_ANSWER,
    masked_answers,
    websocket_message,
)
from timtw.protocols.wsreader import MessageReader, Silence

NORMAL: Final = 1000
TOO_MUCH: Final = frozenset({1002, 1003, 1007, 1009})
"""With these codes a client says that a frame of ours was more than it can take."""


_ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: WebSocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)
_REQUEST: Final = (
    b"GET /tim HTTP/1.1\r\n"
    b"Host: localhost\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class WebSocketClient(ClientLine, MessageReader):
    """One client on a WebSocket."""

    pack = staticmethod(websocket_message)

    def take_answers(self, data: bytes) -> int:
        """See ``MessageReader``."""
        if not self._wire.takes_answers:
            return 0
        receipts = masked_answers(data)
        if receipts:
            self.answers(receipts)
        return len(receipts) * MASKED_ANSWER

    def connectionMade(self) -> None:
        """See ``accept``, which is called next."""

    def accept(self, key: bytes) -> None:
        """Answer a request to upgrade with this key: the line is open."""
        digest = hashlib.sha1(key + self._WS_MAGIC, usedforsecurity=False).digest()
        self.transport.write(_ACCEPTED % base64.b64encode(digest))
        self.opened()

    # From autobahn.

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
        self.state = self.STATE_CLOSED
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
        self.dropConnection(abort=True)

    def dropConnection(self, abort: bool = False) -> None:
        """End the line, at once or when everything has been written."""
        if self.state != self.STATE_CLOSED:
            self.state = self.STATE_CLOSED
            self.unregisterProducer()
        if abort:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

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


class _Shown(WebSocketServerProtocol):
    """The connection that autobahn prepares."""

    log = Silence()


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
        self._prepared: type[WebSocketClient] = type(
            "PreparedClient", (WebSocketClient,), self._prepare()
        )

    def _prepare(self) -> dict[str, Any]:
        """What autobahn has a connection know that is open."""
        shown = _Shown()
        shown.factory = self
        shown.makeConnection(StringTransport())
        shown.dataReceived(_REQUEST)
        known = dict(vars(shown))
        del known["transport"]
        return known

    def protocol_for(self, source: str) -> WebSocketClient:
        """The protocol for a client at ``source``, which waits to be accepted."""
        return self._prepared(self._shared, source)
