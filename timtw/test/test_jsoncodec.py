"""The JSON codec: one strict way of writing, many ways of reading."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.protocols import jsonlenient
from timtw.protocols.codecs import JSON, THRIFT, codec_for
from timtw.protocols.errors import DecodeError
from timtw.protocols.jsoncodec import decode, encode, with_seq
from timtw.protocols.structs import (
    SPECS,
    Tid,
    TimAuth,
    TimMessage,
    TimNodes,
    TimPresence,
    TimReq,
    TimStream,
)
from timtw.test import wiredata

fixed = settings(derandomize=True, max_examples=150, deadline=None)


class VectorTests(SynchronousTestCase):
    """The published test vectors and the frames of the existing clients."""

    def test_vectors(self) -> None:
        """Every published structure has exactly its published text."""
        for value, _, text in wiredata.VECTORS:
            self.assertEqual(encode(value).decode(), text)
            self.assertEqual(decode(type(value), text.encode()), value)

    def test_frames_of_clients(self) -> None:
        """What the JavaScript client sends, nulls and all, is understood."""
        bob = Tid(node="bob")
        cases: list[tuple[str, Any]] = [
            (
                '{"name":"","pwd":"","domain":null,"resource":"web","termtyp":1,'
                '"token":"T","extend":null}',
                TimAuth(name="", pwd="", resource="web", termtyp=1, token="T"),
            ),
            (
                '{"msType":2,"odType":1,"id":null,"mid":null,"bnType":null,"fromTid":'
                'null,"toTid":{"node":"bob","domain":null,"resource":null,"termtyp":'
                'null},"roomTid":null,"dataString":"hi","dataBinary":null,"isOffline"'
                ':null,"timestamp":null,"udtype":null,"extend":null,"extra":null}',
                TimMessage(msType=2, odType=1, toTid=bob, dataString="hi"),
            ),
            (
                '{"id":null,"offline":false,"subStatus":2,"fromTid":null,"toTid":'
                '{"node":"bob"},"toList":null,"show":1,"status":"busy"}',
                TimPresence(
                    offline=False, subStatus=2, toTid=bob, show=1, status="busy"
                ),
            ),
            (
                '{"id":null,"vNode":"V","dtype":null,"body":"AQI=","fromNode":null}',
                TimStream(VNode="V", body=b"\x01\x02"),
            ),
        ]
        for text, value in cases:
            frame = b"\x80" + text.encode()
            self.assertEqual(decode(type(value), frame, 1), value)

    def test_codec_of_a_frame(self) -> None:
        """A client is answered in the form it speaks."""
        self.assertIs(codec_for(True), JSON)
        self.assertIs(codec_for(False), THRIFT)
        for codec in (JSON, THRIFT):
            data = codec.encode(TimReq(rtype=1))
            self.assertEqual(codec.decode(TimReq, data), TimReq(rtype=1))


class RoundTripTests(SynchronousTestCase):
    """Agreement of both codecs, and of both ways of reading JSON."""

    @fixed
    @given(wiredata.STRUCTURES)
    def test_round_trip(self, value: Any) -> None:
        """A structure comes back as it was, by the quick and the slow way."""
        data = encode(value)
        self.assertEqual(decode(type(value), data), value)
        self.assertEqual(jsonlenient.decode(type(value), data), value)

    @fixed
    @given(wiredata.STRUCTURES)
    def test_between_encodings(self, value: Any) -> None:
        """Nothing is lost from a Thrift client to a JSON client and back."""
        struct = type(value)
        arrived = THRIFT.decode(struct, THRIFT.encode(value))
        self.assertEqual(JSON.decode(struct, JSON.encode(arrived)), value)

    @fixed
    @given(wiredata.structs_of(TimMessage), st.integers(-(2**63), 2**63 - 1))
    def test_with_seq(self, message: TimMessage, seq: int) -> None:
        """A sequence number added afterwards is as good as one written at once."""
        message.seq = None
        added = with_seq(encode(message), seq)
        message.seq = seq
        self.assertEqual(added, encode(message))


class WritingTests(SynchronousTestCase):
    """What a client finds in our JSON."""

    def test_set_and_unset(self) -> None:
        """What is not set is left out; false, zero and empty are written."""
        presence = TimPresence(id=0, offline=False, status="", toList=[], extra={})
        self.assertEqual(
            encode(presence),
            b'{"id":0,"offline":false,"toList":[],"status":"","extra":{}}',
        )

    def test_bad_text(self) -> None:
        """Bytes that were no UTF-8 appear as one replacement character each."""
        message = THRIFT.decode(TimReq, bytes.fromhex("28 04 61ff80 62 00"))
        message.reqStr = "\ud83d"
        self.assertEqual(
            json.loads(encode(message)),
            {"node": "a\ufffd\ufffdb", "reqStr": "\ufffd"},
        )
        noisy = TimMessage(
            msType=1,
            odType=1,
            dataBinary=b"\xff",
            toTid=Tid(node="n", extend={"\udcff": "\udcfe"}),
            ToList=["\udcff"],
        )
        self.assertEqual(
            json.loads(encode(noisy)),
            {
                "msType": 1,
                "odType": 1,
                "dataBinary": "/w==",
                "toTid": {"node": "n", "extend": {"\ufffd": "\ufffd"}},
                "ToList": ["\ufffd"],
            },
        )

    def test_values_that_cannot_be_written(self) -> None:
        """A mistake of ours is an error here, not nonsense at the client."""
        wrong: list[Any] = [
            TimMessage(msType=128, odType=1),
            TimReq(reqInt=1 << 63),
            TimStream(VNode="V", fromNode="a"),
            TimStream(VNode="V", id=1),
        ]
        for value in wrong:
            self.assertRaises(ValueError, encode, value)
        for name, content in (("node", 5), ("rtype", "1")):
            value = TimReq()
            setattr(value, name, content)
            self.assertRaises(ValueError, encode, value)


class ReadingTests(SynchronousTestCase):
    """The liberties that clients take."""

    def reads(self, text: str, value: Any) -> None:
        """Check what a text means."""
        self.assertEqual(decode(type(value), text.encode()), value, text)

    def refuses(self, struct: Any, text: str, field: str = "") -> None:
        """Check that a text is refused, and which field is blamed."""
        error = self.assertRaises(DecodeError, decode, struct, text.encode())
        self.assertEqual((error.struct, error.field), (struct.__name__, field), text)

    def test_keys(self) -> None:
        """Letter case does not matter, the exact spelling wins, others are ignored."""
        self.reads('{"RTYPE":1,"Node":"a"}', TimReq(rtype=1, node="a"))
        self.reads('{"node":"a","NODE":"b"}', TimReq(node="a"))
        self.reads('{"NODE":"b","node":"a"}', TimReq(node="a"))
        self.reads('{"node":null,"NODE":"b"}', TimReq(node="b"))
        self.reads('{"other":[{"deep":[1]}],"rtype":1}', TimReq(rtype=1))

    def test_whole_numbers(self) -> None:
        """2.0 and 2e0 are 2; other fractions, texts and booleans are no integers."""
        self.reads('{"rtype":2.0,"reqInt":2e0}', TimReq(rtype=2, reqInt=2))
        for number in ("1.5", '"1"', "true", "[]", "1e300", "{}"):
            self.refuses(TimReq, f'{{"rtype":{number}}}', "rtype")

    def test_number_limits(self) -> None:
        """The largest and smallest numbers are read, the next ones refused."""
        self.reads(f'{{"reqInt":{2**63 - 1}}}', TimReq(reqInt=2**63 - 1))
        self.reads(f'{{"reqInt":{-(2**63)}}}', TimReq(reqInt=-(2**63)))
        self.refuses(TimReq, f'{{"reqInt":{2**63}}}', "reqInt")
        self.refuses(TimReq, f'{{"reqInt":{-(2**63) - 1}}}', "reqInt")
        self.reads('{"TermTyp":-128}', TimAuth(termtyp=-128))
        self.refuses(TimAuth, '{"TermTyp":128}', "termtyp")

    def test_token(self) -> None:
        """A token that is a number is its decimal text."""
        self.reads('{"token":9007199254740993}', TimAuth(token="9007199254740993"))
        self.reads('{"token":5.0}', TimAuth(token="5"))
        self.refuses(TimAuth, '{"token":true}', "token")
        self.refuses(TimAuth, '{"name":5}', "name")

    def test_binary(self) -> None:
        """Bytes come as base64, padded or not, as an array or as an object."""
        for body in ('"AQI="', '"AQI"', "[1,2]", "[1,2.0]", '{"0":1,"1":2}'):
            stream = TimStream(VNode="V", body=b"\x01\x02")
            self.reads(f'{{"VNode":"V","body":{body}}}', stream)
        for empty in ('""', "[]", "{}"):
            self.reads(f'{{"VNode":"","body":{empty}}}', TimStream(VNode="", body=b""))
        for body in ('"A"', '"AQ-="', '"A QI"', '"AQ\\nI"', "[256]", "[-1]", "5"):
            self.refuses(TimStream, f'{{"VNode":"V","body":{body}}}', "body")
        for body in ('"A Q I="', '"AQ\\nI="', '"AQI=AQI="', '"AQI=="'):
            self.refuses(TimStream, f'{{"VNode":"V","body":{body}}}', "body")
        for body in ('{"1":1}', '{"0":1,"2":1}', '["1"]', "[null]", "true", '"\u4e2d"'):
            self.refuses(TimStream, f'{{"VNode":"V","body":{body}}}', "body")

    def test_maps_and_lists(self) -> None:
        """Null entries of maps are absent; wrong entries are refused."""
        self.reads('{"extend":{"a":null,"b":"c"}}', TimAuth(extend={"b": "c"}))
        self.refuses(TimAuth, '{"extend":{"a":1}}', "extend")
        self.refuses(TimAuth, '{"extend":["a"]}', "extend")
        self.refuses(TimNodes, '{"ntype":1,"nodelist":[null]}', "nodelist")
        self.refuses(TimNodes, '{"ntype":1,"nodelist":{"0":"a"}}', "nodelist")

    def test_half_characters(self) -> None:
        """A text cut inside an emoji arrives with a replacement character."""
        self.reads('{"node":"\\ud83d\\ude00\\uD83D"}', TimReq(node="\U0001f600\ufffd"))
        self.reads('{"node":"\\ude00\\ud83d\\n"}', TimReq(node="\ufffd\ufffd\n"))
        self.reads('{"node":"\\\\ud83d \\ud83d"}', TimReq(node="\\ud83d \ufffd"))

    def test_no_object(self) -> None:
        """A body that is no object is undecodable."""
        for text in ("", "null", "[]", "5", '"a"', "{", '{"a":1}x', "{a:1}", "\0"):
            self.refuses(TimReq, text)

    def test_no_json(self) -> None:
        """What JSON does not know is not accepted."""
        for number in ("NaN", "Infinity", "-Infinity", "1e400", "01", "+1", "0x1"):
            self.refuses(TimReq, f'{{"rtype":{number}}}')
            self.refuses(TimReq, f'{{"other":{number}}}')
        error = self.assertRaises(DecodeError, decode, TimReq, b'{"node":"\xff"}')
        self.assertEqual(error.struct, "TimReq")

    def test_missing_required_field(self) -> None:
        """A message that does not say its type is no message."""
        self.refuses(TimMessage, '{"msType":2,"odType":null}', "odType")
        error = self.assertRaises(
            DecodeError, decode, TimMessage, b'{"msType":2,"odType":1,"toTid":{}}'
        )
        self.assertEqual((error.struct, error.field), ("Tid", "node"))


class DamageTests(SynchronousTestCase):
    """Nothing but DecodeError, whatever the bytes are."""

    @fixed
    @given(wiredata.STRUCTURES, st.data())
    def test_damage(self, value: Any, data: Any) -> None:
        """Cut or changed text is read as something or refused, and nothing else."""
        damaged = bytearray(encode(value))
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.sampled_from(b'{}[]",:\\0e.-ntu\xff\xed'))
        end = data.draw(st.integers(0, len(damaged)))
        survive(type(value), bytes(damaged))
        survive(type(value), bytes(damaged[:end]))

    @fixed
    @given(
        st.sampled_from(list(SPECS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
        st.data(),
    )
    def test_wrong_types(self, struct: Any, junk: Any, data: Any) -> None:
        """Any JSON value in any field is read as something or refused."""
        names = [field.name for field in SPECS[struct].fields]
        body = dict.fromkeys(data.draw(st.sets(st.sampled_from(names))), junk)
        survive(struct, json.dumps(body).encode())


def survive(struct: Any, data: bytes) -> None:
    """Decode; what can be read can also be written and read again."""
    try:
        value = decode(struct, data)
    except DecodeError:
        return
    if not isinstance(value, TimStream):
        assert decode(struct, encode(value)) == value
