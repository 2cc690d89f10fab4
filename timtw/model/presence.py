"""How somebody is, and who is told: values of presence, which is stored nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from timtw.model import limits
from timtw.model.value import value
from timtw.model.values import Address, Device

Audience: TypeAlias = frozenset[int] | None
"""Whom an account has shown itself to: some accounts, or ``None`` for all friends."""


def widened(one: Audience, other: Audience) -> Audience:
    """Both audiences together; too many to be remembered are all friends."""
    if one is None or other is None:
        return None
    both = one | other
    return both if len(both) <= limits.SHOWN_TO else None


@value
class Status:
    """What somebody says about being here; never interpreted by the server.

    Texts may hold surrogate escapes where a client sent bytes that are not UTF-8.
    """

    show: int | None = None
    text: str | None = None
    purpose: int | None = None
    extend: Mapping[str, str] | None = None
    extra: Mapping[str, bytes] | None = None

    @property
    def weight(self) -> int:
        """Its size in bytes, about; entries of a map take some themselves."""
        weight = _size(self.text or "")
        for key, text in (self.extend or {}).items():
            weight += _size(key) + _size(text) + 4
        for key, octets in (self.extra or {}).items():
            weight += _size(key) + len(octets) + 4
        return weight


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


class Version(NamedTuple):
    """What tells the newer of two appearances of an account.

    Args:
        session: Which of the account's sessions it is about; storage counts them.
        counter: What that session has shown later has the higher number.
    """

    session: int
    counter: int


@value
class Appearance:
    """How an account is from now on.

    Args:
        device: Where it says so; where it was last, if it is gone.
        gone: Whether its last session has ended; then the version's session is the
            last that had shown itself.
    """

    sender: Address
    device: Device
    ident: int
    version: Version
    status: Status = Status()
    gone: bool = False


@value
class Showing:
    """An appearance, and who is to see it."""

    appearance: Appearance
    receivers: tuple[int, ...]


@value
class Parting:
    """The last session of an account on one node has ended.

    Args:
        device: Where it was.
        session: The last of its sessions that has shown itself.
        audience: Whom it has shown itself to; empty for nobody.
    """

    sender: Address
    device: Device
    session: int = 0
    audience: Audience = frozenset()
