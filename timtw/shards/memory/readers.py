"""Readers of the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.limits import READERS
from timtw.model.progress import CursorMove, ReaderState, RoomState
from timtw.model.stores import IReaderStore, Reader
from timtw.model.values import Device
from timtw.shards.digests import Digests
from timtw.shards.memory.standings import Submit


class Logs(Protocol):
    """Where logs begin and end."""

    def head(self, account: int) -> int:
        """The newest number of a log."""

    def low(self, account: int) -> int:
        """Up to which number everything in a log has expired."""


@attrs.define(eq=False)
class _Reader:
    """How far a device has read."""

    cursor: int
    seen: int
    stuck_seq: int = 0
    stuck_count: int = 0
    rooms: dict[int, int] = attrs.Factory(dict)


@implementer(IReaderStore)
class MemoryReaders:
    """Devices and cursors in dictionaries."""

    joined: Callable[[int], Mapping[int, int]]
    """The rooms of an account, and the ends of their logs when it joined."""

    def __init__(self, submit: Submit, digests: Digests, logs: Logs) -> None:
        self._submit = submit
        self._digests = digests
        self._logs = logs
        self._accounts: dict[int, dict[bytes, _Reader]] = {}
        self._sessions: dict[int, int] = {}

    def open(self, account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """See ``IReaderStore``."""

        def operation() -> ReaderState:
            readers = self._accounts.setdefault(account, {})
            key = self._digests.device(account, device)
            reader = readers.get(key)
            if reader is None:
                cursor = max((other.cursor for other in readers.values()), default=0)
                reader = readers[key] = _Reader(cursor, now)
                for one in readers.values():
                    for room, reached in one.rooms.items():
                        reader.rooms[room] = max(reached, reader.rooms.get(room, 0))
                others = sorted((r.seen, k) for k, r in readers.items() if k != key)
                for _seen, other in others[: max(0, len(others) - (READERS - 1))]:
                    del readers[other]
            reader.seen = now
            session = self._sessions[account] = self._sessions.get(account, 0) + 1
            return ReaderState(
                key,
                reader.cursor,
                self._logs.head(account),
                reader.stuck_seq,
                reader.stuck_count,
                self._logs.low(account),
                session,
                self._stands(account, reader),
            )

        return self._submit(operation)

    def _stands(self, account: int, reader: _Reader) -> tuple[RoomState, ...]:
        """Where a device stands in the rooms of its account."""
        logs = self._logs
        return tuple(
            RoomState(
                room,
                max(joined, reader.rooms.get(room, 0)),
                logs.head(room),
                logs.low(room),
            )
            for room, joined in self.joined(account).items()
        )

    def seen(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""

        def operation() -> None:
            for account, key in readers:
                reader = self._accounts.get(account, {}).get(key)
                if reader is not None:
                    reader.seen = max(reader.seen, now)

        return self._submit(operation)

    def forget(self, before: int) -> list[Reader]:
        """
        Forget those not seen since, but not who has confirmed most of an account.

        Returns: Those not seen since, forgotten or not.
        """
        unseen: list[Reader] = []
        for account, readers in self._accounts.items():
            best = max(
                readers, key=lambda key: (readers[key].cursor, readers[key].seen)
            )
            for key in [key for key, one in readers.items() if one.seen < before]:
                unseen.append((account, key))
                if key != best:
                    del readers[key]
        return unseen

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``."""

        def operation() -> int:
            reader = self._accounts.get(account, {}).get(key)
            if reader is None:
                return 1
            again = reader.stuck_seq == seq
            reader.stuck_count = reader.stuck_count + 1 if again else 1
            reader.stuck_seq = seq
            return reader.stuck_count

        return self._submit(operation)

    def reached(self, account: int) -> int:
        """Up to where the log is confirmed by a device, or no more kept."""
        readers = self._accounts.get(account, {}).values()
        low = self._logs.low(account)
        return max([low, *[reader.cursor for reader in readers]])

    def move(self, move: CursorMove) -> None:
        """Raise a cursor; a reader that was forgotten stays forgotten."""
        reader = self._accounts.get(move.account, {}).get(move.key)
        if reader is None:
            return
        if move.room:
            cursor = max(reader.rooms.get(move.room, 0), move.cursor)
            reader.rooms[move.room] = cursor
        else:
            reader.cursor = max(reader.cursor, move.cursor)
