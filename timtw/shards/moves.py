"""Cursor moves that wait for a commit, one per reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from zope.interface import implementer

from timtw.model.posting import IWaitingMove
from timtw.model.progress import Confirmed, CursorMove
from timtw.model.values import Conversation

CursorDone: TypeAlias = Callable[[CursorMove], None]


@implementer(IWaitingMove)
class WaitingMove:
    """What a reader has confirmed and storage does not know yet; see ``IWaitingMove``.

    Not an attrs class: it is written to once per message on the busiest path.
    """

    __slots__ = (
        "account",
        "cursor",
        "done",
        "key",
        "marks",
        "room",
        "ticket",
        "waits",
    )

    def __init__(
        self, account: int, key: bytes, room: int, done: CursorDone, ticket: int
    ) -> None:
        """``ticket`` is the count of moves when this one began to wait."""
        self.room = room
        self.account = account
        self.key = key
        self.done = done
        self.ticket = ticket
        self.cursor = 0
        self.marks: dict[Conversation, int] = {}
        self.waits = True

    def confirm(self, cursor: int) -> None:
        """See ``IWaitingMove``."""
        if cursor > self.cursor:
            self.cursor = cursor

    def mark(self, conversation: Conversation, mid: int) -> None:
        """See ``IWaitingMove``."""
        if mid > self.marks.get(conversation, 0):
            self.marks[conversation] = mid

    def merge(self, newer: WaitingMove) -> None:
        """Take in a later move of the same reader, which waits no more."""
        newer.waits = False
        self.done = newer.done
        self.confirm(newer.cursor)
        for conversation, mid in newer.marks.items():
            self.mark(conversation, mid)

    def taken(self) -> CursorMove:
        """The move, as it goes into a commit."""
        self.waits = False
        marks = tuple([Confirmed(*mark) for mark in self.marks.items()])
        return CursorMove(self.account, self.key, self.cursor, marks, self.room)
