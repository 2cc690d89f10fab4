"""When a send counts as a repeat, what it is answered and read as: every engine's.

Sends are remembered in periods of ``REPEAT_SECONDS``. A send is looked for in its own
period and in the one before, so a whole period can be forgotten at once, without an
index over time; and in the one behind, for the clock may have been set back since.
"""

from __future__ import annotations

from typing import Final

from timtw.model.limits import REPEAT_SECONDS
from timtw.model.values import TEXT, Address, Draft, Message

NANOSECONDS: Final = 1_000_000_000
WINDOW: Final = REPEAT_SECONDS * NANOSECONDS
"""How far a repeat may lie behind the first send, in nanoseconds."""


def period_of(timestamp: int) -> int:
    """The period in which a send of this time is remembered."""
    return timestamp // WINDOW


def periods_of(period: int) -> tuple[int, int, int]:
    """Where what is sent in a period is looked for, the likeliest first."""
    return period, period - 1, period + 1


def is_repeat(first: int, timestamp: int) -> bool:
    """Whether a send at ``timestamp`` repeats an equal one of the time ``first``."""
    return first >= timestamp - WINDOW


def once_of(draft: Draft, packed: bytes) -> bytes:
    """What tells a send from others with its id: its content, and its kind."""
    return packed if draft.kind == TEXT else packed + b"%d" % draft.kind


def message_of(draft: Draft, mid: int, timestamp: int, fresh: bool) -> Message:
    """The message that a draft has become, or had become before."""
    return Message(
        draft.conversation,
        mid,
        draft.ident,
        draft.sender,
        draft.recipient,
        timestamp,
        draft.content,
        draft.device if fresh else None,
        draft.kind,
    )


def as_read(message: Message) -> Message:
    """A message as it is read later: without domains and device."""
    return Message(
        message.conversation,
        message.mid,
        message.ident,
        _anywhere(message.sender),
        _anywhere(message.recipient),
        message.timestamp,
        message.content,
        None,
        message.kind,
    )


def _anywhere(address: Address) -> Address:
    """An address without its domain."""
    return Address(address.number, address.node) if address.domain else address
