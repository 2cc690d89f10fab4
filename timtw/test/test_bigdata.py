"""Big-data frames as the existing clients really send them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.protocols.bigdata import BigData, BigDataReader
from timtw.protocols.errors import (
    BigDataError,
    BigDataLengthError,
    BigDataSeparatorError,
)

LIMIT = 1000


def frame(kind: int, node: bytes, separator: bytes, data: bytes) -> bytes:
    """Build a frame in the standard form."""
    size = 6 + len(node) + len(data)
    return bytes([kind]) + size.to_bytes(4, "big") + node + separator + data


class BeginTests(SynchronousTestCase):
    """Frames that are complete in one message."""

    def begin(self, message: str) -> BigData | None:
        """Give one message, written in hexadecimal, to a new reader."""
        return BigDataReader(LIMIT).begin(bytes.fromhex(message))

    def test_clients(self) -> None:
        """All three clients are understood: length or none, bar or NUL."""
        text, binary = BigData(95, "bob", b"hi"), BigData(96, "bob", b"\x01\x02")
        room = BigData(97, "V", b"\x01\x02")
        cases = {
            "df 0000000b 626f62 00 6869": text,
            "5f 0000000b 626f62 7c 6869": text,
            "5f 626f62 7c 6869": text,
            "e0 0000000b 626f62 83 0102": binary,
            "60 626f62 83 0102": binary,
            "e1 00000009 56 83 0102": room,
        }
        for message, value in cases.items():
            self.assertEqual(self.begin(message), value, message)

    def test_q6_first_separator(self) -> None:
        """The node ends at the first separator; the others are data."""
        self.assertEqual(
            self.begin("5f 626f62 7c 61007c62"), BigData(95, "bob", b"a\0|b")
        )
        self.assertEqual(
            self.begin("5f 626f62 00 61007c62"), BigData(95, "bob", b"a\0|b")
        )
        self.assertEqual(
            self.begin("60 6f7c62 83 0083"), BigData(96, "o|b", b"\x00\x83")
        )

    def test_q8_lengths(self) -> None:
        """A length that does not fit is refused with the frame's own type."""
        for message in (
            "df",
            "df 00000005",
            "5f 62 7c 68 69",
            "df 0000000a 626f62 00 6869",
            "df 00000000 626f62 00 6869",
            "df ffffffff 626f62 00 6869",
            "df 7f000000 626f62 00 6869",
        ):
            error = self.assertRaises(BigDataLengthError, self.begin, message)
            self.assertEqual(error.type, 95)

    def test_no_separator(self) -> None:
        """Data for nobody is refused with the frame's own type."""
        for message, kind in (
            ("5f 626f6262 6869", 95),
            ("60 626f62 7c 6869", 96),
            ("61 0000000a 626f62 7c00", 97),
        ):
            error = self.assertRaises(BigDataSeparatorError, self.begin, message)
            self.assertEqual(error.type, kind)


class CollectingTests(SynchronousTestCase):
    """Frames spread over several messages."""

    def test_pieces(self) -> None:
        """Whatever follows belongs to the frame until it is complete."""
        reader = BigDataReader(LIMIT)
        whole = frame(96, b"bob", b"\x83", b"0123456789")
        self.assertIsNone(reader.begin(whole[:8]))
        self.assertTrue(reader.collecting)
        self.assertIsNone(reader.add(b""))
        self.assertIsNone(reader.add(whole[8:-1]))
        self.assertEqual(reader.add(whole[-1:]), BigData(96, "bob", b"0123456789"))
        self.assertFalse(reader.collecting)

    def test_q8_too_much(self) -> None:
        """One byte more than declared drops everything, and the next is fresh."""
        reader = BigDataReader(LIMIT)
        whole = frame(97, b"V", b"\x83", b"0123456789")
        reader.begin(whole[:8])
        error = self.assertRaises(BigDataLengthError, reader.add, whole[8:] + b"!")
        self.assertEqual(error.type, 97)
        self.assertFalse(reader.collecting)
        self.assertEqual(reader.begin(whole), BigData(97, "V", b"0123456789"))

    def test_limit(self) -> None:
        """A frame of just the limit is collected, a longer one refused at once."""
        reader = BigDataReader(LIMIT)
        whole = frame(95, b"bob", b"|", b"x" * (LIMIT - 9))
        self.assertIsNone(reader.begin(whole[:10]))
        value = reader.add(whole[10:])
        self.assertEqual(value, BigData(95, "bob", b"x" * (LIMIT - 9)))
        longer = frame(95, b"bob", b"|", b"x" * (LIMIT - 8))
        self.assertRaises(BigDataLengthError, reader.begin, longer[:10])
        self.assertFalse(reader.collecting)

    def test_abandon(self) -> None:
        """A frame that takes too long is dropped and can be answered."""
        reader = BigDataReader(LIMIT)
        reader.begin(frame(96, b"bob", b"\x83", b"0123456789")[:8])
        error = reader.abandon()
        self.assertIsInstance(error, BigDataLengthError)
        self.assertEqual(error.type, 96)
        self.assertFalse(reader.collecting)

    def test_no_separator_after_all(self) -> None:
        """The separator is looked for when everything is there."""
        reader = BigDataReader(LIMIT)
        whole = frame(96, b"bob", b"|", b"0123456789")
        reader.begin(whole[:8])
        self.assertRaises(BigDataSeparatorError, reader.add, whole[8:])
        self.assertFalse(reader.collecting)


class SplitTests(SynchronousTestCase):
    """Any frame, cut anywhere; any bytes at all."""

    @settings(derandomize=True, deadline=None)
    @given(
        st.sampled_from([(95, b"|"), (95, b"\0"), (96, b"\x83"), (97, b"\x83")]),
        st.text("abcXYZ019", max_size=20),
        st.binary(max_size=200),
        st.lists(st.integers(6, 200), max_size=5),
    )
    def test_cuts(
        self, form: tuple[int, bytes], node: str, data: bytes, cuts: list[int]
    ) -> None:
        """Where a frame is cut makes no difference."""
        kind, separator = form
        whole = frame(kind, node.encode(), separator, data)
        places = sorted(cut for cut in set(cuts) if cut < len(whole))
        reader, begin = BigDataReader(LIMIT), 0
        for end in places:
            piece = whole[begin:end]
            step = reader.add if reader.collecting else reader.begin
            self.assertIsNone(step(piece))
            begin = end
        step = reader.add if reader.collecting else reader.begin
        self.assertEqual(step(whole[begin:]), BigData(kind, node, data))

    @settings(derandomize=True, deadline=None)
    @given(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
    def test_noise(self, messages: list[bytes]) -> None:
        """Random bytes raise nothing but errors of their own type of frame."""
        reader = BigDataReader(LIMIT)
        for message in messages:
            try:
                if reader.collecting:
                    reader.add(message)
                else:
                    reader.begin(b"\x5f" + message)
            except BigDataError as error:
                self.assertEqual(error.type, 95)
                self.assertFalse(reader.collecting)
