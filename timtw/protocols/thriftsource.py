"""Writes the Python source of the Thrift decoders and encoders from the IDL.

One pair of functions per structure, straight through its fields in ascending
order, because that is how everybody sends them; the common case of every number
and length, one byte, is in line.  ``thriftcodec`` compiles the text.

A field is recognised by its key, number << 4 | type.  As the short header is
(difference of numbers) << 4 | type, the next key is the last field's number << 4
plus the header byte.  A header below 16 is a stop byte or a long header; its sum
equals no key that is still to come, so it falls through to the end of the chain.
"""

from collections.abc import Iterator
from typing import Final

from timtw.protocols import compact
from timtw.protocols.idl import INTEGER_BITS, Field, FieldType, Struct

_TYPES: Final = {
    "bool": compact.TRUE,
    "i8": compact.BYTE,
    "i16": compact.I16,
    "i32": compact.I32,
    "i64": compact.I64,
    "string": compact.BINARY,
    "binary": compact.BINARY,
    "list": compact.LIST,
    "map": compact.MAP,
    "struct": compact.STRUCT,
}

TEXT_THAT_WAS_A_NUMBER: Final = frozenset({("TimAuth", "token")})
"""Text fields that old clients write as i64; taken as the decimal text.

docs/reference/protocol.md, section 7.1.
"""


def key(field: Field) -> int:
    """Return a field's key; the key of a boolean that is false is one more."""
    return field.number << 4 | _TYPES[field.type.kind]


def known_keys(spec: Struct) -> frozenset[int]:
    """Return the keys that the decoder of a structure handles."""
    keys = {key(field) for field in spec.fields}
    keys |= {key(field) + 1 for field in spec.fields if field.type.kind == "bool"}
    for field in spec.fields:
        if (spec.name, field.name) in TEXT_THAT_WAS_A_NUMBER:
            keys.add(field.number << 4 | compact.I64)
    return frozenset(keys)


def source(spec: Struct) -> str:
    """Return the source of ``decode_NAME`` and ``encode_NAME``."""
    return "\n".join((*_decoder(spec), *_encoder(spec), ""))


def _indent(lines: Iterator[str], depth: int) -> Iterator[str]:
    """Indent lines by so many levels."""
    return (f"{'    ' * depth}{line}" for line in lines)


def _decoder(spec: Struct) -> Iterator[str]:
    """Write the decoder: ``decode_NAME(data, pos, size)`` -> value, position."""
    demanded = [field.name for field in spec.fields if field.demanded]
    yield f"def decode_{spec.name}(data, pos, size):"
    yield f"    out = {spec.name}({', '.join(f'{name}=None' for name in demanded)})"
    yield "    key = 0"
    yield "    try:"
    yield "        key = data[pos]"
    yield "        pos += 1"
    yield "        while True:"
    for field in spec.fields:
        yield from _indent(_read_field(spec, field), 3)
    yield "            if not data[pos - 1]:"
    yield "                break"
    yield f"            key, pos = next_known(data, pos, key, known_{spec.name})"
    yield "            if not key:"
    yield "                break"
    yield "    except IndexError:"
    yield f"        raise damaged({spec.name}, key, 'ends too early') from None"
    yield "    except ValueError as error:"
    yield f"        raise damaged({spec.name}, key, str(error)) from None"
    for name in demanded:
        yield f"    if out.{name} is None:"
        yield f"        raise DecodeError('{spec.name}', '{name}', 'is missing')"
    yield "    return out, pos"


def _read_field(spec: Struct, field: Field) -> Iterator[str]:
    """Write how a field is read, and the next field's key after it."""
    this = key(field)
    follow = (
        "    head = data[pos]",
        "    pos += 1",
        "    if not head:",
        "        break",
        f"    key = {field.number << 4} + head",
    )
    if field.type.kind == "bool":
        yield f"if key == {this} or key == {this + 1}:"
        yield f"    out.{field.name} = key == {this}"
    else:
        yield f"if key == {this}:"
        yield from _indent(_read(field.type, f"out.{field.name}"), 1)
    yield from follow
    if (spec.name, field.name) in TEXT_THAT_WAS_A_NUMBER:
        # Not "if": behind the text a long header of an i64 would look like this key.
        yield f"elif key == {field.number << 4 | compact.I64}:"
        yield from _indent(_read(FieldType("i64"), "number"), 1)
        yield f"    out.{field.name} = str(number)"
        yield from follow


def _read_size(name: str) -> Iterator[str]:
    """Write how a length or count is read."""
    yield f"{name} = data[pos]"
    yield "pos += 1"
    yield f"if {name} > 127:"
    yield f"    {name}, pos = read_varint(data, pos, {name}, {1 << 31})"


def _read(kind: FieldType, target: str) -> Iterator[str]:
    """Write how a value is read into a variable or attribute."""
    if kind.kind == "i8":
        yield "value = data[pos]"
        yield "pos += 1"
        yield f"{target} = value - 256 if value > 127 else value"
    elif kind.kind in INTEGER_BITS:
        yield "value = data[pos]"
        yield "pos += 1"
        yield "if value > 127:"
        limit = 1 << INTEGER_BITS[kind.kind]
        yield f"    value, pos = read_varint(data, pos, value, {limit})"
        yield f"{target} = (value >> 1) ^ -(value & 1)"
    elif kind.kind in ("string", "binary"):
        yield from _read_size("length")
        # An end behind the data is found by reading what should follow there.
        yield "end = pos + length"
        if kind.kind == "binary":
            yield f"{target} = data[pos:end]"
        else:
            yield "try:"
            yield f"    {target} = data[pos:end].decode()"
            yield "except UnicodeDecodeError:"
            yield f"    {target} = data[pos:end].decode('utf-8', 'surrogateescape')"
        yield "pos = end"
    elif kind.kind == "struct":
        yield f"{target}, pos = decode_{kind.struct}(data, pos, size)"
    elif kind.kind == "list":
        yield from _read_list(kind.item, target)
    elif kind.kind == "map":
        yield from _read_map(kind.item, target)
    else:
        raise TypeError(f"no decoder for {kind}")


def _read_list(item: FieldType, target: str) -> Iterator[str]:
    """Write how a list is read; an element takes at least one byte."""
    yield "items = []"
    yield "head = data[pos]"
    yield "pos += 1"
    yield "count = head >> 4"
    yield "if count == 15:"
    yield from _indent(_read_size("count"), 1)
    yield "if count > size - pos:"
    yield "    raise IndexError"
    yield f"if count and head & 15 != {_TYPES[item.kind]}:"
    yield "    raise ValueError('wrong type of elements')"
    yield "for _ in range(count):"
    yield from _indent(_read(item, "item"), 1)
    yield "    items.append(item)"
    yield f"{target} = items"


def _read_map(item: FieldType, target: str) -> Iterator[str]:
    """Write how a map is read; an entry takes at least two bytes."""
    yield "items = {}"
    yield from _read_size("count")
    yield "if count:"
    yield f"    if data[pos] != {compact.BINARY << 4 | _TYPES[item.kind]}:"
    yield "        raise ValueError('wrong type of elements')"
    yield "    pos += 1"
    yield "if 2 * count > size - pos:"
    yield "    raise IndexError"
    yield "for _ in range(count):"
    yield from _indent(_read(FieldType("string"), "name"), 1)
    yield from _indent(_read(item, "items[name]"), 1)
    yield f"{target} = items"


def _encoder(spec: Struct) -> Iterator[str]:
    """Write the encoder: ``encode_NAME(struct, out)`` appends to a bytearray."""
    yield f"def encode_{spec.name}(struct, out):"
    yield "    add = out.append"
    yield "    last = 0"
    for field in spec.fields:
        yield f"    value = struct.{field.name}"
        if field.required:
            yield "    if value is None:"
            yield f"        raise ValueError('{spec.name}.{field.name} is required')"
            yield from _indent(_write_field(spec, field), 1)
        else:
            yield "    if value is not None:"
            yield from _indent(_write_field(spec, field), 2)
    yield "    add(0)"


def _write_field(spec: Struct, field: Field) -> Iterator[str]:
    """Write how a field's header and value are written."""
    code = str(key(field))
    if field.type.kind == "bool":
        code = f"({code} if value else {key(field) + 1})"
    if field.number > 15:
        # The short header says a difference of 15 at most.
        header = f"write_long_header(out, {field.number}, {code} & 15)"
        yield f"if last < {field.number - 15 << 4}:"
        yield f"    {header}"
        yield "else:"
        yield f"    add({code} - last)"
    else:
        yield f"add({code} - last)"
    yield f"last = {field.number << 4}"
    yield from _write(field.type, f"{spec.name}.{field.name}", "value")


def _write(kind: FieldType, place: str, value: str) -> Iterator[str]:
    """Write how the value in a variable is written; ``place`` is for errors."""
    if kind.kind in INTEGER_BITS:
        yield from _write_integer(INTEGER_BITS[kind.kind], place, value)
    elif kind.kind == "string":
        yield "try:"
        yield f"    raw = {value}.encode()"
        yield "except UnicodeEncodeError:"
        yield f"    raw = encode_text({value})"
        yield from _write_bytes("raw")
    elif kind.kind == "binary":
        yield from _write_bytes(value)
    elif kind.kind == "struct":
        yield f"encode_{kind.struct}({value}, out)"
    elif kind.kind == "list":
        yield from _write_list(kind.item, place)
    elif kind.kind == "map":
        yield from _write_map(kind.item, place)


def _write_integer(bits: int, place: str, value: str) -> Iterator[str]:
    """Write how a signed number is written: one raw byte, or zigzag varint."""
    top = 1 << bits - 1
    if bits == 8:
        yield f"if -128 <= {value} < 128:"
        yield f"    add({value} & 255)"
    else:
        zigzag = f"({value} << 1) ^ ({value} >> 63)"
        yield f"if -64 <= {value} < 64:"
        yield f"    add({zigzag})"
        yield f"elif -{top} <= {value} < {top}:"
        yield f"    write_varint(out, {zigzag})"
    yield "else:"
    yield f"    raise ValueError(f'{place} = {{{value}}} is out of range')"


def _write_bytes(name: str) -> Iterator[str]:
    """Write how bytes are written, behind their length."""
    yield f"length = len({name})"
    yield "if length < 128:"
    yield "    add(length)"
    yield "else:"
    yield "    write_varint(out, length)"
    yield f"out += {name}"


def _write_list(item: FieldType, place: str) -> Iterator[str]:
    """Write how the list in ``value`` is written."""
    kind = _TYPES[item.kind]
    yield "count = len(value)"
    yield "if count < 15:"
    yield f"    add(count << 4 | {kind})"
    yield "else:"
    yield f"    add({0xF0 | kind})"
    yield "    write_varint(out, count)"
    yield "for item in value:"
    yield from _indent(_write(item, place, "item"), 1)


def _write_map(item: FieldType, place: str) -> Iterator[str]:
    """Write how the map in ``value`` is written; an empty one is one byte."""
    yield "write_varint(out, len(value))"
    yield "if value:"
    yield f"    add({compact.BINARY << 4 | _TYPES[item.kind]})"
    yield "for name, item in value.items():"
    yield from _indent(_write(FieldType("string"), place, "name"), 1)
    yield from _indent(_write(item, place, "item"), 1)
