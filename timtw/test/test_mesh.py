"""Two nodes over one shard: what holds on one node holds across both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from timtw.mesh.memory import MemoryMesh
from timtw.model import limits
from timtw.model.commands import Acknowledge, FetchBacklog
from timtw.model.events import Delivery, LoggedIn, LoggedOut, Marked
from timtw.model.peers import SessionsEnd
from timtw.model.progress import DeliveredMark
from timtw.test.stage import Client, Stage


class Joined(SynchronousTestCase):
    """Ada and Bob on two joined nodes."""

    def setUp(self) -> None:
        """Both have accounts."""
        self.stage = Stage(("north", "south"))
        self.ada = self.stage.register("ada")
        self.bob = self.stage.register("bob")

    def log_in(
        self, name: str, node: str, resource: str = "phone", additions: bool = False
    ) -> Client:
        """Somebody who confirms at once; who knows our additions also asks."""
        client = self.stage.log_in(name, resource, node, additions)
        if additions:
            client.asks(FetchBacklog())
        return client


class TrafficTests(Joined):
    """What passes between nodes."""

    def test_message_and_echo(self) -> None:
        """A text reaches every device of both people, wherever it is, once."""
        ada = [self.log_in("ada", node, node) for node in ("north", "south")]
        bob = [self.log_in("bob", node, node) for node in ("north", "south")]
        for number in range(40):
            ada[number % 2].writes(self.bob, f"{number}")
            self.stage.settle(0.05)
        self.stage.settle()
        wanted = [str(number) for number in range(40)]
        self.assertEqual([wanted] * 2, [device.texts for device in bob])
        self.assertEqual([wanted] * 2, [device.echoes for device in ada])

    def test_both_write_at_once(self) -> None:
        """Both devices see one order, numbered without gaps, though both write."""
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        for number in range(30):
            ada.writes(self.bob, f"a{number}")
            bob.writes(self.ada, f"b{number}")
        self.stage.settle(1)
        for device in (ada, bob):
            mids = [one.message.mid for one in device.entries]
            self.assertEqual(list(range(1, 61)), mids)
            seqs = [one.seq for one in device.entries]
            self.assertEqual(list(range(1, 61)), seqs)

    def test_marks(self) -> None:
        """What Bob's device confirms on one node, Ada sees on the other."""
        ada = self.log_in("ada", "north", additions=True)
        self.log_in("bob", "south")
        plain = self.stage.log_in("ada", "plain")
        for text in ("one", "two"):
            ada.writes(self.bob, text)
        self.stage.settle(1)
        marks = [one.mark for one in ada.told(Marked)]
        self.assertEqual(DeliveredMark(self.bob, self.ada, 2), marks[-1])
        self.assertEqual([], plain.told(Marked))

    def test_no_mark_before_it_is_stored(self) -> None:
        """A mark is told only when the confirmation survives the node."""
        ada = self.log_in("ada", "north", additions=True)
        bob = self.log_in("bob", "south")
        bob.acknowledges = False
        ada.writes(self.bob, "hi")
        self.stage.settle()
        (delivery,) = bob.told(Delivery)
        bob.asks(Acknowledge(delivery.receipt))
        self.stage.settle(limits.CURSOR_SECONDS - 0.05)
        self.assertEqual([], ada.told(Marked))
        self.stage.settle(0.2)
        self.assertEqual(1, len(ada.told(Marked)))

    def test_nobody_there(self) -> None:
        """A node without sessions of the recipient hears nothing of the text."""
        heard: list[object] = []

        class Listening:
            def offered(self, offers: object) -> None:
                heard.append(offers)

            def marked(self, mark: object) -> None:
                heard.append(mark)

            def told(self, fact: object) -> None:
                heard.append(fact)

        ada, _bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        west = self.stage.hub.place("west")
        west.join(Listening())  # type: ignore[arg-type]
        ada.writes(self.bob, "hi")
        self.stage.settle(1)
        self.assertEqual([], heard)
        west.entered(self.bob.number)
        ada.writes(self.bob, "ho")
        self.stage.settle(1)
        self.assertEqual(1, len(heard))


class LossTests(Joined):
    """Links that lose what goes over them."""

    def test_the_look_heals(self) -> None:
        """A lost hint is made good within five seconds, in order, once."""
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        self.stage.hub.cut("north", "south")
        for text in ("one", "two"):
            ada.writes(self.bob, text)
        self.stage.settle(0.2)
        self.assertEqual(["one", "two"], ada.echoes)
        self.assertEqual([], bob.texts)
        self.stage.settle(limits.LOOK_SECONDS)
        self.assertEqual(["one", "two"], bob.texts)
        self.stage.settle(2 * limits.LOOK_SECONDS)
        self.assertEqual(["one", "two"], bob.texts)

    def test_the_next_hint_heals(self) -> None:
        """The first text that comes through brings those before it, in order."""
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        self.stage.hub.cut("north", "south")
        ada.writes(self.bob, "lost")
        self.stage.settle(0.1)
        self.stage.hub.mend("north", "south")
        ada.writes(self.bob, "found")
        self.stage.settle(0.1)
        self.assertEqual(["lost", "found"], bob.texts)

    def test_look_during_the_backlog(self) -> None:
        """The look does not spoil a backlog that waits to be asked for."""
        ada = self.log_in("ada", "north")
        for number in range(15):
            ada.writes(self.bob, str(number))
        self.stage.settle(limits.LOOK_SECONDS - 1)
        self.stage.hub.cut("north", "south")
        bob = self.log_in("bob", "south")
        ada.writes(self.bob, "15")
        self.stage.settle(1.5)
        self.assertEqual([], bob.texts)
        bob.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual([str(number) for number in range(16)], bob.texts)

    def test_many_accounts(self) -> None:
        """The look covers more accounts than one request to storage asks for."""
        self.patch(limits, "LOOK_ACCOUNTS", 2)
        people = [self.stage.register(f"p{number}") for number in range(5)]
        devices = [self.log_in(f"p{number}", "south") for number in range(5)]
        ada = self.log_in("ada", "north")
        self.stage.hub.cut("north", "south")
        for person in people:
            ada.writes(person, "hi")
        self.stage.settle(limits.LOOK_SECONDS + 0.5)
        self.assertEqual([["hi"]] * 5, [device.texts for device in devices])

    def test_storage_away_during_a_look(self) -> None:
        """A look that fails is made again five seconds later."""
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        self.stage.hub.cut("north", "south")
        ada.writes(self.bob, "hi")
        heads = self.stage.shard.messages.heads

        def away(accounts: object) -> object:
            raise RuntimeError("away")

        self.stage.shard.messages.heads = away  # type: ignore[assignment]
        self.stage.settle(limits.LOOK_SECONDS + 0.2)
        self.assertEqual([], bob.texts)
        self.assertTrue(self.flushLoggedErrors(RuntimeError))
        self.stage.shard.messages.heads = heads  # type: ignore[method-assign]
        self.stage.settle(limits.LOOK_SECONDS + 0.2)
        self.assertEqual(["hi"], bob.texts)

    def test_one_look_at_a_time(self) -> None:
        """Storage that does not answer is not asked again and again."""
        self.log_in("bob", "south")
        asked: list[Deferred[Mapping[int, int]]] = []

        def slow(accounts: Sequence[int]) -> Deferred[Mapping[int, int]]:
            asked.append(Deferred())
            return asked[-1]

        self.patch(self.stage.shard.messages, "heads", slow)
        self.stage.settle(3 * limits.LOOK_SECONDS)
        self.assertEqual(1, len(asked))
        asked[0].callback({})
        self.stage.settle(limits.LOOK_SECONDS + 0.1)
        self.assertEqual(2, len(asked))
        for core in self.stage.cores.values():
            self.stage.ready(core.stop())
        asked[1].callback({})
        self.assertEqual([], self.stage.clock.getDelayedCalls())


class LeavingTests(Joined):
    """Nodes and devices that come and go."""

    def test_a_node_leaves(self) -> None:
        """Its lines end; what was written meanwhile waits for its people elsewhere."""
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        ada.writes(self.bob, "one")
        self.stage.settle()
        self.stage.ready(self.stage.cores["south"].stop())
        self.assertTrue(bob.closed)
        bob.vanishes()
        ada.writes(self.bob, "two")
        self.stage.settle(1)
        again = self.log_in("bob", "north")
        again.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual((["one"], ["two"]), (bob.texts, again.texts))

    def test_hub_forgets(self) -> None:
        """The directory keeps nobody who has left, and no node that has."""
        hub = self.stage.hub
        ada, bob = self.log_in("ada", "north"), self.log_in("bob", "south")
        self.assertEqual(["south"], list(hub.holders(self.bob.number, "north")))
        self.assertEqual([], list(hub.holders(self.bob.number, "south")))
        bob.vanishes()
        self.stage.settle(limits.PARTING_SECONDS + 1)  # It might have come back.
        self.assertEqual([], list(hub.holders(self.bob.number, "north")))
        self.stage.ready(self.stage.cores["north"].stop())
        ada.vanishes()
        self.assertEqual({}, hub._holders)
        self.assertEqual([], list(hub.others("south")))

    def test_no_timers_are_left(self) -> None:
        """Nodes that have stopped leave no timer behind."""
        ada = self.log_in("ada", "north")
        ada.writes(self.bob, "hi")
        self.stage.settle()
        for core in self.stage.cores.values():
            self.stage.ready(core.stop())
        ada.vanishes()
        self.stage.settle(1)
        self.assertEqual([], self.stage.clock.getDelayedCalls())

    def test_reader_moves(self) -> None:
        """A device that changes between nodes misses nothing and repeats nothing."""
        ada = self.log_in("ada", "north")
        received: list[str | None] = []
        phone = self.log_in("bob", "north")
        for number in range(60):
            ada.writes(self.bob, str(number))
            if number % 10 == 9:
                self.stage.settle(0.02)
                phone.vanishes()
                self.stage.settle(0.05)
                received += phone.texts
                phone = self.log_in("bob", ("south", "north")[number // 10 % 2])
                phone.asks(FetchBacklog())
        self.stage.settle(limits.HOLD_SECONDS + 1)
        received += phone.texts
        self.assertEqual([str(number) for number in range(60)], received)

    def test_reader_moves_while_the_old_line_lives(self) -> None:
        """What the old line has confirmed and stored is not repeated on the new one."""
        ada = self.log_in("ada", "north")
        old = self.log_in("bob", "north")
        ada.writes(self.bob, "one")
        self.stage.settle(limits.CURSOR_SECONDS + 0.1)
        new = self.log_in("bob", "south")
        ada.writes(self.bob, "two")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual((["one", "two"], ["two"]), (old.texts, new.texts))

    def test_unconfirmed_moves(self) -> None:
        """What the old line did not confirm comes on the new one."""
        ada = self.log_in("ada", "north")
        old = self.log_in("bob", "north")
        old.acknowledges = False
        ada.writes(self.bob, "one")
        self.stage.settle()
        old.vanishes()
        new = self.log_in("bob", "south")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual((["one"], ["one"]), (old.texts, new.texts))


class FactTests(Joined):
    """Sessions that another node ends."""

    def announce(self, fact: SessionsEnd) -> None:
        """A third node tells a fact."""
        west: MemoryMesh = self.stage.hub.place("west")
        west.announce(fact)
        self.stage.settle()

    def test_all_of_an_account(self) -> None:
        """Every session of the account gets the log-out notice, and nobody else."""
        ada = [self.log_in("ada", node, node) for node in ("north", "south")]
        bob = self.log_in("bob", "south")
        self.announce(SessionsEnd(self.ada.number))
        for device in ada:
            self.assertEqual([LoggedOut()], device.told(LoggedOut))
            self.assertTrue(device.closed)
        self.assertFalse(bob.closed)

    def test_one_connection(self) -> None:
        """The session of one connection ends, the account's others stay."""
        ada = [self.log_in("ada", node, node) for node in ("north", "south")]
        name = ada[1].told(LoggedIn)[0].connection
        self.announce(SessionsEnd(self.ada.number, name))
        self.assertEqual([False, True], [device.closed for device in ada])

    def test_cut_off(self) -> None:
        """What is announced over a link that is cut does not arrive."""
        ada = self.log_in("ada", "south")
        self.stage.hub.cut("west", "south")
        self.announce(SessionsEnd(self.ada.number))
        self.assertFalse(ada.closed)


class AloneTests(SynchronousTestCase):
    """A node without peers."""

    def test_no_look(self) -> None:
        """It never asks storage for what it knows."""
        stage = Stage()
        stage.register("ada")
        stage.log_in("ada").vanishes()
        stage.settle(1)
        self.assertEqual([], stage.clock.getDelayedCalls())
