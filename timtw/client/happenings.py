"""What a session tells its owner, and where it stands."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from timtw.client.values import (
    Big,
    Delivered,
    Ended,
    Expired,
    Frame,
    Message,
    Missed,
    Online,
    Presence,
    Read,
    Refused,
    Signal,
)


class Phase(enum.Enum):
    """Where a session stands."""

    AWAY = "no line"
    ENTERING = "a login is being checked"
    HERE = "logged in"
    OVER = "ended for good"


@attrs.frozen
class Answered:
    """The answer to the send or request ``number``; a Refused if it was refused."""

    number: int
    result: Any


@attrs.frozen
class Arrived:
    """A message that has not come before; to be given to ``taken`` if it has a seq."""

    message: Message


@attrs.frozen
class NotNow:
    """The login was refused for a while: drop the line and come back later."""

    error: Refused


@attrs.frozen
class Over:
    """The session has ended for good; ``error`` is None after a logout."""

    error: Exception | None


@attrs.frozen
class PushRefused:
    """The node does not pass on what was pushed into a virtual room."""

    room: str
    error: Refused


Passed = Frame | Missed | Ended | Big | PushRefused
"""What concerns virtual rooms and big data."""
Live = Passed | Signal
"""What is passed on and kept nowhere, and what concerns it."""
Event = (
    Answered
    | Arrived
    | Delivered
    | Read
    | Presence
    | Expired
    | NotNow
    | Online
    | Over
    | Live
)
