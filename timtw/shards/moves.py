"""Cursor moves that wait for a commit, merged per reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from timtw.model.values import Confirmed, CursorMove

CursorDone: TypeAlias = Callable[[CursorMove], None]


@attrs.define(eq=False)
class WaitingMove:
    """What a reader has confirmed and storage does not know yet.

    Args:
        ticket: The count of moves when the oldest part of it came.
        confirmed: The highest mid of each conversation.
    """

    move: CursorMove
    done: CursorDone
    ticket: int
    confirmed: dict[tuple[int, int], Confirmed] | None = None

    def merge(self, newer: CursorMove, done: CursorDone) -> None:
        """Let a later move of the same reader take the place of this one."""
        cursor = max(self.move.cursor, newer.cursor)
        if self.confirmed is None:
            self.confirmed = {c.conversation: c for c in self.move.confirmed}
        for mark in newer.confirmed:
            known = self.confirmed.get(mark.conversation)
            if known is None or known.mid < mark.mid:
                self.confirmed[mark.conversation] = mark
        self.move = CursorMove(newer.account, newer.key, cursor, ())
        self.done = done

    def whole(self) -> CursorMove:
        """Everything that was merged, as one move."""
        if self.confirmed is not None:
            marks = tuple(self.confirmed.values())
            self.move = attrs.evolve(self.move, confirmed=marks)
            self.confirmed = None
        return self.move
