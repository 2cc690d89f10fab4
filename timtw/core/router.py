"""Brings what happened to the sessions it concerns, here and on other nodes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from timtw.core.deferreds import background
from timtw.core.sessions import Sessions
from timtw.model import limits
from timtw.model.interfaces import IRouter
from timtw.model.live import Freight, LiveSeen
from timtw.model.peers import EndTurn, Fact, IMesh, INeighbour, Offer, Presence
from timtw.model.presence import Parting, Showing
from timtw.model.progress import Mark
from timtw.model.stores import IMessageStore
from timtw.model.values import Message


@implementer(IMesh)
class NoPeers:
    """The mesh of a node that is alone."""

    has_peers = False
    name = ""

    def join(self, neighbour: INeighbour) -> None:
        """Nobody will ever call it."""

    def entered(self, account: int) -> None:
        """Nobody asks."""

    def left(self, account: int) -> None:
        """Nobody asks."""

    def publish(self, offers: Sequence[Offer]) -> None:
        """There is nobody else."""

    def mark(self, mark: Mark) -> None:
        """There is nobody else."""

    def stream(self, message: Message) -> None:
        """There is nobody else."""

    def show(self, showings: Sequence[Showing]) -> None:
        """There is nobody else."""

    def take_over(self, partings: Sequence[Parting]) -> Deferred[Collection[int]]:
        """There is nobody else."""
        return succeed(())

    def attends(self, parting: Parting) -> None:
        """There is nobody else."""

    def bequeath(self, partings: Sequence[Parting]) -> None:
        """There is nobody else."""

    def announce(self, fact: Fact) -> None:
        """There is nobody else."""

    def turn(self, account: int) -> Deferred[EndTurn]:
        """There is nobody else."""
        return succeed(lambda: None)

    def present(self, account: int) -> Deferred[Sequence[Presence]]:
        """There is nobody else."""
        return succeed(())

    def settle(self, account: int, over: Sequence[str]) -> Deferred[None]:
        """There is nobody else."""
        return succeed(None)

    def others(self) -> Collection[str]:
        """There is nobody else."""
        return ()

    def holders(self, number: int) -> Collection[str]:
        """There is nobody else."""
        return ()

    def ship(self, to: str, freight: Freight) -> None:
        """There is nobody else."""

    def repay(self, to: str, stream: int, upto: int) -> None:
        """There is nobody else."""

    def live(self, room: int) -> Deferred[Sequence[LiveSeen]]:
        """There is nobody else."""
        return succeed(())

    def leave(self) -> None:
        """There is nothing to leave."""


@implementer(IRouter)
class Router:
    """Hints go to local sessions at once, and to the mesh where there are peers.

    Where hints can be lost, the heads of all logs with sessions here are compared
    with storage, one look at a time, ``LOOK_SECONDS`` after the end of the last one.
    """

    _log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        mesh: IMesh,
        messages: IMessageStore,
        clock: IReactorTime,
    ) -> None:
        """``start`` joins the mesh."""
        self._sessions = sessions
        self._mesh = mesh
        self._messages = messages
        self._clock = clock
        self._look: IDelayedCall | None = None
        self._runs = False

    def start(self, neighbour: INeighbour) -> None:
        """Let ``neighbour`` hear of other nodes."""
        self._runs = True
        self._mesh.join(neighbour)
        self._look_later()

    def stop(self) -> None:
        """Hear of nobody any more."""
        self._runs = False
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._mesh.leave()

    def publish(self, offers: Sequence[Offer]) -> None:
        """See ``IRouter``."""
        self._sessions.offer(offers)
        if self._mesh.has_peers:
            self._mesh.publish(offers)

    def mark(self, mark: Mark) -> None:
        """See ``IRouter``."""
        self._sessions.mark(mark)
        if self._mesh.has_peers:
            self._mesh.mark(mark)

    def stream(self, message: Message) -> None:
        """See ``IRouter``."""
        self._sessions.stream(message)
        if self._mesh.has_peers:
            self._mesh.stream(message)

    def announce(self, fact: Fact) -> None:
        """See ``IRouter``."""
        self._sessions.told(fact)
        if self._mesh.has_peers:
            self._mesh.announce(fact)

    def turn(self, account: int) -> Deferred[EndTurn]:
        """See ``IRouter``."""
        return self._mesh.turn(account)

    def elsewhere(self, account: int) -> Deferred[Sequence[Presence]]:
        """See ``IRouter``."""
        return self._mesh.present(account)

    def settle(self, account: int, over: Sequence[str]) -> Deferred[None]:
        """See ``IRouter``."""
        return self._mesh.settle(account, over)

    def _look_later(self) -> None:
        if self._mesh.has_peers and self._runs:
            self._look = self._clock.callLater(limits.LOOK_SECONDS, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        background("heads of logs were not read", self._compare(), self._log)

    async def _compare(self) -> None:
        logs = self._sessions.logs()
        try:
            for start in range(0, len(logs), limits.LOOK_ACCOUNTS):
                some = logs[start : start + limits.LOOK_ACCOUNTS]
                self._sessions.raise_heads(await self._messages.heads(some))
        finally:
            self._look_later()
