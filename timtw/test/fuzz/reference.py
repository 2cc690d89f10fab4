"""Thrift's compact protocol once more, slow and plain: the decoder has to agree.

docs/reference/protocol.md, section 7.1. Written from that section and not from the
decoder; it knows the fields, and nothing of how the decoder is made.
"""

from __future__ import annotations

from typing import Any, Final

from timtw.model.limits import SKIPPED_NESTING
from timtw.protocols.idl import INTEGER_BITS, FieldType
from timtw.protocols.structs import SPECS, STRUCTS, WireStruct

_CODES: Final = {
    "i8": 3,
    "i16": 4,
    "i32": 5,
    "i64": 6,
    "string": 8,
    "binary": 8,
    "list": 9,
    "map": 11,
    "struct": 12,
}
_YES, _NO, _LIST, _SET, _MAP, _STRUCT = 1, 2, 9, 10, 11, 12
_FIXED: Final = {_YES: 1, _NO: 1, 3: 1, 7: 8, 13: 16}
_BITS: Final = {4: 64, 5: 64, 6: 64}
"""A number that is skipped may be as wide as any."""


class Damaged(Exception):
    """The bytes are no structure."""


class Reader:
    """Reads from the beginning of ``data``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def structure(self, struct: type[WireStruct]) -> Any:
        """The structure that comes next."""
        spec = SPECS[struct]
        fields = {field.number: field for field in spec.fields}
        found: dict[str, Any] = {}
        number = 0
        while head := self._take(1)[0]:
            number, code = self._header(head, number)
            field = fields.get(number)
            if field is not None and field.type.kind == "bool" and code in (_YES, _NO):
                found[field.name] = code == _YES
            elif field is not None and code == _CODES.get(field.type.kind):
                found[field.name] = self._value(field.type)
            elif (spec.name, field and field.name, code) == ("TimAuth", "token", 6):
                found["token"] = str(self._signed(64))
            elif code not in (_YES, _NO):
                self._skip(code, 1)
        if any(field.demanded and field.name not in found for field in spec.fields):
            raise Damaged
        return STRUCTS[spec.name](**found)

    def _take(self, size: int) -> bytes:
        """So many bytes, which have to be there."""
        piece = self._data[self._place : self._place + size]
        if len(piece) < size:
            raise Damaged
        self._place += size
        return piece

    def _header(self, head: int, number: int) -> tuple[int, int]:
        """The number of a field and the code of its type."""
        step, code = head >> 4, head & 15
        if not code:
            raise Damaged
        return number + step if step else self._signed(16), code

    def _unsigned(self, bits: int) -> int:
        """A number of at most ten bytes that fits into so many bits."""
        total = 0
        for place in range(10):
            byte = self._take(1)[0]
            total |= (byte & 127) << 7 * place
            if byte < 128:
                if total >> bits:
                    raise Damaged
                return total
        raise Damaged

    def _signed(self, bits: int) -> int:
        """The same, where the lowest bit tells the sign."""
        raw = self._unsigned(bits)
        return raw >> 1 ^ -(raw & 1)

    def _value(self, kind: FieldType) -> Any:
        """A value of a type that the protocol has."""
        if kind.kind == "i8":
            return int.from_bytes(self._take(1), signed=True)
        if kind.kind in INTEGER_BITS:
            return self._signed(INTEGER_BITS[kind.kind])
        if kind.kind == "struct":
            return self.structure(STRUCTS[kind.struct])
        if kind.kind == "list":
            count, code = self._list_head()
            if count and code != _CODES[kind.item.kind]:
                raise Damaged
            return [self._value(kind.item) for _ in range(count)]
        if kind.kind == "map":
            count, codes = self._map_head()
            if count and codes != (8, _CODES[kind.item.kind]):
                raise Damaged
            return {self._text(): self._value(kind.item) for _ in range(count)}
        return self._text() if kind.kind == "string" else self._take(self._unsigned(31))

    def _text(self) -> str:
        """A text; bytes that are none are kept."""
        return self._take(self._unsigned(31)).decode("utf-8", "surrogateescape")

    def _list_head(self) -> tuple[int, int]:
        """How many elements there are, and of which type."""
        head = self._take(1)[0]
        count = head >> 4
        return self._unsigned(31) if count == 15 else count, head & 15

    def _map_head(self) -> tuple[int, tuple[int, int]]:
        """How many entries there are, and of which types."""
        count = self._unsigned(31)
        codes = self._take(1)[0] if count else 0
        return count, (codes >> 4, codes & 15)

    def _skip(self, code: int, depth: int) -> None:
        """A value that nobody wants."""
        if code in _FIXED:
            self._take(_FIXED[code])
        elif code in _BITS:
            self._unsigned(64)
        elif code == 8:
            self._take(self._unsigned(31))
        elif code not in (_LIST, _SET, _MAP, _STRUCT) or depth > SKIPPED_NESTING:
            raise Damaged
        elif code == _STRUCT:
            self._skip_structure(depth)
        elif code == _MAP:
            count, kinds = self._map_head()
            for _ in range(count):
                self._skip(kinds[0], depth + 1)
                self._skip(kinds[1], depth + 1)
        else:
            count, kind = self._list_head()
            for _ in range(count):
                self._skip(kind, depth + 1)

    def _skip_structure(self, depth: int) -> None:
        """The fields of a structure that nobody wants."""
        number = 0
        while head := self._take(1)[0]:
            number, code = self._header(head, number)
            if code not in (_YES, _NO):
                self._skip(code, depth + 1)
