"""Reading the big-data frames of clients: types 95, 96 and 97.

docs/reference/protocol.md, section 2.4.  The standard form is

    [type] [length of the whole frame: 4] [node] [separator] [data]

and may be spread over several messages; two of the existing clients leave the
length out, one separates text with a NUL byte.  The reader has no clock: whoever
owns it calls ``abandon`` when a collected frame takes too long.
"""

from typing import Final

import attrs

from timtw.model.limits import (
    COLLECTED_BYTES,
    COLLECTED_BYTES_ACCOUNT,
    SKIPPED_BYTES,
)
from timtw.protocols.errors import (
    BigDataBusyError,
    BigDataError,
    BigDataLengthError,
    BigDataSeparatorError,
)
from timtw.protocols.frames import FrameType

TEXT_SEPARATOR: Final = b"|"
BINARY_SEPARATOR: Final = b"\x83"
_SMALLEST: Final = 6
_LENGTH: Final = slice(1, 5)
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


class Reservations:
    """The bytes of all frames that are being collected on a node, by account.

    They count from the beginning of a frame, as many as it declares: what has begun
    can be brought to its end.
    """

    __slots__ = ("_accounts", "taken")

    def __init__(self) -> None:
        """Nothing is collected."""
        self._accounts: dict[int, int] = {}
        self.taken = 0

    def take(self, account: int, octets: int) -> bool:
        """Set space for a frame aside, if there is as much."""
        mine = self._accounts.get(account, 0) + octets
        if mine > COLLECTED_BYTES_ACCOUNT or self.taken + octets > COLLECTED_BYTES:
            return False
        self._accounts[account] = mine
        self.taken += octets
        return True

    def give_back(self, account: int, octets: int) -> None:
        """A frame is complete, or dropped."""
        self.taken -= octets
        left = self._accounts[account] - octets
        if left:
            self._accounts[account] = left
        else:
            del self._accounts[account]


class BigDataReader:
    """Reads and collects the big-data frames of one connection."""

    __slots__ = (
        "_account",
        "_collected",
        "_limit",
        "_missing",
        "_reservations",
        "_reserved",
        "_skips",
        "_type",
    )

    def __init__(self, limit: int, reservations: Reservations, account: int) -> None:
        """Refuse frames that declare more than ``limit`` bytes, or find no space."""
        self._limit = limit
        self._reservations = reservations
        self._account = account
        self._collected = bytearray()
        self._reserved = 0
        self._missing = 0
        self._skips = False
        self._type = 0

    @property
    def missing(self) -> int:
        """How many bytes of what follows belong to the frame, as it declares.

        The frame is being collected, or was refused and is passed over.
        """
        return self._missing

    def begin(self, message: bytes) -> BigData | None:
        """Read a message that begins with a type byte of 95, 96 or 97.

        Returns the frame, or None if it goes on in the next message.  Raises
        BigDataLengthError, BigDataSeparatorError or BigDataBusyError; the rest of
        a frame that is too large, or finds no space, may have to be passed over.
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
        if not size < length <= max(self._limit, SKIPPED_BYTES):
            raise BigDataLengthError(kind, "declares a wrong length")
        self._type, self._missing = kind, length - size
        self._skips = True
        if length > self._limit:
            raise BigDataLengthError(kind, "longer than frames may be")
        if not self._reservations.take(self._account, length):
            raise BigDataBusyError(kind, "too much is being collected")
        self._skips, self._reserved = False, length
        self._collected += message
        return None

    def add(self, message: bytes) -> BigData | None:
        """Take the next message of the frame.

        With more bytes than declared everything is dropped (BigDataLengthError).
        """
        self._missing -= len(message)
        if self._skips:
            if self._missing <= 0:
                self.drop()
            return None
        if self._missing > 0:
            self._collected += message
            return None
        kind, frame, too_many = self._type, self._collected, self._missing < 0
        self.drop()
        if too_many:
            raise BigDataLengthError(kind, "longer than declared")
        frame += message
        return _split(kind, frame, _LENGTH.stop)

    def abandon(self) -> BigDataError | None:
        """Drop the frame; returns the error to answer it with, if there was none."""
        kind, skips = self._type, self._skips
        self.drop()
        return None if skips else BigDataLengthError(kind, "not complete in time")

    def drop(self) -> None:
        """Forget the frame that was being collected, if one was."""
        if self._reserved:
            self._reservations.give_back(self._account, self._reserved)
        self._reserved = self._missing = 0
        self._skips = False
        self._collected = bytearray()


def _split(kind: int, frame: bytes | bytearray, start: int) -> BigData:
    """Split node and data at the first separator behind ``start``."""
    is_text = kind == FrameType.TIMBIGSTRING
    separators = _TEXT_SEPARATORS if is_text else _BINARY_SEPARATORS
    ends = [frame.find(separator, start) for separator in separators]
    end = min((end for end in ends if end >= 0), default=-1)
    if end < 0:
        raise BigDataSeparatorError(kind, "has no separator")
    node = frame[start:end].decode("utf-8", "surrogateescape")
    return BigData(kind, node, bytes(memoryview(frame)[end + 1 :]))
