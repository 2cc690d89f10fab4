"""Messages that are there before a node starts."""

from __future__ import annotations

import time

from benchmarks.people import DEVICE, Person, Preparation
from benchmarks.storage import Traffic
from timtw.model.posting import Batch
from timtw.model.progress import CursorMove
from timtw.model.stores import IShard

TOGETHER = 500
"""Messages of one commit."""


def remembered(count: int, talking: int) -> Preparation:
    """
    What stores so many messages among all accounts, each of which has ten friends.

    Args:
        talking: So many accounts, the first ones, have read everything.
    """

    async def store(shard: IShard, people: list[Person]) -> None:
        traffic = Traffic([person.address for person in people])
        for first in range(0, count, TOGETHER):
            drafts = traffic.drafts(min(TOGETHER, count - first))
            await shard.messages.post(Batch(tuple(drafts), ()))
        moves = []
        for person in people[:talking]:
            number = person.address.number
            state = await shard.readers.open(number, DEVICE, time.time_ns())
            moves.append(CursorMove(number, state.key, state.head, ()))
        await shard.messages.post(Batch((), tuple(moves)))

    return store
