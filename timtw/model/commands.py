"""What a client may ask, in the words of the core.

The translators of ``timtw.protocols`` make these out of frames; a session carries them
out in order. ``about``, where a command has it, belongs to the translator: the core
hands it back with the answer and never looks at it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

from timtw.model.errors import TimError
from timtw.model.live import Flow
from timtw.model.presence import Status
from timtw.model.profiles import About
from timtw.model.relations import Circle, Step
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.roomsteps import RoomStep
from timtw.model.value import value
from timtw.model.values import TEXT, Content, Device


class Form(enum.Enum):
    """The request by which a message was sent; it shows in a refusal only."""

    MESSAGE = "message"
    REVOKE = "revoke"
    BURN = "burn"


@value
class Register:
    """Make an account. Over HTTP only."""

    name: str
    password: str
    domain: str = ""


@value
class IssueToken:
    """Give out a token for one login within seconds. Over HTTP only."""

    name: str
    password: str
    domain: str = ""
    extend: Mapping[str, str] | None = None


@value
class LogIn:
    """Log in on this connection.

    Args:
        token: A login token or a resume credential; it wins over the password, which
            is tried when the token is no good.
        additions: Whether the client asked for the additions of timtw.
    """

    name: str
    password: str
    token: str
    domain: str
    device: Device
    additions: bool = False
    about: object = None


@value
class LogOut:
    """End this session and its resume credential."""


@value
class Ping:
    """A sign of life that wants an answer."""


@value
class Acknowledge:
    """The client has received what was sent under this receipt."""

    receipt: int


@value
class FetchBacklog:
    """Send what is waiting, in pages.

    Args:
        resume: Everything up to this number of the log is confirmed, and what follows
            is wanted; ``None`` for the ordinary request.
        room: The room's node, for its log alone; empty for all there is.
    """

    resume: int | None = None
    room: str = ""


@value
class SendMessage:
    """Store a message, unless it is a stream, and deliver it to an account or a room.

    Args:
        peer: The node of the account it is for, as the client spelled it; empty where
            it is for a whole room.
        room: The node of the room it is for, or within which it is for one account;
            empty for none.
        ident: The client's id, which makes the send idempotent, or ``None``.
        kind: ``TEXT``, a removal, a custom kind or ``STREAM``
            (``timtw.model.values``).
        mid: The text that a removal names; 0 for other kinds.
    """

    peer: str
    content: Content
    ident: int | None = None
    form: Form = Form.MESSAGE
    kind: int = TEXT
    mid: int = 0
    room: str = ""


@value
class PullHistory:
    """Read a conversation backwards.

    Args:
        peer: The node of an account, or of a room.
        newest: The newest ``mid`` wanted, inclusive; 0 for the newest there is.
        count: How many are wanted, at least 1.
        until: The newest timestamp wanted, inclusive; used only with ``newest`` 0.
    """

    peer: str
    newest: int
    count: int
    until: int | None = None
    of_room: bool = False


@value
class FindAccount:
    """Look up the account with exactly this login name in the asker's domain."""

    name: str


@value
class ReadProfiles:
    """Tell the profiles of these nodes; unknown ones are left out."""

    nodes: tuple[str, ...]


@value
class ChangeProfile:
    """Set what is set here of the profile of the asking account, and keep the rest."""

    about: About


@value
class ChangeRelation:
    """Befriend or accept, end what there is, or block.

    Args:
        text: What the other side shall read with a request.
    """

    step: Step
    peer: str
    text: str | None = None


@value
class ListRelations:
    """Tell which accounts are this to the asking one."""

    circle: Circle = Circle.FRIENDS


@value
class ShowPresence:
    """Show others how this account is; nothing is answered.

    Args:
        peer: The one account that is named, as the client spelled it.
        peers: The accounts that are listed.
        broad: Whether it is for all friends where nobody is named, and nobody is told
            that an account does not exist.
        ident: The client's id, or ``None``.
    """

    status: Status
    peer: str | None = None
    peers: tuple[str, ...] | None = None
    broad: bool = False
    ident: int | None = None


@value
class CreateRoom:
    """Make a room; the asking account becomes its founder."""

    topic: str
    entry: Entry


@value
class ChangeRoom:
    """Take a step about a room and its members.

    Args:
        step: Neither ``CREATE`` nor ``CHANGE``.
        peer: The account that it is about, where it is another one.
        text: What is to be read with a request, or with its refusal.
    """

    step: RoomStep
    room: str
    peer: str = ""
    text: str | None = None


@value
class ChangeRoomInfo:
    """Change what a room tells about itself, and who its managers are.

    Args:
        managers: All who shall be managers; ``None`` keeps those who are.
    """

    room: str
    info: RoomInfo
    managers: tuple[str, ...] | None = None


@value
class ListRooms:
    """Tell the rooms of the asking account, or those that it blocks."""

    blocked: bool = False


@value
class ListMembers:
    """Tell who is in a room, or whom it bars."""

    room: str
    barred: bool = False


@value
class ReadRooms:
    """Tell what rooms are; unknown and dissolved ones are left out.

    Args:
        or_accounts: Whether the nodes are of accounts if none of them is of a room.
    """

    nodes: tuple[str, ...]
    or_accounts: bool = False


RoomCommand: TypeAlias = (
    CreateRoom | ChangeRoom | ChangeRoomInfo | ListRooms | ListMembers | ReadRooms
)
"""What can be asked about rooms."""


@value
class MarkRead:
    """The account has read its conversation with a peer up to ``mid``.

    Args:
        of_room: Whether the peer is a room.
    """

    peer: str
    mid: int
    of_room: bool = False


@value
class ListReadMarks:
    """Tell how far the account has read its conversations.

    Args:
        after: The peer, an account or a room, at which the last answer ended; ``None``
            for the beginning.
    """

    after: str | None = None


@value
class OpenLive:
    """Make a virtual room; the asking account becomes its founder."""

    flow: Flow = Flow.LIVE


@value
class EndLive:
    """End a virtual room of one's own."""

    room: str


@value
class AllowPush:
    """Let another account push into a virtual room of one's own, or no longer."""

    room: str
    peer: str
    allowed: bool


@value
class Subscribe:
    """Get what is pushed into a virtual room, on this connection.

    Args:
        binary: In which of two forms; subscribing again changes it.
    """

    room: str
    binary: bool


@value
class Unsubscribe:
    """Get nothing more of a virtual room; not having subscribed is fine."""

    room: str


LiveCommand: TypeAlias = OpenLive | EndLive | AllowPush | Subscribe | Unsubscribe
"""What can be asked about virtual rooms."""


@value
class Push:
    """Pass something on to those who have subscribed; answered only if refused.

    Args:
        dtype: The kind of data, never looked at.
    """

    room: str
    body: bytes
    dtype: int | None = None
    about: object = None


@value
class SendParcel:
    """Pass big text or octets on to an account; answered only if refused."""

    peer: str
    octets: bytes
    is_text: bool


@value
class ChangePassword:
    """Set a new password; everything but the asking session ends."""

    old: str
    new: str


@value
class Unacceptable:
    """A request that could not be turned into a command; it is refused in its turn.

    Args:
        at_login: Whether it was a login, which may fail without ending the line.
        about: The translator's note of what was asked, for the answer.
    """

    error: TimError
    at_login: bool = False
    about: object = None


Command: TypeAlias = (
    LogIn
    | LogOut
    | Ping
    | Acknowledge
    | FetchBacklog
    | SendMessage
    | PullHistory
    | FindAccount
    | ReadProfiles
    | ChangeProfile
    | ChangePassword
    | ChangeRelation
    | ListRelations
    | ShowPresence
    | RoomCommand
    | MarkRead
    | ListReadMarks
    | LiveCommand
    | Push
    | SendParcel
    | Unacceptable
)
