"""Keeps a session on a line: connects, pings, gives up dead lines, comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from timtw.client.addresses import NodeAddress
from timtw.client.backoff import Route
from timtw.client.happenings import Event, NotNow, Over, Phase
from timtw.client.line import Line
from timtw.client.session import Session
from timtw.client.trouble import words
from timtw.client.values import Offline, Online, Unreachable
from timtw.model.limits import (
    CLIENT_LINE_SECONDS,
    CLIENT_PING_SECONDS,
)


class Keeper:
    """The thin half between a session, the clock and the sockets.

    Attributes:
        gone: Fires when the session is over or given up, and its line closed.
    """

    def __init__(
        self,
        reactor: Any,
        session: Session,
        route: Route,
        endpoint: Callable[[NodeAddress], IStreamClientEndpoint],
        entropy: Callable[[int], bytes],
        heard: Callable[[Event | Offline], None],
        rounds: int,
    ) -> None:
        """
        Nothing is connected before ``start``.

        Args:
            heard: Called with whatever happens, in order, never while it runs.
            rounds: How often to try all addresses before the first login; 0: for ever.
        """
        self._reactor = reactor
        self._session = session
        self._route = route
        self._endpoint = endpoint
        self._entropy = entropy
        self._heard = heard
        self._rounds = rounds
        self._line: Line | None = None
        self._attempt: Deferred[Line] | None = None
        self._pause: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._pulse = LoopingCall(self._beat)
        self._pulse.clock = reactor
        self._free: list[Deferred[bool]] = []
        self._holders: set[object] = set()
        self._was_here = self._ending = self._telling = False
        self._events: list[Event | Offline] = []
        self._reasons: dict[NodeAddress, str] = {}
        self.gone: Deferred[None] = Deferred()

    def start(self) -> None:
        """Connect to the first address."""
        self._pause = None
        address = self._route.current
        line = Line(self, address.framing(self._entropy), self._reactor.seconds)
        attempt = connectProtocol(self._endpoint(address), line)
        attempt.addTimeout(CLIENT_LINE_SECONDS, self._reactor)
        self._attempt = attempt
        _ = attempt.addCallbacks(self._connected, self._failed)

    def stop(self) -> None:
        """Leave for good; ``gone`` follows."""
        if self._ending:
            return
        self._ending = True
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._line is not None:
            self._watch(self._line)
            self._line.leave()
        elif self._attempt is not None:
            self._attempt.cancel()
        else:
            self.gone.callback(None)

    def flush(self) -> None:
        """Write what the session wants to be written, and tell what has happened."""
        frames = self._session.outgoing()
        if frames and self._line is not None:
            self._line.say(frames)
        self._events += self._session.events()
        if self._telling:
            return
        self._telling = True
        try:
            while self._events:
                self._tell(self._events.pop(0))
        finally:
            self._telling = False

    def post(self) -> Deferred[bool]:
        """As ``flush``; whether there is a line, as soon as it takes more."""
        self.flush()
        line = self._line
        if line is None or self._session.phase is not Phase.HERE:
            return succeed(False)
        if line.takes:
            return succeed(True)
        free: Deferred[bool] = Deferred(self._free.remove)
        self._free.append(free)
        return free

    def hold(self, who: object, stopped: bool) -> None:
        """Read nothing from the line as long as anybody wants it so."""
        (self._holders.add if stopped else self._holders.discard)(who)
        if self._line is not None:
            self._line.stop_reading(bool(self._holders))

    def _tell(self, event: Event | Offline) -> None:
        """Act upon an event, and pass it on."""
        if isinstance(event, Online):
            self._was_here = True
            self._route.worked()
            self._calm()
            event = Online(event.node, str(self._route.current))
        elif isinstance(event, NotNow):
            if self._line is not None:
                self._line.drop(str(event.error))
            return
        elif isinstance(event, Over):
            self.stop()
        self._heard(event)

    # What the line says.

    def line_made(self, line: Line) -> None:
        """There is a transport."""
        self._line = line
        self._watch(line)
        _ = self._pulse.start(CLIENT_PING_SECONDS, now=False)

    def line_opened(self) -> None:
        """The handshake is done: log in."""
        if not self._ending:
            self._session.opened()
            self.flush()

    def line_heard(self, frame: bytes) -> None:
        """A frame of the node."""
        self._session.received(frame)
        self.flush()

    def line_too_long(self) -> None:
        """What was too long is given up; the rest goes out on the next line."""
        self._session.too_long()
        self.flush()

    def line_free(self) -> None:
        """What was written has been taken: whoever waits can write more."""
        self._let_go(True)

    def _let_go(self, is_there: bool) -> None:
        free, self._free = self._free, []
        for one in free:
            one.callback(is_there)

    def line_lost(self, reason: str) -> None:
        """The line is gone: come back."""
        self._line = None
        self._holders.clear()
        self._let_go(False)
        self._calm()
        if self._pulse.running:
            self._pulse.stop()
        was_logged_in = self._session.phase is Phase.HERE
        self._session.lost()
        self._away(reason, was_logged_in)

    def _connected(self, line: Line) -> None:
        """The transport is there."""
        self._attempt = None

    def _failed(self, failure: Failure) -> None:
        """There is no transport."""
        self._attempt = None
        self._away(words(failure), False)

    def _away(self, reason: str, was_logged_in: bool) -> None:
        """Come back after a pause, unless that is not wanted any more."""
        if self._ending:
            self.gone.callback(None)
            return
        if self._session.leaving:
            self._give_up(None)
            return
        self._reasons[self._route.current] = reason
        pause = self._route.dropped() if was_logged_in else self._route.failed()
        spent = 0 < self._rounds <= self._route.rounds and not self._was_here
        if spent:
            reasons = [f"{address}: {why}" for address, why in self._reasons.items()]
            self._give_up(Unreachable("; ".join(reasons)))
            return
        self._pause = self._reactor.callLater(pause, self.start)
        self._events.append(Offline(reason, pause))
        self.flush()

    def _give_up(self, error: Exception | None) -> None:
        """Do not come back."""
        self._ending = True
        self._events.append(Over(error))
        self.flush()
        self.gone.callback(None)

    # Time.

    def _watch(self, line: Line) -> None:
        """Give the line up if nothing has come of it in time."""
        self._calm()
        self._deadline = self._reactor.callLater(
            CLIENT_LINE_SECONDS, line.drop, "it took too long"
        )

    def _calm(self) -> None:
        """What the line was to do in time is done."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _beat(self) -> None:
        """Ping, or give up a line that is dead."""
        line = self._line
        if line is None:
            return
        if line.is_silent:
            line.drop("nothing comes from the node")
        elif self._session.phase is Phase.HERE:
            self._session.ping()
            self.flush()
