"""What every storage engine must do with read marks; see contracts."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from twisted.internet.defer import gatherResults

from timtw.model.idents import node_of
from timtw.model.progress import Read
from timtw.model.rooms import Entry
from timtw.model.roomsteps import RoomStep
from timtw.model.values import Address, Conversation, Expiring
from timtw.test.contracts import ADA, BOB, CYD, NOW, PAIR, draft
from timtw.test.contracts_keeping import expire
from timtw.test.contracts_roomlogs import said
from timtw.test.contracts_rooms import RoomLogs, about

OTHER = Conversation.between(BOB.number, CYD.number)


class ReadContract(RoomLogs):
    """What every store must do that knows how far conversations are read."""

    async def raised(self, *marks: tuple[Address, Conversation, int]) -> list[Read]:
        """Raise these marks; those that are higher than before."""
        wanted = [Read(account.number, pair, mid) for account, pair, mid in marks]
        return [*await self.shard.reads.raised(wanted)]

    async def listed(
        self, account: Address, after: Conversation | None = None, limit: int = 9
    ) -> Sequence[Read]:
        """The marks of an account."""
        return [*await self.shard.reads.listed(account.number, after, limit)]

    async def test_marks_never_go_back(self) -> None:
        """
        Who has read up to a text has read it; the newest text is as far as it goes.
        """
        bob, ada = BOB.number, ADA.number
        self.assertEqual([], await self.raised((BOB, PAIR, 1)))
        await self.post(*[draft() for _ in range(5)])
        for mid, expected in ((3, [3]), (2, []), (3, []), (4, [4]), (9, [5]), (9, [])):
            found = await self.raised((BOB, PAIR, mid))
            self.assertEqual([Read(bob, PAIR, one, 5) for one in expected], found, mid)
        found = await self.raised((ADA, PAIR, 1), (ADA, PAIR, 2), (ADA, PAIR, 1))
        self.assertEqual([Read(ada, PAIR, 2, 5)], found)
        both = {Read(bob, PAIR, 5, 5), Read(ada, PAIR, 2, 5)}
        self.assertEqual(both, {*await self.shard.reads.of(PAIR)})
        self.assertEqual([], [*await self.shard.reads.of(OTHER)])
        await self.post(draft())
        self.assertEqual([Read(bob, PAIR, 5, 6)], await self.listed(BOB))
        self.assertEqual([], await self.raised())

    async def test_at_the_same_time(self) -> None:
        """
        Of marks that are raised at the same moment the highest stays.
        """
        await self.post(*[draft() for _ in range(9)])
        mids = (3, 9, 1, 5, 7, 2)
        await gatherResults(
            [self.shard.reads.raised([Read(BOB.number, PAIR, mid)]) for mid in mids]
        )
        self.assertEqual([Read(BOB.number, PAIR, 9, 9)], await self.listed(BOB))

    async def test_list(self) -> None:
        """
        Whatever has been read is listed, piece by piece.
        """
        people = [Address(number, node_of(number), "here") for number in range(10, 15)]
        drafts = [draft("hi", one, BOB) for one in people]
        await self.post(*drafts, drafts[0], draft("hi", CYD, BOB))
        pairs = sorted(Conversation.between(BOB.number, one.number) for one in people)
        await self.raised(*[(BOB, pair, 1) for pair in pairs], (CYD, OTHER, 1))
        expected = sorted([Read(BOB.number, pair, 1, 1) for pair in pairs[1:]])
        expected.append(Read(BOB.number, pairs[0], 1, 2))
        expected.sort(key=lambda one: one.conversation)
        self.assertEqual(expected, await self.listed(BOB))
        first = await self.listed(BOB, None, 2)
        self.assertEqual(expected[:2], first)
        rest = await self.listed(BOB, first[-1].conversation, 4)
        self.assertEqual(expected[2:], rest)
        self.assertEqual([], await self.listed(BOB, rest[-1].conversation, 4))
        self.assertEqual([Read(CYD.number, OTHER, 1, 1)], await self.listed(CYD))

    async def test_expired_counts_as_read(self) -> None:
        """
        Texts that have expired wait for nobody.
        """
        old = [attrs.evolve(draft(), timestamp=NOW - 10) for _ in range(3)]
        await self.post(*old, draft())
        await self.raised((BOB, PAIR, 1))
        await expire(self.shard, Expiring.TEXTS, NOW)
        self.assertEqual([Read(BOB.number, PAIR, 3, 4)], await self.listed(BOB))

    async def test_rooms(self) -> None:
        """
        Whoever is in a room has read what was written before, and then what they say;
        who comes back begins anew, and who is gone has no number.
        """
        room = await self.made()
        place, bob = Conversation.of_room(room), BOB.number
        await self.post(*[said("x", room)] * 2)
        self.assertEqual([], await self.listed(BOB))
        enters = about(RoomStep.PULL_IN, room, ADA, BOB)
        await self.done(enters)
        await self.post(*[said("x", room)] * 3)
        self.assertEqual([Read(bob, place, 2, 5)], await self.listed(BOB))
        for mid, expected in ((4, [4]), (3, []), (4, []), (9, [5])):
            found = await self.raised((BOB, place, mid))
            self.assertEqual([Read(bob, place, one, 5) for one in expected], found, mid)
        await self.post(said("x", room, BOB))
        self.assertEqual([Read(bob, place, 5, 6)], await self.listed(BOB))
        self.assertEqual([Read(ADA.number, place, 0, 6)], await self.listed(ADA))
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        self.assertEqual([], await self.listed(BOB))
        await self.post(*[said("x", room)] * 3)
        await self.done(enters)
        self.assertEqual([Read(bob, place, 9, 9)], await self.listed(BOB))
        await self.post(said("x", room))
        self.assertEqual([Read(bob, place, 9, 10)], await self.listed(BOB))

    async def test_rooms_among_others(self) -> None:
        """
        Marks of rooms and of other conversations are listed together, piece by piece;
        who has asked to come in, or is barred, has none.
        """
        rooms = [await self.made(Entry.PRIVATE, BOB) for _ in range(3)]
        asked, barred = await self.made(), await self.made(Entry.PRIVATE, BOB)
        await self.done(about(RoomStep.JOIN, asked, BOB, text="let me in"))
        await self.done(about(RoomStep.BAR, barred, ADA, BOB))
        await self.post(draft(), draft("hi", CYD, BOB), said("x", rooms[1]))
        places = [PAIR, OTHER, *map(Conversation.of_room, rooms)]
        await self.raised((BOB, PAIR, 1), (BOB, OTHER, 1))
        silent = {Conversation.of_room(rooms[n]) for n in (0, 2)}
        expected = [
            Read(BOB.number, one, int(not one.is_of_room), int(one not in silent))
            for one in sorted(places)
        ]
        self.assertEqual(expected, await self.listed(BOB))
        for size in (1, 2, 3):
            found: list[Read] = []
            piece = await self.listed(BOB, None, size)
            while piece:
                found += piece
                piece = await self.listed(BOB, piece[-1].conversation, size)
            self.assertEqual(expected, found)

    async def test_expired_in_rooms(self) -> None:
        """
        What has expired in a room waits for nobody.
        """
        room = await self.made(Entry.PRIVATE, BOB)
        old = attrs.evolve(said("old", room), timestamp=NOW - 10)
        await self.post(old, old, said("new", room))
        await expire(self.shard, Expiring.TEXTS, NOW)
        place = Conversation.of_room(room)
        self.assertEqual([Read(BOB.number, place, 2, 3)], await self.listed(BOB))
