"""Who may do what to whom: pure functions of what is known at this moment."""

from __future__ import annotations

from timtw.model.errors import (
    BadParameter,
    NotThere,
    PermissionDenied,
    RoomDissolved,
    TimError,
    UnknownAccount,
)
from timtw.model.profiles import About, Profile
from timtw.model.relations import Bond
from timtw.model.rooms import Belonging, Room
from timtw.model.roomsteps import administrates
from timtw.model.values import REMOVALS, Address


def meets(me: Address, other: Address) -> TimError | None:
    """Why one account may have nothing to do with another, whatever they are."""
    if other.domain != me.domain:
        return UnknownAccount()
    if other.number == me.number:
        return PermissionDenied("this account itself")
    return None


def depends_on_bond(kind: int) -> bool:
    """
    Whether a message of this kind needs more than two accounts.

    Whether a text may be removed is a matter of who wrote it, which storage knows, not
    of friendship.
    """
    return kind not in REMOVALS


def seen(profile: Profile, bond: Bond | None) -> Profile:
    """
    What one account sees of the profile of another.

    Across a block, whoever blocks, it is the display name alone, by which what was
    written before is told apart.

    Args:
        bond: What they are to each other; ``None`` for the account itself.
    """
    if bond is not Bond.BLOCKED:
        return profile
    return Profile(profile.account, About(name=profile.about.name))


def may_write(bond: Bond, to_anyone: bool) -> TimError | None:
    """
    Why one account may not write to another, by what they are to each other.

    Args:
        to_anyone: Whether strangers may. It never waives a block.
    """
    if bond is Bond.BLOCKED:
        return PermissionDenied("one of both accounts blocks the other")
    if bond is Bond.STRANGERS and not to_anyone:
        return PermissionDenied("only friends may write to each other here")
    return None


# In rooms. What may be done about them is decided where they are stored
# (timtw.model.roomsteps).


def is_of(me: Address, room: Room | None) -> bool:
    """Whether a room exists for an account, whose domain it has to share."""
    return room is not None and room.address.domain == me.domain


def may_write_to(room: Room, belonging: Belonging) -> TimError | None:
    """Why an account may not write to a room: only members may, while it is alive."""
    if not room.alive:
        return PermissionDenied("this room is dissolved")
    if not belonging.is_member:
        return PermissionDenied("only members may do this")
    return None


def may_read_history(room: Room, belonging: Belonging) -> TimError | None:
    """Why an account may not read what was written to a room: only members may."""
    return may_write_to(room, belonging)


def may_write_within(
    room: Room, mine: Belonging, theirs: Belonging, bond: Bond
) -> TimError | None:
    """
    Why one member may not write to another one within a room.

    They need not be friends, but neither may block the other.
    """
    if bond is Bond.BLOCKED:
        return PermissionDenied("one of both accounts blocks the other")
    return may_write_to(room, mine) or may_write_to(room, theirs)


def may_list_members(room: Room | None, belonging: Belonging) -> TimError | None:
    """Why an account may not see who is in a room."""
    if room is None:
        return UnknownAccount("there is no such room")
    if not room.alive or not belonging.is_member:
        return BadParameter("only members see who is in a room")
    return None


def may_list_barred(room: Room | None, belonging: Belonging) -> TimError | None:
    """Why an account may not see whom a room bars."""
    if room is None:
        return NotThere("there is no such room")
    if not room.alive:
        return RoomDissolved()
    if not administrates(belonging):
        return PermissionDenied("only the founder and managers of a room may do this")
    return None
