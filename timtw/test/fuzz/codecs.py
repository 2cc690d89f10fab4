"""The codecs under fuzzing: a byte that names a structure, and its payload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from timtw.protocols import jsoncodec, thriftcodec
from timtw.protocols.errors import DecodeError
from timtw.protocols.structs import SPECS, WireStruct
from timtw.test.fuzz.meter import Meter, check
from timtw.test.fuzz.reference import Damaged, Reader
from timtw.test.wiredata import VECTORS, oracle_decode, oracle_encode, to_oracle

CLASSES: Final = tuple(sorted(SPECS, key=lambda struct: struct.__name__))
_ORACLE_EVERY: Final = 32
"""thriftpy2 is slow, so it is asked about one structure of so many."""


def _class_of(data: bytes) -> type[WireStruct]:
    """The structure that the first byte names."""
    return CLASSES[data[0] % len(CLASSES)]


def _payloads() -> Iterator[tuple[int, WireStruct, bytes, bytes]]:
    """The vectors: number of the structure, value, in Thrift, in JSON."""
    for value, as_thrift, as_json in VECTORS:
        number = CLASSES.index(type(value))
        yield number, value, bytes.fromhex(as_thrift), as_json.encode()


def thrift_seeds() -> Iterator[bytes]:
    """Structures in Thrift."""
    for number, _, as_thrift, _ in _payloads():
        yield bytes([number]) + as_thrift


def json_seeds() -> Iterator[bytes]:
    """Structures in JSON, as we write them and as clients spell them."""
    for number, _, _, as_json in _payloads():
        yield bytes([number]) + as_json
    auth = next(n for n, one in enumerate(CLASSES) if one.__name__ == "TimAuth")
    message = next(n for n, one in enumerate(CLASSES) if one.__name__ == "TimMessage")
    yield bytes([auth]) + b'{"Name":"a","TOKEN":12,"extend":{"a":"b","c":null},"x":[]}'
    yield bytes([message]) + b'{"msType":2.0,"odType":1e0,"dataBinary":[1,2]}'
    yield bytes([message]) + b'{"msType":2,"odType":1,"dataBinary":{"0":1,"1":255}}'
    yield bytes([message]) + b'{"msType":2,"odType":1,"dataString":"\\ud83d","id":null}'


def _texts(value: Any) -> Iterator[str]:
    """Every text in a structure."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, WireStruct):
        for field in SPECS[type(value)].fields:
            yield from _texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _is_plain(value: WireStruct) -> bool:
    """Whether all texts of a structure can be written as UTF-8."""
    return all(map(_fits, _texts(value)))


def _fits(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    return not any("\ud800" <= one <= "\udfff" for one in text)


def _complete(value: Any) -> bool:
    """Whether a writer has all that it insists on; readers insist on less."""
    if isinstance(value, WireStruct):
        fields = SPECS[type(value)].fields
        values = [(field.required, getattr(value, field.name)) for field in fields]
        return all(
            _complete(one) and not (must and one is None) for must, one in values
        )
    entries = value.values() if isinstance(value, dict) else value
    return all(map(_complete, entries)) if isinstance(value, dict | list) else True


def thrift(data: bytes, meter: Meter) -> None:
    """What is read is what the reference reads, and comes back the same."""
    if not data:
        return
    struct, payload = _class_of(data), data[1:]
    try:
        expected = Reader(payload).structure(struct)
    except Damaged:
        expected = None
    try:
        value = meter.run(len(data), thriftcodec.decode, struct, payload)
    except DecodeError:
        check(expected is None, "refused what is right", expected)
        return
    check(value == expected, "read differently", value, expected)
    check(thriftcodec.decode(struct, b"?" + payload, 1) == value, "an offset matters")
    if not _complete(value):
        return
    encoded = meter.run(len(data), thriftcodec.encode, value)
    check(thriftcodec.decode(struct, encoded) == value, "came back changed", value)
    if sum(data) % _ORACLE_EVERY == 0 and _is_plain(value):
        check(oracle_encode(value) == encoded, "thriftpy2 writes otherwise", value)
        theirs = oracle_decode(struct, encoded)
        check(theirs == to_oracle(value), "thriftpy2 reads otherwise", value)
    _across(value)


def _across(value: WireStruct) -> None:
    """A structure from Thrift can be told to a client on JSON."""
    told = jsoncodec.encode(value)
    heard = jsoncodec.decode(type(value), told)
    check(jsoncodec.encode(heard) == told, "JSON came back changed", value)
    if _is_plain(value):
        check(heard == value, "JSON says something else", value, heard)


def json(data: bytes, meter: Meter) -> None:
    """What is read comes back the same, and as Thrift too."""
    if not data:
        return
    struct, payload = _class_of(data), data[1:]
    try:
        value = meter.run(len(data), jsoncodec.decode, struct, payload)
    except DecodeError:
        return
    check(jsoncodec.decode(struct, b"?" + payload, 1) == value, "an offset matters")
    check(all(map(_fits, _texts(value))), "half a character was kept", value)
    if not _complete(value):
        return
    encoded = meter.run(len(data), jsoncodec.encode, value)
    check(jsoncodec.decode(struct, encoded) == value, "came back changed", value)
    told = thriftcodec.encode(value)
    check(
        thriftcodec.decode(struct, told) == value, "Thrift says something else", value
    )
