"""What a node is hindered by whose database is on a server.

All of it is done to the server or to the line between the two.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from timtw.loss.backed import BackedNode
from timtw.loss.device import Device
from timtw.loss.faults import (
    POWER_CUT,
    Clock,
    Fade,
    Fault,
    Kinds,
    Mute,
    Slow,
    Stop,
    Vanish,
)
from timtw.loss.nodes import Node
from timtw.loss.servers import DATABASE

PAUSE: Final = 6.0
"""The longest pause between two attempts to connect, and an attempt."""


class ServerFault(Fault):
    """Something that happens between a node and its database."""

    delays = True
    lasts = PAUSE

    def begin(self, node: Node, devices: Sequence[Device], rng: random.Random) -> None:
        """Bring it about."""
        assert isinstance(node, BackedNode)
        self.hinder(node, rng)

    def again(self, node: Node, rng: random.Random) -> None:
        """Let it happen again."""
        assert isinstance(node, BackedNode)
        self.hinder(node, rng)

    def end(self, node: Node) -> None:
        """Take the cause away."""
        assert isinstance(node, BackedNode)
        self.relieve(node)

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Bring it about."""
        raise NotImplementedError

    def relieve(self, node: BackedNode) -> None:
        """Take the cause away, if it lasts."""


class KilledDatabase(ServerFault):
    """The server is gone and comes back on the same files."""

    words = "the database is killed (SIGKILL), and started again"
    refuses = True
    seconds = (0.1, 3.0)

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Kill it."""
        node.server.kill()

    def relieve(self, node: BackedNode) -> None:
        """Start it."""
        node.server.start()


class StoppedDatabase(ServerFault):
    """The server gets no time, and nobody is told."""

    words = "the database is stopped (SIGSTOP)"
    refuses = True
    seconds = (0.5, 8.0)

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Send SIGSTOP."""
        node.server.pause()

    def relieve(self, node: BackedNode) -> None:
        """Send SIGCONT."""
        node.server.resume()


class SlowDatabase(ServerFault):
    """Every question and every answer takes its time."""

    words = "what the node and the database say to each other is late"
    seconds = (1.0, 3.0)

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Be late."""
        node.proxy.delay = rng.uniform(0.01, 0.1)

    def relieve(self, node: BackedNode) -> None:
        """Be in time."""
        node.proxy.delay = 0.0


class Reset(ServerFault):
    """All connections are lost at once: what was asked is asked again.

    Once only: what a second loss meets again is refused.
    """

    words = "all connections to the database are lost"

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """End them."""
        node.proxy.reset()


class CutCommits(ServerFault):
    """Lines break in front of a COMMIT or of its answer."""

    words = "connections are cut at COMMIT"
    refuses = True
    seconds = (1.0, 3.0)

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Cut some."""
        node.proxy.cutting = 0.3

    def relieve(self, node: BackedNode) -> None:
        """Cut none."""
        node.proxy.cutting = 0.0


class Terminated(ServerFault):
    """An administrator ends connections."""

    words = "connections are ended by the server, one by one"
    refuses = True
    every = 0.1

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """End one."""
        numbers = node.server.connections()
        if numbers:
            node.server.terminate(rng.choice(sorted(numbers)))


class LockedRows(ServerFault):
    """Another program holds what commits need, and longer than anybody waits."""

    words = "another program locks the counters"
    refuses = True
    seconds = (1.0, 7.0)
    first = "SELECT * FROM counter FOR UPDATE"
    """What is locked."""
    connection: Any = None

    def hinder(self, node: BackedNode, rng: random.Random) -> None:
        """Lock them."""
        self.connection = node.server.connected(DATABASE)
        self.lock(node, "BEGIN")
        self.lock(node, self.first)

    def lock(self, node: BackedNode, text: str) -> None:
        """Lock something, unless the server gives this transaction up for another."""
        with suppress(*node.server.errors):
            node.server.answers(self.connection, text)

    def relieve(self, node: BackedNode) -> None:
        """Let them go."""
        if self.connection is not None:
            self.connection.close()


class Deadlock(LockedRows):
    """Another program locks in the other order: one of the two is given up."""

    words = "another program locks the counters in the wrong order"
    refuses = False
    seconds = (0.3, 1.5)
    first = "SELECT * FROM counter WHERE second = 0 FOR UPDATE"

    def relieve(self, node: BackedNode) -> None:
        """Lock those that a commit takes first, and let all go."""
        if self.connection is not None:
            self.lock(node, "SELECT * FROM counter WHERE second <> 0 FOR UPDATE")
        super().relieve(node)


ON_SERVERS: Final = Kinds(
    {
        "database-killed": KilledDatabase,
        "stop": Stop,
        "commit-cut": CutCommits,
        "slow": Slow,
        "reset": Reset,
        "database-stopped": StoppedDatabase,
        "vanish": Vanish,
        "terminated": Terminated,
        "clock": Clock,
        "deadlock": Deadlock,
        "mute": Mute,
        "locked-rows": LockedRows,
        "slow-database": SlowDatabase,
        "fade": Fade,
    },
    (POWER_CUT,),
)
"""What happens to nodes whose database is on a server."""
