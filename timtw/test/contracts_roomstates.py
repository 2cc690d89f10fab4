"""What every storage engine must do with rooms as a whole; see contracts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import attrs
from twisted.internet.defer import gatherResults

from timtw.model.errors import (
    BadParameter,
    NotThere,
    PermissionDenied,
    RoomDissolved,
)
from timtw.model.idents import node_of
from timtw.model.limits import MAP_ENTRY_BYTES
from timtw.model.posting import Batch
from timtw.model.relations import Step
from timtw.model.roominfo import RoomInfo
from timtw.model.rooms import Belonging, Entry, Member, Role
from timtw.model.roomsteps import OTHERS, RoomStep
from timtw.model.values import Address, Content, Draft
from timtw.shards.tables import rooming
from timtw.test.contracts import ADA, BOB, CYD, draft
from timtw.test.contracts_relations import step as relation_step
from timtw.test.contracts_rooms import DAN, INFO, RoomLogs, about, change, create
from timtw.test.roommodel import Move, State, part_of, possible


class RoomStateContract(RoomLogs):
    """What every store must do with the state of rooms."""

    async def test_g1_roles_end_with_the_membership(self) -> None:
        """
        A manager who goes, is removed or barred is none, also when coming back.
        """
        ways = {
            BOB: about(RoomStep.LEAVE, 0, BOB),
            CYD: about(RoomStep.REMOVE, 0, ADA, CYD),
            DAN: about(RoomStep.BAR, 0, ADA, DAN),
        }
        room = await self.made(Entry.OPEN, *ways)
        await self.done(change(room, ADA, RoomInfo(), [*ways]))
        for manager, way in ways.items():
            await self.done(attrs.evolve(way, content=Content(room=room)))
            no = about(RoomStep.BAR, room, manager, Address(99, "x"))
            await self.refused(PermissionDenied, no)
            await self.done(about(RoomStep.PULL_IN, room, ADA, manager))
            self.assertIs(Role.MEMBER, (await self.belonging(room, manager)).role)
            await self.refused(PermissionDenied, no)
        wish = change(room, ADA, RoomInfo(), [Address(99, "x")])
        await self.refused(BadParameter, wish)

    async def test_g4_founder_stays_until_the_end(self) -> None:
        """
        The founder neither leaves nor blocks, and dissolves when the others are gone.
        """
        room = await self.made(Entry.OPEN, BOB)
        for step in (RoomStep.LEAVE, RoomStep.BLOCK):
            await self.refused(PermissionDenied, about(step, room, ADA))
        dissolves = about(RoomStep.DISSOLVE, room, ADA)
        await self.refused(PermissionDenied, about(RoomStep.DISSOLVE, room, BOB))
        await self.refused(PermissionDenied, dissolves)
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB), dissolves)

    async def test_g4_handed_over(self) -> None:
        """
        Another member is made the founder, keeps its place in the room's log, and
        dissolves it; the founder before goes like anybody.
        """
        room = await self.made(Entry.PRIVATE, BOB, CYD)
        before = await self.belonging(room, BOB)
        await self.done(change(room, ADA, RoomInfo(), [BOB, CYD]))
        gives = about(RoomStep.HAND_OVER, room, ADA, BOB)
        await self.refused(NotThere, attrs.evolve(gives, recipient=DAN))
        await self.refused(PermissionDenied, about(RoomStep.HAND_OVER, room, CYD, BOB))
        (done,) = await self.take(gives)
        self.assertEqual([ADA.number, BOB.number], sorted(done.accounts))
        await self.refused(PermissionDenied, gives)
        profile = (await self.shard.rooms.profiles([room]))[room]
        self.assertEqual(BOB.number, profile.room.founder)
        self.assertEqual((CYD.number,), profile.managers)
        after = attrs.evolve(before, role=Role.FOUNDER)
        self.assertEqual(after, await self.belonging(room, BOB))
        self.assertIs(Role.MEMBER, (await self.belonging(room, ADA)).role)
        await self.refused(PermissionDenied, about(RoomStep.LEAVE, room, BOB))
        await self.done(about(RoomStep.JOIN, room, DAN, text=""))
        self.assertEqual([9], [mid for mid, _t, _w in await self.notices(BOB)][-1:])
        self.assertEqual([], [mid for mid, _t, _w in await self.notices(ADA)])
        await self.done(
            about(RoomStep.LEAVE, room, ADA),
            about(RoomStep.REMOVE, room, BOB, CYD),
            about(RoomStep.DISSOLVE, room, BOB),
        )

    async def test_g4_handed_over_while_the_heir_goes(self) -> None:
        """
        On two nodes at once: who has become the founder is in, who has gone is none.
        """
        nodes = (self.shard, await self.other_node())
        for step in (RoomStep.LEAVE, RoomStep.BLOCK, RoomStep.HAND_OVER):
            room = await self.made(Entry.OPEN, BOB, CYD)
            other = (
                about(step, room, ADA, CYD)
                if step is RoomStep.HAND_OVER
                else about(step, room, BOB)
            )
            steps = (about(RoomStep.HAND_OVER, room, ADA, BOB), other)
            outcomes = await gatherResults(
                [
                    node.messages.post(Batch((wish,)))
                    for node, wish in zip(nodes, steps, strict=True)
                ]
            )
            refused = [one for (one,) in outcomes if getattr(one, "refusal", None)]
            self.assertEqual(1, len(refused), step)
            founders = [n for n, r in await self.members(room) if r is Role.FOUNDER]
            found = await self.shard.rooms.room(room)
            assert found is not None
            self.assertEqual([found.founder], founders)

    async def test_dissolved(self) -> None:
        """
        A dissolved room lets nobody do anything, and leaves nothing but blocks.
        """
        room = await self.made(Entry.PRIVATE)
        for n, who in enumerate((BOB, CYD)):
            await self.done(about(RoomStep.BLOCK, room, who))
            if n:
                await self.done(about(RoomStep.BAR, room, ADA, who))
        await self.done(about(RoomStep.JOIN, room, DAN, text=""))
        await self.done(about(RoomStep.DISSOLVE, room, ADA))
        store = self.shard.rooms
        found = await store.room(room)
        assert found is not None
        self.assertFalse(found.alive)
        self.assertEqual({}, await store.profiles([room]))
        self.assertEqual([], await self.members(room))
        self.assertEqual([], [*await store.rooms_of(ADA.number)])
        self.assertEqual([], [*await store.barred(room)])
        for who in (ADA, DAN):
            self.assertEqual(Belonging(), await self.belonging(room, who))
        for step in RoomStep:
            if step is not RoomStep.CREATE:
                for who in (ADA, DAN):
                    whom = BOB if step in OTHERS else None
                    await self.refused(RoomDissolved, about(step, room, who, whom))
        for who in (BOB, CYD):
            self.assertEqual([room], [*await store.blocked_rooms(who.number)])
            await self.done(about(RoomStep.LEAVE, room, who))
            self.assertEqual(Belonging(), await self.belonging(room, who))

    async def test_no_such_room(self) -> None:
        """
        About a room that nobody made nothing can be done, and nothing remains.
        """
        for step in RoomStep:
            whom = BOB if step in OTHERS else None
            kind = BadParameter if step is RoomStep.JOIN else NotThere
            if step is not RoomStep.CREATE:
                await self.refused(kind, about(step, 12345, ADA, whom, ""))
        self.assertEqual([], [*await self.shard.rooms.blocked_rooms(ADA.number)])

    async def test_change(self) -> None:
        """
        What is said replaces what was said before, and nothing else does.
        """
        room = await self.made(Entry.PRIVATE, BOB, CYD)
        await self.done(change(room, ADA, RoomInfo(), [BOB]))
        await self.done(change(room, BOB, RoomInfo(topic="", kind=0, extra={})))
        profile = (await self.shard.rooms.profiles([room]))[room]
        said = attrs.evolve(INFO, topic="", kind=0, extra={})
        self.assertEqual((said, (BOB.number,)), (profile.info, profile.managers))
        await self.refused(PermissionDenied, change(room, CYD, RoomInfo("mine")))

    async def test_g8_only_the_founder_changes_managers(self) -> None:
        """
        A manager who changes the topic, and knows an old list, makes nobody a manager.
        """
        room = await self.made(Entry.PRIVATE, BOB, CYD)
        await self.done(change(room, ADA, RoomInfo(), [BOB, CYD, ADA]))
        profile = (await self.shard.rooms.profiles([room]))[room]
        self.assertEqual(sorted([BOB.number, CYD.number]), [*profile.managers])
        for managers, changed in (([BOB], CYD), ([CYD], None), ([BOB], None)):
            (done,) = await self.take(change(room, ADA, RoomInfo(), managers))
            both = sorted([BOB.number, CYD.number])
            expected = both if changed is None else [changed.number]
            self.assertEqual(expected, [*done.accounts])
        await self.done(change(room, BOB, RoomInfo("new"), [BOB, CYD]))
        profile = (await self.shard.rooms.profiles([room]))[room]
        self.assertEqual(("new", (BOB.number,)), (profile.info.topic, profile.managers))
        await self.done(change(room, ADA, RoomInfo(), []))
        self.assertIs(Role.MEMBER, (await self.belonging(room, BOB)).role)

    async def test_joined_where_the_room_stood(self) -> None:
        """
        A member knows what was there before it came, whoever writes in the same commit.
        """
        room = await self.made(Entry.OPEN)
        texts = [
            attrs.evolve(
                draft(f"{n}", ADA, Address(room, node_of(room), "here")), to_room=True
            )
            for n in range(3)
        ]
        await self.outcomes(*texts[:1])
        before = await self.belonging(room, BOB)
        self.assertEqual((0, 0), (before.joined_seq, before.joined_mid))
        joins = [about(RoomStep.JOIN, room, who, text="") for who in (BOB, CYD)]
        await self.outcomes(joins[0], texts[1], joins[1], texts[2])
        heads = await self.shard.messages.heads([room])
        self.assertEqual(3, heads[room])
        for who, stood in ((ADA, 0), (BOB, 1), (CYD, 2)):
            found = await self.belonging(room, who)
            self.assertEqual((stood, stood), (found.joined_seq, found.joined_mid))

    async def test_members_in_pages(self) -> None:
        """
        However many are in a room, founder and managers come first, and each once.
        """
        others = [Address(n, node_of(n), "here") for n in (-9, 5, 6, 7, 8)]
        room = await self.made(Entry.OPEN, *others, founder=BOB)
        await self.done(change(room, BOB, RoomInfo(), [others[0], others[3]]))
        await self.done(about(RoomStep.BLOCK, room, CYD))
        expected = [
            Member(BOB.number, Role.FOUNDER),
            Member(-9, Role.MANAGER),
            Member(7, Role.MANAGER),
            *[Member(n, Role.MEMBER) for n in (5, 6, 8)],
        ]
        for size in (1, 2, 3, 4, 6, 7):
            found: list[Member] = []
            after: Member | None = None
            while page := await self.shard.rooms.members(room, after, size):
                self.assertLessEqual(len(page), size)
                found += page
                after = page[-1]
            self.assertEqual(expected, found)

    async def test_g16_as_many_as_may_be(self) -> None:
        """
        One more member, request, bar or room than there may be is refused.
        """
        most = ("ROOM_MEMBERS", "ROOM_REQUESTS", "ROOM_BARRED", "ROOMS")
        for name in most:
            self.patch(rooming, name, 2)
        room = await self.made(Entry.OPEN, BOB)
        joins = about(RoomStep.JOIN, room, CYD, text="")
        await self.refused(
            PermissionDenied, joins, about(RoomStep.PULL_IN, room, BOB, CYD)
        )
        await self.done(about(RoomStep.LEAVE, room, BOB), joins)
        private = await self.made(founder=DAN)
        asks = [about(RoomStep.JOIN, private, w, text="") for w in (ADA, BOB, CYD)]
        await self.done(asks[0], asks[1])
        await self.refused(PermissionDenied, asks[2])
        await self.done(about(RoomStep.REJECT, private, DAN, BOB), asks[2])
        for wish in (create(ADA), about(RoomStep.BLOCK, private, ADA)):
            (changed,) = await self.take(wish)
            full = wish.mid == RoomStep.CREATE
            self.assertEqual(full, isinstance(changed.refusal, PermissionDenied))
        bars = [about(RoomStep.BAR, room, ADA, w) for w in (BOB, DAN, CYD)]
        await self.done(*bars[:2], bars[0])
        await self.refused(PermissionDenied, bars[2])

    async def test_as_much_as_a_room_may_tell(self) -> None:
        """
        What a room tells about itself, all together, has an end.
        """
        self.patch(rooming, "ROOM_INFO_BYTES", 12 + 2 * MAP_ENTRY_BYTES)
        longest = RoomInfo("\u4e2d", extend={"a": "b"}, extra={"c": b"123"})
        wish = create(info=longest)
        await self.done(wish)
        room = wish.content.room
        await self.done(change(room, ADA, RoomInfo(label="xyz")))
        await self.refused(BadParameter, change(room, ADA, RoomInfo(cover="x")))
        more = attrs.evolve(longest, label="1234")
        await self.refused(BadParameter, create(info=more))

    async def test_in_one_commit(self) -> None:
        """
        Steps on rooms, relations and texts may share a commit; logs have no gaps.
        """
        wish = create(ADA, Entry.OPEN)
        room = wish.content.room
        outcomes = await self.outcomes(
            draft("1"),
            wish,
            about(RoomStep.JOIN, room, BOB, text=""),
            relation_step(Step.ASK),
            about(RoomStep.LEAVE, room, CYD),
            about(RoomStep.REMOVE, room, ADA, BOB),
            about(RoomStep.DISSOLVE, room, ADA),
            draft("2"),
        )
        found = [getattr(one, "refusal", None) for one in outcomes]
        self.assertEqual([4], [n for n, one in enumerate(found) if one is not None])
        page = await self.log(BOB)
        self.assertEqual([1, 2, 3, 4, 5], [entry.seq for entry in page.entries])
        self.assertEqual([10, 13], [mid for mid, _t, _w in await self.notices(BOB)])

    async def test_at_the_same_time(self) -> None:
        """
        Everybody doing everything at once ends in a state that can be.
        """
        room = await self.made(Entry.PRIVATE, BOB)
        steps = [
            about(RoomStep.JOIN, room, CYD, text=""),
            about(RoomStep.PULL_IN, room, ADA, CYD),
            about(RoomStep.BLOCK, room, CYD),
            change(room, ADA, RoomInfo(), [BOB]),
            about(RoomStep.LEAVE, room, BOB),
            about(RoomStep.PULL_IN, room, ADA, DAN),
            about(RoomStep.DISSOLVE, room, ADA),
            about(RoomStep.REMOVE, room, ADA, DAN),
            about(RoomStep.BAR, room, ADA, CYD),
            about(RoomStep.LEAVE, room, CYD),
        ]
        post = self.shard.messages.post
        await gatherResults([post(Batch((wish,))) for wish in steps])
        members = await self.members(room)
        found = await self.shard.rooms.room(room)
        assert found is not None
        self.assertEqual(found.alive, (ADA.number, Role.FOUNDER) in members)
        for who in (ADA, BOB, CYD, DAN):
            belonging = await self.belonging(room, who)
            self.assertEqual(
                belonging.is_member, who.number in [one for one, _role in members]
            )
            if not belonging.is_member:
                self.assertIs(Role.MEMBER, belonging.role)
            seqs = [entry.seq for entry in (await self.log(who)).entries]
            self.assertEqual([*range(1, len(seqs) + 1)], seqs)

    async def test_against_a_model(self) -> None:
        """
        Whatever people do, also on two nodes at once, ends in a state that can be.
        """
        chance = Random(7)
        nodes = (self.shard, await self.other_node())
        people = (ADA, BOB, CYD)
        for is_open in (False, True):
            room = await self.made(Entry.OPEN if is_open else Entry.PRIVATE)
            states = {State.new(len(people))}
            for _ in range(60):
                moves = [
                    drawn(chance, len(people)) for _ in range(chance.choice((1, 2)))
                ]
                await gatherResults(
                    [
                        node.messages.post(Batch((wish(room, people, move),)))
                        for node, move in zip(nodes, moves, strict=False)
                    ]
                )
                seen = [part_of(await self.belonging(room, one)) for one in people]
                found = await self.shard.rooms.room(room)
                assert found is not None
                now = State(tuple(seen), found.alive)
                self.assertIn(now, possible(states, is_open, *moves), moves)
                listed = {account for account, _role in await self.members(room)}
                self.assertEqual({people[n].number for n in now.members}, listed)
                states = {now}
                if not now.alive:
                    room = await self.made(Entry.OPEN if is_open else Entry.PRIVATE)
                    states = {State.new(len(people))}


def drawn(chance: Random, people: int) -> Move:
    """A step by chance; dissolving is rare, as nothing follows it."""
    steps = [step for step in RoomStep if step is not RoomStep.CREATE]
    step = chance.choice(steps)
    if step is RoomStep.DISSOLVE and chance.random() < 0.5:
        step = RoomStep.PULL_IN
    who, other = chance.randrange(people), chance.randrange(people)
    some = frozenset(n for n in range(people) if chance.random() < 0.5)
    return Move(step, who, other if step in OTHERS else who, some)


def wish(room: int, people: Sequence[Address], move: Move) -> Draft:
    """The wish to do what a move says."""
    who = people[move.who]
    if move.step is RoomStep.CHANGE:
        return change(room, who, RoomInfo(), [people[n] for n in move.managers])
    return about(move.step, room, who, people[move.whom], "")
