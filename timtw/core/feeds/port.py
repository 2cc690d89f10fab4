"""What a feed needs of its surroundings; ``timtw.core.feeds.reading`` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from timtw.model.values import LogEntry


class Port(Protocol):
    """A client, its storage and a clock, as one feed sees them."""

    def deliver(self, entry: LogEntry, receipt: int, backlog: bool) -> bool:
        """
        Write one entry; receipt 0 wants no acknowledgement.

        Returns: ``False`` if it was not written because the line is gone.
        """

    def page(self, entries: tuple[LogEntry, ...], receipt: int) -> None:
        """Write a page of the backlog."""

    def end_of_backlog(self) -> None:
        """Write the end mark of the backlog."""

    def measure(self, entry: LogEntry) -> int:
        """The bytes that an entry takes."""

    def may_read(self) -> bool:
        """Whether storage may be asked now; else ``go_on`` is called when it may."""

    def read(self, after: int, up_to: int, ticket: int) -> None:
        """Read the log; answered by ``loaded`` or ``unread``, never from inside."""

    def confirmed(self, acked: int, entries: Sequence[LogEntry]) -> None:
        """Everything up to ``acked`` is confirmed; ``entries`` are new among it."""

    def claimed(self, after: int, up_to: int) -> None:
        """The client says that it has this part of the log; it was not sent here."""

    def stuck(self, seq: int) -> None:
        """This entry stopped the reader."""

    def wake(self, at: float) -> None:
        """Call ``awake`` at this time; an earlier wish stays in force."""
