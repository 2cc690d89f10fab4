"""Who on this node reads which room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from timtw.core.apart import tell_each
from timtw.core.feeds.volleys import Salvo
from timtw.model import limits
from timtw.model.values import LogEntry, Message


class Attendant(Protocol):
    """One connection, as the rooms of its account see it."""

    def offered(self, room: int, salvo: Salvo) -> None:
        """The log of the room has grown."""

    def raised(self, room: int, head: int) -> None:
        """Storage says that the log of the room reaches to ``head``."""

    def streamed(self, message: Message) -> None:
        """Something came to a room that is in no log."""

    def changed(self, room: int) -> None:
        """The room, or who is in it, may have changed."""

    def hang_up(self) -> None:
        """End the line; the client comes back and replays."""


class Fanout:
    """The one table of who is there in each room."""

    def __init__(
        self,
        clock: IReactorTime,
        entered: Callable[[int], None],
        left: Callable[[int], None],
    ) -> None:
        """``entered`` and ``left`` hear of a room's first and last connection."""
        self._clock = clock
        self._news: dict[int, list[LogEntry]] = {}
        self._changed: dict[int, None] = {}
        self._look: IDelayedCall | None = None
        self._entered = entered
        self._left = left
        self._there: dict[int, dict[Attendant, None]] = {}

    def enter(self, room: int, attendant: Attendant) -> None:
        """From now on tell ``attendant`` of this room."""
        there = self._there.setdefault(room, {})
        there[attendant] = None
        if len(there) == 1:
            self._entered(room)

    def leave(self, room: int, attendant: Attendant) -> None:
        """Tell it nothing any more; leaving twice is fine."""
        there = self._there.get(room)
        if there is None or attendant not in there:
            return
        del there[attendant]
        if not there:
            del self._there[room]
            self._left(room)
        if not self._there and self._look is not None:
            self._look.cancel()
            self._look = None
            self._changed.clear()

    def rooms(self) -> list[int]:
        """The rooms that somebody here reads."""
        return list(self._there)

    def offer(self, room: int, entry: LogEntry) -> None:
        """Tell everybody who is there, with what else this turn brings."""
        if room not in self._there:
            return
        if not self._news:
            self._clock.callLater(0, self._tell)
        self._news.setdefault(room, []).append(entry)

    def _tell(self) -> None:
        """Tell everybody what this turn has brought."""
        news, self._news = self._news, {}
        for room, entries in news.items():
            self._offer(room, Salvo(entries, self._clock.seconds()))

    def _offer(self, room: int, salvo: Salvo) -> None:
        tell_each(self._there.get(room, ()), lambda one: one.offered(room, salvo))

    def raise_head(self, room: int, head: int) -> None:
        """Tell everybody how far the log reaches."""
        tell_each(self._there.get(room, ()), lambda one: one.raised(room, head))

    def stream(self, message: Message) -> None:
        """Bring a stream to everybody who is there, behind what came before it."""
        self._tell()
        there = self._there.get(message.recipient.number, ())
        tell_each(there, lambda one: one.streamed(message))

    def changed(self, room: int) -> None:
        """Tell everybody within a second, of many changes once."""
        if room not in self._there:
            return
        self._changed[room] = None
        if self._look is None:
            seconds = limits.ROOM_NEWS_SECONDS
            self._look = self._clock.callLater(seconds, self._tell_changed)

    def _tell_changed(self) -> None:
        """Tell everybody of the rooms that have changed."""
        self._look = None
        changed, self._changed = self._changed, {}
        for room in changed:
            self._tell_of(room)

    def _tell_of(self, room: int) -> None:
        tell_each(self._there.get(room, ()), lambda one: one.changed(room))
