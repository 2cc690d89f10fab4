"""What rooms are, and what an account is to one.

A room is a group of accounts with a number like theirs, a log of its own, and a
conversation of its own (``Conversation.of_room``). What an account and a room are to
each other has two halves, one for each side: nothing, agrees, or blocks. Where both
agree the account is a member; where the account alone agrees it has asked to join.
"""

from __future__ import annotations

import enum
from typing import Final

from timtw.model.roominfo import Entry as Entry
from timtw.model.roominfo import RoomInfo
from timtw.model.value import value
from timtw.model.values import Address


class Side(enum.IntEnum):
    """What one side, account or room, has said about the other; stored."""

    NOTHING = 0
    AGREES = 1
    BLOCKS = 2


class Role(enum.IntEnum):
    """What a member may do; an attribute of the membership, and stored."""

    MEMBER = 0
    MANAGER = 1
    FOUNDER = 2


RANKS: Final = (Role.FOUNDER, Role.MANAGER, Role.MEMBER)
"""The order in which members are listed."""


@value
class Room:
    """A room as it is stored, without what it tells about itself.

    Args:
        alive: Whether it can still be used; one that is dissolved stays so.
    """

    address: Address
    entry: Entry
    founder: int
    created: int
    alive: bool = True

    @property
    def number(self) -> int:
        """The number that stands for this room inside."""
        return self.address.number


@value
class Belonging:
    """What an account is to a room.

    Args:
        account: What the account has said about the room.
        room: What the room has said about the account.
        joined_seq: The newest number of the room's log when it became a member.
        joined_mid: The newest ``mid`` of the room's conversation then.
    """

    account: Side = Side.NOTHING
    room: Side = Side.NOTHING
    role: Role = Role.MEMBER
    joined_seq: int = 0
    joined_mid: int = 0

    @property
    def is_member(self) -> bool:
        """Whether both sides agree."""
        return self.account is self.room is Side.AGREES


@value
class Member:
    """A member of a room, as a list of them says it."""

    account: int
    role: Role


@value
class RoomProfile:
    """A room and what it tells about itself.

    Args:
        managers: The managers, by number; the founder is none of them.
    """

    room: Room
    info: RoomInfo
    managers: tuple[int, ...] = ()
