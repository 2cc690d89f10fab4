"""One client's wire, without any wire: frames in, commands out; events in, frames out.

Every transport carries the same frames, so WebSocket and the others share this.
docs/reference/protocol.md, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from timtw.model.commands import Command, Ping, Unacceptable
from timtw.model.errors import (
    BadBigData,
    BadParameter,
    NotServed,
    Overloaded,
    PermissionDenied,
    TimError,
)
from timtw.model.events import Deliveries, Delivery, Event, Pieces, Refused
from timtw.model.limits import REQUEST_BYTES
from timtw.model.values import LogEntry
from timtw.protocols import incoming, liverequests
from timtw.protocols.bigdata import BigData, BigDataReader, Reservations
from timtw.protocols.codecs import codec_for
from timtw.protocols.encodings import Encodings
from timtw.protocols.errors import (
    BigDataBusyError,
    BigDataError,
    BigDataSeparatorError,
)
from timtw.protocols.frames import BIG_DATA, FLAG, ClientFrame, FrameType, split_frame
from timtw.protocols.outgoing import Speaker
from timtw.protocols.refusals import Note

_LONG: Final = frozenset(
    {
        FrameType.TIMMESSAGE,
        FrameType.TIMREVOKEMESSAGE,
        FrameType.TIMBURNMESSAGE,
        FrameType.TIMSTREAM,
    }
)
"""Types that carry what somebody has to say, besides big data."""
_PINGS: Final = (bytes([FrameType.TIMPING]), bytes([FrameType.TIMPING | FLAG]))


class ClientWire:
    """The translator of one connection.

    Args:
        encodings: Shared by all connections of the node.
        big_data_bytes: The largest big-data frame that is collected.
        reservations: What is being collected, shared like ``encodings``.
        switched_off: Frame types that are refused unread.
    """

    __slots__ = ("_big_data", "_limit", "_reservations", "_speaker", "_switched_off")

    def __init__(
        self,
        encodings: Encodings,
        big_data_bytes: int,
        reservations: Reservations,
        switched_off: frozenset[int] = frozenset(),
    ) -> None:
        self._switched_off = switched_off
        self._speaker = Speaker(encodings)
        self._limit = big_data_bytes
        self._reservations = reservations
        self._big_data: BigDataReader | None = None

    @property
    def logged_in(self) -> bool:
        """Whether the answer to a successful login has been written."""
        return self._speaker.codec is not None

    @property
    def page_bytes(self) -> int:
        """The sum of ``measure`` that fits into one page of the backlog."""
        return self._speaker.page_bytes

    @property
    def collecting(self) -> bool:
        """Whether the next messages belong to a frame that is not complete.

        The owner of the time calls ``give_up`` when this takes too long.
        """
        return self._big_data is not None and self._big_data.missing > 0

    def receive(self, message: bytes) -> list[Command]:
        """The commands of one message; none if it is to be ignored. Never fails."""
        if self._big_data is not None and self._big_data.missing:
            return self._collect(self._big_data, message)
        if message and message[0] & ~FLAG in BIG_DATA:
            # Before the payload is cut off, which would be a copy of much.
            return self._begin(message[0] & ~FLAG, message)
        frame = split_frame(message)
        if frame is None:
            return []
        if frame.type in self._switched_off:
            return [_switched_off(frame)]
        if len(message) > REQUEST_BYTES and frame.type not in _LONG:
            reason = BadParameter("the request is longer than any has to be")
            return [Unacceptable(reason, about=Note(frame.type))]
        command = incoming.read(frame, self._speaker.additions)
        return [] if command is None else [command]

    def too_long(self, head: bytes) -> list[bytes]:
        """The frames that refuse a frame above the limit, of which this is the head.

        Args:
            head: The first byte, or nothing where it has not come.
        """
        frame = split_frame(head) or ClientFrame(0, False, b"")
        reason = BadParameter("the frame is longer than frames may be")
        about = Note(frame.type, codec=self._speaker.codec or codec_for(frame.is_json))
        return self.encode(Refused(Unacceptable(reason, about=about), reason))

    def give_up(self) -> list[Command]:
        """Drop a frame that is not complete; the commands that say so."""
        if self._big_data is None or not self._big_data.missing:
            return []
        error = self._big_data.abandon()
        return [] if error is None else [_damaged(error)]

    def lost(self) -> None:
        """The line is gone, and with it what was not complete."""
        if self._big_data is not None:
            self._big_data.drop()

    def encode(self, event: Event) -> list[bytes]:
        """The frames that tell ``event`` to this client, in order."""
        return self._speaker.encode(event)

    def delivered(self, event: Delivery) -> bytes:
        """The frame of one entry."""
        return self._speaker.delivered(event)

    def salvo(self, event: Deliveries, pack: Callable[[bytes], bytes]) -> bytes:
        """What ``encode`` gives, each frame packed with ``pack``, as one piece."""
        return self._speaker.salvo(event, pack)

    def packed(self, event: Pieces, pack: Callable[[bytes], bytes]) -> bytes:
        """The same for what is pushed into a virtual room."""
        return self._speaker.packed(event, pack)

    @property
    def takes_answers(self) -> bool:
        """Whether an acknowledgement that comes now is one."""
        return (
            self._speaker.codec is not None
            and not self.collecting
            and FrameType.TIMACK not in self._switched_off
        )

    def measure(self, entry: LogEntry) -> int:
        """How many bytes of a page ``entry`` takes."""
        return self._speaker.measure(entry)

    def _begin(self, type: int, message: bytes) -> list[Command]:
        """Read a big-data frame; nothing is collected before login."""
        if not self.logged_in:
            # It has no place here whatever is in it: the line ends.
            return [Unacceptable(PermissionDenied(), about=Note(type))]
        if self._big_data is None:
            account = self._speaker.account
            self._big_data = BigDataReader(self._limit, self._reservations, account)
        try:
            frame = self._big_data.begin(message)
        except BigDataError as error:
            return [_damaged(error)]
        return [] if frame is None else [self._whole(frame)]

    def _collect(self, reader: BigDataReader, message: bytes) -> list[Command]:
        """Take the next piece of a big-data frame; a ping is none, but at its end."""
        if message in _PINGS and reader.missing > 1:
            return [Ping()]
        try:
            frame = reader.add(message)
        except BigDataError as error:
            return [_damaged(error)]
        return [] if frame is None else [self._whole(frame)]

    def _whole(self, frame: BigData) -> Command:
        """The command of a complete frame."""
        if frame.type in self._switched_off:
            return Unacceptable(NotServed(), about=Note(frame.type, n=frame.node))
        command = liverequests.big_data(frame)
        if isinstance(command, TimError):
            return Unacceptable(command, about=Note(frame.type, n=frame.node))
        return command


def _switched_off(frame: ClientFrame) -> Command:
    """The operator does not want this type; a login is answered all the same."""
    if frame.type == FrameType.TIMAUTH:
        about = Note(frame.type, codec=codec_for(frame.is_json))
        return Unacceptable(NotServed(), at_login=True, about=about)
    return Unacceptable(NotServed(), about=Note(frame.type))


def _damaged(error: BigDataError) -> Command:
    """A big-data frame without a separator, with a wrong length, or too many."""
    reason: TimError = BadBigData()
    if isinstance(error, BigDataSeparatorError):
        reason = BadParameter()
    elif isinstance(error, BigDataBusyError):
        reason = Overloaded()
    return Unacceptable(reason, about=Note(error.type))
