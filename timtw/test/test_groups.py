"""Groups as people see them: steps, notices, lists, and what a group is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.task import Clock

from timtw.core.feeds.fanout import Fanout
from timtw.model import limits
from timtw.model.commands import (
    ChangeRoom,
    ChangeRoomInfo,
    CreateRoom,
    FetchBacklog,
    ListMembers,
    ListRooms,
    ReadRooms,
)
from timtw.model.errors import (
    AlreadyMember,
    BadParameter,
    BlockedByOther,
    NotThere,
    PermissionDenied,
    RoomDissolved,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Delivery, Profiles, Refused, RoomNews, RoomProfiles
from timtw.model.idents import node_of, number_of
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.roomsteps import OTHERS, RoomNotice, RoomStep
from timtw.model.values import Address
from timtw.test.groupkit import GroupsCase

JOIN, PULL_IN, LEAVE = RoomStep.JOIN, RoomStep.PULL_IN, RoomStep.LEAVE
REMOVE, BAR, BLOCK = RoomStep.REMOVE, RoomStep.BAR, RoomStep.BLOCK


class StepTests(GroupsCase):
    """What people do about groups."""

    def test_private_group(self) -> None:
        """Who asks is let in by the founder, and each hears what concerns them."""
        room = self.creates(self.ada)
        self.done(self.bob, JOIN, room, text="please")
        request = (RoomNotice.REQUEST, "please", self.bob_is.node)
        self.assertEqual([request], self.notices(self.ada, room))
        self.assertEqual([], self.notices(self.bob, room))
        self.assertIs(BadParameter, self.members(self.bob, room))
        self.assertEqual([], self.listed(self.bob, ListRooms()))
        self.done(self.ada, PULL_IN, room, self.bob_is)
        joined = (RoomNotice.JOINED, None, self.ada_is.node)
        self.assertEqual([joined], self.notices(self.bob, room))
        both = sorted([self.ada_is.node, self.bob_is.node])
        self.assertEqual(both, self.members(self.bob, room))
        self.assertEqual([room], self.listed(self.bob, ListRooms()))
        self.assertEqual([room], self.listed(self.ada, ListRooms()))
        receipts = [one.receipt for one in self.bob.told(Delivery)]
        self.assertTrue(all(receipts))

    def test_g10_open_group(self) -> None:
        """Who joins an open group hears of it on every device, on whichever node."""
        room = self.creates(self.ada, Entry.OPEN)
        tablet = self.stage.log_in("bob", "tablet")
        self.done(self.bob, JOIN, room, text="")
        for device in (self.bob, tablet):
            joined = (RoomNotice.JOINED, None, self.bob_is.node)
            self.assertEqual([joined], self.notices(device, room))
        self.assertIs(AlreadyMember, self.steps(self.bob, JOIN, room, text=""))

    def test_g10_members_hear_that_something_changed(self) -> None:
        """Devices with the additions of everybody in a group are told to look again,
        wherever they are, when somebody comes, goes, is removed or barred, or when what
        the group is has changed; whom it concerns is told also when it is out."""
        room = self.creates(self.ada)
        self.done(self.ada, RoomStep.PULL_IN, room, self.bob_is)
        people = (("ada", "south"), ("bob", "north"), ("cyd", "north"))
        devices = [
            self.stage.log_in(name, "new", node=node, additions=True)
            for name, node in people
        ]
        wish = RoomInfo(topic="Another")
        steps: list[tuple[Callable[[], object], list[bool]]] = [
            (lambda: self.done(self.cyd, JOIN, room, text=""), [True] * 3),
            (
                lambda: self.done(self.ada, RoomStep.PULL_IN, room, self.cyd_is),
                [True] * 3,
            ),
            (lambda: self.changes(self.ada, room, wish), [True] * 3),
            (lambda: self.changes(self.ada, room, None, [self.bob_is]), [True] * 3),
            (lambda: self.done(self.bob, RoomStep.BAR, room, self.cyd_is), [True] * 3),
            (lambda: self.done(self.bob, RoomStep.LEAVE, room), [True, True, False]),
            (lambda: self.done(self.bob, RoomStep.BLOCK, room), [True, True, False]),
            (
                lambda: self.done(self.ada, RoomStep.DISSOLVE, room),
                [True, False, False],
            ),
        ]
        for number, (step, told) in enumerate(steps):
            for device in devices:
                device.events.clear()
            step()
            self.stage.settle(1.2)
            heard = [{one.room for one in who.told(RoomNews)} for who in devices]
            self.assertEqual([{room} if one else set() for one in told], heard, number)

    def test_g10_many_at_once(self) -> None:
        """Who comes in the same second is told of once to those who are there."""
        room = self.creates(self.ada, Entry.OPEN)
        laptop = self.stage.log_in("ada", "laptop", additions=True)
        self.stage.settle(1.2)
        laptop.events.clear()
        for who in (self.bob, self.cyd):
            self.done(who, JOIN, room, text="")
        self.stage.settle(1.2)
        self.assertEqual([RoomNews(room)], laptop.told(RoomNews))

    def test_nobody_is_waited_for(self) -> None:
        """Where nobody of any group is there any more no timer is left."""
        clock, somebody = Clock(), cast(Any, object())
        fanout = Fanout(clock, lambda _room: None, lambda _room: None)
        for _ in range(2):
            fanout.enter(7, somebody)
            fanout.changed(7)
            self.assertEqual(1, len(clock.getDelayedCalls()))
            fanout.leave(7, somebody)
            self.assertEqual([], clock.getDelayedCalls())

    def test_g9_rejected_with_a_reason(self) -> None:
        """Who is not let in reads why, also after having been away."""
        room = self.creates(self.ada)
        self.done(self.bob, JOIN, room, text="please")
        self.bob.vanishes()
        self.stage.settle()
        self.done(self.ada, RoomStep.REJECT, room, self.bob_is, "we are full")
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        rejected = (RoomNotice.REJECTED, "we are full", self.ada_is.node)
        self.assertEqual([rejected], self.notices(phone, room))

    def test_managers_decide(self) -> None:
        """Managers hear of requests and decide about them, on whichever node."""
        room = self.creates(self.ada)
        self.done(self.ada, PULL_IN, room, self.bob_is)
        self.assertIs(
            PermissionDenied, self.steps(self.bob, PULL_IN, room, self.cyd_is)
        )
        self.assertIsNone(self.changes(self.ada, room, managers=[self.bob_is]))
        self.done(self.cyd, JOIN, room, text="hi")
        request = (RoomNotice.REQUEST, "hi", self.cyd_is.node)
        for who in (self.ada, self.bob):
            self.assertEqual(request, self.notices(who, room)[-1])
        self.done(self.bob, PULL_IN, room, self.cyd_is)
        self.assertEqual(3, len(self.members(self.cyd, room)))  # type: ignore[arg-type]

    def test_g11_asking_again(self) -> None:
        """However often somebody asks to be let in, the founder hears it once."""
        room = self.creates(self.ada)
        for _ in range(5):
            self.done(self.bob, JOIN, room, text="please")
        self.assertEqual(1, len(self.notices(self.ada, room)))

    def test_g2_pulled_in_by_members_only(self) -> None:
        """Nobody pulls into a group they are not in, nor anybody who blocks them."""
        room = self.creates(self.ada, Entry.OPEN)
        self.assertIs(
            PermissionDenied, self.steps(self.bob, PULL_IN, room, self.cyd_is)
        )
        self.done(self.bob, JOIN, room, text="")
        nobody = Address(7, node_of(7))
        self.assertIs(NotThere, self.steps(self.bob, PULL_IN, room, nobody))
        self.blocks(self.cyd, self.bob_is)
        self.assertIs(BlockedByOther, self.steps(self.bob, PULL_IN, room, self.cyd_is))
        self.done(self.cyd, BLOCK, room)
        self.assertIs(BlockedByOther, self.steps(self.ada, PULL_IN, room, self.cyd_is))
        self.assertEqual([room], self.listed(self.cyd, ListRooms(blocked=True)))
        self.done(self.cyd, LEAVE, room)
        self.done(self.ada, PULL_IN, room, self.cyd_is)
        pulled = (RoomNotice.PULLED_IN, None, self.ada_is.node)
        self.assertEqual([pulled], self.notices(self.cyd, room))

    def test_barred(self) -> None:
        """Who is barred is out, hears nothing, is listed, and stays out."""
        room = self.creates(self.ada, Entry.OPEN)
        self.done(self.bob, JOIN, room, text="")
        before = self.notices(self.bob, room)
        self.done(self.ada, BAR, room, self.bob_is)
        barred = ListMembers(room, barred=True)
        self.assertEqual([self.bob_is.node], self.listed(self.ada, barred))
        self.assertIs(PermissionDenied, self.listed(self.bob, barred))
        self.assertIs(BlockedByOther, self.steps(self.bob, JOIN, room, text=""))
        self.assertEqual(before, self.notices(self.bob, room))
        self.done(self.ada, REMOVE, room, self.bob_is)
        self.assertEqual([], self.listed(self.ada, barred))

    def test_g3_founder_is_untouchable(self) -> None:
        """No manager removes or bars the founder."""
        room = self.creates(self.ada, Entry.OPEN)
        self.done(self.ada, PULL_IN, room, self.bob_is)
        self.changes(self.ada, room, managers=[self.bob_is])
        for step in (REMOVE, BAR):
            refusal = self.steps(self.bob, step, room, self.ada_is)
            self.assertIs(PermissionDenied, refusal)

    def test_g4_always_to_be_dissolved(self) -> None:
        """A founder stays, can empty the group, and dissolves it then."""
        room = self.creates(self.ada, Entry.OPEN)
        self.done(self.bob, JOIN, room, text="")
        for step in (LEAVE, BLOCK, RoomStep.DISSOLVE):
            self.assertIs(PermissionDenied, self.steps(self.ada, step, room))
        self.assertIs(PermissionDenied, self.steps(self.bob, RoomStep.DISSOLVE, room))
        self.done(self.ada, BAR, room, self.bob_is)
        self.done(self.ada, RoomStep.DISSOLVE, room)
        self.assertEqual([], self.listed(self.ada, ListRooms()))
        self.assertIsNone(self.profile(self.ada, room))
        self.assertIs(BadParameter, self.members(self.ada, room))
        refused = self.listed(self.ada, ListMembers(room, barred=True))
        self.assertIs(RoomDissolved, refused)
        for step in RoomStep:
            if step not in (RoomStep.CREATE, RoomStep.CHANGE):
                peer = self.cyd_is if step in OTHERS else None
                refusal = self.steps(self.ada, step, room, peer, "")
                self.assertIs(RoomDissolved, refusal, step)
        self.assertIs(RoomDissolved, self.changes(self.ada, room, RoomInfo("x")))

    def test_g4_handed_over(self) -> None:
        """Whoever wants to go makes another member the founder, on whichever node; that
        is seen everywhere at once, and the new one can dissolve the group."""
        room = self.creates(self.ada, Entry.OPEN)
        for who in (self.bob, self.cyd):
            self.done(who, JOIN, room, text="")
        self.assertIsNotNone(self.profile(self.bob, room))
        give = RoomStep.HAND_OVER
        self.assertIs(PermissionDenied, self.steps(self.bob, give, room, self.cyd_is))
        self.assertIs(PermissionDenied, self.steps(self.ada, give, room, self.ada_is))
        self.done(self.ada, give, room, self.bob_is)
        for who in (self.ada, self.bob, self.cyd):
            profile = self.profile(who, room)
            assert profile is not None
            self.assertEqual(self.bob_is.number, profile.room.founder)
        self.assertIs(PermissionDenied, self.steps(self.ada, give, room, self.cyd_is))
        self.assertIs(PermissionDenied, self.steps(self.bob, LEAVE, room))
        self.done(self.ada, LEAVE, room)
        self.done(self.bob, REMOVE, room, self.cyd_is)
        self.done(self.bob, RoomStep.DISSOLVE, room)

    def test_g1_roles_end(self) -> None:
        """A manager who has left decides nothing, on whichever node."""
        room = self.creates(self.ada)
        self.done(self.ada, PULL_IN, room, self.bob_is)
        self.changes(self.ada, room, managers=[self.bob_is])
        barred = ListMembers(room, barred=True)
        self.assertEqual([], self.listed(self.bob, barred))
        self.done(self.bob, LEAVE, room)
        self.assertIs(PermissionDenied, self.listed(self.bob, barred))
        self.assertIs(PermissionDenied, self.steps(self.bob, BAR, room, self.cyd_is))
        profile = self.profile(self.ada, room)
        assert profile is not None
        self.assertEqual((), profile.managers)
        wish = self.changes(self.ada, room, managers=[self.bob_is])
        self.assertIs(BadParameter, wish)

    def test_lists_for_members_only(self) -> None:
        """Who is in a group is told to members, from the moment they are."""
        room = self.creates(self.ada, Entry.OPEN)
        self.assertIs(BadParameter, self.members(self.bob, room))
        self.done(self.bob, JOIN, room, text="")
        self.assertEqual(2, len(self.members(self.bob, room)))  # type: ignore[arg-type]
        self.done(self.ada, REMOVE, room, self.bob_is)
        removed = (RoomNotice.REMOVED, None, self.ada_is.node)
        self.assertEqual(removed, self.notices(self.bob, room)[-1])
        self.assertIs(BadParameter, self.members(self.bob, room))

    def test_large_lists(self) -> None:
        """Of a group with many members everybody is listed once."""
        self.patch(limits, "MEMBERS_AT_ONCE", 3)
        room = self.creates(self.ada, Entry.OPEN)
        everybody = {self.ada_is.node}
        for number in range(5):
            one = self.stage.register(f"person {number}")
            everybody.add(one.node)
            self.done(self.ada, PULL_IN, room, one)
            self.assertEqual(sorted(everybody), self.members(self.ada, room))

    def test_q1_empty_lists(self) -> None:
        """Lists are answered, also when nothing is on them."""
        self.assertEqual([], self.listed(self.ada, ListRooms()))
        self.assertEqual([], self.listed(self.ada, ListRooms(blocked=True)))
        room = self.creates(self.ada)
        self.assertEqual([], self.listed(self.ada, ListMembers(room, barred=True)))


class RefusalTests(GroupsCase):
    """What does not exist, is misspelled, or is too much."""

    def test_nodes(self) -> None:
        """Misspelled nodes, unknown groups and unknown accounts are told apart."""
        room = self.creates(self.ada)
        unknown = node_of(12345)
        for step in RoomStep:
            if step in (RoomStep.CREATE, RoomStep.CHANGE):
                continue
            peer = self.bob_is if step in OTHERS else None
            for node in ("0", "", "no-such-node", "1"):
                refusal = self.steps(self.ada, step, node, peer, "")
                self.assertIs(BadParameter, refusal, step)
            kind = BadParameter if step is JOIN else NotThere
            self.assertIs(kind, self.steps(self.ada, step, unknown, peer, ""))
            if step in OTHERS:
                for node in ("0", ""):
                    refusal = self.steps(self.ada, step, room, Address(0, node))
                    self.assertIs(BadParameter, refusal)
                refusal = self.steps(self.ada, step, room, Address(0, unknown))
                self.assertIs(NotThere, refusal)
                refusal = self.steps(self.ada, step, room, self.ada_is)
                self.assertIs(PermissionDenied, refusal)
        for node in ("0", "", unknown):
            self.assertIs(UnknownAccount, self.members(self.ada, node))
        for node, kind in ((unknown, NotThere), ("0", BadParameter)):
            refused = self.listed(self.ada, ListMembers(node, barred=True))
            self.assertIs(kind, refused)
        for node, wrong in (
            (unknown, NotThere),
            ("1z", NotThere),
            ("", UnknownAccount),
            ("no-such-node", UnknownAccount),
        ):
            self.assertIs(wrong, self.changes(self.ada, node, RoomInfo("x")), node)

    def test_g17_other_domains(self) -> None:
        """A group is not there for people of another domain, nor they for it."""
        eve_is = self.stage.register("eve", "elsewhere")
        eve = self.stage.log_in("eve", domain="elsewhere")
        room = self.creates(self.ada, Entry.OPEN)
        self.assertIs(BadParameter, self.steps(eve, JOIN, room, text=""))
        self.assertIs(NotThere, self.steps(eve, BLOCK, room))
        self.assertIs(UnknownAccount, self.members(eve, room))
        self.assertIsNone(self.profile(eve, room))
        self.assertIs(NotThere, self.changes(eve, room, RoomInfo("x")))
        self.assertIs(NotThere, self.steps(self.ada, PULL_IN, room, eve_is))
        barred = ListMembers(room, barred=True)
        self.assertIs(NotThere, self.listed(eve, barred))

    def test_g15_block_of_nothing(self) -> None:
        """A group that nobody made cannot be blocked, and is on no list."""
        for node in ("", node_of(12345), "0"):
            self.steps(self.ada, BLOCK, node)
        self.assertEqual([], self.listed(self.ada, ListRooms(blocked=True)))

    def test_longest_text(self) -> None:
        """A request may have so many bytes of text, and no more."""
        room = self.creates(self.ada)
        longest = "\u4e2d" * (limits.REQUEST_TEXT_BYTES // 3) + "x"
        refusal = self.steps(self.bob, JOIN, room, text=longest + "x")
        self.assertIs(BadParameter, refusal)
        self.done(self.bob, JOIN, room, text=longest)
        self.assertEqual(longest, self.notices(self.ada, room)[0][1])

    def test_so_many_a_minute(self) -> None:
        """What others hear of is done up to the limit; ends are always possible."""
        room = self.creates(self.ada, Entry.OPEN)
        wish = ChangeRoom(PULL_IN, room, self.bob_is.node)
        for _ in range(limits.ROOM_STEPS_PER_MINUTE - 1):
            self.ada.asks(wish)
        self.ada.asks(ChangeRoom(PULL_IN, room, self.cyd_is.node))
        self.ada.asks(ChangeRoom(BLOCK, room))
        self.ada.asks(CreateRoom("x", Entry.OPEN))
        self.stage.settle(0.9)
        kinds = [type(one.error) for one in self.ada.told(Refused)]
        members = limits.ROOM_STEPS_PER_MINUTE - 2
        self.assertEqual([AlreadyMember] * members + [TooFrequent] * 3, kinds)
        self.done(self.ada, REMOVE, room, self.bob_is)
        self.done(self.bob, JOIN, room, text="")
        self.stage.clock.advance(2)
        self.done(self.ada, PULL_IN, room, self.cyd_is)

    def test_g16_managers(self) -> None:
        """A group has so many managers, and no more."""
        self.patch(limits, "ROOM_MANAGERS", 1)
        room = self.creates(self.ada, Entry.OPEN)
        for who in (self.bob_is, self.cyd_is):
            self.done(self.ada, PULL_IN, room, who)
        both = self.changes(self.ada, room, managers=[self.bob_is, self.cyd_is])
        self.assertIs(BadParameter, both)
        twice = self.changes(self.ada, room, managers=[self.bob_is, self.bob_is])
        self.assertIsNone(twice)
        wrong = self.changes(self.ada, room, managers=[Address(0, "0")])
        self.assertIs(BadParameter, wrong)


class InfoTests(GroupsCase):
    """What a group tells about itself."""

    def test_info(self) -> None:
        """What is said is told to everybody; what is not said stays."""
        room = self.creates(self.ada, topic="Chess")
        whole = RoomInfo("Go", "cover", "label", -7, {"a": ""}, {"b": b"\xff"})
        self.assertIsNone(self.changes(self.ada, room, whole))
        self.assertIsNone(self.changes(self.ada, room, RoomInfo(label="", extend={})))
        profile = self.profile(self.bob, room)
        assert profile is not None
        said = RoomInfo("Go", "cover", "", -7, {}, {"b": b"\xff"})
        self.assertEqual(said, profile.info)
        self.assertEqual(self.ada_is.number, profile.room.founder)
        self.assertIs(Entry.PRIVATE, profile.room.entry)
        self.assertEqual(number_of(room), profile.room.number)
        self.assertLess(0, profile.room.created)
        self.assertIs(PermissionDenied, self.changes(self.bob, room, RoomInfo("x")))

    def test_g8_changes_at_once(self) -> None:
        """A new topic of a manager does not undo what the founder has changed."""
        room = self.creates(self.ada)
        for who in (self.bob_is, self.cyd_is):
            self.done(self.ada, PULL_IN, room, who)
        everybody = (self.bob_is.node, self.cyd_is.node)
        self.changes(self.ada, room, managers=[self.bob_is, self.cyd_is])
        self.ada.asks(ChangeRoomInfo(room, RoomInfo(), (self.bob_is.node,)))
        self.bob.asks(ChangeRoomInfo(room, RoomInfo("new"), everybody))
        self.stage.settle(0.3)
        profile = self.profile(self.ada, room)
        assert profile is not None
        self.assertEqual("new", profile.info.topic)
        self.assertEqual((self.bob_is.number,), profile.managers)

    def test_a8_as_many_as_may_be_asked_for(self) -> None:
        """More groups than may be asked for at once are not told."""
        self.patch(limits, "NODE_LIST", 2)
        rooms = tuple(self.creates(self.ada) for _ in range(3))
        answer = self.answer(self.bob, ReadRooms(rooms))
        assert isinstance(answer, RoomProfiles)
        self.assertEqual(2, len(answer.profiles))

    def test_unknown(self) -> None:
        """What is no group is left out, also if that leaves nothing."""
        room = self.creates(self.ada)
        nodes = ("0", self.bob_is.node, node_of(12345))
        for asked, count in (((room, *nodes), 1), (nodes, 0)):
            answer = self.answer(self.ada, ReadRooms(asked))
            assert isinstance(answer, RoomProfiles)
            self.assertEqual(count, len(answer.profiles))

    def test_what_a_node_is(self) -> None:
        """Who does not say whether accounts or groups are meant gets what they are."""
        room = self.creates(self.ada)
        answer = self.answer(self.ada, ReadRooms((room,), or_accounts=True))
        assert isinstance(answer, RoomProfiles)
        self.ada.asks(ReadRooms((self.bob_is.node,), or_accounts=True))
        self.stage.settle()
        (profile,) = self.ada.told(Profiles)[-1].profiles
        self.assertEqual(self.bob_is, profile.account.address)
