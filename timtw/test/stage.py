"""Nodes in one process on a fake clock: what most tests of behaviour play on.

Everything but the clock, the passwords and the sockets is the real thing: the core,
group commit, storage in memory (with its real asynchrony) and the mesh in memory.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.core.core import Core
from timtw.core.logins.passwords import Passwords
from timtw.core.router import NoPeers
from timtw.core.settings import Settings
from timtw.mesh.memory import Hub
from timtw.model.commands import (
    Acknowledge,
    Command,
    FetchBacklog,
    LogIn,
    Register,
    SendMessage,
)
from timtw.model.events import (
    Deliveries,
    Delivery,
    EndOfBacklog,
    Event,
    LoggedIn,
    Marked,
    Page,
    Refused,
    Repeated,
)
from timtw.model.interfaces import IOutbox, ISession
from timtw.model.peers import IMesh
from timtw.model.stores import IShard
from timtw.model.values import Address, Content, Device, LogEntry
from timtw.rooms.groups import Groups
from timtw.rooms.live.live import Live
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.memory.shard import MemoryShard

T = TypeVar("T")
MIDNIGHT_NS = 1_700_000_000_000_000_000
"""The time of day at second 0 of a stage's clock."""

OPEN = Settings(
    write_to_anyone=True,
    device_limit=8,
    device_type_limit=8,
    commands_per_second=0,
    registers_per_minute=0,
    logins_per_minute=0,
    failed_logins_per_minute=0,
    keep_unread_days=0,
    forget_devices_days=0,
)
"""Settings in which nothing but the matter of a test stands in the way."""


class SlowPasswords:
    """Passwords that are checked when a test says so.

    Attributes:
        checks: What is asked and not answered: verifier, password and answer.
    """

    def __init__(self) -> None:
        """Nothing is asked."""
        self.checks: list[tuple[str | None, str, Deferred[bool]]] = []

    def make(self, password: str) -> Deferred[str]:
        """See ``timtw.core.logins.passwords.Passwords``."""
        return succeed(password)

    def check(self, verifier: str | None, password: str) -> Deferred[bool]:
        """See ``timtw.core.logins.passwords.Passwords``."""
        answer: Deferred[bool] = Deferred()
        self.checks.append((verifier, password, answer))
        return answer

    def decide(self) -> None:
        """Answer the oldest check."""
        verifier, password, answer = self.checks.pop(0)
        answer.callback(verifier == password)


class QuickPasswords:
    """Passwords without the cost: a digest, at once."""

    def make(self, password: str) -> Deferred[str]:
        """See ``timtw.core.logins.passwords.Passwords``."""
        return succeed(hashlib.sha256(password.encode()).hexdigest())

    def check(self, verifier: str | None, password: str) -> Deferred[bool]:
        """See ``timtw.core.logins.passwords.Passwords``."""
        return succeed(hashlib.sha256(password.encode()).hexdigest() == verifier)


def entropy_of(seed: int) -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""
    counter = itertools.count(seed << 32)

    def entropy(length: int) -> bytes:
        return hashlib.shake_256(next(counter).to_bytes(8, "big")).digest(length)

    return entropy


@implementer(IOutbox)
@attrs.define(eq=False)
class Client:
    """A client with a device: it records what it is told.

    Args:
        acknowledges: Whether it confirms what wants to be confirmed, at once.
    """

    session: ISession = attrs.field(init=False)
    events: list[Event] = attrs.Factory(list)
    acknowledges: bool = True
    held: bool = False
    closed: bool = False
    page_bytes: int = 8192
    open: bool = True

    def offer(self, event: Event) -> bool:
        """See ``IOutbox``."""
        if not self.open:
            return False
        if isinstance(event, Deliveries):
            for receipt, entry in enumerate(event.entries, event.receipt):
                self.offer(Delivery(entry, receipt))
            return True
        self.events.append(event)
        if self.acknowledges and isinstance(event, Delivery | Page) and event.receipt:
            self.session.received(Acknowledge(event.receipt))
        return True

    def measure(self, entry: LogEntry) -> int:
        """See ``IOutbox``."""
        return 60 + len(entry.message.content.text or "")

    def hold(self) -> None:
        """See ``IOutbox``."""
        assert not self.held
        self.held = True

    def proceed(self) -> None:
        """See ``IOutbox``."""
        assert self.held
        self.held = False

    def close(self) -> None:
        """See ``IOutbox``."""
        self.closed = True

    def abort(self) -> None:
        """See ``IOutbox``."""
        self.closed = True

    def asks(self, command: Command) -> None:
        """Send a command."""
        self.session.received(command)

    def writes(self, peer: Address, text: str, ident: int | None = None) -> None:
        """Send a text."""
        self.asks(SendMessage(peer.node, Content(text=text), ident))

    def vanishes(self) -> None:
        """Lose the line."""
        self.open = False
        self.session.lost()

    def told(self, kind: type[T]) -> list[T]:
        """What it was told of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def entries(self) -> list[LogEntry]:
        """The log entries that came, in order, repeats included."""
        entries: list[LogEntry] = []
        for event in self.events:
            if isinstance(event, Delivery):
                entries.append(event.entry)
            elif isinstance(event, Page):
                entries.extend(event.entries)
        return entries

    @property
    def texts(self) -> list[str | None]:
        """The texts of others that came, in order, repeats included."""
        return [one.message.content.text for one in self.entries if not one.own]

    @property
    def echoes(self) -> list[str | None]:
        """The own texts that came back, in order."""
        return [one.message.content.text for one in self.entries if one.own]


class Stage:
    """Nodes over one shard, and people on them."""

    def __init__(
        self,
        nodes: tuple[str, ...] = ("north",),
        settings: Settings = OPEN,
        shard: Callable[[Clock], IShard] | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        """One node alone, or several that are joined."""
        self.clock = Clock()
        self.entropy = entropy_of(7)
        self.settings = settings
        self.passwords = QuickPasswords() if passwords is None else passwords
        self.shard: IShard = (
            MemoryShard(self.clock, self.entropy)
            if shard is None
            else shard(self.clock)
        )
        self.hub = Hub(self.clock)
        _ = self.ready(self.shard.start())
        self.cores: dict[str, Core] = {}
        for name in nodes:
            self.cores[name] = self.start(name, alone=len(nodes) == 1)

    def start(self, name: str, alone: bool = True) -> Core:
        """Start a node, which forgets everything that is not in storage."""
        mesh: IMesh = NoPeers() if alone else self.hub.place(name)
        core = Core(
            shard=self.shard,
            desk=GroupCommit(self.shard.messages, self.clock),
            mesh=mesh,
            passwords=self.passwords,
            settings=self.settings,
            clock=self.clock,
            entropy=self.entropy,
            time_ns=self.time_ns,
            make_groups=Groups,
            make_live=Live,
        )
        core.start()
        self.cores[name] = core
        return core

    def time_ns(self) -> int:
        """The time of day."""
        return MIDNIGHT_NS + int(self.clock.seconds() * 1_000_000_000)

    def settle(self, seconds: float = 0.1) -> None:
        """Let everything happen that happens within ``seconds``."""
        steps = max(1, round(seconds / 0.01))
        self.clock.pump([0.01] * steps)

    def ready(self, result: Deferred[T] | Coroutine[Any, Any, T]) -> T:
        """What ``result`` comes to within a second."""
        if not isinstance(result, Deferred):
            result = Deferred.fromCoroutine(result)
        found: list[T] = []
        failures: list[Failure] = []
        done = result.addCallbacks(found.append, failures.append)
        for _ in range(100):
            if not done.called:
                self.clock.advance(0.01)
        if failures:
            failures[0].raiseException()
        assert found, "nothing came of it"
        return found[0]

    def register(self, name: str, domain: str = "", node: str = "north") -> Address:
        """Make an account whose password is its name."""
        return self.ready(
            self.cores[node].register(Register(name, name, domain), "home")
        )

    def connect(self, node: str = "north", source: str = "home") -> Client:
        """A connection that has not logged in."""
        client = Client()
        client.session = self.cores[node].open(client, source)
        return client

    def log_in(
        self,
        name: str,
        resource: str = "phone",
        node: str = "north",
        additions: bool = False,
        acknowledges: bool = True,
        kind: int | None = None,
        domain: str = "",
    ) -> Client:
        """A logged-in client of an account whose password is its name."""
        client = self.connect(node)
        client.acknowledges = acknowledges
        client.asks(
            LogIn(name, name, "", domain, Device(resource, kind), additions=additions)
        )
        self.settle()
        assert client.told(LoggedIn), client.events
        return client


__all__ = [
    "MIDNIGHT_NS",
    "OPEN",
    "Client",
    "EndOfBacklog",
    "FetchBacklog",
    "Marked",
    "QuickPasswords",
    "Refused",
    "Repeated",
    "SlowPasswords",
    "Stage",
    "entropy_of",
]
