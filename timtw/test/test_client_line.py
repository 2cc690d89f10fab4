"""The client's lines: framings, addresses, and a line that dies, on a fake clock."""

from __future__ import annotations

import base64
import hashlib
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from timtw.client import Client, Login, Offline, Online, Unreachable, Ways, connect
from timtw.client.addresses import NodeAddress
from timtw.client.backoff import Route
from timtw.client.tcpframes import TcpFraming
from timtw.client.ways import State
from timtw.client.wsframes import WebSocketFraming
from timtw.model.limits import (
    CLIENT_BACKOFF_FIRST,
    CLIENT_BACKOFF_MOST,
    CLIENT_ECHO_SECONDS,
    CLIENT_FRAMES,
    CLIENT_HEAD_BYTES,
    CLIENT_LINE_SECONDS,
    CLIENT_PING_SECONDS,
    CLIENT_SILENCE_SECONDS,
    CLIENT_TAKES_BYTES,
)

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MESSAGE = b"\x82\x03abc"
LOGGED_IN = b'\x0c{"ok":true,"timType":16,"n":"ada","t2":0}'


def zeros(size: int) -> bytes:
    """No chance at all: frames are not changed by this mask."""
    return bytes(size)


def switching() -> bytes:
    """The answer to a handshake whose key is made of zeros."""
    digest = hashlib.sha1(base64.b64encode(bytes(16)) + MAGIC).digest()
    accept = base64.b64encode(digest)
    return b"HTTP/1.1 101 OK\r\nSEC-WebSocket-Accept: %b\r\n\r\n" % accept


class WebSocketTests(SynchronousTestCase):
    """A WebSocket in memory."""

    def open(self) -> WebSocketFraming:
        """One whose handshake is done."""
        framing = WebSocketFraming("h:1", zeros)
        self.assertEqual([], framing.feed(switching()))
        self.assertTrue(framing.ready)
        return framing

    def test_frames_of_all_lengths(self) -> None:
        """Whole messages come through, byte by byte and in one piece."""
        for size in (0, 1, 125, 126, 65535, 65536):
            head = bytes((size,)) if size < 126 else b""
            if not head:
                wide = 2 if size < 65536 else 8
                head = (b"\x7e" if wide == 2 else b"\x7f") + size.to_bytes(wide, "big")
            data = b"\x82" + head + b"x" * size
            self.assertEqual([b"x" * size] * 2, self.open().feed(data * 2))
            if size < 200:
                framing = self.open()
                found = [framing.feed(data[n : n + 1]) for n in range(len(data))]
                self.assertEqual([b"x" * size], [one for some in found for one in some])
            sent = self.open().wrapped(b"x" * size)
            self.assertEqual(0x80, sent[1] & 0x80)
            self.assertTrue(sent.endswith(bytes(4) + b"x" * size))

    def test_mask(self) -> None:
        """What is written is masked with the random key."""
        framing = WebSocketFraming("h:1", lambda size: b"\x01\x02\x03\x04"[:size])
        self.assertEqual(b"\x82\x85\x01\x02\x03\x04@@@@@", framing.wrapped(b"ABCDA"))

    def test_fragments_and_pings(self) -> None:
        """A proxy may cut messages and ping in between."""
        framing = self.open()
        data = b"\x02\x01a\x89\x02hi\x00\x01b\x80\x01c" + MESSAGE
        self.assertEqual([b"abc", b"abc"], framing.feed(data))
        self.assertEqual(b"\x8a\x82\0\0\0\0hi", framing.replies())
        self.assertEqual(b"", framing.replies())

    def test_what_came_before_the_close(self) -> None:
        """Frames in front of a close are not lost with it."""
        framing = self.open()
        self.assertEqual([b"abc"], framing.feed(MESSAGE + b"\x88\x02\x03\xe8"))
        self.assertIn("1000", framing.failure)
        self.assertEqual(b"\x88\x82\0\0\0\0\x03\xe8", framing.replies())
        self.assertEqual([], framing.feed(MESSAGE))
        self.assertFalse(framing.too_long)
        framing = self.open()
        framing.feed(b"\x88\x02\x03\xf1")
        self.assertTrue(framing.too_long)

    def test_what_is_no_node(self) -> None:
        """A refused or foreign handshake and broken frames end the line."""
        for answer in (
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\n\r\n",
            b"x" * (CLIENT_HEAD_BYTES + 1),
        ):
            framing = WebSocketFraming("h:1", zeros)
            self.assertEqual([], framing.feed(answer))
            self.assertTrue(framing.failure, answer)
        framing = WebSocketFraming("h:1", zeros)
        framing.feed(b"x" * CLIENT_HEAD_BYTES)
        self.assertEqual("", framing.failure)
        for data in (
            b"\xc2\x00",
            b"\x82\x80",
            b"\x83\x00",
            b"\x80\x00",
            b"\x02\x00\x82\x00",
            b"\x09\x00",
            b"\x89\x7e\x00\x7e" + bytes(126),
            b"\x82\x7f" + (CLIENT_TAKES_BYTES + 1).to_bytes(8, "big"),
        ):
            framing = self.open()
            self.assertEqual([], framing.feed(data))
            self.assertTrue(framing.failure, data)
        framing = self.open()
        framing.feed(b"\x82\x7f" + CLIENT_TAKES_BYTES.to_bytes(8, "big"))
        self.assertEqual("", framing.failure)


class TcpTests(SynchronousTestCase):
    """Frames behind their lengths."""

    def test_frames(self) -> None:
        """They come through however the stream is cut; a giant ends the line."""
        framing = TcpFraming()
        data = framing.wrapped(b"abc") + framing.wrapped(b"") + framing.wrapped(b"d")
        self.assertEqual(b"\0\0\0\3abc", data[:7])
        self.assertEqual([b"abc", b"", b"d"], framing.feed(data))
        found = [framing.feed(data[n : n + 1]) for n in range(len(data))]
        self.assertEqual([b"abc", b"", b"d"], [one for some in found for one in some])
        framing.feed(CLIENT_TAKES_BYTES.to_bytes(4, "big"))
        self.assertEqual("", framing.failure)
        framing = TcpFraming()
        framing.feed(data[:7] + (CLIENT_TAKES_BYTES + 1).to_bytes(4, "big"))
        self.assertTrue(framing.failure)


class AddressTests(SynchronousTestCase):
    """Addresses as people write them."""

    def test_addresses(self) -> None:
        """All four kinds, ports that are left out, and IPv6."""
        for text, told, web in (
            ("ws://h", "ws://h:5080", "http://h:5080/tim2"),
            ("ws://h:1/tim", "ws://h:1", "http://h:1/tim2"),
            ("wss://h/", "wss://h:443", "https://h:443/tim2"),
            ("tcp://h", "tcp://h:5090", None),
            ("tls://[::1]:7", "tls://[::1]:7", None),
        ):
            address = NodeAddress.parsed(text)
            self.assertEqual((told, web), (str(address), address.web))
        for wrong in (
            "h:1",
            "http://h",
            "ws://",
            "ws://h/x",
            "tcp://h/tim",
            "ws://h:x",
        ):
            self.assertRaises(ValueError, NodeAddress.parsed, wrong)

    def test_route(self) -> None:
        """All addresses are tried, pauses double up to their bound, success resets."""
        addresses = [NodeAddress("ws", host, 1) for host in "ab"]
        route = Route(addresses, Random(1))
        tried, pauses = [], []
        for _ in range(40):
            tried.append(route.current.host)
            pauses.append(route.failed())
        self.assertEqual(["a", "b"] * 20, tried)
        for round, pause in enumerate(pauses[1::2]):
            bound = min(CLIENT_BACKOFF_MOST, CLIENT_BACKOFF_FIRST * 2.0**round)
            self.assertTrue(bound / 2 <= pause <= bound, (round, pause))
        self.assertLessEqual(max(pauses[0::2]), CLIENT_BACKOFF_FIRST)
        self.assertEqual(20, route.rounds)
        route.worked()
        self.assertEqual(0, route.rounds)
        self.assertLessEqual(route.dropped(), CLIENT_BACKOFF_FIRST)
        self.assertRaises(ValueError, Route, [], Random(1))
        several = {Route(addresses, Random(seed)).failed() for seed in range(9)}
        self.assertEqual(9, len(several), "clients do not come back together")


class Transport(StringTransport):
    """A transport that loses its connection when it is told to."""

    protocol: Protocol

    def loseConnection(self) -> None:
        """Be gone at once."""
        if not self.disconnecting:
            super().loseConnection()
            self.protocol.connectionLost(Failure(ConnectionDone()))

    abortConnection = loseConnection


@implementer(IStreamClientEndpoint)
class Door:
    """Endpoints of a network in memory.

    Attributes:
        lines: The transports that were opened.
        silent: Whether connecting comes to nothing.
        closed: Whether it is refused.
    """

    def __init__(self) -> None:
        """Everything can be reached."""
        self.lines: list[Transport] = []
        self.silent = self.closed = False

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """See IStreamClientEndpoint."""
        if self.silent:
            return Deferred()
        if self.closed:
            return fail(ConnectionRefusedError())
        address: Any = None
        protocol: Any = protocolFactory.buildProtocol(address)
        line = Transport()
        line.protocol = protocol
        self.lines.append(line)
        protocol.makeConnection(line)
        return succeed(protocol)


class KeeperTests(SynchronousTestCase):
    """Time goes by; the node says what the test says."""

    def setUp(self) -> None:
        """A client over TCP framing whose login is under way."""
        self.clock = Clock()
        self.door = Door()
        self.seen: list[State] = []
        ways = Ways(
            observe=self.seen.append, rng=Random(1), endpoint=lambda address: self.door
        )
        login = Login("ada", "pw")
        self.entered = connect(self.clock, ["tcp://a", "tcp://b"], login, ways)

    def answer(self, frame: bytes) -> None:
        """The node says something on the newest line."""
        line = self.door.lines[-1]
        line.protocol.dataReceived(len(frame).to_bytes(4, "big") + frame)

    def said(self) -> list[bytes]:
        """What the client has said on the newest line since the last time."""
        line = self.door.lines[-1]
        frames = TcpFraming().feed(line.value())
        line.clear()
        return frames

    def log_in(self) -> Client:
        """The login succeeds."""
        self.answer(LOGGED_IN)
        return self.successResultOf(self.entered)

    def test_heartbeat_and_silence(self) -> None:
        """It pings in time, and gives up a line on which nothing comes; not before."""
        self.log_in()
        self.said()
        self.clock.advance(CLIENT_PING_SECONDS - 0.1)
        self.assertEqual([], self.said())
        self.clock.advance(0.1)
        self.assertEqual([b"\x8d"], self.said())
        self.answer(b"\x0d")
        self.clock.pump([CLIENT_PING_SECONDS] * 2)
        self.assertEqual(1, len(self.door.lines))
        self.clock.advance(CLIENT_SILENCE_SECONDS - 2 * CLIENT_PING_SECONDS)
        self.assertIsInstance(self.seen[-1], Offline)
        self.clock.advance(CLIENT_BACKOFF_FIRST)
        self.assertEqual(2, len(self.door.lines))
        self.answer(LOGGED_IN)
        self.assertEqual(Online("ada", "tcp://a:5090"), self.seen[-1])

    def test_login_without_an_answer(self) -> None:
        """A node that takes the connection and says nothing is left for the next."""
        self.clock.advance(CLIENT_LINE_SECONDS - 0.1)
        self.assertEqual([], self.seen)
        self.clock.advance(0.1)
        self.assertIsInstance(self.seen[0], Offline)
        self.clock.advance(CLIENT_BACKOFF_FIRST)
        self.answer(LOGGED_IN)
        self.assertEqual(Online("ada", "tcp://b:5090"), self.seen[-1])

    def test_nothing_to_be_reached(self) -> None:
        """Each address is tried once before the first login, also those that hang."""
        self.door.silent = True
        self.door.lines[0].loseConnection()
        self.clock.advance(CLIENT_BACKOFF_FIRST)
        self.clock.advance(CLIENT_LINE_SECONDS)
        self.failureResultOf(self.entered, Unreachable)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_never_gives_up_once_it_was_in(self) -> None:
        """After a login it comes back however long the node is away."""
        self.log_in()
        self.door.closed = True
        self.door.lines[0].loseConnection()
        for _ in range(30):
            self.clock.advance(CLIENT_BACKOFF_MOST)
        self.door.closed = False
        self.clock.advance(CLIENT_BACKOFF_MOST)
        self.assertEqual(2, len(self.door.lines))

    def test_held(self) -> None:
        """A line is not read while too much waits of a room that loses nothing, and it
        is not taken for dead; the next line is read until the login is through."""
        client = self.log_in()
        room = client.live.room("V", loses_nothing=True)
        for _ in range(CLIENT_FRAMES + 1):
            self.answer(b"\x61V\x83x")
        self.assertEqual("paused", self.door.lines[-1].producerState)
        self.clock.pump([CLIENT_SILENCE_SECONDS] * 2)
        self.assertEqual(1, len(self.door.lines))
        self.door.lines[-1].loseConnection()
        self.clock.advance(CLIENT_BACKOFF_FIRST)
        self.assertEqual("producing", self.door.lines[-1].producerState)
        self.answer(LOGGED_IN)
        self.assertEqual("paused", self.door.lines[-1].producerState)
        for _ in range(CLIENT_FRAMES // 2 + 1):
            self.successResultOf(Deferred.fromCoroutine(room.__anext__()))
        self.assertEqual("producing", self.door.lines[-1].producerState)
        self.clock.pump([CLIENT_SILENCE_SECONDS] * 2)
        self.assertIsInstance(self.seen[-1], Offline)

    def test_pushing_at_the_pace_of_the_line(self) -> None:
        """A push is done when the line takes more; without a line it is lost."""
        client = self.log_in()
        room = client.live.room("V")
        self.assertTrue(self.successResultOf(room.push(b"x")))
        line = self.door.lines[-1]
        producer: Any = line.producer
        producer.pauseProducing()
        waiting = room.push(b"x")
        self.assertNoResult(waiting)
        producer.resumeProducing()
        self.assertTrue(self.successResultOf(waiting))
        producer.pauseProducing()
        waiting, cancelled = room.push(b"x"), room.push(b"x")
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        line.loseConnection()
        self.assertFalse(self.successResultOf(waiting))
        self.assertFalse(self.successResultOf(room.push(b"x")))

    def test_late_echo(self) -> None:
        """A text without an echo is sent again under its id, until it has one."""
        client = self.log_in()
        answer = client.send("bob", "hi", ident=7)
        first = self.said()[-1]
        self.clock.advance(CLIENT_ECHO_SECONDS)
        self.assertIn(first, self.said())
        self.answer(b"\x0d")
        echo = (
            b'\x5a{"msType":2,"odType":1,"id":7,"mid":1,"timestamp":5,'
            b'"fromTid":{"node":"ada"},"toTid":{"node":"bob"},"dataString":"hi"}'
        )
        self.answer(echo)
        self.assertEqual(1, self.successResultOf(answer).mid)
        self.said()
        self.clock.advance(CLIENT_ECHO_SECONDS)
        self.assertNotIn(first, self.said())

    def test_nothing_is_left_behind(self) -> None:
        """A closed client has no timers, and a cancelled login no line."""
        client = self.log_in()
        waiting = client.send("bob", "hi")
        closing = Deferred.fromCoroutine(client.close())
        self.successResultOf(closing)
        self.assertEqual([], self.clock.getDelayedCalls())
        self.failureResultOf(waiting)
        self.failureResultOf(client.send("bob", "more"))
        self.setUp()
        self.entered.cancel()
        self.failureResultOf(self.entered)
        self.assertTrue(self.door.lines[-1].disconnecting)
        self.assertEqual([], self.clock.getDelayedCalls())
