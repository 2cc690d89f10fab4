"""What every storage engine must do; each engine runs all of these classes.

A module of an engine mixes each class with its own way to make a shard. Times are
nanoseconds since 1970 around ``NOW``, which lies ahead of every real clock, so that
nothing expires by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from timtw.model.errors import (
    NameTaken,
    TimError,
)
from timtw.model.idents import node_of, slot_of
from timtw.model.limits import (
    HISTORY_ENTRIES,
    LOG_READ_BYTES,
    READERS,
    REPEAT_SECONDS,
)
from timtw.model.posting import Batch, Changed, IPostingDesk, Outcome, Posted
from timtw.model.profiles import About, Profile
from timtw.model.progress import Confirmed, CursorMove
from timtw.model.standing import Standing
from timtw.model.stores import IShard
from timtw.model.values import (
    Account,
    Address,
    Content,
    Conversation,
    Device,
    Draft,
    LogPage,
    Message,
    TokenGrant,
)
from timtw.shards.groupcommit import GroupCommit

CLOCK: Any = reactor
NOW = 4_000_000_000_000_000_000
SECOND = 1_000_000_000
WINDOW = REPEAT_SECONDS * SECOND
HOUR = 3600 * SECOND

ADA = Address(-5_000_000_000_000_000_001, node_of(-5_000_000_000_000_000_001), "here")
BOB = Address(7_000_000_000_000_000_002, node_of(7_000_000_000_000_000_002), "here")
CYD = Address(3, node_of(3), "here")
PAIR = Conversation.between(ADA.number, BOB.number)

PHONE = Device("phone", 1)
LAPTOP = Device("laptop", 2)

idents = count(1)


def draft(
    text: str = "hello",
    sender: Address = ADA,
    recipient: Address = BOB,
    ident: int | None = None,
    at: int = NOW,
) -> Draft:
    """A draft; with ``ident`` it is one that its client has chosen."""
    number = next(idents) if ident is None else ident
    chosen = ident is not None
    return Draft(sender, recipient, number, chosen, at, Content(text), PHONE)


def stored(message: Message) -> Message:
    """``message`` as storage gives it back: without domains."""
    return attrs.evolve(
        message,
        sender=attrs.evolve(message.sender, domain=""),
        recipient=attrs.evolve(message.recipient, domain=""),
    )


def mids(outcomes: Sequence[Outcome]) -> list[int]:
    """The numbers of what was stored."""
    return [one.message.mid for one in outcomes if isinstance(one, Posted)]


def confirm(
    desk: IPostingDesk, move: CursorMove, done: Callable[[CursorMove], None]
) -> None:
    """Let ``desk`` store a move."""
    waiting = desk.move(move.account, move.key, done)
    waiting.confirm(move.cursor)
    for mark in move.confirmed:
        waiting.mark(*mark)


class ShardContract(TestCase):
    """A shard that is started before each test and stopped after it."""

    shard: IShard

    def make_shard(self) -> IShard:
        """A new shard, not yet started."""
        raise NotImplementedError

    async def other_node(self) -> IShard:
        """The same storage as another node uses it, where there can be another one."""
        return self.shard

    def setUp(self) -> Any:
        """Start a shard; fires when it has."""
        self.shard = self.make_shard()
        self.addCleanup(self.shard.stop)
        return self.shard.start()

    async def post(self, *drafts: Draft) -> list[Posted]:
        """Post these in one batch; none of them is refused."""
        return [one for one in await self.outcomes(*drafts) if isinstance(one, Posted)]

    async def outcomes(self, *drafts: Draft) -> list[Outcome]:
        """Post these in one batch, some of which may be refused."""
        return list(await self.shard.messages.post(Batch(drafts)))

    async def confirm(self, *moves: CursorMove) -> None:
        """Store these cursors."""
        await self.shard.messages.post(Batch((), moves))


class AccountContract(ShardContract):
    """What every account store must do."""

    async def register(self, name: str, domain: str = "here") -> Account:
        """Make an account."""
        return await self.shard.accounts.register(name, domain, "hash", NOW)

    async def owner(self, device: Device, credential: str) -> Account | None:
        """Whose credential this is."""
        found = await self.shard.accounts.credential(device, credential, NOW)
        return None if found is None else found.account

    async def test_registered_is_found(self) -> None:
        """
        Who has registered is found by name, with the verifier and by number.
        """
        made = await self.register("ada")
        self.assertEqual(NOW, made.created)
        self.assertEqual("here", made.address.domain)
        self.assertEqual(node_of(made.number), made.address.node)
        store = self.shard.accounts
        self.assertEqual(made, await store.find("ada", "here"))
        self.assertEqual(Standing(made, "hash"), await store.verifier("ada", "here"))
        self.assertEqual(Standing(made, "hash"), await store.standing(made.number))
        known = await store.accounts([made.number, made.number, 12345])
        self.assertEqual({made.number: made}, known)

    async def test_unknown_is_not_found(self) -> None:
        """
        A name that nobody has is found nowhere.
        """
        self.assertIsNone(await self.shard.accounts.find("nobody", "here"))
        self.assertIsNone(await self.shard.accounts.verifier("nobody", "here"))
        self.assertIsNone(await self.shard.accounts.standing(12345))

    async def test_name_is_taken_once(self) -> None:
        """
        Of two who register a name at once, one gets it, and others go on.
        """
        accounts = self.shard.accounts
        asked = [accounts.register(n, "here", "hash", NOW) for n in ("a", "a", "b")]
        first, second, third = asked
        made = await first
        failure = await self.assertFailure(second, NameTaken)
        self.assertIsInstance(failure, TimError)
        self.assertNotEqual(made.number, (await third).number)
        self.assertEqual(made, await accounts.find("a", "here"))

    async def test_domains_are_apart(self) -> None:
        """
        The same name in two domains is two accounts.
        """
        one, other = await self.register("ada", "x"), await self.register("ada", "y")
        self.assertNotEqual(one.number, other.number)
        self.assertEqual(one, await self.shard.accounts.find("ada", "x"))
        self.assertIsNone(await self.shard.accounts.find("ada", ""))
        self.assertIsNone(await self.shard.accounts.find("adax", ""))

    async def test_name_chooses_the_slot(self) -> None:
        """
        Accounts lie in different slots, so that they can be spread.
        """
        slots = {slot_of((await self.register(f"n{n}")).number) for n in range(8)}
        self.assertGreater(len(slots), 4)

    async def test_profile(self) -> None:
        """
        A profile is empty until something is set; what is set comes back as it was, may
        be set to nothing, and stays while other things are set.
        """
        account = await self.register("ada")
        number, store = account.number, self.shard.accounts
        other = await self.register("bob")
        self.assertEqual({number: Profile(account)}, await store.profiles([number]))
        whole = About(
            "Ada \u4f60\udc80",
            "A.",
            "10.12.1815",
            -2,
            "",
            "London",
            ("p", "", "q"),
            {"k": "v", "": ""},
            {"b": bytes(range(256))},
        )
        expected = About()
        for change in (
            About(name="Ada"),
            whole,
            About(name="", album=(), extend={}, extra={}),
            About(gender=0, extend={"x": "y"}),
            About(),
        ):
            await store.change_profile(number, change)
            await store.change_profile(12345, whole)
            expected = expected.merged(change)
            profiles = {**await store.profiles([number, other.number, 12345])}
            self.assertEqual(Profile(account, expected), profiles.pop(number))
            self.assertEqual({other.number: Profile(other)}, profiles)

    async def test_profile_is_changed_at_the_same_time(self) -> None:
        """
        Of changes to different parts at the same moment none is lost.
        """
        number = (await self.register("ada")).number
        store = self.shard.accounts
        changes = [About(name="N"), About(area="A"), About(gender=1), About(cover="C")]
        await gatherResults([store.change_profile(number, one) for one in changes])
        about = (await store.profiles([number]))[number].about
        self.assertEqual(About(name="N", area="A", gender=1, cover="C"), about)

    async def test_token_is_taken_once(self) -> None:
        """
        A token lets one of two in who bring it at once.
        """
        grant = TokenGrant(await self.register("ada"), "ada", {"k": "v"})
        await self.shard.accounts.put_token("t", grant, NOW + 10)
        take = self.shard.accounts.take_token
        both = await gatherResults([take("t", NOW), take("t", NOW)])
        self.assertEqual([grant, None], both)
        self.assertIsNone(await take("u", NOW))

    async def test_token_expires(self) -> None:
        """
        A token is good until its time, and not at its time or later.
        """
        grant = TokenGrant(await self.register("ada"), "ada", None)
        store = self.shard.accounts
        await store.put_token("t", grant, NOW + 10)
        await store.put_token("u", grant, NOW + 10)
        self.assertEqual(grant, await store.take_token("t", NOW + 9))
        self.assertIsNone(await store.take_token("u", NOW + 10))
        self.assertIsNone(await store.take_token("u", NOW))

    async def test_credential_belongs_to_a_device(self) -> None:
        """
        A credential is good on its device only, as often as it is used.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        await store.put_credential(ada.number, PHONE, "c", NOW)
        self.assertEqual(ada, await self.owner(PHONE, "c"))
        self.assertEqual(ada, await self.owner(PHONE, "c"))
        self.assertIsNone(await self.owner(LAPTOP, "c"))
        self.assertIsNone(await self.owner(PHONE, "d"))

    async def test_newer_credential_ends_the_older(self) -> None:
        """
        A device has one credential, the newest.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        await store.put_credential(ada.number, PHONE, "old", NOW)
        await store.put_credential(ada.number, LAPTOP, "other", NOW)
        await store.put_credential(ada.number, PHONE, "new", NOW + 1)
        self.assertIsNone(await self.owner(PHONE, "old"))
        self.assertEqual(ada, await self.owner(PHONE, "new"))
        self.assertEqual(ada, await self.owner(LAPTOP, "other"))

    async def test_dropped_credentials(self) -> None:
        """
        A log-out ends the credential of its device, a larger event all of them.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        for device, text in ((PHONE, "p"), (LAPTOP, "l"), (Device(), "d")):
            await store.put_credential(ada.number, device, text, NOW)
        await store.drop_credentials(ada.number, PHONE)
        self.assertIsNone(await self.owner(PHONE, "p"))
        self.assertEqual(ada, await self.owner(LAPTOP, "l"))
        await store.drop_credentials(ada.number, None)
        self.assertIsNone(await self.owner(LAPTOP, "l"))
        self.assertIsNone(await self.owner(Device(), "d"))

    async def test_credentials_are_limited(self) -> None:
        """
        As many devices as an account may have keep their credential, not one more.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        for n in range(READERS):
            await store.put_credential(ada.number, Device(f"{n}"), f"c{n}", NOW + n)
        self.assertEqual(ada, await self.owner(Device("0"), "c0"))
        await store.put_credential(ada.number, PHONE, "more", NOW + READERS)
        self.assertIsNone(await self.owner(Device("0"), "c0"))
        self.assertEqual(ada, await self.owner(Device("1"), "c1"))
        self.assertEqual(ada, await self.owner(PHONE, "more"))


class MessageLogs(ShardContract):
    """Logs and histories of a shard, to look into."""

    async def log(self, account: Address, after: int = 0, limit: int = 64) -> LogPage:
        """A page of a log up to its newest number."""
        heads = await self.shard.messages.heads([account.number])
        head = heads[account.number]
        return await self.shard.messages.read_log(account.number, after, head, limit)

    async def history(
        self, newest: int = 0, until: int | None = None, number: int = 10
    ) -> list[int]:
        """The numbers of what the conversation tells."""
        found = await self.shard.messages.history(PAIR, newest, until, number)
        return [message.mid for message in found]


class MessageContract(MessageLogs):
    """What every message store must do."""

    async def test_h4_numbers_count_without_gaps(self) -> None:
        """
        Messages of a conversation and entries of a log are numbered 1, 2, 3 ...
        """
        first = await self.post(draft("1"), draft("2", BOB, ADA), draft("3", ADA, CYD))
        second = await self.post(draft("4"), draft("5", CYD, BOB))
        posted = first + second
        self.assertEqual([1, 2, 1, 3, 1], [p.message.mid for p in posted])
        self.assertEqual([1, 2, 3, 4, 1 + 1], [p.sender_seq for p in posted])
        self.assertEqual([1, 2, 1, 3, 4], [p.recipient_seq for p in posted])
        heads = await self.shard.messages.heads([ADA.number, BOB.number, 99])
        self.assertEqual({ADA.number: 4, BOB.number: 4, 99: 0}, heads)

    async def test_answer_repeats_the_draft(self) -> None:
        """
        The answer holds what was posted, the device included.
        """
        asked = draft("hi")
        (posted,) = await self.post(asked)
        message = posted.message
        self.assertEqual((ADA, BOB), (message.sender, message.recipient))
        self.assertEqual((asked.ident, NOW), (message.ident, message.timestamp))
        self.assertEqual((asked.content, PHONE), (message.content, message.device))
        self.assertEqual((PAIR, False), (message.conversation, posted.repeated))

    async def test_both_logs_hold_the_message(self) -> None:
        """
        Author and recipient find the message in their logs; the author's is own.
        """
        (posted,) = await self.post(draft("hi"))
        for account, own in ((ADA, True), (BOB, False)):
            page = await self.log(account)
            (entry,) = page.entries
            self.assertEqual((1, own), (entry.seq, entry.own))
            self.assertEqual(stored(posted.message), entry.message)
            self.assertIsNone(entry.message.device)

    async def test_message_to_oneself(self) -> None:
        """
        What somebody writes to himself is one entry, and is his own.
        """
        (posted,) = await self.post(draft("note", ADA, ADA))
        self.assertEqual((1, 1), (posted.sender_seq, posted.recipient_seq))
        page = await self.log(ADA)
        self.assertEqual([(1, True)], [(e.seq, e.own) for e in page.entries])

    async def test_content_survives(self) -> None:
        """
        Everything an author can write comes back as it was, byte by byte.
        """
        odd = b"\xff\xfe caf\xc3\xa9".decode("utf-8", "surrogateescape")
        contents = [
            Content(odd, b"\0\xff", -7, 2**31, {odd: "v", "": ""}, {"k": b"\xff"}),
            Content(),
            Content("", b"", 0, 0, {}, {}),
            Content("\U0001f600 \u4f60" * 1000),
        ]
        await self.post(*[attrs.evolve(draft(), content=c) for c in contents])
        page = await self.log(BOB)
        self.assertEqual(contents, [entry.message.content for entry in page.entries])

    async def test_repeated_send_is_one_message(self) -> None:
        """
        The same send again, in the same commit or later, is answered as the first.
        """
        first, again = await self.post(draft("hi", ident=7), draft("hi", ident=7))
        (later,) = await self.post(draft("hi", ident=7, at=NOW + SECOND))
        for repeat in (again, later):
            self.assertTrue(repeat.repeated)
            self.assertEqual((0, 0), (repeat.sender_seq, repeat.recipient_seq))
            self.assertEqual(first.message, repeat.message)
        self.assertEqual([1], await self.history())

    async def test_different_sends_are_no_repeats(self) -> None:
        """
        Another id, content, author or conversation makes another message; so does an
        id that was not chosen by the client.
        """
        free = attrs.evolve(draft("hi", ident=7), chosen=False)
        posted = await self.post(
            draft("hi", ident=7),
            draft("hi", ident=8),
            draft("ho", ident=7),
            draft("hi", BOB, ADA, ident=7),
            draft("hi", ADA, CYD, ident=7),
            free,
            free,
        )
        self.assertEqual([1, 2, 3, 4, 1, 5, 6], [p.message.mid for p in posted])

    async def test_order_of_maps_does_not_matter(self) -> None:
        """
        A client that writes its maps in another order the second time repeats itself.
        """
        one = Content("hi", extend={"a": "1", "b": "2"})
        two = Content("hi", extend={"b": "2", "a": "1"})
        base = draft(ident=7)
        drafts = [attrs.evolve(base, content=content) for content in (one, two)]
        posted = await self.post(*drafts)
        self.assertEqual([False, True], [p.repeated for p in posted])

    async def test_repeats_are_remembered_for_the_window(self) -> None:
        """
        A repeat at the end of the window is one, a nanosecond later it is none.
        """
        await self.post(draft("hi", ident=7), draft("ho", ident=8))
        (last,) = await self.post(draft("hi", ident=7, at=NOW + WINDOW))
        (over,) = await self.post(draft("ho", ident=8, at=NOW + WINDOW + 1))
        self.assertEqual([True, False], [last.repeated, over.repeated])

    async def test_repeats_after_the_clock_was_set_back(self) -> None:
        """
        A send is known again though the clock says a time before the first one.
        """
        edge = (NOW // WINDOW + 1) * WINDOW
        await self.post(draft("hi", ident=7, at=edge))
        for earlier in (1, HOUR, WINDOW):
            (again,) = await self.post(draft("hi", ident=7, at=edge - earlier))
            self.assertTrue(again.repeated, earlier)

    async def test_log_pages(self) -> None:
        """
        A log is read in pages that say how far they reach.
        """
        await self.post(*[draft(f"{n}") for n in range(1, 6)])
        read = self.shard.messages.read_log
        for after, up_to, limit, texts, reached in (
            (0, 5, 2, ["1", "2"], 2),
            (2, 5, 3, ["3", "4", "5"], 5),
            (2, 4, 9, ["3", "4"], 4),
            (0, 1, 1, ["1"], 1),
            (5, 5, 9, [], 5),
        ):
            page = await read(BOB.number, after, up_to, limit)
            found = [entry.message.content.text for entry in page.entries]
            self.assertEqual((texts, reached), (found, page.up_to))

    async def test_log_pages_are_limited_in_bytes(self) -> None:
        """
        A page of large messages ends early, but one always fits.
        """
        large = "x" * (LOG_READ_BYTES * 2 // 5)
        await self.post(draft("x" * (LOG_READ_BYTES + 1)), *[draft(large)] * 3)
        page = await self.log(BOB)
        self.assertEqual(([1], 1), ([e.seq for e in page.entries], page.up_to))
        page = await self.log(BOB, after=1)
        self.assertEqual(([2, 3], 3), ([e.seq for e in page.entries], page.up_to))

    async def test_history_goes_backwards(self) -> None:
        """
        A conversation is told newest first, from a number or a time on, in pieces.
        """
        await self.post(*[draft(f"{n}", at=NOW + n) for n in range(1, 6)])
        self.assertEqual([5, 4, 3, 2, 1], await self.history())
        self.assertEqual([5, 4], await self.history(number=2))
        self.assertEqual([3, 2, 1], await self.history(newest=3))
        self.assertEqual([2, 1], await self.history(until=NOW + 2))
        self.assertEqual([2], await self.history(newest=2, until=NOW + 4, number=1))
        self.assertEqual([], await self.history(until=NOW))
        other = Conversation.between(ADA.number, CYD.number)
        self.assertEqual([], await self.shard.messages.history(other, 0, None, 9))

    async def test_history_is_limited(self) -> None:
        """
        One piece of a conversation has a largest size.
        """
        await self.post(*[draft() for _ in range(HISTORY_ENTRIES + 1)])
        full = await self.history(number=HISTORY_ENTRIES)
        self.assertEqual(HISTORY_ENTRIES, len(full))
        self.assertEqual(full, await self.history(number=HISTORY_ENTRIES + 1))


class ReaderContract(ShardContract):
    """What every reader store must do."""

    async def open(self, device: Device = PHONE, now: int = NOW) -> tuple[int, int]:
        """Open a reader of Bob: its cursor and head."""
        state = await self.shard.readers.open(BOB.number, device, now)
        return state.cursor, state.head

    async def key(self, device: Device = PHONE) -> bytes:
        """The key of a reader of Bob."""
        return (await self.shard.readers.open(BOB.number, device, NOW)).key

    async def test_cursor_never_goes_back(self) -> None:
        """
        A device goes on behind the highest entry that it has confirmed.
        """
        await self.post(*[draft() for _ in range(5)])
        key = await self.key()
        self.assertEqual((0, 5), await self.open())
        await self.confirm(CursorMove(BOB.number, key, 3))
        await self.confirm(CursorMove(BOB.number, key, 2))
        self.assertEqual((3, 5), await self.open())
        moves = [CursorMove(BOB.number, key, n) for n in (5, 4)]
        await self.confirm(*moves)
        self.assertEqual((5, 5), await self.open())

    async def test_sessions_are_counted(self) -> None:
        """
        Whoever logs in later has the higher session number, on whichever device, so
        that other nodes know which news of an account is the newer.
        """
        devices = [PHONE, Device("other"), PHONE, *[Device(f"{n}") for n in range(40)]]
        states = [
            await self.shard.readers.open(BOB.number, device, NOW + n)
            for n, device in enumerate(devices)
        ]
        numbers = [state.session for state in states]
        self.assertEqual(list(range(1, len(devices) + 1)), numbers)
        other = await self.shard.readers.open(ADA.number, PHONE, NOW)
        self.assertEqual(1, other.session)

    async def test_devices_are_apart(self) -> None:
        """
        Each device has a cursor of its own; absent statements differ from empty ones.
        """
        devices = [Device(), Device(""), Device("", 0), Device(None, 0), Device("a", 1)]
        keys = [await self.key(device) for device in devices]
        self.assertEqual(len(devices), len(set(keys)))
        await self.confirm(CursorMove(BOB.number, keys[0], 4))
        self.assertEqual((4, 0), await self.open(Device()))
        self.assertEqual((0, 0), await self.open(Device("")))
        other = await self.shard.readers.open(ADA.number, Device(), NOW)
        self.assertNotEqual(keys[0], other.key)

    async def test_new_device_starts_at_the_highest(self) -> None:
        """
        A device never seen before starts where any device has confirmed everything.
        """
        await self.confirm(CursorMove(BOB.number, await self.key(PHONE), 2))
        await self.confirm(CursorMove(BOB.number, await self.key(LAPTOP), 4))
        self.assertEqual((4, 0), await self.open(Device("new")))

    async def test_readers_are_limited(self) -> None:
        """
        Of one device too many the one that was away longest is forgotten.
        """
        keys = []
        for n in range(READERS):
            device = Device(f"{n}")
            state = await self.shard.readers.open(BOB.number, device, NOW + n)
            keys.append(state.key)
        await self.confirm(*[CursorMove(BOB.number, key, 3) for key in keys[:2]])
        self.assertEqual((3, 0), await self.open(Device("0"), NOW + 99))
        self.assertEqual((3, 0), await self.open(Device("more"), NOW + 100))
        await self.confirm(CursorMove(BOB.number, keys[1], 9))
        await self.confirm(CursorMove(BOB.number, keys[0], 5))
        self.assertEqual((5, 0), await self.open(Device("0"), NOW + 101))
        self.assertEqual((5, 0), await self.open(Device("1"), NOW + 102))

    async def test_stuck_entry_is_counted(self) -> None:
        """
        How often in succession the same entry stopped a device is remembered.
        """
        key = await self.key()
        stuck = self.shard.readers.stuck
        counts = [await stuck(BOB.number, key, seq) for seq in (4, 4, 5, 4, 4, 4)]
        self.assertEqual([1, 2, 1, 1, 2, 3], counts)
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual((4, 3), (state.stuck_seq, state.stuck_count))

    async def test_delivered_marks_never_go_back(self) -> None:
        """
        The mark of a reader in a conversation is the highest that was confirmed.
        """
        key = await self.key()
        delivered = self.shard.messages.delivered
        self.assertEqual(0, await delivered(PAIR, BOB.number))
        other = Conversation.between(BOB.number, CYD.number)
        for marks in ([(PAIR, 3)], [(PAIR, 5), (PAIR, 4)], [(PAIR, 2), (other, 1)]):
            confirmed = tuple(Confirmed(pair, mid) for pair, mid in marks)
            await self.confirm(CursorMove(BOB.number, key, 1, confirmed))
        self.assertEqual(5, await delivered(PAIR, BOB.number))
        self.assertEqual(1, await delivered(other, BOB.number))
        self.assertEqual(0, await delivered(PAIR, ADA.number))


class DeskContract(ShardContract):
    """The posting desk over each engine."""

    async def test_desk_answers_in_order(self) -> None:
        """
        Many sends and a cursor posted at once are all stored and answered in order.
        """
        desk = GroupCommit(self.shard.messages, CLOCK)
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        answers: list[Posted | Changed | TimError] = []
        stored_moves: list[CursorMove] = []
        for n in range(1500):
            desk.post(draft(f"{n}"), answers.append)
        move = CursorMove(BOB.number, state.key, 1500)
        confirm(desk, move, stored_moves.append)
        await desk.flush()
        posted = [answer for answer in answers if isinstance(answer, Posted)]
        self.assertEqual(list(range(1, 1501)), [p.message.mid for p in posted])
        self.assertEqual([move], stored_moves)
        state = await self.shard.readers.open(BOB.number, PHONE, NOW)
        self.assertEqual((1500, 1500), (state.cursor, state.head))
