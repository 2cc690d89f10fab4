"""Bytes made to hurt: they cost no more memory than they are long."""

import sys
import tracemalloc
from types import FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.errors import DecodeError
from timtw.protocols.structs import Tid, TimMessage, TimMessageList, TimNodes, TimReq

KIB = 1024
HUNDRED_MILLION = bytes.fromhex("80c2d72f")


class HostileTests(SynchronousTestCase):
    """Each of these stopped or filled some server once."""

    def refused(self, codec: Codec, struct: Any, data: bytes, peak: int) -> str:
        """Check that bytes are refused within a peak of memory; return why."""
        tracemalloc.start()
        try:
            error: DecodeError = self.assertRaises(
                DecodeError, codec.decode, struct, data
            )
            _, used = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(used, peak)
        return error.reason

    def test_endless_number(self) -> None:
        """A number of 400 kB is given up after ten bytes."""
        tail = b"\x80" * (400 * KIB)
        for head in ("36", "18", "06", "06c801", "08c801", "09c801f5", "0bc801"):
            data = bytes.fromhex(head) + tail
            reason = self.refused(THRIFT, TimReq, data, 16 * KIB)
            self.assertEqual(reason, "number of more than ten bytes", head)

    def test_x13_declared_counts(self) -> None:
        """A hundred million declared elements that are not there reserve nothing."""
        count = HUNDRED_MILLION
        cases = {
            "1508 19f8": TimNodes,
            "1508 2b": TimNodes,
            "29fc": TimMessageList,
            "1302 1301 88": TimMessage,
            "18": TimReq,
            "09c801f8": TimReq,
            "09c801f3": TimReq,
            "09c801f7": TimReq,
            "0ac801fc": TimReq,
            "0bc801": TimReq,
            "08c801": TimReq,
        }
        for head, struct in cases.items():
            # The type of a map's entries, which is behind its count, differs.
            entries = b"\x8c" if struct is TimNodes else b"\x88"
            for tail in (b"", entries, entries + bytes(KIB)):
                data = bytes.fromhex(head) + count + tail
                reason = self.refused(THRIFT, struct, data, 16 * KIB)
                self.assertEqual(reason, "ends too early", head)

    def test_x13_declared_entries(self) -> None:
        """No entry of a map is kept whose count cannot be true."""
        entries = b"".join(b"\x02%02x\x02%02x" % (n, n) for n in range(256))
        data = bytes.fromhex("1801614b") + HUNDRED_MILLION + b"\x88" + entries
        reason = self.refused(THRIFT, Tid, data, 16 * KIB)
        self.assertEqual(reason, "ends too early")

    def test_work(self) -> None:
        """A declared count of elements that are not there is not counted down."""
        calls = 0

        def count(frame: FrameType | None, event: str, arg: object) -> None:
            nonlocal calls
            calls += event == "call"

        for head in ("0bc801 a08d06 33", "0bc801 a08d06 77", "09c801 f3 a08d06"):
            data = bytes.fromhex(head) + bytes(10)
            sys.setprofile(count)
            try:
                self.assertRaises(DecodeError, THRIFT.decode, TimReq, data)
            finally:
                sys.setprofile(None)
        self.assertLess(calls, 1000)

    def test_deep_nesting(self) -> None:
        """A hundred thousand levels are refused in both encodings."""
        for kind, opening in (
            ("09", b"\x19"),
            ("0b", b"\x01\x8b\x00"),
            ("0c", b"\x1c"),
        ):
            data = bytes.fromhex(f"{kind}c801") + opening * 100_000
            reason = self.refused(THRIFT, TimReq, data, 64 * KIB)
            self.assertEqual(reason, "nested too deeply")
        for opening in (b"[", b'{"x":', b'{"extend":', b'{"fromTid":'):
            for head in (b"", b'{"x":', b'{"extend":', b'{"id":'):
                data = head + opening * 100_000
                self.refused(JSON, TimMessage, data, 4 * KIB * KIB)

    def test_many_pieces(self) -> None:
        """A skipped field of half a million elements leaves nothing behind."""
        data = bytes.fromhex("09c801f8") + b"\x80\x80\x20" + bytes(512 * KIB) + b"\0"
        tracemalloc.start()
        try:
            self.assertEqual(THRIFT.decode(TimReq, data), TimReq())
            _, used = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(used, 16 * KIB)
