"""What two accounts are to each other, and what each of them can do about it.

A relation has two halves, one for each side: nothing, asked, or blocks. Where both have
asked they are friends. Everything here is a function of such a state, without storage.
"""

from __future__ import annotations

import enum
from typing import Final

from timtw.model.errors import (
    AlreadyFriends,
    BadParameter,
    BlockedByOther,
    PermissionDenied,
    TimError,
)
from timtw.model.value import value


class Half(enum.IntEnum):
    """What one side has said about the other; the numbers are stored."""

    NOTHING = 0
    ASKED = 1
    BLOCKS = 2


class Step(enum.IntEnum):
    """What one side does; the numbers are those of the requests."""

    ASK = 4
    LEAVE = 6
    BLOCK = 7


class Circle(enum.IntEnum):
    """Accounts that are something to an account; the numbers are those of the requests.

    The last two are open requests: of those who have asked it, and its own.
    """

    FRIENDS = 1
    BLOCKED = 18
    ASKING = 65
    ASKED = 66


REQUEST: Final = 4
"""Notice: somebody wants to be friends."""
FRIENDS: Final = 5
"""Notice: both have asked, they are friends now."""
REMOVED: Final = 6
"""Notice: the friendship, or a request, is no more."""


class Bond(enum.Enum):
    """What a relation means for messages; the same from both sides."""

    STRANGERS = "strangers"
    FRIENDS = "friends"
    BLOCKED = "blocked"


@value
class Relation:
    """The two halves, as one side sees them."""

    mine: Half = Half.NOTHING
    theirs: Half = Half.NOTHING

    @property
    def bond(self) -> Bond:
        """What it means for messages."""
        return bond_of(self.mine, self.theirs)


def bond_of(one: int, other: int) -> Bond:
    """What two halves mean, whichever is whose."""
    if Half.BLOCKS in (one, other):
        return Bond.BLOCKED
    if one == other == Half.ASKED:
        return Bond.FRIENDS
    return Bond.STRANGERS


@value
class Verdict:
    """What a step comes to.

    Args:
        after: The relation from then on.
        notice: What the other side is told, 0 for nothing.
        both: Whether the acting side gets the notice as well.
        refusal: Why the step is refused; a notice may go out all the same.
    """

    after: Relation
    notice: int = 0
    both: bool = False
    refusal: TimError | None = None


def decide(
    step: Step, now: Relation, waits: bool = False, room: bool = True
) -> Verdict:
    """
    What ``step`` of the side ``mine`` comes to.

    Nobody is told of a block. Blocking ends what the other side had asked for, so that
    after the block both begin with nothing.

    Args:
        waits: Whether the last notice of this side has reached no device yet.
        room: Whether this side may have one more friend, request or block.
    """
    mine, theirs = now.mine, now.theirs
    if step is Step.LEAVE:
        if mine is theirs is Half.NOTHING:
            return Verdict(now, refusal=BadParameter("there is nothing to end"))
        if theirs is Half.BLOCKS:
            return Verdict(Relation(Half.NOTHING, theirs))
        return Verdict(Relation(), REMOVED)
    if step is Step.ASK and theirs is Half.BLOCKS:
        return Verdict(now, refusal=BlockedByOther())
    if mine is Half.NOTHING and not room:
        return Verdict(now, refusal=PermissionDenied("this account knows too many"))
    if step is Step.BLOCK:
        kept = Half.BLOCKS if theirs is Half.BLOCKS else Half.NOTHING
        return Verdict(Relation(Half.BLOCKS, kept))
    after = Relation(Half.ASKED, theirs)
    again = mine is Half.ASKED
    if theirs is Half.NOTHING:
        return Verdict(after, 0 if again and waits else REQUEST)
    if again:
        return Verdict(after, 0 if waits else FRIENDS, refusal=AlreadyFriends())
    return Verdict(after, FRIENDS, both=True)
