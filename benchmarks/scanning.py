"""What a load generator sees in the frames of a node, found without parsing them.

Frames are cut by their lengths, and one regular expression per encoding finds number,
author and recipient of every text in what was cut. That is enough to see whatever is
lost, doubled or out of order, and costs a tenth of what decoding would.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

ECHO: Final = 90
DELIVERY: Final = 0x80 | 90
PAGE: Final = 0x80 | 17
PONG: Final = 13
END: Final = 18

Found = tuple[bytes, bytes, bytes]
"""The number of a text as it is written, its author and its recipient."""

_JSON: Final = re.compile(
    rb'"mid":(\d+),"fromTid":\{"node":"(\w+)"[^}]*\},"toTid":\{"node":"(\w+)"'
)
_THRIFT: Final = re.compile(
    rb"\x13\x02\x13\x01"  # msType 2, odType 1
    rb"(?:\x16[\x80-\xff]*[\x00-\x7f]\x16|\x26)"  # id, if there is one; mid
    rb"([\x80-\xff]*[\x00-\x7f])"
    rb"\x2c\x18.(\w+)[^\x00]*\x00"  # fromTid
    rb"\x1c\x18.(\w+)",  # toTid
    re.DOTALL,
)


def json_texts(data: bytes) -> list[Found]:
    """The texts in whole JSON frames."""
    return _JSON.findall(data)


def thrift_texts(data: bytes) -> list[Found]:
    """The texts in whole Thrift frames."""
    return _THRIFT.findall(data)


@cache
def thrift_number(octets: bytes) -> int:
    """What a zigzag varint stands for; the same ones come again and again."""
    total = 0
    for place, byte in enumerate(octets):
        total |= (byte & 0x7F) << (7 * place)
    return total >> 1


@cache
def json_number(digits: bytes) -> int:
    """What decimal digits stand for."""
    return int(digits)


Texts = Callable[[bytes], list[Found]]
Number = Callable[[bytes], int]


def cut(data: bytes, heads: list[bytes]) -> int:
    """
    Find the whole WebSocket frames at the beginning of what came.

    Args:
        heads: Gets the first five bytes of each: its type and, where an answer is
            wanted, its acknowledgement number.

    Returns: Where the rest begins.
    """
    size = len(data)
    position = 0
    while size - position >= 2:
        length = data[position + 1]
        start = position + 2
        if length == 126:
            start += 2
            if start > size:
                break
            length = data[position + 2] << 8 | data[position + 3]
        elif length == 127:
            start += 8
            if start > size:
                break
            length = int.from_bytes(data[position + 2 : start], "big")
        end = start + length
        if end > size:
            break
        heads.append(data[start : start + 5])
        position = end
    return position
