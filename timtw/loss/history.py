"""One history: a cast, a lot of traffic, a kill, a restart, and all come back."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from timtw.loss.blocking import register
from timtw.loss.device import Device
from timtw.loss.judge import judge
from timtw.loss.line import Loop
from timtw.loss.nodes import Node, NodeFailed
from timtw.loss.observations import Arrived, Cast, Complaint, Killed, Role, Seen
from timtw.loss.scene import Character, Stage
from timtw.loss.speech import JsonSpeech, Login, Speech, ThriftSpeech
from timtw.loss.trace import Finding

ACCOUNTS: Final = 8
ECHOES: Final = 200
"""Echoes that are seen before the kill at the earliest."""
MORE_ECHOES: Final = 100
"""Up to so many more, drawn, so that the kill comes anywhere."""
MORE_SECONDS: Final = 0.05
"""And up to so many seconds after that."""
LOAD_SECONDS: Final = 40.0
"""How long the echoes may take."""
PATIENCE: Final = 8.0
"""Seconds without any news after which what is missing counts as lost: a backlog that
nobody asks for comes after three."""
DRAIN_SECONDS: Final = 60.0
"""How long the end may take with news all the time."""
PASSWORD: Final = "correct horse battery"


@attrs.frozen
class Template:
    """A stopped node with accounts whose devices have all been there once."""

    node: Node
    characters: tuple[Character, ...]
    cast: Cast


@attrs.frozen
class Report:
    """What came of one history."""

    seed: int
    texts: int
    echoes: int
    repeats: int
    seconds: float
    findings: tuple[Finding, ...]


def make_template(directory: Path, launcher: Sequence[str] = ()) -> Template:
    """Start a node on nothing, register everybody and log every device in once."""
    directory.mkdir()
    node = Node(directory, launcher)
    node.start()
    try:
        characters = [
            character
            for number in range(ACCOUNTS)
            for character in _register(node, number)
        ]
        learnt = tuple(_visit(node, character) for character in characters)
    finally:
        node.stop()
    roles = {c.name: Role(c.node, c.login.additions) for c in learnt}
    cast = Cast(roles, {c.node: c.name.partition(".")[0] for c in learnt})
    return Template(node, learnt, cast)


def _register(node: Node, number: int) -> tuple[Character, Character]:
    """An account with its two devices: one with the additions and one without."""
    name = f"a{number}"
    place = register(node, JsonSpeech(), name, PASSWORD)
    plain: Speech = ThriftSpeech() if number % 2 else JsonSpeech()
    modern = Login(name, PASSWORD, "modern", 1, True)
    simple = Login(name, PASSWORD, "plain", 2, False)
    return (
        Character(f"{name}.modern", place, modern, JsonSpeech(), True, True),
        Character(f"{name}.plain", place, simple, plain, not number % 2, True),
    )


def _visit(node: Node, character: Character) -> Character:
    """Log in by password once; with the additions, keep the credential."""
    loop = Loop()
    stage = Stage(loop, node.port, Cast({}, {}))
    device = Device(stage, character, random.Random(0))
    device.come()
    done = loop.run(lambda: device.settled and device.ready, LOAD_SECONDS)
    device.leave(False)
    loop.close()
    assert done, stage.history
    if not device.credential:
        return character
    login = attrs.evolve(
        character.login, name="", password="", credential=device.credential
    )
    return attrs.evolve(character, login=login)


class Play:
    """One history while it goes on."""

    def __init__(self, template: Template, node: Node, seed: int) -> None:
        """Draw who takes part, and how."""
        self._template = template
        self._node = node
        self._loop = Loop()
        self._stage = Stage(self._loop, node.port, template.cast)
        self._rng = random.Random(seed)
        characters = self._draw(template.characters)
        self._devices = [
            Device(self._stage, character, random.Random(f"{seed} {character.name}"))
            for character in characters
        ]
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
            self._node.start()
            self._drain()
        except NodeFailed as error:
            self._complain("node", str(error))
        finally:
            for device in self._devices:
                device.leave(False)
            self._loop.close()
            self._node.kill()

    def _draw(self, characters: Sequence[Character]) -> list[Character]:
        """In one history of four, one plain device never asks for its backlog."""
        drawn = list(characters)
        if self._rng.random() < 0.25:
            place = self._rng.randrange(ACCOUNTS) * 2 + 1
            drawn[place] = attrs.evolve(drawn[place], asks=False)
        return drawn

    def _load(self) -> None:
        """Traffic until the moment of the kill."""
        for number, device in enumerate(self._devices):
            if number not in self._absent:
                device.come()
                device.act()
        wanted = ECHOES + self._rng.randrange(MORE_ECHOES)
        if not self._loop.run(lambda: len(self.echoed) >= wanted, LOAD_SECONDS):
            self._complain("node", f"gave {len(self.echoed)} echoes of {wanted}")
        self._loop.run(lambda: False, self._rng.uniform(0, MORE_SECONDS))

    def _kill(self) -> None:
        """Kill the node, and read what it had still written."""
        at = time.monotonic()
        self._node.kill()
        for device in self._devices:
            device.calm()
            device.mourn()
        self._loop.run(lambda: all(d.away for d in self._devices), 5.0)
        self.history.append(Killed(at))

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
        self.history.append(Complaint(time.monotonic(), name, text))


def run_history(template: Template, seed: int) -> Report:
    """Play one history on a copy of the template, and judge it."""
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="timtw-loss-"))
    try:
        play = Play(template, template.node.copy(directory / "node"), seed)
        play.run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    arrived = [seen for seen in play.history if isinstance(seen, Arrived)]
    return Report(
        seed,
        len({seen.body for seen in arrived}),
        len(play.echoed),
        len(arrived) - len({(seen.device, seen.body) for seen in arrived}),
        time.monotonic() - began,
        tuple(judge(template.cast, play.history)),
    )
