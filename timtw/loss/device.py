"""A device that behaves as badly as real ones do: it pauses, forgets, leaves, returns.

What it does is drawn from a generator of its own, so that a seed stands for the same
intentions again; what the operating system makes of them differs from run to run.
"""

from __future__ import annotations

import random
from typing import Final

from timtw.loss.caller import RETURN
from timtw.loss.client import Client
from timtw.loss.scene import Character, Stage

STEP: Final = 0.06
"""Seconds between two deeds of a device, on the average."""


FADING: Final = (0.3, 0.6)
"""Seconds in which a device that fades reads nothing before it leaves."""


class Device(Client):
    """A client with a will of its own."""

    def __init__(self, stage: Stage, character: Character, rng: random.Random) -> None:
        """A device that is away until ``come`` and does nothing until ``act``."""
        super().__init__(stage, character, rng)
        self._acting = False
        self._peers = [node for node in stage.cast.names if node != character.node]

    def act(self) -> None:
        """Do one thing after the other until ``calm``."""
        self._acting = True
        self._soon(self._rng.expovariate(1 / STEP), self._deed)

    def calm(self) -> None:
        """Do nothing any more but read and acknowledge."""
        self._acting = False
        self._holding = self.mute = self.slow = False
        if self._line is not None:
            self._line.read(True)
        self._release()

    def return_slow(self) -> None:
        """Come back at once with a line that is read slowly."""
        self.slow = True
        self.leave(False)
        self.come()

    def vanish_for_a_while(self) -> None:
        """Vanish, and come back on another line."""
        self.vanish()
        self._soon(self._rng.uniform(*RETURN), self.come)

    def fade(self) -> None:
        """Confirm nothing, then read no more, then confirm, leave and come back."""
        self._holding = True
        self._soon(self._rng.uniform(*RETURN), self._deafen)

    def _deafen(self) -> None:
        """Read no more."""
        if self._line is not None:
            self._line.read(False)
        self._soon(self._rng.uniform(*FADING), self._gone)

    def _gone(self) -> None:
        """Confirm what was held back, and leave what was not read."""
        self._let_go()
        self.leave(False)
        self._soon(self._rng.uniform(*RETURN), self.come)

    def greet(self) -> None:
        """Send one text to somebody."""
        self.say(self._rng.choice(self._peers))

    def _deed(self) -> None:
        """One thing that devices do."""
        if not self._acting:
            return
        self._soon(self._rng.expovariate(1 / STEP), self._deed)
        if not self._logged_in or self._line is None:
            return
        roll = self._rng.random()
        if roll < 0.7:
            for _ in range(self._rng.randint(1, 3)):
                self.say(self._rng.choice(self._peers))
        elif roll < 0.8:
            self._holding = True
            self._soon(self._rng.uniform(0.02, 0.5), self._let_go)
        elif roll < 0.87:
            self._line.read(False)
            self._soon(self._rng.uniform(0.02, 0.8), self._look)
        elif roll < 0.93:
            self.leave(self._rng.random() < 0.5)
            self._soon(self._rng.uniform(*RETURN), self.come)
        elif roll < 0.96 and self.character.asks:
            self._ask()
        else:
            self._ping()

    def _let_go(self) -> None:
        """Acknowledge what was held back, in any order."""
        self._holding = False
        if self.mute:
            return
        self._rng.shuffle(self._held)
        self._release()

    def _look(self) -> None:
        """Read again."""
        if self._line is not None:
            self._line.read(True)
