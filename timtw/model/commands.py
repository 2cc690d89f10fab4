"""What a client may ask, in the words of the core.

The translators of ``timtw.protocols`` make these out of frames; a session carries them
out in order. ``about``, where a command has it, belongs to the translator: the core
hands it back with the answer and never looks at it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from timtw.model.errors import TimError
from timtw.model.values import TEXT, Content, Device


class Form(enum.Enum):
    """The request by which a message was sent; it shows in a refusal only."""

    MESSAGE = "message"
    REVOKE = "revoke"
    BURN = "burn"


@attrs.frozen
class Register:
    """Make an account. Over HTTP only."""

    name: str
    password: str
    domain: str = ""


@attrs.frozen
class IssueToken:
    """Give out a token for one login within seconds. Over HTTP only."""

    name: str
    password: str
    domain: str = ""
    extend: Mapping[str, str] | None = None


@attrs.frozen
class LogIn:
    """Log in on this connection.

    Args:
        token: A login token or a resume credential; it wins over the password, which
            is tried when the token is no good.
        additions: Whether the client asked for the additions of timtw.
    """

    name: str
    password: str
    token: str
    domain: str
    device: Device
    additions: bool = False
    about: object = None


@attrs.frozen
class LogOut:
    """End this session and its resume credential."""


@attrs.frozen
class Ping:
    """A sign of life that wants an answer."""


@attrs.frozen
class Acknowledge:
    """The client has received what was sent under this receipt."""

    receipt: int


@attrs.frozen
class FetchBacklog:
    """Send what is waiting, in pages.

    Args:
        resume: Everything up to this number of the log is confirmed, and what follows
            is wanted; ``None`` for the ordinary request.
    """

    resume: int | None = None


@attrs.frozen
class SendMessage:
    """Store a message, unless it is a stream, and deliver it to one account.

    Args:
        peer: The recipient's node as the client spelled it.
        ident: The client's id, which makes the send idempotent, or ``None``.
        kind: ``TEXT``, a removal, a custom kind or ``STREAM``
            (``timtw.model.values``).
        mid: The text that a removal names; 0 for other kinds.
    """

    peer: str
    content: Content
    ident: int | None = None
    form: Form = Form.MESSAGE
    kind: int = TEXT
    mid: int = 0


@attrs.frozen
class PullHistory:
    """Read a conversation backwards.

    Args:
        newest: The newest ``mid`` wanted, inclusive; 0 for the newest there is.
        count: How many are wanted, at least 1.
        until: The newest timestamp wanted, inclusive; used only with ``newest`` 0.
    """

    peer: str
    newest: int
    count: int
    until: int | None = None


@attrs.frozen
class FindAccount:
    """Look up the account with exactly this login name in the asker's domain."""

    name: str


@attrs.frozen
class ReadProfiles:
    """Tell the profiles of these nodes; unknown ones are left out."""

    nodes: tuple[str, ...]


@attrs.frozen
class ChangeProfile:
    """Set the display name of the asking account; ``None`` keeps it."""

    name: str | None


@attrs.frozen
class ChangePassword:
    """Set a new password; everything but the asking session ends."""

    old: str
    new: str


@attrs.frozen
class Unacceptable:
    """A request that could not be turned into a command; it is refused in its turn.

    Args:
        at_login: Whether it was a login, which may fail without ending the line.
        about: The translator's note of what was asked, for the answer.
    """

    error: TimError
    at_login: bool = False
    about: object = None


Command: TypeAlias = (
    LogIn
    | LogOut
    | Ping
    | Acknowledge
    | FetchBacklog
    | SendMessage
    | PullHistory
    | FindAccount
    | ReadProfiles
    | ChangeProfile
    | ChangePassword
    | Unacceptable
)
