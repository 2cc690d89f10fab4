"""The codecs with one text message, beside thriftpy2: what a node does with it.

A client's message is decoded, which has no sender, number or time, and the message that
the node makes of it is encoded. Decoding the latter is shown as well, and thriftpy2 is
given the same.

    python -m benchmarks codec

Microseconds are the best of several rounds, so that other work on the machine counts
little.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from thriftpy2 import load
from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.transport import TMemoryBuffer

from benchmarks.options import Options
from benchmarks.rows import Row
from timtw.protocols import idl
from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.structs import Tid, TimMessage

ROUNDS: Final = 9
NUMBER: Final = 5_000

MESSAGE: Final = TimMessage(
    msType=2,
    odType=1,
    id=1234567890123,
    mid=77,
    fromTid=Tid(node="SrLu63KZLnq", domain="", resource="web", termtyp=1),
    toTid=Tid(node="VPYpJt8EgRb"),
    dataString="a text of one hundred bytes ".ljust(100, "."),
    timestamp=1795248388962324139,
)

ASKED: Final = TimMessage(
    msType=2, odType=1, toTid=Tid(node="VPYpJt8EgRb"), dataString=MESSAGE.dataString
)
"""The same as its client sends it."""


def microseconds(work: Callable[[], Any]) -> float:
    """Return the time of one call, the best of several rounds."""
    return min(timeit.repeat(work, number=NUMBER, repeat=ROUNDS)) / NUMBER * 1e6


def oracle(asked: bytes, encoded: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return thriftpy2's way of encoding the one message and of decoding the other."""
    theirs: Any = load(str(idl.IDL_PATH), module_name="benchmark_thrift")

    def decode(data: bytes = asked) -> Any:
        value = theirs.TimMessage()
        value.read(TCompactProtocol(TMemoryBuffer(data)))
        return value

    message = decode(encoded)

    def encode() -> bytes:
        buffer = TMemoryBuffer()
        message.write(TCompactProtocol(buffer))
        written: bytes = buffer.getvalue()
        return written

    if encode() != encoded:
        raise SystemExit("thriftpy2 writes other bytes; nothing was measured")
    return encode, decode


def measure(options: Options) -> Iterator[Row]:
    """One row for each codec, with thriftpy2 beside them."""
    encode, decode = oracle(THRIFT.encode(ASKED), THRIFT.encode(MESSAGE))
    control = {"both_us": round(microseconds(encode) + microseconds(decode), 2)}
    for codec in (THRIFT, JSON):
        asked, data = codec.encode(ASKED), codec.encode(MESSAGE)
        encoding = microseconds(partial(codec.encode, MESSAGE))
        decoding = microseconds(partial(codec.decode, TimMessage, asked))
        whole = microseconds(partial(codec.decode, TimMessage, data))
        numbering = microseconds(partial(codec.with_seq, data, 12345))
        values = {
            "both_us": round(encoding + decoding, 2),
            "encode_us": round(encoding, 2),
            "decode_us": round(decoding, 2),
            "decode_own_us": round(whole, 2),
            "with_seq_us": round(numbering, 2),
        }
        yield Row(f"codec {codec.name.lower()}", values, control)
