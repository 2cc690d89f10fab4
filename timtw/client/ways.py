"""What there is to choose when a client is made."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random, SystemRandom

import attrs
from twisted.internet.interfaces import IStreamClientEndpoint

from timtw.client.addresses import NodeAddress
from timtw.client.values import (
    Delivered,
    Expired,
    Offline,
    Online,
    Presence,
    Read,
    Signal,
)

State = Online | Offline | Delivered | Read | Presence | Expired | Signal
"""What an observer is told."""


def _nobody(state: State) -> None:
    """Observe nothing."""


@attrs.frozen
class Ways:
    """What a client is made with; the defaults suit a program.

    Attributes:
        encoding: ``json`` or ``thrift``.
        listens: Whether messages are wanted. A client that only sends takes none, so
            that they go on waiting for this device.
        own: Whether messages arrive that other devices of the account have written.
        rounds: How often to try all addresses before the first login; 0: for ever.
        observe: Told when the line comes and goes, what was delivered and read, how
            others are, and what their programs signal.
        rng: Draws ids and pauses.
        entropy: So many random bytes, for the WebSocket.
        endpoint: Where an address is; None for the network.
    """

    encoding: str = "json"
    listens: bool = True
    own: bool = False
    rounds: int = 1
    observe: Callable[[State], None] = _nobody
    rng: Random = attrs.field(factory=SystemRandom, repr=False)
    entropy: Callable[[int], bytes] = attrs.field(default=os.urandom, repr=False)
    endpoint: Callable[[NodeAddress], IStreamClientEndpoint] | None = None
