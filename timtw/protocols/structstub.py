"""Writes ``structs.pyi``, what type checkers know about the wire structures.

``python -m timtw.protocols.structstub`` writes it anew after a change of the
IDL; a test compares the file with what this module would write.
"""

from pathlib import Path
from typing import Final

from timtw.protocols import idl

STUB_PATH: Final = Path(__file__).with_name("structs.pyi")

_HEAD: Final = '''\
"""The wire structures for type checkers; written by structstub, do not edit."""

from timtw.protocols import idl

class WireStruct:
    """What all wire structures have in common."""

SPECS: dict[type[WireStruct], idl.Struct]
STRUCTS: dict[str, type[WireStruct]]
'''
_SCALARS: Final = {"bool": "bool", "string": "str", "binary": "bytes"} | dict.fromkeys(
    idl.INTEGER_BITS, "int"
)


def annotation(field_type: idl.FieldType) -> str:
    """Say the type of a value as Python writes it."""
    if field_type.kind == "list":
        return f"list[{annotation(field_type.item)}]"
    if field_type.kind == "map":
        return f"dict[str, {annotation(field_type.item)}]"
    return field_type.struct or _SCALARS[field_type.kind]


def stub() -> str:
    """Return the whole text of the stub."""
    return _HEAD + "".join(_class(spec) for spec in idl.load())


def _class(spec: idl.Struct) -> str:
    """Return the stub of one class: its attributes and its constructor."""
    attributes, arguments = [], []
    for field in spec.fields:
        kind = annotation(field.type)
        if field.demanded:
            attributes.append(f"    {field.name}: {kind}\n")
            arguments.append(f"        {field.name}: {kind},\n")
        else:
            attributes.append(f"    {field.name}: {kind} | None\n")
            arguments.append(f"        {field.name}: {kind} | None = ...,\n")
    return (
        f"\nclass {spec.name}(WireStruct):\n{''.join(attributes)}"
        f"    def __init__(\n        self,\n        *,\n{''.join(arguments)}"
        "    ) -> None: ...\n"
    )


if __name__ == "__main__":
    STUB_PATH.write_text(stub(), encoding="utf-8")
