"""What every storage engine must do with relations of accounts; see contracts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random

import attrs
from twisted.internet.defer import gatherResults

from timtw.model.errors import (
    AlreadyFriends,
    BadParameter,
    BlockedByOther,
    PermissionDenied,
)
from timtw.model.idents import node_of
from timtw.model.posting import Batch, Changed
from timtw.model.progress import CursorMove
from timtw.model.relations import FRIENDS, REMOVED, REQUEST, Bond, Step
from timtw.model.values import NOTICE, Address, Conversation, Draft
from timtw.shards.memory import relations as memory_relations
from timtw.shards.tables import relations
from timtw.test.contracts import (
    ADA,
    BOB,
    CYD,
    NOW,
    PAIR,
    PHONE,
    MessageLogs,
    draft,
    mids,
    stored,
)
from timtw.test.relationmodel import State, possible


def step(
    what: Step, sender: Address = ADA, recipient: Address = BOB, text: str = "it is me"
) -> Draft:
    """The wish to change a relation."""
    return attrs.evolve(draft(text, sender, recipient), kind=NOTICE, mid=what)


class RelationContract(MessageLogs):
    """What every store must do when accounts befriend and block each other."""

    async def change(self, *drafts: Draft) -> list[Changed]:
        """Take these steps, one after the other."""
        outcomes = []
        for one in drafts:
            (outcome,) = await self.outcomes(one)
            assert isinstance(outcome, Changed), outcome
            outcomes.append(outcome)
        return outcomes

    async def notices(self, account: Address, after: int = 0) -> list[int]:
        """What an account is told of its relations, by its log."""
        page = await self.log(account, after=after)
        return [e.message.mid for e in page.entries if e.message.kind == NOTICE]

    async def bond(self) -> Bond:
        """What Ada and Bob are to each other."""
        return (await self.shard.relations.bonds([PAIR]))[PAIR]

    async def lists(self, account: Address) -> tuple[Sequence[int], Sequence[int]]:
        """The friends of an account, and whom it blocks."""
        store = self.shard.relations
        number = account.number
        friends = (await store.rosters([number]))[number]
        return [*friends], [*await store.blocked(number)]

    async def test_request(self) -> None:
        """
        A request is in the log of whom it is for, whole, and makes nobody a friend.
        """
        await self.post(draft("1"))
        wish = step(Step.ASK)
        (done,) = await self.change(wish)
        (posted,) = done.told
        told = posted.message
        self.assertEqual((0, 2), (posted.sender_seq, posted.recipient_seq))
        self.assertEqual((NOTICE, REQUEST), (told.kind, told.mid))
        self.assertEqual((ADA, BOB), (told.sender, told.recipient))
        self.assertEqual((wish.content, NOW), (told.content, told.timestamp))
        (entry,) = (await self.log(BOB, after=1)).entries
        self.assertEqual((stored(told), False), (entry.message, entry.own))
        self.assertEqual([1], [e.seq for e in (await self.log(ADA)).entries])
        self.assertEqual(Bond.STRANGERS, await self.bond())
        self.assertEqual([1], await self.history())
        self.assertEqual([2], mids(await self.post(draft("2"))))

    async def test_acceptance(self) -> None:
        """
        Whoever asks back is a friend at once, and both logs have the same notice.
        """
        _, done = await self.change(step(Step.ASK), step(Step.ASK, BOB, ADA, "hello"))
        (told,) = done.told
        self.assertEqual((2, 1), (told.sender_seq, told.recipient_seq))
        self.assertEqual([FRIENDS], await self.notices(ADA))
        self.assertEqual([REQUEST, FRIENDS], await self.notices(BOB))
        page = await self.log(ADA)
        self.assertEqual(stored(told.message), page.entries[0].message)
        self.assertFalse(page.entries[0].own)
        self.assertEqual(Bond.FRIENDS, await self.bond())
        self.assertEqual(([BOB.number], []), await self.lists(ADA))
        self.assertEqual(([ADA.number], []), await self.lists(BOB))

    async def test_already_friends(self) -> None:
        """
        Who asks a friend is told so, and the friend gets one more notice, but for one
        that still waits there.
        """
        await self.change(step(Step.ASK), step(Step.ASK, BOB, ADA))
        (again,) = await self.change(step(Step.ASK))
        self.assertIsInstance(again.refusal, AlreadyFriends)
        self.assertEqual([REQUEST, FRIENDS, FRIENDS], await self.notices(BOB))
        self.assertEqual([FRIENDS], await self.notices(ADA))
        (more,) = await self.change(step(Step.ASK))
        self.assertIsInstance(more.refusal, AlreadyFriends)
        self.assertEqual((), more.told)
        self.assertEqual(Bond.FRIENDS, await self.bond())

    async def test_r6_one_request_waits(self) -> None:
        """
        A request is told again only after a device has confirmed the last one.
        """
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        await self.change(step(Step.ASK), step(Step.ASK), step(Step.ASK))
        self.assertEqual([REQUEST], await self.notices(BOB))
        move = CursorMove(BOB.number, state.key, 1)
        await self.shard.messages.post(Batch(cursors=(move,)))
        await self.change(step(Step.ASK), step(Step.ASK))
        self.assertEqual([REQUEST, REQUEST], await self.notices(BOB))
        self.assertEqual(Bond.STRANGERS, await self.bond())

    async def test_r1_asking_twice(self) -> None:
        """
        Who asks twice is nobody's friend, and on no list.
        """
        await self.change(step(Step.ASK), step(Step.ASK))
        self.assertEqual(([], []), await self.lists(ADA))
        self.assertEqual(([], []), await self.lists(BOB))

    async def test_end(self) -> None:
        """
        Either side ends a friendship for both, or takes a request back; once.
        """
        await self.change(step(Step.ASK), step(Step.ASK, BOB, ADA))
        await self.change(step(Step.LEAVE, BOB, ADA))
        self.assertEqual([FRIENDS, REMOVED], await self.notices(ADA))
        self.assertEqual(([], []), await self.lists(ADA))
        (again,) = await self.change(step(Step.LEAVE, BOB, ADA))
        self.assertIsInstance(again.refusal, BadParameter)
        self.assertEqual(Bond.STRANGERS, await self.bond())
        await self.change(step(Step.ASK), step(Step.LEAVE), step(Step.ASK, BOB, ADA))
        self.assertEqual(Bond.STRANGERS, await self.bond())

    async def test_block(self) -> None:
        """
        A block ends the friendship and is told to nobody; it is there until it is
        lifted, and what was agreed before it is forgotten.
        """
        await self.change(step(Step.ASK), step(Step.ASK, BOB, ADA))
        (done,) = await self.change(step(Step.BLOCK))
        self.assertEqual(((), None), (done.told, done.refusal))
        self.assertEqual(Bond.BLOCKED, await self.bond())
        self.assertEqual(([], [BOB.number]), await self.lists(ADA))
        self.assertEqual(([], []), await self.lists(BOB))
        (asked,) = await self.change(step(Step.ASK, BOB, ADA))
        self.assertIsInstance(asked.refusal, BlockedByOther)
        self.assertEqual([FRIENDS], await self.notices(ADA))
        self.assertEqual([REQUEST, FRIENDS], await self.notices(BOB))
        await self.change(step(Step.LEAVE))
        self.assertEqual(Bond.STRANGERS, await self.bond())
        self.assertEqual(([], []), await self.lists(ADA))

    async def test_r3_asking_lifts_the_block(self) -> None:
        """
        Who asks somebody blocked lifts the block wholly, and both start from nothing.
        """
        await self.change(step(Step.ASK), step(Step.ASK, BOB, ADA), step(Step.BLOCK))
        await self.change(step(Step.ASK))
        self.assertEqual(([], []), await self.lists(ADA))
        self.assertEqual(Bond.STRANGERS, await self.bond())
        self.assertEqual([REQUEST, FRIENDS, REQUEST], await self.notices(BOB))

    async def test_r4_mutual_blocks(self) -> None:
        """
        Each side lists and lifts its own block, and never that of the other.
        """
        await self.change(step(Step.BLOCK), step(Step.BLOCK, BOB, ADA))
        self.assertEqual(([], [BOB.number]), await self.lists(ADA))
        self.assertEqual(([], [ADA.number]), await self.lists(BOB))
        (lifted,) = await self.change(step(Step.LEAVE))
        self.assertEqual(((), None), (lifted.told, lifted.refusal))
        self.assertEqual(([], []), await self.lists(ADA))
        self.assertEqual(([], [ADA.number]), await self.lists(BOB))
        await self.change(step(Step.LEAVE))
        self.assertEqual(Bond.BLOCKED, await self.bond())

    async def test_lists(self) -> None:
        """
        Lists have all of an account, whoever of a pair has the larger number.
        """
        everybody = [ADA, BOB, CYD]
        for one in everybody:
            for other in everybody:
                if one is not other:
                    await self.change(step(Step.ASK, one, other))
        for one in everybody:
            others = sorted(two.number for two in everybody if two is not one)
            self.assertEqual((others, []), await self.lists(one))
        await self.change(step(Step.BLOCK, CYD, ADA), step(Step.BLOCK, CYD, BOB))
        both = sorted([ADA.number, BOB.number])
        self.assertEqual(([], both), await self.lists(CYD))
        self.assertEqual(([BOB.number], []), await self.lists(ADA))
        store = self.shard.relations
        many = [one.number for one in (*everybody, Address(4, node_of(4), "here"))]
        expected = {ADA.number: [BOB.number], BOB.number: [ADA.number]}
        rosters = await store.rosters(many)
        self.assertEqual({**{number: [] for number in many}, **expected}, rosters)
        pairs = [Conversation.between(*two) for two in combinations(many, 2)]
        expected_bonds = dict.fromkeys(pairs, Bond.STRANGERS)
        expected_bonds[PAIR] = Bond.FRIENDS
        for other in (ADA, BOB):
            pair = Conversation.between(CYD.number, other.number)
            expected_bonds[pair] = Bond.BLOCKED
        self.assertEqual(expected_bonds, await store.bonds(pairs))
        self.assertEqual(({}, {}), (await store.rosters([]), await store.bonds([])))

    async def open_requests(self, account: Address) -> tuple[list[int], list[int]]:
        """Who has asked an account, and whom it has asked, without an answer."""
        store = self.shard.relations
        number = account.number
        return [*await store.asking(number)], [*await store.asked(number)]

    async def test_open_requests(self) -> None:
        """
        A request is listed on both sides until it is answered, taken back or blocked.
        """
        await self.change(
            step(Step.ASK), step(Step.ASK, CYD, ADA), step(Step.ASK, CYD, BOB)
        )
        ada, bob, cyd = ADA.number, BOB.number, CYD.number
        self.assertEqual(([cyd], [bob]), await self.open_requests(ADA))
        self.assertEqual((sorted([ada, cyd]), []), await self.open_requests(BOB))
        self.assertEqual(([], sorted([ada, bob])), await self.open_requests(CYD))
        await self.change(
            step(Step.ASK, ADA, CYD), step(Step.LEAVE), step(Step.BLOCK, BOB, CYD)
        )
        for one in (ADA, BOB, CYD):
            self.assertEqual(([], []), await self.open_requests(one))

    async def test_as_many_requests_as_are_listed(self) -> None:
        """
        Of very many who have asked, a list has only so many.
        """
        await self.change(step(Step.ASK, BOB, ADA), step(Step.ASK, CYD, ADA))
        for module in (memory_relations, relations):
            self.patch(module, "RELATIONS", 1)
        asking, _ = await self.open_requests(ADA)
        self.assertEqual([min(BOB.number, CYD.number)], asking)

    async def test_as_many_as_may_be(self) -> None:
        """
        One more friend, request or block than there may be is refused, until another
        one has ended; and nobody is kept from being asked.
        """
        for module in (memory_relations, relations):
            self.patch(module, "RELATIONS", 2)
        dan = Address(4, node_of(4), "here")
        await self.change(step(Step.ASK), step(Step.BLOCK, ADA, CYD))
        asked, blocked, other = await self.change(
            step(Step.ASK, ADA, dan),
            step(Step.BLOCK, ADA, dan),
            step(Step.ASK, dan, ADA),
        )
        self.assertIsInstance(asked.refusal, PermissionDenied)
        self.assertIsInstance(blocked.refusal, PermissionDenied)
        self.assertIsNone(other.refusal)
        await self.change(step(Step.LEAVE, ADA, CYD))
        (accepted,) = await self.change(step(Step.ASK, ADA, dan))
        self.assertIsNone(accepted.refusal)
        self.assertEqual(([4], []), await self.lists(ADA))

    async def test_in_one_commit(self) -> None:
        """
        Steps and texts may share a commit; each is answered, logs have no gaps.
        """
        outcomes = await self.outcomes(
            draft("1"),
            step(Step.ASK),
            step(Step.ASK, BOB, ADA),
            step(Step.LEAVE, BOB, CYD),
            draft("2"),
            step(Step.BLOCK, BOB, ADA),
        )
        found = [getattr(one, "refusal", None) for one in outcomes]
        self.assertEqual([3], [n for n, one in enumerate(found) if one is not None])
        page = await self.log(BOB)
        self.assertEqual([1, 2, 3, 4], [entry.seq for entry in page.entries])
        self.assertEqual(Bond.BLOCKED, await self.bond())
        self.assertEqual([1, 2], mids([outcomes[0], outcomes[4]]))

    async def test_r7_at_the_same_time(self) -> None:
        """
        Both asking, blocking and leaving at once end in a state that can be.
        """
        wishes = [
            step(what, *who)
            for what in (Step.ASK, Step.BLOCK, Step.ASK, Step.LEAVE, Step.ASK)
            for who in ((ADA, BOB), (BOB, ADA))
        ]
        post = self.shard.messages.post
        await gatherResults([post(Batch((wish,))) for wish in wishes])
        bond = await self.bond()
        (friends, blocks), (theirs, others) = (
            await self.lists(ADA),
            await self.lists(BOB),
        )
        self.assertEqual(bool(friends), bool(theirs))
        self.assertEqual(bool(friends), bond is Bond.FRIENDS)
        self.assertEqual(bool(blocks or others), bond is Bond.BLOCKED)
        for account in (ADA, BOB):
            page = await self.log(account)
            seqs = [entry.seq for entry in page.entries]
            self.assertEqual([*range(1, len(seqs) + 1)], seqs)

    async def state(self) -> State:
        """What Ada and Bob have said of each other, as their lists show it."""
        found = []
        for me, other in ((ADA, BOB), (BOB, ADA)):
            friends, blocks = await self.lists(me)
            asked = await self.shard.relations.asked(me.number)
            asks = other.number in friends or other.number in asked
            self.assertFalse(blocks and asks)
            found.append("blocks" if blocks else "asks" if asks else "")
        return found[0], found[1]

    async def test_against_a_model(self) -> None:
        """
        Whatever both do, also on two nodes at once, ends in a state that can be.
        """
        chance = Random(7)
        nodes = (self.shard, await self.other_node())
        people = ((ADA, BOB), (BOB, ADA))
        now: State = ("", "")
        for _ in range(80):
            sides = chance.sample((0, 1), chance.choice((1, 2)))
            moves = [(side, chance.choice(tuple(Step))) for side in sides]
            await gatherResults(
                [
                    node.messages.post(Batch((step(what, *people[side]),)))
                    for node, (side, what) in zip(nodes, moves, strict=False)
                ]
            )
            before, now = now, await self.state()
            self.assertIn(now, possible({before}, *moves), (before, moves))
