"""Friends and blocks as people see them: requests, notices, and who may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from timtw.core.people.bonds import Bonds
from timtw.core.people.policy import depends_on_bond, may_write, meets
from timtw.model import limits
from timtw.model.commands import (
    ChangeRelation,
    FetchBacklog,
    ListRelations,
    SendMessage,
)
from timtw.model.errors import (
    AlreadyFriends,
    BadParameter,
    BlockedByOther,
    PermissionDenied,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import (
    Accepted,
    Delivery,
    Refused,
    Related,
    Relations,
    RelationsChanged,
    Streamed,
)
from timtw.model.peoplestores import IRelationStore
from timtw.model.relations import (
    FRIENDS,
    REMOVED,
    REQUEST,
    Bond,
    Circle,
    Half,
    Relation,
    Step,
    decide,
)
from timtw.model.values import (
    BURN,
    CUSTOM,
    NOTICE,
    REVOCATION,
    STREAM,
    TEXT,
    Address,
    Content,
    Conversation,
)
from timtw.test.stage import OPEN, Client, Stage

N, A, B = Half.NOTHING, Half.ASKED, Half.BLOCKS
FRIENDS_ONLY = attrs.evolve(OPEN, write_to_anyone=False)


class PolicyTests(SynchronousTestCase):
    """The rules as tables."""

    def test_steps(self) -> None:
        """Who does what in which state: the state after it, the notice, the refusal."""
        table = (
            (Step.ASK, N, N, (A, N), REQUEST, None),
            (Step.ASK, A, N, (A, N), REQUEST, None),
            (Step.ASK, N, A, (A, A), FRIENDS, None),
            (Step.ASK, A, A, (A, A), FRIENDS, AlreadyFriends),
            (Step.ASK, N, B, (N, B), 0, BlockedByOther),
            (Step.ASK, B, N, (A, N), REQUEST, None),
            (Step.ASK, B, B, (B, B), 0, BlockedByOther),
            (Step.LEAVE, N, N, (N, N), 0, BadParameter),
            (Step.LEAVE, A, N, (N, N), REMOVED, None),
            (Step.LEAVE, N, A, (N, N), REMOVED, None),
            (Step.LEAVE, A, A, (N, N), REMOVED, None),
            (Step.LEAVE, B, N, (N, N), REMOVED, None),
            (Step.LEAVE, N, B, (N, B), 0, None),
            (Step.LEAVE, B, B, (N, B), 0, None),
            (Step.BLOCK, N, N, (B, N), 0, None),
            (Step.BLOCK, A, N, (B, N), 0, None),
            (Step.BLOCK, N, A, (B, N), 0, None),
            (Step.BLOCK, A, A, (B, N), 0, None),
            (Step.BLOCK, B, N, (B, N), 0, None),
            (Step.BLOCK, N, B, (B, B), 0, None),
            (Step.BLOCK, B, B, (B, B), 0, None),
        )
        for step, mine, theirs, after, notice, refusal in table:
            verdict = decide(step, Relation(mine, theirs))
            found = (verdict.after.mine, verdict.after.theirs)
            said = None if verdict.refusal is None else type(verdict.refusal)
            self.assertEqual(
                (after, notice, refusal), (found, verdict.notice, said), (step, mine)
            )
            new = (mine, theirs) == (N, A) and step is Step.ASK
            self.assertEqual(new, verdict.both)

    def test_collapsing_and_room(self) -> None:
        """What waits is not told again; who knows too many asks and blocks nobody."""
        waiting = decide(Step.ASK, Relation(A, N), waits=True)
        self.assertEqual((0, None), (waiting.notice, waiting.refusal))
        friends = decide(Step.ASK, Relation(A, A), waits=True)
        self.assertEqual(0, friends.notice)
        self.assertIsInstance(friends.refusal, AlreadyFriends)
        for step in (Step.ASK, Step.BLOCK):
            full = decide(step, Relation(N, A), room=False)
            self.assertIsInstance(full.refusal, PermissionDenied)
            self.assertEqual(Relation(N, A), full.after)
        for mine in (A, B):
            self.assertIsNone(decide(Step.BLOCK, Relation(mine, N), room=False).refusal)

    def test_writing(self) -> None:
        """Friends may; strangers where anyone may; nobody across a block."""
        table = {
            (Bond.FRIENDS, False): True,
            (Bond.FRIENDS, True): True,
            (Bond.STRANGERS, False): False,
            (Bond.STRANGERS, True): True,
            (Bond.BLOCKED, False): False,
            (Bond.BLOCKED, True): False,
        }
        for (bond, anyone), allowed in table.items():
            self.assertEqual(allowed, may_write(bond, anyone) is None, (bond, anyone))
        asked = {
            TEXT: True,
            STREAM: True,
            CUSTOM[0]: True,
            REVOCATION: False,
            BURN: False,
        }
        for kind, depends in asked.items():
            self.assertEqual(depends, depends_on_bond(kind), kind)

    def test_meeting(self) -> None:
        """Nobody meets oneself, nor anybody of another domain."""
        ada = Address(1, "1", "here")
        self.assertIsNone(meets(ada, Address(2, "2", "here")))
        self.assertIsInstance(meets(ada, ada), PermissionDenied)
        self.assertIsInstance(meets(ada, Address(2, "2", "there")), UnknownAccount)


class FriendsCase(SynchronousTestCase):
    """Ada and Bob, on a node each, where only friends may write to each other."""

    settings = FRIENDS_ONLY

    def setUp(self) -> None:
        """Both have accounts."""
        self.stage = Stage(("north", "south"), settings=self.settings)
        self.ada_is = self.stage.register("ada")
        self.bob_is = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")
        self.bob = self.stage.log_in("bob", node="south")

    def does(
        self, who: Client, step: Step, peer: Address, text: str | None = None
    ) -> list[object]:
        """What somebody is answered to a step."""
        command = ChangeRelation(step, peer.node, text)
        before = len(who.events)
        who.asks(command)
        self.stage.settle(0.5)
        told = who.events[before:]
        return [
            type(one.error) if isinstance(one, Refused) else type(one)
            for one in told
            if isinstance(one, Refused | Related)
        ]

    def befriended(self) -> None:
        """Both are friends."""
        self.does(self.ada, Step.ASK, self.bob_is, "it is me")
        self.does(self.bob, Step.ASK, self.ada_is, "hello")

    def notices(self, who: Client) -> list[tuple[int, str | None]]:
        """What somebody is told of relations, in order."""
        told = [one.message for one in who.entries]
        return [(m.mid, m.content.text) for m in told if m.kind == NOTICE]

    def listed(self, who: Client, circle: Circle = Circle.FRIENDS) -> tuple[str, ...]:
        """Who is this to somebody."""
        who.asks(ListRelations(circle))
        self.stage.settle()
        return who.told(Relations)[-1].nodes

    def writes(self, who: Client, peer: Address, kind: int = TEXT) -> bool:
        """Whether somebody may send this kind."""
        before = len(who.told(Refused))
        who.asks(SendMessage(peer.node, Content("hi"), kind=kind))
        self.stage.settle()
        refused = who.told(Refused)[before:]
        for one in refused:
            self.assertIsInstance(one.error, PermissionDenied)
        return not refused


class FriendsTests(FriendsCase):
    """Where only friends may write."""

    def test_befriend_and_accept(self) -> None:
        """A request reaches the other, the answer both; then they may write."""
        self.assertFalse(self.writes(self.ada, self.bob_is))
        self.assertEqual(
            [Related], self.does(self.ada, Step.ASK, self.bob_is, "it is me")
        )
        self.assertEqual([(REQUEST, "it is me")], self.notices(self.bob))
        self.assertEqual([], self.notices(self.ada))
        self.assertFalse(self.writes(self.ada, self.bob_is))
        self.assertFalse(self.writes(self.bob, self.ada_is))
        self.does(self.bob, Step.ASK, self.ada_is, "hello")
        self.assertEqual([(FRIENDS, "hello")], self.notices(self.ada))
        self.assertEqual((FRIENDS, "hello"), self.notices(self.bob)[-1])
        self.assertTrue(self.writes(self.ada, self.bob_is))
        self.assertTrue(self.writes(self.bob, self.ada_is))
        told = [one for one in self.bob.told(Delivery) if not one.entry.own]
        receipts = [one.receipt for one in told]
        self.assertTrue(all(receipts))

    def test_r5_both_are_told(self) -> None:
        """All devices of both sides learn that the friendship exists."""
        tablet = self.stage.log_in("bob", "tablet")
        laptop = self.stage.log_in("ada", "laptop", node="south")
        self.befriended()
        for device in (self.ada, laptop, self.bob, tablet):
            self.assertEqual((FRIENDS, "hello"), self.notices(device)[-1])

    def test_away(self) -> None:
        """A request waits for whoever is away, in the pages of the backlog."""
        self.bob.vanishes()
        self.stage.settle()
        self.does(self.ada, Step.ASK, self.bob_is, "it is me")
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual([(REQUEST, "it is me")], self.notices(phone))

    def test_open_requests(self) -> None:
        """Both sides can list a request, on any device, until it is answered."""
        self.does(self.ada, Step.ASK, self.bob_is, "it is me")
        self.assertEqual((self.bob_is.node,), self.listed(self.ada, Circle.ASKED))
        self.assertEqual((self.ada_is.node,), self.listed(self.bob, Circle.ASKING))
        self.does(self.bob, Step.ASK, self.ada_is)
        self.assertEqual((), self.listed(self.ada, Circle.ASKED))
        self.assertEqual((), self.listed(self.bob, Circle.ASKING))

    def test_own_devices_hear_of_changes(self) -> None:
        """Every device of whoever changes something is told to look, on every node;
        the other account hears nothing of a block."""
        laptop, desk, theirs = (
            self.stage.log_in(who, "new", node=node, additions=True)
            for who, node in (("ada", "south"), ("ada", "north"), ("bob", "north"))
        )
        self.does(self.ada, Step.BLOCK, self.bob_is)
        heard = [
            len(one.told(RelationsChanged)) for one in (self.ada, desk, laptop, theirs)
        ]
        self.assertEqual([0, 1, 1, 0], heard)

    def test_r6_repeats_collapse(self) -> None:
        """However often somebody asks, one request waits for whoever is away."""
        self.bob.vanishes()
        self.stage.settle()
        for text in ("please", "please", "now"):
            answer = self.does(self.ada, Step.ASK, self.bob_is, text)
            self.assertEqual([Related], answer)
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual([(REQUEST, "please")], self.notices(phone))
        self.does(self.ada, Step.ASK, self.bob_is, "again")
        self.assertEqual((REQUEST, "again"), self.notices(phone)[-1])

    def test_r6_so_many_a_minute(self) -> None:
        """Steps are taken up to the limit, then not for a while."""
        most = limits.RELATION_STEPS_PER_MINUTE
        wish = ChangeRelation(Step.BLOCK, self.bob_is.node)
        for _ in range(most):
            self.ada.asks(wish)
        self.stage.settle(0.9)
        self.assertEqual([], self.ada.told(Refused))
        self.assertEqual([TooFrequent], self.does(self.ada, Step.BLOCK, self.bob_is))
        self.assertEqual([Related], self.does(self.bob, Step.BLOCK, self.ada_is))
        self.stage.clock.advance(2)
        self.assertEqual([Related], self.does(self.ada, Step.BLOCK, self.bob_is))

    def test_r1_asking_twice(self) -> None:
        """Who asks twice is on nobody's list, and may not write."""
        for _ in range(2):
            self.does(self.ada, Step.ASK, self.bob_is, "please")
        self.assertEqual(((), ()), (self.listed(self.ada), self.listed(self.bob)))
        self.assertFalse(self.writes(self.ada, self.bob_is))

    def test_q1_lists(self) -> None:
        """Lists are answered, also when nobody is on them."""
        self.assertEqual(
            ((), ()), (self.listed(self.ada), self.listed(self.ada, Circle.BLOCKED))
        )
        self.befriended()
        self.assertEqual((self.bob_is.node,), self.listed(self.ada))
        self.assertEqual((self.ada_is.node,), self.listed(self.bob))
        self.does(self.ada, Step.BLOCK, self.bob_is)
        self.assertEqual((self.bob_is.node,), self.listed(self.ada, Circle.BLOCKED))
        self.assertEqual((), self.listed(self.ada))

    def test_a6_end_counts_at_once(self) -> None:
        """Who is no friend any more may not write, on whichever node, from then on."""
        self.befriended()
        self.assertTrue(self.writes(self.ada, self.bob_is))
        self.assertTrue(self.writes(self.bob, self.ada_is))
        self.assertEqual([Related], self.does(self.bob, Step.LEAVE, self.ada_is))
        self.assertEqual((REMOVED, None), self.notices(self.ada)[-1])
        self.assertFalse(self.writes(self.ada, self.bob_is))
        self.assertFalse(self.writes(self.bob, self.ada_is))
        self.befriended()
        self.assertTrue(self.writes(self.ada, self.bob_is))

    def test_r2_block_is_not_told(self) -> None:
        """A block ends messages of every kind both ways; the other hears nothing."""
        self.befriended()
        kinds = (TEXT, CUSTOM[0], STREAM)
        for kind in kinds:
            self.assertTrue(self.writes(self.bob, self.ada_is, kind))
        before = len(self.bob.events)
        self.assertEqual([Related], self.does(self.ada, Step.BLOCK, self.bob_is))
        self.assertEqual(before, len(self.bob.events))
        streams = len(self.ada.told(Streamed))
        for kind in kinds:
            self.assertFalse(self.writes(self.bob, self.ada_is, kind))
            self.assertFalse(self.writes(self.ada, self.bob_is, kind))
        self.assertEqual(streams, len(self.ada.told(Streamed)))

    def test_asking_across_a_block(self) -> None:
        """Who is blocked is told so when asking; the blocker hears nothing."""
        self.does(self.ada, Step.BLOCK, self.bob_is)
        before = len(self.ada.events)
        self.assertEqual(
            [BlockedByOther], self.does(self.bob, Step.ASK, self.ada_is, "please")
        )
        self.assertEqual(before, len(self.ada.events))

    def test_r9_ending_while_blocked(self) -> None:
        """Who is blocked and ends what there is changes nothing of the block."""
        self.befriended()
        self.does(self.ada, Step.BLOCK, self.bob_is)
        self.assertEqual([Related], self.does(self.bob, Step.LEAVE, self.ada_is))
        self.assertEqual((self.bob_is.node,), self.listed(self.ada, Circle.BLOCKED))
        self.assertFalse(self.writes(self.bob, self.ada_is))

    def test_a10_own_texts_can_always_be_taken_back(self) -> None:
        """Its author revokes a text and its reader burns it, after a block as well."""
        self.befriended()
        self.writes(self.ada, self.bob_is)
        self.writes(self.bob, self.ada_is)
        self.does(self.bob, Step.BLOCK, self.ada_is)
        before = len(self.ada.told(Refused))
        for kind, mid in ((REVOCATION, 1), (BURN, 2)):
            self.ada.asks(SendMessage(self.bob_is.node, Content(), kind=kind, mid=mid))
        self.stage.settle()
        self.assertEqual(before, len(self.ada.told(Refused)))

    def test_a10_without_words(self) -> None:
        """What is taken back brings words only where a text might be written."""
        said = Content("sorry", b"b", 1, 2, {"more": "words"}, {"more": b"words"})
        for mid, end, expected in (
            (1, None, said),
            (2, Step.LEAVE, Content()),
            (3, Step.BLOCK, Content()),
        ):
            self.befriended()
            self.writes(self.ada, self.bob_is)
            if end is not None:
                self.does(self.bob, end, self.ada_is)
            self.ada.asks(SendMessage(self.bob_is.node, said, kind=REVOCATION, mid=mid))
            self.stage.settle()
            heard = [one.message for one in self.bob.entries]
            removed = [one for one in heard if one.kind == REVOCATION]
            self.assertEqual((mid, expected), (len(removed), removed[-1].content))

    def test_refusals(self) -> None:
        """Oneself, nobody, strangers of other domains, and what is not there."""
        self.assertEqual(
            [PermissionDenied], self.does(self.ada, Step.ASK, self.ada_is, "me")
        )
        self.assertEqual(
            [PermissionDenied], self.does(self.ada, Step.BLOCK, self.ada_is)
        )
        self.assertEqual([BadParameter], self.does(self.ada, Step.LEAVE, self.ada_is))
        self.assertEqual([BadParameter], self.does(self.ada, Step.LEAVE, self.bob_is))
        for node in ("zzz", "", "0l"):
            nobody = Address(5, node)
            for step in Step:
                self.assertEqual(
                    [UnknownAccount], self.does(self.ada, step, nobody, "hi")
                )
        self.befriended()
        self.assertEqual(
            [AlreadyFriends], self.does(self.ada, Step.ASK, self.bob_is, "so?")
        )
        self.assertEqual((FRIENDS, "so?"), self.notices(self.bob)[-1])

    def test_longest_text(self) -> None:
        """A request may have so many bytes of text, and no more."""
        longest = "\u4e2d" * (limits.REQUEST_TEXT_BYTES // 3) + "x"
        answers = [
            self.does(self.ada, Step.ASK, self.bob_is, longest + more)
            for more in ("x", "")
        ]
        self.assertEqual([[BadParameter], [Related]], answers)
        self.assertEqual([(REQUEST, longest)], self.notices(self.bob))

    def test_r11_other_domains(self) -> None:
        """People of another domain cannot be asked."""
        eve = self.stage.register("eve", "elsewhere")
        self.assertEqual([UnknownAccount], self.does(self.ada, Step.ASK, eve, "hi"))

    def test_r8_nobody_who_does_not_exist(self) -> None:
        """A node that no account has is refused, among many that exist."""
        for number in range(50):
            self.stage.register(f"person {number}")
        unknown = Address(7, self.stage.register("gone").node[:-1] + "2")
        self.assertEqual([UnknownAccount], self.does(self.ada, Step.ASK, unknown, "hi"))

    def test_word_that_is_lost(self) -> None:
        """A node that does not hear of a block goes by it some seconds later."""
        self.befriended()
        self.assertTrue(self.writes(self.bob, self.ada_is))
        self.stage.hub.cut("north", "south")
        self.does(self.ada, Step.BLOCK, self.bob_is)
        self.stage.clock.advance(limits.BOND_SECONDS)
        self.assertFalse(self.writes(self.bob, self.ada_is))

    def test_order_among_texts(self) -> None:
        """What was written before a block arrives, and what follows it does not."""
        self.befriended()
        self.ada.writes(self.bob_is, "1")
        self.ada.asks(ChangeRelation(Step.BLOCK, self.bob_is.node))
        self.ada.writes(self.bob_is, "2")
        self.stage.settle(0.5)
        texts = [t.message.content.text for t in self.bob.entries if not t.own]
        self.assertIn("1", texts)
        self.assertNotIn("2", texts)

    def test_x10_x11_rights_are_remembered(self) -> None:
        """For a pair that wrote or was refused lately storage is not asked again."""
        counted = Counted(self.stage.shard.relations)
        self.stage.shard.relations = counted
        self.stage.start("north", alone=False)
        self.ada = self.stage.log_in("ada")
        for _ in range(5):
            self.assertFalse(self.writes(self.ada, self.bob_is))
        self.assertEqual(1, counted.looks)
        self.befriended()
        for _ in range(5):
            self.assertTrue(self.writes(self.ada, self.bob_is))
        self.assertEqual(2, counted.looks)

    def test_a6_list_of_friends(self) -> None:
        """The list of friends that a node remembers ends with a friendship, whichever
        of both ends it on whichever node, and is read once as long as it is true."""
        counted = Counted(self.stage.shard.relations)
        self.stage.shard.relations = counted
        self.stage.start("south", alone=False)
        self.bob = self.stage.log_in("bob", node="south")
        ada, bob = self.ada_is, self.bob_is
        for who, peer in ((self.ada, bob), (self.bob, ada)):
            self.befriended()
            self.assertEqual((ada.node,), self.listed(self.bob))
            looks = counted.looks
            self.assertEqual((ada.node,), self.listed(self.bob))
            self.assertEqual(looks, counted.looks)
            who.asks(ChangeRelation(Step.LEAVE, peer.node))
            self.stage.settle(0.05)
            self.assertEqual((), self.listed(self.bob))


@implementer(IRelationStore)
class Counted:
    """Counts how often what two accounts are to each other is looked up."""

    def __init__(self, store: IRelationStore) -> None:
        """Nothing was asked."""
        self._store = store
        self.looks = 0

    def bonds(
        self, pairs: Sequence[Conversation]
    ) -> Deferred[Mapping[Conversation, Bond]]:
        """See ``IRelationStore``."""
        self.looks += 1
        return self._store.bonds(pairs)

    def rosters(self, accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """See ``IRelationStore``."""
        self.looks += 1
        return self._store.rosters(accounts)

    def blocked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._store.blocked(account)

    def asking(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._store.asking(account)

    def asked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._store.asked(account)


@implementer(IRelationStore)
class Slow:
    """Answers when a test says so."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self.looks: list[Deferred[Bond]] = []

    def bonds(
        self, pairs: Sequence[Conversation]
    ) -> Deferred[Mapping[Conversation, Bond]]:
        """See ``IRelationStore``."""
        self.looks.append(Deferred())
        return self.looks[-1].addCallback(lambda bond: dict.fromkeys(pairs, bond))

    def rosters(self, accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """See ``IRelationStore``."""
        raise NotImplementedError

    def blocked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        raise NotImplementedError

    def asking(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        raise NotImplementedError

    def asked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        raise NotImplementedError


class BondsTests(SynchronousTestCase):
    """What is remembered of pairs."""

    def test_a6_change_during_a_look(self) -> None:
        """What was read before a change counts for nothing after it."""
        store, pair = Slow(), Conversation(2, 1)
        bonds = Bonds(store, Clock().seconds, has_peers=False)
        found: list[Bond] = []
        _ = Deferred.fromCoroutine(bonds.look_up(pair)).addCallback(found.append)
        bonds.forget(pair)
        store.looks[0].callback(Bond.FRIENDS)
        self.assertEqual(([], None), (found, bonds.known(pair)))
        store.looks[1].callback(Bond.BLOCKED)
        self.assertEqual(([Bond.BLOCKED], Bond.BLOCKED), (found, bonds.known(pair)))
        bonds.forget(pair)
        self.assertIsNone(bonds.known(pair))

    def test_a6_change_of_one_during_a_look_at_others(self) -> None:
        """What was at hand, and changes while others are read, is read again."""
        store = Slow()
        bonds = Bonds(store, Clock().seconds, has_peers=False)
        _ = Deferred.fromCoroutine(bonds.look_up(Conversation(2, 1)))
        store.looks[0].callback(Bond.FRIENDS)
        found: list[dict[int, Bond]] = []
        look = Deferred.fromCoroutine(bonds.look_up_all(1, (2, 3)))
        _ = look.addCallback(found.append)
        bonds.forget(Conversation(2, 1))
        store.looks[1].callback(Bond.FRIENDS)
        self.assertEqual([], found)
        store.looks[2].callback(Bond.BLOCKED)
        self.assertEqual([{2: Bond.BLOCKED, 3: Bond.FRIENDS}], found)

    def test_how_long(self) -> None:
        """Alone a node believes it for ever, among others for some seconds."""
        for has_peers in (False, True):
            store, clock, pair = Slow(), Clock(), Conversation(2, 1)
            bonds = Bonds(store, clock.seconds, has_peers)
            _ = Deferred.fromCoroutine(bonds.look_up(pair))
            store.looks[0].callback(Bond.FRIENDS)
            clock.advance(limits.BOND_SECONDS - 0.01)
            self.assertIs(Bond.FRIENDS, bonds.known(pair))
            clock.advance(0.01)
            self.assertEqual(has_peers, bonds.known(pair) is None)

    def test_how_many(self) -> None:
        """The pair that was not asked for longest is forgotten first."""
        self.patch(limits, "BONDS", 2)
        store = Slow()
        bonds = Bonds(store, Clock().seconds, has_peers=False)
        pairs = [Conversation(number, 1) for number in (2, 3, 4)]
        for pair in pairs:
            _ = Deferred.fromCoroutine(bonds.look_up(pair))
            store.looks[-1].callback(Bond.FRIENDS)
            _ = bonds.known(pairs[0])
        known = [bonds.known(pair) is not None for pair in pairs]
        self.assertEqual([True, False, True], known)


class AnyoneTests(FriendsCase):
    """Where anybody may write to anybody."""

    settings = OPEN

    def test_a7_blocks_count_nevertheless(self) -> None:
        """Strangers may write, until one of them blocks the other."""
        for kind in (TEXT, CUSTOM[0], STREAM):
            self.assertTrue(self.writes(self.bob, self.ada_is, kind))
        self.does(self.ada, Step.BLOCK, self.bob_is)
        accepted = len(self.bob.told(Accepted))
        for kind in (TEXT, CUSTOM[0], STREAM):
            self.assertFalse(self.writes(self.bob, self.ada_is, kind))
        self.assertEqual(accepted, len(self.bob.told(Accepted)))
        self.does(self.ada, Step.LEAVE, self.bob_is)
        self.assertTrue(self.writes(self.bob, self.ada_is))
