"""Reading the big-data frames of clients: types 95, 96 and 97.

docs/reference/protocol.md, section 2.4.  The standard form is

    [type] [length of the whole frame: 4] [node] [separator] [data]

and may be spread over several messages; two of the existing clients leave the
length out, one separates text with a NUL byte.  The reader has no clock: whoever
owns it calls ``abandon`` when a collected frame takes too long.
"""

from typing import Final

import attrs

from timtw.protocols.errors import (
    BigDataError,
    BigDataLengthError,
    BigDataSeparatorError,
)
from timtw.protocols.frames import FrameType

_SMALLEST: Final = 6
_LENGTH: Final = slice(1, 5)
TEXT_SEPARATOR: Final = b"|"
BINARY_SEPARATOR: Final = b"\x83"
_TEXT_SEPARATORS: Final = (TEXT_SEPARATOR, b"\0")
_BINARY_SEPARATORS: Final = (BINARY_SEPARATOR,)


@attrs.frozen
class BigData:
    """A complete frame.

    ``node`` is the receiving account, or the virtual room for type 97, as the
    client spelled it; it may be empty or nonsense.  ``data`` of type 95 is text
    that nobody has looked at.
    """

    type: int
    node: str
    data: bytes = attrs.field(repr=False)


class BigDataReader:
    """Reads and collects the big-data frames of one connection."""

    __slots__ = ("_collected", "_expected", "_limit", "_type")

    def __init__(self, limit: int) -> None:
        """Refuse frames that declare more than ``limit`` bytes."""
        self._limit = limit
        self._collected = bytearray()
        self._expected = 0
        self._type = 0

    @property
    def collecting(self) -> bool:
        """Whether the next message, whatever it is, belongs to a frame."""
        return self._expected > 0

    def begin(self, message: bytes) -> BigData | None:
        """Read a message that begins with a type byte of 95, 96 or 97.

        Returns the frame, or None if it goes on in the next message.  Raises
        BigDataLengthError or BigDataSeparatorError.
        """
        kind, size = message[0] & 0x7F, len(message)
        if size < _SMALLEST:
            raise BigDataLengthError(kind, "too short")
        length = int.from_bytes(message[_LENGTH], "big")
        if length == size:
            return _split(kind, message, _LENGTH.stop)
        if 0x20 <= message[1] <= 0x7E:
            # As a length this would be over 512 MiB: it is the node's beginning.
            return _split(kind, message, _LENGTH.start)
        if not size < length <= self._limit:
            raise BigDataLengthError(kind, "declares a wrong length")
        self._type, self._expected = kind, length
        self._collected += message
        return None

    def add(self, message: bytes) -> BigData | None:
        """Take the next message of the frame that is being collected.

        With more bytes than declared everything is dropped (BigDataLengthError).
        """
        size = len(self._collected) + len(message)
        if size < self._expected:
            self._collected += message
            return None
        kind, expected = self._type, self._expected
        frame = bytes(self._collected) + message
        self._drop()
        if size > expected:
            raise BigDataLengthError(kind, "longer than declared")
        return _split(kind, frame, _LENGTH.stop)

    def abandon(self) -> BigDataError:
        """Drop what was collected; returns the error to answer it with."""
        kind = self._type
        self._drop()
        return BigDataLengthError(kind, "not complete in time")

    def _drop(self) -> None:
        """Forget the frame that was being collected."""
        self._collected = bytearray()
        self._expected = 0


def _split(kind: int, frame: bytes, start: int) -> BigData:
    """Split node and data at the first separator behind ``start``."""
    is_text = kind == FrameType.TIMBIGSTRING
    separators = _TEXT_SEPARATORS if is_text else _BINARY_SEPARATORS
    ends = [frame.find(separator, start) for separator in separators]
    end = min((end for end in ends if end >= 0), default=-1)
    if end < 0:
        raise BigDataSeparatorError(kind, "has no separator")
    node = frame[start:end].decode("utf-8", "surrogateescape")
    return BigData(kind, node, frame[end + 1 :])
