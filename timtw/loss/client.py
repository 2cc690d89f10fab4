"""A client that notes all that it says and hears, and comes back when its line is lost.

It keeps what a good client keeps: the texts without an answer, which it repeats under
their ids, and how far it has its account's log.
"""

from __future__ import annotations

import itertools
import random
from typing import Final

from timtw.loss.caller import Caller
from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Asked,
    Came,
    Noticed,
    Pinged,
    Ponged,
    Refusal,
    Sent,
)
from timtw.loss.outbox import Outbox
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
from timtw.loss.trace import short

IN_FLIGHT: Final = 8
"""Texts that a device has under way at most."""
AGAIN: Final = (0.1, 0.5)
"""Seconds after which a device repeats what was refused."""


class Client(Caller):
    """One device: what it says and hears on all of its connections."""

    def __init__(self, stage: Stage, character: Character, rng: random.Random) -> None:
        """A device that is away until ``come``."""
        super().__init__(stage, character, rng)
        self._count = itertools.count(1)
        self.unanswered = Outbox()
        self.bodies: set[str] = set()
        self._seq = 0
        self._ahead: set[int] = set()
        self.checked = False
        self.credential = ""

    @property
    def ready(self) -> bool:
        """Whether it is logged in, and has its credential if it is to get one."""
        login = self.character.login
        wanted = login.additions and not login.credential
        return self._logged_in and bool(self.credential or not wanted)

    @property
    def settled(self) -> bool:
        """Whether it is here, was told all that waited and has all its answers."""
        return self._logged_in and self.ended and not len(self.unanswered)

    @property
    def missing(self) -> bool:
        """Whether a text has not come that somebody else has seen."""
        return not self._stage.due.get(self._name, set()) <= self.bodies

    def troubles(self) -> str:
        """What is left to wait for."""
        if not self._logged_in:
            return "could not log in again"
        if not self.ended:
            return "was never told that its backlog is at its end"
        return f"got no answer to {sorted(map(short, self.unanswered.bodies))}"

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
        self.unanswered.add(body, peer, ident)
        self._send(body)

    def _send(self, body: str) -> None:
        """Hand a text to the line."""
        peer, ident = self.unanswered.words(body)
        self._note(Sent(self._now(), self._name, self._number, peer, body))
        to_group = peer in self._stage.cast.groups
        self._say(self.character.speech.text(peer, body, ident, to_group))

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
        for seq in heard.others:
            if seq:
                self._note(Noticed(self._now(), self._name, self._number, seq))
                self._count_to(seq)
        for text in heard.texts:
            self._text(text, heard.receipt)
        if heard.receipt:
            self._held.append(heard.receipt)
            if not (self._holding or self.mute):
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
                text.in_group,
            )
        )
        if text.sender == self.character.node:
            self._stage.echoed.add(text.body)
            self.unanswered.echoed(text.body)
        if text.seq or not self.character.login.additions:
            self.bodies.add(text.body)
        if text.in_group:
            return  # The node knows how far it is in a group, and is not told.
        self._count_to(text.seq)

    def _count_to(self, seq: int) -> None:
        """An entry of the own log is here."""
        self._ahead.add(seq)
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
            self._refused(answer)

    def _refused(self, answer: Answer) -> None:
        """Note a refusal, and do again later what was refused."""
        body = ""
        if answer.about == MESSAGE:
            body = self.unanswered.refused(answer.number)
        about, code = answer.about, answer.code
        self._note(Refusal(self._now(), self._name, about, code, body))
        pause = self._rng.uniform(*AGAIN)
        if body:
            self._soon(pause, lambda: self._repeat(body))
        elif about == LOGIN:
            self.leave(False)
            self._soon(pause, self.come)

    def _repeat(self, body: str) -> None:
        """Send a refused text again, unless that was done meanwhile."""
        if self._logged_in and body in self.unanswered:
            self._send(body)

    def _arrive(self) -> None:
        """Logged in: repeat what was not answered, and ask for what waits.

        With the additions the request comes first: only the client knows which of its
        own texts it has, and whatever else it says ends the wait for the request.
        """
        self._logged_in = True
        self._note(Came(self._now(), self._name, self._number))
        if not self.character.idents:
            self.unanswered.clear()
        ask = self.character.asks
        if ask and (self.character.login.additions or self._rng.random() < 0.5):
            self._ask()
            ask = False
        for body in self.unanswered.bodies:
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
