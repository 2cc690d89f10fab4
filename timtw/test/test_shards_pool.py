"""What waits for a database, is tried again or is refused, on a clock by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.errors import NameTaken, StorageUnavailable
from timtw.model.limits import (
    BREAKER_FAILURES,
    DATABASE_CONNECTIONS,
    DATABASE_DOUBT_SECONDS,
    DATABASE_PAUSE_FIRST,
    DATABASE_PAUSE_MOST,
    DATABASE_TRIES,
    STORAGE_READS_WAITING,
)
from timtw.shards.sealing import Unreadable
from timtw.shards.server.links import Collision, Outage
from timtw.shards.server.pausing import Pauses
from timtw.shards.server.pool import Pool
from timtw.test.poolkit import TwinDatabase, wish


class PoolCase(SynchronousTestCase):
    """A pool over a database that does what a test says."""

    def setUp(self) -> None:
        """Make both."""
        self.clock = Clock()
        self.database = TwinDatabase()
        self.pool = Pool(
            self.database.connect, self.database.look, self.clock, lambda: 1.0
        )
        self.answers: list[object] = []

    def ask(
        self, name: object, how: Callable[..., Deferred[Any]] | None = None
    ) -> None:
        """Ask for something; what it is answered comes into ``answers``."""
        asked = (how or self.pool.write)(wish(name))
        _ = asked.addCallbacks(
            self.answers.append, lambda found: self.answers.append(type(found.value))
        )

    def open_breaker(self) -> None:
        """Let the database fail so often that nothing more is asked of it."""
        self.database.up = False
        self.ask("lost")
        for _ in range(BREAKER_FAILURES - 1):
            self.clock.advance(DATABASE_PAUSE_MOST)
        self.assertEqual([StorageUnavailable], self.answers)
        self.answers.clear()


class OrderTests(PoolCase):
    """Who is served when."""

    def test_connections_are_bounded(self) -> None:
        """
        However many people come at once, the database sees a few connections.
        """
        for n in range(DATABASE_CONNECTIONS + 2):
            self.ask(n)
        self.assertEqual(DATABASE_CONNECTIONS, len(self.database.links))
        for _ in range(3):
            for link in self.database.busy:
                link.answer()
        self.assertEqual(list(range(DATABASE_CONNECTIONS + 2)), self.answers)
        self.assertEqual(DATABASE_CONNECTIONS, len(self.database.links))

    def test_commits_go_first(self) -> None:
        """
        Messages do not wait behind logins.
        """
        for n in range(DATABASE_CONNECTIONS + 1):
            self.ask(n)
        self.ask("commit", self.pool.commit)
        self.database.links[0].answer()
        self.database.links[0].answer()
        self.assertEqual([0, "commit"], self.answers)

    def test_waiting_is_bounded(self) -> None:
        """
        What does not fit into the queue is refused at once.
        """
        for n in range(DATABASE_CONNECTIONS + STORAGE_READS_WAITING):
            self.ask(n)
        self.assertEqual([], self.answers)
        self.ask("more")
        self.assertEqual([StorageUnavailable], self.answers)

    def test_refusals_are_answers(self) -> None:
        """
        A name that is taken costs no connection.
        """
        self.ask("first")
        self.database.links[0].fail(NameTaken())
        self.ask("second")
        self.database.links[0].answer()
        self.assertEqual([NameTaken, "second"], self.answers)
        self.assertEqual(1, len(self.database.links))

    def test_damaged_record_is_no_absence(self) -> None:
        """
        What cannot be opened is an error of storage, and nobody is called unknown.
        """
        self.ask("first", self.pool.read)
        self.database.links[0].fail(Unreadable("damaged"))
        self.assertEqual([StorageUnavailable], self.answers)

    def test_stop_finishes_what_was_begun(self) -> None:
        """
        A node that stops stores what it was asked for, and then closes.
        """
        for n in range(DATABASE_CONNECTIONS + 1):
            self.ask(n)
        stopped = self.pool.stop()
        self.ask("late")
        self.assertEqual([StorageUnavailable], self.answers)
        self.assertNoResult(stopped)
        for _ in range(2):
            for link in self.database.busy:
                link.answer()
        self.successResultOf(stopped)
        self.assertTrue(all(link.closed for link in self.database.links))

    def test_stop_without_a_database(self) -> None:
        """
        A node stops even when its database is away.
        """
        self.database.up = False
        self.ask("lost")
        stopped = self.pool.stop()
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.successResultOf(stopped)
        self.assertEqual([StorageUnavailable], self.answers)
        self.assertEqual([], self.clock.getDelayedCalls())


class HealingTests(PoolCase):
    """What a failure of one connection costs."""

    def test_lost_connection_is_not_noticed(self) -> None:
        """
        Who was asking when a connection broke is served by another one.
        """
        self.ask("a")
        self.database.links[0].fail(Outage("reset", gone=True))
        self.assertTrue(self.database.links[0].closed)
        self.database.links[1].answer()
        self.assertEqual(["a"], self.answers)

    def test_all_connections_of_a_restarted_database(self) -> None:
        """
        After a restart of the database nobody meets one dead connection after another.
        """
        for n in range(3):
            self.ask(n)
        for link in self.database.busy:
            link.answer()
        self.ask("a")
        (link,) = self.database.busy
        link.fail(Outage("reset", gone=True))
        (link,) = self.database.busy
        self.assertIs(self.database.links[3], link)
        link.answer()
        self.assertEqual([0, 1, 2, "a"], self.answers)

    def test_all_connections_lost_at_once(self) -> None:
        """
        An administrator who ends all connections interrupts nobody.
        """
        for n in range(DATABASE_CONNECTIONS):
            self.ask(n)
        for link in self.database.busy:
            link.fail(Outage("terminated", gone=True))
        for link in self.database.busy:
            link.answer()
        self.assertCountEqual(range(DATABASE_CONNECTIONS), self.answers)

    def test_busy_when_another_was_lost(self) -> None:
        """
        Who asked when all connections broke waits for one that was made afterwards.

        One of them had just done its job; that it is lost too is not known yet.
        """
        self.ask("a")
        self.ask("b")
        first, second = self.database.busy
        first.fail(Outage("reset", gone=True))
        third = self.database.links[2]
        self.ask("c")
        second.answer()
        self.assertTrue(second.closed)
        third.answer()
        for link in self.database.busy:
            link.answer()
        self.assertCountEqual(["a", "b", "c"], self.answers)

    def test_connection_lost_while_idle(self) -> None:
        """
        A connection that broke while it was idle is not used.
        """
        self.ask("a")
        self.database.links[0].answer()
        self.database.links[0].usable = False
        self.ask("b")
        self.database.links[1].answer()
        self.assertEqual(["a", "b"], self.answers)

    def test_moved_once(self) -> None:
        """
        An operation that loses two connections is refused, and so kills no third.
        """
        self.ask("a")
        for link in range(2):
            self.database.links[link].fail(Outage("reset", gone=True))
        self.assertEqual([StorageUnavailable], self.answers)

    def test_slow_statement_is_not_repeated(self) -> None:
        """
        What a database was too slow for is refused, and does not burden it again.
        """
        self.ask("a")
        self.database.links[0].fail(Outage("statement timeout"))
        self.assertEqual([StorageUnavailable], self.answers)
        self.assertTrue(self.database.links[0].closed)

    def test_collisions_are_begun_again(self) -> None:
        """
        Transactions of two nodes that met are not seen by anybody.
        """
        self.ask("a")
        (link,) = self.database.links
        for _ in range(DATABASE_TRIES - 1):
            link.fail(Collision(ValueError("deadlock"), blameless=True))
        link.answer()
        self.assertEqual(["a"], self.answers)
        self.ask("b")
        for _ in range(DATABASE_TRIES):
            link.fail(Collision(ValueError("deadlock"), blameless=True))
        self.ask("c")
        for _ in range(DATABASE_TRIES):
            link.fail(Collision(ValueError("duplicate"), blameless=False))
        self.assertEqual(["a", StorageUnavailable, ValueError], self.answers)


class DoubtTests(PoolCase):
    """A COMMIT whose answer was lost."""

    def settle(self, stored: bool) -> None:
        """Let a COMMIT be lost and looked for."""
        self.ask("a")
        self.database.links[0].doubt(stored)
        self.assertEqual([], self.answers)
        self.database.links[1].answer()

    def test_commit_that_took_place(self) -> None:
        """
        What was stored is answered as stored, once, with what it had got.
        """
        self.settle(stored=True)
        self.assertEqual(["a"], self.answers)
        self.assertEqual([], self.database.busy)

    def test_commit_that_did_not_take_place(self) -> None:
        """
        What was not stored is stored then.
        """
        self.settle(stored=False)
        self.assertEqual([], self.answers)
        self.database.links[1].answer()
        self.assertEqual(["a"], self.answers)

    def test_doubt_lasts_as_long_as_the_outage(self) -> None:
        """
        Nobody is told that a message was lost while it may have been stored.
        """
        self.database.up = False
        self.ask("other")
        self.database.up = True
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.database.up = False
        self.database.links[0].doubt(stored=True)
        for _ in range(10):
            self.clock.advance(1)
        self.assertEqual([], self.answers)
        self.database.up = True
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.database.links[1].answer()
        self.assertEqual(["other"], self.answers)

    def test_doubt_ends(self) -> None:
        """
        After a long outage people may send again; their ids make one of it.
        """
        self.ask("a")
        self.database.up = False
        self.database.links[0].doubt(stored=True)
        for _ in range(int(DATABASE_DOUBT_SECONDS + DATABASE_PAUSE_MOST)):
            self.clock.advance(1)
        self.assertEqual([StorageUnavailable], self.answers)

    def test_look_that_fails_is_repeated(self) -> None:
        """
        A second failure while a commit is looked for changes nothing.
        """
        self.ask("a")
        self.database.links[0].doubt(stored=True)
        self.database.links[1].fail(Outage("reset", gone=True))
        self.clock.advance(DATABASE_PAUSE_FIRST)
        self.database.links[2].answer()
        self.assertEqual(["a"], self.answers)


class BreakerTests(PoolCase):
    """A database that is away."""

    def test_short_absence_is_waited_for(self) -> None:
        """
        Fewer failures than the breaker counts are not noticed.
        """
        self.database.up = False
        self.ask("a")
        for _ in range(BREAKER_FAILURES - 2):
            self.clock.advance(DATABASE_PAUSE_MOST)
        self.database.up = True
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.database.links[0].answer()
        self.assertEqual(["a"], self.answers)

    def test_open_breaker_refuses_at_once(self) -> None:
        """
        While the database is away everybody is told so without waiting.
        """
        self.open_breaker()
        self.ask("a")
        self.ask("b", self.pool.read)
        self.assertEqual([StorageUnavailable] * 2, self.answers)

    def test_one_probe_at_a_time(self) -> None:
        """
        A database that comes back is asked by one connection, not by all nodes at once.
        """
        self.open_breaker()
        for n in range(100):
            self.ask(n)
            self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.database.up = True
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.assertEqual(1, len(self.database.links))

    def test_breaker_closes(self) -> None:
        """
        When the database is back, so is everything, without a restart.
        """
        self.open_breaker()
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.ask("a")
        self.database.up = True
        self.clock.advance(DATABASE_PAUSE_MOST)
        self.ask("b")
        self.database.links[0].answer()
        self.assertEqual([StorageUnavailable, "b"], self.answers)

    def test_silence_opens_it_at_once(self) -> None:
        """
        When a database has stopped without a word, one request waits and no other.
        """
        self.ask("a")
        self.database.links[0].fail(Outage("frozen", gone=True, silent=True))
        self.ask("b")
        self.assertEqual([StorageUnavailable] * 2, self.answers)

    def test_failing_statements_open_it(self) -> None:
        """
        A database that connects but fails is spared as well.
        """
        for n in range(BREAKER_FAILURES):
            self.ask(n)
            self.database.links[n].fail(Outage("disk full"))
        self.ask("a")
        refused = BREAKER_FAILURES + 1
        self.assertEqual([StorageUnavailable] * refused, self.answers)
        self.clock.advance(DATABASE_PAUSE_FIRST)
        self.ask("b")
        self.database.links[-1].answer()
        self.assertEqual("b", self.answers[-1])

    def test_success_between_failures(self) -> None:
        """
        Failures that are not in a row do not stop service.
        """
        for n in range(BREAKER_FAILURES * 2):
            self.ask(n)
            self.database.busy[0].fail(Outage("timeout"))
            self.ask("good")
            self.database.busy[0].answer()
        self.assertEqual(BREAKER_FAILURES * 2, self.answers.count("good"))

    def test_absence_is_told_once(self) -> None:
        """
        The log says when storage went and when it came back.
        """
        with capturedLogs() as logs:
            self.open_breaker()
            self.database.up = True
            self.clock.advance(DATABASE_PAUSE_MOST)
        told = [event["log_format"] for event in logs if "why" not in event]
        self.assertEqual(
            [
                "storage is away: everything that needs it is refused",
                "storage is back",
            ],
            told,
        )


class PauseTests(SynchronousTestCase):
    """Pauses between attempts."""

    def test_pauses_grow_and_end(self) -> None:
        """
        Attempts become rarer, but never rarer than a bound, and not all at once.
        """
        longest, shortest = Pauses(lambda: 1.0), Pauses(lambda: 0.0)
        for n in range(10):
            bound = min(DATABASE_PAUSE_FIRST * 2**n, DATABASE_PAUSE_MOST)
            self.assertAlmostEqual(bound, longest.next())
            self.assertAlmostEqual(bound / 2, shortest.next())
        longest.reset()
        self.assertAlmostEqual(DATABASE_PAUSE_FIRST, longest.next())
