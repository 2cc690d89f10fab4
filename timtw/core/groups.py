"""What the core hands to whoever carries out requests about rooms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from timtw.core.logins.tickets import Entropy
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.model.interfaces import IGroups, IRouter
from timtw.model.peoplestores import IRoomStore
from timtw.model.posting import IPostingDesk


@attrs.frozen(eq=False)
class GroupParts:
    """Parts of a node.

    Args:
        gate: Keeps long answers out while there is too much to do.
        now: Counts seconds.
        time_ns: The time of day, nanoseconds since 1970.
    """

    people: People
    belongings: Belongings
    store: IRoomStore
    desk: IPostingDesk
    router: IRouter
    gate: Gate
    now: Callable[[], float]
    time_ns: Callable[[], int]
    entropy: Entropy


MakeGroups: TypeAlias = Callable[[GroupParts], IGroups]
