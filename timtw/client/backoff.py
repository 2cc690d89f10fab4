"""When to come back, and where to: pauses that grow, with chance in them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from timtw.client.addresses import NodeAddress
from timtw.model.limits import CLIENT_BACKOFF_FIRST, CLIENT_BACKOFF_MOST


class Route:
    """The addresses of a client, and the pauses between its attempts.

    All addresses are tried in a row, with a short pause only; each further round waits
    twice as long. Where it worked last is where the next attempt goes.

    Attributes:
        rounds: How often all addresses have failed since it worked.
    """

    def __init__(self, addresses: Sequence[NodeAddress], rng: Random) -> None:
        """
        Args:
            addresses: In the order of preference.

        Raises:
            ValueError: there are none.
        """
        if not addresses:
            raise ValueError("a client needs an address")
        self._addresses = tuple(addresses)
        self._rng = rng
        self._place = 0
        self._failed = 0

    @property
    def current(self) -> NodeAddress:
        """Where the next attempt goes."""
        return self._addresses[self._place]

    @property
    def rounds(self) -> int:
        """See the class."""
        return self._failed // len(self._addresses)

    def worked(self) -> None:
        """The login succeeded here."""
        self._failed = 0

    def failed(self) -> float:
        """It did not, or the line was lost; the seconds until the next attempt."""
        self._failed += 1
        self._place = (self._place + 1) % len(self._addresses)
        within_round = self._failed % len(self._addresses)
        doublings = 0 if within_round else min(self.rounds - 1, 16)
        bound = min(CLIENT_BACKOFF_MOST, CLIENT_BACKOFF_FIRST * 2.0**doublings)
        return self._rng.uniform(bound / 2, bound)

    def dropped(self) -> float:
        """A line that worked is lost: the same address again, after a short pause."""
        return self._rng.uniform(CLIENT_BACKOFF_FIRST / 10, CLIENT_BACKOFF_FIRST)
