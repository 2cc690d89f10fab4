"""A stopped node that every history begins with a copy of."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from timtw.loss.backed import BackedNode
from timtw.loss.blocking import Visitor, register
from timtw.loss.device import Device
from timtw.loss.faults import EMBEDDED, Kinds
from timtw.loss.line import Loop
from timtw.loss.nodes import Node
from timtw.loss.observations import Cast, Role
from timtw.loss.scene import Character, Stage
from timtw.loss.server_faults import ON_SERVERS
from timtw.loss.speech import (
    BUSINESS,
    JOIN,
    MESSAGE,
    NEW_GROUP,
    OPEN,
    Answer,
    JsonSpeech,
    Login,
    Signal,
    Speech,
    ThriftSpeech,
)

ACCOUNTS: Final = 8
VISIT_SECONDS: Final = 40.0
"""How long the first login of a device may take."""
PASSWORD: Final = "correct horse battery"
LAUNCHER: Final = (sys.executable, "-m", "timtw.loss.launcher")
"""What runs twistd so that it can be hindered."""


@attrs.frozen
class Template:
    """A stopped node with accounts whose devices have all been there once.

    Args:
        kinds: What may happen to it.
    """

    node: Node
    kinds: Kinds
    characters: tuple[Character, ...]
    cast: Cast


def make_template(
    directory: Path, launcher: Sequence[str], engine: str = ""
) -> Template:
    """
    Start a node on nothing, register everybody and log every device in once.

    Args:
        engine: The server that its database is on, none if empty.
    """
    directory.mkdir()
    launcher = launcher or LAUNCHER
    node = (
        BackedNode.on_nothing(directory, launcher, engine)
        if engine
        else Node(directory, launcher)
    )
    try:
        node.start()
        characters = [
            character
            for number in range(ACCOUNTS)
            for character in _register(node, number)
        ]
        group = _gather(node, characters)
        learnt = tuple(_visit(node, character) for character in characters)
        node.stop()
    except BaseException:
        node.remove()
        raise
    roles = {c.name: Role(c.node, c.login.additions) for c in learnt}
    names = {c.node: c.name.partition(".")[0] for c in learnt}
    cast = Cast(roles, {**names, group: "all"}, frozenset((group,)))
    return Template(node, ON_SERVERS if engine else EMBEDDED, learnt, cast)


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


def _gather(node: Node, characters: Sequence[Character]) -> str:
    """A group of all accounts, which their first device founds or joins; its node."""
    group = ""
    for character in characters[::2]:
        visitor = Visitor(node.port, character.speech, character.login)
        if group:
            visitor.send(character.speech.business(JOIN, group))
        else:
            visitor.send(character.speech.business(NEW_GROUP, "all", OPEN))
        while True:
            heard = visitor.hear()
            if isinstance(heard, Answer) and heard.about == BUSINESS:
                assert heard.ok, heard
                group = heard.text
                break
            if group and isinstance(heard, Signal) and heard.about == MESSAGE:
                break  # The notice that it has joined, which waits to be confirmed.
        visitor.close()
    return group


def _visit(node: Node, character: Character) -> Character:
    """Log in by password once; with the additions, keep the credential."""
    loop = Loop()
    stage = Stage(loop, node.port, Cast({}, {}))
    device = Device(stage, character, random.Random(0))
    device.come()
    done = loop.run(lambda: device.settled and device.ready, VISIT_SECONDS)
    device.leave(False)
    loop.close()
    assert done, stage.history
    if not device.credential:
        return character
    login = attrs.evolve(
        character.login, name="", password="", credential=device.credential
    )
    return attrs.evolve(character, login=login)
