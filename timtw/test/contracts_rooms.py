"""What every storage engine must do with rooms and their members; see contracts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import attrs

from timtw.model.errors import (
    AlreadyMember,
    BlockedByOther,
    NotPending,
    NotThere,
    PermissionDenied,
    StorageUnavailable,
    TimError,
)
from timtw.model.idents import node_of
from timtw.model.posting import Changed
from timtw.model.relations import Step
from timtw.model.roominfo import RoomInfo, RoomWish
from timtw.model.rooms import Belonging, Entry, Role, Room, RoomProfile, Side
from timtw.model.roomsteps import RoomNotice, RoomStep
from timtw.model.values import NOTICE, Address, Content, Draft
from timtw.test.contracts import ADA, BOB, CYD, NOW, MessageLogs, draft, stored
from timtw.test.contracts_relations import step as relation_step

DAN = Address(4_000_000_000_000_000_004, node_of(4_000_000_000_000_000_004), "here")
INFO = RoomInfo("Topic", "cover", "", -(2**62), {"a": "\udcff"}, {"b": b"\xff\0"})
numbers = count(-9_000_000_000_000_000_000, 1_000_000_000_000_000)


def create(
    founder: Address = ADA,
    entry: Entry = Entry.PRIVATE,
    room: int | None = None,
    info: RoomInfo = INFO,
) -> Draft:
    """The wish to make a room."""
    number = next(numbers) if room is None else room
    return about(RoomStep.CREATE, number, founder, wish=RoomWish(entry, info))


def about(
    step: RoomStep,
    room: int,
    who: Address = ADA,
    whom: Address | None = None,
    text: str | None = None,
    wish: RoomWish | None = None,
) -> Draft:
    """The wish to take a step on a room."""
    return attrs.evolve(
        draft("", who, who if whom is None else whom),
        content=Content(text, room=room),
        kind=NOTICE,
        mid=step,
        wish=wish,
    )


def change(
    room: int, who: Address, info: RoomInfo, managers: Sequence[Address] | None = None
) -> Draft:
    """The wish to change what a room is."""
    numbers = None if managers is None else tuple(one.number for one in managers)
    wish = RoomWish(info=info, managers=numbers)
    return about(RoomStep.CHANGE, room, who, wish=wish)


class RoomLogs(MessageLogs):
    """Rooms of a shard, to take steps on and to look into."""

    async def take(self, *drafts: Draft) -> list[Changed]:
        """Take these steps in one commit."""
        changed: list[Changed] = []
        for outcome in await self.outcomes(*drafts):
            assert isinstance(outcome, Changed), outcome
            changed.append(outcome)
        return changed

    async def done(self, *drafts: Draft) -> None:
        """Take these steps one after the other; none is refused."""
        for one in drafts:
            (changed,) = await self.take(one)
            self.assertIsNone(changed.refusal, one)
            if one.mid not in (RoomStep.CHANGE, RoomStep.DISSOLVE):
                self.assertEqual((one.recipient.number,), changed.accounts)

    async def refused(self, kind: type[TimError], *drafts: Draft) -> None:
        """Take these steps one after the other; all are refused, and tell nothing."""
        for one in drafts:
            (changed,) = await self.take(one)
            self.assertIsInstance(changed.refusal, kind, one)
            self.assertEqual((), changed.told)

    async def made(
        self, entry: Entry = Entry.PRIVATE, *members: Address, founder: Address = ADA
    ) -> int:
        """A new room with these members."""
        wish = create(founder, entry)
        room = wish.content.room
        pulled = [about(RoomStep.PULL_IN, room, founder, one) for one in members]
        await self.done(wish, *pulled)
        return room

    async def belonging(self, room: int, who: Address) -> Belonging:
        """What somebody is to a room."""
        return await self.shard.rooms.belonging(room, who.number)

    async def members(self, room: int) -> list[tuple[int, Role]]:
        """Who is in a room."""
        found = await self.shard.rooms.members(room, None, 100)
        return sorted((one.account, one.role) for one in found)

    async def notices(self, who: Address) -> list[tuple[int, str | None, int]]:
        """What somebody is told of rooms: the notice, its text, and whose step."""
        page = await self.log(who)
        return [
            (m.mid, m.content.text, m.sender.number)
            for m in [entry.message for entry in page.entries]
            if m.kind == NOTICE and m.content.room
        ]


class RoomContract(RoomLogs):
    """What every store must do with steps of one account about another."""

    async def test_create(self) -> None:
        """
        A new room is there with all that was said about it; its founder is in it.
        """
        wish = create()
        room = wish.content.room
        await self.done(wish)
        store = self.shard.rooms
        made = Room(
            Address(room, node_of(room), "here"), Entry.PRIVATE, ADA.number, NOW
        )
        self.assertEqual(made, await store.room(room))
        self.assertEqual({room: RoomProfile(made, INFO)}, await store.profiles([room]))
        self.assertEqual([(ADA.number, Role.FOUNDER)], await self.members(room))
        self.assertEqual([room], [*await store.rooms_of(ADA.number)])
        self.assertEqual([], [*await store.rooms_of(BOB.number)])
        self.assertEqual(Belonging(), await self.belonging(room, BOB))
        self.assertIsNone(await store.room(room + 1))
        self.assertEqual({}, await store.profiles([room + 1]))
        self.assertEqual([], await self.notices(ADA))
        await self.refused(StorageUnavailable, create(BOB, room=room))

    async def test_join_open(self) -> None:
        """
        Whoever wants is in an open room at once, and is told so.
        """
        room = await self.made(Entry.OPEN)
        wish = about(RoomStep.JOIN, room, BOB, text="hello")
        (changed,) = await self.take(wish)
        (told,) = changed.told
        self.assertEqual((0, 1), (told.sender_seq, told.recipient_seq))
        (entry,) = (await self.log(BOB)).entries
        self.assertEqual((stored(told.message), False), (entry.message, entry.own))
        self.assertEqual((BOB, BOB), (told.message.sender, told.message.recipient))
        self.assertEqual(Content(room=room), told.message.content)
        self.assertEqual(RoomNotice.JOINED, told.message.mid)
        self.assertTrue((await self.belonging(room, BOB)).is_member)
        self.assertEqual([], await self.notices(ADA))
        await self.refused(AlreadyMember, wish)

    async def test_join_private(self) -> None:
        """
        A request goes to the founder and every manager, once; whoever is let in hears.
        """
        room = await self.made(Entry.PRIVATE, CYD, DAN)
        await self.done(change(room, ADA, RoomInfo(), [CYD]))
        asks = about(RoomStep.JOIN, room, BOB, text="please")
        await self.done(asks)
        request = (RoomNotice.REQUEST, "please", BOB.number)
        self.assertEqual([request], await self.notices(ADA))
        self.assertEqual(request, (await self.notices(CYD))[-1])
        self.assertNotIn(request, await self.notices(DAN))
        self.assertEqual(Belonging(Side.AGREES), await self.belonging(room, BOB))
        self.assertEqual([], [*await self.shard.rooms.rooms_of(BOB.number)])
        await self.done(about(RoomStep.PULL_IN, room, CYD, BOB))
        joined = (RoomNotice.JOINED, None, CYD.number)
        self.assertEqual([joined], await self.notices(BOB))
        self.assertTrue((await self.belonging(room, BOB)).is_member)

    async def test_g11_asking_again(self) -> None:
        """
        However often somebody asks to be let in, it is told once.
        """
        room = await self.made()
        for text in ("please", "please!", "please?"):
            await self.done(about(RoomStep.JOIN, room, BOB, text=text))
        self.assertEqual(1, len(await self.notices(ADA)))

    async def test_g9_reject(self) -> None:
        """
        Whoever is not let in is told why, and may ask again.
        """
        room = await self.made(Entry.PRIVATE, CYD)
        says_no = about(RoomStep.REJECT, room, ADA, BOB, "full")
        await self.refused(NotThere, says_no)
        await self.refused(NotPending, about(RoomStep.REJECT, room, ADA, CYD))
        await self.done(about(RoomStep.JOIN, room, BOB, text="1"))
        await self.refused(PermissionDenied, about(RoomStep.REJECT, room, CYD, BOB))
        await self.done(says_no)
        rejected = (RoomNotice.REJECTED, "full", ADA.number)
        self.assertEqual([rejected], await self.notices(BOB))
        await self.done(about(RoomStep.JOIN, room, BOB, text="2"))
        asked = [text for _notice, text, _who in await self.notices(ADA)]
        self.assertEqual(["1", "2"], asked)

    async def test_pull_in(self) -> None:
        """
        Who is pulled in is a member at once, and told by whom.
        """
        room = await self.made(Entry.PRIVATE, BOB)
        notice = (RoomNotice.PULLED_IN, None, ADA.number)
        self.assertEqual([notice], await self.notices(BOB))
        self.assertEqual(
            sorted([(ADA.number, Role.FOUNDER), (BOB.number, Role.MEMBER)]),
            await self.members(room),
        )
        await self.refused(AlreadyMember, about(RoomStep.PULL_IN, room, ADA, BOB))

    async def test_g2_pulling_in(self) -> None:
        """
        Only members pull in, and nobody who blocks the room or the one who pulls.
        """
        room = await self.made(Entry.OPEN, BOB)
        pulls = about(RoomStep.PULL_IN, room, BOB, DAN)
        await self.refused(PermissionDenied, about(RoomStep.PULL_IN, room, CYD, DAN))
        await self.take(relation_step(Step.BLOCK, DAN, BOB))
        await self.refused(BlockedByOther, pulls)
        await self.take(relation_step(Step.LEAVE, DAN, BOB))
        await self.take(relation_step(Step.BLOCK, BOB, DAN))
        await self.done(about(RoomStep.BLOCK, room, DAN))
        await self.refused(BlockedByOther, pulls)
        await self.done(about(RoomStep.LEAVE, room, DAN), pulls)
        self.assertTrue((await self.belonging(room, DAN)).is_member)

    async def test_remove(self) -> None:
        """
        Who is removed is told, and so is whose request is dropped.
        """
        room = await self.made(Entry.PRIVATE, BOB)
        await self.done(about(RoomStep.JOIN, room, CYD, text="please"))
        for one in (BOB, CYD):
            await self.done(about(RoomStep.REMOVE, room, ADA, one))
            notice = (RoomNotice.REMOVED, None, ADA.number)
            self.assertEqual(notice, (await self.notices(one))[-1])
            self.assertEqual(Belonging(), await self.belonging(room, one))
            await self.refused(NotThere, about(RoomStep.REMOVE, room, ADA, one))
        self.assertEqual([(ADA.number, Role.FOUNDER)], await self.members(room))

    async def test_bar(self) -> None:
        """
        Who is barred is out and cannot come back, until the bar is lifted; quietly.
        """
        room = await self.made(Entry.OPEN, BOB)
        before = await self.notices(BOB)
        await self.done(*[about(RoomStep.BAR, room, ADA, one) for one in (BOB, BOB)])
        self.assertEqual([BOB.number], [*await self.shard.rooms.barred(room)])
        self.assertEqual([(ADA.number, Role.FOUNDER)], await self.members(room))
        await self.refused(BlockedByOther, about(RoomStep.JOIN, room, BOB, text=""))
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        self.assertEqual([], [*await self.shard.rooms.barred(room)])
        self.assertEqual(before, await self.notices(BOB))
        await self.done(about(RoomStep.JOIN, room, BOB, text=""))

    async def test_g7_pulling_in_lifts_the_bar(self) -> None:
        """
        Who is pulled in is barred no more, and may be by whoever could bar.
        """
        room = await self.made(Entry.OPEN, BOB)
        await self.done(about(RoomStep.BAR, room, ADA, CYD))
        await self.refused(PermissionDenied, about(RoomStep.PULL_IN, room, BOB, CYD))
        await self.done(about(RoomStep.PULL_IN, room, ADA, CYD))
        self.assertEqual([], [*await self.shard.rooms.barred(room)])
        await self.done(about(RoomStep.BLOCK, room, DAN))
        await self.done(about(RoomStep.JOIN, room, DAN, text=""))
        self.assertEqual([], [*await self.shard.rooms.blocked_rooms(DAN.number)])

    async def test_g5_own_block_stays(self) -> None:
        """
        A removal and a bar leave the block of the account itself.
        """
        room = await self.made()
        await self.done(about(RoomStep.BLOCK, room, BOB))
        await self.refused(NotThere, about(RoomStep.REMOVE, room, ADA, BOB))
        await self.done(about(RoomStep.BAR, room, ADA, BOB))
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        self.assertEqual([room], [*await self.shard.rooms.blocked_rooms(BOB.number)])
        await self.refused(BlockedByOther, about(RoomStep.PULL_IN, room, ADA, BOB))

    async def test_g13_both_block(self) -> None:
        """
        Both blocks stand beside each other, and each is lifted by its own side.
        """
        room = await self.made(Entry.OPEN, BOB)
        store = self.shard.rooms
        await self.done(about(RoomStep.BLOCK, room, BOB))
        await self.done(about(RoomStep.BAR, room, ADA, BOB))
        self.assertEqual([room], [*await store.blocked_rooms(BOB.number)])
        self.assertEqual([BOB.number], [*await store.barred(room)])
        await self.done(about(RoomStep.LEAVE, room, BOB))
        self.assertEqual([], [*await store.blocked_rooms(BOB.number)])
        self.assertEqual([BOB.number], [*await store.barred(room)])
        await self.refused(NotThere, about(RoomStep.LEAVE, room, BOB))

    async def test_g14_bar_hits_its_target(self) -> None:
        """
        A manager who bars somebody stays in the room.
        """
        room = await self.made(Entry.OPEN, BOB, CYD)
        await self.done(change(room, ADA, RoomInfo(), [BOB]))
        await self.done(about(RoomStep.BAR, room, BOB, CYD))
        self.assertEqual(
            sorted([(ADA.number, Role.FOUNDER), (BOB.number, Role.MANAGER)]),
            await self.members(room),
        )

    async def test_leave(self) -> None:
        """
        Members leave, who asked asks no more, and whoever has no part is told so.
        """
        room = await self.made(Entry.PRIVATE, BOB)
        await self.done(about(RoomStep.LEAVE, room, BOB))
        await self.refused(NotThere, about(RoomStep.LEAVE, room, BOB))
        await self.done(about(RoomStep.JOIN, room, CYD, text=""))
        await self.done(about(RoomStep.LEAVE, room, CYD))
        await self.refused(NotThere, about(RoomStep.REJECT, room, ADA, CYD))
        self.assertEqual([(ADA.number, Role.FOUNDER)], await self.members(room))

    async def test_g3_founder_cannot_be_touched(self) -> None:
        """
        Nobody removes or bars the founder, no manager another one.
        """
        room = await self.made(Entry.OPEN, BOB, CYD)
        await self.done(change(room, ADA, RoomInfo(), [BOB, CYD]))
        for step in (RoomStep.REMOVE, RoomStep.BAR):
            for other in (ADA, CYD):
                await self.refused(PermissionDenied, about(step, room, BOB, other))
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        await self.done(about(RoomStep.BAR, room, ADA, CYD))
