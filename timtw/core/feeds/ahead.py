"""What a feed has read of the log and not yet sent.

Invariants
  1. ``entries`` are in order, all above the feed's ``sent`` and none above ``reaches``.
  2. numbers up to ``reaches`` that are not among ``entries`` are gone for good.
  3. at most one read is under way; the answer to an abandoned one is ignored.
"""

from __future__ import annotations

from typing import Final

from timtw.model.values import TEXT, Conversation, LogEntry, LogPage

_NOTHING: Final[frozenset[tuple[Conversation, int]]] = frozenset()


class Ahead:
    """Entries between ``sent`` and what storage was last asked for."""

    __slots__ = ("_again_at", "_gone", "_reading", "_ticket", "entries", "reaches")

    def __init__(self, seq: int) -> None:
        """Nothing is known beyond ``seq``."""
        self.entries: list[LogEntry] = []
        self.reaches = seq
        self._ticket = 0
        self._reading = False
        self._again_at = 0.0
        self._gone = _NOTHING

    @property
    def is_busy(self) -> bool:
        """Whether a read is under way, or something of the last one is left."""
        return self._reading or bool(self.entries)

    @property
    def again_at(self) -> float:
        """Storage, which could not be read, is not asked again before this time."""
        return self._again_at

    def knows(self, sent: int) -> bool:
        """Whether it is known what follows ``sent``."""
        return bool(self.entries) or self.reaches > sent

    def ticket(self, sent: int, now: float) -> int:
        """The number of a read that must begin behind ``sent``, or 0 for none."""
        if self._reading or now < self._again_at:
            return 0
        self._reading = True
        self._ticket += 1
        self.reaches = sent
        return self._ticket

    def take(self, page: LogPage, ticket: int) -> bool:
        """Keep what was read; ``False`` if nobody waits for it any more."""
        if ticket != self._ticket:
            return False
        self._reading = False
        if self._gone:
            self.entries.extend(e for e in page.entries if not self._is_gone(e))
            self._gone = _NOTHING
        else:
            self.entries.extend(page.entries)
        self.reaches = page.up_to
        return True

    def fail(self, ticket: int, again_at: float) -> bool:
        """Read again later; ``False`` if nobody waits for it any more."""
        if ticket != self._ticket:
            return False
        self._reading = False
        self._again_at = again_at
        return True

    def drop(self, conversation: Conversation, mid: int) -> None:
        """This text is gone; what is being read may hold it nevertheless."""
        self._gone |= {(conversation, mid)}
        if self.entries:
            left = [entry for entry in self.entries if not self._is_gone(entry)]
            self.entries = left
        if not self._reading:
            self._gone = _NOTHING

    def _is_gone(self, entry: LogEntry) -> bool:
        message = entry.message
        return (
            message.kind == TEXT and (message.conversation, message.mid) in self._gone
        )

    def abandon(self, seq: int) -> None:
        """Know nothing beyond ``seq`` any more, nor what is being read."""
        self.entries.clear()
        self.reaches = seq
        self._ticket += 1
        self._reading = False
        self._gone = _NOTHING
