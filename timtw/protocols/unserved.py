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
    BUSINESS = "TimReq.rtype of type 41"
    NODES = "TimNodes.ntype of type 42"
    HISTORY = "TimReq.rtype of type 21"
    RECIPIENT = "TimMessage.msType"
    ADDRESS = "TimMessage, a field beside toTid"
    PROFILE = "TimUserBean, a field that is set"


Value: TypeAlias = int | str

UNSERVED: Final[Mapping[Part, Mapping[Value, str]]] = {
    Part.FRAME: {
        FrameType.TIMVROOM: "virtual rooms",
        FrameType.TIMSTREAM: "streams",
        FrameType.TIMBIGSTRING: "big texts",
        FrameType.TIMBIGBINARY: "big binaries",
        FrameType.TIMBIGBINARYSTREAM: "big binaries into virtual rooms",
    },
    Part.BUSINESS: {
        2: "rooms of the account",
        3: "members of a room",
        8: "new room",
        9: "join a room",
        10: "notice of membership",
        11: "reject a join request",
        12: "pull into a room",
        13: "remove from a room",
        14: "block a room",
        15: "bar from a room",
        16: "leave a room",
        17: "dissolve a room",
        19: "blocked rooms",
        20: "accounts barred from a room",
    },
    Part.NODES: {5: "profiles of rooms", 7: "change the profile of a room"},
    Part.HISTORY: {2: "history of a room"},
    Part.RECIPIENT: {3: "messages to rooms"},
    Part.ADDRESS: {"roomTid": "private messages in a room"},
    Part.PROFILE: {
        "nickName": "nickname",
        "brithday": "birthday",
        "gender": "gender",
        "cover": "picture",
        "area": "area",
        "photoTidAlbum": "album",
        "extend": "texts of the application",
        "extra": "bytes of the application",
    },
}


def unserved(part: Part, value: Value) -> bool:
    """Whether a request with this value in this part is not offered yet."""
    return value in UNSERVED[part]
