"""What a history saw, in the order in which it was seen. The judge knows only this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs


@attrs.frozen
class Role:
    """A device: whose it is, and whether it asked for the additions."""

    node: str
    additions: bool


@attrs.frozen
class Cast:
    """All devices by their name, and short names of the accounts by their node.

    Args:
        names: Of groups as well.
        groups: The nodes of the groups, of which everybody is a member.
    """

    devices: Mapping[str, Role]
    names: Mapping[str, str]
    groups: frozenset[str] = frozenset()


@attrs.frozen
class Sent:
    """A device handed a text to its line. The body is unlike every other text's."""

    at: float
    device: str
    line: int
    recipient: str
    body: str


@attrs.frozen
class Arrived:
    """A text came to a device: as an echo, a delivery or a part of a page.

    Args:
        at: Seconds on a clock that never goes back.
        line: The number of the connection; no two have the same.
        receipt: What is to be acknowledged; empty if nothing is wanted.
        seq: The number in the log, 0 if none came.
        in_group: Whether ``recipient`` is a group; its log is another one then.
    """

    at: float
    device: str
    line: int
    sender: str
    recipient: str
    body: str
    mid: int
    receipt: bytes = b""
    seq: int = 0
    in_group: bool = False


@attrs.frozen
class Noticed:
    """An entry of the device's own log came that is no text.

    It is noted in front of the texts that came in the same frame.
    """

    at: float
    device: str
    line: int
    seq: int


@attrs.frozen
class Acknowledged:
    """A device handed an acknowledgement to its line."""

    at: float
    device: str
    line: int
    receipt: bytes


@attrs.frozen
class Asked:
    """A device with our additions asked for everything behind ``resume``."""

    at: float
    device: str
    line: int
    resume: int


@attrs.frozen
class Pinged:
    """A device asked for a sign of life; never a second time before the answer."""

    at: float
    device: str
    line: int


@attrs.frozen
class Ponged:
    """The answer came: all that the line carried before the ping has been read."""

    at: float
    device: str
    line: int


@attrs.frozen
class Refusal:
    """
    The node refused something.

    Args:
        body: The text, where it can be told from others.
    """

    at: float
    device: str
    about: int
    code: int
    body: str = ""


@attrs.frozen
class Complaint:
    """Something else that must not happen, such as a device that gets no answer."""

    at: float
    device: str
    text: str


@attrs.frozen
class Killed:
    """The node was killed."""

    at: float


@attrs.frozen
class Started:
    """The node serves again."""

    at: float


@attrs.frozen
class Came:
    """A device has logged in."""

    at: float
    device: str
    line: int


@attrs.frozen
class Left:
    """A device has no line any more."""

    at: float
    device: str
    line: int
    how: str


@attrs.frozen
class Began:
    """
    A fault began.

    Args:
        fault: Its name.
        refuses: Whether the node may refuse what needs storage.
        delays: Whether the node may store later what it was told.
        lasts: Seconds after its cause in which the node may not have noticed its end.
    """

    at: float
    fault: str
    words: str
    refuses: bool = False
    delays: bool = False
    lasts: float = 0.0


@attrs.frozen
class Ended:
    """The cause of a fault is gone."""

    at: float
    fault: str


@attrs.frozen
class Damaged:
    """
    A stored text was damaged.

    Args:
        conversation: The nodes of the two accounts, or that of the group.
        said: Whether the log of the node names the text.
    """

    at: float
    conversation: frozenset[str]
    mid: int
    said: bool = False


Seen = (
    Sent
    | Arrived
    | Noticed
    | Acknowledged
    | Asked
    | Pinged
    | Ponged
    | Refusal
    | Complaint
    | Killed
    | Started
    | Came
    | Left
    | Began
    | Ended
    | Damaged
)
History = Sequence[Seen]
