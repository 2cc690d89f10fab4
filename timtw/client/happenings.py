"""What a session tells its owner, and where it stands."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from timtw.client.values import (
    Delivered,
    Expired,
    Message,
    Online,
    Presence,
    Read,
    Refused,
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


Event = (
    Answered | Arrived | Delivered | Read | Presence | Expired | NotNow | Online | Over
)
