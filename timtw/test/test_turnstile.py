"""So many at a time, the others in order."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.logins.turnstile import Turnstile
from timtw.model.commands import LogIn
from timtw.model.errors import BadToken
from timtw.model.events import Refused
from timtw.model.limits import LOGINS_AT_ONCE
from timtw.model.values import Device
from timtw.test.stage import Stage


class TurnstileTests(SynchronousTestCase):
    """Room for two."""

    def setUp(self) -> None:
        """Nobody has come."""
        self.begun: list[int] = []
        self.turnstile = Turnstile(2)

    def come(self, number: int) -> Callable[[], None]:
        """What somebody begins."""
        return lambda: self.begun.append(number)

    def test_order(self) -> None:
        """The third waits for one of the others, and the fourth for one more."""
        for number in range(4):
            self.turnstile.enter(self.come(number))
        self.assertEqual([0, 1], self.begun)
        self.turnstile.leave()
        self.assertEqual([0, 1, 2], self.begun)
        self.turnstile.leave()
        self.turnstile.leave()
        self.turnstile.enter(self.come(4))
        self.assertEqual([0, 1, 2, 3, 4], self.begun)

    def test_many_at_once(self) -> None:
        """Thousands that are done as soon as they begin do so one after the other."""
        for _ in range(2):
            self.turnstile.enter(self.come(0))
        for _number in range(5000):
            self.turnstile.enter(lambda: self.turnstile.leave())
        self.turnstile.enter(self.come(1))
        self.turnstile.leave()
        self.assertEqual([0, 0, 1], self.begun)


class LoginTests(SynchronousTestCase):
    """All devices of a node come back at the same time."""

    def test_crowd(self) -> None:
        """Everybody is answered, and those who have gone again are not looked for."""
        stage = Stage()
        lines = [stage.connect() for _ in range(LOGINS_AT_ONCE + 20)]
        for line in lines:
            line.asks(LogIn("", "", "12345", "", Device()))
        self.assertEqual([], [line for line in lines if line.events])
        for line in lines[-10:]:
            line.session.lost()
        stage.clock.advance(1)
        answers = [[one.error for one in line.told(Refused)] for line in lines]
        self.assertEqual([1] * (LOGINS_AT_ONCE + 10) + [0] * 10, [*map(len, answers)])
        self.assertIsInstance(answers[0][0], BadToken)
