"""The promises of docs/guarantees.md, each with a class of its name."""

from __future__ import annotations

import attrs
from twisted.internet.defer import fail
from twisted.python.monkey import MonkeyPatcher
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import Acknowledge, FetchBacklog, PullHistory, SendMessage
from timtw.model.errors import StorageUnavailable, TooFrequent
from timtw.model.events import (
    Delivery,
    EndOfBacklog,
    History,
    Marked,
    Page,
    Refused,
    Repeated,
)
from timtw.model.values import Address, Content
from timtw.test.stage import OPEN, Client, Stage


class P1DurableBeforeAcknowledged(SynchronousTestCase):
    """What was echoed is stored, and stays until each device has confirmed it."""

    def test_d2_no_echo_before_the_commit(self) -> None:
        """The author sees nothing before storage has answered."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        ada.writes(bob, "hi")
        self.assertEqual([], ada.echoes)
        stage.settle()
        self.assertEqual(["hi"], ada.echoes)

    def test_d7_echoed_survives_the_node(self) -> None:
        """A new node over the same storage delivers what the old one had echoed."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        ada.writes(bob, "hi")
        stage.settle()
        stage.start("north")
        self.assertEqual(["hi"], ada.echoes)
        phone = stage.log_in("bob")
        phone.asks(FetchBacklog())
        stage.settle()
        self.assertEqual(["hi"], phone.texts)
        self.assertEqual(1, len(phone.told(EndOfBacklog)))

    def test_d7_unconfirmed_comes_again(self) -> None:
        """What a device did not confirm comes again with its next connection."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        phone = stage.log_in("bob", acknowledges=False)
        ada = stage.log_in("ada")
        ada.writes(bob, "hi")
        stage.settle()
        self.assertEqual(["hi"], phone.texts)
        phone.vanishes()
        again = stage.log_in("bob")
        self.assertEqual(["hi"], again.texts)
        again.vanishes()
        third = stage.log_in("bob")
        stage.settle(5)
        self.assertEqual([], third.texts)


class P2IdempotentSends(SynchronousTestCase):
    """One id is one message, however often it is sent."""

    def test_d12_repeat_is_one_message(self) -> None:
        """The repeat is answered with the first echo and delivered to nobody."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        ada.writes(bob, "hi", ident=77)
        stage.settle()
        ada.writes(bob, "hi", ident=77)
        stage.settle()
        first = ada.told(Delivery)[0].entry.message
        self.assertEqual([Repeated(first)], ada.told(Repeated))
        self.assertEqual(["hi"], phone.texts)

    def test_same_id_other_content(self) -> None:
        """An id that comes back with other content is another message."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        ada.writes(bob, "hi", ident=77)
        ada.writes(bob, "ho", ident=77)
        stage.settle()
        self.assertEqual(["hi", "ho"], phone.texts)

    def test_d12_repeat_on_another_node(self) -> None:
        """A client that repeats on another node gets the first answer as well."""
        stage = Stage(("north", "south"))
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        ada.writes(bob, "hi", ident=77)
        stage.settle()
        ada.vanishes()
        again = stage.log_in("ada", node="south")
        again.writes(bob, "hi", ident=77)
        stage.settle()
        self.assertEqual([1], [one.message.mid for one in again.told(Repeated)])


class P3Order(SynchronousTestCase):
    """One order per conversation, gapless, and the same on every device."""

    def test_d8_h4_burst_keeps_its_order(self) -> None:
        """A hundred texts sent at once arrive in order, numbered without gaps."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada, phone = stage.log_in("ada"), stage.log_in("bob")
        wanted = [str(number) for number in range(100)]
        for text in wanted[:50]:
            ada.writes(bob, text)
        stage.settle(1)
        for text in wanted[50:]:
            ada.writes(bob, text)
        stage.settle(1)
        self.assertEqual(wanted, phone.texts)
        self.assertEqual(wanted, ada.echoes)
        mids = [entry.message.mid for entry in phone.entries]
        self.assertEqual(list(range(1, 101)), mids)

    def test_refusal_keeps_its_place(self) -> None:
        """A refused send is answered between the sends around it."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        ada.writes(bob, "one")
        ada.asks(SendMessage("zzzzzzzzzzzz", Content(text="x")))
        ada.writes(bob, "two")
        stage.settle()
        answers = [
            "refused"
            if isinstance(event, Refused)
            else event.entry.message.content.text
            for event in ada.events
            if isinstance(event, Refused | Delivery)
        ]
        self.assertEqual(["one", "refused", "two"], answers)

    def test_d16_live_never_overtakes_a_backlog(self) -> None:
        """What arrives while a backlog waits comes after it."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        for number in range(25):
            ada.writes(bob, str(number))
        stage.settle()
        phone = stage.log_in("bob")
        ada.writes(bob, "live")
        stage.settle()
        self.assertEqual([], phone.texts)
        stage.settle(limits.HOLD_SECONDS)
        self.assertEqual([*map(str, range(25)), "live"], phone.texts)


class P4EveryDeviceGetsEverything(SynchronousTestCase):
    """Each device has its own place in the log."""

    def test_d5_second_device_is_not_robbed(self) -> None:
        """What one device confirmed is still waiting for the other."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        for resource in ("phone", "desk"):
            stage.log_in("bob", resource).vanishes()
        ada = stage.log_in("ada")
        ada.writes(bob, "hi")
        stage.settle()
        for resource in ("phone", "desk"):
            device = stage.log_in("bob", resource)
            device.asks(FetchBacklog())
            stage.settle()
            self.assertEqual(["hi"], device.texts, resource)

    def test_claims_while_storage_is_away(self) -> None:
        """What a client says that it has is delivered, also where that has to wait."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada", additions=True)
        ada.writes(bob, "hi")
        stage.settle()
        phone = stage.log_in("bob", additions=True)
        away = (stage.shard.messages, "read_log", lambda *_: fail(StorageUnavailable()))
        patcher = MonkeyPatcher(away)
        patcher.patch()
        phone.asks(FetchBacklog(1))
        stage.settle(limits.READ_AGAIN_SECONDS / 2)
        self.assertEqual([], ada.told(Marked))
        patcher.restore()
        stage.settle(limits.READ_AGAIN_SECONDS + 1)
        self.assertEqual([1], [told.mark.mid for told in ada.told(Marked)])

    def test_d3_pages_are_small_and_end(self) -> None:
        """A backlog of 25 comes as 10, 10 and 5, then the end mark."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        for number in range(25):
            ada.writes(bob, str(number))
        stage.settle()
        phone = stage.log_in("bob")
        phone.asks(FetchBacklog())
        stage.settle(1)
        sizes = [len(page.entries) for page in phone.told(Page)]
        self.assertEqual([10, 10, 5], sizes)
        self.assertIsInstance(phone.events[-1], EndOfBacklog)

    def test_two_lines_of_one_device(self) -> None:
        """What either of two lost lines had confirmed is not repeated on the next."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        lines = [stage.log_in("bob", acknowledges=False) for _ in range(2)]
        ada = stage.log_in("ada")
        for text in ("one", "two", "three"):
            ada.writes(bob, text)
        stage.settle()
        for line, seq in zip(lines, (2, 3), strict=True):
            (one,) = [one for one in line.told(Delivery) if one.entry.seq == seq]
            line.asks(Acknowledge(one.receipt))
        for line in lines:
            line.vanishes()
        self.assertEqual(["one"], stage.log_in("bob").texts)

    def test_nobody_has_to_ask(self) -> None:
        """A client that never asks gets its backlog as ordinary frames."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        for number in range(40):
            ada.writes(bob, str(number))
        stage.settle()
        phone = stage.log_in("bob")
        stage.settle(limits.HOLD_SECONDS + 1)
        self.assertEqual([str(number) for number in range(40)], phone.texts)
        self.assertEqual({True}, {one.backlog for one in phone.told(Delivery)})

    def test_d9_a_dead_device_holds_up_nobody(self) -> None:
        """A device that confirms nothing delays neither others nor the author."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        dead = stage.log_in("bob", "dead", acknowledges=False)
        alive = stage.log_in("bob", "alive")
        ada = stage.log_in("ada")
        for number in range(100):
            ada.writes(bob, str(number))
        stage.settle(1)
        self.assertEqual(100, len(alive.texts))
        self.assertEqual(limits.WINDOW_FRAMES, len(dead.texts))

    def test_d17_all_own_devices_see_what_was_sent(self) -> None:
        """The echo reaches the author's other devices, on other nodes as well."""
        stage = Stage(("north", "south"))
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada", "phone")
        desk = stage.log_in("ada", "desk", node="south")
        phone = stage.log_in("bob", node="south")
        ada.writes(bob, "hi")
        stage.settle()
        self.assertEqual(["hi"], ada.echoes)
        self.assertEqual(["hi"], desk.echoes)
        self.assertEqual(["hi"], phone.texts)


class P6NothingUnbounded(SynchronousTestCase):
    """Whatever collects has an end. Further limits are tested beside their parts."""

    def setUp(self) -> None:
        """Ada writes to Bob."""
        self.stage = Stage()
        self.bob = self.stage.register("bob")
        self.ada_address = self.stage.register("ada")
        self.ada = self.stage.log_in("ada")

    def write(self, *texts: str, to: Address | None = None) -> None:
        """Ada writes these texts."""
        for text in texts:
            self.ada.writes(self.bob if to is None else to, text)
        self.stage.settle()

    def lost(self, name: str = "bob") -> None:
        """A device that confirms nothing is lost with what it was sent."""
        phone = self.stage.log_in(name, acknowledges=False)
        self.stage.settle(limits.HOLD_SECONDS + 1)
        phone.vanishes()

    def at_once(self, name: str = "bob") -> list[str | None]:
        """What the next connection is sent without having to wait or to ask."""
        phone = self.stage.log_in(name, acknowledges=False)
        phone.vanishes()
        return phone.texts

    def test_x7_connections(self) -> None:
        """The last place is given away; one more is told to come back later."""
        stage = Stage(settings=attrs.evolve(OPEN, connections=2))
        first, _second = stage.connect(), stage.connect()
        with self.assertRaises(TooFrequent):
            stage.connect()
        first.vanishes()
        stage.connect()

    def test_x9_a_slow_line_is_waited_for(self) -> None:
        """Nothing is piled up for a line that takes nothing; then everything comes."""
        phone = self.stage.log_in("bob")
        phone.session.writable(False)
        texts = [str(number) for number in range(200)]
        self.write(*texts)
        self.stage.settle(1)
        self.assertEqual([], phone.texts)
        self.assertEqual(texts, self.ada.echoes)
        phone.session.writable(True)
        self.stage.settle(1)
        self.assertEqual(texts, phone.texts)

    def test_a_silent_device_is_waited_for(self) -> None:
        """A window of frames, three times each, is all that a silent device gets."""
        phone = self.stage.log_in("bob", acknowledges=False)
        self.write(*map(str, range(limits.WINDOW_FRAMES + 10)))
        self.stage.settle(10 * limits.ACK_SECONDS)
        frames = limits.WINDOW_FRAMES * limits.TRANSMISSIONS
        self.assertEqual(frames, len(phone.texts))
        self.assertFalse(phone.closed)

    def test_flights_are_remembered_for_ten_minutes(self) -> None:
        """What a lost line had in flight comes at once for so long, then on request."""
        self.write("hi")
        self.lost()
        self.stage.settle(limits.FLIGHT_SECONDS - 5)
        self.assertEqual(["hi"], self.at_once())
        self.stage.settle(limits.FLIGHT_SECONDS + 5)
        self.assertEqual([], self.at_once())

    def test_so_many_flights_are_remembered(self) -> None:
        """Of more lost lines than that, the one lost first has to ask."""
        self.patch(limits, "FLIGHTS", 2)
        names = ["bob", "eve", "joe"]
        for name in names:
            known = name == "bob"
            self.write("hi", to=self.bob if known else self.stage.register(name))
        for name in names:
            self.lost(name)
        self.assertEqual(
            [["hi"], ["hi"], []], [self.at_once(name) for name in names[::-1]]
        )

    def choke(self, times: int) -> Client:
        """So often a device dies of the first of two texts; then it comes again."""
        self.stage.log_in("bob", "desk").vanishes()
        self.write("poison", "fine")
        for _ in range(times):
            phone = self.stage.log_in("bob", acknowledges=False)
            self.stage.settle(limits.HOLD_SECONDS + 1)
            phone.session.refused(True)
            phone.vanishes()
            self.stage.settle()
        return self.stage.log_in("bob")

    def test_four_deaths_are_forgiven(self) -> None:
        """A text that stopped a device four times comes a fifth time."""
        phone = self.choke(limits.STUCK_TIMES - 1)
        self.assertEqual(["poison", "fine"], phone.texts)

    def test_the_fifth_is_not(self) -> None:
        """After five times it is stepped over, for this device, and kept in history."""
        phone = self.choke(limits.STUCK_TIMES)
        self.assertEqual(["fine"], phone.texts)
        phone.asks(PullHistory(self.ada_address.node, 0, 5))
        desk = self.stage.log_in("bob", "desk")
        self.stage.settle(limits.HOLD_SECONDS + 1)
        (history,) = phone.told(History)
        self.assertEqual(2, len(history.messages))
        self.assertEqual(["poison", "fine"], desk.texts)

    def test_a_text_that_is_never_confirmed(self) -> None:
        """Five suspensions because of one text, and the device goes on behind it."""
        phone = self.stage.log_in("bob", acknowledges=False)
        desk = self.stage.log_in("ada", "desk", additions=True)
        self.write("poison")
        for _ in range(limits.STUCK_TIMES):
            phone.asks(FetchBacklog())
            self.stage.settle(limits.ACK_SECONDS * limits.TRANSMISSIONS + 1)
        self.assertEqual([], desk.told(Marked))
        phone.acknowledges = True
        self.write("fine")
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual("fine", phone.texts[-1])
        count = phone.texts.count("poison")
        self.assertEqual(limits.STUCK_TIMES * limits.TRANSMISSIONS, count)

    def test_claims_are_gone_through_once(self) -> None:
        """A client that says again and again that it has all costs storage once."""
        self.write(*map(str, range(200)))
        self.stage.settle(1)
        messages = self.stage.shard.messages
        read_log, reads = messages.read_log, []

        def counting(*range_: int) -> object:
            reads.append(range_)
            return read_log(*range_)

        self.patch(messages, "read_log", counting)
        phone = self.stage.log_in("bob", additions=True)
        for _ in range(20):
            phone.asks(FetchBacklog(0))
            phone.asks(FetchBacklog(200))
        self.stage.settle(1)
        self.assertEqual([], phone.texts)
        self.assertTrue(20 <= len(reads) <= 20 + 200 // limits.LOG_READ_ENTRIES + 1)
