"""Registration and tokens over HTTP, and what else the port for clients serves."""

from __future__ import annotations

import gc

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource, Resource
from twisted.web.static import Data
from zope.interface import provider

from timtw.model.commands import IssueToken, Register
from timtw.model.errors import NameTaken, WrongPassword
from timtw.model.limits import HTTP_BODY, HTTP_SECONDS
from timtw.protocols import site, structs
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.site import make_site
from timtw.protocols.sources import NO_PROXIES, counted, source_of
from timtw.test.wirekit import ALICE, RecordingDesk, Socket

REGISTER_JSON = (
    b'\x8e{"name":"u","pwd":"p","domain":"","resource":"","termtyp":0,'
    b'"token":null,"extend":null}'
)
REGISTER_THRIFT = bytes.fromhex("0e 180175 180170 1800 00")

HANDSHAKE = (
    b"GET /tim HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Stage(SynchronousTestCase):
    """A server, and requests as bytes."""

    origins: tuple[str, ...] = ()
    trusted = NO_PROXIES

    def setUp(self) -> None:
        """Nothing has been asked."""
        self.clock, self.desk = Clock(), RecordingDesk()
        self.open()

    def open(self, page: IResource | None = None) -> None:
        """Make the site."""
        self.site = make_site(
            make_shared(self.desk, self.clock, 1000),
            page,
            origins=self.origins,
            trusted=self.trusted,
        )

    def connect(self) -> Socket:
        """A connection that has asked for nothing."""
        socket = Socket()
        socket.peerAddr = IPv4Address("TCP", "192.0.2.1", 4)
        socket.protocol = self.site.buildProtocol(socket.peerAddr)
        socket.protocol.makeConnection(socket)
        return socket

    def ask(self, body: bytes, line: str = "POST /tim2", *headers: str) -> Socket:
        """Send a whole request."""
        socket = self.connect()
        lines = [f"{line} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        head = "\r\n".join([*lines, *headers, "", ""])
        socket.protocol.dataReceived(head.encode("latin-1") + body)
        return socket

    def answer(self, socket: Socket) -> tuple[bytes, bytes]:
        """Status and body of the answer that was written."""
        head, _, body = socket.value().partition(b"\r\n\r\n")
        return head.split(b" ")[1], body

    def refused(self, socket: Socket, type: int, code: int) -> None:
        """Check that the answer is a refusal in Thrift."""
        status, body = self.answer(socket)
        self.assertEqual((status, body[:1]), (b"200", b"\x0c"))
        ack = THRIFT.decode(structs.TimAck, body[1:])
        assert ack.error is not None
        self.assertEqual((ack.ok, ack.timType, ack.error.code), (False, type, code))


class Registration(Stage):
    """Types 14 and 15."""

    def test_register(self) -> None:
        """Both codecs register, and are answered in their own."""
        ack = b'{"ok":true,"timType":14,"n":"A"}'
        thrift = bytes.fromhex("11130e 38 0141 00")
        for frame, answer in ((REGISTER_JSON, ack), (REGISTER_THRIFT, thrift)):
            socket = self.ask(frame)
            self.assertEqual(socket.value(), b"")
            self.desk.answers[-1].callback(ALICE)
            self.assertEqual(self.answer(socket), (b"200", b"\x0c" + answer))
        self.assertEqual(self.desk.asked, [Register("u", "p")] * 2)
        self.assertEqual(self.desk.sources, ["192.0.2.1"] * 2)

    def test_token(self) -> None:
        """A token is told as the text n and as the number t, which are the same."""
        socket = self.ask(b'\x8f{"name":"u","pwd":"p","domain":"d","extend":{"a":"b"}}')
        self.assertEqual(self.desk.asked, [IssueToken("u", "p", "d", {"a": "b"})])
        self.desk.answers[0].callback("9007199254740991")
        ack = (
            b'\x0c{"ok":true,"timType":15,"t":9007199254740991,"n":"9007199254740991"}'
        )
        self.assertEqual(self.answer(socket), (b"200", ack))

    def test_refused(self) -> None:
        """A refusal of the core is told with its code, in the request's codec."""
        socket = self.ask(REGISTER_JSON)
        self.desk.answers[-1].errback(NameTaken("gone"))
        _, body = self.answer(socket)
        error = b'{"ok":false,"timType":14,"error":{"code":4101,"info":"gone"}}'
        self.assertEqual(body, b"\x0c" + error)
        socket = self.ask(b"\x0f\x00")
        self.desk.answers[-1].errback(WrongPassword())
        self.refused(socket, 15, 4102)

    def test_refused_line(self) -> None:
        """What comes behind a line that is no request is not looked at.

        Over TLS it still comes when our side of the line has ended.
        """
        socket = self.connect()
        for piece in (b"GET /\r\n", b"\r\n", b"\r\n"):
            socket.protocol.dataReceived(piece)
        self.assertEqual(socket.value(), b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertTrue(socket.disconnecting)

    def test_bug(self) -> None:
        """A fault of ours is told with a reference that the log repeats."""
        socket = self.ask(REGISTER_THRIFT)
        self.desk.answers[-1].errback(ZeroDivisionError())
        self.refused(socket, 14, 5101)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_nonsense(self) -> None:
        """Whatever is asked, the answer has a body that clients understand."""
        for body, type in (
            (b"", 0),
            (b"\x0e", 14),
            (b"\x0e\xff", 14),
            (b"\x0f\x18\x7f", 15),
            (b"\x10\x00", 16),
            (b"\x5f0000000", 95),
        ):
            self.refused(self.ask(body), type, 4104)
        status, body = self.answer(self.ask(b"\x8enull"))
        self.assertEqual(JSON.decode(structs.TimAck, body[1:]).timType, 14)
        self.assertEqual(status, b"200")
        self.refused(self.ask(b"", "GET /tim2"), 0, 4104)
        self.assertEqual(self.desk.asked, [])

    def test_x12_size(self) -> None:
        """A body of 4096 bytes is read, a longer one is refused and not kept."""
        padding = bytes(HTTP_BODY - len(REGISTER_THRIFT))
        self.ask(REGISTER_THRIFT + padding)
        self.assertEqual(self.desk.asked, [Register("u", "p")])
        self.refused(self.ask(REGISTER_THRIFT + padding + b"\0"), 14, 4104)
        self.refused(self.ask(REGISTER_THRIFT + bytes(200_000)), 14, 4104)
        self.assertEqual(len(self.desk.asked), 1)

    def test_x12_chunked(self) -> None:
        """A body in chunks is read like any other, and limited as well."""
        head = b"POST /tim2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for size, served in ((10, True), (HTTP_BODY, False)):
            socket = self.connect()
            socket.protocol.dataReceived(head)
            for piece in (REGISTER_THRIFT, bytes(size)):
                socket.protocol.dataReceived(b"%x\r\n%b\r\n" % (len(piece), piece))
            socket.protocol.dataReceived(b"0\r\n\r\n")
            self.assertEqual(socket.value() == b"", served)

    def test_gone(self) -> None:
        """Nothing is written to a client that has gone before its answer."""
        socket = self.ask(REGISTER_THRIFT)
        socket.protocol.connectionLost(Failure(ConnectionDone()))
        self.desk.answers.pop().callback(ALICE)
        self.assertEqual(socket.value(), b"")
        gc.collect()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_two_requests(self) -> None:
        """A connection may carry one request after the other."""
        socket = self.ask(b"")
        head = b"POST /tim2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        socket.protocol.dataReceived(head)
        self.assertEqual(socket.value().count(b"HTTP/1.1 200 OK"), 2)


class Origins(Stage):
    """A server that wants its own page and no other."""

    origins = ("https://chat.example",)

    def test_origins(self) -> None:
        """A request from another page is refused, with a body."""
        self.ask(REGISTER_THRIFT, "POST /tim2", "Origin: https://chat.example")
        self.assertEqual(len(self.desk.asked), 1)
        for header in ("Origin: https://other.example", "X: y"):
            self.refused(self.ask(REGISTER_THRIFT, "POST /tim2", header), 14, 4105)


class Time(Stage):
    """How long a request may take."""

    def test_trickle(self) -> None:
        """A request that only trickles in is cut off, one in time is not."""
        socket = self.connect()
        line = b"POST /tim2 HTTP/1.1\r\nHost:"
        for byte in line:
            socket.protocol.dataReceived(bytes([byte]))
            self.clock.advance(1)
        self.assertFalse(socket.aborted)
        self.clock.advance(HTTP_SECONDS - len(line))
        self.assertTrue(socket.aborted)

    def test_slow_answer(self) -> None:
        """Whoever waits for an answer of ours is not cut off for it."""
        socket = self.ask(REGISTER_THRIFT)
        self.clock.advance(10 * HTTP_SECONDS)
        self.desk.answers[-1].callback(ALICE)
        self.assertEqual(self.answer(socket)[0], b"200")
        self.clock.advance(HTTP_SECONDS - 1)
        self.assertFalse(socket.aborted)
        self.clock.advance(1)
        self.assertTrue(socket.aborted)


class Unread(Stage):
    """Clients that ask and do not read what they are answered."""

    def setUp(self) -> None:
        """A page of ten thousand bytes, and a line that takes a few of them."""
        super().setUp()
        page = Resource()
        page.putChild(b"", Data(b"x" * 10_000, "text/html"))
        self.open(page)
        self.socket = self.connect()
        self.socket.limit = 64 * 1024

    def test_x9_many_requests_at_once(self) -> None:
        """A thousand requests in one packet are answered as the answers are read."""
        count = 1000
        self.socket.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n" * count)
        self.assertLess(len(self.socket.value()), 2 * self.socket.limit)
        self.assertFalse(self.socket.reading)
        read = b""
        while self.socket.value():
            read += self.socket.drain()
        self.assertEqual(count, read.count(b"HTTP/1.1 200 OK"))
        self.assertTrue(self.socket.reading)

    def test_x9_while_an_answer_is_made(self) -> None:
        """What comes behind a request that is being decided is not piled up either."""
        request = b"POST /tim2 HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
        post = request % (len(REGISTER_THRIFT), REGISTER_THRIFT)
        self.socket.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n" * 6 + post)
        self.socket.limit = 1
        self.socket.protocol.pauseProducing()
        self.assertFalse(self.socket.reading)
        self.desk.answers[-1].callback(ALICE)
        self.socket.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(7, self.socket.value().count(b"HTTP/1.1 200 OK"))
        self.socket.drain()
        self.assertEqual(1, self.socket.value().count(b"HTTP/1.1 200 OK"))

    def test_x9_last_answer(self) -> None:
        """The last answer of a connection has its time to be read, then it is cut."""
        for request in (b"GET / HTTP/1.0", b"GET / HTTP/1.1\r\nConnection: close"):
            socket = self.connect()
            socket.protocol.dataReceived(request + b"\r\n\r\n")
            self.assertTrue(socket.disconnecting)
            self.clock.advance(HTTP_SECONDS - 1)
            self.assertFalse(socket.aborted)
            self.clock.advance(1)
            self.assertTrue(socket.aborted)


class Silent(Stage):
    """Connections that ask for nothing."""

    def test_x7_connections(self) -> None:
        """They count: for one too many the oldest is cut. One that has ended does not
        count, nor one that has become a WebSocket, which counts with those."""
        self.patch(site, "HTTP_CONNECTIONS", 2)
        first, second, third = (self.connect() for _ in range(3))
        self.assertEqual(
            [True, False, False], [one.aborted for one in (first, second, third)]
        )
        first.protocol.connectionLost(Failure(ConnectionDone()))
        second.protocol.dataReceived(HANDSHAKE)
        third.protocol.connectionLost(Failure(ConnectionDone()))
        last = [self.connect() for _ in range(3)]
        self.assertEqual([True, False, False], [one.aborted for one in last])
        self.assertFalse(second.aborted)


class Page(Resource):
    """A page with one file."""

    def __init__(self) -> None:
        super().__init__()
        self.putChild(b"", Data(b"the page", "text/html"))
        self.putChild(b"a.js", Data(b"a file", "text/javascript"))


class Paths(Stage):
    """What is where."""

    def status(self, path: str) -> bytes:
        """The status of a request for a path."""
        return self.answer(self.ask(b"", f"GET {path}"))[0]

    def test_without_page(self) -> None:
        """Without a page everything but the two paths is missing."""
        for path in ("/", "/tim/", "/tim2/", "/tim2/x", "/other", "/Tim"):
            self.assertEqual(self.status(path), b"404", path)

    def test_page(self) -> None:
        """The page serves the root and its files, and neither of our paths."""
        self.open(Page())
        self.assertEqual(self.answer(self.ask(b"", "GET /")), (b"200", b"the page"))
        self.assertEqual(self.answer(self.ask(b"", "GET /a.js")), (b"200", b"a file"))
        for path in ("/b.js", "/tim/", "/tim2/", "/tim2/a.js"):
            self.assertEqual(self.status(path), b"404", path)

    def test_nothing_is_logged(self) -> None:
        """What strangers ask for is in no log, nor does a log grow by it."""
        self.open(Page())
        lines: list[LogEvent] = []

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        for method in ("GET", "HEAD", "POST", "OPTIONS", "XYZ"):
            for path in ("/", "/tim", "/tim2", "/a.js", "/none"):
                self.ask(b"", f"{method} {path}?secret")
        self.assertEqual([], lines)

    def test_sources(self) -> None:
        """A source is the address without its port; local sockets are one source."""
        self.assertEqual(source_of(IPv4Address("TCP", "192.0.2.1", 4)), "192.0.2.1")
        self.assertEqual(source_of(UNIXAddress(b"/x")), "local")
        self.assertEqual(source_of(None), "local")

    def test_l8_x2_networks(self) -> None:
        """Whoever has a network of IPv6 addresses has the limits of one client."""
        for address, source in (
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("2001:db8:0:1:ffff::2", "2001:db8:0:1::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("local", "local"),
        ):
            self.assertEqual(source, counted(address))
        socket = self.connect()
        socket.protocol.peer = IPv6Address("TCP", "2001:db8::7", 4)
        head = b"POST /tim2 HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
        socket.protocol.dataReceived(head % len(REGISTER_THRIFT) + REGISTER_THRIFT)
        self.assertEqual(["2001:db8::/64"], self.desk.sources)
