"""Clients behind a proxy: whose address counts, and who is believed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import Ping
from timtw.model.limits import LISTEN_BACKLOG, PROXY_HEADER, PROXY_SECONDS
from timtw.protocols.clientline import make_shared
from timtw.protocols.proxied import InFront, ProxiedFactory
from timtw.protocols.proxyheader import BadHeader, Header, read_header
from timtw.protocols.site import make_site
from timtw.protocols.sources import TrustedProxies
from timtw.protocols.tcp import TcpClients
from timtw.test.wirekit import RecordingDesk, Socket

BINARY = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = bytes([192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x13, 0xC4])
SIX = bytes.fromhex("20010db8000000000000000000000009") * 2 + b"\0\x05\0\x06"
TEXT_FOUR = b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 5060\r\n"
PROXIES = TrustedProxies(["10.0.0.0/8", "::1"])


def binary(command: int, family: int, body: bytes) -> bytes:
    """A header of version 2."""
    return BINARY + bytes([command, family]) + len(body).to_bytes(2, "big") + body


class Headers(SynchronousTestCase):
    """The PROXY protocol, both versions, as bytes."""

    GOOD = (
        (TEXT_FOUR, "192.0.2.7", 12345),
        (b"PROXY TCP6 2001:db8::9 ::1 5 6\r\n", "2001:db8::9", 5),
        (b"PROXY UNKNOWN\r\n", None, 0),
        (b"PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n", None, 0),
        (binary(0x21, 0x11, FOUR), "192.0.2.7", 12345),
        (binary(0x21, 0x21, SIX), "2001:db8::9", 5),
        (binary(0x21, 0x11, FOUR + b"\x03\0\x04more"), "192.0.2.7", 12345),
        (binary(0x20, 0x00, b""), None, 0),
        (binary(0x20, 0x11, FOUR), None, 0),
        (binary(0x21, 0x00, b"what"), None, 0),
        (binary(0x21, 0x31, bytes(216)), None, 0),
    )
    BAD = (
        b"PROXY \r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 12345\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 65536\r\n",
        b"PROXY TCP4 192.0.2.777 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
        b"PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n",
        b"PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n" + b" " * 107,
        b"PROXY UNKNOWN " + b"x" * 93,
        binary(0x22, 0x11, FOUR),
        binary(0x11, 0x11, FOUR),
        binary(0x21, 0x11, FOUR[:-1]),
        binary(0x21, 0x21, SIX[:-1]),
        binary(0x21, 0x12, FOUR),
        binary(0x21, 0x11, FOUR + bytes(PROXY_HEADER)),
    )

    def test_good(self) -> None:
        """Both versions name a client, or nobody, and end where they end."""
        for header, host, port in self.GOOD:
            expected = Header(host, port, len(header))
            self.assertEqual(read_header(header + b"PROXY"), expected)
            for end in range(len(header)):
                self.assertIsNone(read_header(header[:end]), header[:end])

    def test_bad(self) -> None:
        """What looks like a header and is none is refused."""
        for header in self.BAD:
            self.assertRaises(BadHeader, read_header, header)

    def test_size(self) -> None:
        """A header of 4096 bytes is read, a longer one is not."""
        room = PROXY_HEADER - 16
        header = binary(0x21, 0x11, FOUR + bytes(room - len(FOUR)))
        self.assertEqual(read_header(header), Header("192.0.2.7", 12345, PROXY_HEADER))
        longer = binary(0x21, 0x11, FOUR + bytes(room + 1 - len(FOUR)))
        self.assertRaises(BadHeader, read_header, longer)

    def test_none(self) -> None:
        """Other words are no header, as soon as that is certain."""
        for words in (
            b"POST /",
            b"PROXx",
            b"GET / HTTP/1.1",
            b"\0\0\0\1\x0d",
            b"\r\nx",
        ):
            self.assertEqual(read_header(words), Header(None, 0, 0))

    def test_any_bytes(self) -> None:
        """Whatever comes, it is read, refused or waited for."""

        @settings(max_examples=300, deadline=None, derandomize=True, database=None)
        @given(st.sampled_from([b"PROXY ", b"PROXY TCP4 ", BINARY, b""]), st.binary())
        def check(start: bytes, rest: bytes) -> None:
            try:
                header = read_header(start + rest)
            except BadHeader:
                return
            if header is not None:
                self.assertLessEqual(header.size, len(start + rest))

        check()


class Trust(SynchronousTestCase):
    """Whose word about a client counts."""

    def test_addresses(self) -> None:
        """Addresses and networks, IPv4 also where it is spelled as IPv6."""
        for source in ("10.0.0.1", "10.255.0.9", "::1", "::ffff:10.0.0.1"):
            self.assertTrue(PROXIES.holds(source), source)
        for source in ("11.0.0.1", "::2", "local", "", "::ffff:11.0.0.1"):
            self.assertFalse(PROXIES.holds(source), source)
        self.assertFalse(TrustedProxies())

    def test_forwarded(self) -> None:
        """The last address that is no proxy of ours is the client."""
        for source, lines, client in (
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", [b"192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", [b"198.51.100.1, 192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", [b"nonsense, 192.0.2.7,10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", [b"198.51.100.1", b"192.0.2.7 , ::1"], "192.0.2.7"),
            ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", [b"::ffff:192.0.2.7"], "192.0.2.7"),
            ("192.0.2.9", [b"192.0.2.7"], "192.0.2.9"),
            ("192.0.2.9", [b"nonsense"], "192.0.2.9"),
            ("local", [b"192.0.2.7"], "local"),
        ):
            self.assertEqual(PROXIES.forwarded(source, lines), client, lines)
        for line in (b"", b"nonsense", b"192.0.2.7,", b"192.0.2.7:80", b"unknown"):
            self.assertRaises(ValueError, PROXIES.forwarded, "10.0.0.1", [line])


class Doors(SynchronousTestCase):
    """Real doors behind a proxy."""

    def setUp(self) -> None:
        """A server that trusts the networks above."""
        self.clock, self.desk = Clock(), RecordingDesk()
        shared = make_shared(self.desk, self.clock, 1000)
        site = make_site(shared, None, origins=(), trusted=PROXIES)
        self.tcp = ProxiedFactory(TcpClients(shared), PROXIES, self.clock)
        self.http = ProxiedFactory(site, PROXIES, self.clock)

    def connect(self, factory: object, source: str = "10.0.0.1") -> Socket:
        """A connection from ``source``."""
        socket = Socket()
        socket.peerAddr = IPv4Address("TCP", source, 4)
        socket.protocol = factory.buildProtocol(socket.peerAddr)  # type: ignore[attr-defined]
        socket.protocol.makeConnection(socket)
        return socket

    def say(self, socket: Socket, data: bytes, step: int = 1 << 20) -> None:
        """Send ``data`` in pieces, to whoever has the connection by then."""
        for start in range(0, len(data), step):
            socket.protocol.dataReceived(data[start : start + step])

    def test_tcp(self) -> None:
        """The client that a header names counts, however the bytes are cut."""
        stream = b"\0\0\0\1\x0d"
        for header, source in (
            (TEXT_FOUR, "192.0.2.7"),
            (binary(0x21, 0x21, SIX), "2001:db8::/64"),
            (binary(0x20, 0, b""), "10.0.0.1"),
            (b"", "10.0.0.1"),
        ):
            for step in (1, 7, 1000):
                self.say(self.connect(self.tcp), header + stream, step)
                self.assertEqual(self.desk.sources[-1], source)
                self.assertEqual(self.desk.sessions[-1].commands, [Ping()])

    def test_strangers(self) -> None:
        """A header of anybody else is what it is: garbage."""
        socket = self.connect(self.tcp, "192.0.2.66")
        self.say(socket, TEXT_FOUR)
        self.assertEqual(self.desk.sources, ["192.0.2.66"])
        self.assertEqual(self.desk.sessions[-1].commands, [])
        self.assertTrue(socket.disconnecting)
        socket = self.connect(self.http, "192.0.2.66")
        self.say(socket, TEXT_FOUR + self.post())
        self.assertIn(b" 400 ", socket.value()[:20])

    def test_damaged(self) -> None:
        """A damaged header ends the line, and nobody was connected."""
        for header in Headers.BAD:
            socket = self.connect(self.tcp)
            self.say(socket, header)
            self.assertTrue(socket.aborted)
        self.assertEqual(self.desk.sessions, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_time(self) -> None:
        """A header has its time; so has a connection without a word."""
        for words in (b"", b"PROXY", BINARY):
            socket = self.connect(self.tcp)
            self.say(socket, words)
            self.clock.advance(PROXY_SECONDS - 1)
            self.assertFalse(socket.aborted)
            self.clock.advance(1)
            self.assertTrue(socket.aborted)
        socket = self.connect(self.tcp)
        socket.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def post(self, *lines: bytes) -> bytes:
        """A registration with these headers."""
        body = b'\x8e{"name":"u","pwd":"p"}'
        head = b"POST /tim2 HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body)
        return b"\r\n".join([*head, *lines, b"", body])

    def upgrade(self, *lines: bytes) -> bytes:
        """A handshake with these headers."""
        head = (
            b"GET /tim HTTP/1.1",
            b"Host: x",
            b"Upgrade: websocket",
            b"Connection: upgrade",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        return b"\r\n".join([*head, *lines, b"", b""])

    def test_http(self) -> None:
        """Headers of both kinds count for HTTP and for WebSocket."""
        forwarded = b"X-Forwarded-For: 198.51.100.1, 192.0.2.8"
        for request in (self.post, self.upgrade):
            for start, lines, source in (
                (b"", [], "10.0.0.1"),
                (TEXT_FOUR, [], "192.0.2.7"),
                (binary(0x21, 0x11, FOUR), [], "192.0.2.7"),
                (b"", [forwarded], "192.0.2.8"),
                # The client that the first proxy names is none of ours.
                (TEXT_FOUR, [forwarded], "192.0.2.7"),
                (TEXT_FOUR.replace(b"192.0.2", b"10.0.2"), [forwarded], "192.0.2.8"),
            ):
                self.say(self.connect(self.http), start + request(*lines))
                self.assertEqual(self.desk.sources[-1], source)
        self.say(self.connect(self.http, "192.0.2.66"), self.post(forwarded))
        self.assertEqual(self.desk.sources[-1], "192.0.2.66")

    def test_bad_forwarding(self) -> None:
        """An address that is none ends the line, after an answer with a body."""
        for request in (self.post, self.upgrade):
            socket = self.connect(self.http)
            self.say(socket, request(b"X-Forwarded-For: nonsense"))
            head, _, body = socket.value().partition(b"\r\n\r\n")
            self.assertIn(b" 400 ", head[:20])
            self.assertIn(b"connection: close", head.lower())
            self.assertNotEqual(body, b"")
            self.assertTrue(socket.disconnecting)
        self.assertEqual(self.desk.sources, [])


class Ports(SynchronousTestCase):
    """What a node's ports are, whatever stands behind them."""

    def test_backlog(self) -> None:
        """Thousands may wait to be let in; an operator may say more, not less."""
        reactor = MemoryReactor()
        doors = InFront(reactor, TrustedProxies([]))
        for backlog in (50, LISTEN_BACKLOG + 1):
            doors.listenTCP(5080, Factory(), backlog)
        asked = [server[2] for server in reactor.tcpServers]
        self.assertEqual([LISTEN_BACKLOG, LISTEN_BACKLOG + 1], asked)
