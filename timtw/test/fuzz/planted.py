"""Bugs to plant in the readers in memory, to see that fuzzing finds such bugs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs

from timtw.protocols import bigdata, compact, thriftcodec, thriftsource, wsreader


@attrs.frozen
class Bug:
    """A bug.

    Args:
        target: The target that has to find it.
        plant: Puts it in; returns what takes it out again.
        shows: A small input that shows it; it stays in the corpus.
    """

    target: str
    plant: Callable[[], Callable[[], None]]
    shows: bytes


def _replace(owner: Any, name: str, value: Any) -> Callable[[], None]:
    """Put something in the place of what has to be there; how to put that back."""
    there = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, there)


def _generated(change: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    """Generate the decoders of Thrift with a change in what they are made of."""
    undo_change = change()
    try:
        decoders, _ = thriftcodec._compile()
    finally:
        undo_change()
    return _replace(thriftcodec, "_DECODERS", decoders)


def _edited(old: str, new: str) -> Callable[[], None]:
    """The decoders with other words in their text."""
    source = thriftsource.source

    def edited(spec: Any) -> str:
        text = source(spec)
        return text.replace(old, new)

    return _generated(lambda: _replace(thriftcodec, "source", edited))


def _length() -> Callable[[], None]:
    """A text that is longer than what has come ends where that ends."""
    return _edited("end = pos + length", "end = min(pos + length, size - 1)")


def _number() -> Callable[[], None]:
    """A number has as many bytes as anybody likes."""

    def read(data: bytes, pos: int, value: int, limit: int) -> tuple[int, int]:
        value, shift = value & 127, 7
        while data[pos] > 127:
            value |= (data[pos] & 127) << shift
            shift, pos = shift + 7, pos + 1
        value |= data[pos] << shift
        if value >= limit:
            raise ValueError("number out of range")
        return value, pos + 1

    return _generated(lambda: _replace(compact, "read_varint", read))


def _count() -> Callable[[], None]:
    """The elements of a skipped list are counted down though they are not there."""

    def skip(data: bytes, pos: int, kind: int) -> int:
        pending: list[tuple[int, tuple[int, ...]]] = []
        pos = compact._skip_one(data, pos, kind, pending)
        while pending:
            left, kinds = pending.pop()
            if left:
                pending.append((left - 1, kinds))
                if pos < len(data):
                    pos = compact.skip_value(data, pos, kinds[left % len(kinds)])
        return pos

    return _replace(compact, "skip_value", _once_there(skip))


def _once_there(skip: Callable[..., int]) -> Callable[..., int]:
    """The changed function for maps, the right one for all else."""
    right = compact.skip_value

    def either(data: bytes, pos: int, kind: int) -> int:
        if kind != compact.MAP:
            return right(data, pos, kind)
        undo = _replace(compact, "skip_value", right)
        try:
            return skip(data, pos, kind)
        finally:
            undo()

    return either


def _limit() -> Callable[[], None]:
    """A big-data frame may declare any length."""
    start = bigdata.BigDataReader.__init__

    def unlimited(self: Any, limit: int, *others: Any) -> None:
        start(self, 1 << 32, *others)

    return _replace(bigdata.BigDataReader, "__init__", unlimited)


def _kept() -> Callable[[], None]:
    """The space of a big-data frame is not given back at its end."""
    drop = bigdata.BigDataReader.drop

    def careless(self: Any) -> None:
        self._reserved = 0
        drop(self)

    return _replace(bigdata.BigDataReader, "drop", careless)


def _unmasked() -> Callable[[], None]:
    """A small frame without a mask is read as if it had one."""
    take = wsreader.MessageReader._take_small

    def careless(self: Any) -> None:
        data = self.data
        if len(data) > 6 and data[0] == 0x82 and data[1] < 126:
            self.data = data[:1] + bytes([data[1] | 0x80]) + data[2:]
        take(self)

    return _replace(wsreader.MessageReader, "_take_small", careless)


BUGS: Final[Mapping[str, Bug]] = {
    "length": Bug("thrift", _length, b"\x08\x28\x7f\0"),
    "endless-number": Bug("thrift", _number, b"\x08\x15" + b"\x80" * 10 + b"\0\0"),
    "declared-count": Bug("thrift", _count, b"\x08\x0b\x02\x80\xc2\xd7\x2f\x33\0"),
    "big-data-limit": Bug("bigdata", _limit, b"\0\6\x60\0\0\x10\0a"),
    "kept-space": Bug("bigdata", _kept, b"\0\x08\x60\0\0\0\x09abc"),
    "unmasked": Bug("websocket", _unmasked, b"\0\x82\1\0\0\0\0\x8d"),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """With this bug in it, until the end of the block; none for an empty name."""
    undo = BUGS[name].plant() if name else lambda: None
    try:
        yield
    finally:
        undo()
