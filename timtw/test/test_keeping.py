"""How long things are kept, as people and operators see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from timtw.core.keeping import Keeping
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import FetchBacklog, LogIn, PullHistory, SendMessage
from timtw.model.errors import BadParameter, BadToken, StorageUnavailable
from timtw.model.events import Expired, History, LoggedIn, Refused
from timtw.model.stores import DONE, IKeeping, Place, Reader
from timtw.model.values import REVOCATION, Content, Device, Expiring
from timtw.test.stage import MIDNIGHT_NS, OPEN, Client, Stage

DAY = 24 * 3600.0
SHORT = attrs.evolve(
    OPEN, keep_days=30, keep_unread_days=10, forget_devices_days=5, ping_timeout=DAY**2
)


class StageCase(SynchronousTestCase):
    """Ada writes to Bob; days go by."""

    def setUp(self) -> None:
        """Both have an account, Ada is there."""
        self.stage = Stage(settings=SHORT)
        self.stage.register("ada")
        self.bob = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")

    def write(self, *texts: str) -> None:
        """Ada writes."""
        for text in texts:
            self.ada.writes(self.bob, text)
        self.stage.settle()

    def pass_days(self, days: float) -> None:
        """So many days go by, and a round after them."""
        self.stage.clock.advance(days * DAY)
        for _ in range(4):
            self.stage.clock.advance(limits.KEEP_SECONDS)
            self.stage.settle(3)

    def history(self, client: Client) -> list[str | None]:
        """What Ada is told of the conversation, newest first."""
        client.asks(PullHistory(self.bob.node, 0, 10))
        self.stage.settle()
        (*_, told) = client.told(History)
        return [message.content.text for message in told.messages]


class TextTests(StageCase):
    """Messages grow old."""

    def test_h5_old_texts_are_deleted(self) -> None:
        """A text is there for as long as the operator says, and then nowhere."""
        self.write("old")
        self.pass_days(20)
        self.write("new")
        self.assertEqual(["new", "old"], self.history(self.ada))
        self.pass_days(11)
        self.assertEqual(["new"], self.history(self.ada))
        self.ada.asks(SendMessage(self.bob.node, Content(), kind=REVOCATION, mid=1))
        self.stage.settle()
        self.assertIsInstance(self.ada.told(Refused)[-1].error, BadParameter)

    def test_h5_nothing_waits_for_ever(self) -> None:
        """Who comes back late gets what is young, at once, and can read the rest."""
        self.write("old", "older")
        self.pass_days(9)
        self.write("new")
        self.pass_days(2)
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle()
        self.assertEqual(["new"], phone.texts)
        self.assertEqual([], phone.told(Expired))
        self.assertEqual(["new", "older", "old"], self.history(self.ada))

    def test_nobody_waits_for_what_is_gone(self) -> None:
        """Who comes back when everything has expired gets the next text at once."""
        self.write("one")
        self.pass_days(11)
        phone = self.stage.log_in("bob")
        self.write("two")
        self.assertEqual(["two"], phone.texts)

    def test_a_gap_is_told(self) -> None:
        """A client with the additions hears that something is missing, once."""
        self.write("one", "two")
        self.pass_days(11)
        self.write("three")
        phone = self.stage.log_in("bob", additions=True)
        self.assertIsInstance(phone.events[0], LoggedIn)
        phone.asks(FetchBacklog(0))
        self.stage.settle()
        self.assertEqual([Expired(2)], phone.told(Expired))
        self.assertEqual([3], [entry.seq for entry in phone.entries])

    def test_a_gap_behind_what_the_client_has(self) -> None:
        """It hears so too when it asks for more than the server has noted."""
        self.write("one", "two", "three")
        phone = self.stage.log_in("bob", additions=True)
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        phone.vanishes()
        self.pass_days(11)
        for behind, told in ((3, []), (2, [Expired(3)])):
            phone = self.stage.log_in("bob", additions=True)
            self.assertEqual([], phone.told(Expired))
            phone.asks(FetchBacklog(behind))
            self.stage.settle()
            self.assertEqual(told, phone.told(Expired))
            phone.vanishes()

    def test_without_an_end(self) -> None:
        """With 0 days nothing is ever deleted."""
        self.stage = Stage(
            settings=attrs.evolve(
                SHORT, keep_days=0, keep_unread_days=0, forget_devices_days=0
            )
        )
        self.stage.register("ada")
        self.bob = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")
        self.write("old")
        self.pass_days(40_000)
        self.assertEqual(["old"], self.history(self.ada))


class DeviceTests(StageCase):
    """Devices stay away."""

    def resumes(self, credential: str | None) -> bool:
        """Whether a credential lets Bob's phone in."""
        phone = self.stage.connect()
        device = Device("phone", None)
        phone.asks(LogIn("", "", credential or "", "", device, additions=True))
        self.stage.settle()
        refused = phone.told(Refused)
        if refused:
            self.assertIsInstance(refused[0].error, BadToken)
        phone.vanishes()
        return bool(phone.told(LoggedIn))

    def test_a_credential_ends(self) -> None:
        """A device that was away too long needs the password again."""
        phone = self.stage.log_in("bob", additions=True)
        credential = phone.told(LoggedIn)[0].credential
        phone.vanishes()
        self.pass_days(4)
        self.assertTrue(self.resumes(credential))
        self.pass_days(6)
        self.assertFalse(self.resumes(credential))

    def test_who_is_here_is_not_forgotten(self) -> None:
        """A device that is connected all the time keeps its credential."""
        phone = self.stage.log_in("bob", additions=True)
        credential = phone.told(LoggedIn)[0].credential
        for _ in range(12):
            self.pass_days(0.5)
        phone.vanishes()
        self.assertTrue(self.resumes(credential))


@implementer(IKeeping)
class Store:
    """Storage that notes what it is asked, and answers when told to.

    Attributes:
        asked: Kinds, ages in days, and places.
    """

    def __init__(self) -> None:
        """Nothing is asked."""
        self.asked: list[tuple[str, float, Place]] = []
        self.answers: list[Deferred[Place]] = []
        self.seen_at: list[tuple[int, int]] = []

    def expire(self, what: Expiring, before: int, place: Place) -> Deferred[Place]:
        """See ``IKeeping``."""
        age = (MIDNIGHT_NS - before) / DAY / 1e9
        self.asked.append((what.name, age, place))
        self.answers.append(Deferred())
        return self.answers[-1]

    def seen(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""
        self.seen_at.append((len(readers), now))
        return fail(StorageUnavailable())

    @property
    def keeping(self) -> Any:
        """See ``IShard``."""
        return self

    readers = keeping


class RoundTests(SynchronousTestCase):
    """When storage is asked for what."""

    def keep(self, **days: Any) -> None:
        """A node with these ages, at midnight all day."""
        self.clock, self.store = Clock(), Store()
        shard: Any = self.store
        settings: Settings = attrs.evolve(Settings(), **days)
        self.keeping = Keeping(
            shard,
            settings,
            lambda: [(1, b"key")] * 501,
            self.clock,
            lambda: MIDNIGHT_NS,
        )
        self.keeping.start()

    def answer(self, place: Place = DONE) -> None:
        """Answer the last step."""
        self.store.answers[-1].callback(place)
        self.clock.advance(limits.KEEP_STEP_SECONDS)

    def test_order_of_a_round(self) -> None:
        """Logs come first, so that a gap is known before a text of it is gone."""
        self.keep(keep_days=30, keep_unread_days=10, forget_devices_days=5)
        self.clock.advance(limits.KEEP_SECONDS - 1)
        self.assertEqual([], self.store.asked)
        self.clock.advance(1)
        self.answer((1,))
        self.answer((2,))
        for _ in range(3):
            self.answer()
        self.assertEqual(
            [
                ("ENTRIES", 10, DONE),
                ("ENTRIES", 10, (1,)),
                ("ENTRIES", 10, (2,)),
                ("TEXTS", 30, DONE),
                ("DEVICES", 5, DONE),
            ],
            self.store.asked,
        )
        self.clock.advance(limits.KEEP_SECONDS)
        self.assertEqual(6, len(self.store.asked))

    def test_ages(self) -> None:
        """Nothing waits for longer than it is kept; 0 days are for ever."""
        for keep, unread, wanted in (
            (30, 365, [("ENTRIES", 30), ("TEXTS", 30)]),
            (365, 30, [("ENTRIES", 30), ("TEXTS", 365)]),
            (0, 30, [("ENTRIES", 30)]),
            (30, 0, [("ENTRIES", 30), ("TEXTS", 30)]),
            (0, 0, []),
        ):
            self.keep(keep_days=keep, keep_unread_days=unread, forget_devices_days=0)
            self.clock.advance(limits.KEEP_SECONDS)
            while self.store.answers and not self.store.answers[-1].called:
                self.answer()
            self.assertEqual(wanted, [one[:2] for one in self.store.asked])

    def test_a_round_that_fails(self) -> None:
        """Storage that is away is asked again later; a fault is logged as well."""
        for error, logged in ((StorageUnavailable(), 0), (ZeroDivisionError(), 1)):
            self.keep()
            self.clock.advance(limits.KEEP_SECONDS)
            self.store.answers[-1].errback(error)
            self.assertEqual(logged, len(self.flushLoggedErrors(ZeroDivisionError)))
            self.clock.advance(limits.KEEP_SECONDS)
            self.assertEqual([("ENTRIES", 365, DONE)] * 2, self.store.asked)

    def test_stopping(self) -> None:
        """A node that stops asks for nothing more, wherever it was."""
        for steps in range(3):
            self.keep()
            if steps:
                self.clock.advance(limits.KEEP_SECONDS)
            if steps == 2:
                self.store.answers[-1].callback((1,))
            self.keeping.stop()
            self.clock.advance(DAY)
            self.assertEqual(min(steps, 1), len(self.store.asked))
            self.assertEqual([], self.clock.getDelayedCalls())

    def test_who_is_here_is_noted_daily(self) -> None:
        """Connected devices are noted once a day, a few hundred at a time."""
        self.keep()
        self.store.seen = self.note  # type: ignore[method-assign]
        self.noted: list[int] = []
        self.clock.advance(limits.KEEP_SECONDS)
        self.assertEqual([], self.noted)
        for _ in range(2):
            self.answer()
        self.clock.advance(limits.SEEN_SECONDS)
        self.clock.advance(limits.KEEP_STEP_SECONDS)
        self.clock.advance(limits.KEEP_STEP_SECONDS)
        self.assertEqual([500, 1], self.noted)

    def note(self, readers: Sequence[Reader], now: int) -> Deferred[None]:
        """See ``IReaderStore``."""
        self.assertEqual(MIDNIGHT_NS, now)
        self.noted.append(len(readers))
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done
