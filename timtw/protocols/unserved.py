"""What the client protocol has and this server does not offer yet: one table.

A request that is found here is answered with 4107, after everything that is wrong
with it in itself (4104, 4113, 4114) has been refused as such. A test spells the
table out, so that it can only shrink.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, TypeAlias

from timtw.protocols.frames import FrameType


class Part(enum.Enum):
    """The part of a request that tells what is wanted."""

    FRAME = "frame type"


Value: TypeAlias = int | str

UNSERVED: Final[Mapping[Part, Mapping[Value, str]]] = {
    Part.FRAME: {
        FrameType.TIMVROOM: "virtual rooms",
        FrameType.TIMSTREAM: "streams",
        FrameType.TIMBIGSTRING: "big texts",
        FrameType.TIMBIGBINARY: "big binaries",
        FrameType.TIMBIGBINARYSTREAM: "big binaries into virtual rooms",
    },
}
