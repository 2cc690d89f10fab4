"""What an account can do about a room and its members, and what comes of it.

Everything here is a function of what the room is and what the accounts are to it,
without storage. What follows from these rules, and no step can change:

* an account is a member where both sides agree, and only a member has a role;
* a room has exactly one founder, who is a member for as long as the room is alive, can
  be removed or barred by nobody, and does not leave or block the room: so there is
  always somebody who can dissolve it. Who wants to go makes another member the founder;
* a room is dissolved when nobody but its founder is in it, whom nothing keeps from
  removing all others.
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

from timtw.model.errors import (
    AlreadyMember,
    BadParameter,
    BlockedByOther,
    NotPending,
    NotThere,
    PermissionDenied,
    RoomDissolved,
    TimError,
)
from timtw.model.rooms import Belonging, Entry, Role, Room, Side
from timtw.model.value import value


class RoomStep(enum.IntEnum):
    """What an account does; the numbers are those of the requests."""

    CREATE = 8
    JOIN = 9
    REJECT = 11
    PULL_IN = 12
    REMOVE = 13
    BLOCK = 14
    BAR = 15
    LEAVE = 16
    DISSOLVE = 17
    CHANGE = 42
    HAND_OVER = 68


class RoomNotice(enum.IntEnum):
    """What an account is told about a room; the numbers are those of the notices."""

    REQUEST = 9
    JOINED = 10
    REJECTED = 11
    PULLED_IN = 12
    REMOVED = 13


OTHERS: Final = frozenset(
    (
        RoomStep.REJECT,
        RoomStep.PULL_IN,
        RoomStep.REMOVE,
        RoomStep.BAR,
        RoomStep.HAND_OVER,
    )
)
"""Steps that are about another account than the one that takes them."""


@value
class Space:
    """Whether there is space for one more.

    Args:
        member: Among the members of the room.
        request: Among those who have asked to be let in.
        bar: Among those whom the room bars.
        account: Among the rooms that the account is in, has asked, or blocks.
    """

    member: bool = True
    request: bool = True
    bar: bool = True
    account: bool = True


@value
class Scene:
    """What a step is decided by.

    Args:
        actor: What the account that takes the step is to the room.
        target: What the account that it is about is to the room; both may be one.
        oneself: Whether they are one.
        blocked: Whether the account that it is about blocks the one that takes it.
        alone: Whether nobody but the founder is in the room.
        wrong: What is wrong with what is to be said about the room; empty for nothing.
    """

    room: Room | None
    actor: Belonging = Belonging()
    target: Belonging = Belonging()
    oneself: bool = True
    blocked: bool = False
    alone: bool = False
    space: Space = Space()
    wrong: str = ""


@value
class RoomVerdict:
    """What a step comes to.

    Args:
        after: What the account that it is about is to the room from then on.
        notice: What is told, 0 for nothing. A request is told to the founder and
            every manager, anything else to the account that the step is about.
        refusal: Why the step is refused.
    """

    after: Belonging
    notice: int = 0
    refusal: TimError | None = None


def decide(step: RoomStep, scene: Scene) -> RoomVerdict:
    """What ``step`` comes to."""
    if step is RoomStep.CREATE:
        return _create(scene)
    if step in OTHERS and scene.oneself:
        return _refused(scene, PermissionDenied("this account itself"))
    room, target = scene.room, scene.target
    if room is None:
        if step is RoomStep.JOIN:
            return _refused(scene, BadParameter("there is no such room"))
        return _refused(scene, NotThere("there is no such room"))
    lifts_block = step is RoomStep.LEAVE and target.account is Side.BLOCKS
    if not room.alive and not lifts_block:
        return _refused(scene, RoomDissolved())
    if step is RoomStep.JOIN:
        return _join(room, scene)
    if step is RoomStep.PULL_IN:
        return _pull_in(room, scene)
    if step in (RoomStep.BLOCK, RoomStep.LEAVE):
        return _go(step, scene)
    if step is RoomStep.DISSOLVE:
        return _dissolve(scene)
    if step is RoomStep.HAND_OVER:
        return _hand_over(scene)
    if not administrates(scene.actor):
        why = "only the founder and managers of a room may do this"
        return _refused(scene, PermissionDenied(why))
    if step is RoomStep.CHANGE:
        wrong = BadParameter(scene.wrong) if scene.wrong else None
        return RoomVerdict(target, refusal=wrong)
    if step is RoomStep.REJECT:
        return _reject(scene)
    return _exclude(step, scene)


def administrates(belonging: Belonging) -> bool:
    """Whether an account may decide about the members of a room."""
    return belonging.is_member and belonging.role is not Role.MEMBER


def _refused(scene: Scene, why: TimError) -> RoomVerdict:
    """Nothing changes."""
    return RoomVerdict(scene.target, refusal=why)


def _create(scene: Scene) -> RoomVerdict:
    """A new room, whose founder is its first member."""
    if scene.wrong:
        return _refused(scene, BadParameter(scene.wrong))
    if not scene.space.account:
        return _refused(scene, PermissionDenied("this account knows too many rooms"))
    return RoomVerdict(Belonging(Side.AGREES, Side.AGREES, Role.FOUNDER))


def _lacks_space(scene: Scene) -> TimError | None:
    """Why nobody more can become a member, or this account not."""
    if not scene.space.member:
        return PermissionDenied("this room is full")
    if scene.target.account is Side.NOTHING and not scene.space.account:
        return PermissionDenied("this account knows too many rooms")
    return None


def _join(room: Room, scene: Scene) -> RoomVerdict:
    """One goes into an open room, and asks at a private one."""
    mine = scene.target
    if mine.is_member:
        return _refused(scene, AlreadyMember())
    if mine.room is Side.BLOCKS:
        return _refused(scene, BlockedByOther("barred from this room"))
    lacks = _lacks_space(scene)
    if lacks is not None:
        return _refused(scene, lacks)
    if room.entry is Entry.OPEN:
        return RoomVerdict(Belonging(Side.AGREES, Side.AGREES), RoomNotice.JOINED)
    if mine.account is Side.AGREES:
        return RoomVerdict(mine)  # It was told, and waits.
    if not scene.space.request:
        return _refused(scene, PermissionDenied("too many ask to be let in"))
    return RoomVerdict(Belonging(Side.AGREES), RoomNotice.REQUEST)


def _pull_in(room: Room, scene: Scene) -> RoomVerdict:
    """A member makes another account a member, in a private room an administrator."""
    actor, target = scene.actor, scene.target
    may_decide = administrates(actor)
    if not actor.is_member or (room.entry is Entry.PRIVATE and not may_decide):
        return _refused(scene, PermissionDenied("not in this room, or no manager"))
    if target.is_member:
        return _refused(scene, AlreadyMember())
    if target.account is Side.BLOCKS:
        return _refused(scene, BlockedByOther("this account blocks the room"))
    asked = target.account is Side.AGREES
    if scene.blocked and not asked:
        return _refused(scene, BlockedByOther())
    if target.room is Side.BLOCKS and not may_decide:
        return _refused(scene, PermissionDenied("this account is barred from the room"))
    lacks = _lacks_space(scene)
    if lacks is not None:
        return _refused(scene, lacks)
    notice = RoomNotice.JOINED if asked else RoomNotice.PULLED_IN
    return RoomVerdict(Belonging(Side.AGREES, Side.AGREES), notice)


def _go(step: RoomStep, scene: Scene) -> RoomVerdict:
    """One blocks a room, or ends what one has with it: a block, too."""
    mine = scene.target
    if mine.role is Role.FOUNDER:
        return _refused(scene, PermissionDenied("a founder stays; dissolve the room"))
    kept = Side.BLOCKS if mine.room is Side.BLOCKS else Side.NOTHING
    if step is RoomStep.LEAVE:
        if mine.account is Side.NOTHING:
            return _refused(scene, NotThere("there is nothing to end"))
        return RoomVerdict(Belonging(Side.NOTHING, kept))
    if mine.account is Side.NOTHING and not scene.space.account:
        return _refused(scene, PermissionDenied("this account knows too many rooms"))
    return RoomVerdict(Belonging(Side.BLOCKS, kept))


def _reject(scene: Scene) -> RoomVerdict:
    """An administrator says no to a request."""
    target = scene.target
    if target == Belonging():
        return _refused(scene, NotThere("this account has not asked"))
    if target.account is not Side.AGREES or target.is_member:
        return _refused(scene, NotPending())
    return RoomVerdict(Belonging(), RoomNotice.REJECTED)


def _exclude(step: RoomStep, scene: Scene) -> RoomVerdict:
    """An administrator removes or bars an account, drops a request or lifts a bar."""
    actor, target = scene.actor, scene.target
    agreed = target.account is Side.AGREES
    if step is RoomStep.REMOVE and not agreed and target.room is Side.NOTHING:
        return _refused(scene, NotThere("this account is not in the room"))
    if target.role is Role.FOUNDER:
        return _refused(scene, PermissionDenied("this is the founder"))
    if target.role is Role.MANAGER and actor.role is not Role.FOUNDER:
        return _refused(scene, PermissionDenied("only the founder removes managers"))
    kept = Side.BLOCKS if target.account is Side.BLOCKS else Side.NOTHING
    if step is RoomStep.REMOVE:
        notice = RoomNotice.REMOVED if agreed else 0
        return RoomVerdict(Belonging(kept), notice)
    if target.room is not Side.BLOCKS and not scene.space.bar:
        return _refused(scene, PermissionDenied("this room bars too many"))
    return RoomVerdict(Belonging(kept, Side.BLOCKS))


def _dissolve(scene: Scene) -> RoomVerdict:
    """The founder ends a room in which nobody else is."""
    if scene.actor.role is not Role.FOUNDER:
        return _refused(scene, PermissionDenied("only the founder dissolves a room"))
    if not scene.alone:
        return _refused(scene, PermissionDenied("there are other members"))
    return RoomVerdict(Belonging())


def _hand_over(scene: Scene) -> RoomVerdict:
    """The founder makes another member the founder, and is an ordinary member then."""
    if scene.actor.role is not Role.FOUNDER:
        return _refused(scene, PermissionDenied("only the founder hands a room over"))
    if not scene.target.is_member:
        return _refused(scene, NotThere("this account is not in the room"))
    return RoomVerdict(attrs.evolve(scene.target, role=Role.FOUNDER))
