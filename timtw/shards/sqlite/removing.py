"""Taking a text away, wherever it lies, in the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TypeAlias

from timtw.model.errors import TimError
from timtw.model.idents import slot_of
from timtw.model.values import TEXT, Conversation, Draft
from timtw.shards.sqlite.statements import JournalStatements
from timtw.shards.sqlite.tail import Kept, Tail
from timtw.shards.tables.removals import GONE, THERE, refusal
from timtw.shards.tables.statements import PostingStatements, made

_Text: TypeAlias = tuple[Conversation, int]


class Removing:
    """Removes texts from journal and tables, and knows what the tail has to lose."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._journal = made(JournalStatements)
        self._statements = made(PostingStatements)
        self._gone: set[_Text] = set()

    def committed(self) -> set[_Text]:
        """The texts that the last transaction has taken away."""
        gone, self._gone = self._gone, set()
        return gone

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._gone.clear()

    def remove(
        self, connection: sqlite3.Connection, draft: Draft, pending: Iterable[Kept]
    ) -> TimError | None:
        """
        Take the body of the text that ``draft`` names away; else why it must not be.

        Args:
            pending: What this transaction has appended to the journal.
        """
        pair, mid = draft.conversation, draft.mid
        kept = self._kept(pair, mid, pending)
        author = kept.message.sender.number if kept is not None else None
        if kept is None:
            author = self._author(connection, pair, mid)
        why = refusal(draft, None if (pair, mid) in self._gone else author)
        if why is not None:
            return why
        state = GONE[draft.kind]
        if kept is not None:
            change = (state, b"", kept.n)
            connection.execute(self._journal.remove_text, change)
        # A move may have brought it here already, and not be done.
        where = (slot_of(pair.first), *pair, mid)
        connection.execute(self._statements.remove_text, (state, b"", *where))
        self._gone.add((pair, mid))
        return None

    def _kept(
        self, pair: Conversation, mid: int, pending: Iterable[Kept]
    ) -> Kept | None:
        """The text, if the journal holds it and it is not gone."""
        run = self._tail.texts(pair)
        kept = None if run is None else run.get(mid)
        if kept is not None:
            return kept
        for one in pending:
            message = one.message
            if (message.kind, message.mid, message.conversation) == (TEXT, mid, pair):
                return one
        return None

    def _author(
        self, connection: sqlite3.Connection, pair: Conversation, mid: int
    ) -> int | None:
        """Who wrote the text, if the tables hold it and it is not gone."""
        where = (slot_of(pair.first), *pair, mid)
        row = connection.execute(self._statements.read_author, where).fetchone()
        return int(row[0]) if row is not None and row[1] == THERE else None
