"""Bad input through a whole node: the answer is the one that is written down, the node
goes on, and nobody else notices (docs/reference/protocol.md, sections 1.3 and 3.2)."""

from __future__ import annotations

import json
from typing import Any

from timtw.model.idents import ALPHABET
from timtw.model.limits import (
    ACK_SECONDS,
    BIG_DATA_SECONDS,
    FRAME_BEFORE_LOGIN,
    HTTP_SECONDS,
    TRANSMISSIONS,
)
from timtw.protocols import structs
from timtw.protocols.codecs import THRIFT
from timtw.test.test_websocket import masked
from timtw.test.test_wire_conversation import Wire, of
from timtw.test.wirekit import Socket

CLOSED = (1000).to_bytes(2, "big")
TOO_BIG = (1009).to_bytes(2, "big")
MAX_FRAME = 1 << 20
DEEP = 100_000
"""Levels of nesting that stop a decoder which follows them."""
MESSAGES = (19, 90, 91, 92, 93)
"""Types whose damaged payload is answered 4113; all others 4104."""


class BadInput(Wire):
    """Mallory misbehaves while Carol and Dave talk."""

    def setUp(self) -> None:
        """Everybody is logged in, on JSON."""
        super().setUp()
        self.node_of = {name: self.register(name) for name in ("carol", "dave", "eve")}
        self.carol, self.dave = self.logged_in("carol"), self.logged_in("dave")
        self.eve = self.logged_in("eve")
        self.said = 0

    def logged_in(self, name: str) -> Socket:
        """A line on which somebody has logged in."""
        socket = self.open()
        (answer,) = self.say(
            socket, b'\x90{"name":"%b","pwd":"secret"}' % name.encode()
        )
        self.assertIs(of(answer)["ok"], True)
        return socket

    def text(self, to: str, head: bytes = b"\xda", /, **others: Any) -> bytes:
        """A text as JSON."""
        message = {"msType": 2, "odType": 1, "toTid": {"node": to}, "dataString": "x"}
        return head + json.dumps(message | others).encode()

    def nobody_noticed(self) -> None:
        """Carol and Dave heard nothing of it, can talk, and the log has no failure."""
        self.assertEqual((self.heard(self.carol), self.heard(self.dave)), ([], []))
        self.said += 1
        (echo,) = self.say(self.carol, self.text(self.node_of["dave"]))
        self.assertEqual(of(echo)["mid"], self.said)
        (delivery,) = self.heard(self.dave)
        self.say(self.dave, b"\x8c" + delivery[1:5])
        self.assertEqual(self.flushLoggedErrors(), [])

    def refused(self, frame: bytes, code: int, type: int | None = None) -> None:
        """Eve's frame gets one refusal, and her line still serves her."""
        (answer,) = self.say(self.eve, frame)
        ack = of(answer)
        told = (answer[0], ack["ok"], ack["timType"], ack["error"]["code"])
        expected = frame[0] & 0x7F if type is None else type
        self.assertEqual(told, (12, False, expected, code), frame[:60])
        self.assertEqual(self.say(self.eve, b"\x8d"), [b"\x0d"])


class DamagedPayloads(BadInput):
    """Bytes that are no structure."""

    def test_garbage_in_every_type(self) -> None:
        """Noise behind any type byte is refused by its type, in both encodings."""
        silent, other = {12: [], 13: [b"\x0d"], 17: [b"\x12"]}, {95, 96, 97}
        for first in range(256):
            kind, frame = first & 0x7F, bytes([first]) + b"\xff" * 40
            if kind in silent:
                self.assertEqual(self.say(self.eve, frame), silent[kind], first)
            elif kind in other:
                self.refused(frame, 4114)
            elif frame[0] == 16:
                # The refusal of a login is in the encoding of that login.
                (answer,) = self.say(self.eve, frame)
                ack = THRIFT.decode(structs.TimAck, answer[1:])
                assert ack.error is not None
                self.assertEqual((ack.timType, ack.error.code), (16, 4104))
            else:
                self.refused(frame, 4113 if kind in MESSAGES else 4104)
        self.nobody_noticed()

    def test_q3_truncated(self) -> None:
        """A text that ends anywhere before its end is refused, numbers included."""
        to = structs.Tid(node=self.node_of["dave"])
        whole = structs.TimMessage(msType=2, odType=1, id=1 << 52, toTid=to)
        for frame in (b"\x5a" + THRIFT.encode(whole), self.text(to.node)):
            for end in range(1, len(frame)):
                self.refused(frame[:end], 4113)
        self.nobody_noticed()

    def test_x13_lengths_beyond_the_frame(self) -> None:
        """A field that says it is longer than the frame is refused, at every door."""
        for length in (
            "7f",
            "ffff03",
            "80c2d72f",
            "ffffffff0f",
            "ffffffffffffffffff01",
        ):
            self.refused(
                bytes.fromhex("5a 1302 1301 5c 18") + bytes.fromhex(length), 4113
            )
            login = b"\x10\x18" + bytes.fromhex(length) + b"ab"
            (answer,) = self.say(self.open(), login)
            ack = THRIFT.decode(structs.TimAck, answer[1:])
            assert ack.error is not None
            self.assertEqual((ack.timType, ack.error.code), (16, 4104))
            answer = self.post(b"\x0e\x18" + bytes.fromhex(length) + b"ab")
            ack = THRIFT.decode(structs.TimAck, answer[1:])
            assert ack.error is not None
            self.assertEqual((ack.timType, ack.error.code), (14, 4104))
        self.nobody_noticed()

    def test_deep_nesting(self) -> None:
        """A hundred thousand levels are refused like any other damage."""
        for opening in (b"[", b'{"extend":', b'{"toTid":', b'{"x":'):
            self.refused(b"\xda" + opening * DEEP, 4113)
            self.refused(b"\xaa" + opening * DEEP, 4104)
        for kind, opening in (("09", b"\x19"), ("0b", b"\1\x8b\0"), ("0c", b"\x1c")):
            payload = bytes.fromhex(f"{kind}c801") + opening * DEEP
            self.refused(b"\x5a" + payload, 4113)
            self.refused(b"\x2a" + payload, 4104)
        self.nobody_noticed()

    def test_wrong_types(self) -> None:
        """Fields of a wrong JSON type, and bodies that are no object, are refused."""
        for key, value in {
            "msType": "2",
            "odType": True,
            "id": 1.5,
            "mid": 1 << 63,
            "toTid": ["x"],
            "dataString": 7,
            "dataBinary": "?",
            "extend": {"a": 1},
            "ToList": "x",
        }.items():
            self.refused(self.text(self.node_of["dave"], **{key: value}), 4113)
        for body in (b"null", b"[]", b"1", b'"x"', b"true", b"", b" ", b"{}{}"):
            self.refused(b"\xda" + body, 4113)
            self.refused(b"\xa9" + body, 4104)
        self.refused(self.text(self.node_of["dave"], msType=None), 4113)
        self.nobody_noticed()

    def test_null_and_unknown(self) -> None:
        """Null stands for absent; keys, fields and types of tomorrow harm nobody."""
        to, nothing = self.node_of["dave"], dict.fromkeys(("id", "extend", "roomTid"))
        frame = self.text(to, **nothing, tomorrow={"a": [1]})
        (echo,) = self.say(self.eve, frame)
        self.assertEqual(of(echo)["mid"], 1)
        self.assertNotIn("tomorrow", of(echo))
        (delivery,) = self.heard(self.dave)
        self.say(self.dave, b"\x8c" + delivery[1:5])
        message = structs.TimMessage(msType=2, odType=1, toTid=structs.Tid(node=to))
        future = THRIFT.encode(message)[:-1] + bytes.fromhex("06c801 02 00")
        (echo,) = self.say(self.eve, b"\x5a" + future)
        self.assertEqual(of(echo)["mid"], 2)
        (delivery,) = self.heard(self.dave)
        self.say(self.dave, b"\x8c" + delivery[1:5])
        for kind in (0, 1, 11, 14, 15, 18, 23, 64, 80, 127):
            self.refused(bytes([kind]), 4104)
        self.nobody_noticed()

    def test_wrong_utf8(self) -> None:
        """Bytes that are no text pass on Thrift, and show as U+FFFD on JSON."""
        to = (
            b"\x18" + bytes([len(self.node_of["dave"])]) + self.node_of["dave"].encode()
        )
        frame = bytes.fromhex("5a 1302 1301 5c") + to + b"\0\x38\x03a\xff\x80\0"
        (echo,) = self.say(self.eve, frame)
        self.assertEqual(of(echo)["dataString"], "a\ufffd\ufffd")
        (delivery,) = self.heard(self.dave)
        self.assertEqual(of(delivery)["dataString"], "a\ufffd\ufffd")
        self.say(self.dave, b"\x8c" + delivery[1:5])
        self.refused(self.text(self.node_of["dave"])[:-2] + b'\xff"}', 4113)
        self.nobody_noticed()


class Frames(BadInput):
    """WebSocket messages and what is around them."""

    def send(self, socket: Socket, *pieces: bytes) -> list[bytes]:
        """Send bytes as they are; the frames that came."""
        for piece in pieces:
            socket.protocol.dataReceived(piece)
        self.pass_time()
        return self.heard(socket)

    def test_fragments(self) -> None:
        """A message in pieces is one message, with a ping between them or without."""
        frame = self.text(self.node_of["eve"])
        pieces = [
            masked(frame[:7], 0x02),
            masked(frame[7:9], 0),
            masked(frame[9:], 0x80),
        ]
        (answer,) = self.send(self.eve, *pieces)
        self.assertEqual(of(answer)["error"]["code"], 4105)
        ping, pong = masked(b"p", 0x89), b"p"
        answers = self.send(self.eve, pieces[0], ping, *pieces[1:])
        self.assertEqual(answers[0], pong)
        self.assertEqual(of(answers[1])["error"]["code"], 4105)
        self.nobody_noticed()

    def test_text_frames(self) -> None:
        """A WebSocket text counts as the same bytes, also where they are no UTF-8."""
        (answer,) = self.send(self.eve, masked(self.text(self.node_of["eve"]), 0x81))
        self.assertEqual(of(answer)["error"]["code"], 4105)
        self.assertEqual(self.send(self.eve, masked(b"\x8d", 0x81)), [b"\x0d"])
        self.assertEqual(self.send(self.eve, masked(b"", 0x81)), [])
        self.nobody_noticed()

    def test_x3_x4_oversized(self) -> None:
        """The largest frame is read and one byte more ends the line with 1009."""
        stranger = self.open()
        login = b'\x90{"name":"eve","pwd":"secret"}'
        (answer,) = self.say(stranger, login.ljust(FRAME_BEFORE_LOGIN))
        self.assertIs(of(answer)["ok"], True)
        ends = self.say(self.open(), login.ljust(FRAME_BEFORE_LOGIN + 1))
        self.assertEqual([one[:2] for one in ends], [TOO_BIG])
        self.refused(b"\x7f".ljust(MAX_FRAME), 4104)
        ends = self.say(self.eve, b"\x7f".ljust(MAX_FRAME + 1))
        self.assertEqual([one[:2] for one in ends], [TOO_BIG])
        self.nobody_noticed()

    def test_x3_never_continued(self) -> None:
        """Whoever does not go on is cut off in time, having cost nobody anything."""
        stranger, half = self.open(), self.connect()
        stranger.protocol.dataReceived(masked(b"\x90{", 0x02))
        half.protocol.dataReceived(b"POST /tim2 HTTP/1.1\r\nContent-Le")
        big = b"\x5f" + (100).to_bytes(4, "big") + b"abc|"
        self.assertEqual(self.say(self.eve, big), [])
        self.eve.protocol.dataReceived(masked(self.text("x"), 0x02)[:9])
        self.stage.clock.pump([1.0] * (int(max(HTTP_SECONDS, BIG_DATA_SECONDS)) + 1))
        self.assertEqual(self.heard(stranger), [CLOSED])
        self.assertTrue(half.aborted)
        (answer,) = self.heard(self.eve)
        self.assertEqual(of(answer)["error"]["code"], 4114)
        for _ in range(12):
            self.stage.clock.pump([5.0] * 10)
            self.assertEqual(self.say(self.carol, b"\x8d"), [b"\x0d"])
            self.assertEqual(self.say(self.dave, b"\x8d"), [b"\x0d"])
        self.assertEqual(self.heard(self.eve), [CLOSED])
        self.nobody_noticed()


class Conduct(BadInput):
    """Well-formed frames at a wrong time or with a wrong meaning."""

    def test_before_login(self) -> None:
        """Before login everything but a login ends the line; 12 and 13 are ignored."""
        for first in range(256):
            stranger = self.open()
            heard = self.say(stranger, bytes([first]) + b"\0\0\0\1")
            if first & 0x7F in (12, 13):
                self.assertEqual(heard, [])
            elif first & 0x7F == 16:
                self.assertEqual((len(heard), heard[0][:1]), (1, b"\x0c"))
            else:
                self.assertEqual(heard, [CLOSED], first)
        self.nobody_noticed()

    def test_d10_d19_acknowledged_in_advance(self) -> None:
        """Numbers that were not given to this line yet confirm nothing on any line."""
        for number in range(1, 300):
            self.say(self.eve, b"\x8c" + number.to_bytes(4, "big"))
        for to in ("eve", "dave"):
            self.say(self.carol, self.text(self.node_of[to]))
        (_,), (delivery,) = self.heard(self.eve), self.heard(self.dave)
        self.assertEqual(delivery[1:5], b"\0\0\0\1")
        self.say(self.eve, b"\x8c\0\0\0\1", b"\x8c\0\0\0\2")
        for _ in range(TRANSMISSIONS - 1):
            self.stage.clock.advance(ACK_SECONDS)
            self.assertEqual(self.heard(self.dave), [delivery])
            self.assertEqual(self.heard(self.eve), [])
        self.say(self.dave, b"\x8c\0\0\0\1")
        self.said = 1
        self.nobody_noticed()

    def test_repeated_login(self) -> None:
        """A second login on a line changes nothing, whoever it is for."""
        for name in ("eve", "carol", "nobody"):
            frame = b'\x90{"name":"%b","pwd":"secret"}' % name.encode()
            (answer,) = self.say(self.eve, frame)
            self.assertEqual(of(answer), {"ok": True, "timType": 16})
        (echo,) = self.say(self.eve, self.text(self.node_of["dave"]))
        self.assertEqual(of(echo)["fromTid"]["node"], self.node_of["eve"])
        (delivery,) = self.heard(self.dave)
        self.say(self.dave, b"\x8c" + delivery[1:5])
        self.nobody_noticed()

    def test_x8_a1_what_belongs_to_the_server(self) -> None:
        """A list of recipients, another author, a number: all of that is dropped."""
        forged = {
            "ToList": [self.node_of["carol"]],
            "fromTid": {"node": self.node_of["carol"]},
            "mid": 99,
            "timestamp": 1,
            "isOffline": True,
            "bnType": 4,
        }
        (echo,) = self.say(self.eve, self.text(self.node_of["dave"], **forged))
        told = of(echo)
        self.assertEqual(told["fromTid"], {"node": self.node_of["eve"]})
        self.assertEqual(told["mid"], 1)
        self.assertGreater(told["timestamp"], 1)
        self.assertFalse({"ToList", "isOffline", "bnType"} & set(told))
        (delivery,) = self.heard(self.dave)
        self.assertEqual(of(delivery), told)
        self.say(self.dave, b"\x8c" + delivery[1:5])
        self.nobody_noticed()

    def test_a3_kinds_of_the_server(self) -> None:
        """Nobody writes notices, messages of the system, or kinds that are not."""
        to = self.node_of["dave"]
        for head in (b"\xda", b"\xdc", b"\xdd"):
            for od_type in (4, 6, 7, 8, 30, -1):
                self.refused(self.text(to, head, odType=od_type), 4104)
            for ms_type in (0, 1, 4, -1):
                self.refused(self.text(to, head, msType=ms_type), 4104)
        self.nobody_noticed()

    def test_i1_aliases(self) -> None:
        """An account has one spelling; whatever else decodes to it is nobody."""
        node = self.node_of["dave"]
        number, longer = 0, ""
        for letter in node:
            number = number * 58 + ALPHABET.index(letter)
        number += 1 << 64
        while number:
            number, digit = divmod(number, 58)
            longer = ALPHABET[digit] + longer
        aliases = (
            "1" + node,
            "11" + node,
            longer,
            node + " ",
            " " + node,
            node.swapcase(),
        )
        for alias in (*aliases, node + "\0", "", "0OIl", "x" * 10_000):
            (answer,) = self.say(self.eve, self.text(alias))
            self.assertEqual(
                (of(answer)["error"]["code"], of(answer)["n"]), (4106, alias)
            )
        (answer,) = self.say(
            self.eve, b"\xaa" + json.dumps({"ntype": 4, "nodelist": aliases}).encode()
        )
        self.assertEqual(of(answer), {"ntype": 4, "usermap": {}})
        self.nobody_noticed()

    def test_l16_long_and_empty_texts(self) -> None:
        """Names of 10 kB and empty passwords make no account and open none."""
        for name, password in (
            ("n" * 10_000, "p"),
            ("n" * 3_000, "p"),
            ("n", ""),
            ("", "p"),
        ):
            auth = json.dumps({"name": name, "pwd": password}).encode()
            for type, code in ((14, 4104), (15, 4104 if len(auth) > 4096 else 4102)):
                answer = json.loads(self.post(bytes([0x80 | type]) + auth)[1:])
                self.assertEqual(
                    (answer["timType"], answer["error"]["code"]), (type, code)
                )
            (answer,) = self.say(self.open(), b"\x90" + auth)
            if len(auth) > FRAME_BEFORE_LOGIN:
                self.assertEqual(answer[:2], TOO_BIG)
            else:
                self.assertEqual(of(answer)["error"]["code"], 4105)
        for body in (b"", b"\x8e", b"\x0e"):
            self.assertIn(b"\x0c", self.post(body)[:1])
        profile = {"ntype": 6, "usermap": {"": {"name": "n" * 10_000}}}
        self.refused(b"\xaa" + json.dumps(profile).encode(), 4104)
        self.nobody_noticed()
