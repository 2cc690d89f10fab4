"""A client that notes all that it says and hears, and comes back when its line is lost.

It keeps what a good client keeps: the texts without an answer, which it repeats under
their ids, and how far it has its account's log.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import Final

from timtw.loss.line import Line
from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Asked,
    Complaint,
    Pinged,
    Ponged,
    Refusal,
    Seen,
    Sent,
)
from timtw.loss.scene import Character, Stage
from timtw.loss.speech import (
    END,
    LOGIN,
    LOGOUT,
    MESSAGE,
    PING,
    TOKEN,
    Answer,
    Heard,
    Signal,
    Text,
    Texts,
)

IN_FLIGHT: Final = 8
"""Texts that a device has under way at most."""
RETURN: Final = (0.01, 0.3)
"""Seconds that a device stays away."""


class Client:
    """One device, with all of its connections one after the other."""

    def __init__(self, stage: Stage, character: Character, rng: random.Random) -> None:
        """A device that is away until ``come``."""
        self.character = character
        self._stage = stage
        self._rng = rng
        self._line: Line | None = None
        self._number = 0
        self._count = itertools.count(1)
        self._logged_in = self._wanted = self._pinging = False
        self.ended = False
        self._holding = False
        self._held: list[bytes] = []
        self.unanswered: dict[str, tuple[str, int]] = {}
        self.bodies: set[str] = set()
        self._seq = 0
        self._ahead: set[int] = set()
        self.checked = False
        self.credential = ""

    @property
    def away(self) -> bool:
        """Whether there is no line."""
        return self._line is None

    @property
    def ready(self) -> bool:
        """Whether it is logged in, and has its credential if it is to get one."""
        login = self.character.login
        wanted = login.additions and not login.credential
        return self._logged_in and bool(self.credential or not wanted)

    @property
    def settled(self) -> bool:
        """Whether it is here, was told all that waited and has all its answers."""
        return self._logged_in and self.ended and not self.unanswered

    def come(self) -> None:
        """Connect and log in, again and again if need be."""
        self._wanted = True
        if self._line is not None:
            return
        self._number = next(self._stage.lines)
        self._logged_in = self._pinging = self.ended = False
        line = Line(self._stage.loop, self._stage.port, self._frame, self._lost)
        self._line = line
        line.send(self.character.speech.login(self.character.login))

    @property
    def missing(self) -> bool:
        """Whether a text has not come that somebody else has seen."""
        return not self._stage.due.get(self._name, set()) <= self.bodies

    def leave(self, hard: bool) -> None:
        """Vanish, whatever is unread or not acknowledged."""
        self._wanted = False
        if self._line is not None:
            self._line.drop(hard)
        self._absent()

    def mourn(self) -> None:
        """The node is dead: do not try to come back by yourself."""
        self._wanted = False

    def troubles(self) -> str:
        """What is left to wait for."""
        if not self._logged_in:
            return "could not log in again"
        if not self.ended:
            return "was never told that its backlog is at its end"
        return f"got no answer to {sorted(self.unanswered)}"

    def check(self) -> None:
        """Ask for a sign of life; ``checked`` tells when it came."""
        self.checked = False
        self._ping()

    def say(self, peer: str) -> None:
        """Send a text that nobody has sent before."""
        if not self._logged_in or len(self.unanswered) >= IN_FLIGHT:
            return
        filler = "x" * self._rng.choice((0, 0, 20, 300))
        body = f"{self.character.name}#{next(self._count)}{filler}"
        ident = self._rng.randrange(1, 1 << 53) if self.character.idents else 0
        self.unanswered[body] = (peer, ident)
        self._send(body)

    def _send(self, body: str) -> None:
        """Hand a text to the line."""
        peer, ident = self.unanswered[body]
        self._note(Sent(self._now(), self._name, self._number, peer, body))
        self._say(self.character.speech.text(peer, body, ident))

    def _release(self) -> None:
        """Acknowledge everything that waits for it."""
        for receipt in self._held:
            self._note(Acknowledged(self._now(), self._name, self._number, receipt))
            self._say(self.character.speech.acknowledge(receipt))
        if self._held and self._rng.random() < 0.5:
            self._ping()
        self._held.clear()

    def _ask(self) -> None:
        """Ask for what waits."""
        if self.character.login.additions:
            self._note(Asked(self._now(), self._name, self._number, self._seq))
            self._say(self.character.speech.backlog(self._seq))
        else:
            self._say(self.character.speech.backlog())

    def _ping(self) -> None:
        """Ask for a sign of life unless one is under way."""
        if self._logged_in and not self._pinging:
            self._pinging = True
            self._note(Pinged(self._now(), self._name, self._number))
            self._say(self.character.speech.ping())

    def _frame(self, payload: bytes) -> None:
        """Take a frame of the node."""
        self._stage.moved = self._now()
        try:
            heard: Heard = self.character.speech.hear(payload)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            self._complain(f"cannot read {payload[:60]!r}: {error!r}")
            return
        if isinstance(heard, Texts):
            self._texts(heard)
        elif isinstance(heard, Answer):
            self._answer(heard)
        else:
            self._signal(heard)

    def _texts(self, heard: Texts) -> None:
        """Note texts, and acknowledge them or hold that back."""
        for text in heard.texts:
            self._text(text, heard.receipt)
        if heard.receipt:
            self._held.append(heard.receipt)
            if not self._holding:
                self._release()

    def _text(self, text: Text, receipt: bytes) -> None:
        """Note one text."""
        self._stage.arrived(
            Arrived(
                self._now(),
                self._name,
                self._number,
                text.sender,
                text.recipient,
                text.body,
                text.mid,
                receipt,
                text.seq,
            )
        )
        if text.sender == self.character.node:
            self._stage.echoed.add(text.body)
            self.unanswered.pop(text.body, None)
        if text.seq or not self.character.login.additions:
            self.bodies.add(text.body)
        self._ahead.add(text.seq)
        while self._seq + 1 in self._ahead:
            self._seq += 1

    def _answer(self, answer: Answer) -> None:
        """A TimAck."""
        if answer.about == LOGIN and answer.ok:
            self._arrive()
        elif answer.about == TOKEN and answer.ok:
            self.credential = answer.text
        elif answer.about == LOGOUT:
            self._complain("was told to log out")
        elif not answer.ok:
            self._note(Refusal(self._now(), self._name, answer.about, answer.code))
            if answer.about == MESSAGE:
                self.unanswered.clear()

    def _arrive(self) -> None:
        """Logged in: repeat what was not answered, and ask for what waits.

        With the additions the request comes first: only the client knows which of its
        own texts it has, and whatever else it says ends the wait for the request.
        """
        self._logged_in = True
        if not self.character.idents:
            self.unanswered.clear()
        ask = self.character.asks
        if ask and (self.character.login.additions or self._rng.random() < 0.5):
            self._ask()
            ask = False
        for body in list(self.unanswered):
            self._send(body)
        if ask:
            self._ask()
        self.ended = not self.character.asks

    def _signal(self, signal: Signal) -> None:
        """An end marker, or an answer to a ping."""
        if signal.about == END:
            self.ended = True
        elif signal.about == PING and self._pinging:
            self._pinging = False
            self.checked = True
            self._note(Ponged(self._now(), self._name, self._number))

    def _lost(self, complaint: str) -> None:
        """The line is gone."""
        if complaint:
            self._complain(complaint)
        self._absent()
        if self._wanted:
            self._soon(self._rng.uniform(*RETURN) / 3, self._return)

    def _return(self) -> None:
        """Come back unless it has left meanwhile."""
        if self._wanted:
            self.come()

    def _absent(self) -> None:
        """Forget what belonged to the line."""
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
