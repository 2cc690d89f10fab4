"""Frames of clients, changed by somebody who knows how they are made."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from timtw.protocols.codecs import codec_for
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import FLAG, FrameType
from timtw.protocols.idl import INTEGER_BITS, FieldType
from timtw.protocols.structs import (
    SPECS,
    STRUCTS,
    TimAuth,
    TimMessage,
    TimNodes,
    TimPresence,
    TimReq,
    TimStream,
    WireStruct,
)

BODIES: Final[Mapping[int, type[WireStruct]]] = {
    FrameType.TIMAUTH: TimAuth,
    FrameType.TIMOFFLINEMSG: TimReq,
    FrameType.TIMBROADPRESENCE: TimPresence,
    FrameType.TIMPULLMESSAGE: TimReq,
    FrameType.TIMVROOM: TimReq,
    FrameType.TIMBUSINESS: TimReq,
    FrameType.TIMNODES: TimNodes,
    FrameType.TIMMESSAGE: TimMessage,
    FrameType.TIMPRESENCE: TimPresence,
    FrameType.TIMREVOKEMESSAGE: TimMessage,
    FrameType.TIMBURNMESSAGE: TimMessage,
    FrameType.TIMSTREAM: TimStream,
}
"""What the frames of a type carry."""
_NUMBERS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 21, 31, 64, 127, 255, 256, 1 << 20)
_TEXTS: Final = ("", "a", "alice", "secret", "\0", "\udcff", "\u4e2d", "1", "x" * 300)
_OFTEN: Final = 20
"""How often a frame is repeated at most."""


class Mutator:
    """Changes what it is given; the same dice make the same changes."""

    def __init__(self, dice: random.Random, nodes: list[str]) -> None:
        """
        Args:
            nodes: Accounts whose nodes may stand in a frame.
        """
        self._dice = dice
        self._nodes = nodes

    def frames(self, frame: bytes) -> list[bytes]:
        """What is sent in the place of a frame; usually one, often the same."""
        way = self._dice.randrange(10)
        if way < 3:
            return [frame]
        if way == 3:
            return [frame] * self._dice.randint(0, _OFTEN)
        if way == 4:
            return [frame, *self.frames(self._bytes(frame))]
        if way == 5 and frame:
            return [bytes([self._type()]) + frame[1:]]
        if way == 6:
            return [self._bytes(frame)]
        return [self._structure(frame)]

    def _type(self) -> int:
        """A type byte, one that means something in most cases."""
        if self._dice.random() < 0.2:
            return self._dice.randrange(256)
        return int(self._dice.choice(list(FrameType))) | self._dice.choice((0, FLAG))

    def _bytes(self, frame: bytes) -> bytes:
        """A frame with other bytes at some place, or without some, or with more."""
        data = bytearray(frame or b"\0")
        for _ in range(self._dice.randint(1, 4)):
            start = self._dice.randrange(len(data) + 1)
            end = min(len(data), start + self._dice.choice((0, 1, 1, 1, 4)))
            size = self._dice.choice((0, 1, 1, 4))
            data[start:end] = self._dice.randbytes(size)
        return bytes(data)

    def _structure(self, frame: bytes) -> bytes:
        """A frame whose body is right, and says something else."""
        kind = frame[0] & ~FLAG if frame else self._type() & ~FLAG
        struct = BODIES.get(kind, TimReq)
        value: Any
        try:
            value = codec_for(frame[:1] >= b"\x80").decode(struct, frame, 1)
        except DecodeError:
            value = self._value(FieldType("struct", struct=struct.__name__))
        for _ in range(self._dice.randint(1, 3)):
            field = self._dice.choice(SPECS[struct].fields)
            new = self._value(field.type) if self._dice.random() < 0.8 else None
            if new is not None or not field.required:
                setattr(value, field.name, new)
        is_json = self._dice.random() < 0.5
        try:
            payload = codec_for(is_json).encode(value)
        except ValueError:
            return self._bytes(frame)
        return bytes([kind | FLAG * is_json]) + payload

    def _value(self, kind: FieldType) -> Any:
        """A value of a type."""
        dice = self._dice
        if kind.kind in INTEGER_BITS:
            top = 1 << INTEGER_BITS[kind.kind] - 1
            number = dice.choice((*_NUMBERS, top - 1, -top, -1))
            return min(top - 1, number)
        if kind.kind == "list":
            return [self._value(kind.item) for _ in range(dice.choice((0, 1, 2, 120)))]
        if kind.kind == "map":
            return {
                self._text(): self._value(kind.item)
                for _ in range(dice.choice((0, 1, 3)))
            }
        if kind.kind == "struct":
            fields = SPECS[STRUCTS[kind.struct]].fields
            wanted = [one for one in fields if one.required or dice.random() < 0.3]
            found = {one.name: self._value(one.type) for one in wanted}
            return STRUCTS[kind.struct](**found)
        if kind.kind == "bool":
            return dice.random() < 0.5
        text = self._text()
        return (
            text if kind.kind == "string" else text.encode("utf-8", "surrogateescape")
        )

    def _text(self) -> str:
        """A text, or a node."""
        return self._dice.choice((*_TEXTS, *self._nodes, *self._nodes))
