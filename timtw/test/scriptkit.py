"""Reads the conversations in ``scripts/``; scripts/README.md explains their form.

A frame of a script is a template: bytes in hexadecimal, quoted texts, JSON, and names
that stand for what a server chooses. Matching a frame binds the names in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import attrs

SCRIPTS: Final = Path(__file__).with_name("scripts")
_LINE: Final = re.compile(r"(\w+) (POST|ANSWER|>>|>|<|leaves|wait|set)(?: (.+))?")
_TOKEN: Final = re.compile(
    r'\s+|(?P<hex>(?:[0-9a-f]{2})+)|"(?P<text>[^"]*)"|(?P<name>[$%]\w+)'
    r"|=(?P<raw>\$\w+)|(?P<length>LENGTH)"
)
_NAME: Final = re.compile(rb"([$%]\w+)")
_NUMBER: Final = re.compile(rb"-?\d+")

LENGTH: Final = bytes(bytearray(4))
"""Stands for the length of the frame itself; known by its identity."""
Values: TypeAlias = dict[str, int | str]


class ScriptError(Exception):
    """A line of a script that cannot be read, or that did not come true."""


@attrs.frozen
class Line:
    """One line: who does what.

    Args:
        number: Its number in the file, from 1.
    """

    number: int
    who: str
    sign: str
    frame: str


@attrs.frozen
class Hole:
    """A place in a frame that a value of the server fills.

    Args:
        name: ``$`` or ``%`` and a word.
        in_json: Whether it is written as in JSON, not as in Thrift.
    """

    name: str
    in_json: bool

    def write(self, value: int | str) -> bytes:
        """The value as it stands in the frame."""
        if self.in_json:
            return str(value).encode()
        if isinstance(value, int):
            return _varint((value << 1) ^ (value >> 63))
        return sized(value)

    def read(self, data: bytes) -> tuple[int | str, int]:
        """The value at the beginning of ``data`` and how many bytes it takes."""
        is_number = self.name[0] == "%"
        if self.in_json and is_number:
            found = _NUMBER.match(data)
            if found is None:
                raise ScriptError(f"no number where {self.name} should be")
            return int(found[0]), found.end()
        if self.in_json:
            end = data.find(b'"')
            if end < 0:
                raise ScriptError(f"no text where {self.name} should be")
            return data[:end].decode(), end
        size, start = _read_varint(data)
        if is_number:
            return (size >> 1) ^ -(size & 1), start
        return data[start : start + size].decode(), start + size


def lines(path: Path) -> Iterator[Line]:
    """The lines of a script, without comments."""
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text.strip())
        if found is None:
            raise ScriptError(f"{path.name}, line {number}: {text}")
        yield Line(number, found[1], found[2], found[3] or "")


def title(path: Path) -> str:
    """The first comment of a script: what it shows."""
    return path.read_text("utf-8").splitlines()[0].lstrip("# ")


def sized(text: str) -> bytes:
    """A text as in Thrift: its length, then its bytes."""
    data = text.encode()
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """A number below 2^64, seven bits a byte."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(data) + bytes([number])


def _read_varint(data: bytes) -> tuple[int, int]:
    """A number and how many bytes it takes."""
    number = 0
    for place, byte in enumerate(data):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, place + 1
    raise ScriptError("the frame ends in a number")


def parts(frame: str) -> Iterator[bytes | Hole]:
    """The pieces of a template."""
    if frame.startswith("close "):
        yield int(frame[6:]).to_bytes(2, "big")
        return
    start = frame.find("{")
    head, body = (frame, "") if start < 0 else (frame[:start], frame[start:])
    place = 0
    while place < len(head):
        found = _TOKEN.match(head, place)
        if found is None:
            raise ScriptError(f"not understood: {head[place:]}")
        place = found.end()
        if found["hex"]:
            yield bytes.fromhex(found["hex"])
        elif found["text"] is not None:
            yield sized(found["text"])
        elif found["name"]:
            yield Hole(found["name"], in_json=False)
        elif found["raw"]:
            yield Hole(found["raw"], in_json=True)
        elif found["length"]:
            yield LENGTH
    for piece in _NAME.split(body.encode()):
        if _NAME.fullmatch(piece):
            yield Hole(piece.decode(), in_json=True)
        elif piece:
            yield piece


def octets(frame: str, values: Values) -> bytes:
    """A client's frame, with the values known so far."""
    written = [
        one.write(values[one.name]) if isinstance(one, Hole) else one
        for one in parts(frame)
    ]
    size = sum(map(len, written)).to_bytes(len(LENGTH), "big")
    return b"".join([size if one is LENGTH else one for one in written])


def match(frame: str, data: bytes, values: Values) -> bool:
    """Whether ``data`` is this frame; names that are new get their values."""
    rest = data
    for one in parts(frame):
        if isinstance(one, bytes):
            expected = one
        elif one.name in values:
            expected = one.write(values[one.name])
        else:
            value, size = one.read(rest)
            if one.name[1:] != "_":
                values[one.name] = value
            rest = rest[size:]
            continue
        if not rest.startswith(expected):
            return False
        rest = rest[len(expected) :]
    return not rest
