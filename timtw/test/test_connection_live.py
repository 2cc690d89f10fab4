"""Virtual rooms, streams and big data, frame by frame."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import commands, events
from timtw.model.errors import (
    BadBigData,
    BadParameter,
    Overloaded,
    PermissionDenied,
    Undefined,
    UnknownAccount,
)
from timtw.model.idents import node_of
from timtw.model.limits import SHARED_ENCODINGS_BYTES, SHARED_SALVOS
from timtw.model.live import Ending, Flow, Parcel, Piece
from timtw.protocols import structs
from timtw.protocols.clientline import make_shared
from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.frames import tcp_message, websocket_message
from timtw.protocols.packs import Packs
from timtw.protocols.refusals import Note
from timtw.protocols.tcp import TcpClients
from timtw.test.test_connection_incoming import Case
from timtw.test.wirekit import ALICE, BOB, RecordingDesk, Socket, logged_in, wire

ROOM = 12345
R = node_of(ROOM)
ROOM_B = R.encode()


def piece(body: bytes = b"\1\2", dtype: int | None = None, ident: int = 5) -> Piece:
    """Something that Alice pushes."""
    return Piece(ROOM, ALICE, body, dtype, ident)


class Requests(Case):
    """What becomes of requests about virtual rooms."""

    def test_create(self) -> None:
        """A room is live unless its maker wants nothing dropped; else it is refused."""
        self.assertEqual(self.one(bytes.fromhex("16 1502 00")), commands.OpenLive())
        for value, flow in ((b"0", Flow.LIVE), (b"null", Flow.LIVE), (b"1", Flow.FILE)):
            frame = b'\x96{"rtype":1,"reqInt":%b}' % value
            self.assertEqual(self.one(frame), commands.OpenLive(flow))
        self.refused(b'\x96{"rtype":1,"reqInt":2}', Undefined, Note(22, t=1))

    def test_one_room(self) -> None:
        """Ending, allowing and subscribing, as the existing clients write them."""
        for frame, command in (
            (b'\x96{"rtype":2,"node":"V"}', commands.EndLive("V")),
            (
                b'\x96{"rtype":3,"node":"V","node2":"B"}',
                commands.AllowPush("V", "B", True),
            ),
            (
                b'\x96{"rtype":4,"node":"V","node2":"B"}',
                commands.AllowPush("V", "B", False),
            ),
            (b'\x96{"rtype":6,"node":"V"}', commands.Unsubscribe("V")),
            (
                b'\x96{"rtype":5,"node":"V","node2":null,"reqInt":1}',
                commands.Subscribe("V", True),
            ),
            (bytes.fromhex("16 150a 180156 2602 00"), commands.Subscribe("V", True)),
            # One client means the raw form and loses the number on the way.
            (
                bytes.fromhex("16 150a 180156 00 0000"),
                commands.Subscribe("V", False),
            ),
        ):
            self.assertEqual(self.one(frame), command, frame)

    def test_wrong(self) -> None:
        """What is missing, malformed or unknown is refused once, by its rtype."""
        for rtype in (2, 5, 6):
            self.refused(b'\x96{"rtype":%d}' % rtype, BadParameter, Note(22, t=rtype))
            bad = b'\x96{"rtype":%d,"node":"0O"}' % rtype
            self.refused(bad, BadParameter, Note(22, t=rtype, n="0O"))
        for rtype in (3, 4):
            missing = b'\x96{"rtype":%d,"node":"V"}' % rtype
            self.refused(missing, BadParameter, Note(22, t=rtype))
            bad = b'\x96{"rtype":%d,"node":"V","node2":"l"}' % rtype
            self.refused(bad, BadParameter, Note(22, t=rtype, n="l"))
        for number in (0, 2, -1):
            frame = b'\x96{"rtype":5,"node":"V","reqInt":%d}' % number
            self.refused(frame, Undefined, Note(22, t=5, n="V"))
        for rtype in (-1, 0, 7, 8):
            frame = b'\x96{"rtype":%d,"node":"V"}' % rtype
            self.refused(frame, BadParameter, Note(22, t=rtype, n="V"))
        self.refused(b'\x96{"node":"V"}', BadParameter, Note(22, n="V"))
        self.refused(b"\x96[]", BadParameter, Note(22))

    def test_refusals(self) -> None:
        """What the core refuses names the request as its answer would."""
        for command, note in (
            (commands.OpenLive(), Note(22, t=1)),
            (commands.EndLive("V"), Note(22, t=2, n="V")),
            (commands.AllowPush("V", "B", True), Note(22, t=3, n="B")),
            (commands.AllowPush("V", "B", False), Note(22, t=4, n="B")),
            (commands.Subscribe("V", True), Note(22, t=5, n="V")),
            (commands.Unsubscribe("V"), Note(22, t=6, n="V")),
        ):
            (frame,) = wire(JSON).encode(events.Refused(command, PermissionDenied()))
            ack = JSON.decode(structs.TimAck, frame, 1)
            self.assertEqual((ack.timType, ack.t, ack.n), (note.type, note.t, note.n))


class Streams(Case):
    """Pushes of clients, in either form."""

    def test_stream(self) -> None:
        """Frame 94, as the existing clients write it; id and sender mean nothing."""
        go = bytes.fromhex("5e 1600 180156 28020102 1800 00")
        self.assertEqual(self.one(go), commands.Push("V", b"\1\2"))
        script = (
            b'\xde{"id":null,"vNode":"V","dtype":null,"body":"AQI=","fromNode":null}'
        )
        self.assertEqual(self.one(script), commands.Push("V", b"\1\2"))
        whole = b'\xde{"VNode":"V","dtype":-7,"body":"","fromNode":"x","id":9}'
        self.assertEqual(self.one(whole), commands.Push("V", b"", -7))
        self.assertEqual(self.one(b'\xde{"VNode":"V"}'), commands.Push("V", b""))

    def test_v11_malformed(self) -> None:
        """A damaged stream is refused with 4104, and nothing is passed on for it."""
        for frame in (
            b"\x5e",
            b"\xde",
            b"\xdenull",
            b"\xde[]",
            b"\xde{}",
            b'\xde{"body":"AQI="}',
            b'\xde{"VNode":7,"body":"AQI="}',
            b'\xde{"VNode":"V","body":{"1":1}}',
            b'\xde{"VNode":"V","body":"A"}',
            b'\xde{"VNode":"V","dtype":400}',
            bytes.fromhex("5e 1600 180156 28050102 1800 00"),
            bytes.fromhex("5e 1600 28020102 1800 00"),
        ):
            self.refused(frame, BadParameter, Note(94))
        octets = self.one(b'\xde{"VNode":"V","body":{"0":1,"1":255}}')
        self.assertEqual(octets, commands.Push("V", b"\1\xff"))
        self.refused(b'\xde{"VNode":"0"}', BadParameter, Note(94, n="0"))
        self.refused(b'\xde{"VNode":""}', BadParameter, Note(94, n=""))

    def test_refused(self) -> None:
        """Without the right: 4105 of type 94, in either form; else the own type."""
        plain = commands.Push("V", b"x")
        (raw,) = wire().receive(b"\xe1\0\0\0\x09V\x83\1\2")
        assert isinstance(raw, commands.Push)
        for command, error, kind in (
            (plain, PermissionDenied(), 94),
            (raw, PermissionDenied(), 94),
            (plain, Overloaded(), 94),
            (raw, Overloaded(), 97),
        ):
            (frame,) = wire(JSON).encode(events.Refused(command, error))
            ack = JSON.decode(structs.TimAck, frame, 1)
            assert ack.error is not None
            told = ack.ok, ack.timType, ack.t, ack.n, ack.error.code
            self.assertEqual(told, (False, kind, None, "V", error.code))


class BigData(Case):
    """Big texts and octets, in all forms that clients write."""

    def test_forms(self) -> None:
        """With and without a length, with a bar or a NUL byte."""
        text = commands.SendParcel("bob", b"hi", True)
        octets = commands.SendParcel("bob", b"\1\2", False)
        for frame, command in (
            ("df 0000000b 626f62 00 6869", text),
            ("5f 0000000b 626f62 7c 6869", text),
            ("5f 626f62 7c 6869", text),
            ("5f 626f62 7c e4b8ad", commands.SendParcel("bob", b"\xe4\xb8\xad", True)),
            ("5f 626f62 7c 3fff", commands.SendParcel("bob", b"?\xff", True)),
            ("e0 0000000b 626f62 83 0102", octets),
            ("60 626f62 83 0102", octets),
            ("60 626f6262 83", commands.SendParcel("bobb", b"", False)),
        ):
            self.assertEqual(self.one(bytes.fromhex(frame)), command, frame)
        raw = self.one(bytes.fromhex("e1 00000009 56 83 0102"))
        assert isinstance(raw, commands.Push)
        self.assertEqual((raw.room, raw.body, raw.dtype), ("V", b"\1\2", None))

    def test_damaged(self) -> None:
        """Wrong lengths 4114, no separator 4104, with the frame's own type."""
        for kind in (95, 96, 97):
            head = bytes([kind | 0x80])
            self.refused(head + b"\0\0\0\x07bo", BadParameter, Note(kind))
            self.refused(head + b"\0\0\0\x03bob", BadBigData, Note(kind))
            self.refused(head + b"bob", BadBigData, Note(kind))
        nowhere = b"\xe1\0\0\0\x09l\x83\1\2"
        self.refused(nowhere, BadParameter, Note(97, n="l"))

    def test_refused(self) -> None:
        """What the core refuses has the frame's own type, and the receiver."""
        for is_text, kind in ((True, 95), (False, 96)):
            command = commands.SendParcel("bob", b"hi", is_text)
            for error in (PermissionDenied(), UnknownAccount()):
                (frame,) = wire(JSON).encode(events.Refused(command, error))
                ack = JSON.decode(structs.TimAck, frame, 1)
                assert ack.error is not None
                told = ack.timType, ack.n, ack.error.code
                self.assertEqual(told, (kind, "bob", error.code))


class Answers(SynchronousTestCase):
    """What clients are told, byte for byte."""

    def test_done(self) -> None:
        """Each request is answered by its rtype, with the room or the account."""
        for command, t, node in (
            (commands.OpenLive(), 1, R),
            (commands.EndLive(R), 2, R),
            (commands.AllowPush(R, "B", True), 3, "B"),
            (commands.AllowPush(R, "B", False), 4, "B"),
            (commands.Subscribe(R, True), 5, R),
            (commands.Unsubscribe(R), 6, R),
        ):
            done = events.LiveDone(command, ROOM)
            expected = b'\x0c{"ok":true,"timType":22,"t":%d,"n":"%b"}'
            self.assertEqual(wire(JSON).encode(done), [expected % (t, node.encode())])
        thrift = bytes.fromhex("0c 11 1316 2602 18") + bytes([len(R)]) + ROOM_B + b"\0"
        done = events.LiveDone(commands.OpenLive(), ROOM)
        self.assertEqual(wire(THRIFT).encode(done), [thrift])

    def test_pieces(self) -> None:
        """A piece is a structure or raw bytes, whichever was subscribed to."""
        one, other = piece(dtype=7), piece(b"", ident=-6)
        plain = events.Pieces((one, other), binary=False)
        first = (
            b'\x5e{"id":5,"VNode":"%b","dtype":7,"body":"AQI=","fromNode":"A"}' % ROOM_B
        )
        second = b'\x5e{"id":-6,"VNode":"%b","body":"","fromNode":"A"}' % ROOM_B
        self.assertEqual(wire(JSON).encode(plain), [first, second])
        room = bytes([0x18, len(R)]) + ROOM_B
        thrift = b"\x5e\x16\x0a" + room + bytes.fromhex("13 07 18 02 0102 18 01 41 00")
        self.assertEqual(wire().encode(events.Pieces((one,), False)), [thrift])
        raw = [b"\x61" + ROOM_B + b"\x83\1\2", b"\x61" + ROOM_B + b"\x83"]
        for codec in (JSON, THRIFT):
            binary = events.Pieces((one, other), binary=True)
            self.assertEqual(wire(codec).encode(binary), raw)
            self.assertEqual(wire(None).encode(binary), [])

    def test_parcels(self) -> None:
        """Big text and octets have no length and no structure, for anybody."""
        for octets, is_text, frame in (
            (b"a|b", True, b"\x5fA|a|b"),
            (b"\1\x83", False, b"\x60A\x83\1\x83"),
        ):
            event = events.ParcelCame(Parcel(ALICE, BOB, octets, is_text))
            for codec in (JSON, THRIFT):
                self.assertEqual(wire(codec).encode(event), [frame])

    def test_v7_v9_notices(self) -> None:
        """What was dropped and that a room has ended is told with the additions."""
        dropped = events.PiecesDropped(ROOM, 17)
        ended = events.LiveEnded(ROOM, Ending.FOUNDER_GONE)
        head = b'\x5a{"msType":2,"odType":%d,%b}'
        place = b'"roomTid":{"node":"%b"}' % ROOM_B
        client = wire(JSON, additions=True)
        told = head % (12, b'"mid":17,' + place)
        self.assertEqual(client.encode(dropped), [told])
        told = head % (13, place + b',"dataString":"founder gone"')
        self.assertEqual(client.encode(ended), [told])
        for event in (dropped, ended):
            self.assertEqual(wire(JSON).encode(event), [])
            self.assertEqual(len(wire(THRIFT, additions=True).encode(event)), 1)


class Shared(SynchronousTestCase):
    """The bytes of what many get are made once."""

    def lines(self, count: int) -> tuple[Clock, list[Socket], RecordingDesk]:
        """Clients on TCP that are logged in."""
        clock, desk, sockets = Clock(), RecordingDesk(), []
        factory = TcpClients(make_shared(desk, clock, 1 << 20))
        for number in range(count):
            socket = Socket()
            socket.protocol = factory.buildProtocol(None)
            socket.protocol.makeConnection(socket)
            codec = JSON if number % 2 else THRIFT
            desk.sessions[-1].outbox.offer(logged_in(codec))
            sockets.append(socket)
        clock.advance(0)
        for socket in sockets:
            socket.drain()
        return clock, sockets, desk

    def test_same_object(self) -> None:
        """The raw pieces of one event are the same object on every line."""
        clock, sockets, desk = self.lines(4)
        written: list[bytes] = []
        for socket in sockets:
            socket.write = written.append  # type: ignore[assignment, method-assign]
        event = events.Pieces((piece(b"x" * 1000), piece(b"y")), binary=True)
        for session in desk.sessions:
            self.assertTrue(session.outbox.offer(event))
        clock.advance(0)
        frames = [b"\x61" + ROOM_B + b"\x83" + one.body for one in event.pieces]
        self.assertEqual(written, [b"".join(map(tcp_message, frames))] * 4)
        self.assertEqual({id(one) for one in written}, {id(written[0])})

    def test_forms(self) -> None:
        """Whoever gets another form gets other bytes, and each is remembered."""
        packs, pieces = Packs(), (piece(),)
        made = []
        for codec in (THRIFT, JSON):
            for pack in (websocket_message, tcp_message):
                plain = packs.packed(events.Pieces(pieces, False), codec, pack)
                raw = packs.packed(events.Pieces(pieces, True), codec, pack)
                self.assertIs(
                    packs.packed(events.Pieces(pieces, False), codec, pack), plain
                )
                made += [plain, raw]
        self.assertEqual(len(set(made)), 6)

    def test_bounded(self) -> None:
        """What was sent is forgotten by number and by size."""
        packs = Packs()
        for _ in range(3 * SHARED_SALVOS):
            packs.packed(events.Pieces((piece(),), True), JSON, tcp_message)
            self.assertLessEqual(len(packs._known), SHARED_SALVOS)
        half = b"x" * (SHARED_ENCODINGS_BYTES // 2)
        for _ in range(3):
            packs.packed(events.Pieces((piece(half),), True), JSON, tcp_message)
            self.assertEqual(len(packs._known), 1)

    def test_nobody(self) -> None:
        """A line on which nobody is logged in is told nothing."""
        event = events.Pieces((piece(),), binary=True)
        self.assertEqual(wire(None).packed(event, tcp_message), b"")
