"""Clients on WebSocket: autobahn reads what is rare, this module what is frequent.

docs/reference/protocol.md, sections 1.2 and 1.3. Small whole frames, which is what
clients send nearly always, are taken from the buffer here. Everything else -- the
handshake, long or fragmented messages, control frames, violations -- is autobahn's.
What goes out is made of complete, unmasked frames that are written once a turn.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model.errors import TooFrequent
from timtw.model.events import Event, LoggedIn
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.limits import (
    BIG_DATA_SECONDS,
    CLOSE_SECONDS,
    FRAGMENTS,
    FRAME_BEFORE_LOGIN,
)
from timtw.model.values import LogEntry
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.frames import websocket_message
from timtw.protocols.outflow import Outflow, Turn

NORMAL: Final = 1000
TOO_MUCH: Final = frozenset({1002, 1003, 1007, 1009})
"""With these codes a client says that a frame of ours was more than it can take."""
_WHOLE: Final = frozenset({0x81, 0x82})
"""First byte of an unfragmented text or binary frame without extensions."""
_MASKED: Final = 0x80
_SHORT: Final = 126
_XOR_BYTES: Final = 1400
"""Up to here one exclusive-or of two big integers is faster than autobahn's masker."""


class _Silence:
    """Takes autobahn's log lines, which hold addresses and what clients send."""

    def debug(self, *args: object, **values: object) -> None:
        """Drop a line."""

    info = warn = error = critical = failure = trace = debug


def unmask(key: bytes, data: bytes) -> bytes:
    """``data`` exclusive-or ``key``, four bytes, again and again."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")
    return plain.to_bytes(size, "big")


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
class WebSocketClient(WebSocketServerProtocol):
    """One client on a WebSocket."""

    log = _Silence()

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
        self._consuming = False
        self._fragments = 0
        self._deadline: IDelayedCall | None = None
        self._big_data: IDelayedCall | None = None

    # From the client.

    def onOpen(self) -> None:
        """The handshake is done: the core gets a connection."""
        shared = self._shared
        self.maxMessagePayloadSize = FRAME_BEFORE_LOGIN
        self._out = Outflow(self, self.transport, shared.turn, shared.clock)
        try:
            self._session = shared.desk.open(self, self._source)
        except TooFrequent:
            self.close()

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the client."""
        self.data = self.data + data if self.data else data
        self.consumeData()

    def consumeData(self) -> None:
        """Take from the buffer whatever is complete, unless reading is held."""
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        if self._consuming:
            return
        self._consuming = True
        try:
            self._consume()
        finally:
            self._consuming = False

    def _consume(self) -> None:
        """Small frames in a row, then one step of autobahn's, and again."""
        while self.state != self.STATE_CLOSED:
            if self.state == self.STATE_OPEN:
                if self._stopped:
                    return
                if self.current_frame is None and not self.inside_message:
                    self._take_small()
                    if self._stopped or self.state == self.STATE_CLOSED:
                        continue
            if not self.processData():
                return

    @property
    def _stopped(self) -> bool:
        """Whether nothing is read for now."""
        return self._held or self._slow

    def _take_small(self) -> None:
        """Take whole small frames; stop at the first that is anything else."""
        data: bytes = self.data
        size, start = len(data), 0
        limit = min(self.maxMessagePayloadSize, _XOR_BYTES)
        while size - start >= 6 and data[start] in _WHOLE:
            length, body = data[start + 1] - _MASKED, start + 6
            if length == _SHORT:
                length, body = (
                    int.from_bytes(data[start + 2 : start + 4], "big"),
                    body + 2,
                )
                if length < _SHORT:
                    break
            elif not 0 <= length < _SHORT:
                break
            if length > limit or body + length > size:
                break
            start = body + length
            self._message(unmask(data[body - 4 : body], data[body:start]))
            if self._held or self._slow or self.state != self.STATE_OPEN:
                break
        if start:
            self.data = data[start:]

    def onMessageFrameBegin(self, length: int) -> None:
        """A piece of a message begins; their number is limited as well."""
        self._fragments += 1
        if self._fragments > FRAGMENTS and not self.failedByMe:
            self._fail_connection(self.CLOSE_STATUS_CODE_MESSAGE_TOO_BIG, "")
        super().onMessageFrameBegin(length)

    def onMessageEnd(self) -> None:
        """A message that autobahn has read is complete; text counts as binary."""
        self._fragments = 0
        pieces, self.message_data = self.message_data, None
        if self.state == self.STATE_OPEN and not self.failedByMe:
            self._message(b"".join(pieces))

    def _message(self, message: bytes) -> None:
        """Hand the commands of one message to the core."""
        commands = self._wire.receive(message)
        if self._big_data is not None:
            self._big_data.cancel()
            self._big_data = None
        if not commands:
            self._wordless()
        for command in commands:
            if self._session is not None:
                self._session.received(command)

    def _wordless(self) -> None:
        """A message without a command is a sign of life, or a piece of a frame."""
        if self._session is not None:
            self._session.alive()
        if self._wire.collecting:
            clock = self._shared.clock
            self._big_data = clock.callLater(BIG_DATA_SECONDS, self._give_up)

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
        self._wordless()

    def onPong(self, payload: bytes) -> None:
        """A WebSocket pong is a sign of life."""
        self._wordless()

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
        return True

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
        if self._stopped and self.state == self.STATE_OPEN:
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
        """Let the transport close without waiting for us."""
        if self.transport is not None:
            super().unregisterProducer()


class WebSocketClients(WebSocketServerFactory):
    """Makes the protocol of each upgraded connection."""

    log = _Silence()
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
