"""Reads the JSON of clients that spell things in their own way.

docs/reference/protocol.md, section 7.3: keys in any letter case, unknown keys,
null for what is absent, whole numbers written as 2.0, a token that is a number,
binary values without padding, as arrays or as objects with numbered keys.
"""

import binascii
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from timtw.protocols.errors import DecodeError
from timtw.protocols.idl import INTEGER_BITS, Field, FieldType
from timtw.protocols.structs import SPECS, STRUCTS, WireStruct

_ESCAPES: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""One escape of a JSON text; the group matches half of a surrogate pair alone."""

_Reader = Callable[[Any], Any]


def decode(struct: type[WireStruct], data: bytes) -> Any:
    """Read one structure; raises DecodeError, and nothing else."""
    spec = SPECS[struct]
    try:
        plain = _plain(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(spec.name, "", "is no JSON") from error
    return _READERS[spec.name](plain)


def _plain(data: bytes) -> Any:
    """Read JSON, with U+FFFD for every escape that is half a character."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return msgspec.json.decode(_ESCAPES.sub(_whole_escape, data))


def _whole_escape(match: re.Match[bytes]) -> bytes:
    """Keep an escape unless it is half a character."""
    return match[0] if match[1] is None else rb"\ufffd"


def _integer(bits: int) -> _Reader:
    """Make the reader of numbers of a width; 2.0 and 2e0 are the number 2."""
    top = 1 << bits - 1

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("is no whole number")
        if not -top <= value < top:
            raise ValueError("is out of range")
        return value

    return read


def _of_type(kind: type) -> _Reader:
    """Make the reader of values that JSON has itself."""

    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError("has a wrong type")
        return value

    return read


def _token(value: Any) -> str:
    """Read a token, which some pages send as a number: its decimal text."""
    if isinstance(value, str):
        return value
    return str(_integer(64)(value))


def _binary(value: Any) -> bytes:
    """Read bytes: base64, an array of numbers, or {"0": ..., "1": ...}."""
    if isinstance(value, str):
        padding = "" if value.endswith("=") else "=" * (-len(value) % 4)
        return binascii.a2b_base64(value + padding, strict_mode=True)
    if isinstance(value, dict):
        value = [value.get(str(index)) for index in range(len(value))]
    if not isinstance(value, list):
        raise ValueError("is no binary value")
    read = _integer(64)
    return bytes([read(entry) for entry in value])


def _list(item: _Reader) -> _Reader:
    """Make the reader of arrays."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("is no array")
        return [item(entry) for entry in value]

    return read


def _map(item: _Reader) -> _Reader:
    """Make the reader of objects used as maps; null entries are absent."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("is no object")
        return {key: item(entry) for key, entry in value.items() if entry is not None}

    return read


def _reader(kind: FieldType) -> _Reader:
    """Make the reader of a type."""
    if kind.kind in INTEGER_BITS:
        return _integer(INTEGER_BITS[kind.kind])
    if kind.kind == "list":
        return _list(_reader(kind.item))
    if kind.kind == "map":
        return _map(_reader(kind.item))
    if kind.kind == "struct":
        return _READERS[kind.struct]
    return {"bool": _of_type(bool), "string": _of_type(str), "binary": _binary}[
        kind.kind
    ]


def _struct(struct: type[WireStruct], fields: tuple[Field, ...]) -> _Reader:
    """Make the reader of objects that are a structure."""
    name = struct.__name__
    readers = {
        field.name: _token
        if (name, field.name) == ("TimAuth", "token")
        else _reader(field.type)
        for field in fields
    }
    demanded = tuple(field.name for field in fields if field.demanded)
    exact_names = {field.name.lower(): field.name for field in fields}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise DecodeError(name, "", "is no object")
        found = {}
        for key, entry in value.items():
            exact = key if key in readers else exact_names.get(key.lower())
            if exact is None or entry is None or (exact != key and exact in found):
                continue
            try:
                found[exact] = readers[exact](entry)
            except ValueError as error:
                raise DecodeError(name, exact, str(error)) from None
        for key in demanded:
            if key not in found:
                raise DecodeError(name, key, "is missing")
        return struct(**found)

    return read


_READERS: dict[str, _Reader] = {}
for _name, _class in STRUCTS.items():
    _READERS[_name] = _struct(_class, SPECS[_class].fields)
