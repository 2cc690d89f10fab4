"""Steps that fail in the middle leave nothing: on a SQLite file that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from timtw.model.posting import Batch
from timtw.model.relations import Bond, Step
from timtw.model.rooms import Belonging
from timtw.model.roomsteps import RoomStep
from timtw.model.values import Draft
from timtw.shards.sqlite.shard import SqliteShard
from timtw.test.contracts import ADA, BOB, PAIR
from timtw.test.contracts_relations import step
from timtw.test.contracts_rooms import about, create
from timtw.test.test_shards_sqlite import FileCase


class HalvesTests(FileCase):
    """Whatever a step writes is written together."""

    @contextmanager
    def broken(self, table: str) -> Iterator[None]:
        """Nothing can be written to a table meanwhile."""
        events = ("INSERT", "UPDATE", "DELETE")
        for event in events:
            self.sql(
                f"CREATE TRIGGER broken_{event} BEFORE {event} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
        try:
            yield
        finally:
            for event in events:
                self.sql(f"DROP TRIGGER broken_{event}")

    async def fails(self, shard: SqliteShard, wish: Draft) -> None:
        """A step is not taken, and nobody is told of it."""
        numbers = (ADA.number, BOB.number)
        before = await shard.messages.heads(numbers)
        await self.assertFailure(shard.messages.post(Batch((wish,))), Exception)
        self.assertEqual(before, await shard.messages.heads(numbers))

    async def test_r7_half_a_relation(self) -> None:
        """
        Where the relation or its notice cannot be stored neither is, then both are.
        """
        shard = await self.opened()
        await shard.messages.post(Batch((step(Step.ASK),)))
        accepts = step(Step.ASK, BOB, ADA)
        relations = shard.relations
        for table in ("relation", "journal"):
            with self.broken(table):
                await self.fails(shard, accepts)
            self.assertEqual({PAIR: Bond.STRANGERS}, await relations.bonds([PAIR]))
            self.assertEqual([BOB.number], await relations.asked(ADA.number))
        await shard.messages.post(Batch((accepts,)))
        self.assertEqual({PAIR: Bond.FRIENDS}, await relations.bonds([PAIR]))

    async def test_g12_half_a_room(self) -> None:
        """
        There is no room without its founder, no membership without a notice, and one
        founder while a room is handed over.
        """
        shard = await self.opened()
        wish = create()
        room = wish.content.room
        for table in ("room", "room_member"):
            with self.broken(table):
                await self.fails(shard, wish)
            self.assertIsNone(await shard.rooms.room(room))
            self.assertEqual([], await shard.rooms.rooms_of(ADA.number))
        await shard.messages.post(Batch((wish,)))
        pulls = about(RoomStep.PULL_IN, room, ADA, BOB)
        for table in ("room", "room_member", "journal"):
            with self.broken(table):
                await self.fails(shard, pulls)
            nothing = await shard.rooms.belonging(room, BOB.number)
            self.assertEqual(Belonging(), nothing)
        await shard.messages.post(Batch((pulls,)))
        both = await shard.rooms.members(room, None, 9)
        with self.broken("room"):
            await self.fails(shard, about(RoomStep.HAND_OVER, room, ADA, BOB))
        self.assertEqual(both, await shard.rooms.members(room, None, 9))
