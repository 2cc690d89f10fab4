"""Devices in the file, beside which there is a journal."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from timtw.model.errors import StorageUnavailable
from timtw.model.progress import ReaderState
from timtw.model.values import Device
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.posting import Posting
from timtw.shards.sqlite.readonly import ReadOnlyReaders
from timtw.shards.sqlite.writer import Writer
from timtw.shards.tables.dialects import SQLITE
from timtw.shards.tables.readers import Readers


class SqliteReaders(Readers):
    """Knows what is in the journal; where nothing can be written it only reads.

    Args:
        unwritable: Is asked where the writer fails.
    """

    def __init__(
        self,
        writer: Writer,
        sealer: Sealer,
        posting: Posting,
        unwritable: ReadOnlyReaders,
    ) -> None:
        super().__init__(writer.run, SQLITE, sealer)
        self._posting = posting
        self._unwritable = unwritable

    def _cursor(self, account: int, device: bytes, stored: int) -> int:
        """See ``Readers``."""
        return self._posting.cursors.cursor(account, device, stored)

    def _in_room(self, account: int, device: bytes, room: int, stored: int) -> int:
        """See ``Readers``."""
        return self._posting.cursors.in_room(account, device, room, stored)

    def _head(self, owner: int, stored: int) -> int:
        """See ``Readers``."""
        return self._posting.head(owner, stored)

    def _forgotten(self, account: int, device: bytes) -> None:
        """See ``Readers``."""
        self._posting.cursors.forget_reader(account, device)

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def unwritten(failure: Failure) -> Deferred[ReaderState]:
            failure.trap(StorageUnavailable)
            return self._unwritable.open(account, device)

        return super().open(account, device, now).addErrback(unwritten)
