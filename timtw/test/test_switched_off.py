"""Frame types that the operator has switched off."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.config.values import FRAME_NAMES
from timtw.model.commands import Ping, Unacceptable
from timtw.model.errors import NotServed
from timtw.model.events import Refused
from timtw.protocols import structs
from timtw.protocols.bigdata import Reservations
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.frames import FrameType
from timtw.protocols.site import make_site
from timtw.test.wirekit import RecordingDesk, Socket, logged_in

ALL = frozenset(FrameType[name] for name in FRAME_NAMES)
NOTHING = (FrameType.TIMACK, FrameType.TIMPING, FrameType.TIMOFFLINEMSGEND)


class SwitchedOff(SynchronousTestCase):
    """What is switched off is refused with 4107, and nothing is done."""

    def wire(self, codec: Codec | None) -> ClientWire:
        """A wire on which everything is switched off."""
        wire = ClientWire(Encodings(), 1000, Reservations(), ALL)
        if codec is not None:
            wire.encode(logged_in(codec))
        return wire

    def test_names(self) -> None:
        """Every type that clients may ask for can be switched off."""
        self.assertEqual(set(FrameType) - ALL, set(NOTHING))

    def test_every_type(self) -> None:
        """Whatever is in the frame, the answer is {false, type, 4107}."""
        for type in sorted(ALL):
            for codec in (JSON, THRIFT):
                wire = self.wire(codec)
                frame = bytes([type]) + b"\xff" * 8
                if type >= FrameType.TIMBIGSTRING:
                    separator = b"|" if type == FrameType.TIMBIGSTRING else b"\x83"
                    frame = bytes([type]) + b"\0\0\0\x09bob" + separator
                (command,) = wire.receive(frame)
                assert isinstance(command, Unacceptable)
                self.assertIsInstance(command.error, NotServed)
                (said,) = wire.encode(Refused(command, command.error))
                # A login is answered in its own codec.
                answer = THRIFT if type == FrameType.TIMAUTH else codec
                ack = answer.decode(structs.TimAck, said[1:])
                assert ack.error is not None
                self.assertEqual((ack.ok, ack.timType), (False, type))
                self.assertEqual(ack.error.code, 4107)

    def test_others(self) -> None:
        """What is not switched off works as ever."""
        wire = ClientWire(
            Encodings(), 1000, Reservations(), frozenset({FrameType.TIMMESSAGE})
        )
        self.assertEqual(wire.receive(b"\x0d"), [Ping()])

    def test_login(self) -> None:
        """A login is answered, before anybody is logged in."""
        for head, codec in ((b"\x10", THRIFT), (b"\x90", JSON)):
            wire = self.wire(None)
            (command,) = wire.receive(head)
            assert isinstance(command, Unacceptable)
            self.assertTrue(command.at_login)
            (said,) = wire.encode(Refused(command, command.error))
            self.assertEqual(codec.decode(structs.TimAck, said[1:]).timType, 16)

    def test_http(self) -> None:
        """Over HTTP the status is 403, and there is a body."""
        desk = RecordingDesk()
        shared = make_shared(desk, Clock(), 1000, frozenset({FrameType.TIMREGISTER}))
        for type, status in ((b"\x8e", b"403"), (b"\x8f", b"")):
            socket = Socket()
            protocol = make_site(shared, None, origins=()).buildProtocol(None)
            protocol.makeConnection(socket)
            body = type + b'{"name":"u","pwd":"p"}'
            head = b"POST /tim2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            protocol.dataReceived(head % len(body) + body)
            self.assertEqual(socket.value()[9:12], status)
            if status:
                said = socket.value().partition(b"\r\n\r\n\x0c")[2]
                ack = JSON.decode(structs.TimAck, said)
                assert ack.error is not None
                self.assertEqual((ack.timType, ack.error.code), (14, 4107))
        self.assertEqual(len(desk.asked), 1)
