"""The interface description of the client protocol, as values.

thriftpy2 only parses ``tim.thrift``; nobody else asks thriftpy2 about it.  What
comes out describes every structure by its fields, from which ``structs``,
``thriftcodec`` and ``jsoncodec`` are built.
"""

from pathlib import Path
from typing import Any, Final

import attrs
from thriftpy2.parser import parse
from thriftpy2.thrift import TType

IDL_PATH: Final = Path(__file__).with_name("tim.thrift")

INTEGER_BITS: Final = {"i8": 8, "i16": 16, "i32": 32, "i64": 64}
"""The integer kinds and their width in bits; all are signed."""

MAY_BE_MISSING: Final = frozenset({("TimStream", "id"), ("TimStream", "fromNode")})
"""Required fields that real clients leave out; a reader does without them.

docs/reference/protocol.md, section 4.5: the server sets both anyway.
"""

_SCALARS: Final = {
    TType.BOOL: "bool",
    TType.I08: "i8",
    TType.I16: "i16",
    TType.I32: "i32",
    TType.I64: "i64",
    TType.STRING: "string",
    TType.BINARY: "binary",
}


@attrs.frozen
class FieldType:
    """The type of a value: a scalar, or a container of other types.

    ``kind`` is bool, i8, i16, i32, i64, string, binary, list, map or struct.
    ``element`` belongs to lists and to the values of maps (keys are strings),
    ``struct`` is the name of the structure.
    """

    kind: str
    element: "FieldType | None" = None
    struct: str = ""

    @property
    def item(self) -> "FieldType":
        """The type of the elements; an error for a type without elements."""
        if self.element is None:
            raise TypeError(f"{self.kind} has no elements")
        return self.element


@attrs.frozen
class Field:
    """One field of a structure.

    ``required`` fields are always written; ``demanded`` ones are those that a
    reader insists on.
    """

    number: int
    name: str
    type: FieldType
    required: bool
    demanded: bool


@attrs.frozen
class Struct:
    """One structure, its fields in ascending order of their numbers."""

    name: str
    fields: tuple[Field, ...]


def load() -> tuple[Struct, ...]:
    """Read the IDL; a structure comes after those that it is made of."""
    module = parse(str(IDL_PATH), module_name="timtw_tim_thrift")
    return tuple(_struct(entry) for entry in module.__thrift_meta__["structs"])


def _struct(parsed: Any) -> Struct:
    """Turn a structure as thriftpy2 sees it into ours."""
    name = parsed.__name__
    fields = []
    for number, spec in sorted(parsed.thrift_spec.items()):
        ttype, field_name, *rest, required = spec
        field_type = _type((ttype, rest[0]) if rest else ttype)
        demanded = required and (name, field_name) not in MAY_BE_MISSING
        fields.append(Field(number, field_name, field_type, required, demanded))
    return Struct(name, tuple(fields))


def _type(spec: Any) -> FieldType:
    """Turn a type as thriftpy2 sees it into ours."""
    ttype, detail = spec if isinstance(spec, tuple) else (spec, None)
    if ttype in _SCALARS:
        return FieldType(_SCALARS[ttype])
    if ttype == TType.STRUCT:
        return FieldType("struct", struct=detail.__name__)
    if ttype == TType.LIST:
        return FieldType("list", _type(detail))
    if ttype == TType.MAP and detail[0] == TType.STRING:
        return FieldType("map", _type(detail[1]))
    raise TypeError(f"the protocol has no codec for {spec!r}")
