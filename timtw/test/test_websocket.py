"""Clients on WebSocket, from the first byte of the request to the last of the line."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from timtw.model import commands, events
from timtw.model.commands import Unacceptable
from timtw.model.errors import BadBigData
from timtw.model.interfaces import IOutbox
from timtw.model.limits import (
    BIG_DATA_SECONDS,
    CLOSE_SECONDS,
    FRAGMENTS,
    FRAME_BEFORE_LOGIN,
    OUTBOX_BYTES,
    STALLED_SECONDS,
    WRITE_BYTES,
)
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import THRIFT
from timtw.protocols.frames import websocket_message
from timtw.protocols.site import make_site
from timtw.protocols.sources import NO_PROXIES
from timtw.protocols.wsreader import unmask
from timtw.test.wirekit import RecordingDesk, RecordingSession, Socket, entry, logged_in

MAX_FRAME = 100_000
_GONE = Failure(ConnectionDone())
_HEAD = (
    "GET /tim HTTP/1.1",
    "Host: chat.example:5080",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def masked(payload: bytes, head: int = 0x82, key: bytes = b"\1\2\3\4") -> bytes:
    """One frame as a client sends it."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([head]) + length + key + unmask(key, payload)


class Stage(SynchronousTestCase):
    """A server, a core that records, and sockets in memory."""

    origins: tuple[str, ...] = ()
    trusted = NO_PROXIES

    def setUp(self) -> None:
        """Nobody is connected."""
        self.clock, self.desk = Clock(), RecordingDesk()
        self.shared = make_shared(self.desk, self.clock, MAX_FRAME)
        self.site = make_site(
            self.shared,
            None,
            origins=self.origins,
            trusted=self.trusted,
        )

    def request(self, *lines: str, instead: dict[str, str] | None = None) -> Socket:
        """Send an upgrade request: what was written stays in the socket."""
        address = IPv4Address("TCP", "192.0.2.1", 4)
        socket = Socket()
        socket.peerAddr = address
        socket.protocol = self.site.buildProtocol(address)
        socket.protocol.makeConnection(socket)
        socket.no_delay = False  # HTTP sets it for itself.
        head = [(instead or {}).get(line, line) for line in _HEAD]
        whole = "\r\n".join(line for line in [*head, *lines, "", ""] if line or head)
        socket.protocol.dataReceived(whole.encode("latin-1"))
        return socket

    def connected(self, *login: Any) -> tuple[Socket, RecordingSession]:
        """A connection that is open; logged in if there is anything to log in."""
        socket = self.request()
        self.assertIn(b" 101 ", socket.value())
        session = self.desk.sessions[-1]
        if login:
            self.let_in(session, *login)
        socket.clear()
        return socket, session

    def let_in(self, session: RecordingSession, *login: Any) -> None:
        """The core says that Alice is logged in."""
        session.outbox.offer(logged_in(*login))
        self.clock.advance(0)

    def lose(self, socket: Socket) -> None:
        """The line is gone."""
        protocol, socket.protocol, socket.producer = socket.protocol, None, None
        protocol.connectionLost(_GONE)


class Handshake(Stage):
    """Who gets in."""

    def test_accepted(self) -> None:
        """Small frames are not held back, and nothing is negotiated."""
        socket = self.request(
            "Sec-WebSocket-Protocol: a, b, a",
            "Sec-WebSocket-Extensions: permessage-deflate",
        )
        answer = socket.value()
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "))
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer)
        self.assertNotIn(b"Extensions", answer)
        self.assertNotIn(b"Protocol:", answer)
        self.assertTrue(socket.no_delay)
        self.assertEqual(self.desk.sources, ["192.0.2.1"])
        verifyObject(IOutbox, self.desk.sessions[0].outbox)

    def test_origins(self) -> None:
        """With no origins configured any is fine, none and nonsense included."""
        for origin in ("null", "http://x", "nonsense", ""):
            self.assertIn(b" 101 ", self.request(f"Origin: {origin}").value())

    def test_bad_requests(self) -> None:
        """What cannot become a WebSocket is told so with a status."""
        for line, other, status in (
            ("GET /tim HTTP/1.1", "POST /tim HTTP/1.1", b" 405 "),
            ("GET /tim HTTP/1.1", "GET /tim/ HTTP/1.1", b" 404 "),
            ("GET /tim HTTP/1.1", "POST / HTTP/1.1", b" 404 "),
            ("GET /tim HTTP/1.1", "GET /other HTTP/1.1", b" 404 "),
            ("Upgrade: websocket", "Upgrade: h2c", b" 400 "),
            ("Connection: keep-alive, Upgrade", "Connection: close", b" 400 "),
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", b" 400 "),
            (_HEAD[-1], "X: y", b" 400 "),
            (_HEAD[-1], "Sec-WebSocket-Key: short", b" 400 "),
        ):
            answer = self.request(instead={line: other}).value()
            self.assertIn(status, answer[:20], other)
        self.assertEqual(self.desk.sessions, [])

    def test_root(self) -> None:
        """A client that dials the root is let in as well."""
        for path in ("/", "/?x=y"):
            answer = self.request(
                instead={"GET /tim HTTP/1.1": f"GET {path} HTTP/1.1"}
            ).value()
            self.assertIn(b" 101 ", answer[:20])
        bad = {"GET /tim HTTP/1.1": "GET / HTTP/1.1", _HEAD[-1]: "X: y"}
        self.assertIn(b" 400 ", self.request(instead=bad).value()[:20])

    def test_full(self) -> None:
        """A node with too many connections closes the new one."""
        self.desk.full = True
        self.assertTrue(self.request().value().endswith(b"\x88\x02\x03\xe8"))

    def test_real_client(self) -> None:
        """An independent implementation shakes hands, talks and hangs up."""
        got: list[bytes] = []

        class Client(WebSocketClientProtocol):
            def onOpen(self) -> None:
                self.sendMessage(b"\x0d", isBinary=True)
                self.sendMessage(b"\x5f" + b"x" * 3000, isBinary=True)

            def onMessage(self, payload: bytes, isBinary: bool) -> None:
                got.append(payload)
                self.sendClose(1000)

        factory = WebSocketClientFactory("ws://chat:5080/tim", reactor=self.clock)
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        factory.protocol = Client
        client, server = factory.buildProtocol(None), self.site.buildProtocol(None)
        client.serverConnectionDropTimeout = 0
        ends = (FakeTransport(server, True), FakeTransport(client, False))
        pump = connect(server, ends[0], client, ends[1])
        pump.flush()
        (session,) = self.desk.sessions
        self.assertEqual(session.commands[0], commands.Ping())
        session.outbox.offer(logged_in(THRIFT))
        self.clock.advance(0)
        pump.flush()
        self.assertEqual(len(got), 1)
        self.assertEqual(session.told[-2:], [("refused", False), "lost"])


class Origins(Stage):
    """A server that wants its own page and no other."""

    origins = ("https://chat.example",)

    def test_equality(self) -> None:
        """Only exactly the configured origin is accepted."""
        good = self.request("Origin: https://chat.example").value()
        self.assertIn(b" 101 ", good[:20])
        for bad in ("Origin: https://chat.example.evil", "Origin: null", "X: y"):
            self.assertIn(b" 403 ", self.request(bad).value()[:20])


class Reading(Stage):
    """From the client to the core."""

    def test_many_frames(self) -> None:
        """Frames arrive whole and in order, however the bytes were cut."""
        acks = [masked(b"\x0c" + n.to_bytes(4, "big")) for n in range(5)]
        stream = b"".join([*acks, masked(b"\x0d", 0x81), masked(b""), masked(b"\x0d")])
        expected: list[object] = [commands.Acknowledge(n) for n in range(5)]
        expected += [commands.Ping(), commands.Ping()]
        for step in (1, 2, 3, 7, 11, len(stream)):
            socket, session = self.connected()
            for start in range(0, len(stream), step):
                socket.protocol.dataReceived(stream[start : start + step])
            self.assertEqual(session.commands, expected)

    def test_fragments(self) -> None:
        """Fragments are one message, also with a ping of WebSocket's own between."""
        socket, session = self.connected()
        socket.protocol.dataReceived(masked(b"\x0c\0", 0x02) + masked(b"hey", 0x89))
        socket.protocol.dataReceived(masked(b"\0\1", 0x00) + masked(b"\2", 0x80))
        self.assertEqual(session.commands, [commands.Acknowledge(258)])
        self.assertEqual(socket.value(), b"\x8a\x03hey")
        self.assertEqual(session.told, ["alive"])

    def test_signs_of_life(self) -> None:
        """Pings, pongs and what says nothing count as life."""
        socket, session = self.connected()
        for frame in (
            masked(b"", 0x89),
            masked(b"", 0x8A),
            masked(b""),
            masked(b"\x0c"),
        ):
            socket.protocol.dataReceived(frame)
        self.assertEqual(session.told, ["alive"] * 4)
        self.assertEqual(session.commands, [])

    def test_any_cut(self) -> None:
        """Whole, long, empty and fragmented messages survive any cutting."""
        sizes = st.sampled_from([0, 1, 5, 125, 126, 1399, 1400, 1401, 3000, 70_000])
        messages = st.lists(st.tuples(sizes, st.integers(1, 3)), max_size=5)

        @settings(max_examples=40, deadline=None, derandomize=True, database=None)
        @given(messages, st.integers(1, 70_000), st.binary(min_size=4, max_size=4))
        def check(plan: list[tuple[int, int]], step: int, key: bytes) -> None:
            socket, session = self.connected(THRIFT)
            stream = b""
            for size, pieces in plan:
                payload = (b"\x0c\0\0\0\7" + bytes(range(256)) * 300)[: size + 5]
                cut = len(payload) // pieces
                for piece in range(pieces):
                    last = piece == pieces - 1
                    end = len(payload) if last else (piece + 1) * cut
                    head = (0x80 if last else 0) | (0 if piece else 2)
                    stream += masked(payload[piece * cut : end], head, key)
            for start in range(0, len(stream), max(step, len(stream) // 50)):
                cut = start + max(step, len(stream) // 50)
                socket.protocol.dataReceived(stream[start:cut])
            self.assertEqual(session.commands, [commands.Acknowledge(7)] * len(plan))
            self.lose(socket)

        check()

    def test_size_before_login(self) -> None:
        """Before login a frame of 4096 bytes is read, one of 4097 ends the line."""
        for size, closed in (
            (FRAME_BEFORE_LOGIN, False),
            (FRAME_BEFORE_LOGIN + 1, True),
        ):
            socket, session = self.connected()
            socket.protocol.dataReceived(masked(b"\x0d" * size))
            self.assertEqual(socket.value() == b"\x88\x02\x03\xf1", closed)
            self.assertEqual(session.commands, [] if closed else [commands.Ping()])

    def test_size_after_login(self) -> None:
        """After login the limit is the configured one."""
        for size, closed in ((MAX_FRAME, False), (MAX_FRAME + 1, True)):
            for cut in (size, 50_000):
                socket, session = self.connected(THRIFT)
                payload = b"\x0d" * size
                stream = masked(payload[:cut], 0x82 if cut == size else 0x02)
                if cut < size:
                    stream += masked(payload[cut:], 0x80)
                socket.protocol.dataReceived(stream)
                self.assertEqual(socket.value() == b"\x88\x02\x03\xf1", closed)
                self.assertEqual(session.commands, [] if closed else [commands.Ping()])

    def test_too_many_fragments(self) -> None:
        """A message may not have endlessly many pieces, even if they are empty."""
        for count, closed in ((FRAGMENTS - 1, False), (FRAGMENTS, True)):
            socket, session = self.connected()
            stream = masked(b"\x0d", 0x02) + masked(b"", 0x00) * (count - 1)
            socket.protocol.dataReceived(stream + masked(b"", 0x80))
            self.assertEqual(socket.value() == b"\x88\x02\x03\xf1", closed)
            self.assertEqual(session.commands, [] if closed else [commands.Ping()])

    def test_violation(self) -> None:
        """Unmasked frames and reserved bits end the line with 1002."""
        for frame in (b"\x82\x01\x0d", masked(b"\x0d", 0xC2), masked(b"\x0d", 0x83)):
            socket, _ = self.connected()
            socket.protocol.dataReceived(frame)
            self.assertEqual(socket.value(), b"\x88\x02\x03\xea")
            self.clock.advance(CLOSE_SECONDS)
            self.assertTrue(socket.aborted)

    def test_hold(self) -> None:
        """While reading is held nothing reaches the core; afterwards all does."""
        socket, session = self.connected()
        session.outbox.hold()
        self.assertFalse(socket.reading)
        socket.protocol.dataReceived(masked(b"\x0d") * 3)
        self.assertEqual(session.commands, [])
        session.outbox.proceed()
        self.assertTrue(socket.reading)
        self.clock.advance(0)
        self.assertEqual(session.commands, [commands.Ping()] * 3)

    def test_hold_within_a_read(self) -> None:
        """The core may hold reading at any command of several that came together."""
        socket, session = self.connected()

        class Holding(list[Any]):
            def append(self, command: Any) -> None:
                super().append(command)
                session.outbox.hold()

        session.commands = Holding()
        socket.protocol.dataReceived(masked(b"\x0d") * 2 + masked(b"\x0d" * 2000) * 2)
        for count in (1, 2, 3, 4, 4):
            self.assertEqual(len(session.commands), count)
            session.outbox.proceed()
            self.clock.advance(0)

    def test_big_data_takes_too_long(self) -> None:
        """A big frame whose rest does not come in time is refused, not before."""
        socket, session = self.connected(THRIFT)
        socket.protocol.dataReceived(masked(b"\x5f\0\0\0\x64bob|"))
        self.clock.advance(BIG_DATA_SECONDS - 1)
        socket.protocol.dataReceived(masked(b"more"))
        self.assertEqual(session.commands, [])
        self.clock.advance(1)
        (command,) = session.commands
        assert isinstance(command, Unacceptable)
        self.assertIsInstance(command.error, BadBigData)
        socket.protocol.dataReceived(masked(b"\x5f\0\0\0\x0bbob|"))
        socket.protocol.dataReceived(masked(b"hi"))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Writing(Stage):
    """From the core to the client."""

    def test_once_a_turn(self) -> None:
        """What one turn brings goes out together, each frame a message of its own."""
        socket, session = self.connected(THRIFT)
        writes = socket.writes
        for _ in range(3):
            self.assertTrue(session.outbox.offer(events.Pong()))
        self.assertEqual(socket.value(), b"")
        self.clock.advance(0)
        self.assertEqual(socket.value(), b"\x82\x01\x0d" * 3)
        self.assertEqual(socket.writes, writes + 1)

    def test_sizes(self) -> None:
        """Messages of every length are unfragmented and unmasked."""
        for size in (0, 200, 70_000):
            socket, session = self.connected(THRIFT)
            session.outbox.offer(events.Delivery(entry(words="x" * size), 1))
            self.clock.advance(0)
            value = socket.value()
            head = 2 if size == 0 else 4 if size == 200 else 10
            self.assertEqual(value, websocket_message(value[head:]))

    def test_measure(self) -> None:
        """The core learns what an entry takes of a page."""
        _, session = self.connected(THRIFT)
        self.assertGreater(session.outbox.page_bytes, 8000)
        self.assertGreater(session.outbox.measure(entry()), 20)

    def test_slow_client(self) -> None:
        """A slow client is neither written to nor read until it has caught up."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        session.outbox.offer(events.Delivery(entry(words="x" * WRITE_BYTES), 1))
        self.assertEqual(session.told, [("writable", False)])
        self.assertFalse(socket.reading)
        session.outbox.hold()
        socket.drain()
        self.assertEqual(session.told, [("writable", False), ("writable", True)])
        self.assertFalse(socket.reading)
        session.outbox.proceed()
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
        self.assertFalse(session.outbox.offer(events.Pong()))

    def test_too_much_waits(self) -> None:
        """A client for whom too much waits is cut off."""
        socket, session = self.connected(THRIFT)
        socket.limit = WRITE_BYTES
        big = events.Delivery(entry(words="x" * WRITE_BYTES), 1)
        taken = 0
        while session.outbox.offer(big):
            taken += 1
            self.assertFalse(socket.aborted)
        self.assertEqual(taken, OUTBOX_BYTES // WRITE_BYTES + 1)
        self.assertTrue(socket.aborted)


class Ending(Stage):
    """How a line ends."""

    def test_close(self) -> None:
        """Closing says 1000 behind what was offered, and waits for the answer."""
        socket, session = self.connected(THRIFT)
        session.outbox.offer(events.LoggedOut())
        session.outbox.close()
        session.outbox.close()
        bye = b"\x88\x02\x03\xe8"
        self.assertEqual(socket.value(), b"\x82\x05\x0c\x11\x13\x14\0" + bye)
        self.assertFalse(session.outbox.offer(events.Pong()))
        socket.protocol.dataReceived(masked(b"\x0d") + masked(b"\x03\xe8", 0x88))
        self.assertTrue(socket.aborted)
        self.assertEqual(session.commands, [])
        self.assertEqual(session.told, [])
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
        while not got.endswith(b"\x82\x01\x0d\x88\x02\x03\xe8"):
            piece = socket.drain()
            self.assertNotEqual(piece, b"")
            got += piece
        self.assertTrue(socket.reading)

    def test_close_has_a_deadline(self) -> None:
        """A client that does not answer the closing is cut off."""
        socket, session = self.connected()
        session.outbox.close()
        self.clock.advance(CLOSE_SECONDS - 1)
        self.assertFalse(socket.aborted)
        self.clock.advance(1)
        self.assertTrue(socket.aborted)

    def test_client_closes(self) -> None:
        """The core learns when a client hangs up because a frame was too much."""
        codes = {1000: False, 1001: False, 4000: False}
        codes |= dict.fromkeys((1002, 1003, 1007, 1009), True)
        for code, too_much in codes.items():
            socket, session = self.connected()
            socket.protocol.dataReceived(masked(code.to_bytes(2, "big"), 0x88))
            self.assertEqual(session.told, [("refused", too_much)])
            self.assertTrue(socket.disconnecting)
            self.assertIsNone(socket.producer)
            self.lose(socket)
            self.assertEqual(session.told, [("refused", too_much), "lost"])

    def test_client_closes_and_does_not_read(self) -> None:
        """A client that hung up but takes no bytes is cut off in the end."""
        socket, _ = self.connected()
        socket.protocol.dataReceived(masked(b"", 0x88))
        self.clock.advance(CLOSE_SECONDS)
        self.assertTrue(socket.aborted)

    def test_lost(self) -> None:
        """A line that breaks is told once, whatever was going on."""
        for action in ("hold", "close", "abort", "page_bytes"):
            socket, session = self.connected(THRIFT)
            outbox: Any = session.outbox
            step = getattr(outbox, action)
            if callable(step):
                step()
            outbox.offer(events.Pong())
            self.lose(socket)
            self.assertEqual(session.told, ["lost"])
            self.assertFalse(outbox.offer(events.Pong()))
            outbox.close()
            outbox.hold()
            outbox.proceed()
            self.clock.advance(100)
            self.assertEqual(session.told, ["lost"])

    def test_no_cycles(self) -> None:
        """A connection that is gone needs no garbage collector."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        socket, session = self.connected(THRIFT)
        socket.protocol.dataReceived(masked(b"\x0d") + masked(b"\x0c\0\0\0\1" * 400))
        session.outbox.offer(events.Delivery(entry(), 1))
        self.clock.advance(0)
        reference = weakref.ref(socket.protocol)
        self.lose(socket)
        self.assertIsNone(reference())
