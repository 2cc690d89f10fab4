"""The Thrift codec: right bytes for right values, one error for all others."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.limits import SKIPPED_NESTING
from timtw.protocols.errors import DecodeError
from timtw.protocols.structs import (
    SPECS,
    Tid,
    TimAck,
    TimAuth,
    TimMessage,
    TimNodes,
    TimReq,
    TimStream,
)
from timtw.protocols.thriftcodec import decode, encode, with_seq
from timtw.test import wiredata

fixed = settings(derandomize=True, max_examples=150, deadline=None)


class VectorTests(SynchronousTestCase):
    """The published test vectors and the frames of the existing clients."""

    def test_vectors(self) -> None:
        """Every published structure has exactly its published bytes."""
        for value, thrift, _ in wiredata.VECTORS:
            data = bytes.fromhex(thrift)
            self.assertEqual(encode(value), data)
            self.assertEqual(decode(type(value), data), value)

    def test_frames_of_clients(self) -> None:
        """What the existing clients send is understood, padding included."""
        bob = Tid(node="bob")
        cases: list[tuple[str, Any]] = [
            (
                "1805616c6963651806736563726574180018037265731301 00",
                TimAuth(
                    name="alice", pwd="secret", domain="", resource="res", termtyp=1
                ),
            ),
            (
                "1805616c6963653803726573130118 03544f4b 00 0000",
                TimAuth(name="alice", resource="res", termtyp=1, token="TOK"),
            ),
            (
                "13 02 13 01 5c 18 03 626f62 00 38 02 6869 00",
                TimMessage(msType=2, odType=1, toTid=bob, dataString="hi"),
            ),
            (
                "13 03 13 02 26 0e 4c 18 04 726f6f6d 00 00",
                TimMessage(msType=3, odType=2, mid=7, roomTid=Tid(node="room")),
            ),
            ("15 02 00 00", TimReq(rtype=1)),
            (
                "16 00 18 01 56 28 02 0102 18 00 00",
                TimStream(id=0, VNode="V", body=b"\x01\x02", fromNode=""),
            ),
            ("15 08 19 18 01 61 00", TimNodes(ntype=4, nodelist=["a"])),
        ]
        for data, value in cases:
            self.assertEqual(decode(type(value), bytes.fromhex(data)), value)

    def test_offset(self) -> None:
        """A structure behind a type byte is read where it stands."""
        self.assertEqual(decode(TimReq, b"\x29\x15\x02\x00", 1), TimReq(rtype=1))


class OracleTests(SynchronousTestCase):
    """Agreement with thriftpy2 on random structures."""

    @fixed
    @given(wiredata.STRUCTURES)
    def test_same_bytes(self, value: Any) -> None:
        """Our bytes are those of an independent implementation."""
        self.assertEqual(encode(value), wiredata.oracle_encode(value))

    @fixed
    @given(wiredata.STRUCTURES)
    def test_same_value(self, value: Any) -> None:
        """Our bytes are read by an independent implementation, theirs by us."""
        theirs = wiredata.oracle_decode(type(value), encode(value))
        self.assertEqual(theirs, wiredata.to_oracle(value))
        self.assertEqual(decode(type(value), wiredata.oracle_encode(value)), value)

    @fixed
    @given(wiredata.structs_of(TimMessage), st.integers(-(2**63), 2**63 - 1))
    def test_with_seq(self, message: TimMessage, seq: int) -> None:
        """A sequence number added afterwards is as good as one written at once."""
        message.seq = None
        added = with_seq(encode(message), seq)
        message.seq = seq
        self.assertEqual(added, encode(message))


class ToleranceTests(SynchronousTestCase):
    """Unusual spellings that mean something."""

    def test_order_and_long_headers(self) -> None:
        """Fields may come backwards, each with its number spelled out."""
        data = bytes.fromhex("08 04 03 626f62 05 02 02 00")
        self.assertEqual(decode(TimReq, data), TimReq(rtype=1, node="bob"))

    def test_long_header_of_boolean(self) -> None:
        """A boolean keeps its value in the long header as well."""
        for head, ok in (("01", True), ("02", False)):
            data = bytes.fromhex(f"{head} 02 13 10 00")
            self.assertEqual(decode(TimAck, data), TimAck(ok=ok, timType=16))

    def test_unknown_fields(self) -> None:
        """Fields from the future, of every type, do not hide the others."""
        unknown = {
            "01": "",
            "02": "",
            "03": "ff",
            "04": "8001",
            "05": "01",
            "06": "ffffffffffffffffff01",
            "07": "0102030405060708",
            "08": "02 ffff",
            "09": "35 01 8001 02",
            "0a": "f1 03 010201",
            "0b": "02 8c 01 61 1502 00 01 62 00",
            "0c": "11 12 19 18 01 61 0c 2a 00 00",
            "0d": "00" * 16,
        }
        for kind, value in unknown.items():
            data = bytes.fromhex(f"{kind} c801 {value} 05 02 08 00")
            self.assertEqual(decode(TimReq, data), TimReq(rtype=4), kind)

    def test_known_field_of_other_type(self) -> None:
        """A field of another type than it should have counts as absent."""
        data = bytes.fromhex("18 01 61 18 01 62 00")
        self.assertEqual(decode(TimReq, data), TimReq(node="b"))

    def test_token_as_number(self) -> None:
        """An old client's numeric token is its decimal text."""
        data = bytes.fromhex("66 d30f 00")
        self.assertEqual(decode(TimAuth, data), TimAuth(token="-1002"))

    def test_long_header_behind_the_token(self) -> None:
        """A field of the future behind a token is no second token."""
        for token, text in ((b"\x68\x01t", "t"), (b"\x66\x02", "1")):
            for future in (b"\x06\x28\x02", b"\x08\x28\x01x"):
                data = token + future + b"\0"
                self.assertEqual(decode(TimAuth, data), TimAuth(token=text))

    def test_stream_without_id_and_sender(self) -> None:
        """A stream needs neither id nor sender, which the server sets."""
        self.assertEqual(
            decode(TimStream, bytes.fromhex("28 01 56 00")), TimStream(VNode="V")
        )

    def test_bytes_that_are_no_text(self) -> None:
        """What is no UTF-8 reaches a Thrift receiver as it was sent."""
        data = bytes.fromhex("28 05 61ff80eda0 00")
        self.assertEqual(encode(decode(TimReq, data)), data)

    def test_half_characters(self) -> None:
        """Half a surrogate pair is written as a replacement character."""
        self.assertEqual(
            encode(TimReq(node="a\ud800b\udfff")),
            encode(TimReq(node="a\ufffdb\ufffd")),
        )


class RefusalTests(SynchronousTestCase):
    """Bytes and values that cannot be."""

    def refused(self, struct: type, data: bytes) -> DecodeError:
        """Check that the bytes are refused, and return the error."""
        error: DecodeError = self.assertRaises(DecodeError, decode, struct, data)
        return error

    def test_error_names_the_place(self) -> None:
        """The error says which field of which structure is wrong."""
        error = self.refused(TimMessage, bytes.fromhex("13 02 13 01 5c 18 05 626f62"))
        self.assertEqual((error.struct, error.field), ("Tid", "node"))
        self.assertEqual(str(error), "Tid.node: ends too early")

    def test_missing_required_field(self) -> None:
        """A message that does not say its type is no message."""
        error = self.refused(TimMessage, bytes.fromhex("13 02 00"))
        self.assertEqual((error.struct, error.field), ("TimMessage", "odType"))

    def test_number_limits(self) -> None:
        """The largest number of each width is read, the next one refused."""
        for field, bits in (("35", 16), ("15", 32), ("36", 64)):
            struct = TimMessage if bits == 16 else TimReq
            prefix = "1302 1301 b4" if bits == 16 else field
            largest, over = (1 << bits) - 1, 1 << bits
            decode(struct, bytes.fromhex(prefix) + varint(largest) + b"\0")
            self.refused(struct, bytes.fromhex(prefix) + varint(over) + b"\0")

    def test_endless_number(self) -> None:
        """A number is over after ten bytes, however many follow."""
        self.refused(TimReq, b"\x36" + b"\x80" * 10 + b"\x00\x00")

    def test_wrong_elements(self) -> None:
        """Lists and maps of something else are refused, empty ones are not."""
        self.refused(TimNodes, bytes.fromhex("1508 19 15 02 00"))
        self.refused(TimNodes, bytes.fromhex("1508 2b 01 88 01 61 01 62 00"))
        empty = decode(TimNodes, bytes.fromhex("1508 19 05 00"))
        self.assertEqual(empty, TimNodes(ntype=4, nodelist=[]))

    def test_unknown_types(self) -> None:
        """Types that do not exist are refused in headers and in containers."""
        for data in ("10 00", "1e 00", "09 c801 1e 00", "0c c801 10 00", "09c80110"):
            self.refused(TimReq, bytes.fromhex(data))

    def test_nesting_limit(self) -> None:
        """What is skipped may be nested to the limit, and not one level more."""
        nested = {
            "09": (b"\x19", b"\x03", b""),
            "0a": (b"\x1a", b"\x03", b""),
            "0b": (b"\x01\x8b\x00", b"\x00", b""),
            "0c": (b"\x1c", b"\x00", b"\x00"),
        }
        for kind, (opening, inside, closing) in nested.items():
            for levels in (SKIPPED_NESTING, SKIPPED_NESTING + 1):
                deep = opening * (levels - 1) + inside + closing * (levels - 1)
                data = bytes.fromhex(f"{kind} c801") + deep + b"\x00"
                if levels == SKIPPED_NESTING:
                    self.assertEqual(decode(TimReq, data), TimReq())
                else:
                    error = self.refused(TimReq, data)
                    self.assertEqual(error.reason, "nested too deeply")

    def test_values_that_cannot_be_written(self) -> None:
        """A mistake of ours is an error here, not nonsense at the client."""
        wrong: list[Any] = [
            TimMessage(msType=128, odType=1),
            TimMessage(msType=-129, odType=1),
            TimMessage(msType=2, odType=1, udtype=1 << 15),
            TimReq(rtype=-(1 << 31) - 1),
            TimReq(reqInt=1 << 63),
            TimStream(VNode="V", fromNode="a"),
        ]
        for value in wrong:
            self.assertRaises(ValueError, encode, value)
        for name, content in (("node", 5), ("rtype", "1"), ("node", b"a")):
            value = TimReq()
            setattr(value, name, content)
            self.assertRaises(ValueError, encode, value)


class DamageTests(SynchronousTestCase):
    """Nothing but DecodeError, whatever the bytes are."""

    @fixed
    @given(wiredata.STRUCTURES)
    def test_truncation(self, value: Any) -> None:
        """A structure cut anywhere is never taken for a complete one."""
        data = encode(value)
        for end in range(0, len(data), max(1, len(data) // 50)):
            self.assertRaises(DecodeError, decode, type(value), data[:end])

    @fixed
    @given(wiredata.STRUCTURES, st.data())
    def test_damage(self, value: Any, data: Any) -> None:
        """Changed bytes are read as something or refused, and nothing else."""
        damaged = bytearray(encode(value))
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.integers(0, 255))
        survive(type(value), bytes(damaged))

    @fixed
    @given(st.sampled_from(list(SPECS)), st.binary(max_size=80))
    def test_noise(self, struct: type, data: bytes) -> None:
        """Random bytes are read as something or refused, and nothing else."""
        survive(struct, data)


def survive(struct: Any, data: bytes) -> None:
    """Decode; what can be read can also be written and read again."""
    try:
        value = decode(struct, data)
    except DecodeError:
        return
    if not isinstance(value, TimStream):
        assert decode(struct, encode(value)) == value


def varint(value: int) -> bytes:
    """Write a number the plain way."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
