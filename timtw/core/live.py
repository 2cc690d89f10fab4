"""What the core hands to whoever carries virtual rooms, streams and parcels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs
from twisted.internet.interfaces import IReactorTime

from timtw.core.logins.tickets import Entropy
from timtw.core.people.addresses import People
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model.interfaces import ILive
from timtw.model.peers import IMesh


@attrs.frozen(eq=False)
class LiveParts:
    """Parts of a node."""

    people: People
    sessions: Sessions
    mesh: IMesh
    settings: Settings
    clock: IReactorTime
    entropy: Entropy


MakeLive: TypeAlias = Callable[[LiveParts], ILive]
