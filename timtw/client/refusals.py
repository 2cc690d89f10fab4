"""How a node says no, and what that means; docs/reference/protocol.md, section 8."""

from __future__ import annotations

from timtw.client.heard import Heard
from timtw.client.values import Refused
from timtw.model.errors import BadParameter, BadToken, Remedy
from timtw.protocols.frames import FrameType
from timtw.protocols.structs import TimAck


def refusal(heard: Heard, *about: int) -> Refused | None:
    """The node's no to a request of one of these types, if that is what it is."""
    ack = heard.body
    if not isinstance(ack, TimAck) or ack.ok or ack.timType not in about:
        return None
    error = ack.error
    return Refused((error and error.code) or 0, (error and error.info) or "refused")


def unread(ack: TimAck) -> bool:
    """
    Whether a frame is refused unread; section 1.7.

    Other refusals say more, but for those of section 5.1, whose requests are short.
    """
    if ack.timType == FrameType.TIMBUSINESS:
        return False
    said = (ack.t, ack.n, ack.t2)
    code = ack.error.code if ack.error is not None else None
    return not ack.ok and code == BadParameter.code and said == (None, None, None)


def may_pass(error: Refused) -> bool:
    """Whether a login that succeeded before may succeed again without a change."""
    return error.remedy is Remedy.LOG_IN and error.code != BadToken.code
