"""Measure the codecs with one text message, beside thriftpy2.

    python benchmarks/codec.py

Prints one line of JSON with microseconds per operation (the best of several
rounds, so that other work on the machine counts little), then a table.
"""

import json
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from thriftpy2 import load
from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.transport import TMemoryBuffer

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


def microseconds(work: Callable[[], Any]) -> float:
    """Return the time of one call, the best of several rounds."""
    return min(timeit.repeat(work, number=NUMBER, repeat=ROUNDS)) / NUMBER * 1e6


def oracle(encoded: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return thriftpy2's way of encoding and of decoding the same message."""
    theirs: Any = load(str(idl.IDL_PATH), module_name="benchmark_thrift")

    def decode() -> Any:
        value = theirs.TimMessage()
        value.read(TCompactProtocol(TMemoryBuffer(encoded)))
        return value

    message = decode()

    def encode() -> bytes:
        buffer = TMemoryBuffer()
        message.write(TCompactProtocol(buffer))
        written: bytes = buffer.getvalue()
        return written

    if encode() != encoded:
        raise SystemExit("thriftpy2 writes other bytes; nothing was measured")
    return encode, decode


def measure() -> dict[str, dict[str, float]]:
    """Measure every codec both ways."""
    result = {}
    for codec in (THRIFT, JSON):
        data = codec.encode(MESSAGE)
        result[codec.name] = {
            "encode_us": microseconds(partial(codec.encode, MESSAGE)),
            "decode_us": microseconds(partial(codec.decode, TimMessage, data)),
            "with_seq_us": microseconds(partial(codec.with_seq, data, 12345)),
        }
    encode, decode = oracle(THRIFT.encode(MESSAGE))
    result["thriftpy2"] = {
        "encode_us": microseconds(encode),
        "decode_us": microseconds(decode),
    }
    return result


def main() -> None:
    """Measure, and print the figures twice: for programs and for people."""
    result = measure()
    both = {
        name: figures["encode_us"] + figures["decode_us"]
        for name, figures in result.items()
    }
    ratio = both["thriftpy2"] / both["thrift"]
    print(json.dumps({**result, "thriftpy2_to_thrift": ratio}))
    print(f"{'':12}{'encode':>9}{'decode':>9}{'both':>9}  microseconds")
    for name, figures in result.items():
        columns = (figures["encode_us"], figures["decode_us"], both[name])
        print(f"{name:12}" + "".join(f"{figure:9.2f}" for figure in columns))
    print(f"thriftpy2 takes {ratio:.1f} times as long as our Thrift codec")


if __name__ == "__main__":
    main()
