"""Finding out whether a transaction took place whose COMMIT was not answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from timtw.model.limits import DATABASE_DOUBT_SECONDS
from timtw.shards.server.links import Collision, InDoubt, Link, Outage
from timtw.shards.server.pausing import Pauses
from timtw.shards.tables.operations import Begin

Connect: TypeAlias = Callable[[], "Deferred[Link]"]
"""Makes a link; fails with Outage."""
Look: TypeAlias = Callable[[bytes], Begin[int]]
"""The operation that reads the number of a mark, when nobody changes it any more."""


class Doubts:
    """Looks for the marks of transactions, on links that have nothing to do with them.

    Args:
        adopt: Takes a link that has served.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Connect,
        look: Look,
        clock: IReactorTime,
        chance: Callable[[], float],
        adopt: Callable[[Link], None],
    ) -> None:
        self._connect = connect
        self._look = look
        self._clock = clock
        self._chance = chance
        self._adopt = adopt
        self._stopped = False

    def stop(self) -> None:
        """Whatever is not known soon is not waited for."""
        self._stopped = True

    async def was_stored(self, doubt: InDoubt) -> bool | None:
        """Whether a transaction took place; ``None`` if nobody can tell in time."""
        self._log.warn("a commit was not answered: {why}", why=str(doubt))
        last = self._clock.seconds() + DATABASE_DOUBT_SECONDS
        pauses = Pauses(self._chance)
        while not self._stopped and self._clock.seconds() < last:
            try:
                number = await self._number_of(doubt)
            except (Outage, Collision):
                await deferLater(self._clock, pauses.next())
                continue
            return number >= doubt.mark.number
        self._log.error("it is not known whether a commit took place")
        return None

    async def _number_of(self, doubt: InDoubt) -> int:
        """The number of the last write that was stored under a mark."""
        link = await self._connect()
        try:
            number = await link.read(self._look(doubt.mark.ident))
        except Collision:
            link.close()
            raise
        self._adopt(link)
        return number
