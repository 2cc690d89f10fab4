"""What is passed on and kept by nobody: virtual rooms, pieces of streams, parcels.

docs/reference/protocol.md, sections 2.4, 4.5 and 6.2.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from timtw.model.value import value
from timtw.model.values import Address


class Flow(enum.IntEnum):
    """What happens where somebody takes less than is pushed into a virtual room."""

    LIVE = 0
    """The oldest pieces that wait for him are dropped, and he is told how many."""
    FILE = 1
    """Whoever pushes is slowed down."""


class Ending(enum.Enum):
    """Why a virtual room has ended."""

    REMOVED = "removed"
    IDLE = "idle"
    FOUNDER_GONE = "founder gone"
    NODE_STOPPED = "node stopped"


@value
class Piece:
    """
    One push into a virtual room, the same object for all who get it.

    Args:
        room: The number of the virtual room.
        dtype: The kind of data, as the publisher says; ``None`` for none.
        ident: Stands for the piece among those of its room; never 0.
    """

    room: int
    sender: Address
    body: bytes
    dtype: int | None
    ident: int


@value
class Parcel:
    """Big text or octets for the devices of one account that are there.

    Args:
        octets: What was sent, not looked at, also where it is text.
    """

    sender: Address
    recipient: Address
    octets: bytes
    is_text: bool


@value
class LiveRoom:
    """What every node knows of a virtual room.

    Args:
        founder: The account number of whom it belongs to.
        home: The node that decides about its end.
        pushers: Accounts beside the founder that may push.
        version: Goes up by one with each change of those.
    """

    room: int
    founder: int
    flow: Flow
    home: str
    pushers: frozenset[int] = frozenset()
    version: int = 1

    def is_newer(self, other: LiveRoom) -> bool:
        """Whether this is a later state than ``other``, the same for all nodes."""
        return (self.version, sorted(self.pushers)) > (
            other.version,
            sorted(other.pushers),
        )


@value
class LiveRoomSet:
    """A fact: there is this virtual room, or who may push into it has changed."""

    room: LiveRoom


@value
class LiveRoomGone:
    """A fact: a virtual room has ended."""

    room: int
    why: Ending


LiveFact: TypeAlias = LiveRoomSet | LiveRoomGone
"""What every node has to know about virtual rooms."""


@value
class LiveSeen:
    """What one node knows of a virtual room.

    Args:
        node: Which one.
        silence: Seconds since somebody has pushed there, or since the node knows it.
    """

    room: LiveRoom
    node: str
    silence: float


Goods: TypeAlias = tuple[Piece, ...] | tuple[Parcel, ...]


@value
class Freight:
    """Pieces of a virtual room, or parcels for an account, on their way to a node.

    Args:
        stream: The number of the virtual room, or of the account.
        upto: All octets of the stream up to the end of this; whoever has taken it
            repays them by this number.
        dropped: So many pieces before it did not find room.
    """

    stream: int
    goods: Goods
    upto: int
    dropped: int = 0


@value
class LiveLine:
    """What an operator sees of a virtual room on one node.

    Args:
        sent: Pieces that were handed to subscribers here.
        dropped: Pieces that were not, because somebody was too slow.
    """

    room: LiveRoom
    subscribers: int
    sent: int
    dropped: int


@value
class LiveReport:
    """What an operator sees of streams on one node, since it was started.

    Args:
        pushed: Pieces that were pushed here.
        queued: Octets that wait for slow connections at the moment.
    """

    pushed: int = 0
    sent: int = 0
    dropped: int = 0
    parcels: int = 0
    queued: int = 0
    rooms: tuple[LiveLine, ...] = ()
