"""That somebody is gone, as their friends see it: when, once, and when not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from timtw.model import limits
from timtw.model.commands import ChangeRelation, LogIn, LogOut, ShowPresence
from timtw.model.errors import StorageUnavailable
from timtw.model.events import Appeared
from timtw.model.peoplestores import IRelationStore
from timtw.model.presence import Status
from timtw.model.relations import Step
from timtw.model.values import Address, Device
from timtw.test.stage import Client, Stage
from timtw.test.test_presence import FRIENDS_ONLY, PresenceCase

LATE = limits.PARTING_SECONDS + 0.5


class GoneTests(PresenceCase):
    """Ada has shown herself, and goes."""

    def setUp(self) -> None:
        """Bob has seen her."""
        super().setUp()
        self.shows(self.ada)
        self.assertEqual(["here"], self.seen(self.bob))

    def test_p1_last_device(self) -> None:
        """Friends are told once, when the time to come back is over, and where from."""
        self.ada.vanishes()
        self.passes(limits.PARTING_SECONDS - 0.1)
        self.assertEqual([], self.seen(self.bob))
        self.passes(1)
        (told,) = self.bob.told(Appeared)
        shown = told.appearance
        self.assertEqual((True, Status()), (shown.gone, shown.status))
        self.assertEqual((self.ada_is, Device("phone")), (shown.sender, shown.device))
        self.assertTrue(shown.ident)
        self.passes(60)
        self.assertEqual(["gone"], self.seen(self.bob))
        self.assertEqual([], self.seen(self.cyd))

    def test_p1_not_while_another_device_is_there(self) -> None:
        """The end of one device is nothing, on whichever node another one is."""
        for node in ("north", "south"):
            other = self.stage.log_in("ada", f"other {node}", node=node)
            self.ada.vanishes()
            self.passes(LATE)
            self.assertEqual([], self.seen(self.bob))
            self.ada = other
        self.ada.vanishes()
        self.passes(LATE)
        self.assertEqual(["gone"], self.seen(self.bob))

    def test_p1_two_nodes_at_once(self) -> None:
        """Devices that go from two nodes within the same time are gone once."""
        for pause in (0.0, 0.001, 0.002, 1.0, 2.9, 3.1):
            other = self.stage.log_in("ada", "other", node="south")
            self.shows(other)
            self.seen(self.bob)
            self.ada.vanishes()
            self.stage.clock.advance(pause)
            other.vanishes()
            self.passes(limits.PARTING_SECONDS - 0.1)
            self.assertEqual([], self.seen(self.bob), pause)
            self.passes(1)
            self.assertEqual(["gone"], self.seen(self.bob), pause)
            self.ada = self.stage.log_in("ada")
            self.shows(self.ada)

    def test_p1_comes_back_while_asked(self) -> None:
        """Who comes back while a node is asked that does not answer is here."""
        friend = self.stage.log_in("bob", "laptop")
        other = self.stage.log_in("ada", "laptop", node="south")
        self.stage.hub.cut("north", "south")
        self.ada.vanishes()
        self.passes(limits.PARTING_SECONDS)
        again = self.stage.connect()
        again.asks(LogIn("ada", "ada", "", "", Device("phone")))
        self.passes(5)
        self.assertEqual([], self.seen(friend))
        other.vanishes()
        again.vanishes()
        self.passes(LATE + limits.PRESENT_SECONDS)
        self.assertEqual(["gone"], self.seen(friend))

    def test_l7_comes_back(self) -> None:
        """A lost connection that comes back in time is nothing, wherever it does."""
        for node in ("north", "south", "north"):
            self.ada.vanishes()
            self.passes(limits.PARTING_SECONDS - 0.5)
            self.ada = self.stage.log_in("ada", node=node)
            self.passes(60)
            self.assertEqual([], self.seen(self.bob), node)
        self.ada.asks(LogOut())
        self.passes(LATE)
        self.assertEqual(["gone"], self.seen(self.bob))

    def test_invisible(self) -> None:
        """Who has shown nothing is shown to nobody, nor when it goes."""
        dan_is = self.stage.register("dan")
        dan = self.stage.log_in("dan")
        self.befriend(dan, dan_is, self.bob, self.bob_is)
        self.assertEqual([], self.seen(self.bob))
        dan.vanishes()
        self.passes(LATE)
        self.assertEqual([], self.seen(self.bob))
        self.assertNotIn(dan_is.number, self.stage.hub._holders)

    def test_shown_to_some(self) -> None:
        """Who has shown itself to some is gone for these alone, while friends."""
        eve_is, dan_is = self.stage.register("eve"), self.stage.register("dan")
        eve = self.stage.log_in("eve", node="south")
        dan = self.stage.log_in("dan")
        self.befriend(dan, dan_is, self.bob, self.bob_is)
        self.befriend(dan, dan_is, eve, eve_is)
        for step, told in ((None, ["here", "gone"]), (Step.BLOCK, ["here"])):
            self.shows(dan, peer=self.bob_is.node, broad=False)
            if step is not None:
                self.bob.asks(ChangeRelation(step, dan_is.node))
            dan.vanishes()
            self.passes(LATE)
            self.assertEqual((told, []), (self.seen(self.bob), self.seen(eve)))
            dan = self.stage.log_in("dan")

    def test_new_login_is_newer(self) -> None:
        """What a later login shows is not undone by news of the end of an earlier."""
        self.stage.hub.cut("north", "south")
        self.ada.vanishes()
        later = self.stage.connect("south")
        later.asks(LogIn("ada", "ada", "", "", Device("phone")))
        self.passes(limits.PRESENT_SECONDS + 0.1)
        self.shows(later, Status(text="again"))
        self.passes(0.6)  # The north has asked in vain, and will tell it.
        self.assertEqual(["again"], self.seen(self.bob))
        self.stage.hub.mend("north", "south")
        self.passes(LATE)
        self.assertEqual([], self.seen(self.bob))

    def test_node_stops(self) -> None:
        """Of people of a node that stops those are gone who do not come back."""
        dan_is = self.stage.register("dan")
        dan = self.stage.log_in("dan")
        self.befriend(dan, dan_is, self.bob, self.bob_is)
        self.shows(dan)
        self.seen(self.bob)
        self.stage.ready(self.stage.cores["north"].stop())
        self.passes(1)
        self.stage.log_in("dan", node="south")
        self.passes(60)
        (told,) = self.bob.told(Appeared)
        self.assertEqual(
            (True, self.ada_is), (told.appearance.gone, told.appearance.sender)
        )

    def test_p1_node_vanishes(self) -> None:
        """Of people of a node that is killed those who do not come back in time are
        gone, each told once to every friend; who is on another node as well is not, and
        is gone for all to whom it was shown when that ends, too."""
        self.stage.start("west", alone=False)
        names = ("dan", "eve", "fay")
        dan_is, eve_is, fay_is = map(self.stage.register, names)
        dan, eve, fay = map(self.stage.log_in, names)
        gus_is = self.stage.register("gus")
        gus = self.stage.log_in("gus", node="west")
        everybody = [(self.ada, self.ada_is), (dan, dan_is), (eve, eve_is)]
        for who, is_who in (*everybody, (fay, fay_is)):
            self.befriend(who, is_who, gus, gus_is)
        for who, is_who in everybody[1:]:
            self.befriend(who, is_who, self.bob, self.bob_is)
        for who, _is_who in everybody:
            self.shows(who)
        laptop = self.stage.log_in("eve", "laptop", node="west")
        self.seen(self.bob)
        self.seen(gus)
        self.stage.hub.vanish("north")
        self.passes(1)
        self.stage.log_in("dan", node="south")
        self.passes(60)
        for friend in (self.bob, gus):
            (told,) = friend.told(Appeared)
            self.assertTrue(told.appearance.gone)
            self.assertEqual(self.ada_is, told.appearance.sender)
            self.assertEqual(Device("phone"), told.appearance.device)
            self.seen(friend)
        laptop.vanishes()
        self.passes(60)
        for friend in (self.bob, gus):
            self.assertEqual(["gone"], self.seen(friend))
        self.assertNotIn(self.ada_is.number, self.stage.hub._holders)

    def test_p1_vanishes_while_waited_for(self) -> None:
        """Who has gone just before its node is killed is gone all the same."""
        self.ada.vanishes()
        self.passes(1)
        self.stage.hub.vanish("north")
        self.passes(LATE)
        self.assertEqual(["gone"], self.seen(self.bob))

    def test_p1_heir_vanishes(self) -> None:
        """So it is where the node that waits for somebody is killed as well."""
        for name in ("west", "east"):
            self.stage.start(name, alone=False)
        gus_is = self.stage.register("gus", node="west")
        places = {one: self.stage.log_in("gus", one, one) for one in ("west", "east")}
        self.befriend(self.ada, self.ada_is, places["west"], gus_is)
        self.shows(self.ada)
        self.stage.hub.vanish("north")
        heir = self.stage.hub.owner(self.ada_is.number)
        assert heir is not None
        places.setdefault(heir, self.bob)
        self.passes(1)
        self.stage.hub.vanish(heir)
        del places[heir]
        for one in places.values():
            self.seen(one)
        self.passes(LATE)
        for one in places.values():
            self.assertEqual(["gone"], self.seen(one))

    def test_storage_fails(self) -> None:
        """Friends are told later when it is not known at first who they are."""
        store = Failing(self.stage.shard.relations)
        self.stage.shard.relations = store
        self.stage.start("north", alone=False)
        ada = self.stage.log_in("ada")
        self.shows(ada)
        self.stage.clock.advance(limits.BOND_SECONDS)
        store.fails = True
        ada.vanishes()
        self.passes(LATE + 3)
        self.assertNotIn("gone", self.seen(self.bob))
        store.fails = False
        self.passes(1.5)
        self.assertEqual(["gone"], self.seen(self.bob))

    def test_l1_p2_many_at_once(self) -> None:
        """
        Many lost connections cost a few look-ups, and none while they end; all who are
        to be told are.
        """
        self.patch(limits, "PARTINGS_AT_ONCE", 8)
        store = Failing(self.stage.shard.relations)
        self.stage.shard.relations = store
        self.stage.start("north", alone=False)
        crowd = 3 * limits.PARTINGS_AT_ONCE + 1
        people: list[Client] = []
        for number in range(crowd):
            address = self.stage.register(f"{number}")
            people.append(self.stage.log_in(f"{number}"))
            self.befriend(people[-1], address, self.bob, self.bob_is)
            people[-1].asks(ShowPresence(Status(text="hi"), broad=True))
            self.passes(0.05)
        self.passes(limits.BOND_SECONDS)
        self.assertEqual(["hi"] * crowd, self.seen(self.bob))
        store.looks = 0
        for one in people:
            one.vanishes()
        self.assertEqual(0, store.looks)
        self.passes(LATE + 1)
        self.assertEqual(["gone"] * crowd, self.seen(self.bob))
        self.assertEqual(4, store.looks)


class NotToldTests(PresenceCase):
    """Where the operator does not want it."""

    settings = attrs.evolve(FRIENDS_ONLY, presence_offline_block=True)

    def test_nobody_is_told(self) -> None:
        """Nobody is told that somebody is gone; all else is shown."""
        self.shows(self.ada)
        self.ada.vanishes()
        self.passes(LATE)
        self.assertEqual(["here"], self.seen(self.bob))
        self.assertNotIn(self.ada_is.number, self.stage.hub._holders)


class AloneTests(PresenceCase):
    """On a node without others."""

    def setUp(self) -> None:
        """All are there."""
        self.stage = Stage(settings=self.settings)
        self.ada_is: Address = self.stage.register("ada")
        self.bob_is: Address = self.stage.register("bob")
        self.ada, self.bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        self.befriend(self.ada, self.ada_is, self.bob, self.bob_is)

    def test_gone(self) -> None:
        """Friends are told as they would be by several nodes."""
        self.shows(self.ada)
        self.ada.vanishes()
        self.passes(limits.PARTING_SECONDS - 0.1)
        self.assertEqual(["here"], self.seen(self.bob))
        self.passes(1)
        self.assertEqual(["gone"], self.seen(self.bob))


@implementer(IRelationStore)
class Failing:
    """Relations that cannot be read at times; counts the looks at friends."""

    def __init__(self, store: IRelationStore) -> None:
        """All is well."""
        self._store = store
        self.fails = False
        self.looks = 0

    def bonds(self, pairs: Any) -> Deferred[Any]:
        """See ``IRelationStore``."""
        return self._store.bonds(pairs)

    def rosters(self, accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """See ``IRelationStore``."""
        self.looks += 1
        if self.fails:
            return fail(StorageUnavailable())
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
