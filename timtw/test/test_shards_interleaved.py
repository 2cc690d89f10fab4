"""Operations whose statements fall between those of others, as with several nodes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.posting import Batch
from timtw.model.progress import ReaderState
from timtw.shards.sealing import Sealer
from timtw.shards.server.posting import ServerPosting
from timtw.shards.tables.dialects import POSTGRES, SQLITE
from timtw.shards.tables.migrations import migrate
from timtw.shards.tables.operations import Begin, Operation, Rows, carried_out
from timtw.shards.tables.readers import Readers
from timtw.shards.tables.statements import InstallationStatements, made
from timtw.test.contracts import ADA, BOB, CYD, NOW, PHONE, draft
from timtw.test.test_shards_sealing import RING

T = TypeVar("T")


class InterleavedTests(SynchronousTestCase):
    """Two operations at a time, on one connection, so that nothing locks."""

    def setUp(self) -> None:
        """Make a database, and readers whose operations are carried out by hand."""
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.connection.close)
        migrate(self.connection, made(InstallationStatements))
        self.begun: list[Begin[Any]] = []
        self.readers = Readers(self.begin, SQLITE, Sealer(RING, os.urandom))

    def begin(self, begin: Begin[T]) -> Deferred[T]:
        """Keep what is to be carried out."""
        self.begun.append(begin)
        return Deferred()

    def execute(self, text: str, parameters: Sequence[Any]) -> Rows:
        """What a statement answers."""
        return self.connection.execute(text, parameters).fetchall()

    def opening(self) -> Operation[ReaderState]:
        """The operation with which a device logs in."""
        _ = self.readers.open(BOB.number, PHONE, NOW)
        return self.begun.pop()()

    def test_cursor_moves_while_its_device_logs_in(self) -> None:
        """
        What a device has confirmed stays confirmed, also while it logs in elsewhere.
        """
        carried_out(self.opening(), self.execute)
        login = self.opening()
        rows = self.execute(*next(login))
        self.execute("UPDATE reader SET cursor = 7", ())
        carried_out(resumed(login, rows), self.execute)
        self.assertEqual([(7,)], self.execute("SELECT cursor FROM reader", ()))


class LockTests(SynchronousTestCase):
    """The order in which a commit locks."""

    def test_counters_are_raised_in_one_order(self) -> None:
        """
        Nodes that commit at the same time wait for each other, and never in a circle.
        """
        posting = ServerPosting(POSTGRES, Sealer(RING, os.urandom))
        people = (CYD, ADA, BOB)
        drafts = [draft("hi", one, other) for one in people for other in people]
        keys: list[tuple[int, int]] = []

        def execute(text: str, parameters: Sequence[Any]) -> Rows:
            if "INTO counter" not in text:
                return []
            firsts, seconds = parameters[1::4], parameters[2::4]
            keys.extend(zip(firsts, seconds, strict=True))
            return [(*key, 100) for key in keys]

        carried_out(posting.post(Batch(tuple(drafts))), execute)
        conversations = sorted({d.conversation for d in drafts})
        logs = sorted((person.number, 0) for person in people)
        self.assertEqual([*conversations, *logs], keys)


def resumed(operation: Operation[T], rows: Rows) -> Operation[T]:
    """The rest of an operation whose first statement answered with ``rows``."""
    try:
        statement = operation.send(rows)
        while True:
            statement = operation.send((yield statement))
    except StopIteration as stop:
        result: T = stop.value
        return result
