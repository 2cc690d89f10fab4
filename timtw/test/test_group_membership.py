"""Who hears what of a group: who comes and goes, on several nodes, and who counts."""

from __future__ import annotations

from timtw.model import limits
from timtw.model.commands import FetchBacklog
from timtw.model.errors import PermissionDenied
from timtw.model.events import (
    EndOfBacklog,
)
from timtw.model.peers import RoomChanged
from timtw.test.roomkit import (
    Case,
    deliveries,
    entries,
    heard,
    pull_in,
    refusals,
    remove,
    says,
)
from timtw.test.stage import Stage


class Membership(Case):
    """What changes when somebody comes and goes."""

    def test_new_member_hears_at_once(self) -> None:
        """Who is pulled in while logged in gets what is written from then on."""
        ada, dan = self.stage.log_in("ada"), self.stage.log_in("dan")
        says(ada, self.room, "before")
        self.stage.settle()
        pull_in(self.stage, self.room.number, self.ada, self.dan)
        says(ada, self.room, "after")
        self.stage.settle()
        self.assertEqual(["after"], heard(dan))
        (one,) = deliveries(dan)
        self.assertFalse(one.backlog)
        says(dan, self.room, "thanks")
        self.stage.settle()
        self.assertEqual(["before", "after", "thanks"], heard(ada))

    def test_a6_who_is_out_hears_nothing_more(self) -> None:
        """Who was thrown out gets nothing, not even what was on its way, again."""
        ada = self.stage.log_in("ada")
        bob = self.stage.log_in("bob", acknowledges=False)
        says(ada, self.room, "before")
        self.stage.settle()
        remove(self.stage, self.room.number, self.ada, self.bob)
        says(ada, self.room, "after")
        says(bob, self.room, "hello?")
        self.stage.settle(60)
        self.assertEqual(["before"], heard(bob))
        self.assertEqual([PermissionDenied], refusals(bob))
        bob.vanishes()
        bob = self.stage.log_in("bob")
        self.stage.settle(5)
        self.assertEqual([], heard(bob))

    def test_back_again(self) -> None:
        """Who comes back gets what is written from then on, and nothing between."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        number = self.room.number
        for word in ("one", "two", "three"):
            says(ada, self.room, word)
            self.stage.settle(0.05)
            if word == "one":
                remove(self.stage, number, self.ada, self.bob)
            elif word == "two":
                pull_in(self.stage, number, self.ada, self.bob)
        self.stage.settle(1)
        self.assertEqual(["one", "three"], heard(bob))
        bob.vanishes()
        bob = self.stage.log_in("bob")
        self.stage.settle(5)
        self.assertEqual([], heard(bob))

    def test_role_changes_disturb_nobody(self) -> None:
        """A change that leaves a member a member loses and repeats nothing."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        bob.acknowledges = False
        says(ada, self.room, "one")
        self.stage.settle(0.05)
        core = self.stage.cores["north"]
        core._router.announce(RoomChanged(self.room.number, self.bob.number))
        says(ada, self.room, "two")
        self.stage.settle(1)
        self.assertEqual(["one", "two"], heard(bob))


class TwoNodes(Case):
    """Members on several nodes."""

    def setUp(self) -> None:
        """Two nodes."""
        self.play(Stage(("north", "south")))

    def test_members_on_both(self) -> None:
        """A text reaches members on every node, in order."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob", node="south")
        for n in range(50):
            says(ada if n % 2 else bob, self.room, f"{n}")
            stage.settle(0.02)
        stage.settle(1)
        self.assertEqual(heard(ada), heard(bob))
        self.assertEqual(50, len(set(heard(ada))))

    def test_lost_hints(self) -> None:
        """What a cut link has lost comes with the next look at storage."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob", node="south")
        stage.hub.cut("north", "south")
        says(ada, self.room, "hello")
        stage.settle(limits.LOOK_SECONDS + 1)
        self.assertEqual(["hello"], heard(bob))

    def test_a6_out_on_every_node(self) -> None:
        """Who is thrown out by way of one node is out on the other."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob", node="south")
        remove(stage, self.room.number, self.ada, self.bob)
        says(ada, self.room, "secret")
        says(bob, self.room, "hello?")
        stage.settle(10)
        self.assertEqual([], heard(bob))
        self.assertEqual([PermissionDenied], refusals(bob))

    def test_lost_word(self) -> None:
        """A node that did not hear of a change looks, and then nothing comes."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob", node="south")
        dan = stage.log_in("dan", node="south")
        stage.hub.cut("north", "south")
        remove(stage, self.room.number, self.ada, self.bob)
        pull_in(stage, self.room.number, self.ada, self.dan)
        stage.settle(2 * limits.LOOK_SECONDS)
        stage.hub.mend("north", "south")
        says(ada, self.room, "secret")
        stage.settle(2 * limits.LOOK_SECONDS)
        self.assertEqual([], heard(bob))
        self.assertEqual(["secret"], heard(dan))


class Counting(Case):
    """Clients of ours, which count the entries of each log."""

    def setUp(self) -> None:
        """Thirty texts wait for Bob's device, which counts."""
        super().setUp()
        self.stage.log_in("bob", additions=True).vanishes()
        ada = self.stage.log_in("ada")
        for n in range(1, 31):
            says(ada, self.room, f"{n}")
        self.stage.settle(1)

    def test_resuming_in_a_room(self) -> None:
        """It says how far it has a group, and gets the rest in pages and one end."""
        bob = self.stage.log_in("bob", additions=True)
        self.stage.settle(1)
        self.assertEqual([], bob.entries)
        bob.asks(FetchBacklog(20, self.room.node))
        self.stage.settle(1)
        self.assertEqual([f"{n}" for n in range(21, 31)], heard(bob))
        self.assertEqual([*range(21, 31)], [one.seq for one in entries(bob)])
        self.assertEqual(1, len(bob.told(EndOfBacklog)))
        bob.vanishes()
        again = self.stage.log_in("bob", additions=True)
        again.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual([], heard(again))

    def test_resuming_again_before_the_end(self) -> None:
        """Who says anew how far it is, while pages are on their way, gets the rest."""
        ada = self.stage.log_in("ada")
        for n in range(1, 31):
            ada.writes(self.bob, f"own {n}")
        self.stage.settle(1)
        bob = self.stage.log_in("bob", additions=True, acknowledges=False)
        bob.asks(FetchBacklog(0))
        self.stage.settle(1)
        first = entries(bob)[-1].seq
        bob.acknowledges = True
        bob.asks(FetchBacklog(first - 3))
        self.stage.settle(1)
        own = [text for text in heard(bob) if (text or "").startswith("own")]
        self.assertEqual([f"own {n}" for n in range(1, 31)], [*dict.fromkeys(own)])
        groups = [text for text in heard(bob) if text not in own]
        self.assertEqual([f"{n}" for n in range(1, 31)], groups)
        self.assertEqual(1, len(bob.told(EndOfBacklog)))

    def test_resuming_again_in_a_room(self) -> None:
        """So it is where it says how far it has a group."""
        bob = self.stage.log_in("bob", additions=True, acknowledges=False)
        bob.asks(FetchBacklog(2, self.room.node))
        self.stage.settle(1)
        bob.acknowledges = True
        bob.asks(FetchBacklog(7, self.room.node))
        self.stage.settle(1)
        found = [*dict.fromkeys(heard(bob))]
        self.assertEqual([f"{n}" for n in range(3, 31)], found)
        self.assertEqual(1, len(bob.told(EndOfBacklog)))

    def test_no_way_back(self) -> None:
        """Nobody gets what is from before its membership by counting from zero."""
        pull_in(self.stage, self.room.number, self.ada, self.dan)
        dan = self.stage.log_in("dan", additions=True)
        dan.asks(FetchBacklog(0, self.room.node))
        dan.asks(FetchBacklog(0))
        self.stage.settle(5)
        self.assertEqual([], heard(dan))
        self.assertEqual(2, len(dan.told(EndOfBacklog)))

    def test_rooms_of_others(self) -> None:
        """A request about a group in which one is not is answered with its end."""
        dan = self.stage.log_in("dan", additions=True)
        dan.asks(FetchBacklog(0, self.room.node))
        dan.asks(FetchBacklog(0, "zzz"))
        self.stage.settle(5)
        self.assertEqual([], heard(dan))
        self.assertEqual(2, len(dan.told(EndOfBacklog)))

    def test_nothing_before_it_asks(self) -> None:
        """Live texts of a group do not overtake what such a client asks for."""
        bob = self.stage.log_in("bob", additions=True)
        ada = self.stage.log_in("ada", "laptop")
        says(ada, self.room, "31")
        self.stage.settle(1)
        self.assertEqual([], heard(bob))
        bob.asks(FetchBacklog(0))
        self.stage.settle(1)
        self.assertEqual([f"{n}" for n in range(1, 32)], heard(bob))
