"""Argon2id itself, in real threads, and the limit of what waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher, extract_parameters
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from timtw.core.logins.passwords import ArgonPasswords, of_nobody
from timtw.model import limits
from timtw.model.errors import TooFrequent


class ArgonTests(TestCase):
    """Verifiers are made and checked."""

    def setUp(self) -> None:
        """Threads of the real reactor."""
        from twisted.internet import reactor

        self.passwords = ArgonPasswords(IReactorFromThreads(reactor))
        self.passwords.start()
        self.addCleanup(self.passwords.stop)

    async def test_make_and_check(self) -> None:
        """The right password is right; all else is wrong, and it need not be UTF-8."""
        check = self.passwords.check
        verifier = await self.passwords.make("sécret")
        self.assertTrue(verifier.startswith("$argon2id$"))
        self.assertNotIn("cret", verifier)
        answers = await gatherResults(
            [
                check(verifier, "sécret"),
                check(verifier, "secret"),
                check(None, "the password of nobody"),
                check("damaged", "sécret"),
            ]
        )
        self.assertEqual([True, False, False, False], answers)
        raw = b"\xff\xfe".decode("utf-8", "surrogateescape")
        verifier = await self.passwords.make(raw)
        self.assertTrue(await self.passwords.check(verifier, raw))


class StopTests(TestCase):
    """A node ends while many log in."""

    def test_unknown_names_cost_the_same(self) -> None:
        """Nobody learns from the time of an answer whether a name exists: there is as
        much to compute for one that does not."""
        hasher = PasswordHasher()
        known = extract_parameters(hasher.hash("a password"))
        self.assertEqual(known, extract_parameters(of_nobody(hasher)))

    async def test_what_waits(self) -> None:
        """Checks that nobody can wait for any more are not made before the end."""
        from twisted.internet import reactor

        passwords = ArgonPasswords(IReactorFromThreads(reactor))
        passwords.start()
        waiting = [passwords.check(None, "x") for _ in range(200)]
        failures: list[Failure] = []
        for one in waiting:
            _ = one.addErrback(failures.append)
        passwords.stop()
        await DeferredList(waiting)
        self.assertGreater(len(failures), 150)
        for failure in failures:
            failure.trap(TooFrequent)


@implementer(IReactorFromThreads)
class NoThreads:
    """A reactor to which no thread ever comes back."""

    def callFromThread(
        self, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> None:
        """Nobody calls this."""


class QueueTests(SynchronousTestCase):
    """More passwords than can be checked."""

    def test_l8_both_sides(self) -> None:
        """So many wait; one more is told to come back later, at once."""
        passwords = ArgonPasswords(NoThreads())
        room = limits.PASSWORD_QUEUE + limits.PASSWORD_THREADS
        waiting: list[Deferred[bool]] = [
            passwords.check(None, "x") for _ in range(room)
        ]
        for one in waiting:
            self.assertNoResult(one)
        self.failureResultOf(passwords.check(None, "x"), TooFrequent)
        self.failureResultOf(passwords.make("x"), TooFrequent)
