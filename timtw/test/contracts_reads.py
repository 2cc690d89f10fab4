"""What every storage engine must do with read marks; see contracts."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from twisted.internet.defer import gatherResults

from timtw.model.idents import node_of
from timtw.model.values import Address, Conversation, Expiring, Read
from timtw.test.contracts import ADA, BOB, CYD, NOW, PAIR, MessageLogs, draft
from timtw.test.contracts_keeping import expire

OTHER = Conversation.between(BOB.number, CYD.number)


class ReadContract(MessageLogs):
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
