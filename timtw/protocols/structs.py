"""The structures of the client protocol as classes, made from the IDL.

Mutable, slotted, equal by value, made with keyword arguments; an optional field
that is not set is None.  They are msgspec structures, so that making one and
writing one as JSON happens in C.  What type checkers see is ``structs.pyi``,
written by ``structstub`` from the same IDL.
"""

from typing import Annotated, Any

import msgspec

from timtw.protocols import idl


class WireStruct(
    msgspec.Struct,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    # They are trees of plain values: nothing for the cycle collector.
    gc=False,
):
    """What all wire structures have in common."""


SPECS: dict[type, idl.Struct] = {}
_BY_NAME: dict[str, Any] = {}
_SCALARS: dict[str, Any] = {"bool": bool, "string": str, "binary": bytes} | {
    kind: Annotated[int, msgspec.Meta(ge=-(1 << bits - 1), le=(1 << bits - 1) - 1)]
    for kind, bits in idl.INTEGER_BITS.items()
}


def _annotation(field_type: idl.FieldType) -> Any:
    """Say the type of a field the way msgspec checks it, ranges included."""
    if field_type.kind == "list":
        return list[_annotation(field_type.item)]
    if field_type.kind == "map":
        return dict[str, _annotation(field_type.item)]
    if field_type.kind == "struct":
        return _BY_NAME[field_type.struct]
    return _SCALARS[field_type.kind]


def _define(spec: idl.Struct) -> Any:
    """Make the class of one structure; those it is made of exist already."""
    fields: list[Any] = []
    for field in spec.fields:
        kind = _annotation(field.type)
        if field.demanded:
            fields.append((field.name, kind))
        else:
            fields.append((field.name, kind | None, None))
    return msgspec.defstruct(
        spec.name, fields, bases=(WireStruct,), module=__name__, kw_only=True
    )


for _spec in idl.load():
    _BY_NAME[_spec.name] = _define(_spec)
    SPECS[_BY_NAME[_spec.name]] = _spec
globals().update(_BY_NAME)
STRUCTS = dict(_BY_NAME)
