"""What one connection is told by the registry, and how it takes it.

A connection that is not logged in, or has gone, is told nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import Final

from timtw.core.feeds.flights import NO_NUMBERS
from timtw.core.feeds.reading import Reading
from timtw.core.people.unseen import Unseen
from timtw.core.sessions import Leftover
from timtw.model.events import (
    Appeared,
    Marked,
    RelationsChanged,
    RoomNews,
    Streamed,
)
from timtw.model.idents import node_of
from timtw.model.interfaces import IOutbox, ISeat
from timtw.model.presence import Appearance
from timtw.model.progress import Mark, RoomState
from timtw.model.values import Address, LogEntry, Message

_FREE: Final[frozenset[str]] = frozenset()
"""No reason not to read; shared, as an empty set takes 216 bytes."""


class Phase(enum.Enum):
    """How far a connection has come."""

    FRESH = "fresh"
    CHECKING = "checking"
    READY = "ready"
    GONE = "gone"


class Hearing:
    """The ear of a session: everything of ``Listener`` that needs no more than it.

    Attributes:
        owner: The account, from the moment when its sessions are told things.
    """

    __slots__ = (
        "_additions",
        "_held",
        "_outbox",
        "_phase",
        "_reading",
        "_seat",
        "_unseen",
        "_writable",
        "owner",
    )

    def __init__(self, outbox: IOutbox) -> None:
        """Nothing is heard yet."""
        self._outbox = outbox
        self._phase = Phase.FRESH
        self._additions = False
        self._writable = True
        self._held = _FREE
        self._unseen: Unseen | None = None
        self._reading: Reading | None = None
        self._seat: ISeat | None = None
        self.owner: Address | None = None

    def writable(self, now: bool) -> None:
        """See ``ISession``."""
        self._writable = now
        if self._reading is not None:
            self._reading.writable(now)
        if self._seat is not None:
            self._seat.writable(now)
        if now and self._unseen is not None:
            unseen, self._unseen = self._unseen, None
            for appearance in unseen.take():
                self.shown(appearance)

    @property
    def seated(self) -> ISeat | None:
        """Its place among virtual rooms and parcels, if it has asked for one."""
        return self._seat

    def left(self) -> Leftover:
        """What this connection knows better than storage, while it goes on."""
        reading = self._reading
        return Leftover(0, 0, NO_NUMBERS) if reading is None else reading.left()

    @property
    def reader(self) -> bytes:
        """What storage calls its device; empty before the end of the login."""
        return self._reading.key if self._reading is not None else b""

    @property
    def is_gone(self) -> bool:
        """Whether the line or the session has ended."""
        return self._phase is Phase.GONE

    def offered(self, entry: LogEntry) -> None:
        """The account's log has grown."""
        if self._reading is not None:
            self._reading.offered(entry)

    def raised(self, head: int) -> None:
        """Storage says that the log reaches to ``head``."""
        if self._reading is not None:
            self._reading.raised(head)

    def belongs(self, state: RoomState) -> None:
        """The account is a member of this room."""
        if self._reading is not None:
            self._reading.belongs(state)

    def parted(self, room: int) -> None:
        """The account is no member of this room."""
        if self._reading is not None:
            self._reading.parted(room)

    def doubted(self, room: int) -> None:
        """Whether the account is a member of this room is being asked."""
        if self._reading is not None:
            self._reading.doubted(room)

    def rooms(self) -> Collection[int]:
        """The rooms of which it is sent what is written."""
        return () if self._reading is None else self._reading.rooms()

    def marked(self, mark: Mark) -> None:
        """Somebody has received or read something; old clients do not know of it."""
        if self._additions:
            self._outbox.offer(Marked(mark))

    def related(self) -> None:
        """A device of the account has changed what it and another are."""
        if self._additions:
            self._outbox.offer(RelationsChanged())

    def regrouped(self, room: int) -> None:
        """What the account is to this room has changed, or may have."""
        if self._additions:
            self._outbox.offer(RoomNews(node_of(room)))

    def streamed(self, message: Message) -> None:
        """
        Something came that is in no log.

        It waits for a slow line only where parcels and pieces do.
        """
        if self._phase is not Phase.READY:
            return
        if self._seat is not None:
            self._seat.tell(Streamed(message))
        elif self._writable:
            self._outbox.offer(Streamed(message))

    def shown(self, appearance: Appearance) -> None:
        """Somebody is from now on as this says; a slow line is told later."""
        if self._phase is not Phase.READY or self.owner is None:
            return
        if self._writable:
            self._outbox.offer(Appeared(appearance, self.owner))
            return
        if self._unseen is None:
            self._unseen = Unseen()
        self._unseen.add(appearance)

    def _hold(self, why: str, yes: bool) -> None:
        """Read from the client only while there is no reason not to."""
        held = bool(self._held)
        self._held = self._held | {why} if yes else self._held - {why}
        if held != bool(self._held):
            (self._outbox.hold if yes else self._outbox.proceed)()
