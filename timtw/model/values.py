"""What exists: accounts, devices, conversations, messages and entries of logs.

Every value here is frozen and knows nothing of wire formats or of rows. An account
number is a signed 64-bit integer whose visible spelling is made by
``timtw.model.idents``. Times are nanoseconds since 1970 unless a name says otherwise.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, NamedTuple

import attrs

from timtw.model.limits import MAP_ENTRY_BYTES
from timtw.model.roominfo import RoomWish
from timtw.model.value import value


@value
class Address:
    """An account as others see it: who, regardless of the device."""

    number: int
    node: str
    domain: str = ""


@value
class Account:
    """An account as it is stored."""

    address: Address
    created: int

    @property
    def number(self) -> int:
        """The number that stands for this account inside."""
        return self.address.number


@value
class Device:
    """What a login states about the device; equal statements are one reader.

    Args:
        resource: Free text of the client about the device.
        kind: The terminal type, -128 to 127, whose meaning is the application's.
    """

    resource: str | None = None
    kind: int | None = None


ROOM: Final = 1
"""Stands second in the conversation of a room; no account has this number."""


class Conversation(NamedTuple):
    """Two accounts that write to each other; the larger number stands first.

    That of a room has the room's number first and ``ROOM`` second, as 0 belongs to
    the log: whatever counts by two numbers counts ``(account, 0)`` for a log.
    """

    first: int
    second: int

    @classmethod
    def between(cls, one: int, other: int) -> Conversation:
        """The conversation of two accounts, whoever of them is named first."""
        return cls(one, other) if one > other else cls(other, one)

    @classmethod
    def of_room(cls, room: int) -> Conversation:
        """The conversation of everybody in a room."""
        return cls(room, ROOM)

    @property
    def is_of_room(self) -> bool:
        """Whether this is the conversation of a room."""
        return self.second == ROOM

    def peer_of(self, account: int) -> int:
        """The other side of ``account``; of a member's it is the room."""
        return self.second if account == self.first else self.first


@value
class Content:
    """What the author wrote; never interpreted by the server.

    Texts may hold surrogate escapes where a client sent bytes that are not UTF-8.

    Args:
        room: The room within which it is written to one account, or of which a notice
            tells; 0 for none, and for what is written to the room itself.
    """

    text: str | None = None
    binary: bytes | None = None
    udtype: int | None = None
    udshow: int | None = None
    extend: Mapping[str, str] | None = None
    extra: Mapping[str, bytes] | None = None
    room: int = 0
    _weight: int = attrs.field(default=-1, init=False, eq=False, repr=False)

    @property
    def weight(self) -> int:
        """Its characters, bytes and entries: about its size, whatever the encoding."""
        known = self._weight
        return known if known >= 0 else self._weigh()

    def _weigh(self) -> int:
        """Find the weight, and remember it: a text is asked for it again and again."""
        weight = len(self.text or "") + len(self.binary or b"")
        if self.extend or self.extra:
            for more in (self.extend or {}, self.extra or {}):
                weight += sum(len(key) + len(more[key]) for key in more)
                weight += MAP_ENTRY_BYTES * len(more)
        object.__setattr__(self, "_weight", weight)
        return weight


TEXT: Final = 1
"""Kind of what belongs to the conversation and has a ``mid`` of its own there."""
REVOCATION: Final = 2
"""Kind by which an author takes a text back, which is named by its ``mid``."""
BURN: Final = 3
"""Kind by which a receiver removes a text, which is named by its ``mid``."""
NOTICE: Final = 4
"""Kind of what the server tells about a relation or a room; its ``mid`` says what
(``timtw.model.relations``, ``timtw.model.roomsteps``). As a draft it is the step that
changes the relation, or the room that its content names."""
STREAM: Final = 5
"""Kind of what goes to the devices that are there now, and is stored nowhere."""
CUSTOM: Final = range(31, 128)
"""Kinds of the application, which mean nothing here and have no ``mid``."""
REMOVALS: Final = frozenset({REVOCATION, BURN})
"""Kinds after which the text that they name is gone."""


@value
class Draft:
    """A message that its author wants to be stored.

    Args:
        ident: The id under which it will be known, below 2**53 if it is ours.
        chosen: Whether the client chose ``ident``, which makes the send idempotent.
        device: The device it was written on; told to live receivers, never stored.
        kind: ``TEXT``, ``REVOCATION``, ``BURN``, ``NOTICE`` or one of ``CUSTOM``.
        mid: The text that a removal names, the step or the notice of a relation or
            room; 0 for other kinds.
        both: Whether a notice is for the log of its sender as well.
        to_room: Whether ``recipient`` is a room. What is written to one is an entry of
            the room's log and of no other; its members read it there.
        wish: What a step on a room carries besides its text. Its recipient is the
            account that it is about, which may be the sender.
    """

    sender: Address
    recipient: Address
    ident: int
    chosen: bool
    timestamp: int
    content: Content
    device: Device | None = None
    kind: int = TEXT
    mid: int = 0
    both: bool = False
    to_room: bool = False
    wish: RoomWish | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation this belongs to."""
        if self.to_room:
            return Conversation.of_room(self.recipient.number)
        return Conversation.between(self.sender.number, self.recipient.number)


@value
class Message:
    """A message of any kind; all but streams are stored.

    Args:
        mid: The number of a text, which counts 1, 2, 3 ... within its conversation;
            of a removal the number of the text that is gone; of a notice what it
            tells; else 0.
        device: The author's device, only while the message is fresh; ``None`` when
            it was read from storage.
    """

    conversation: Conversation
    mid: int
    ident: int
    sender: Address
    recipient: Address
    timestamp: int
    content: Content
    device: Device | None = attrs.field(default=None, eq=False)
    kind: int = TEXT


@value
class LogEntry:
    """One line of an account's log; ``seq`` counts 1, 2, 3 ... without gaps.

    Args:
        own: Whether it is an echo: a text that the owner of the log wrote. A removal
            is none; every device of both sides has to hear of it.
    """

    seq: int
    message: Message
    own: bool


@value
class LogPage:
    """What a log holds in a range: numbers up to ``up_to`` that are absent are gone."""

    entries: tuple[LogEntry, ...]
    up_to: int


@value
class TokenGrant:
    """
    What a login token stands for, as it was asked for.

    Args:
        version: The account's version then; with another one it is worth nothing.
    """

    account: Account
    name: str
    extend: Mapping[str, str] | None = None
    version: int = 1


class Expiring(enum.Enum):
    """What is not kept for ever."""

    ENTRIES = "entries of logs"
    TEXTS = "texts of conversations"
    DEVICES = "devices"


FIRST_ACCOUNT: Final = -(2**63)
"""Less than every account number: where a listing begins."""


@value
class AccountLine:
    """An account as an operator sees it in a list.

    Args:
        name: The login name; storage keeps it sealed.
        blocked_until: Nanoseconds since 1970; 0 for not blocked, -1 for ever.
    """

    account: Account
    name: str
    blocked_until: int = 0
