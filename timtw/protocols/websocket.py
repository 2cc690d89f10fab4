"""Clients on WebSocket: what the core and a socket have to do with each other.

docs/reference/protocol.md, sections 1.2 and 1.3. What goes out is made of complete,
unmasked, unfragmented messages, which ``outflow`` writes once a turn.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model.errors import TooFrequent
from timtw.model.events import Event, LoggedIn
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.limits import BIG_DATA_SECONDS, CLOSE_SECONDS, FRAME_BEFORE_LOGIN
from timtw.model.values import LogEntry
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.frames import websocket_message
from timtw.protocols.outflow import Outflow, Turn
from timtw.protocols.wsreader import MessageReader, Silence

NORMAL: Final = 1000
TOO_MUCH: Final = frozenset({1002, 1003, 1007, 1009})
"""With these codes a client says that a frame of ours was more than it can take."""


@attrs.frozen
class Shared:
    """What all connections of a node have in common.

    Args:
        max_frame: Bytes of the largest frame after login.
    """

    desk: IFrontDesk
    clock: IReactorTime
    turn: Turn
    encodings: Encodings
    max_frame: int


@implementer(IOutbox)
class WebSocketClient(MessageReader):
    """One client on a WebSocket."""

    def __init__(self, shared: Shared, source: str) -> None:
        super().__init__()
        self._shared = shared
        self._source = source
        self._wire = ClientWire(shared.encodings, shared.max_frame)
        self._session: ISession | None = None
        self._out: Outflow | None = None
        self._held = False
        self._slow = False
        self._ending = False
        self._deadline: IDelayedCall | None = None
        self._big_data: IDelayedCall | None = None

    # From the client.

    def onOpen(self) -> None:
        """The handshake is done: the core gets a connection."""
        shared = self._shared
        if ITCPTransport.providedBy(self.transport):
            # autobahn means to do this and does not.
            self.transport.setTcpNoDelay(True)
        self.maxMessagePayloadSize = FRAME_BEFORE_LOGIN
        self._out = Outflow(self, self.transport, shared.turn, shared.clock)
        try:
            self._session = shared.desk.open(self, self._source)
        except TooFrequent:
            self.close()

    def message(self, message: bytes) -> None:
        """Hand the commands of one message to the core."""
        commands = self._wire.receive(message)
        if not commands:
            self._alive()
        if self._wire.collecting:
            if self._big_data is None:
                clock = self._shared.clock
                self._big_data = clock.callLater(BIG_DATA_SECONDS, self._give_up)
        elif self._big_data is not None:
            self._big_data.cancel()
            self._big_data = None
        for command in commands:
            if self._session is not None:
                self._session.received(command)

    def _alive(self) -> None:
        """A sign of life that is no command."""
        if self._session is not None:
            self._session.alive()

    def _give_up(self) -> None:
        """The rest of a big-data frame has not come."""
        self._big_data = None
        for command in self._wire.give_up():
            if self._session is not None:
                self._session.received(command)

    def onPing(self, payload: bytes) -> None:
        """A WebSocket ping is answered, and a sign of life."""
        if self.state == self.STATE_OPEN:
            self.sendPong(payload)
        self._alive()

    def onPong(self, payload: bytes) -> None:
        """A WebSocket pong is a sign of life."""
        self._alive()

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> Any:
        """The client hangs up, or agrees to our closing."""
        if self.state == self.STATE_OPEN and self._session is not None:
            self._session.refused(code in TOO_MUCH)
        return super().onCloseFrame(code, reasonRaw)

    def connectionLost(self, reason: Failure) -> None:
        """The line is gone; nothing may refer to it any more."""
        super().connectionLost(reason)
        # autobahn lets the result of this one refer to the connection.
        self.is_closed = None
        for call in (self._deadline, self._big_data):
            if call is not None and call.active():
                call.cancel()
        self._deadline = self._big_data = None
        if self._out is not None:
            self._out.stop()
            self._out = None
        session, self._session = self._session, None
        if session is not None:
            session.lost()

    # To the client.

    @property
    def page_bytes(self) -> int:
        """See IOutbox."""
        return self._wire.page_bytes

    def offer(self, event: Event) -> bool:
        """See IOutbox."""
        out = self._out
        if out is None or self._ending or self.state != self.STATE_OPEN:
            return False
        for frame in self._wire.encode(event):
            out.write(websocket_message(frame))
        if type(event) is LoggedIn:
            self.maxMessagePayloadSize = self._shared.max_frame
        return bool(self.state == self.STATE_OPEN)

    def measure(self, entry: LogEntry) -> int:
        """See IOutbox."""
        return self._wire.measure(entry)

    def hold(self) -> None:
        """See IOutbox."""
        if not self._held:
            self._held = True
            self._set_reading()

    def proceed(self) -> None:
        """See IOutbox. What is in the buffer already comes at the end of the turn."""
        if self._held:
            self._held = False
            self._set_reading()

    def close(self) -> None:
        """See IOutbox."""
        if self._ending or self.state != self.STATE_OPEN:
            return
        self._ending = True
        self._start_deadline()
        if self._out is not None:
            self._out.flush()
            if self._out.empty:
                self.sendClose(NORMAL)

    def abort(self) -> None:
        """See IOutbox."""
        self._ending = True
        if self._out is not None:
            self._out.stop()
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
        if self._out is not None and self.state == self.STATE_OPEN:
            self._out.flush()
        super().sendCloseFrame(code=code, isReply=isReply)
        if self.state == self.STATE_CLOSING:
            self._start_deadline()
            self._set_reading()

    def _start_deadline(self) -> None:
        """From now on the line has to end within a limited time."""
        if self._deadline is None:
            clock = self._shared.clock
            self._deadline = clock.callLater(CLOSE_SECONDS, self.abort)

    def _set_reading(self) -> None:
        """Read or do not read; an answer to our closing is always read."""
        if self._out is None or self.transport is None:
            return
        self.stopped = self._held or self._slow
        if self.stopped and self.state == self.STATE_OPEN:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()
            if self.data:
                self._shared.turn.at_end(self.consumeData)

    # From the outflow.

    def line_full(self) -> None:
        """The client reads too slowly, so it is not read either."""
        self._slow = True
        self._set_reading()
        if self._session is not None and not self._ending:
            self._session.writable(False)

    def line_free(self) -> None:
        """Everything has been taken."""
        self._slow = False
        self._set_reading()
        if self._ending:
            if self.state == self.STATE_OPEN:
                self.sendClose(NORMAL)
        elif self._session is not None:
            self._session.writable(True)

    def line_dead(self) -> None:
        """Too much waits, or for too long: the client can replay."""
        self.abort()

    def unregisterProducer(self) -> None:
        """Let the transport close without waiting for us, if it would."""
        if self._out is not None:
            super().unregisterProducer()


class WebSocketClients(WebSocketServerFactory):
    """Makes the protocol of each upgraded connection."""

    log = Silence()
    noisy = False

    def __init__(
        self,
        desk: IFrontDesk,
        clock: IReactorTime,
        encodings: Encodings,
        max_frame: int,
    ) -> None:
        super().__init__(reactor=clock, server="")
        # The timers of autobahn would run on the global reactor: none is used. The
        # request has arrived when it gets here, closing has a deadline of ours.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            failByDrop=False,
            utf8validateIncoming=False,
            allowNullOrigin=True,
        )
        self._shared = Shared(desk, clock, Turn(clock), encodings, max_frame)

    def protocol_for(self, source: str) -> WebSocketClient:
        """The protocol for a client at ``source``."""
        protocol = WebSocketClient(self._shared, source)
        protocol.factory = self
        return protocol
