"""One client on a byte stream, whatever frames it in: the core's side of a socket.

docs/reference/protocol.md, sections 1.3 and 1.7. WebSocket and TCP differ in how a
frame is wrapped, read and ended, and in nothing else: that lies in their own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.tcp import Server
from zope.interface import implementer

from timtw.model.errors import TooFrequent
from timtw.model.events import Deliveries, Delivery, Event, LoggedIn, Pieces
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.limits import BIG_DATA_SECONDS, CLOSE_SECONDS, FRAME_BEFORE_LOGIN
from timtw.model.values import LogEntry
from timtw.protocols.bigdata import Reservations
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.outflow import Outflow, Turn

_CALLED: Final = "a client"
"""What Twisted calls a connection, which is never told whose it is."""


@attrs.frozen
class Shared:
    """What all connections of a node have in common.

    Args:
        max_frame: Bytes of the largest frame after login.
        switched_off: Frame types that the operator has switched off.
    """

    desk: IFrontDesk
    clock: IReactorTime
    turn: Turn
    encodings: Encodings
    reservations: Reservations
    max_frame: int
    switched_off: frozenset[int]


def make_shared(
    desk: IFrontDesk,
    clock: IReactorTime,
    max_frame: int,
    switched_off: frozenset[int] = frozenset(),
) -> Shared:
    """What the connections of a new node have in common."""
    return Shared(
        desk,
        clock,
        Turn(clock),
        Encodings(),
        Reservations(),
        max_frame,
        switched_off,
    )


@implementer(IOutbox)
class ClientLine:
    """One client: a session of the core, a wire, and what is on its way out.

    A subclass reads messages and hands them to ``message``; it calls ``opened`` and
    ``ended``, and says how things are done on its kind of stream.
    """

    transport: Any
    pack: Callable[[bytes], bytes]
    """Wraps a frame into what the stream carries."""

    def __init__(self, shared: Shared, source: str) -> None:
        self._shared = shared
        self._source = source
        self._wire = ClientWire(
            shared.encodings,
            shared.max_frame,
            shared.reservations,
            shared.switched_off,
        )
        self._session: ISession | None = None
        self._out: Outflow | None = None
        self._held = False
        self._slow = False
        self._ending = False
        self._deadline: IDelayedCall | None = None
        self._big_data: IDelayedCall | None = None

    # What each kind of stream does in its own way.

    @property
    def in_touch(self) -> bool:
        """Whether frames may go out."""
        raise NotImplementedError

    def limit_frames(self, size: int) -> None:
        """From now on a frame has at most ``size`` bytes."""
        raise NotImplementedError

    def set_reading(self, stopped: bool) -> None:
        """Read nothing, or read, what is in a buffer at the end of the turn."""
        raise NotImplementedError

    def say_end(self) -> None:
        """Everything has been handed to the transport: end the line in order."""
        raise NotImplementedError

    def cut(self) -> None:
        """End the line at once."""
        raise NotImplementedError

    # From the client.

    def opened(self) -> None:
        """The stream is ready: the core gets a connection."""
        shared = self._shared
        transport = self.transport
        if ITCPTransport.providedBy(transport):
            # autobahn means to do this and does not.
            transport.setTcpNoDelay(True)
        if isinstance(transport, Server):
            # It has texts of its own for a log that nobody writes.
            transport.logstr = transport.repstr = _CALLED
        self.limit_frames(FRAME_BEFORE_LOGIN)
        self._out = Outflow(self, self.transport, shared.turn, shared.clock)
        try:
            self._session = shared.desk.open(self, self._source)
        except TooFrequent:
            self.close()

    def message(self, message: bytes) -> None:
        """Hand the commands of one message to the core."""
        commands = self._wire.receive(message)
        if not commands:
            self.alive()
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

    def answers(self, receipts: Sequence[int]) -> None:
        """Hand several acknowledgements to the core at once."""
        if self._session is not None:
            self._session.acknowledged(receipts)

    def alive(self) -> None:
        """A sign of life that is no command."""
        if self._session is not None:
            self._session.alive()

    def _give_up(self) -> None:
        """The rest of a big-data frame has not come, though it was waited for."""
        self._big_data = None
        if self._held or self._slow:
            clock = self._shared.clock
            self._big_data = clock.callLater(BIG_DATA_SECONDS, self._give_up)
            return
        for command in self._wire.give_up():
            if self._session is not None:
                self._session.received(command)

    def ended(self) -> None:
        """The line is gone; nothing may refer to it any more."""
        for call in (self._deadline, self._big_data):
            if call is not None and call.active():
                call.cancel()
        self._deadline = self._big_data = None
        self._wire.lost()
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
        if out is None or self._ending or not self.in_touch:
            return False
        pack, kind = self.pack, type(event)
        if kind is Delivery:
            frame = self._wire.delivered(event)  # type: ignore[arg-type]
            if frame:
                out.write(pack(frame))
        elif kind is Deliveries:
            out.write(self._wire.salvo(event, pack))  # type: ignore[arg-type]
        elif kind is Pieces:
            out.write(self._wire.packed(event, pack))  # type: ignore[arg-type]
        else:
            for frame in self._wire.encode(event):
                out.write(pack(frame))
            if kind is LoggedIn:
                self.limit_frames(self._shared.max_frame)
        return not self._ending

    def measure(self, entry: LogEntry) -> int:
        """See IOutbox."""
        return self._wire.measure(entry)

    def hold(self) -> None:
        """See IOutbox."""
        if not self._held:
            self._held = True
            self.reading_changed()

    def proceed(self) -> None:
        """See IOutbox. What is in the buffer already comes at the end of the turn."""
        if self._held:
            self._held = False
            self.reading_changed()

    def close(self) -> None:
        """See IOutbox."""
        if self._ending or not self.in_touch:
            return
        self._ending = True
        self.start_deadline()
        if self._out is not None:
            self._out.flush()
            if self._out.empty:
                self.say_end()

    def abort(self) -> None:
        """See IOutbox."""
        self._ending = True
        if self._out is not None:
            self._out.stop()
        self.cut()

    def flush(self) -> None:
        """What waits goes out now, as far as the transport takes it."""
        if self._out is not None and self.in_touch:
            self._out.flush()

    def start_deadline(self) -> None:
        """From now on the line has to end within a limited time."""
        if self._deadline is None:
            clock = self._shared.clock
            self._deadline = clock.callLater(CLOSE_SECONDS, self.abort)

    def reading_changed(self) -> None:
        """Read, or do not read, as the core and the line have it now."""
        if self._out is None or self.transport is None:
            return
        stopped = self._held or self._slow
        if not stopped and self._big_data is not None:
            # Nobody could bring a frame to its end while it was not read.
            self._big_data.reset(BIG_DATA_SECONDS)
        self.set_reading(stopped)

    # From the outflow.

    def line_full(self) -> None:
        """The client reads too slowly, so it is not read either."""
        self._slow = True
        self.reading_changed()
        if self._session is not None and not self._ending:
            self._session.writable(False)

    def line_free(self) -> None:
        """Everything has been taken."""
        self._slow = False
        self.reading_changed()
        if self._ending:
            if self.in_touch:
                self.say_end()
        elif self._session is not None:
            self._session.writable(True)

    def line_dead(self) -> None:
        """Too much waits, or for too long: the client can replay."""
        self.abort()
