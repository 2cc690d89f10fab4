"""How an account stands: what every login has to know about it."""

from __future__ import annotations

from timtw.model.value import value
from timtw.model.values import Account


@value
class Standing:
    """What a login has to know about its account, from one look at storage.

    Args:
        verifier: The hash that the password is checked with.
        version: Raised whenever everything that was proven before shall count for
            nothing: a new password, a block, a kick.
        blocked_until: Nanoseconds since 1970; 0 for not blocked, -1 for ever.
    """

    account: Account
    verifier: str
    version: int = 1
    blocked_until: int = 0

    def is_blocked(self, now: int) -> bool:
        """Whether logins are refused at ``now``, nanoseconds since 1970."""
        return self.blocked_until < 0 or self.blocked_until > now

    def outlived(self, created: int, now: int) -> bool:
        """Whether what was given out at ``created`` has ended with a block."""
        return created < self.blocked_until <= now
