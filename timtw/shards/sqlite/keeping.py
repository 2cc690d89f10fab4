"""Deleting what is too old from the file, beside which there is a journal."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from timtw.shards.sqlite.posting import Posting
from timtw.shards.sqlite.reader import ReadPool
from timtw.shards.sqlite.writer import Writer
from timtw.shards.tables.dialects import SQLITE
from timtw.shards.tables.keeping import Keeping


class SqliteKeeping(Keeping):
    """Looks in the threads that read, and troubles the writing one only to delete.

    A round begins when the journal has nothing old any more: what lies there and in
    the tables would be brought back by a move that begins again.
    """

    def __init__(self, writer: Writer, reader: ReadPool, posting: Posting) -> None:
        super().__init__(reader.run, writer.run, SQLITE)
        self._submit = writer.submit
        self._posting = posting

    def _settled(self, before: int) -> Deferred[bool]:
        """See ``Keeping``."""
        return self._submit(lambda _connection: not self._posting.hasten(before))

    def _cursor(self, account: int, device: bytes, stored: int) -> int:
        """See ``Keeping``."""
        return self._posting.cursors.cursor(account, device, stored)

    def _forgotten(self, account: int, device: bytes) -> None:
        """See ``Keeping``."""
        self._posting.cursors.forget_reader(account, device)
