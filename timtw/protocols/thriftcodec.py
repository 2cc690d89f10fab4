"""The wire structures in Thrift's compact protocol, one bare structure a payload.

docs/reference/protocol.md, section 7.1.  The functions that do the work are
generated from the IDL when this module is imported, see ``thriftsource``.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from timtw.protocols import compact
from timtw.protocols.errors import DecodeError
from timtw.protocols.structs import SPECS, WireStruct
from timtw.protocols.thriftsource import known_keys, source

T = TypeVar("T", bound=WireStruct)

_SEQ: Final = 64
"""Number of the field ``TimMessage.seq``."""

_Decoder = Callable[[bytes, int, int], tuple[Any, int]]
_Encoder = Callable[[Any, bytearray], None]


def write_long_header(out: bytearray, number: int, kind: int) -> None:
    """Append a field's header that says its number outright."""
    out.append(kind)
    compact.write_varint(out, number << 1)


def _damaged(struct: type[WireStruct], key: int, reason: str) -> DecodeError:
    """Make the error for the field whose key was the last one read."""
    spec = SPECS[struct]
    names = (field.name for field in spec.fields if field.number == key >> 4)
    return DecodeError(spec.name, next(names, ""), reason)


def _compile() -> tuple[dict[type, _Decoder], dict[type, _Encoder]]:
    """Generate and compile the decoder and the encoder of every structure."""
    namespace: dict[str, Any] = {
        "DecodeError": DecodeError,
        "damaged": _damaged,
        "encode_text": compact.encode_text,
        "next_known": compact.next_known,
        "read_varint": compact.read_varint,
        "write_long_header": write_long_header,
        "write_varint": compact.write_varint,
    }
    decoders: dict[type, _Decoder] = {}
    encoders: dict[type, _Encoder] = {}
    for struct, spec in SPECS.items():
        namespace[spec.name] = struct
        namespace[f"known_{spec.name}"] = known_keys(spec)
        code = compile(source(spec), f"<thrift codec of {spec.name}>", "exec")
        # Our own text, made of nothing but our own IDL.
        exec(code, namespace)  # noqa: S102
        decoders[struct] = namespace[f"decode_{spec.name}"]
        encoders[struct] = namespace[f"encode_{spec.name}"]
    return decoders, encoders


_DECODERS, _ENCODERS = _compile()


def decode(struct: type[T], data: bytes, offset: int = 0) -> T:
    """Read one structure from ``data``, beginning at ``offset``.

    What follows the structure is padding.  Bytes of a text that are no UTF-8
    become lone surrogates (as ``surrogateescape`` does) and are written back as
    they were.  Raises DecodeError, and nothing else, for bytes of any kind.
    """
    value: T = _DECODERS[struct](data, offset, len(data))[0]
    return value


def encode(value: WireStruct) -> bytes:
    """Write a structure; required fields always, others where they are set.

    Raises ValueError for what the protocol cannot say: a number out of its
    field's range, a required field that is not set, a value of a wrong type.
    """
    out = bytearray()
    try:
        _ENCODERS[type(value)](value, out)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{type(value).__name__}: {error}") from error
    return bytes(out)


def with_seq(encoded: bytes, seq: int) -> bytes:
    """Add the field ``seq`` to an encoded TimMessage that has none."""
    out = bytearray(encoded)
    out.pop()
    write_long_header(out, _SEQ, compact.I64)
    compact.write_varint(out, (seq << 1) ^ (seq >> 63))
    out.append(compact.STOP)
    return bytes(out)
