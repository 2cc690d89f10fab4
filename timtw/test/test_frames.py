"""Frames in both directions, and the WebSocket messages around them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.protocols.frames import (
    BIG_DATA,
    ClientFrame,
    FrameType,
    ack_id,
    acked_frame,
    server_frame,
    split_frame,
    websocket_message,
)


class FrameTests(SynchronousTestCase):
    """What the first bytes of a frame say."""

    def test_split(self) -> None:
        """The low seven bits are the type, the eighth says JSON."""
        cases = {
            "0d": ClientFrame(FrameType.TIMPING, False, b""),
            "8d": ClientFrame(FrameType.TIMPING, True, b""),
            "290102": ClientFrame(FrameType.TIMBUSINESS, False, b"\x01\x02"),
            "da7b7d": ClientFrame(FrameType.TIMMESSAGE, True, b"{}"),
            "7f": ClientFrame(127, False, b""),
            "80": ClientFrame(0, True, b""),
        }
        for frame, parts in cases.items():
            self.assertEqual(split_frame(bytes.fromhex(frame)), parts)

    def test_empty_frame(self) -> None:
        """An empty message is nothing."""
        self.assertIsNone(split_frame(b""))

    def test_ack_id(self) -> None:
        """An acknowledgement is four bytes; fewer are none, more are padding."""
        self.assertEqual(ack_id(bytes.fromhex("80000102")), 0x80000102)
        self.assertEqual(ack_id(bytes.fromhex("00000001ff")), 1)
        self.assertIsNone(ack_id(b"\0\0\1"))

    def test_server_frames(self) -> None:
        """A client sees the type, and the four bytes to send back if wanted."""
        self.assertEqual(server_frame(FrameType.TIMPING), b"\x0d")
        self.assertEqual(server_frame(FrameType.TIMNODES, b"{}"), b"\x2a{}")
        self.assertEqual(
            acked_frame(FrameType.TIMMESSAGE, 9, b"{}"), b"\xda\x00\x00\x00\x09{}"
        )
        self.assertEqual(
            acked_frame(FrameType.TIMOFFLINEMSG, 2**32 - 1, b""),
            b"\x91\xff\xff\xff\xff",
        )
        self.assertRaises(OverflowError, acked_frame, 90, 2**32, b"")

    def test_types(self) -> None:
        """The numbers are those of the protocol."""
        numbers = [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 41, 42]
        self.assertEqual(
            [int(kind) for kind in FrameType], numbers + list(range(90, 98))
        )
        self.assertEqual(BIG_DATA, {95, 96, 97})


class WebSocketTests(SynchronousTestCase):
    """One frame, one message."""

    def test_headers(self) -> None:
        """The length takes one, three or nine bytes, from exact borders on."""
        cases = {
            0: "8200",
            125: "827d",
            126: "827e007e",
            65535: "827effff",
            65536: "827f0000000000010000",
        }
        for size, header in cases.items():
            frame = b"x" * size
            self.assertEqual(websocket_message(frame), bytes.fromhex(header) + frame)


class RoundTripTests(SynchronousTestCase):
    """Frames of every type and content."""

    @settings(derandomize=True, deadline=None)
    @given(st.integers(0, 127), st.booleans(), st.binary())
    def test_split_is_total(self, kind: int, is_json: bool, payload: bytes) -> None:
        """Every non-empty message is a frame of some type."""
        frame = bytes([kind | (0x80 if is_json else 0)]) + payload
        self.assertEqual(split_frame(frame), (kind, is_json, payload))
