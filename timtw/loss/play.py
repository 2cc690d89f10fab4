"""A history while it goes on: traffic, faults, a kill, a restart, and all come back."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from threading import Event
from typing import Final

import attrs

from timtw.loss import damage, faults
from timtw.loss.device import Device
from timtw.loss.faults import Fault, Plan
from timtw.loss.line import Loop
from timtw.loss.nodes import Node, NodeFailed
from timtw.loss.observations import (
    Began,
    Complaint,
    Damaged,
    Ended,
    Killed,
    Seen,
    Started,
)
from timtw.loss.scene import Character, Stage
from timtw.loss.template import Template
from timtw.loss.troubles import Place

MORE_ECHOES: Final = 60
"""Up to so many echoes more, drawn, so that the kill comes anywhere."""
MORE_SECONDS: Final = 0.05
"""And up to so many seconds after that."""
FEW_ECHOES: Final = 10
"""Echoes that show that a node serves again."""
LOAD_SECONDS: Final = 40.0
"""How long the echoes may take."""
PATIENCE: Final = 8.0
"""Seconds without any news after which what is missing counts as lost: a backlog that
nobody asks for comes after three."""
DRAIN_SECONDS: Final = 60.0
"""How long the end may take with news all the time."""


class Play:
    """One history while it goes on."""

    def __init__(
        self,
        template: Template,
        node: Node,
        seed: int,
        stop: Event | None = None,
        plan: Plan | None = None,
    ) -> None:
        """
        Draw who takes part, and how; ``run`` raises Stopped once ``stop`` is set.

        Args:
            plan: What happens; drawn as well if there is none.
        """
        self._template = template
        self._node = node
        self._loop = Loop(stop)
        self._stage = Stage(self._loop, node.port, template.cast)
        self._rng = random.Random(seed)
        rng = random.Random(f"{seed} faults")
        self._plan = plan or faults.draw(seed, rng, template.kinds)
        characters = self._draw(template.characters)
        self._devices = [
            Device(self._stage, character, random.Random(f"{seed} {character.name}"))
            for character in characters
        ]
        self.complete = False
        self._absent = set(self._rng.sample(range(len(characters)), 2))

    @property
    def history(self) -> list[Seen]:
        """What was seen up to now."""
        return self._stage.history

    @property
    def echoed(self) -> set[str]:
        """The texts whose authors know them to be stored."""
        return self._stage.echoed

    def run(self) -> None:
        """Play it from the beginning to the end."""
        try:
            self._node.start()
            self._load()
            self._kill()
            places = self._while_down()
            self._node.start()
            self._note(Started(time.monotonic()))
            self._drain()
            self._look_for(places)
            self.complete = True
        except NodeFailed as error:
            self._complain("node", str(error))
        finally:
            for device in self._devices:
                device.leave(False)
            self._loop.close()
            self._node.remove()

    def _draw(self, characters: Sequence[Character]) -> list[Character]:
        """In one history of four, one plain device never asks for its backlog."""
        drawn = list(characters)
        if self._rng.random() < 0.25:
            place = self._rng.randrange(len(drawn) // 2) * 2 + 1
            drawn[place] = attrs.evolve(drawn[place], asks=False)
        return drawn

    def _load(self) -> None:
        """Traffic until the moment of the kill."""
        for number, device in enumerate(self._devices):
            if number not in self._absent:
                device.come()
                device.act()
        for name in self._plan.running:
            self._hear(self._plan.echoes)
            self._hinder(name, self._template.kinds.running[name]())
        self._hear(self._plan.echoes + self._rng.randrange(MORE_ECHOES))
        self._loop.run(lambda: False, self._rng.uniform(0, MORE_SECONDS))

    def _hear(self, echoes: int) -> None:
        """Go on until there were so many echoes more."""
        wanted = len(self.echoed) + echoes
        if not self._loop.run(lambda: len(self.echoed) >= wanted, LOAD_SECONDS):
            self._complain("node", f"gave {len(self.echoed)} echoes of {wanted}")

    def _hinder(self, name: str, fault: Fault) -> None:
        """Let a fault happen, and see that the node gets over it by itself."""
        at = time.monotonic()
        began = Began(at, name, fault.words, fault.refuses, fault.delays, fault.lasts)
        self._note(began)
        fault.begin(self._node, self._devices, self._rng)
        left = self._rng.uniform(*fault.seconds)
        try:
            while left > fault.every:
                left -= fault.every
                self._loop.run(lambda: False, fault.every)
                fault.again(self._node, self._rng)
            self._loop.run(lambda: False, left)
        finally:
            fault.end(self._node)
        self._note(Ended(time.monotonic(), name))
        asked = [
            (device, device.line, body)
            for device in self._devices
            if device.line and not (device.mute or device.slow)
            for body in device.unanswered.bodies
        ]
        self._hear(FEW_ECHOES)

        def answered() -> bool:
            return not any(
                device.line == line and body in device.unanswered
                for device, line, body in asked
            )

        if not self._loop.run(answered, PATIENCE):
            for name in sorted({device.character.name for device, _, _ in asked}):
                self._complain(name, f"was not told what became of a text in {fault}")

    def _kill(self) -> None:
        """Kill the node, and read what it had still written."""
        at = time.monotonic()
        if self._plan.down == faults.POWER_CUT:
            self._note(Began(at, faults.POWER_CUT, "the database is killed as well"))
            self._node.crash()
        else:
            self._node.kill()
        for device in self._devices:
            device.calm()
            device.mourn()
        self._loop.run(lambda: all(d.away for d in self._devices), 5.0)
        self._note(Killed(at))

    def _while_down(self) -> set[Place]:
        """Damage what is stored, or let the node find that it may not write to it."""
        name = self._plan.down
        self._down = time.monotonic()
        if name == faults.SEALED:
            self._start_sealed()
        elif name in faults.DOWN:
            how = faults.DOWN[name]
            self._note(Began(self._down, name, "stored texts are damaged"))
            places = damage.damage(self._node.database, how, self._rng)
            self._stage.spare(places)
            return places
        return set()

    def _start_sealed(self) -> None:
        """A node that may not write says so and ends, and is not half started."""
        words = "the node is started while its files are read-only"
        self._note(Began(self._down, faults.SEALED, words))
        modes = self._node.seal()
        try:
            self._node.start()
        except NodeFailed as error:
            if "the node cannot start" not in str(error):
                self._complain("node", f"does not say why it does not start: {error}")
        else:
            self._node.kill()
        finally:
            for one, mode in modes.items():
                one.chmod(mode)
        self._note(Ended(time.monotonic(), faults.SEALED))

    def _look_for(self, places: set[Place]) -> None:
        """Note what was damaged, and whether the log tells it."""
        told = damage.said(self._node.log)
        for place in places:
            known = place in told
            self._note(Damaged(self._down, place.conversation, place.mid, known))

    def _drain(self) -> None:
        """All come back, say something, and get what they missed."""
        for device in self._devices:
            device.come()
        self._loop.run(lambda: all(d.ready for d in self._devices), PATIENCE)
        for device in self._devices:
            device.greet()
        self._stage.moved = time.monotonic()
        self._loop.run(self._quiet, DRAIN_SECONDS)
        for device in self._devices:
            if not device.settled:
                self._complain(device.character.name, device.troubles())
            device.check()
        self._loop.run(lambda: all(d.checked for d in self._devices), PATIENCE)

    def _quiet(self) -> bool:
        """Whether there is nothing left to wait for, or no hope."""
        if time.monotonic() - self._stage.moved > PATIENCE:
            return True
        return all(d.settled for d in self._devices) and not any(
            device.missing for device in self._devices
        )

    def _complain(self, name: str, text: str) -> None:
        """Note something that must not happen."""
        self._note(Complaint(time.monotonic(), name, text))

    def _note(self, seen: Seen) -> None:
        """Write into the history."""
        self._stage.note(seen)
