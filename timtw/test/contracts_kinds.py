"""What every storage engine must do with messages that are no texts; see contracts."""

from __future__ import annotations

import attrs

from timtw.model.errors import BadParameter, PermissionDenied
from timtw.model.posting import Posted
from timtw.model.values import BURN, REVOCATION, TEXT, Address, Draft
from timtw.test.contracts import (
    ADA,
    BOB,
    CYD,
    NOW,
    PHONE,
    WINDOW,
    MessageLogs,
    draft,
    mids,
    stored,
)


def removal(
    mid: int, sender: Address = ADA, recipient: Address = BOB, kind: int = REVOCATION
) -> Draft:
    """The wish to take a text away."""
    base = draft("sorry", sender, recipient)
    return attrs.evolve(base, kind=kind, mid=mid)


def posted_at(posted: Posted) -> tuple[int, int, int]:
    """The numbers in the author's log, the recipient's, and the conversation."""
    return posted.sender_seq, posted.recipient_seq, posted.message.mid


class RemovalContract(MessageLogs):
    """What every message store must do when a text is revoked or burnt."""

    async def test_removed_text_is_gone(self) -> None:
        """
        A revoked or burnt text is in no log and no history; its number stays taken.
        """
        await self.post(draft("1"), draft("2"), draft("3"))
        revoked, burnt = await self.post(removal(1), removal(2, BOB, ADA, kind=BURN))
        self.assertEqual([3], await self.history())
        self.assertEqual([], await self.history(newest=2))
        for account in (ADA, BOB):
            page = await self.log(account)
            found = [(e.seq, e.message.kind, e.message.mid) for e in page.entries]
            expected = [(3, TEXT, 3), (4, REVOCATION, 1), (5, BURN, 2)]
            self.assertEqual((expected, 5), (found, page.up_to))
            own = [entry.own for entry in page.entries]
            self.assertEqual([account is ADA, False, False], own)
            told = [entry.message for entry in page.entries[1:]]
            self.assertEqual([stored(revoked.message), stored(burnt.message)], told)
        self.assertEqual([4], mids(await self.post(draft("4"))))

    async def test_removal_holds_what_was_asked(self) -> None:
        """
        The answer holds who removes, with which words, and the numbers in both logs.
        """
        await self.post(draft("1"), draft("2", ADA, CYD))
        asked = removal(1)
        (posted,) = await self.post(asked)
        message = posted.message
        self.assertEqual((ADA, BOB), (message.sender, message.recipient))
        self.assertEqual((asked.content, PHONE), (message.content, message.device))
        self.assertEqual((asked.ident, NOW), (message.ident, message.timestamp))
        self.assertEqual((3, 2), (posted.sender_seq, posted.recipient_seq))
        self.assertFalse(posted.repeated)

    async def refusals(self, *drafts: Draft) -> list[type]:
        """Why each of these is refused; together with them nothing is changed."""
        heads = self.shard.messages.heads
        before = await heads([ADA.number, BOB.number, CYD.number])
        outcomes = await self.outcomes(*drafts)
        self.assertEqual(before, await heads([ADA.number, BOB.number, CYD.number]))
        return [type(one) for one in outcomes]

    async def test_who_may_remove(self) -> None:
        """
        The author alone revokes, the reader alone burns, and only what is there.
        """
        await self.post(draft("1"), draft("2", BOB, ADA))
        wrong = [
            removal(2),
            removal(1, BOB, ADA),
            removal(1, kind=BURN),
            removal(2, BOB, ADA, kind=BURN),
        ]
        self.assertEqual([PermissionDenied] * 4, await self.refusals(*wrong))
        absent = [removal(3), removal(1, ADA, CYD), removal(1, CYD, ADA, kind=BURN)]
        self.assertEqual([BadParameter] * 3, await self.refusals(*absent))
        self.assertEqual([2, 1], await self.history())

    async def test_removed_once(self) -> None:
        """
        Whoever removes a text that is gone is told so, however it went.
        """
        await self.post(draft("1"))
        first, *others = await self.outcomes(removal(1), removal(1))
        self.assertIsInstance(first, Posted)
        self.assertIsInstance(others[0], BadParameter)
        again = [removal(1), removal(1, BOB, ADA, kind=BURN)]
        self.assertEqual([BadParameter] * 2, await self.refusals(*again))

    async def test_removed_in_the_same_commit(self) -> None:
        """
        A text and its removal may travel in one commit; others there are stored.
        """
        outcomes = await self.outcomes(draft("1"), removal(1), removal(9), draft("2"))
        self.assertEqual([1, 1, 2], mids(outcomes))
        self.assertEqual([2], await self.history())
        page = await self.log(BOB)
        self.assertEqual([2, 3], [entry.seq for entry in page.entries])

    async def test_repeat_of_a_removed_text(self) -> None:
        """
        A send that is repeated after its removal is answered and stays removed.
        """
        (first,) = await self.post(draft("hi", ident=7))
        await self.post(removal(1))
        (again,) = await self.post(draft("hi", ident=7))
        self.assertEqual((True, first.message), (again.repeated, again.message))
        self.assertEqual([], await self.history())
        self.assertEqual([2], [e.seq for e in (await self.log(BOB)).entries])

    async def test_removals_under_one_id(self) -> None:
        """
        A removal is done whatever id its client gives it, also where an equal one of
        another text was done or the same one was refused.
        """
        ask, again, late = (
            attrs.evolve(removal(mid), ident=7, chosen=True) for mid in (1, 2, 3)
        )
        await self.post(draft("1"), draft("2"))
        outcomes = [*await self.outcomes(ask, late), *await self.outcomes(again)]
        kinds = [type(one) for one in outcomes]
        self.assertEqual([Posted, BadParameter, Posted], kinds)
        self.assertEqual([], await self.history())
        await self.post(draft("3"))
        (done,) = await self.post(late)
        self.assertEqual((False, 3), (done.repeated, done.message.mid))
        self.assertEqual([], await self.history())

    async def test_pages_of_a_log_with_gaps(self) -> None:
        """
        What is gone takes no place in a page of a log.
        """
        await self.post(*[draft(f"{n}") for n in range(1, 7)])
        await self.post(removal(1), removal(2), removal(5))
        read = self.shard.messages.read_log
        page = await read(BOB.number, 0, 6, 2)
        self.assertEqual([3, 4], [entry.seq for entry in page.entries])
        rest = await read(BOB.number, page.up_to, 6, 2)
        self.assertEqual(([6], 6), ([e.seq for e in rest.entries], rest.up_to))


class CustomContract(MessageLogs):
    """What every message store must do with the kinds of applications."""

    async def test_recipient_alone(self) -> None:
        """
        Only the recipient's log has it, whole; no history and no number does.
        """
        await self.post(draft("1"))
        wish = attrs.evolve(draft("ring", ident=9), kind=31)
        (posted,) = await self.post(wish)
        self.assertEqual((0, 2, 0), posted_at(posted))
        (entry,) = (await self.log(BOB, after=1)).entries
        self.assertEqual((stored(posted.message), False), (entry.message, entry.own))
        self.assertEqual((31, 9), (entry.message.kind, entry.message.ident))
        self.assertEqual([1], [e.seq for e in (await self.log(ADA)).entries])
        self.assertEqual([1], await self.history())
        self.assertEqual([2], mids(await self.post(draft("2"))))

    async def test_repeats(self) -> None:
        """
        The same id, kind and content is one message; another kind is another.
        """
        call = attrs.evolve(draft("hi", ident=7), kind=31)
        other = attrs.evolve(call, kind=127)
        posted = await self.post(call, call, other, draft("hi", ident=7), call)
        again = [False, True, False, False, True]
        self.assertEqual(again, [one.repeated for one in posted])
        late = attrs.evolve(call, timestamp=NOW + WINDOW)
        later = attrs.evolve(call, timestamp=NOW + WINDOW + 1)
        (still,) = await self.post(late)
        self.assertEqual((True, NOW), (still.repeated, still.message.timestamp))
        (over,) = await self.post(later)
        self.assertFalse(over.repeated)
        page = await self.log(BOB)
        self.assertEqual([31, 127, TEXT, 31], [e.message.kind for e in page.entries])

    async def test_not_to_be_removed(self) -> None:
        """
        What has no number cannot be taken back, and hides nothing from removals.
        """
        await self.post(attrs.evolve(draft("ring"), kind=31), draft("1"))
        (refused,) = await self.outcomes(removal(2))
        self.assertIsInstance(refused, BadParameter)
        await self.post(removal(1))
        page = await self.log(BOB)
        self.assertEqual([31, REVOCATION], [e.message.kind for e in page.entries])
