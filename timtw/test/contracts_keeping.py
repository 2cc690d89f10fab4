"""What every storage engine must do with what is too old; see contracts."""

from __future__ import annotations

import attrs

from timtw.model.errors import BadParameter
from timtw.model.progress import CursorMove
from timtw.model.stores import DONE, IShard
from timtw.model.values import BURN, CUSTOM, Conversation, Device, Expiring
from timtw.test.contracts import (
    ADA,
    BOB,
    CYD,
    LAPTOP,
    NOW,
    PHONE,
    MessageLogs,
    ShardContract,
    draft,
    mids,
)
from timtw.test.contracts_kinds import removal


async def expire(shard: IShard, what: Expiring, before: int) -> int:
    """Make one round; how many steps it took."""
    place, steps = DONE, 0
    while True:
        place = await shard.keeping.expire(what, before, place)
        steps += 1
        if place == DONE:
            return steps


class KeepingContract(MessageLogs):
    """What every message store must do with old entries and texts."""

    async def seqs(self, account: int = BOB.number, after: int = 0) -> list[int]:
        """The numbers that are left of a log, which reaches to its head as ever."""
        (head,) = (await self.shard.messages.heads([account])).values()
        page = await self.shard.messages.read_log(account, after, head, 99)
        self.assertEqual(head, page.up_to)
        return [entry.seq for entry in page.entries]

    async def test_old_texts_are_gone(self) -> None:
        """
        A text that is too old is in no history and no log; younger ones stay.
        """
        await self.post(*[draft(f"{n}", at=NOW + n) for n in range(5)])
        other = Conversation.between(ADA.number, CYD.number)
        await self.post(draft("other", ADA, CYD, at=NOW + 9))
        await expire(self.shard, Expiring.TEXTS, NOW + 2)
        self.assertEqual([5, 4, 3], await self.history())
        self.assertEqual([], await self.history(newest=2))
        self.assertEqual([3, 4, 5], await self.seqs())
        self.assertEqual([3, 4, 5, 6], await self.seqs(ADA.number))
        self.assertEqual(1, len(await self.shard.messages.history(other, 0, None, 9)))
        await expire(self.shard, Expiring.TEXTS, NOW + 99)
        self.assertEqual([], await self.history())
        self.assertEqual([], await self.seqs(ADA.number))

    async def test_old_entries_are_gone(self) -> None:
        """
        What has waited too long waits no more, whatever it is; the history stays.
        """
        event = attrs.evolve(draft("event", at=NOW + 1), kind=CUSTOM[0])
        taken = attrs.evolve(removal(1), timestamp=NOW + 2)
        await self.post(draft("1", at=NOW), event, taken, draft("4", at=NOW + 3))
        self.assertEqual([2, 3, 4], await self.seqs())
        await expire(self.shard, Expiring.ENTRIES, NOW + 2)
        self.assertEqual([3, 4], await self.seqs())
        self.assertEqual([2, 3], await self.seqs(ADA.number))
        await expire(self.shard, Expiring.ENTRIES, NOW + 99)
        self.assertEqual([], await self.seqs())
        self.assertEqual([], await self.seqs(ADA.number))
        self.assertEqual([2], await self.history())

    async def test_numbers_are_not_given_again(self) -> None:
        """
        What comes after everything has expired has the next numbers.
        """
        await self.post(draft("1"), draft("2"))
        await expire(self.shard, Expiring.ENTRIES, NOW + 1)
        await expire(self.shard, Expiring.TEXTS, NOW + 1)
        (posted,) = await self.post(draft("3", at=NOW + 1))
        self.assertEqual([3], mids([posted]))
        self.assertEqual((3, 3), (posted.sender_seq, posted.recipient_seq))
        self.assertEqual([3], await self.seqs())
        self.assertEqual([3], await self.history())

    async def test_a_reader_hears_where_its_log_begins(self) -> None:
        """
        A device that comes back is told up to where everything has expired.
        """
        await self.post(*[draft(at=NOW + n) for n in range(4)])
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual((0, 4, 0), (state.cursor, state.head, state.low))
        await expire(self.shard, Expiring.ENTRIES, NOW + 3)
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual((0, 4, 3), (state.cursor, state.head, state.low))
        await expire(self.shard, Expiring.ENTRIES, NOW + 2)
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual(3, state.low)
        state = await self.shard.readers.open(CYD.number, PHONE, NOW)
        self.assertEqual((0, 0), (state.head, state.low))

    async def test_what_has_expired_cannot_be_removed(self) -> None:
        """
        Revoking or burning what has expired is refused like a text that never was.
        """
        await self.post(draft("1"), draft("2"))
        await expire(self.shard, Expiring.TEXTS, NOW + 1)
        wishes = (removal(1), removal(2, BOB, ADA, BURN))
        refused = await self.outcomes(*wishes)
        self.assertEqual([BadParameter] * 2, [type(one) for one in refused])

    async def test_removed_texts_expire_as_well(self) -> None:
        """
        A revoked text among others does not keep the older or younger ones.
        """
        await self.post(*[draft(f"{n}", at=NOW + n) for n in range(4)])
        await self.post(attrs.evolve(removal(2), timestamp=NOW + 9))
        await expire(self.shard, Expiring.TEXTS, NOW + 3)
        self.assertEqual([4], await self.history())

    async def test_a_repeat_is_known_although_the_first_has_expired(self) -> None:
        """
        A send that is repeated in its time gets the first answer and no new number.
        """
        await self.post(draft("hi", ident=7))
        await expire(self.shard, Expiring.TEXTS, NOW + 1)
        (again,) = await self.post(draft("hi", ident=7, at=NOW + 1))
        self.assertTrue(again.repeated)
        self.assertEqual(1, again.message.mid)
        self.assertEqual([], await self.history())


class ForgettingContract(ShardContract):
    """What every reader store must do with devices that nobody has seen."""

    async def opened(self, device: Device, now: int = NOW) -> tuple[int, bytes]:
        """Open a reader of Bob: its cursor and key."""
        state = await self.shard.readers.open(BOB.number, device, now)
        return state.cursor, state.key

    async def forget(self, before: int) -> None:
        """Make one round."""
        await expire(self.shard, Expiring.DEVICES, before)

    async def confirmed(self, device: Device, cursor: int, now: int = NOW) -> bytes:
        """Open a reader and move its cursor."""
        _cursor, key = await self.opened(device, now)
        await self.confirm(CursorMove(BOB.number, key, cursor))
        return key

    async def test_a_device_is_forgotten(self) -> None:
        """
        A device that was away too long starts where others have confirmed all.
        """
        await self.confirmed(PHONE, 2)
        await self.confirmed(LAPTOP, 5, NOW + 1)
        await self.forget(NOW)
        self.assertEqual(2, (await self.opened(PHONE))[0])
        await self.forget(NOW + 1)
        self.assertEqual(5, (await self.opened(PHONE, NOW + 2))[0])

    async def test_it_confirms_nothing_any_more(self) -> None:
        """
        What a forgotten device confirms late does not bring it back.
        """
        key = await self.confirmed(PHONE, 2)
        await self.confirmed(LAPTOP, 5, NOW + 1)
        await self.forget(NOW + 1)
        await self.confirm(CursorMove(BOB.number, key, 9))
        self.assertEqual(5, (await self.opened(Device("new"), NOW + 2))[0])

    async def test_nothing_comes_twice_to_the_last_device(self) -> None:
        """
        Who returns after years to an account goes on where it was left.
        """
        await self.confirmed(PHONE, 2)
        await self.confirmed(LAPTOP, 5)
        await self.forget(NOW + 1)
        self.assertEqual(5, (await self.opened(Device("new"), NOW + 2))[0])
        self.assertEqual(5, (await self.opened(LAPTOP, NOW + 2))[0])

    async def test_a_device_that_is_here_is_seen(self) -> None:
        """
        A device that is connected all the time is not forgotten.
        """
        key = await self.confirmed(PHONE, 2)
        await self.confirmed(LAPTOP, 5, NOW + 1)
        seen = self.shard.readers.seen
        await seen([(BOB.number, key), (BOB.number, b"none"), (1, key)], NOW + 1)
        await seen([(BOB.number, key)], NOW - 1)
        await self.forget(NOW + 1)
        self.assertEqual(2, (await self.opened(PHONE, NOW + 2))[0])

    async def test_a_credential_goes_with_its_device(self) -> None:
        """
        The credential of a device that was away too long has ended, of others not.
        """
        store = self.shard.accounts
        made = await store.register("bob", "here", "hash", NOW)
        number = made.address.number
        for device, now in ((PHONE, NOW), (LAPTOP, NOW + 1)):
            await self.shard.readers.open(number, device, now)
            await store.put_credential(number, device, f"of {device.resource}", NOW)
        for before, left in ((NOW, 2), (NOW + 1, 1), (NOW + 2, 0)):
            await self.forget(before)
            found = [
                await store.credential(device, f"of {device.resource}", NOW)
                for device in (PHONE, LAPTOP)
            ]
            self.assertEqual(left, len([one for one in found if one is not None]))
