"""What every storage engine must do with messages in rooms, and with who reads them."""

from __future__ import annotations

import attrs

from timtw.model.errors import BadParameter, PermissionDenied
from timtw.model.idents import node_of
from timtw.model.limits import READERS
from timtw.model.posting import Batch, Posted
from timtw.model.progress import CursorMove, ReaderState
from timtw.model.roomsteps import RoomStep
from timtw.model.values import (
    NOTICE,
    REVOCATION,
    TEXT,
    Address,
    Conversation,
    Device,
    Draft,
    Expiring,
)
from timtw.test.contracts import (
    ADA,
    BOB,
    CYD,
    LAPTOP,
    NOW,
    PHONE,
    SECOND,
    WINDOW,
    draft,
    mids,
    stored,
)
from timtw.test.contracts_rooms import RoomLogs, about


def said(
    text: str, room: int, who: Address = ADA, ident: int | None = None, kind: int = TEXT
) -> Draft:
    """A draft to a room."""
    place = Address(room, node_of(room), who.domain)
    return attrs.evolve(draft(text, who, place, ident), to_room=True, kind=kind)


class RoomLogContract(RoomLogs):
    """What every message store must do with what is written to rooms."""

    async def test_one_entry_of_one_log(self) -> None:
        """A text in a room has one number, in the room's log and in no member's."""
        room = await self.made()
        head = (await self.shard.messages.heads((ADA.number,)))[ADA.number]
        one, two = await self.post(said("1", room), said("2", room, BOB))
        self.assertEqual((0, 1), (one.sender_seq, one.recipient_seq))
        self.assertEqual((0, 2), (two.sender_seq, two.recipient_seq))
        self.assertEqual([1, 2], mids([one, two]))
        heads = await self.shard.messages.heads((ADA.number, BOB.number, room))
        self.assertEqual({ADA.number: head, BOB.number: 0, room: 2}, dict(heads))
        page = await self.shard.messages.read_log(room, 0, 2, 10)
        self.assertEqual(
            [stored(one.message), stored(two.message)],
            [entry.message for entry in page.entries],
        )
        self.assertEqual([False, False], [entry.own for entry in page.entries])
        place = Conversation.of_room(room)
        found = await self.shard.messages.history(place, 0, None, 10)
        self.assertEqual([2, 1], [one.mid for one in found])
        self.assertTrue(all(one.conversation.is_of_room for one in found))

    async def test_rooms_count_for_themselves(self) -> None:
        """Each room has numbers of its own, and so has each pair of its members."""
        first, second = await self.made(), await self.made()
        posted = await self.post(
            said("a", first), said("b", second), draft("c"), said("d", first)
        )
        self.assertEqual([1, 1, 1, 2], mids(posted))

    async def test_repeats(self) -> None:
        """A send with its own id is stored once in a room, and anew in another."""
        room, other = await self.made(), await self.made()
        (first,) = await self.post(said("x", room, ident=7))
        again, elsewhere, custom = await self.post(
            said("x", room, ident=7),
            said("x", other, ident=7),
            said("x", room, ident=7, kind=40),
        )
        self.assertTrue(again.repeated)
        self.assertEqual(first.message.mid, again.message.mid)
        self.assertFalse(elsewhere.repeated)
        self.assertFalse(custom.repeated)
        late = attrs.evolve(said("x", room, ident=7), timestamp=NOW + WINDOW + SECOND)
        self.assertEqual([2], mids(await self.post(late)))

    async def test_custom_kinds(self) -> None:
        """A kind of the application is an entry of the room's log, without a number."""
        room = await self.made()
        (custom,) = await self.post(said("ding", room, kind=40))
        self.assertEqual((0, 0, 1), (custom.message.mid, custom.sender_seq, 1))
        page = await self.shard.messages.read_log(room, 0, 1, 10)
        self.assertEqual([40], [entry.message.kind for entry in page.entries])
        place = Conversation.of_room(room)
        self.assertEqual(
            (), tuple(await self.shard.messages.history(place, 0, None, 9))
        )

    async def test_revoked(self) -> None:
        """An author takes a text in a room back; the room's log tells of it."""
        room = await self.made()
        await self.post(said("1", room), said("2", room))
        wrong = attrs.evolve(said("", room, BOB, kind=REVOCATION), mid=1)
        missing = attrs.evolve(said("", room, kind=REVOCATION), mid=9)
        right = attrs.evolve(said("", room, kind=REVOCATION), mid=1)
        outcomes = await self.outcomes(wrong, missing, right, right)
        kinds = [type(one) for one in outcomes]
        self.assertEqual([PermissionDenied, BadParameter, Posted, BadParameter], kinds)
        page = await self.shard.messages.read_log(room, 0, 9, 10)
        self.assertEqual(
            [(2, TEXT, 2), (3, REVOCATION, 1)],
            [(e.seq, e.message.kind, e.message.mid) for e in page.entries],
        )

    async def test_private_messages(self) -> None:
        """A private message in a room keeps the room, and is in both logs."""
        room = await self.made()
        base = draft("psst")
        content = attrs.evolve(base.content, room=room)
        (one,) = await self.post(attrs.evolve(base, content=content))
        self.assertEqual(1, one.message.mid)
        page = await self.log(BOB)
        self.assertEqual([room], [entry.message.content.room for entry in page.entries])

    async def test_old_entries_go(self) -> None:
        """What is too old goes from rooms as from anywhere else."""
        room = await self.made()
        late = attrs.evolve(said("new", room), timestamp=NOW + SECOND)
        await self.post(said("old", room), late)
        for what in (Expiring.ENTRIES, Expiring.TEXTS):
            place = await self.shard.keeping.expire(what, NOW + 1, ())
            while place:
                place = await self.shard.keeping.expire(what, NOW + 1, place)
        state = await self.open(ADA, PHONE)
        (found,) = state.rooms
        self.assertEqual((room, 1, 2), (found.room, found.low, found.head))
        page = await self.shard.messages.read_log(room, 0, 2, 10)
        self.assertEqual([2], [entry.seq for entry in page.entries])

    async def open(self, who: Address, device: Device) -> ReaderState:
        """Where a device stands."""
        return await self.shard.readers.open(who.number, device, NOW)


class RoomReaderContract(RoomLogs):
    """What every reader store must know of rooms."""

    async def at(self, who: Address, device: Device) -> dict[int, tuple[int, int]]:
        """Cursor and head of a device in each room."""
        state = await self.shard.readers.open(who.number, device, NOW)
        return {one.room: (one.cursor, one.head) for one in state.rooms}

    async def move(self, who: Address, device: Device, room: int, cursor: int) -> None:
        """A device that is there confirms a room."""
        state = await self.shard.readers.open(who.number, device, NOW)
        move = CursorMove(who.number, state.key, cursor, room=room)
        await self.shard.messages.post(Batch(cursors=(move,)))

    async def test_members_read(self) -> None:
        """A member reads from where it has joined; who is none does not read at all."""
        room = await self.made()
        await self.post(said("1", room), said("2", room))
        await self.done(about(RoomStep.PULL_IN, room, ADA, BOB))
        await self.post(said("3", room))
        self.assertEqual({room: (0, 3)}, await self.at(ADA, PHONE))
        self.assertEqual({room: (2, 3)}, await self.at(BOB, PHONE))
        self.assertEqual({}, await self.at(CYD, PHONE))
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        self.assertEqual({}, await self.at(BOB, PHONE))

    async def test_moves(self) -> None:
        """Each device has its own place in each room, which never goes back."""
        room, other = await self.made(), await self.made()
        await self.post(*[said(f"{n}", room) for n in range(5)], said("x", other))
        await self.at(ADA, LAPTOP)
        await self.move(ADA, PHONE, room, 3)
        await self.move(ADA, PHONE, room, 2)
        self.assertEqual({room: (3, 5), other: (0, 1)}, await self.at(ADA, PHONE))
        self.assertEqual({room: (0, 5), other: (0, 1)}, await self.at(ADA, LAPTOP))
        await self.move(ADA, LAPTOP, other, 1)
        await self.move(ADA, PHONE, room, 5)
        self.assertEqual({room: (5, 5), other: (0, 1)}, await self.at(ADA, PHONE))
        self.assertEqual({room: (0, 5), other: (1, 1)}, await self.at(ADA, LAPTOP))

    async def test_own_log_is_another(self) -> None:
        """A place in a room says nothing about the account's own log."""
        room = await self.made()
        await self.post(said("1", room), draft("2"))
        before = await self.shard.readers.open(ADA.number, PHONE, NOW)
        await self.move(ADA, PHONE, room, 1)
        after = await self.shard.readers.open(ADA.number, PHONE, NOW)
        self.assertEqual(before.cursor, after.cursor)
        self.assertEqual(1, after.rooms[0].cursor)

    async def test_new_device(self) -> None:
        """A new device begins where the furthest is, and keeps that place."""
        room = await self.made()
        await self.post(*[said(f"{n}", room) for n in range(5)])
        await self.move(ADA, PHONE, room, 2)
        self.assertEqual({room: (2, 5)}, await self.at(ADA, LAPTOP))
        await self.move(ADA, PHONE, room, 4)
        self.assertEqual({room: (2, 5)}, await self.at(ADA, LAPTOP))
        self.assertEqual({room: (4, 5)}, await self.at(ADA, Device("tablet")))

    async def test_old_place_of_a_known_device(self) -> None:
        """A device that knew the account before it joined misses nothing since."""
        for device in (PHONE, LAPTOP):
            await self.at(BOB, device)
        room = await self.made()
        await self.post(said("1", room))
        await self.done(about(RoomStep.PULL_IN, room, ADA, BOB))
        await self.post(said("2", room), said("3", room))
        await self.move(BOB, PHONE, room, 3)
        self.assertEqual({room: (1, 3)}, await self.at(BOB, LAPTOP))

    async def test_back_again(self) -> None:
        """Who left and came back reads from the second joining on."""
        room = await self.made()
        await self.done(about(RoomStep.PULL_IN, room, ADA, BOB))
        await self.post(said("1", room), said("2", room))
        await self.move(BOB, PHONE, room, 1)
        await self.done(about(RoomStep.REMOVE, room, ADA, BOB))
        await self.post(said("3", room))
        await self.done(about(RoomStep.PULL_IN, room, ADA, BOB))
        await self.post(said("4", room))
        self.assertEqual({room: (3, 4)}, await self.at(BOB, PHONE))

    async def test_forgotten_devices(self) -> None:
        """Of a device that is forgotten nothing stays, and it confirms nothing more."""
        room = await self.made()
        await self.post(*[said(f"{n}", room) for n in range(5)])
        state = await self.shard.readers.open(ADA.number, PHONE, NOW)
        move = CursorMove(ADA.number, state.key, 1, room=room)
        await self.shard.messages.post(Batch(cursors=(move,)))
        for n in range(READERS):
            device = Device(f"device {n}")
            await self.shard.readers.open(ADA.number, device, NOW + 1 + n)
        late = attrs.evolve(move, cursor=5)
        await self.shard.messages.post(Batch(cursors=(late,)))
        self.assertEqual({room: (1, 5)}, await self.at(ADA, Device("new")))

    async def test_step_and_text_in_one_commit(self) -> None:
        """Who is pulled in between two texts of one commit reads the second."""
        room = await self.made()
        pulled = about(RoomStep.PULL_IN, room, ADA, BOB)
        outcomes = await self.outcomes(said("1", room), pulled, said("2", room))
        self.assertEqual(3, len(outcomes))
        self.assertEqual([1, 2], mids(outcomes))
        seqs = [one.recipient_seq for one in outcomes if isinstance(one, Posted)]
        self.assertEqual([1, 2], seqs)
        self.assertEqual({room: (1, 2)}, await self.at(BOB, PHONE))
        page = await self.log(BOB)
        self.assertEqual([NOTICE], [entry.message.kind for entry in page.entries])
