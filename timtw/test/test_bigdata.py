"""Big-data frames as the existing clients really send them."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.limits import (
    COLLECTED_BYTES,
    COLLECTED_BYTES_ACCOUNT,
    SKIPPED_BYTES,
)
from timtw.protocols.bigdata import BigData, BigDataReader, Reservations
from timtw.protocols.errors import (
    BigDataBusyError,
    BigDataError,
    BigDataLengthError,
    BigDataSeparatorError,
)

LIMIT = 1000


def reader_of(
    reservations: Reservations | None = None, account: int = 7
) -> BigDataReader:
    """A reader of its own node, unless it shares one."""
    return BigDataReader(LIMIT, reservations or Reservations(), account)


def frame(kind: int, node: bytes, separator: bytes, data: bytes) -> bytes:
    """Build a frame in the standard form."""
    size = 6 + len(node) + len(data)
    return bytes([kind]) + size.to_bytes(4, "big") + node + separator + data


class BeginTests(SynchronousTestCase):
    """Frames that are complete in one message."""

    def begin(self, message: str) -> BigData | None:
        """Give one message, written in hexadecimal, to a new reader."""
        return reader_of().begin(bytes.fromhex(message))

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
        reader = reader_of()
        whole = frame(96, b"bob", b"\x83", b"0123456789")
        self.assertIsNone(reader.begin(whole[:8]))
        self.assertGreater(reader.missing, 0)
        self.assertIsNone(reader.add(b""))
        self.assertIsNone(reader.add(whole[8:-1]))
        self.assertEqual(reader.add(whole[-1:]), BigData(96, "bob", b"0123456789"))
        self.assertEqual(reader.missing, 0)

    def test_q8_too_much(self) -> None:
        """One byte more than declared drops everything, and the next is fresh."""
        reader = reader_of()
        whole = frame(97, b"V", b"\x83", b"0123456789")
        reader.begin(whole[:8])
        error = self.assertRaises(BigDataLengthError, reader.add, whole[8:] + b"!")
        self.assertEqual(error.type, 97)
        self.assertEqual(reader.missing, 0)
        self.assertEqual(reader.begin(whole), BigData(97, "V", b"0123456789"))

    def test_limit(self) -> None:
        """A frame of just the limit is collected, a longer one refused at once."""
        reader = reader_of()
        whole = frame(95, b"bob", b"|", b"x" * (LIMIT - 9))
        self.assertIsNone(reader.begin(whole[:10]))
        value = reader.add(whole[10:])
        self.assertEqual(value, BigData(95, "bob", b"x" * (LIMIT - 9)))
        longer = frame(95, b"bob", b"|", b"x" * (LIMIT - 8))
        self.assertRaises(BigDataLengthError, reader.begin, longer[:10])
        self.assertEqual(reader.missing, LIMIT - 9)

    def test_x3_passed_over(self) -> None:
        """What belongs to a refused frame is not taken for others, within reason."""
        reader = reader_of()
        longer = frame(96, b"bob", b"\x83", b"x" * LIMIT)
        for end in (longer[700:], longer[700:] + b"!"):
            self.assertRaises(BigDataLengthError, reader.begin, longer[:10])
            self.assertIsNone(reader.add(longer[10:700]))
            self.assertGreater(reader.missing, 0)
            self.assertIsNone(reader.add(end))
            self.assertEqual(reader.missing, 0)
        self.assertRaises(BigDataLengthError, reader.begin, longer[:10])
        self.assertIsNone(reader.abandon())
        self.assertEqual(reader.missing, 0)
        for length, passed in ((SKIPPED_BYTES, True), (SKIPPED_BYTES + 1, False)):
            head = b"\x60" + length.to_bytes(4, "big") + b"bo"
            self.assertRaises(BigDataLengthError, reader.begin, head)
            self.assertEqual(reader.missing > 0, passed)
            reader.drop()

    def test_x3_million_pieces(self) -> None:
        """A million pieces of a byte are one frame, and cost no more than that."""
        size = 1_000_000
        reader = BigDataReader(2 * size, Reservations(), 7)
        whole = frame(96, b"bob", b"\x83", b"x" * size)
        reader.begin(whole[:10])
        for _ in range(size - 2):
            reader.add(b"x")
        self.assertEqual(reader.missing, 1)
        found = reader.add(b"x")
        assert found is not None
        self.assertEqual(found.data, b"x" * size)

    def test_abandon(self) -> None:
        """A frame that takes too long is dropped and can be answered."""
        reader = reader_of()
        reader.begin(frame(96, b"bob", b"\x83", b"0123456789")[:8])
        error = reader.abandon()
        assert isinstance(error, BigDataLengthError)
        self.assertEqual(error.type, 96)
        self.assertEqual(reader.missing, 0)

    def test_no_separator_after_all(self) -> None:
        """The separator is looked for when everything is there."""
        reader = reader_of()
        whole = frame(96, b"bob", b"|", b"0123456789")
        reader.begin(whole[:8])
        self.assertRaises(BigDataSeparatorError, reader.add, whole[8:])
        self.assertEqual(reader.missing, 0)


class ReservationTests(SynchronousTestCase):
    """How much is collected at a time."""

    def begun(self, shared: Reservations, account: int, length: int) -> BigDataReader:
        """A connection of an account that has begun a frame of this length."""
        reader = BigDataReader(1 << 30, shared, account)
        reader.begin(b"\x60" + length.to_bytes(4, "big") + b"bo")
        return reader

    def test_x3_account(self) -> None:
        """All connections of an account together collect only so much."""
        shared, half = Reservations(), COLLECTED_BYTES_ACCOUNT // 2
        first = self.begun(shared, 7, half)
        self.begun(shared, 7, half)
        error = self.assertRaises(BigDataBusyError, self.begun, shared, 7, 8)
        self.assertEqual(error.type, 96)
        self.begun(shared, 8, half)
        first.drop()
        self.begun(shared, 7, half)

    def test_x3_node(self) -> None:
        """All accounts together collect only so much."""
        shared, count = Reservations(), COLLECTED_BYTES // COLLECTED_BYTES_ACCOUNT
        readers = [
            self.begun(shared, account, COLLECTED_BYTES_ACCOUNT)
            for account in range(count)
        ]
        self.assertRaises(BigDataBusyError, self.begun, shared, count, 8)
        readers[3].abandon()
        self.begun(shared, count, COLLECTED_BYTES_ACCOUNT)

    def test_given_back(self) -> None:
        """However a frame ends, its space is free again, and only once."""
        shared = Reservations()
        whole = frame(96, b"bob", b"\x83", b"0123456789")
        damaged = frame(96, b"bob", b"|", b"0123456789")
        for ends in (
            lambda reader: reader.add(whole[8:]),
            lambda reader: reader.add(whole[8:] + b"!"),
            lambda reader: reader.add(damaged[8:]),
            lambda reader: reader.abandon(),
            lambda reader: reader.drop(),
        ):
            reader = reader_of(shared)
            reader.begin(whole[:8])
            self.assertEqual(shared.taken, len(whole))
            with contextlib.suppress(BigDataError):
                ends(reader)
            self.assertEqual(shared.taken, 0)
            reader.drop()
            self.assertEqual(shared.taken, 0)
        self.assertEqual(shared._accounts, {})

    def test_passed_over_in_pieces(self) -> None:
        """A frame without space is refused once and passed over to its end."""
        shared = Reservations()
        self.begun(shared, 7, COLLECTED_BYTES_ACCOUNT)
        reader = reader_of(shared)
        whole = frame(96, b"bob", b"\x83", b"0123456789")
        self.assertRaises(BigDataBusyError, reader.begin, whole[:8])
        self.assertIsNone(reader.add(whole[8:]))
        self.assertEqual(reader.missing, 0)
        self.assertEqual(reader.begin(whole), BigData(96, "bob", b"0123456789"))


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
        reader, begin = reader_of(), 0
        for end in places:
            piece = whole[begin:end]
            step = reader.add if reader.missing else reader.begin
            self.assertIsNone(step(piece))
            begin = end
        step = reader.add if reader.missing else reader.begin
        self.assertEqual(step(whole[begin:]), BigData(kind, node, data))

    @settings(derandomize=True, deadline=None)
    @given(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
    def test_noise(self, messages: list[bytes]) -> None:
        """Random bytes raise nothing but errors of their own type of frame."""
        reader = reader_of()
        for message in messages:
            try:
                if reader.missing:
                    reader.add(message)
                else:
                    reader.begin(b"\x5f" + message)
            except BigDataError as error:
                self.assertEqual(error.type, 95)
                self.assertEqual(len(reader._collected), 0)
