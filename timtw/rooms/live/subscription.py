"""What one connection gets of one virtual room, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timtw.model.events import LiveEnded, Pieces, PiecesDropped
from timtw.rooms.live.backlog import Backlog
from timtw.rooms.live.room import Room

if TYPE_CHECKING:
    from timtw.rooms.live.seat import Seat


class Subscription:
    """One connection in one virtual room.

    Attributes:
        backlog: What waits; ``None`` while the line takes what comes.
    """

    __slots__ = ("_end", "backlog", "binary", "room", "seat")

    def __init__(self, room: Room, seat: Seat, binary: bool) -> None:
        """``room.enter`` makes it count."""
        self.room = room
        self.seat = seat
        self.binary = binary
        self.backlog: Backlog | None = None
        self._end: LiveEnded | None = None

    def slow_down(self) -> None:
        """The line takes nothing for the moment."""
        if self.backlog is None:
            room = self.room
            self.backlog = Backlog(room.works.budget, room.drops)
            if self._end is None:
                room.paced(self)

    def wait(self, event: Pieces, octets: int, count: int) -> int:
        """Let pieces wait; how many were dropped for them."""
        backlog = self.backlog
        if backlog is None:
            return 0
        dropped = backlog.add(event, octets, count, self.seat.next_place())
        valve = self.room.valve
        if valve is not None and backlog.is_crowded:
            valve.shut(self)
        return dropped

    def missed(self, count: int) -> None:
        """So many pieces were dropped before they came here."""
        if self.backlog is not None:
            self.backlog.dropped += count

    def hand_over(self) -> None:
        """Hand over the oldest that waits."""
        backlog = self.backlog
        assert backlog is not None
        self._tell_dropped(backlog)
        event, count = backlog.take()
        self.room.has_sent(count)
        self.seat.offer(event)

    def settle(self) -> None:
        """Some was handed over; perhaps it is up to date."""
        seat, backlog = self.seat, self.backlog
        if backlog is None:
            return
        valve = self.room.valve
        if valve is not None and backlog.is_low:
            valve.open(self)
        if backlog or not seat.takes:
            return
        self._tell_dropped(backlog)
        if not seat.takes:
            return
        self.backlog = None
        if self._end is not None:
            self._say_end(self._end)
        else:
            self.room.paced(self)

    def _tell_dropped(self, backlog: Backlog) -> None:
        dropped, backlog.dropped = backlog.dropped, 0
        if dropped and self.seat.additions:
            self.seat.offer(PiecesDropped(self.room.number, dropped))

    def ended(self, event: LiveEnded) -> None:
        """The room has ended; the client is told behind what it still gets."""
        self._end = event
        if self.backlog is None:
            self._say_end(event)

    def leave(self) -> None:
        """Nothing more is wanted."""
        if self.backlog is not None:
            self.backlog.clear()
        if self._end is None:
            self.room.leave(self)

    def _say_end(self, event: LiveEnded) -> None:
        self.seat.forget(self)
        if self.seat.additions:
            self.seat.offer(event)
