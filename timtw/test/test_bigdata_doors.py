"""Big data at the doors: what hostile and unlucky clients can make of it, in time."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.address import IPv4Address

from timtw.model.commands import Ping, Push, SendParcel, Unacceptable
from timtw.model.errors import BadBigData, Overloaded, PermissionDenied
from timtw.model.limits import (
    BIG_DATA_SECONDS,
    COLLECTED_BYTES_ACCOUNT,
    FRAME_BEFORE_LOGIN,
)
from timtw.protocols.codecs import THRIFT
from timtw.protocols.frames import tcp_message
from timtw.protocols.tcp import TcpClients
from timtw.test.test_websocket import MAX_FRAME, Stage, masked
from timtw.test.wirekit import RecordingSession, Socket

TOO_BIG: Final = b"\x88\x02\x03\xf1"
"""How a WebSocket is closed on which a frame was too long."""
TEXT: Final = SendParcel("bob", b"hi", True)


def whole(kind: int = 95, data: bytes = b"hi", node: bytes = b"bob") -> bytes:
    """A frame in the usual form."""
    separator = b"|" if kind == 95 else b"\x83"
    size = 6 + len(node) + len(data)
    return bytes([kind]) + size.to_bytes(4, "big") + node + separator + data


class Doors(Stage):
    """Clients on WebSocket and on TCP, of the same node."""

    def tcp(self, *login: Any) -> tuple[Socket, RecordingSession]:
        """A connection on TCP."""
        socket = Socket()
        factory = TcpClients(self.shared)
        socket.protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4))
        socket.protocol.makeConnection(socket)
        session = self.desk.sessions[-1]
        if login:
            self.let_in(session, *login)
        socket.clear()
        return socket, session

    def both(self) -> list[tuple[Socket, RecordingSession, Any]]:
        """A logged-in client at either door, and how it packs what it sends."""
        return [
            (*self.connected(THRIFT), masked),
            (*self.tcp(THRIFT), tcp_message),
        ]

    def refused(self, session: RecordingSession, error: type, kind: int = 96) -> None:
        """The last command was a refusal of such a frame."""
        command = session.commands.pop()
        assert isinstance(command, Unacceptable), command
        self.assertIsInstance(command.error, error)
        about: Any = command.about
        self.assertEqual(about.type, kind)


class Forms(Doors):
    """What the existing clients send, at either door."""

    def test_pieces_at_either_door(self) -> None:
        """A frame in one message or in several, cut anywhere, is one frame."""
        for socket, session, pack in self.both():
            for frame, command in (
                (whole(), TEXT),
                (b"\x5fbob|hi", TEXT),
                (b"\xdf\0\0\0\x0bbob\0hi", TEXT),
                (whole(96, b"\1\x83"), SendParcel("bob", b"\1\x83", False)),
            ):
                socket.protocol.dataReceived(pack(frame))
                self.assertEqual(session.commands.pop(), command)
            frame = whole(97, b"\1\2", b"V")
            for cut in range(6, len(frame)):
                parts = pack(frame[:cut]) + pack(b"") + pack(frame[cut:])
                for byte in parts:
                    socket.protocol.dataReceived(bytes([byte]))
                pushed = session.commands.pop()
                assert isinstance(pushed, Push)
                self.assertEqual((pushed.room, pushed.body), ("V", b"\1\2"))
            self.assertEqual(self.shared.reservations.taken, 0)

    def test_interleaved(self) -> None:
        """What comes inside of a frame is data, whatever it looks like, but a ping."""
        for socket, session, pack in self.both():
            text, other = b"\x5a\x13\x02", whole(95)
            ack = b"\x0c\0\0\0\1"
            data = text + other + ack + b".."
            frame = whole(96, data)
            for piece in (frame[:9], text, other, ack, b"\x8d", b".."):
                socket.protocol.dataReceived(pack(piece))
            expected = [Ping(), SendParcel("bob", data, False)]
            self.assertEqual(session.commands, expected)

    def test_x3_websocket_pings(self) -> None:
        """WebSocket pings are answered while a frame is collected."""
        socket, session = self.connected(THRIFT)
        socket.protocol.dataReceived(masked(whole()[:8]))
        socket.protocol.dataReceived(masked(b"abc", 0x89))
        self.assertEqual(socket.value(), b"\x8a\x03abc")
        socket.protocol.dataReceived(masked(whole()[8:]))
        self.assertEqual(session.commands, [TEXT])


class Hostile(Doors):
    """Clients that mean no good, or cannot count."""

    def test_x3_x4_before_the_bytes(self) -> None:
        """A length above the limit ends the line before anything is kept of it."""
        for login, limit in (((), FRAME_BEFORE_LOGIN), ((THRIFT,), MAX_FRAME)):
            for size in (limit + 1, 1 << 31, 1 << 40):
                socket, session = self.connected(*login)
                head = b"\x82\xff" + size.to_bytes(8, "big") + b"\1\2\3\4"
                if size < 1 << 16:
                    head = b"\x82\xfe" + size.to_bytes(2, "big") + b"\1\2\3\4"
                socket.protocol.dataReceived(head)
                self.assertEqual(socket.value(), TOO_BIG, size)
                socket.protocol.dataReceived(b"\x60" * 1000)
                self.assertEqual(session.commands, [])
            socket, session = self.tcp(*login)
            socket.protocol.dataReceived((limit + 1).to_bytes(4, "big") + b"\x60")
            self.assertTrue(socket.disconnecting)
            self.assertEqual(session.commands, [])

    def test_x3_strangers(self) -> None:
        """Before login nothing is collected: the first piece ends the line."""
        for socket, session in (self.connected(), self.tcp()):
            pack = tcp_message if socket.protocol.pack is tcp_message else masked
            socket.protocol.dataReceived(pack(whole()[:8]))
            self.refused(session, PermissionDenied, 95)
            self.assertEqual(self.shared.reservations.taken, 0)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_x3_for_ever(self) -> None:
        """Who never comes to the end is refused in time, and can go on after that."""
        for socket, session, pack in self.both():
            socket.protocol.dataReceived(pack(whole(96, b"x" * 60_000)[:10]))
            for second in range(1, int(BIG_DATA_SECONDS)):
                self.clock.advance(1)
                socket.protocol.dataReceived(pack(b"xx") + pack(b""))
                self.assertEqual(session.commands, [], second)
            self.clock.advance(1)
            self.refused(session, BadBigData)
            socket.protocol.dataReceived(pack(whole()))
            self.assertEqual(session.commands, [TEXT])
            self.assertEqual(self.shared.reservations.taken, 0)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_x3_tiny_pieces(self) -> None:
        """Pieces of two bytes make a frame, and nothing is kept beside them."""
        count = 20_000
        for socket, session, pack in self.both():
            frame = whole(96, b"ab" * count)
            socket.protocol.dataReceived(pack(frame[:9]))
            stream = pack(b"ab") * count
            for start in range(0, len(stream), 65_536):
                socket.protocol.dataReceived(stream[start : start + 65_536])
            expected = SendParcel("bob", b"ab" * count, False)
            self.assertEqual(session.commands, [expected])

    def test_one_off(self) -> None:
        """A length that is one too short or too long is refused, once."""
        for socket, session, pack in self.both():
            frame = whole(96)
            short = frame[:4] + bytes([len(frame) - 1]) + frame[5:]
            socket.protocol.dataReceived(pack(short))
            self.refused(session, BadBigData)
            longer = frame[:4] + bytes([len(frame) + 1]) + frame[5:]
            socket.protocol.dataReceived(pack(longer) + pack(b"\x5fbob|hi"))
            self.refused(session, BadBigData)
            socket.protocol.dataReceived(pack(whole()))
            self.assertEqual(session.commands, [TEXT])

    def test_x3_too_large_in_pieces(self) -> None:
        """A frame above the limit is refused once, and its pieces are no requests."""
        for socket, session, pack in self.both():
            frame = whole(96, b"\x0d" * MAX_FRAME)
            socket.protocol.dataReceived(pack(frame[:10]))
            self.refused(session, BadBigData)
            for start in range(10, len(frame), 50_000):
                socket.protocol.dataReceived(pack(frame[start : start + 50_000]))
            self.assertEqual(session.commands, [])
            socket.protocol.dataReceived(pack(whole()))
            self.assertEqual(session.commands, [TEXT])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_x3_account(self) -> None:
        """An account collects so much on all lines, and the next frame is refused."""
        count = COLLECTED_BYTES_ACCOUNT // MAX_FRAME
        frame = whole(96, b"x" * (MAX_FRAME - 9))
        lines = [self.connected(THRIFT) for _ in range(count)]
        for socket, _ in lines:
            socket.protocol.dataReceived(masked(frame[:10]))
        for socket, session, pack in self.both():
            socket.protocol.dataReceived(pack(frame[:10]))
            self.refused(session, Overloaded)
            socket.protocol.dataReceived(pack(frame[10:]) + pack(whole()))
            self.assertEqual(session.commands, [TEXT])
        for socket, _ in lines:
            self.lose(socket)
        self.assertEqual(self.shared.reservations.taken, 0)

    def test_time_of_a_held_line(self) -> None:
        """Time in which the node does not read a client is not counted against it."""
        for socket, session, pack in self.both():
            socket.protocol.dataReceived(pack(whole()[:8]))
            self.clock.advance(BIG_DATA_SECONDS - 1)
            session.outbox.hold()
            self.clock.pump([10.0] * 9 + [5.0])
            self.assertEqual(session.commands, [])
            session.outbox.proceed()
            self.clock.advance(BIG_DATA_SECONDS - 1)
            socket.protocol.dataReceived(pack(whole()[8:]))
            self.assertEqual(session.commands, [TEXT])
