"""What a node is hindered by while it runs, and what then is damaged while it is down.

What only a database on a server can do is in ``server_faults``.

The node knows nothing of it. Devices misbehave by themselves; the rest is done from
outside, or by ``launcher``, in whose process the node runs.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final

import attrs

from timtw.loss.damage import Damage, alter, overwrite
from timtw.loss.device import Device
from timtw.loss.nodes import Node

SOME: Final = 3
"""Devices that misbehave in one fault."""
HOUR: Final = 3600


class Fault:
    """Something that begins, lasts, and ends."""

    words = ""
    """What happens, for reports."""
    refuses = False
    """Whether the node may refuse with 5103 what needs storage."""
    delays = False
    """Whether the node may store later what it was told."""
    lasts = 0.0
    """Seconds after its end in which the node may not have noticed that."""
    seconds = (0.3, 1.5)
    """How long it lasts."""
    every = math.inf
    """Seconds after which it happens again, as long as it lasts."""

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Bring it about."""
        raise NotImplementedError

    def again(self, node: Node, rng: random.Random) -> None:
        """Let it happen again."""

    def end(self, node: Node) -> None:
        """Take the cause away."""


class Stop(Fault):
    """The process gets no time."""

    words = "the node is stopped (SIGSTOP)"
    delays = True
    seconds = (0.5, 3.0)

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Send SIGSTOP."""
        node.pause()

    def end(self, node: Node) -> None:
        """Send SIGCONT."""
        node.resume()


class Devices(Fault):
    """Some devices misbehave until the node is killed."""

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Choose some."""
        for device in rng.sample(list(devices), SOME):
            self.change(device)

    def change(self, device: Device) -> None:
        """Let one misbehave."""
        raise NotImplementedError


class Slow(Devices):
    """Lines that take few bytes."""

    words = "some devices read slowly"

    def change(self, device: Device) -> None:
        """Read a few bytes now and then."""
        device.return_slow()


class Vanish(Devices):
    """Lines that are gone without the node being told."""

    words = "some devices vanish without an end of their lines"

    def change(self, device: Device) -> None:
        """Come back on another line, while the old one stays open."""
        device.vanish_for_a_while()


class Fade(Devices):
    """Lines that end with much that was sent and not read."""

    words = "some devices read no more, confirm what they have, and leave"
    seconds = (1.0, 1.8)

    def change(self, device: Device) -> None:
        """Read no more, leave and come back."""
        device.fade()


class Mute(Devices):
    """Clients that take everything and confirm nothing."""

    words = "some devices acknowledge nothing any more"

    def change(self, device: Device) -> None:
        """Acknowledge nothing."""
        device.mute = True


class FullDatabase(Fault):
    """SQLite may take no further page."""

    words = "the database may not grow (max_page_count)"
    refuses = delays = True

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Forbid it to grow."""
        node.tell("pages 1")

    def end(self, node: Node) -> None:
        """Let it grow."""
        node.tell("pages 0")


class FullDisk(Fault):
    """The operating system lets no file grow."""

    words = "no file may grow (RLIMIT_FSIZE)"
    refuses = delays = True

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Forbid the write-ahead log to grow."""
        node.tell(f"size {node.write_ahead_log.stat().st_size}")

    def end(self, node: Node) -> None:
        """Let it grow."""
        node.tell("size -1")


class Locked(Fault):
    """Another program holds the right to write."""

    words = "another program locks the database"
    refuses = delays = True
    seconds = (1.0, 5.0)

    def __init__(self) -> None:
        """Nothing is locked."""
        self._other: sqlite3.Connection | None = None

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Begin to write, and do not end it."""
        self._other = sqlite3.connect(node.database, timeout=10, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def end(self, node: Node) -> None:
        """Write nothing after all."""
        if self._other is not None:
            with closing(self._other):
                self._other.execute("ROLLBACK")


class ReadOnly(Fault):
    """Nothing can be made in the directory."""

    words = "the directory of the database is read-only"
    refuses = delays = True

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Forbid it."""
        node.state.chmod(0o500)

    def end(self, node: Node) -> None:
        """Allow it."""
        node.state.chmod(0o700)


class Clock(Fault):
    """The wall clock is set back, and stays there."""

    words = "the clock of the node is set back"
    seconds = (0.0, 0.0)

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Set it back by up to an hour."""
        node.tell(f"clock -{rng.randrange(1, HOUR)}")


RUNNING: Final[Mapping[str, Callable[[], Fault]]] = {
    "stop": Stop,
    "full-database": FullDatabase,
    "slow": Slow,
    "locked": Locked,
    "vanish": Vanish,
    "clock": Clock,
    "mute": Mute,
    "full-disk": FullDisk,
    "read-only": ReadOnly,
    "fade": Fade,
}
"""What happens to a node that runs."""
DOWN: Final[Mapping[str, Damage]] = {
    "altered-records": alter,
    "overwritten-bytes": overwrite,
}
"""What happens to its database while it is down."""
SEALED: Final = "sealed-directory"
"""The node is started once while nothing may be written where its state is."""


POWER_CUT: Final = "power-cut"
"""The database on a server is killed together with the node."""


@attrs.frozen
class Kinds:
    """The kinds of faults that nodes of one sort may have.

    Args:
        running: What happens to a node that runs.
        down: What happens while it is down.
    """

    running: Mapping[str, Callable[[], Fault]]
    down: Sequence[str]


EMBEDDED: Final = Kinds(RUNNING, (*DOWN, SEALED))
"""Those of nodes with a database in a file."""


@attrs.frozen
class Plan:
    """The faults of one history.

    Args:
        echoes: Echoes that are seen before each fault, and before the kill, at the
            earliest.
    """

    running: tuple[str, ...] = ()
    down: str = ""
    echoes: int = 60


def draw(seed: int, rng: random.Random, kinds: Kinds = EMBEDDED) -> Plan:
    """
    The faults of a history.

    One of them follows from the seed, so that seeds in a row try every kind; in
    every second history there is one more.
    """
    names = [*kinds.running, *kinds.down]
    drawn = [names[seed % len(names)]]
    if rng.random() < 0.5:
        drawn.append(rng.choice(names))
    running = tuple(dict.fromkeys(name for name in drawn if name in kinds.running))
    down = [name for name in drawn if name not in kinds.running]
    return Plan(running, down[0] if down else "")
