"""The frames of the client protocol, and what WebSocket and TCP put around them.

docs/reference/protocol.md, sections 2 and 3.1.  Pure functions: bytes in, bytes
or values out.  What 0x80 means depends on the direction: from clients "the
payload is JSON", to clients "acknowledge this with the four bytes that follow".
"""

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

FLAG: Final = 0x80
"""The bit of the type byte that is not part of the type."""

ACK_BYTES: Final = 4
"""Length of an acknowledgement id; it is opaque to clients."""

_TYPES: Final = tuple(bytes((value,)) for value in range(256))
"""Each byte by itself: adding bytes is several times as fast as formatting them."""
_SHORT: Final = b"\x82"  # Binary, unfragmented.
_MIDDLE: Final = b"\x82\x7e"
_LONG: Final = b"\x82\x7f"


class FrameType(IntEnum):
    """What the low seven bits of a frame's first byte say."""

    TIMACK = 12
    TIMPING = 13
    TIMREGISTER = 14
    TIMTOKEN = 15
    TIMAUTH = 16
    TIMOFFLINEMSG = 17
    TIMOFFLINEMSGEND = 18
    TIMBROADPRESENCE = 19
    TIMLOGOUT = 20
    TIMPULLMESSAGE = 21
    TIMVROOM = 22
    TIMBUSINESS = 41
    TIMNODES = 42
    TIMMESSAGE = 90
    TIMPRESENCE = 91
    TIMREVOKEMESSAGE = 92
    TIMBURNMESSAGE = 93
    TIMSTREAM = 94
    TIMBIGSTRING = 95
    TIMBIGBINARY = 96
    TIMBIGBINARYSTREAM = 97


BIG_DATA: Final = frozenset(
    {
        FrameType.TIMBIGSTRING,
        FrameType.TIMBIGBINARY,
        FrameType.TIMBIGBINARYSTREAM,
    }
)
"""The types whose frames ``bigdata`` reads, whole, with their type byte."""


MASKED_ANSWER: Final = 11
"""Length of an acknowledgement in a WebSocket message of a client."""
ANSWER_HEAD: Final = b"\x82\x85"
"""How such a message begins: binary, masked, five bytes."""
_ANSWER: Final = (0x82, 0x85)
TCP_ANSWER: Final = 9
"""Length of an acknowledgement as it travels over TCP."""
_TCP_ANSWERS: Final = Struct(">IBI").iter_unpack
_MASKED_ANSWERS: Final = Struct(">HIBI").iter_unpack


class ClientFrame(NamedTuple):
    """A frame from a client: its type (any of 0 to 127) and its payload.

    ``is_json`` is what the bit says; acknowledgements and big data ignore it.
    """

    type: int
    is_json: bool
    payload: bytes


def split_frame(frame: bytes) -> ClientFrame | None:
    """Take a client's frame apart; None for an empty one, which is ignored."""
    if not frame:
        return None
    head = frame[0]
    return ClientFrame(head & 0x7F, head >= FLAG, frame[1:])


def ack_id(payload: bytes) -> int | None:
    """Return the id that a client's TIMACK acknowledges.

    None for a payload of fewer than four bytes, which is to be ignored.
    """
    if len(payload) < ACK_BYTES:
        return None
    return int.from_bytes(payload[:ACK_BYTES], "big")


def masked_answers(data: bytes) -> list[int]:
    """
    The ids of the acknowledgements with which ``data``, as WebSocket has it, begins.

    A busy client confirms many deliveries at once. It is no fault if this finds fewer
    than there are: the others are read as any message is.
    """
    count = len(data) // MASKED_ANSWER
    whole = data[: count * MASKED_ANSWER]
    heads = whole[::MASKED_ANSWER], whole[1::MASKED_ANSWER]
    if heads != (b"\x82" * count, b"\x85" * count):
        # Others follow: take as many as there are in front of them.
        count = next(n for n in range(count) if (heads[0][n], heads[1][n]) != _ANSWER)
        whole = whole[: count * MASKED_ANSWER]
    found = []
    for _head, mask, kind, ident in _MASKED_ANSWERS(whole):
        if (kind ^ mask >> 24) & 0x7F != FrameType.TIMACK:
            break
        found.append(ident ^ (mask << 8 & 0xFFFFFFFF | mask >> 24))
    return found


def tcp_answers(data: bytes) -> list[int]:
    """The same, as they travel over TCP."""
    found = []
    whole = data[: len(data) // TCP_ANSWER * TCP_ANSWER]
    for length, kind, ident in _TCP_ANSWERS(whole):
        if length != TCP_ANSWER - 4 or kind & 0x7F != FrameType.TIMACK:
            break
        found.append(ident)
    return found


def server_frame(type: int, payload: bytes = b"") -> bytes:
    """Build a frame to a client that wants no acknowledgement."""
    return _TYPES[type] + payload


def acked_frame(type: int, ack: int, payload: bytes) -> bytes:
    """Build a frame that the client acknowledges with ``ack`` (0 to 2^32 - 1)."""
    return _TYPES[type | FLAG] + ack.to_bytes(ACK_BYTES, "big") + payload


def websocket_message(frame: bytes) -> bytes:
    """Wrap a frame into one binary WebSocket message of a server.

    Unfragmented and unmasked (RFC 6455, section 5.2): two of the existing clients
    take every fragment for a frame of its own.
    """
    size = len(frame)
    if size < 126:
        return _SHORT + _TYPES[size] + frame
    if size < 1 << 16:
        return _MIDDLE + size.to_bytes(2, "big") + frame
    return _LONG + size.to_bytes(8, "big") + frame


def tcp_message(frame: bytes) -> bytes:
    """Put a frame's length in front of it, as it travels over TCP."""
    return len(frame).to_bytes(4, "big") + frame
