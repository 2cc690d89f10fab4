"""Messages that are no texts, between frames and values."""

from __future__ import annotations

import json
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import events
from timtw.model.commands import Command, Form, SendMessage, Unacceptable
from timtw.model.errors import BadParameter, TimError, UnknownAccount
from timtw.model.values import BURN, REVOCATION, STREAM, Content, LogEntry
from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.refusals import Note
from timtw.test.wirekit import text, wire

TO_BOB = b'"toTid":{"node":"B"}'
THRIFT_REVOCATION = bytes.fromhex(
    "1302 1302 166e 160e 2c 180141 280172 1301 00 1c 180142 00 38026869 2622 00"
)


def received(frame: bytes) -> Command:
    """What a frame of a JSON client asks."""
    (command,) = wire(JSON).receive(frame)
    return command


def removal(kind: int) -> LogEntry:
    """An entry after which the text 7 is gone."""
    return LogEntry(3, attrs.evolve(text(), kind=kind), own=False)


def body(frame: bytes) -> dict[str, Any]:
    """The JSON of a frame."""
    found: dict[str, Any] = json.loads(frame[5 if frame[0] & 0x80 else 1 :])
    return found


class Removals(SynchronousTestCase):
    """Revoking and burning."""

    def refused(self, frame: bytes, error: type[TimError], note: Note) -> None:
        """Check that a frame is refused so."""
        command = received(frame)
        assert isinstance(command, Unacceptable)
        self.assertIs(type(command.error), error, frame)
        self.assertEqual(command.about, note, frame)

    def test_asked(self) -> None:
        """The number and the words go along; the frame's type is only remembered."""
        for type, form in ((90, Form.MESSAGE), (92, Form.REVOKE), (93, Form.BURN)):
            for order, kind in ((2, REVOCATION), (3, BURN)):
                frame = b'{"msType":2,"odType":%d,"mid":7,"id":9,"udtype":4,%b}'
                command = received(bytes([type | 0x80]) + frame % (order, TO_BOB))
                content = Content(udtype=4)
                expected = SendMessage("B", content, 9, form, kind, 7)
                self.assertEqual(expected, command)

    def test_without_number(self) -> None:
        """A number that is absent, 0 or negative names no message."""
        for order in (2, 3):
            for mid in (b"", b'"mid":0,', b'"mid":-1,', b'"mid":null,'):
                frame = b'\xdc{"msType":2,"odType":%d,%b%b}' % (order, mid, TO_BOB)
                self.refused(frame, BadParameter, Note(92, n="B"))

    def test_in_rooms(self) -> None:
        """Texts in groups are revoked, and nothing is ever burnt in one."""
        room = b'"roomTid":{"node":"R"}'
        revoke = b'\xdc{"msType":3,"odType":2,"mid":7,%b}' % room
        (command,) = wire(JSON).receive(revoke)
        assert isinstance(command, SendMessage)
        self.assertEqual(("", "R", 7), (command.peer, command.room, command.mid))
        burn = b'\xdd{"msType":3,"odType":3,"mid":7,%b}' % room
        self.refused(burn, BadParameter, Note(93, n="R"))
        private = b'\xdc{"msType":2,"odType":2,"mid":7,%b,%b}' % (TO_BOB, room)
        (command,) = wire(JSON).receive(private)
        assert isinstance(command, SendMessage)
        self.assertEqual(("B", "R", 7), (command.peer, command.room, command.mid))
        self.refused(b'\xdc{"msType":2,"odType":2,"mid":7}', UnknownAccount, Note(92))

    def test_confirmed(self) -> None:
        """The asking device is told the peer and the number, by what was done."""
        for kind, type in ((REVOCATION, 92), (BURN, 93)):
            command = SendMessage("B", Content(), kind=kind, mid=7)
            (frame,) = wire(JSON).encode(events.Removed(command))
            answer = {"ok": True, "timType": type, "t": 2, "n": "B", "t2": 7}
            self.assertEqual((12, answer), (frame[0], body(frame)))
        command = SendMessage("B", Content(), kind=BURN, mid=7)
        (frame,) = wire(THRIFT).encode(events.Removed(command))
        self.assertEqual(bytes.fromhex("0c 11 135d 2604 180142 160e 00"), frame)

    def test_refusal_names_the_frame(self) -> None:
        """A refusal has the type of the frame, whatever was asked with it."""
        command = SendMessage("B", Content(), 9, Form.BURN, REVOCATION, 7)
        (frame,) = wire(JSON).encode(events.Refused(command, BadParameter()))
        told = body(frame)
        self.assertEqual((93, "B", 9), (told["timType"], told["n"], told["t2"]))

    def test_d4_delivered(self) -> None:
        """Live and later it carries the number of the text and its own id."""
        for kind, order in ((REVOCATION, 2), (BURN, 3)):
            client = wire(JSON)
            (live,) = client.encode(events.Delivery(removal(kind), 5))
            self.assertEqual(bytes.fromhex("da00000005"), live[:5])
            told = body(live)
            self.assertEqual((order, 7, 55), (told["odType"], told["mid"], told["id"]))
            self.assertEqual(
                {"node": "A", "resource": "r", "termtyp": 1}, told["fromTid"]
            )
            (late,) = client.encode(events.Delivery(removal(kind), 6, backlog=True))
            (page,) = client.encode(events.Page((removal(kind),), 7))
            del told["fromTid"]["resource"], told["fromTid"]["termtyp"]
            told["isOffline"] = True
            self.assertEqual(told, body(late))
            self.assertEqual([told], body(page)["messageList"])
        (frame,) = wire(THRIFT).encode(events.Delivery(removal(REVOCATION), 5))
        self.assertEqual(THRIFT_REVOCATION, frame[5:])


class CustomKinds(SynchronousTestCase):
    """The kinds of applications."""

    def test_asked(self) -> None:
        """Kinds from 31 to 127 are understood; what is next to them is wrong."""
        frame = b'\xda{"msType":2,"odType":%d,"mid":7,"id":9,"dataString":"x",%b}'
        for order in (31, 127):
            command = received(frame % (order, TO_BOB))
            self.assertEqual(SendMessage("B", Content("x"), 9, kind=order), command)
        for order in (9, 20, 30, -1):
            refused = received(frame % (order, TO_BOB))
            assert isinstance(refused, Unacceptable)
            self.assertIsInstance(refused.error, BadParameter)

    def test_accepted(self) -> None:
        """Clients with the additions are told; others see that nothing is refused."""
        event = events.Accepted(SendMessage("B", Content(), 9, kind=31))
        self.assertEqual([], wire(JSON).encode(event))
        (frame,) = wire(JSON, additions=True).encode(event)
        answer = {"ok": True, "timType": 90, "n": "B", "t2": 9}
        self.assertEqual((12, answer), (frame[0], body(frame)))

    def test_delivered(self) -> None:
        """It has its kind and its id, live and later, and no number."""
        message = attrs.evolve(text(mid=0), kind=31)
        entry = LogEntry(3, message, own=False)
        for backlog in (False, True):
            (frame,) = wire(JSON).encode(events.Delivery(entry, 5, backlog))
            told = body(frame)
            self.assertEqual((31, 55), (told["odType"], told["id"]))
            self.assertEqual(backlog, told.get("isOffline", False))
            self.assertNotIn("mid", told)


class Streams(SynchronousTestCase):
    """What goes to those who are there."""

    def test_asked(self) -> None:
        """A stream is understood, also as one client sends it: without a kind."""
        binary = Content(binary=b"\x01")
        for ms, order in ((2, 5), (2, 0), (0, 0)):
            frame = b'\xda{"msType":%d,"odType":%d,"dataBinary":"AQ==",%b}'
            command = received(frame % (ms, order, TO_BOB))
            self.assertEqual(SendMessage("B", binary, kind=STREAM), command)
        for more in (b'"dataString":"x","dataBinary":"AQ=="', b'"dataString":"x"'):
            refused = received(b'\xda{"msType":2,"odType":0,%b,%b}' % (more, TO_BOB))
            assert isinstance(refused, Unacceptable)
            self.assertIsInstance(refused.error, BadParameter)

    def test_sent(self) -> None:
        """It comes with its kind and id, without number and without receipt."""
        message = attrs.evolve(text(mid=0), kind=STREAM)
        for additions in (False, True):
            (frame,) = wire(JSON, additions).encode(events.Streamed(message))
            told = body(frame)
            self.assertEqual((0x5A, 5, 55), (frame[0], told["odType"], told["id"]))
            self.assertEqual({"mid", "seq"} & told.keys(), set())
        (frame,) = wire(THRIFT).encode(events.Streamed(message))
        self.assertEqual(bytes.fromhex("5a 1302 1305 166e"), frame[:7])
