"""As much of Thrift's compact encoding as a TIM client needs, made by hand.

A structure is written from a list of fields and read into a mapping from field
numbers to values; nothing knows the IDL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

I8: Final = 3
I32: Final = 5
I64: Final = 6
TEXT: Final = 8
MAP: Final = 11
STRUCT: Final = 12

Field = tuple[int, int, Any]
"""The number of a field, its type, and its value (a structure is ready bytes)."""


def varint(value: int) -> bytes:
    """An unsigned number, seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _value(kind: int, value: Any) -> bytes:
    """One value without its header."""
    if kind == I8:
        return bytes((value & 0xFF,))
    if kind in (I32, I64):
        return varint((value << 1) ^ (value >> 63))
    if kind == TEXT:
        raw = value.encode() if isinstance(value, str) else value
        return varint(len(raw)) + raw
    if kind == MAP:
        pairs = b"".join(_value(TEXT, k) + _value(TEXT, v) for k, v in value.items())
        return varint(len(value)) + b"\x88" + pairs if value else b"\0"
    return bytes(value)


def structure(fields: Sequence[Field]) -> bytes:
    """A structure of these fields, whose numbers have to ascend."""
    out = bytearray()
    last = 0
    for number, kind, value in fields:
        if number - last < 16:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            out += varint(number << 1)
        last = number
        out += _value(kind, value)
    out.append(0)
    return bytes(out)


class Reader:
    """Reads a structure out of ``data``; a damaged one raises IndexError."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        """Begin at ``position``."""
        self._data = data
        self.position = position

    def structure(self) -> dict[int, Any]:
        """The fields up to the stop byte."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind = head & 0x0F
            step = head >> 4
            number = number + step if step else self._signed()
            fields[number] = kind == 1 if kind in (1, 2) else self._any(kind)
        return fields

    def _byte(self) -> int:
        """The next byte."""
        self.position += 1
        return self._data[self.position - 1]

    def _unsigned(self) -> int:
        """The next varint."""
        total = shift = 0
        while True:
            byte = self._byte()
            total |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return total

    def _signed(self) -> int:
        """The next zigzag varint."""
        raw = self._unsigned()
        return raw >> 1 ^ -(raw & 1)

    def _any(self, kind: int) -> Any:
        """A value of this type; booleans here are elements of lists."""
        if kind == STRUCT:
            return self.structure()
        if kind == TEXT:
            size = self._unsigned()
            self.position += size
            return self._data[self.position - size : self.position]
        if kind == I8:
            return self._byte()
        if kind in (4, I32, I64):
            return self._signed()
        if kind == 9:
            head = self._byte()
            size = head >> 4 if head < 0xF0 else self._unsigned()
            return [self._any(head & 0x0F) for _ in range(size)]
        if kind == MAP:
            return self._map()
        return self._byte() == 1

    def _map(self) -> dict[Any, Any]:
        """A map of anything."""
        size = self._unsigned()
        if not size:
            return {}
        kinds = self._byte()
        return {self._any(kinds >> 4): self._any(kinds & 0x0F) for _ in range(size)}
