"""What all virtual rooms of a node share."""

from __future__ import annotations

from typing import ClassVar, Protocol

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from timtw.model.peers import IMesh
from timtw.rooms.live.backlog import Budget
from timtw.rooms.live.shipping import Shipping


class Due(Protocol):
    """Something to be done at the end of a turn."""

    def flush(self) -> None:
        """Do it; there may be nothing to do any more."""


@attrs.define(eq=False)
class Works:
    """The surroundings of rooms, and what is counted over all of them.

    Attributes:
        pushed: Pieces that were pushed on this node.
        sent: Pieces that were handed to subscribers here.
        dropped: Pieces that were not, because somebody was too slow.
        parcels: Parcels that were sent on this node.
    """

    _log: ClassVar[Logger] = Logger()

    clock: IReactorTime
    mesh: IMesh
    shipping: Shipping
    budget: Budget = attrs.Factory(Budget)
    pushed: int = 0
    sent: int = 0
    dropped: int = 0
    parcels: int = 0
    _due: list[Due] = attrs.Factory(list)

    def at_end(self, due: Due) -> None:
        """Flush ``due`` when the reactor has done all it has at hand."""
        if not self._due:
            self.clock.callLater(0, self.flush)
        self._due.append(due)

    def flush(self) -> None:
        """Flush what is due now, so that something else does not overtake it."""
        due, self._due = self._due, []
        for one in due:
            try:
                one.flush()
            except Exception:  # A fault of ours in one room costs no other anything.
                self._log.failure("a fault in a virtual room")
