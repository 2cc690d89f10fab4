"""A conversation of two clients in bytes, through every part of one node."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.settings import Settings
from timtw.protocols import structs
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import THRIFT
from timtw.protocols.site import make_site
from timtw.protocols.websocket import NORMAL
from timtw.test.stage import OPEN, Stage
from timtw.test.test_websocket import masked
from timtw.test.wirekit import Socket

_UPGRADE = (
    b"GET /tim HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Wire(SynchronousTestCase):
    """A node whose clients are sockets in memory."""

    settings: Settings = OPEN

    def setUp(self) -> None:
        """A node that nobody is connected to."""
        self.stage = Stage(settings=self.settings)
        self.site = make_site(
            make_shared(self.stage.cores["north"], self.stage.clock, 1 << 20),
            None,
            origins=(),
        )

    def connect(self) -> Socket:
        """A connection without any request."""
        socket = Socket()
        socket.peerAddr = IPv4Address("TCP", "192.0.2.1", 4)
        socket.protocol = self.site.buildProtocol(socket.peerAddr)
        socket.protocol.makeConnection(socket)
        return socket

    def pass_time(self) -> None:
        """Let everything come to rest."""
        for _ in range(20):
            self.stage.clock.advance(0.01)

    def post(self, body: bytes) -> bytes:
        """The body of the answer to an HTTP request."""
        head = b"POST /tim2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        socket = self.connect()
        socket.protocol.dataReceived(head % len(body) + body)
        self.pass_time()
        return bytes(socket.value().partition(b"\r\n\r\n")[2])

    def register(self, name: str) -> str:
        """Register over HTTP; the new account's node."""
        answer = self.post(b'\x8e{"name":"%b","pwd":"secret"}' % name.encode())
        self.assertEqual(answer[:1], b"\x0c")
        return str(json.loads(answer[1:])["n"])

    def open(self) -> Socket:
        """A WebSocket."""
        socket = self.connect()
        socket.protocol.dataReceived(_UPGRADE)
        self.assertIn(b" 101 ", socket.value())
        socket.clear()
        return socket

    def say(self, socket: Socket, *frames: bytes) -> list[bytes]:
        """Send frames; the frames that came since the last time."""
        for frame in frames:
            socket.protocol.dataReceived(masked(frame))
        self.pass_time()
        return self.heard(socket)

    def heard(self, socket: Socket) -> list[bytes]:
        """The frames that came since the last time, and the code of a closing."""
        data, frames = socket.drain(), []
        while data:
            length, start = data[1], 2
            if length == 126:
                length, start = int.from_bytes(data[2:4], "big"), 4
            frames.append(data[start : start + length])
            data = data[start + length :]
        return frames


def of(frame: bytes) -> Any:
    """The JSON of a frame, behind its acknowledgement number if it has one."""
    return json.loads(frame[5 if frame[0] & 0x80 else 1 :])


class Conversation(Wire):
    """Alice speaks JSON, Bob speaks Thrift."""

    def test_first_words(self) -> None:
        """Two strangers register, log in, write, and see what they wrote."""
        alice_node, bob_node = self.register("alice"), self.register("bob")
        alice, bob = self.open(), self.open()
        login = b'\x90{"name":"alice","pwd":"secret","resource":"web","termtyp":1}'
        (answer,) = self.say(alice, login)
        self.assertEqual((of(answer)["ok"], of(answer)["n"]), (True, alice_node))
        auth = structs.TimAuth(name="bob", pwd="secret")
        (answer,) = self.say(bob, b"\x10" + THRIFT.encode(auth))
        self.assertEqual(THRIFT.decode(structs.TimAck, answer[1:]).n, bob_node)
        self.assertEqual(self.say(alice, b"\x8d", b"\x91"), [b"\x0d", b"\x12"])
        to = b'"toTid":{"node":"%b"}' % bob_node.encode()
        text = b'\xda{"msType":2,"odType":1,"id":5,%b,"dataString":"hi"}' % to
        (echo,) = self.say(alice, text)
        self.assertEqual(echo[:1], b"\x5a")
        self.assertEqual((of(echo)["mid"], of(echo)["id"]), (1, 5))
        sender = {"node": alice_node, "resource": "web", "termtyp": 1}
        self.assertEqual(of(echo)["fromTid"], sender)
        (delivered,) = self.heard(bob)
        self.assertEqual(delivered[:1], b"\xda")
        message = THRIFT.decode(structs.TimMessage, delivered[5:])
        self.assertEqual((message.dataString, message.mid), ("hi", 1))
        self.assertEqual(self.say(bob, b"\x0c" + delivered[1:5]), [])
        (again,) = self.say(alice, text)
        self.assertEqual(of(again), of(echo) | {"fromTid": {"node": alice_node}})
        self.assertEqual(self.heard(bob), [])
        ask = structs.TimReq(rtype=1, node=alice_node, reqInt=0, reqInt2=10)
        (history,) = self.say(bob, b"\x15" + THRIFT.encode(ask))
        entries = THRIFT.decode(structs.TimMessageList, history[1:]).messageList
        assert entries is not None
        self.assertEqual([(one.mid, one.dataString) for one in entries], [(1, "hi")])

    def test_backlog(self) -> None:
        """What was written meanwhile comes in pages, then the end, then live."""
        self.register("alice")
        bob_node = self.register("bob")
        alice = self.open()
        extend = b'"extend":{"timtw":"1"}'
        first = self.say(alice, b'\x90{"name":"alice","pwd":"secret",%b}' % extend)
        self.assertEqual([of(one)["timType"] for one in first], [16, 15])
        self.assertEqual(of(first[0])["t2"], 0)
        to = b'"toTid":{"node":"%b"}' % bob_node.encode()
        for number in range(12):
            text = b'\xda{"msType":2,"odType":1,%b,"dataString":"%d"}' % (to, number)
            (echo,) = self.say(alice, text)
            self.assertEqual(of(echo)["seq"], number + 1)
        bob = self.open()
        self.say(bob, b'\x90{"name":"bob","pwd":"secret"}')
        (page,) = self.say(bob, b"\x91")
        self.assertEqual(len(of(page)["messageList"]), 10)
        (page,) = self.say(bob, b"\x8c" + page[1:5])
        texts = [one["dataString"] for one in of(page)["messageList"]]
        self.assertEqual(texts, ["10", "11"])
        self.assertEqual(self.say(bob, b"\x8c" + page[1:5]), [b"\x12"])
        marks = [of(frame) for frame in self.heard(alice)]
        self.assertEqual([(one["odType"], one["mid"]) for one in marks][-1], (8, 12))

    def test_refused(self) -> None:
        """A wrong password may be tried again; a stranger's text ends the line."""
        self.register("alice")
        alice = self.open()
        (answer,) = self.say(alice, b'\x90{"name":"alice","pwd":"wrong"}')
        self.assertEqual(of(answer)["error"]["code"], 4105)
        (answer,) = self.say(alice, b'\x90{"name":"alice","pwd":"secret"}')
        self.assertIs(of(answer)["ok"], True)
        stranger = self.open()
        ends = self.say(stranger, b'\xda{"msType":2,"odType":1}')
        self.assertEqual(ends, [NORMAL.to_bytes(2, "big")])


class Tokens(Wire):
    """A token is found where each client looks for it, and taken as each brings it."""

    def token(self) -> tuple[int, str]:
        """Both forms of a new token of Alice."""
        body = b'\x8f{"name":"alice","pwd":"secret"}'
        head = b"POST /tim2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        socket = self.connect()
        socket.protocol.dataReceived(head % len(body) + body)
        self.pass_time()
        told = json.loads(socket.value().partition(b"\r\n\r\n")[2][1:])
        return told["t"], told["n"]

    def test_forms(self) -> None:
        """Text, decimal text and number are one token: when one is used, all are."""
        node = self.register("alice")
        for form in ('"{n}"', '"{t}"', "{t}"):
            t, n = self.token()
            self.assertTrue(0 < t < 1 << 53)
            text = form.format(t=t, n=n).encode()
            frame = b'\x90{"name":"","pwd":"","token":%b}' % text
            (answer,) = self.say(self.open(), frame)
            self.assertEqual((of(answer)["ok"], of(answer).get("n")), (True, node))
            for other in (b'"%b"' % n.encode(), b"%d" % t):
                frame = b'\x90{"name":"","pwd":"","token":%b}' % other
                (answer,) = self.say(self.open(), frame)
                self.assertEqual(of(answer)["error"]["code"], 4115)
            self.stage.clock.advance(60)
