"""What the devices of a history share, and what each of them is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Set

import attrs

from timtw.loss.judge import entitled
from timtw.loss.line import Loop
from timtw.loss.observations import Arrived, Cast, Seen
from timtw.loss.speech import Login, Speech
from timtw.loss.troubles import Place, place_of


@attrs.frozen
class Character:
    """What a device is.

    Args:
        name: Its name in findings.
        idents: Whether it sets ids and repeats what was not answered.
        asks: Whether it asks for its backlog after a login.
    """

    name: str
    node: str
    login: Login
    speech: Speech
    idents: bool
    asks: bool


@attrs.define
class Stage:
    """What all devices of a history share."""

    loop: Loop
    port: int
    cast: Cast
    history: list[Seen] = attrs.Factory(list)
    lines: Iterator[int] = attrs.Factory(lambda: itertools.count(1))
    moved: float = 0.0
    """When something came from the node last."""
    echoed: set[str] = attrs.Factory(set)
    """Texts that their authors know to be stored."""
    due: dict[str, set[str]] = attrs.Factory(dict)
    """Per device, the texts that have to come to it."""
    _known: dict[str, Place] = attrs.Factory(dict)

    def note(self, seen: Seen) -> None:
        """Write into the history."""
        self.history.append(seen)

    def arrived(self, arrived: Arrived) -> None:
        """Write a text into the history, and who has to get it."""
        self.history.append(arrived)
        if arrived.body not in self._known:
            self._known[arrived.body] = place_of(arrived)
            for name in entitled(self.cast, arrived.sender, arrived.recipient):
                self.due.setdefault(name, set()).add(arrived.body)

    def spare(self, places: Set[Place]) -> None:
        """Wait for none of the texts that stood at these places."""
        gone = {body for body, place in self._known.items() if place in places}
        for bodies in self.due.values():
            bodies -= gone
