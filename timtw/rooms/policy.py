"""Who may see what of a room: pure functions of what is known at this moment.

Who may write to it is in ``timtw.core.policy``. What may be done *about* a room is decided where it is stored
(``timtw.model.roomsteps``).
"""

from __future__ import annotations

from timtw.model.errors import (
    BadParameter,
    NotThere,
    PermissionDenied,
    RoomDissolved,
    TimError,
    UnknownAccount,
)
from timtw.model.rooms import Belonging, Room
from timtw.model.roomsteps import administrates


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
