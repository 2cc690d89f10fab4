"""Passwords that were right a few minutes ago, so that the next login costs little.

One real client logs in every few seconds for ever, others whenever their line breaks.
What is kept is a keyed digest of account, version and password, under a key that lives
as long as the process. It saves the work of argon2id and nothing else: each login reads
how the account stands, and another version is another digest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from struct import pack
from typing import Final

from timtw.core.logins.tickets import Entropy
from timtw.model import limits
from timtw.model.standing import Standing

_KEY_BYTES: Final = 32


class Remembered:
    """What was proven by password within ``REMEMBERED_SECONDS``."""

    def __init__(self, entropy: Entropy, now: Callable[[], float]) -> None:
        """``now`` counts seconds."""
        self._key = entropy(_KEY_BYTES)
        self._now = now
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept, those included whose time is over."""
        return len(self._until)

    def knows(self, standing: Standing, password: str) -> bool:
        """Whether this password of this very version was right a moment ago."""
        digest = self._digest(standing, password)
        until = self._until.get(digest)
        if until is not None and until <= self._now():
            del self._until[digest]
            return False
        return until is not None

    def learn(self, standing: Standing, password: str) -> None:
        """The work was done and the password is right."""
        digest = self._digest(standing, password)
        self._until[digest] = self._now() + limits.REMEMBERED_SECONDS
        self._until.move_to_end(digest)
        while len(self._until) > limits.REMEMBERED_PASSWORDS:
            self._until.popitem(last=False)

    def _digest(self, standing: Standing, password: str) -> bytes:
        who = pack(">qq", standing.account.number, standing.version)
        secret = password.encode("utf-8", "surrogateescape")
        return blake2b(who + secret, key=self._key, digest_size=32).digest()
