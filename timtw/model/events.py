"""What a client may be told, in the words of the core.

Answers carry the command they answer, so that a translator can refer to it.
"""

from __future__ import annotations

from typing import TypeAlias

from timtw.model.commands import (
    ChangeProfile,
    ChangeRelation,
    ChangeRoom,
    ChangeRoomInfo,
    Command,
    CreateRoom,
    ListMembers,
    ListRelations,
    ListRooms,
    LiveCommand,
    LogIn,
    SendMessage,
)
from timtw.model.errors import TimError
from timtw.model.live import Ending, Parcel, Piece
from timtw.model.presence import Appearance
from timtw.model.profiles import Profile
from timtw.model.progress import Mark
from timtw.model.rooms import RoomProfile
from timtw.model.value import value
from timtw.model.values import Address, LogEntry, Message


@value
class LoggedIn:
    """The login succeeded.

    Args:
        server: A number that stands for the node, 0 to 2**31 - 1.
        connection: A text that stands for the connection.
        head: The newest number of the account's log.
        credential: A new resume credential, or ``None``.
    """

    command: LogIn
    address: Address
    server: int
    connection: str
    head: int
    credential: str | None = None


@value
class AlreadyLoggedIn:
    """A login on a connection that is logged in: fine, and nothing changes."""

    command: LogIn


@value
class LoggedOut:
    """The session is over and the client shall not come back by itself."""


@value
class Refused:
    """A command was not carried out."""

    command: Command
    error: TimError


@value
class Pong:
    """The answer to a ping."""


@value
class Delivery:
    """An entry of the account's log.

    Args:
        receipt: The number to acknowledge it with; 0 if none is wanted.
        backlog: Whether it came while the device was away.
    """

    entry: LogEntry
    receipt: int
    backlog: bool = False


@value
class Deliveries:
    """Live entries of a room, each with a receipt of its own.

    Args:
        entries: The same object for all who are sent the same.
        receipt: That of the first; those behind it have the next numbers.
    """

    entries: tuple[LogEntry, ...]
    receipt: int


@value
class Repeated:
    """The echo of a message that this client had sent before under the same id."""

    message: Message


@value
class Removed:
    """The text that ``command`` names is gone; both sides hear of it besides."""

    command: SendMessage


@value
class Revoked:
    """A text of this account in a room is gone, because one of its devices said so."""

    room: str
    mid: int


@value
class Accepted:
    """What ``command`` sends is stored, and there will be no echo of it."""

    command: SendMessage


@value
class Streamed:
    """A message that is in no log; nobody asks whether it has arrived."""

    message: Message


@value
class Page:
    """Entries of the backlog, oldest first, at least one, under one receipt."""

    entries: tuple[LogEntry, ...]
    receipt: int


@value
class EndOfBacklog:
    """Nothing is waiting any more; what follows is live."""


@value
class Expired:
    """Nothing is left of a log up to ``seq``, whoever had it or not.

    Args:
        room: The room's node, where the log is not the account's own.
    """

    seq: int
    room: str = ""


@value
class History:
    """A piece of a conversation, newest first, possibly empty."""

    messages: tuple[Message, ...]


@value
class Profiles:
    """Profiles as asked for, possibly none."""

    profiles: tuple[Profile, ...]


@value
class ProfileChanged:
    """The profile is changed as asked."""

    command: ChangeProfile


@value
class PasswordChanged:
    """The password is changed as asked.

    Args:
        credential: A new resume credential; the old one has ended.
    """

    credential: str | None = None


@value
class Related:
    """The relation is changed as asked."""

    command: ChangeRelation


@value
class Relations:
    """The accounts that were asked for, possibly none."""

    command: ListRelations
    nodes: tuple[str, ...]


@value
class RelationsChanged:
    """A device of this account has changed what it and others are to each other."""


@value
class RoomNews:
    """What a room is, who is in it, or what this account is to it may have changed."""

    room: str


@value
class Appeared:
    """Somebody has shown how they are, or is gone.

    Args:
        receiver: The account that is told.
    """

    appearance: Appearance
    receiver: Address


@value
class RoomDone:
    """The step is taken as asked.

    Args:
        room: The node of the room.
    """

    command: CreateRoom | ChangeRoom | ChangeRoomInfo
    room: str


@value
class RoomNodes:
    """The rooms or accounts that were asked for, possibly none."""

    command: ListRooms | ListMembers
    nodes: tuple[str, ...]


@value
class RoomProfiles:
    """What rooms are, as asked for, possibly none."""

    profiles: tuple[RoomProfile, ...]


@value
class Marked:
    """Something has reached a device, or somebody has read it."""

    mark: Mark


@value
class ReadMarksListed:
    """All marks that were asked for are told.

    Args:
        more: The peer behind which the next answer begins; ``None`` for no more.
    """

    more: str | None = None


@value
class LiveDone:
    """What was asked about a virtual room is done.

    Args:
        room: The number of the virtual room.
    """

    command: LiveCommand
    room: int


@value
class Pieces:
    """
    Pieces of a virtual room, in the order in which each publisher pushed them.

    One object for all who get the same, so that their bytes are made once.

    Args:
        binary: Which of the two forms was subscribed to.
    """

    pieces: tuple[Piece, ...]
    binary: bool


@value
class PiecesDropped:
    """So many pieces of a virtual room were dropped, because the line was too slow."""

    room: int
    count: int


@value
class LiveEnded:
    """A virtual room that was subscribed to has ended."""

    room: int
    why: Ending


@value
class ParcelCame:
    """Big text or octets for this account."""

    parcel: Parcel


Event: TypeAlias = (
    LoggedIn
    | AlreadyLoggedIn
    | LoggedOut
    | Refused
    | Pong
    | Delivery
    | Deliveries
    | Repeated
    | Removed
    | Revoked
    | Accepted
    | Streamed
    | Page
    | EndOfBacklog
    | Expired
    | History
    | Profiles
    | ProfileChanged
    | PasswordChanged
    | Related
    | Relations
    | RelationsChanged
    | RoomNews
    | Appeared
    | RoomDone
    | RoomNodes
    | RoomProfiles
    | Marked
    | ReadMarksListed
    | LiveDone
    | Pieces
    | PiecesDropped
    | LiveEnded
    | ParcelCame
)
