"""Frames with lists, none of them too long.

docs/reference/protocol.md, sections 5.1, 6.1, 6.4 and 6.5. A TimMessageList is its
head, the encoded messages and its end, so nothing is encoded again for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import attrs

from timtw.model.limits import (
    HISTORY_BYTES,
    LARGE_FRAME,
    NODE_BYTES,
    NODES_BYTES,
    SMALL_FRAME,
)
from timtw.protocols import compact, structs
from timtw.protocols.codecs import JSON, THRIFT, Codec

T = TypeVar("T")

_LIST_FIELD: Final = 2
"""Number of the field ``TimMessageList.messageList``."""
_SHORT: Final = 15
"""A Thrift list of fewer entries tells their number in its first byte."""
_FRAME_HEAD: Final = 5
_THRIFT_HEAD: Final = 11
"""Longest head and end of a Thrift list: 1 + 5 bytes ``id`` (below 2**32), 1 for
the field, 1 + 2 for the number of entries, 1 for the end."""
_JSON_HEAD: Final = 64
"""More than the keys of a JSON list, its id and its brackets take."""


def _thrift_list(ident: int | None, bodies: Sequence[bytes]) -> bytes:
    """A TimMessageList of encoded messages in Thrift."""
    head = THRIFT.encode(structs.TimMessageList(id=ident))
    start = bytearray(head[:-1])  # Without the end of the structure.
    step = _LIST_FIELD if ident is None else _LIST_FIELD - 1
    start.append(step << 4 | compact.LIST)
    size = len(bodies)
    if size < _SHORT:
        start.append(size << 4 | compact.STRUCT)
    else:
        start.append(_SHORT << 4 | compact.STRUCT)
        compact.write_varint(start, size)
    return b"%b%b%c" % (bytes(start), b"".join(bodies), compact.STOP)


def _json_list(ident: int | None, bodies: Sequence[bytes]) -> bytes:
    """A TimMessageList of encoded messages in JSON."""
    head = b"" if ident is None else b'"id":%d,' % ident
    return b'{%b"messageList":[%b]}' % (head, b",".join(bodies))


@attrs.frozen
class ListForm:
    """How one codec writes lists.

    Args:
        room: Bytes of entries that fit into one frame, as ``size_of`` counts them.
        between: Bytes between two entries.
    """

    room: int
    between: int

    def size_of(self, body: bytes) -> int:
        """What one encoded entry takes of ``room``."""
        return len(body) + self.between


_FORMS: Final = {
    THRIFT.name: ListForm(SMALL_FRAME - _FRAME_HEAD - _THRIFT_HEAD, 0),
    JSON.name: ListForm(LARGE_FRAME - _FRAME_HEAD - _JSON_HEAD, 1),
}


def form_of(codec: Codec) -> ListForm:
    """How ``codec`` writes lists."""
    return _FORMS[codec.name]


def message_list(codec: Codec, ident: int | None, bodies: Sequence[bytes]) -> bytes:
    """A TimMessageList; ``messageList`` is there even when it is empty."""
    write = _thrift_list if codec is THRIFT else _json_list
    return write(ident, bodies)


def portions(codec: Codec, bodies: Sequence[bytes]) -> list[list[bytes]]:
    """Spread a long answer over several lists, at least one, none of them too long.

    Only Thrift has a limit for one list: the clients that speak JSON wait for one
    answer. An entry that is too long by itself is alone in its list. What goes beyond
    ``HISTORY_BYTES`` is left out: the client asks for it with its next request. Two
    entries are never left out, because asking is inclusive: one that the client has
    already would look like the beginning of the conversation.
    """
    form = form_of(codec)
    total = used = 0
    spread: list[list[bytes]] = [[]]
    for count, body in enumerate(bodies):
        size = form.size_of(body)
        total += size
        if count >= 2 and total > HISTORY_BYTES:
            break
        if codec is THRIFT and spread[-1] and used + size > form.room:
            spread.append([])
            used = 0
        spread[-1].append(body)
        used += size
    return spread


_NODES_HEAD: Final = 128 + NODE_BYTES
"""More than what is around the list takes in a TimNodes."""
_NODES_ROOM: Final = {
    THRIFT.name: SMALL_FRAME - _NODES_HEAD,
    JSON.name: NODES_BYTES - _NODES_HEAD,
}


def shares(
    codec: Codec, things: Sequence[T], size_of: Callable[[T], int]
) -> list[list[T]]:
    """
    Spread what a TimNodes lists over several, at least one, none of them too long.

    A thing that is too long by itself is alone in its list.
    """
    room = _NODES_ROOM[codec.name]
    used = 0
    spread: list[list[T]] = [[]]
    for thing in things:
        size = size_of(thing)
        if spread[-1] and used + size > room:
            spread.append([])
            used = 0
        spread[-1].append(thing)
        used += size
    return spread


def node_size(node: str) -> int:
    """At least what a node takes in a list; quotes and a comma in JSON."""
    return len(node) + 3
