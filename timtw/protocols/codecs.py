"""The two forms of the wire structures behind one interface.

A connection chooses by the 0x80 bit of its login frame and never looks again
(docs/reference/protocol.md, section 2).
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import attrs

from timtw.protocols import jsoncodec, thriftcodec
from timtw.protocols.structs import WireStruct

T = TypeVar("T", bound=WireStruct)


class Decode(Protocol):
    """Reads a structure of a class; raises DecodeError and nothing else."""

    def __call__(self, struct: type[T], data: bytes, offset: int = 0) -> T:
        """Read one structure from ``data``, beginning at ``offset``."""
        ...


@attrs.frozen
class Codec:
    """One form of the wire structures.

    ``encode`` writes a structure and raises ValueError for what the protocol
    cannot say.  ``with_seq`` adds the field ``seq`` to an encoded TimMessage
    that has none, so that one encoding serves many receivers.
    """

    name: str
    decode: Decode = attrs.field(repr=False)
    encode: Callable[[WireStruct], bytes] = attrs.field(repr=False)
    with_seq: Callable[[bytes, int], bytes] = attrs.field(repr=False)


THRIFT: Final = Codec(
    "thrift", thriftcodec.decode, thriftcodec.encode, thriftcodec.with_seq
)
JSON: Final = Codec("json", jsoncodec.decode, jsoncodec.encode, jsoncodec.with_seq)


def codec_for(is_json: bool) -> Codec:
    """Return the codec that a client's frame asks for by its 0x80 bit."""
    return JSON if is_json else THRIFT
