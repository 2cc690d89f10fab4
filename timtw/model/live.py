"""What is passed on and kept by nobody: virtual rooms, pieces of streams, parcels.

docs/reference/protocol.md, sections 2.4, 4.5 and 6.2.
"""

from __future__ import annotations

import enum

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
    """

    room: int
    founder: int
    flow: Flow
    home: str
    pushers: frozenset[int] = frozenset()
