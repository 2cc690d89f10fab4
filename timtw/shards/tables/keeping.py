"""Deleting what is older than it may be from tables, a little at a time.

A step looks among the next keys, and writes only if it has found something. Where
several nodes do this in one database each finds what the others have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.limits import CLEAN_BYTES, CLEAN_ROWS
from timtw.model.stores import DONE, IKeeping, Place
from timtw.model.values import Expiring
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.keeping_statements import (
    DeviceStatements,
    KeepingStatements,
    Walk,
)
from timtw.shards.tables.operations import Operation, Run
from timtw.shards.tables.room_readers import RoomReaderStatements
from timtw.shards.tables.statements import ReaderStatements

_START: Final[Place] = (-1, 0, 0)
"""Before every key, as no slot is negative."""
_START_DEVICES: Final[Place] = (-1, 0, b"")

_Old: TypeAlias = tuple[Place, int]
"""The key of a counter, and up to which number everything has expired before."""


@implementer(IKeeping)
class Keeping:
    """See ``IKeeping``; an engine may know more than its tables."""

    def __init__(self, read: Run, write: Run, sql: Sql) -> None:
        self._read = read
        self._write = write
        self._statements = sql.made(KeepingStatements)
        self._devices = sql.made(DeviceStatements)
        self._readers = sql.made(ReaderStatements)
        self._rooms = sql.made(RoomReaderStatements)

    def expire(self, what: Expiring, before: int, place: Place) -> Deferred[Place]:
        """See ``IKeeping``."""
        if what is Expiring.DEVICES:
            step = self._step_devices(before, place or _START_DEVICES)
        elif what is Expiring.ENTRIES:
            step = self._step(self._statements.entries, before, place or _START)
        else:
            step = self._step(self._statements.texts, before, place or _START)
        return Deferred.fromCoroutine(step)

    # What an engine may know better.

    def _settled(self, before: int) -> Deferred[bool]:
        """Whether everything older lies in the tables; if not, it soon will."""
        return succeed(True)

    def _cursor(self, account: int, device: bytes, stored: int) -> int:
        """The cursor of a reader in whose row ``stored`` stands."""
        return stored

    def _forgotten(self, account: int, device: bytes) -> None:
        """The row of this reader is deleted."""

    # Entries and texts.

    async def _step(self, walk: Walk, before: int, place: Place) -> Place:
        """One step through a table."""
        if place == _START and not await self._settled(before):
            return _START
        old, end = await self._read(lambda: self._look(walk, before, place))
        if not old:
            return end
        return await self._write(lambda: self._drop(walk, before, old, place, end))

    def _look(
        self, walk: Walk, before: int, place: Place
    ) -> Operation[tuple[Sequence[_Old], Place]]:
        """Those of the next counters with something old, and where to go on."""
        rows = yield walk.look, (place[0], *place, CLEAN_ROWS)
        old = [
            (tuple(key), low)
            for *key, low, oldest in rows
            if oldest is not None and oldest < before
        ]
        return old, tuple(rows[-1][:3]) if len(rows) == CLEAN_ROWS else DONE

    def _drop(
        self, walk: Walk, before: int, old: Sequence[_Old], place: Place, end: Place
    ) -> Operation[Place]:
        """Delete old rows, as many as fit into one step; where to go on."""
        rows, octets = CLEAN_ROWS, CLEAN_BYTES
        for counter, low in old:
            key = counter[: walk.key]
            up_to, full = low, False
            for number, ts, size in (yield walk.oldest, (*key, low, rows + 1)):
                full = ts < before and (not rows or octets <= 0)
                if ts >= before or full:
                    break
                rows, octets, up_to = rows - 1, octets - size, number
            if up_to > low:
                # The counter first, as commits of messages lock it first.
                yield self._statements.raise_low, (up_to, *counter, up_to)
                yield walk.drop, (*key, low, up_to)
            if full:
                return place
            place = counter
        return end

    # Devices.

    async def _step_devices(self, before: int, place: Place) -> Place:
        """One step through the readers."""
        accounts, end = await self._read(lambda: self._look_devices(before, place))
        if accounts:
            await self._write(lambda: self._forget(before, accounts))
        return end

    def _look_devices(
        self, before: int, place: Place
    ) -> Operation[tuple[Sequence[int], Place]]:
        """Accounts with something to forget among the next, and where to go on."""
        rows = yield self._devices.look, (place[0], *place, CLEAN_ROWS)
        old = {account for _, account, _, seen, more in rows if more and seen < before}
        return sorted(old), tuple(rows[-1][:3]) if len(rows) == CLEAN_ROWS else DONE

    def _forget(self, before: int, accounts: Sequence[int]) -> Operation[None]:
        """Forget the devices of these accounts that were not seen since."""
        for account in accounts:
            slot = slot_of(account)
            rows = yield self._readers.read_readers, (slot, account)
            stands = [
                (self._cursor(account, device, cursor), seen, device)
                for device, cursor, seen, *_stuck in rows
            ]
            best = max(stands, default=None)
            for stand in sorted(stands, key=lambda one: one[2]):
                _cursor, seen, device = stand
                if seen >= before:
                    continue
                key = (slot, account, device, before)
                yield self._devices.drop_credential, key
                if stand != best:
                    yield self._devices.drop_reader, key
                    yield self._rooms.drop_forgotten, key[:2]
                    self._forgotten(account, device)
