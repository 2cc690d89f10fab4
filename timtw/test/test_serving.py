"""The requests that are answered from storage."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import (
    ChangeProfile,
    Command,
    FindAccount,
    PullHistory,
    ReadProfiles,
)
from timtw.model.errors import BadParameter, NotServed, TimError, TooFrequent
from timtw.model.events import (
    Event,
    History,
    Marked,
    ProfileChanged,
    Profiles,
    Refused,
)
from timtw.model.profiles import About
from timtw.model.progress import DeliveredMark
from timtw.test.stage import MIDNIGHT_NS, OPEN, Client, Stage


class Asking(SynchronousTestCase):
    """Ada asks; Bob has an account too."""

    settings = OPEN

    def setUp(self) -> None:
        """Ada is logged in without our additions."""
        self.stage = Stage(settings=self.settings)
        self.ada_address = self.stage.register("ada")
        self.bob_address = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")

    def ask(self, command: Command, client: Client | None = None) -> list[Event]:
        """What is answered."""
        client = self.ada if client is None else client
        before = len(client.events)
        client.asks(command)
        self.stage.settle()
        return client.events[before:]

    def refusal(self, command: Command) -> type[TimError]:
        """Why it is refused."""
        (answer,) = self.ask(command)
        assert isinstance(answer, Refused), answer
        return type(answer.error)


class HistoryTests(Asking):
    """Reading a conversation backwards."""

    def write(self, count: int) -> None:
        """Ada writes so many texts to Bob, one a second."""
        for number in range(1, count + 1):
            self.ada.writes(self.bob_address, str(number))
            self.stage.settle(1)

    def mids(
        self, newest: int = 0, count: int = 100, until: int | None = None
    ) -> list[int]:
        """The numbers of what is answered."""
        node = self.bob_address.node
        (answer,) = self.ask(PullHistory(node, newest, count, until))
        assert isinstance(answer, History)
        return [message.mid for message in answer.messages]

    def test_pages(self) -> None:
        """The newest come first, and a page begins with the number asked for."""
        self.write(7)
        self.assertEqual([7, 6, 5], self.mids(count=3))
        self.assertEqual([4, 3, 2], self.mids(newest=4, count=3))
        self.assertEqual([1], self.mids(newest=1, count=3))
        self.assertEqual([7], self.mids(newest=99, count=1))

    def test_until(self) -> None:
        """A time means what was written then or before."""
        self.write(4)
        (answer,) = self.ask(PullHistory(self.bob_address.node, 3, 1))
        assert isinstance(answer, History)
        third = answer.messages[0].timestamp
        self.assertEqual([3, 2, 1], self.mids(until=third))
        self.assertEqual([2, 1], self.mids(until=third - 1))
        self.assertEqual([], self.mids(until=MIDNIGHT_NS - 1))

    def test_h1_most_entries(self) -> None:
        """However many are asked for, an answer has at most a hundred."""
        for number in range(limits.HISTORY_ENTRIES + 1):
            self.ada.writes(self.bob_address, str(number))
        self.stage.settle(1)
        for count in (limits.HISTORY_ENTRIES, limits.HISTORY_ENTRIES + 1, 2**31):
            self.assertEqual(limits.HISTORY_ENTRIES, len(self.mids(count=count)))
        self.assertEqual(99, len(self.mids(count=99)))

    def test_both_sides_read_the_same(self) -> None:
        """Bob reads what Ada reads, with the same numbers and ids."""
        self.write(2)
        bob = self.stage.log_in("bob")
        (theirs,) = self.ask(PullHistory(self.ada_address.node, 0, 9), bob)
        (ours,) = self.ask(PullHistory(self.bob_address.node, 0, 9))
        self.assertEqual(ours, theirs)

    def test_h2_q1_nothing_there(self) -> None:
        """No conversation, with oneself or with nobody, is an empty answer."""
        self.assertEqual([], self.mids())
        for node in (self.ada_address.node, "2"):
            self.assertEqual([History(())], self.ask(PullHistory(node, 0, 5)))

    def test_malformed(self) -> None:
        """What is no node is refused."""
        for node in ("", "1", "no node"):
            self.assertIs(BadParameter, self.refusal(PullHistory(node, 0, 5)))

    def test_foreign_conversation(self) -> None:
        """Whatever node one names, one reads only what one wrote or was sent."""
        self.write(1)
        self.stage.register("eve")
        eve = self.stage.log_in("eve", additions=True)
        for node in (self.ada_address.node, self.bob_address.node):
            self.assertEqual([History(())], self.ask(PullHistory(node, 0, 5), eve))

    def test_delivered_mark(self) -> None:
        """How far the other side has confirmed follows, for those who know of it."""
        self.write(2)
        desk = self.stage.log_in("ada", "desk", additions=True)
        request = PullHistory(self.bob_address.node, 0, 5)
        self.assertEqual([History], [type(one) for one in self.ask(request, desk)])
        self.stage.log_in("bob")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        history, mark = self.ask(request, desk)
        self.assertIsInstance(history, History)
        wanted = DeliveredMark(self.bob_address, self.ada_address, 2)
        self.assertEqual(Marked(wanted), mark)
        self.assertEqual([History], [type(one) for one in self.ask(request)])

    def test_own_reading_is_no_mark(self) -> None:
        """What the asker's own devices confirmed is not told as the other side's."""
        self.stage.log_in("bob").writes(self.ada_address, "hi")
        self.stage.settle(1)
        desk = self.stage.log_in("ada", "desk", additions=True)
        answer = self.ask(PullHistory(self.bob_address.node, 0, 5), desk)
        self.assertEqual([History], [type(one) for one in answer])


class FindTests(Asking):
    """Looking somebody up by name."""

    def nodes(self, name: str) -> list[str]:
        """The nodes of those who were found."""
        (answer,) = self.ask(FindAccount(name))
        assert isinstance(answer, Profiles)
        return [one.account.address.node for one in answer.profiles]

    def test_exact(self) -> None:
        """Only the whole name in its own spelling finds somebody, oneself included."""
        self.assertEqual([self.bob_address.node], self.nodes("bob"))
        self.assertEqual([self.ada_address.node], self.nodes("ada"))
        for name in ("bo", "bobb", "Bob", " bob", "b%", "*", self.bob_address.node):
            self.assertEqual([], self.nodes(name), name)

    def test_i4_other_domain(self) -> None:
        """Nobody of another domain is found, in neither direction."""
        self.stage.register("eve", "elsewhere")
        self.assertEqual([], self.nodes("eve"))
        eve = self.stage.log_in("eve", domain="elsewhere")
        self.assertEqual([Profiles(())], self.ask(FindAccount("bob"), eve))

    def test_no_name(self) -> None:
        """An empty name is refused."""
        self.assertIs(BadParameter, self.refusal(FindAccount("")))

    def test_display_name(self) -> None:
        """Whoever is found is told with the display name."""
        self.ask(ChangeProfile(About("Ada L.")))
        (answer,) = self.ask(FindAccount("ada"))
        assert isinstance(answer, Profiles)
        self.assertEqual(["Ada L."], [one.about.name for one in answer.profiles])

    def test_bucket(self) -> None:
        """So many look-ups a minute and not one more; others may still ask."""
        desk = self.stage.log_in("ada", "desk")
        for _ in range(limits.FINDS_PER_MINUTE):
            self.ada.asks(FindAccount("nobody"))
        self.stage.settle(0.5)
        self.assertIs(TooFrequent, self.refusal(FindAccount("bob")))
        self.assertEqual(limits.FINDS_PER_MINUTE, len(self.ada.told(Profiles)))
        (answer,) = self.ask(FindAccount("bob"), desk)
        self.assertIsInstance(answer, Refused)
        bob = self.stage.log_in("bob")
        (answer,) = self.ask(FindAccount("ada"), bob)
        self.assertIsInstance(answer, Profiles)
        self.stage.clock.advance(60 / limits.FINDS_PER_MINUTE)
        self.assertEqual([self.bob_address.node], self.nodes("bob"))


class SwitchedOffTests(Asking):
    """A node on which nobody can be looked up."""

    settings = attrs.evolve(OPEN, find_by_name=False)

    def test_off(self) -> None:
        """Names that exist and names that do not are refused alike."""
        for name in ("bob", "nobody", ""):
            self.assertIs(NotServed, self.refusal(FindAccount(name)))


class ProfileTests(Asking):
    """What accounts tell about themselves."""

    def names(self, *nodes: str) -> dict[str, str | None]:
        """The display names by node."""
        (answer,) = self.ask(ReadProfiles(nodes))
        assert isinstance(answer, Profiles)
        return {one.account.address.node: one.about.name for one in answer.profiles}

    def test_unknown_are_left_out(self) -> None:
        """Those who exist are told once, all others are left out."""
        ada, bob = self.ada_address.node, self.bob_address.node
        found = self.names(ada, "2", "no node", bob, ada)
        self.assertEqual({ada: None, bob: None}, found)
        self.assertEqual({}, self.names())

    def test_i4_other_domain(self) -> None:
        """Nobody of another domain is told."""
        eve = self.stage.register("eve", "elsewhere")
        self.assertEqual({}, self.names(eve.node))

    def test_x8_a8_most_nodes(self) -> None:
        """The last of a hundred is told, and what comes behind is not read."""
        bob = self.bob_address.node
        padding = ("2",) * (limits.NODE_LIST - 1)
        self.assertEqual({bob: None}, self.names(*padding, bob))
        self.assertEqual({}, self.names(*padding, "2", bob))

    def test_change(self) -> None:
        """A display name is told to others, and may be empty or stay as it is."""
        for name, wanted in (("Ada", "Ada"), (None, "Ada"), ("", "")):
            command = ChangeProfile(About(name))
            self.assertEqual([ProfileChanged(command)], self.ask(command))
            found = self.names(self.ada_address.node)
            self.assertEqual({self.ada_address.node: wanted}, found)

    def test_name_limit(self) -> None:
        """A display name has at most 256 bytes; more changes nothing."""
        most = "é" * (limits.DISPLAY_NAME_BYTES // 2)
        self.ask(ChangeProfile(About(most)))
        self.assertIs(BadParameter, self.refusal(ChangeProfile(About(most + "x"))))
        found = self.names(self.ada_address.node)
        self.assertEqual({self.ada_address.node: most}, found)
