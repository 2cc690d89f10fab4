"""What users of the client library hold in their hands: values and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from timtw.model import errors, relations
from timtw.model.errors import Remedy
from timtw.model.roomsteps import RoomNotice

REVOCATION: Final = 2
"""The kind by which an author takes a text back; ``mid`` names the text."""
TEXT: Final = 1
"""The kind of a message that is a text; docs/reference/protocol.md, section 4.3."""
NOTICE: Final = 4
"""The kind of what the node tells about friends; section 5."""
REQUEST: Final = relations.REQUEST
"""A notice: the peer wants to be friends, with ``text``; ``befriend`` accepts."""
FRIENDS: Final = relations.FRIENDS
"""A notice: this account and the peer are friends now."""
REMOVED: Final = relations.REMOVED
"""A notice: the peer has ended a friendship or a request."""
GROUP_REQUEST: Final = int(RoomNotice.REQUEST)
"""A notice: the peer wants to be let into ``group``, with ``text``."""
JOINED: Final = int(RoomNotice.JOINED)
"""A notice: this account is in ``group``, as it has asked."""
REJECTED: Final = int(RoomNotice.REJECTED)
"""A notice: the peer does not let this account into ``group``; ``text`` may say why."""
PULLED_IN: Final = int(RoomNotice.PULLED_IN)
"""A notice: the peer has made this account a member of ``group``."""
EXCLUDED: Final = int(RoomNotice.REMOVED)
"""A notice: the peer has removed this account, or its request, from ``group``."""
_REMEDIES: Final = {each.code: each.remedy for each in errors.TimError.__subclasses__()}


@attrs.frozen
class Login:
    """Who logs in, on which device, and with what.

    One of ``password``, ``token`` and ``credential`` is needed; a password also helps
    when the others have ended.

    Attributes:
        name: The login name; not needed with a token or a credential.
        password: As it was registered.
        domain: Empty for none.
        token: Good for one login.
        credential: What ``Client.credential`` told earlier, for the same device.
        resource: Together with ``termtyp`` this is the device; each device gets
            everything, so use the same two whenever it is the same one.
        termtyp: The kind of device, -128 to 127.
    """

    name: str = ""
    password: str = attrs.field(default="", repr=False)
    domain: str = ""
    token: str = attrs.field(default="", repr=False)
    credential: str = attrs.field(default="", repr=False)
    resource: str = "timtw"
    termtyp: int = 4


@attrs.frozen
class Message:
    """A message as it came from the node.

    Attributes:
        peer: The node of the other side of the conversation.
        own: Whether our account has written it, on another device or earlier.
        text: Empty if the message has none.
        mid: Its number in the conversation: 1, 2, 3 ...; 0 if it has none.
        timestamp: When the node took it, nanoseconds since 1970.
        ident: The id that the sending device chose, 0 if it is not told.
        seq: Its number in our account's log, 0 for what history answers.
        kind: The odType; 1 is a text.
        data: Its binary content.
        notice: What a notice tells: ``REQUEST``, ``FRIENDS`` or ``REMOVED``; of a group
            ``GROUP_REQUEST``, ``JOINED``, ``REJECTED``, ``PULLED_IN`` or ``EXCLUDED``.
        group: The node of the group to which it was written, or within which to one
            account, or that a notice tells of; empty for none.
        to_group: Whether it was written to everybody in the group; ``peer`` is its
            author then, ``mid`` and ``seq`` count in the group.
    """

    peer: str
    own: bool
    text: str
    mid: int
    timestamp: int
    ident: int = 0
    seq: int = 0
    kind: int = TEXT
    data: bytes = b""
    notice: int = 0
    group: str = ""
    to_group: bool = False

    @property
    def room(self) -> str:
        """The node of the group to whose members it was written; empty for none."""
        return self.group if self.to_group else ""


@attrs.frozen
class Stored:
    """A text of ours that the node has on its disk.

    Attributes:
        mid: Its number in the conversation.
        timestamp: When the node took it, nanoseconds since 1970.
        ident: The id under which it was sent.
    """

    mid: int
    timestamp: int
    ident: int


@attrs.frozen
class Profile:
    """What an account tells about itself; what it has not set is empty.

    Attributes:
        node: The account's visible id.
        name: The display name.
        created: When it was registered, nanoseconds since 1970.
        gender: What its numbers mean is the application's affair.
        cover: Its picture, as a text of the application.
        album: Further pictures.
        extend: Texts of the application.
        extra: Bytes of the application.
    """

    node: str
    name: str
    created: int
    nickname: str = ""
    birthday: str = ""
    gender: int = 0
    cover: str = ""
    area: str = ""
    album: tuple[str, ...] = ()
    extend: Mapping[str, str] = attrs.field(factory=dict)
    extra: Mapping[str, bytes] = attrs.field(factory=dict)


@attrs.frozen
class Group:
    """What a group is.

    Attributes:
        node: Its visible id.
        topic: What its founder or managers call it.
        founder: The node of whom it belongs to.
        managers: The nodes of those who decide with the founder.
        private: Whether founder and managers decide who comes in.
        created: When it was made, nanoseconds since 1970.
        label: Free text, as ``cover`` is.
    """

    node: str
    topic: str
    founder: str
    managers: tuple[str, ...]
    private: bool
    created: int
    label: str = ""
    cover: str = ""


@attrs.frozen
class Online:
    """We are logged in, as ``node``, at ``address`` (empty if the session tells it)."""

    node: str
    address: str = ""


@attrs.frozen
class Offline:
    """The line is lost; the next attempt is in ``seconds``."""

    reason: str
    seconds: float


@attrs.frozen
class Delivered:
    """A device of ``peer`` has confirmed everything up to ``mid``."""

    peer: str
    mid: int


@attrs.frozen
class Presence:
    """How an account is, as it says; or that it is gone.

    Attributes:
        peer: Its node.
        gone: Whether its last device has left.
        show: By habit 1 is here, 2 away, 3 away for long, 4 do not disturb.
        status: In its words.
        purpose: By habit 1 asks for ours, 2 answers, 3 says that its profile has
            changed.
        resource: The device, as its login stated it.
        termtyp: The kind of that device.
        extend: Texts of the application.
        extra: Bytes of the application.
    """

    peer: str
    gone: bool = False
    show: int = 0
    status: str = ""
    purpose: int = 0
    resource: str = ""
    termtyp: int = 0
    extend: Mapping[str, str] = attrs.field(factory=dict)
    extra: Mapping[str, bytes] = attrs.field(factory=dict)


@attrs.frozen
class Read:
    """How far a conversation is read.

    Attributes:
        peer: The node of the other side of it, or of the group.
        own: Whether this account has read; else the peer has. In groups nobody is told
            how far others have read.
        mid: Up to which text.
        last: The newest number of the conversation.
        in_group: Whether the conversation is that of a group.
    """

    peer: str
    own: bool
    mid: int
    last: int
    in_group: bool = False


@attrs.frozen
class Expired:
    """Messages had waited so long for this device that the node has deleted them.

    Conversations may have holes; what the node still has of them, ``history`` tells.

    Attributes:
        seq: Nothing up to this number of the account's log will come any more.
        room: The node of the group whose log it is, where it is not the account's own.
    """

    seq: int
    room: str = ""


@attrs.frozen
class Frame:
    """What was pushed into a virtual room.

    Attributes:
        room: The node of the room.
        body: What was pushed.
        sender: The node of who pushed it; empty in a binary subscription.
        dtype: The kind of data; None in a binary subscription, or if none was given.
        ident: Tells the frames of a room apart; 0 in a binary subscription.
        missed: How many were dropped directly before it, because this client, or its
            line, was too slow.
    """

    room: str
    body: bytes = attrs.field(repr=False)
    sender: str = ""
    dtype: int | None = None
    ident: int = 0
    missed: int = 0


@attrs.frozen
class Big:
    """A big text, or octets, of another account: one of the two is empty."""

    peer: str
    text: str = attrs.field(default="", repr=False)
    data: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Missed:
    """So many frames of a virtual room were dropped by the node."""

    room: str
    count: int


@attrs.frozen
class Ended:
    """A virtual room has ended: removed, idle, founder gone or node stopped."""

    room: str
    why: str


@attrs.frozen
class Signal:
    """What the program of another account tells this one; lost if nobody is there.

    Attributes:
        content: As docs/how-to/live-rooms.md has it.
    """

    peer: str
    content: Mapping[str, Any]


class ClientError(Exception):
    """The base of what the client library raises."""


class Refused(ClientError):
    """The node said no; docs/reference/protocol.md, section 8.

    Attributes:
        code: The error code, which programs compare.
        info: The same for people.
        remedy: What can be done about it.
    """

    def __init__(self, code: int, info: str) -> None:
        """See the attributes."""
        super().__init__(f"{info} ({code})")
        self.code = code
        self.info = info
        self.remedy = _REMEDIES.get(code, Remedy.NONE)


class Unreachable(ClientError):
    """None of the addresses led to a node; the text has the last reason of each."""


class Displaced(ClientError):
    """The node ended the session, for another device or by an operator's decision."""


class Unsure(ClientError):
    """The line was lost before the answer; whether it was done is not known."""


class Closed(ClientError):
    """The client was closed or has logged out."""


class Busy(ClientError):
    """Too much waits for an answer already; wait for some of it."""
