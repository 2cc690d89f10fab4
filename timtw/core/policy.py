"""Who may do what to whom: pure functions of what is known at this moment."""

from __future__ import annotations

from timtw.model.errors import PermissionDenied, TimError, UnknownAccount
from timtw.model.relations import Bond
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
