"""The wire structures as JSON objects.

docs/reference/protocol.md, sections 7.2 and 7.3.  msgspec reads and writes what
is spelled as we spell it, in C.  Whatever it refuses gets a second, slower look
by ``jsonlenient``, which knows what real clients do besides.
"""

import re
from typing import Any, Final, TypeVar, cast

import msgspec

from timtw.protocols import jsonlenient
from timtw.protocols.structs import SPECS, WireStruct

T = TypeVar("T", bound=WireStruct)

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final = {struct: msgspec.json.Decoder(struct) for struct in SPECS}
_REQUIRED_OF_US: Final = {
    struct: tuple(
        field.name for field in spec.fields if field.required and not field.demanded
    )
    for struct, spec in SPECS.items()
}
"""The required fields that readers do without, so that reading back misses them."""


def decode(struct: type[T], data: bytes, offset: int = 0) -> T:
    """Read one structure from ``data``, beginning at ``offset``.

    Raises DecodeError, and nothing else, for bytes of any kind.  Lone surrogates
    (a text cut in the middle of a character) become U+FFFD.
    """
    body = memoryview(data)[offset:] if offset else data
    value: Any
    try:
        value = _DECODERS[struct].decode(body)
    except ValueError:
        # msgspec's own errors are ValueErrors, and so are those of UTF-8.
        value = jsonlenient.decode(struct, bytes(body))
    return cast(T, value)


def encode(value: WireStruct) -> bytes:
    """Write a structure; required fields always, others where they are set.

    Binary values become base64; bytes of a text that were no UTF-8, and lone
    surrogates, become U+FFFD each.  Raises ValueError for what the protocol
    cannot say: a number out of its field's range, a required field that is not
    set, a value of a wrong type.
    """
    struct = type(value)
    for name in _REQUIRED_OF_US[struct]:
        if getattr(value, name) is None:
            raise ValueError(f"{struct.__name__}.{name} is required")
    try:
        encoded = _ENCODER.encode(value)
    except UnicodeEncodeError:
        encoded = _ENCODER.encode(_printable(msgspec.to_builtins(value)))
    # msgspec writes whatever it is given.  Reading it back costs half a
    # microsecond and finds every wrong type and range.
    _DECODERS[struct].decode(encoded)
    return encoded


def with_seq(encoded: bytes, seq: int) -> bytes:
    """Add the field ``seq`` to an encoded TimMessage that has none."""
    return b'%b,"seq":%d}' % (encoded[:-1], seq)


def _printable(value: Any) -> Any:
    """Copy plain values with U+FFFD for whatever UTF-8 cannot hold."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_printable(key): _printable(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_printable(entry) for entry in value]
    return value
