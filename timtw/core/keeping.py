"""How long things are kept: rounds through all of storage, a step at a time.

A round goes through the logs, then the conversations, then the devices. In that order
a text is not gone before the beginnings of the logs that held it are known to be.
Devices that are connected are noted as seen once a day before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.stores import DONE, IShard, Reader
from timtw.model.values import Expiring

_DAY: Final = 24 * 3600 * 1_000_000_000
"""Nanoseconds."""


class Keeping:
    """Lets storage delete what is older than an operator wants.

    A round begins ``KEEP_SECONDS`` after the end of the last one. One that fails is
    made again, from its beginning: what it has deleted it does not meet again.
    """

    _log = Logger()

    def __init__(
        self,
        shard: IShard,
        settings: Settings,
        present: Callable[[], Sequence[Reader]],
        clock: IReactorTime,
        time_ns: Callable[[], int],
    ) -> None:
        """
        Args:
            present: The devices that are connected to this node.
            time_ns: The time of day, nanoseconds since 1970.
        """
        self._shard = shard
        self._settings = settings
        self._present = present
        self._clock = clock
        self._time_ns = time_ns
        self._call: IDelayedCall | None = None
        self._round: Deferred[None] | None = None
        self._seen_at = clock.seconds()

    def start(self) -> None:
        """Begin, if anything is not kept for ever."""
        if self._ages():
            self._call = self._clock.callLater(limits.KEEP_SECONDS, self._begin)

    def stop(self) -> None:
        """No further step is begun."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self._round is not None:
            self._round.cancel()

    def _ages(self) -> dict[Expiring, int]:
        """The days after which each kind goes, in the order of a round."""
        settings = self._settings
        lasting = (settings.keep_days, settings.keep_unread_days)
        ages = {
            # Nothing waits longer than it is kept.
            Expiring.ENTRIES: min([days for days in lasting if days], default=0),
            Expiring.TEXTS: settings.keep_days,
            Expiring.DEVICES: settings.forget_devices_days,
        }
        return {what: days for what, days in ages.items() if days}

    def _begin(self) -> None:
        self._call = None
        self._round = Deferred.fromCoroutine(self._go_round())
        _ = self._round.addErrback(self._failed).addCallback(self._done)

    def _failed(self, failure: Failure) -> bool:
        """Only a fault of ours is worth a line; whether the node is stopping."""
        if failure.check(CancelledError):
            return True
        if not failure.check(StorageUnavailable):
            self._log.failure("what is too old was not deleted", failure)
        return False

    def _done(self, is_over: bool | None) -> None:
        self._round = None
        if not is_over:
            self.start()

    async def _go_round(self) -> None:
        """Delete whatever is too old now."""
        ages = self._ages()
        now = self._time_ns()
        if Expiring.DEVICES in ages:
            await self._note_present(now)
        for what, days in ages.items():
            before, place = now - days * _DAY, DONE
            while True:
                place = await self._shard.keeping.expire(what, before, place)
                if place == DONE:
                    break
                await self._pause()

    async def _note_present(self, now: int) -> None:
        """Once a day: those that are connected are not away."""
        if self._clock.seconds() < self._seen_at + limits.SEEN_SECONDS:
            return
        present = self._present()
        for start in range(0, len(present), limits.SEEN_DEVICES):
            some = present[start : start + limits.SEEN_DEVICES]
            await self._shard.readers.seen(some, now)
            await self._pause()
        self._seen_at = self._clock.seconds()

    def _pause(self) -> Deferred[Any]:
        return deferLater(self._clock, limits.KEEP_STEP_SECONDS)
