"""Tokens and credentials: texts that prove something, made of randomness alone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from struct import Struct
from typing import Final

Entropy = Callable[[int], bytes]
"""Gives that many random bytes."""

CREDENTIAL_PREFIX: Final = "r-"
"""What tells a resume credential from a login token."""
_CREDENTIAL_BYTES: Final = 32
_TOKEN_BYTES: Final = 7
_TICKET_CHARACTERS: Final = 64
_IDENTS: Final = Struct("256Q")


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def new_token(entropy: Entropy) -> str:
    """A login token: the decimal text of a random number from 1 to 2**53 - 1.

    Some clients keep it as a number, and JavaScript holds no larger one exactly. Being
    guessed is no danger within its few seconds, at so many logins a minute.
    """
    while True:
        number = int.from_bytes(entropy(_TOKEN_BYTES), "big") >> 3
        if number:
            return str(number)


def new_credential(entropy: Entropy) -> str:
    """A resume credential of 256 random bits."""
    return CREDENTIAL_PREFIX + _text(entropy(_CREDENTIAL_BYTES))


def is_credential(ticket: str) -> bool:
    """Whether ``ticket`` is spelled like a resume credential."""
    return ticket.startswith(CREDENTIAL_PREFIX)


def is_sane(ticket: str) -> bool:
    """Whether ``ticket`` may be one of ours at all, before storage is asked."""
    return len(ticket) <= _TICKET_CHARACTERS and ticket.isascii()


class MessageIdents:
    """Random message ids from 1 to 2**52, which JavaScript holds exactly.

    Randomness is drawn for many of them at a time, since each draw asks the system.
    """

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._drawn: list[int] = []

    def next(self) -> int:
        """One that was never given."""
        if not self._drawn:
            drawn = _IDENTS.unpack(self._entropy(_IDENTS.size))
            self._drawn = [(number >> 12) + 1 for number in drawn]
        return self._drawn.pop()
