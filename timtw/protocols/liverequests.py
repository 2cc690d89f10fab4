"""Requests about virtual rooms, pushes and parcels become commands of the core.

docs/reference/protocol.md, sections 2.4, 4.5 and 6.2.
"""

from __future__ import annotations

from typing import Final

from timtw.model import commands
from timtw.model.commands import LiveCommand, Push, SendParcel
from timtw.model.errors import BadParameter, TimError, Undefined
from timtw.model.idents import number_of
from timtw.model.live import Flow
from timtw.protocols import structs
from timtw.protocols.bigdata import BigData
from timtw.protocols.frames import FrameType
from timtw.protocols.refusals import (
    ALLOW,
    CREATE,
    DISALLOW,
    REMOVE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Note,
)

_BINARY: Final = 1
"""The reqInt of a subscription to the raw form."""
_FLOWS: Final[dict[int | None, Flow]] = {
    None: Flow.LIVE,
    **{int(flow): flow for flow in Flow},
}
"""What happens with the slow, by the reqInt of a request for a room."""


def request(asked: structs.TimReq) -> LiveCommand | TimError:
    """Type 22; what is wrong with a request that cannot be carried out."""
    if asked.rtype == CREATE:
        flow = _FLOWS.get(asked.reqInt)
        return (
            Undefined("reqInt is 0 or 1") if flow is None else commands.OpenLive(flow)
        )
    room = asked.node
    if room is None or number_of(room) is None:
        return BadParameter()
    if asked.rtype == REMOVE:
        return commands.EndLive(room)
    if asked.rtype in (ALLOW, DISALLOW):
        if asked.node2 is None or number_of(asked.node2) is None:
            return BadParameter()
        return commands.AllowPush(room, asked.node2, asked.rtype == ALLOW)
    if asked.rtype == SUBSCRIBE:
        if asked.reqInt not in (None, _BINARY):
            return Undefined("reqInt is 1 or absent")
        return commands.Subscribe(room, asked.reqInt == _BINARY)
    if asked.rtype == UNSUBSCRIBE:
        return commands.Unsubscribe(room)
    return BadParameter()


def push(stream: structs.TimStream) -> Push | BadParameter:
    """Type 94; whatever id and sender a client names mean nothing."""
    if number_of(stream.VNode) is None:
        return BadParameter()
    return Push(stream.VNode, stream.body or b"", stream.dtype)


def big_data(frame: BigData) -> Push | SendParcel | BadParameter:
    """Types 95, 96 and 97; an account that does not exist is the core's to refuse."""
    if frame.type != FrameType.TIMBIGBINARYSTREAM:
        is_text = frame.type == FrameType.TIMBIGSTRING
        return SendParcel(frame.node, frame.data, is_text)
    if number_of(frame.node) is None:
        return BadParameter()
    return Push(frame.node, frame.data, about=Note(frame.type, n=frame.node))
