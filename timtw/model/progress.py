"""How far devices have confirmed what they got, and accounts have read."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from timtw.model.value import value
from timtw.model.values import Address, Conversation


@value
class DeliveredMark:
    """A device of ``reader`` has confirmed the conversation up to ``mid``."""

    reader: Address
    author: Address
    mid: int

    @property
    def told(self) -> tuple[int, ...]:
        """The accounts whose sessions are told."""
        return (self.author.number,)


@value
class ReadMark:
    """Somebody has read a conversation up to ``mid``.

    Args:
        other: The other side of the conversation; of a member's it is the room.
        last: The newest number of the conversation.
        quiet: Whether the other side is not told; in a room nobody else ever is.
        of_room: Whether ``other`` is a room.
    """

    reader: Address
    other: Address
    mid: int
    last: int
    quiet: bool = False
    of_room: bool = False

    @property
    def told(self) -> tuple[int, ...]:
        """The accounts whose sessions are told."""
        mine = self.reader.number
        return (mine,) if self.quiet else (mine, self.other.number)


Mark: TypeAlias = DeliveredMark | ReadMark
"""What is told of somebody's state in a conversation; it is in no log."""


class Read(NamedTuple):
    """How far an account has read a conversation.

    Args:
        last: The newest number of the conversation.
    """

    account: int
    conversation: Conversation
    mid: int
    last: int = 0


class Confirmed(NamedTuple):
    """The highest ``mid`` of a conversation that a device has confirmed."""

    conversation: Conversation
    mid: int


@value
class CursorMove:
    """A reader has confirmed a log up to ``cursor``.

    Args:
        key: The reader's key as its ``ReaderState`` gave it.
        confirmed: The delivered marks that follow from it, for messages of others.
        room: The room whose log it is; 0 for the account's own.
    """

    account: int
    key: bytes
    cursor: int
    confirmed: tuple[Confirmed, ...] = ()
    room: int = 0


@value
class RoomState:
    """Where a device stands in the log of a room that its account is a member of.

    Args:
        cursor: Everything up to here is confirmed, or older than the membership.
        head: The newest number of the log.
        low: Everything in the log up to here has expired.
    """

    room: int
    cursor: int
    head: int
    low: int = 0


@value
class ReaderState:
    """Where a device stands in its account's log.

    Args:
        key: What storage calls this reader.
        cursor: Everything up to here is confirmed.
        head: The newest number of the log.
        stuck_seq: The entry that stopped this reader last, 0 for none.
        stuck_count: How often it did.
        low: Everything in the log up to here has expired.
        session: How many sessions the account has had, this one included; while
            nothing can be written, without it.
        rooms: Where it stands in each room of its account.
    """

    key: bytes
    cursor: int
    head: int
    stuck_seq: int = 0
    stuck_count: int = 0
    low: int = 0
    session: int = 0
    rooms: tuple[RoomState, ...] = ()
