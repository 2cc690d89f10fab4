"""A device's connections, one after the other: it comes, leaves, vanishes, returns."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from timtw.loss.line import Line
from timtw.loss.observations import Complaint, Left, Seen
from timtw.loss.scene import Character, Stage

RETURN: Final = (0.01, 0.3)
"""Seconds that a device stays away."""


class Caller:
    """Knows lines and nothing of what is said on them."""

    def __init__(self, stage: Stage, character: Character, rng: random.Random) -> None:
        """A device that is away until ``come``."""
        self.character = character
        self._stage = stage
        self._rng = rng
        self._line: Line | None = None
        self._number = 0
        self._logged_in = self._wanted = self._pinging = self.ended = False
        self._holding = self.mute = self.slow = False
        self._held: list[bytes] = []

    def _frame(self, payload: bytes) -> None:
        """Take a frame of the node."""
        raise NotImplementedError

    @property
    def away(self) -> bool:
        """Whether there is no line."""
        return self._line is None

    @property
    def line(self) -> int:
        """The number of the connection; 0 while it is not logged in."""
        return self._number if self._logged_in else 0

    def come(self) -> None:
        """Connect and log in, again and again if need be."""
        self._wanted = True
        if self._line is not None:
            return
        self._number = next(self._stage.lines)
        self._logged_in = self._pinging = self.ended = False
        stage = self._stage
        line = Line(stage.loop, stage.port, self._frame, self._lost, self.slow)
        self._line = line
        line.send(self.character.speech.login(self.character.login))

    def leave(self, hard: bool) -> None:
        """Vanish, whatever is unread or not acknowledged."""
        self._wanted = False
        if self._line is not None:
            self._line.drop(hard)
        self._absent("leaves")

    def vanish(self) -> None:
        """Be away while the node believes that the line is there."""
        self._wanted = False
        if self._line is not None:
            self._line.vanish()
        self._absent("vanishes: its line stays open and is read no more")

    def mourn(self) -> None:
        """The node is dead: do not try to come back by yourself."""
        self._wanted = False

    def _lost(self, complaint: str) -> None:
        """The line is gone."""
        if complaint:
            self._complain(complaint)
        self._absent("loses its line")
        if self._wanted:
            self._soon(self._rng.uniform(*RETURN) / 3, self._return)

    def _return(self) -> None:
        """Come back unless it has left meanwhile."""
        if self._wanted:
            self.come()

    def _absent(self, how: str) -> None:
        """Forget what belonged to the line."""
        if self._line is not None:
            self._note(Left(self._now(), self._name, self._number, how))
        self._line = None
        self._logged_in = self._pinging = self._holding = False
        self._held.clear()

    def _complain(self, text: str) -> None:
        """Note something that must not happen."""
        self._note(Complaint(self._now(), self._name, text))

    def _say(self, payload: bytes) -> None:
        """Hand a frame to the line."""
        if self._line is not None:
            self._line.send(payload)

    @property
    def _name(self) -> str:
        """The device's name."""
        return self.character.name

    def _note(self, seen: Seen) -> None:
        """Write into the history."""
        self._stage.note(seen)

    def _soon(self, seconds: float, call: Callable[[], None]) -> None:
        """Do something later."""
        self._stage.loop.later(seconds, call)

    def _now(self) -> float:
        """Seconds on the clock of the history."""
        return time.monotonic()
