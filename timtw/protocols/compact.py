"""The primitives of Thrift's compact protocol, for the generated codecs.

docs/reference/protocol.md, section 7.1.  Reading past the end of the data
raises IndexError, anything else that is wrong ValueError; the generated
decoders turn both into a DecodeError that names the field.
"""

import re
from typing import Final

from timtw.model.limits import SKIPPED_NESTING

STOP: Final = 0
TRUE: Final = 1
FALSE: Final = 2
BYTE: Final = 3
I16: Final = 4
I32: Final = 5
I64: Final = 6
DOUBLE: Final = 7
BINARY: Final = 8
LIST: Final = 9
SET: Final = 10
MAP: Final = 11
STRUCT: Final = 12
UUID: Final = 13

_FIXED_SIZES: Final = {TRUE: 1, FALSE: 1, BYTE: 1, DOUBLE: 8, UUID: 16}
_VARINTS: Final = frozenset({I16, I32, I64})
_CONTAINERS: Final = frozenset({LIST, SET, MAP, STRUCT})
_PAIRS: Final = tuple(bytes((n & 127 | 128, n >> 7 | 128)) for n in range(1 << 14))
"""The bytes of fourteen bits in the middle of a varint; a time has sixty-two."""
_MAX_LENGTH: Final = 1 << 31
_LONE_SURROGATES: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def read_varint(data: bytes, pos: int, value: int, limit: int) -> tuple[int, int]:
    """Read the rest of a varint whose first byte ``value`` has its high bit set.

    Returns the number and the position behind it.  It must be below ``limit``
    and have at most ten bytes, however many continuation bytes may follow.
    """
    value &= 127
    for shift in (7, 14, 21, 28, 35, 42, 49, 56, 63):
        byte = data[pos]
        pos += 1
        if byte < 128:
            value |= byte << shift
            if value >= limit:
                raise ValueError("number out of range")
            return value, pos
        value |= (byte & 127) << shift
    raise ValueError("number of more than ten bytes")


def write_varint(out: bytearray, value: int) -> None:
    """Append a number that is not negative as a varint."""
    while value > 16383:
        out += _PAIRS[value & 16383]
        value >>= 14
    if value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def encode_text(text: str) -> bytes:
    """Encode a text that strict UTF-8 cannot hold.

    Bytes that were no UTF-8 when the text was read come out as they were; other
    lone surrogates become U+FFFD.
    """
    return _LONE_SURROGATES.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def skip_value(data: bytes, pos: int, kind: int) -> int:
    """Return the position behind a value of the given type, whatever it holds.

    A field's boolean is in its header and takes no bytes, so it is not for here.
    Elements of a boolean list take one byte each.
    """
    size = len(data)
    # One entry per open container: [elements left, types of elements in turn];
    # a structure has no count and reads its own headers.
    pending: list[tuple[int, tuple[int, ...]]] = [(1, (kind,))]
    while pending:
        left, kinds = pending.pop()
        if not kinds:
            pos, kind = _field_header(data, pos)
            if kind == STOP:
                continue
            pending.append((0, ()))
            if kind in (TRUE, FALSE):
                continue
        else:
            if not left:
                continue
            kind = kinds[left % len(kinds)]
            pending.append((left - 1, kinds))
        pos = _skip_one(data, pos, kind, pending)
        # Fixed sizes are not looked at; a declared count must not go on for ever.
        if pos > size:
            raise IndexError
    return pos


def _skip_one(
    data: bytes, pos: int, kind: int, pending: list[tuple[int, tuple[int, ...]]]
) -> int:
    """Skip a scalar, or the head of a container, which goes onto ``pending``."""
    if kind == STOP:
        raise ValueError("unknown type")
    if kind in _FIXED_SIZES:
        return pos + _FIXED_SIZES[kind]
    if kind in _CONTAINERS and len(pending) > SKIPPED_NESTING:
        raise ValueError("nested too deeply")
    if kind == STRUCT:
        pending.append((0, ()))
        return pos
    if kind in (LIST, SET):
        return _skip_list_head(data, pos, pending)
    value = data[pos]
    pos += 1
    if kind in _VARINTS:
        return pos if value < 128 else read_varint(data, pos, value, 1 << 64)[1]
    if value > 127:
        value, pos = read_varint(data, pos, value, _MAX_LENGTH)
    if kind == BINARY:
        return pos + value
    if kind != MAP:
        raise ValueError("unknown type")
    if value:
        kinds = data[pos]
        pos += 1
        # Counted down from an even number: keys at even counts, values at odd.
        pending.append((2 * value, (kinds >> 4, kinds & 15)))
    return pos


def _skip_list_head(
    data: bytes, pos: int, pending: list[tuple[int, tuple[int, ...]]]
) -> int:
    """Read the head of a list or set; skip it whole if its elements are fixed."""
    head = data[pos]
    pos += 1
    count, kind = head >> 4, head & 15
    if count == 15:
        count = data[pos]
        pos += 1
        if count > 127:
            count, pos = read_varint(data, pos, count, _MAX_LENGTH)
    if kind in _FIXED_SIZES:
        return pos + count * _FIXED_SIZES[kind]
    if count:
        pending.append((count, (kind,)))
    return pos


def _field_header(data: bytes, pos: int) -> tuple[int, int]:
    """Return the position behind a field's header, and the field's type."""
    head = data[pos]
    pos += 1
    if 0 < head < 16:
        number = data[pos]
        pos += 1
        if number > 127:
            _, pos = read_varint(data, pos, number, 1 << 16)
    elif head and not head & 15:
        raise ValueError("unknown type")
    return pos, head & 15


def next_known(
    data: bytes, pos: int, key: int, known: frozenset[int]
) -> tuple[int, int]:
    """Go on to the next field that the decoder knows, skipping all others.

    ``key`` is the number and type (number << 4 | type) of a field that the
    decoder has no use for, its header just read, or any number if that header
    was in the long form.  Returns the key of a known field and the position of
    its value, or 0 and the position behind the structure.
    """
    while True:
        head = data[pos - 1]
        if not head:
            return 0, pos
        if head < 16:
            number = data[pos]
            pos += 1
            if number > 127:
                number, pos = read_varint(data, pos, number, 1 << 16)
            key = ((number >> 1) ^ -(number & 1)) << 4 | head
        if key in known:
            return key, pos
        kind = key & 15
        if kind not in (TRUE, FALSE):
            pos = skip_value(data, pos, kind)
        key = (key & -16) + data[pos]
        pos += 1
