"""What nodes know by heart of groups, and what storage that fails does to them."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.python.monkey import MonkeyPatcher

from timtw.model import limits
from timtw.model.commands import (
    CreateRoom,
    ListMembers,
    ListRooms,
    PullHistory,
    SendMessage,
    ShowPresence,
)
from timtw.model.errors import (
    PermissionDenied,
    StorageUnavailable,
    TimError,
)
from timtw.model.events import Appeared, History, Refused, Streamed
from timtw.model.idents import number_of
from timtw.model.posting import Batch
from timtw.model.presence import Status
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.rooms import Role
from timtw.model.roomsteps import RoomStep
from timtw.model.values import REVOCATION, STREAM, Address, Content
from timtw.shards.memory.messages import MemoryMessages
from timtw.shards.memory.relations import MemoryRelations
from timtw.shards.memory.rooms import MemoryRooms
from timtw.test.groupkit import GroupsCase
from timtw.test.stage import OPEN

JOIN, PULL_IN, LEAVE = RoomStep.JOIN, RoomStep.PULL_IN, RoomStep.LEAVE
REMOVE, BAR, BLOCK = RoomStep.REMOVE, RoomStep.BAR, RoomStep.BLOCK


class KnownTests(GroupsCase):
    """What a node knows by heart of groups."""

    def known(self, room: str, who: Address) -> list[bool]:
        """Whether somebody is a member, as each node knows it, look-ups included."""
        number = number_of(room)
        key = (number or 0, who.number)
        found = [
            self.stage.ready(parts.belongings.of.look_up(key)) for parts in self.parts
        ]
        return [one.is_member for one in found]

    def test_a6_counts_everywhere_at_once(self) -> None:
        """Whatever changes who is in a group, each node goes by it from then on."""
        room = self.creates(self.ada, Entry.OPEN)
        bob = self.bob_is
        self.assertEqual([False, False], self.known(room, bob))
        for who, step, peer, after in (
            (self.bob, JOIN, None, True),
            (self.ada, REMOVE, bob, False),
            (self.ada, PULL_IN, bob, True),
            (self.bob, LEAVE, None, False),
            (self.ada, PULL_IN, bob, True),
            (self.ada, BAR, bob, False),
            (self.ada, PULL_IN, bob, True),
            (self.bob, BLOCK, None, False),
        ):
            self.assertEqual([not after] * 2, self.known(room, bob))
            self.done(who, step, room, peer, "")
            self.assertEqual([after] * 2, self.known(room, bob), step)

    def test_a6_dissolved_everywhere_at_once(self) -> None:
        """A dissolved group is dissolved on each node from then on."""
        room = self.creates(self.ada)
        number = number_of(room)
        for alive in (True, False):
            for parts in self.parts:
                found = self.stage.ready(parts.belongings.rooms.look_up(number or 0))
                assert found is not None
                self.assertEqual(alive, found.alive)
            if alive:
                self.done(self.ada, RoomStep.DISSOLVE, room)

    def test_no_role_is_remembered(self) -> None:
        """What only some members may do is never decided by what is remembered."""
        room = self.creates(self.ada)
        key = (number_of(room) or 0, self.ada_is.number)
        for parts in self.parts:
            found = self.stage.ready(parts.belongings.of.look_up(key))
            self.assertIs(Role.MEMBER, found.role)

    def test_a6_managers_everywhere_at_once(self) -> None:
        """Who is a manager, or is none any more, decides accordingly at once."""
        room = self.creates(self.ada)
        barred = ListMembers(room, barred=True)
        self.done(self.ada, PULL_IN, room, self.bob_is)
        for managers in ([self.bob_is], []):
            self.changes(self.ada, room, managers=managers)
            expected: object = [] if managers else PermissionDenied
            self.assertEqual(expected, self.listed(self.bob, barred))

    def test_a6_lists_are_remembered_until_they_change(self) -> None:
        """Lists are read once, on each node, and again after every change."""
        room = self.creates(self.ada, Entry.OPEN)
        self.done(self.bob, JOIN, room, text="")
        both = sorted([self.ada_is.node, self.bob_is.node])
        for _ in range(2):
            for who in (self.ada, self.bob):
                self.assertEqual(both, self.members(who, room))
                self.assertEqual([room], self.listed(who, ListRooms()))
                self.profile(who, room)
            self.assertEqual([True] * 6, self.at_hand(room))
        everybody = sorted([*both, self.cyd_is.node])
        for step, listed in ((PULL_IN, everybody), (REMOVE, both)):
            self.done(self.ada, step, room, self.cyd_is)
            for who in (self.ada, self.bob):
                self.assertEqual(listed, self.members(who, room))
            rooms = [room] if step is PULL_IN else []
            self.assertEqual(rooms, self.listed(self.cyd, ListRooms()))
        self.changes(self.ada, room, RoomInfo("new"), [self.bob_is])
        for who in (self.ada, self.bob):
            profile = self.profile(who, room)
            assert profile is not None
            self.assertEqual("new", profile.info.topic)
            self.assertEqual((self.bob_is.number,), profile.managers)
        self.done(self.bob, LEAVE, room)
        for who in (self.ada, self.bob):
            profile = self.profile(who, room)
            assert profile is not None
            self.assertEqual((), profile.managers)

    def test_word_that_is_lost(self) -> None:
        """A node that does not hear of a change tells it some seconds later."""
        room = self.creates(self.ada, Entry.OPEN)
        self.done(self.bob, JOIN, room, text="")
        self.assertEqual(2, len(self.members(self.bob, room)))  # type: ignore[arg-type]
        self.stage.hub.cut("north", "south")
        self.done(self.ada, PULL_IN, room, self.cyd_is)
        self.stage.clock.advance(limits.BOND_SECONDS)
        self.assertEqual(3, len(self.members(self.bob, room)))  # type: ignore[arg-type]

    def at_hand(self, room: str) -> list[bool]:
        """Whether each node knows the lists of a group by heart."""
        number = number_of(room) or 0
        lists = [parts.belongings.lists for parts in self.parts]
        people = (self.ada_is.number, self.bob_is.number)
        found = [one._members.known(number) is not None for one in lists]
        found += [one._profiles.known(number) is not None for one in lists]
        return found + [
            one._rooms.known(account) is not None
            for one, account in zip(lists, people, strict=True)
        ]

    def test_g12_storage_fails(self) -> None:
        """A group that could not be stored is refused once, and nothing is left."""
        failing = self.shard_fails()
        answer = self.answer(self.ada, CreateRoom("x", Entry.OPEN))
        assert isinstance(answer, Refused)
        self.assertIsInstance(answer.error, StorageUnavailable)
        failing.restore()
        self.assertEqual([], self.listed(self.ada, ListRooms()))

    def test_d6_text_that_is_not_stored(self) -> None:
        """A text to a group that could not be stored is refused, and reaches nobody."""
        room = self.creates(self.ada)
        self.done(self.ada, PULL_IN, room, self.bob_is)
        failing = self.shard_fails()
        self.ada.asks(SendMessage("", Content("hi"), room=room))
        self.stage.settle(1)
        failing.restore()
        (refused,) = self.ada.told(Refused)
        self.assertIsInstance(refused.error, StorageUnavailable)
        self.stage.settle(limits.LOOK_SECONDS)
        self.assertNotIn("hi", self.bob.texts)

    def shard_fails(self) -> MonkeyPatcher:
        """From now on nothing is stored."""

        def post(batch: Batch) -> Deferred[object]:
            return fail(StorageUnavailable())

        patcher = MonkeyPatcher((self.stage.shard.messages, "post", post))
        patcher.patch()
        return patcher


class MeanwhileTests(GroupsCase):
    """Rights that end while storage is asked about something else.

    Bob and Cyd are in Ada's group and no friends.
    """

    settings = attrs.evolve(OPEN, write_to_anyone=False)

    def setUp(self) -> None:
        """Both are in the group."""
        self.held = ""
        self.gates: list[Deferred[None]] = []
        for store, name in (
            (MemoryRelations, "bonds"),
            (MemoryRooms, "belonging"),
            (MemoryRooms, "rooms_of"),
            (MemoryMessages, "history"),
        ):
            self.patch(store, name, self.holding(name, getattr(store, name)))
        super().setUp()
        self.room = self.creates(self.ada)
        for who in (self.bob_is, self.cyd_is):
            self.done(self.ada, PULL_IN, self.room, who)

    def holding(
        self, name: str, read: Callable[..., Deferred[object]]
    ) -> Callable[..., Deferred[object]]:
        """How something is read that waits while it is held."""

        def wait(*asked: object) -> Deferred[object]:
            if self.held != name:
                return read(*asked)
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            return gate.addCallback(lambda _: read(*asked))

        return wait

    def goes_on(self) -> None:
        """Storage reads all that it was asked for, and holds nothing any more."""
        self.held = ""
        self.assertTrue(self.gates)
        for gate in self.gates:
            gate.callback(None)
        self.stage.settle(0.3)

    def whispers(self) -> None:
        """Bob writes to Cyd within the group."""
        self.bob.asks(SendMessage(self.cyd_is.node, Content("psst"), room=self.room))
        self.stage.settle(0.3)

    def refusals(self) -> list[type[TimError]]:
        """What Bob is refused with."""
        return [type(one.error) for one in self.bob.told(Refused)]

    def test_a6_removed_while_writing(self) -> None:
        """Who is removed while a private message waits for storage writes nothing."""
        self.held = "bonds"
        self.whispers()
        self.done(self.ada, REMOVE, self.room, self.bob_is)
        self.goes_on()
        self.assertEqual([PermissionDenied], self.refusals())
        self.assertNotIn("psst", self.cyd.texts)

    def test_a9_blocked_while_writing(self) -> None:
        """The same of whoever is blocked while his membership is looked up."""
        self.stage.clock.advance(limits.BOND_SECONDS)
        self.held = "belonging"
        self.whispers()
        self.blocks(self.cyd, self.bob_is)
        self.goes_on()
        self.assertEqual([PermissionDenied], self.refusals())
        self.assertNotIn("psst", self.cyd.texts)

    def test_a5_blocked_while_shown(self) -> None:
        """Nobody is shown to whom has blocked meanwhile."""
        self.held = "rooms_of"
        self.bob.asks(ShowPresence(Status(1), peer=self.cyd_is.node))
        self.stage.settle(0.3)
        self.blocks(self.cyd, self.bob_is)
        self.goes_on()
        self.assertEqual([], self.cyd.told(Appeared))

    def test_a6_removed_while_reading(self) -> None:
        """Who is removed does not read what is written after that."""
        self.held = "history"
        self.bob.asks(PullHistory(self.room, 0, 10, of_room=True))
        self.stage.settle(0.3)
        self.done(self.ada, REMOVE, self.room, self.bob_is)
        self.ada.asks(SendMessage("", Content("gone at last"), room=self.room))
        self.stage.settle(0.3)
        self.goes_on()
        self.assertEqual([PermissionDenied], self.refusals())
        self.assertEqual([], self.bob.told(History))

    def test_a6_removed_while_streams_come(self) -> None:
        """Who is removed hears no stream while storage is asked what is true."""
        self.held = "belonging"
        self.done(self.ada, REMOVE, self.room, self.bob_is)
        self.ada.asks(SendMessage("", Content("psst"), kind=STREAM, room=self.room))
        self.stage.settle(0.3)
        self.assertEqual(1, len(self.cyd.told(Streamed)))
        self.goes_on()
        self.assertEqual([], self.bob.told(Streamed))

    def test_a10_without_words(self) -> None:
        """A private message is taken back with words by members alone."""
        for _ in range(2):
            self.whispers()
        for mid in (1, 2):
            self.bob.asks(
                SendMessage(
                    self.cyd_is.node,
                    Content("sorry"),
                    kind=REVOCATION,
                    mid=mid,
                    room=self.room,
                )
            )
            self.stage.settle(0.3)
            self.steps(self.ada, REMOVE, self.room, self.bob_is)
        heard = [one.message for one in self.cyd.entries]
        removed = [one for one in heard if one.kind == REVOCATION]
        self.assertEqual(["sorry", None], [one.content.text for one in removed])
        number = number_of(self.room)
        self.assertEqual([number] * 2, [one.content.room for one in removed])
