"""Clients on TCP, from the first byte to the last of the line."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides
from zope.interface.verify import verifyObject

from timtw.model import commands, events
from timtw.model.interfaces import IOutbox
from timtw.model.limits import (
    CLOSE_SECONDS,
    FRAME_BEFORE_LOGIN,
    OUTBOX_BYTES,
    STALLED_SECONDS,
    WRITE_BYTES,
)
from timtw.protocols import structs
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.frames import tcp_message
from timtw.protocols.tcp import TcpClients
from timtw.test.wirekit import RecordingDesk, RecordingSession, Socket, entry, logged_in

MAX_FRAME = 100_000
PING = b"\0\0\0\1\x0d"


class HalfCloser(Socket):
    """A socket whose two directions can end one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.finished = False
        alsoProvides(self, IHalfCloseableDescriptor)

    def loseWriteConnection(self) -> None:
        """Remember that our direction has ended."""
        self.finished = True


class Stage(SynchronousTestCase):
    """A server, a core that records, and sockets in memory."""

    def setUp(self) -> None:
        """Nobody is connected."""
        self.clock, self.desk = Clock(), RecordingDesk()
        self.factory = TcpClients(make_shared(self.desk, self.clock, MAX_FRAME))

    def connect(self, socket: Socket | None = None) -> Socket:
        """A line to the server."""
        socket = socket or Socket()
        socket.protocol = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4))
        socket.protocol.makeConnection(socket)
        return socket

    def connected(self, *login: Any) -> tuple[Socket, RecordingSession]:
        """A connection; logged in if there is anything to log in."""
        socket = self.connect()
        session = self.desk.sessions[-1]
        if login:
            session.outbox.offer(logged_in(*login))
            self.clock.advance(0)
        socket.clear()
        return socket, session

    def lose(self, socket: Socket) -> None:
        """The line is gone."""
        protocol, socket.protocol, socket.producer = socket.protocol, None, None
        protocol.connectionLost(Failure(ConnectionDone()))

    def refusal(self, data: bytes, codec: Codec = THRIFT) -> tuple[int, int | None]:
        """Type and code of the one refusal in ``data``."""
        self.assertEqual(int.from_bytes(data[:4], "big"), len(data) - 4)
        self.assertEqual(data[4], 12)
        ack = codec.decode(structs.TimAck, data[5:])
        assert ack.error is not None
        self.assertFalse(ack.ok)
        return ack.timType, ack.error.code


class Reading(Stage):
    """From the client to the core."""

    def test_connected(self) -> None:
        """The core gets a connection at once, and small frames are not held back."""
        socket, session = self.connected()
        self.assertTrue(socket.no_delay)
        self.assertEqual(self.desk.sources, ["192.0.2.1"])
        verifyObject(IOutbox, session.outbox)

    def test_any_cut(self) -> None:
        """Frames arrive whole and in order, however the bytes were cut."""
        sizes = st.lists(st.sampled_from([0, 1, 5, 126, 3000, 70_000]), max_size=6)

        @settings(max_examples=40, deadline=None, derandomize=True, database=None)
        @given(sizes, st.integers(1, 70_000))
        def check(plan: list[int], step: int) -> None:
            socket, session = self.connected(THRIFT)
            stream, expected = b"", list[object]()
            for number, size in enumerate(plan):
                frame = b"\x0c" + number.to_bytes(4, "big") + bytes(size)
                stream += tcp_message(frame) + PING
                expected += [commands.Acknowledge(number), commands.Ping()]
            step = max(step, len(stream) // 200)
            for start in range(0, len(stream), step):
                socket.protocol.dataReceived(stream[start : start + step])
            self.assertEqual(session.commands, expected)
            self.lose(socket)
            self.assertEqual(self.clock.getDelayedCalls(), [])

        check()

    def test_single_bytes(self) -> None:
        """A client that sends byte by byte is understood."""
        socket, session = self.connected()
        for byte in PING + b"\0\0\0\0" + PING:
            socket.protocol.dataReceived(bytes([byte]))
        self.assertEqual(session.commands, [commands.Ping()] * 2)
        self.assertEqual(session.told, ["alive"])

    def test_size_before_login(self) -> None:
        """Before login a frame of 4096 bytes is read, a longer one ends the line."""
        socket, session = self.connected()
        socket.protocol.dataReceived(tcp_message(b"\x0d" * FRAME_BEFORE_LOGIN))
        self.assertEqual(session.commands, [commands.Ping()])
        for head, codec in ((b"\x10", THRIFT), (b"\x90", JSON)):
            socket, session = self.connected()
            length = (FRAME_BEFORE_LOGIN + 1).to_bytes(4, "big")
            socket.protocol.dataReceived(length + head)
            self.assertEqual(self.refusal(socket.value(), codec), (16, 4104))
            self.assertTrue(socket.disconnecting)

    def test_size_after_login(self) -> None:
        """After login the limit is the configured one."""
        socket, session = self.connected(JSON)
        socket.protocol.dataReceived(tcp_message(b"\x0d" * MAX_FRAME))
        self.assertEqual(session.commands, [commands.Ping()])
        socket.protocol.dataReceived((MAX_FRAME + 1).to_bytes(4, "big"))
        self.assertEqual(self.refusal(socket.value(), JSON), (0, 4104))
        self.assertTrue(socket.disconnecting)

    def test_absurd_lengths(self) -> None:
        """Whoever speaks another protocol here is told so and closed."""
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"\x7f" * 100, b"\x16\x03\x01\x02\0"):
            socket, session = self.connected()
            socket.protocol.dataReceived(words)
            socket.protocol.dataReceived(PING)
            self.assertEqual(self.refusal(socket.value())[1], 4104)
            self.assertEqual(session.commands, [])

    def test_frame_that_never_comes(self) -> None:
        """A frame has its time from its first byte to its last, trickling or not."""
        for complete in (False, True):
            socket, session = self.connected(THRIFT)
            # The length alone, in two pieces, and then its bytes one by one.
            socket.protocol.dataReceived(PING + b"\0\0\0")
            pieces = [b"\x50", b"\x0d"] + [b"x"] * (int(STALLED_SECONDS) - 3)
            for piece in pieces:
                self.clock.advance(1)
                socket.protocol.dataReceived(piece)
            if complete:
                socket.protocol.dataReceived(b"x" * 22 + PING[:2])
            self.clock.advance(1)
            self.assertEqual(socket.aborted, not complete)
            self.clock.advance(STALLED_SECONDS - 2)
            self.assertEqual(socket.aborted, not complete)
            self.clock.advance(1)
            self.assertTrue(socket.aborted)
            self.assertEqual(len(session.commands), 1 + complete)

    def test_time_stands_still_while_held(self) -> None:
        """A frame whose rest nobody reads is not late."""
        socket, session = self.connected(THRIFT)
        socket.protocol.dataReceived(PING[:3])
        session.outbox.hold()
        self.clock.advance(3 * STALLED_SECONDS)
        session.outbox.proceed()
        self.clock.advance(0)
        self.clock.advance(STALLED_SECONDS - 1)
        self.assertFalse(socket.aborted)
        self.clock.advance(1)
        self.assertTrue(socket.aborted)

    def test_hold_within_a_read(self) -> None:
        """The core may hold reading at any command of several that came together."""
        socket, session = self.connected()

        class Holding(list[Any]):
            def append(self, command: Any) -> None:
                super().append(command)
                session.outbox.hold()

        session.commands = Holding()
        socket.protocol.dataReceived(PING * 3 + PING[:2])
        self.assertFalse(socket.reading)
        socket.protocol.dataReceived(PING[2:])
        for count in (1, 2, 3, 4, 4):
            self.assertEqual(len(session.commands), count)
            session.outbox.proceed()
            self.assertTrue(socket.reading)
            self.clock.advance(0)


class Writing(Stage):
    """From the core to the client."""

    def test_once_a_turn(self) -> None:
        """What one turn brings goes out together, each frame behind its length."""
        socket, session = self.connected(THRIFT)
        writes = socket.writes
        for _ in range(3):
            self.assertTrue(session.outbox.offer(events.Pong()))
        self.clock.advance(0)
        self.assertEqual(socket.value(), PING * 3)
        self.assertEqual(socket.writes, writes + 1)

    def test_slow_client(self) -> None:
        """A slow client is neither written to nor read until it has caught up."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        session.outbox.offer(events.Delivery(entry(words="x" * WRITE_BYTES), 1))
        self.assertEqual(session.told, [("writable", False)])
        self.assertFalse(socket.reading)
        socket.drain()
        self.assertEqual(session.told, [("writable", False), ("writable", True)])
        self.assertTrue(socket.reading)

    def test_stalled_client(self) -> None:
        """A client that takes nothing for a minute is cut off."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        session.outbox.offer(events.Delivery(entry(words="x" * WRITE_BYTES), 1))
        self.clock.advance(STALLED_SECONDS - 1)
        self.assertFalse(socket.aborted)
        self.clock.advance(1)
        self.assertTrue(socket.aborted)

    def test_too_much_waits(self) -> None:
        """A client for whom too much waits is cut off."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        big = events.Delivery(entry(words="x" * WRITE_BYTES), 1)
        taken = 0
        while session.outbox.offer(big):
            taken += 1
        self.assertEqual(taken, OUTBOX_BYTES // WRITE_BYTES + 1)
        self.assertTrue(socket.aborted)


class Ending(Stage):
    """How a line ends."""

    def test_close(self) -> None:
        """What was offered arrives; our direction ends, the client's is read."""
        socket = HalfCloser()
        self.connect(socket)
        session = self.desk.sessions[-1]
        session.outbox.offer(logged_in(THRIFT))
        self.clock.advance(0)
        socket.clear()
        session.outbox.hold()
        session.outbox.offer(events.Pong())
        session.outbox.close()
        session.outbox.close()
        self.assertEqual(socket.value(), PING)
        self.assertTrue(socket.finished)
        self.assertFalse(socket.disconnecting)
        self.assertTrue(socket.reading)
        self.assertFalse(session.outbox.offer(events.Pong()))
        socket.protocol.dataReceived(PING)
        self.assertEqual(session.commands, [])
        self.lose(socket)
        self.assertEqual(session.told, ["lost"])
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_slow(self) -> None:
        """A slow client still gets what was offered before the end."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        for _ in range(3):
            session.outbox.offer(events.Delivery(entry(words="x" * WRITE_BYTES), 1))
        session.outbox.offer(events.Pong())
        session.outbox.close()
        got = b""
        while not got.endswith(PING):
            # Nothing can be written behind the end.
            ends = socket.value().endswith(PING)
            self.assertTrue(ends or not socket.disconnecting)
            piece = socket.drain()
            self.assertNotEqual(piece, b"")
            got += piece
        self.assertTrue(socket.disconnecting)

    def test_close_has_a_deadline(self) -> None:
        """A client that does not end its direction is cut off."""
        socket, session = self.connected()
        session.outbox.close()
        self.clock.advance(CLOSE_SECONDS - 1)
        self.assertFalse(socket.aborted)
        self.clock.advance(1)
        self.assertTrue(socket.aborted)

    def test_full(self) -> None:
        """A node with too many connections closes the new one."""
        self.desk.full = True
        self.assertTrue(self.connect().disconnecting)

    def test_lost(self) -> None:
        """A line that breaks is told once, whatever was going on."""
        for action in ("hold", "close", "abort"):
            socket, session = self.connected(THRIFT)
            socket.protocol.dataReceived(PING[:3])
            outbox: Any = session.outbox
            getattr(outbox, action)()
            self.lose(socket)
            self.assertFalse(outbox.offer(events.Pong()))
            outbox.close()
            outbox.proceed()
            self.clock.advance(100)
            self.assertEqual(session.told, ["lost"])

    def test_no_cycles(self) -> None:
        """A connection that is gone needs no garbage collector."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        socket, session = self.connected(THRIFT)
        socket.protocol.dataReceived(PING * 400 + PING[:2])
        session.outbox.offer(events.Delivery(entry(), 1))
        self.clock.advance(0)
        reference = weakref.ref(socket.protocol)
        self.lose(socket)
        self.assertIsNone(reference())
