"""One connection's session: who it is, and what it may ask.

Commands are carried out in turn (``timtw.core.order``). Acknowledgements and pings do
not wait and do not count (docs/reference/protocol.md, section Limits).
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.core.buckets import Bucket
from timtw.core.conduct import Conduct
from timtw.core.deferreds import then
from timtw.core.feeds.reading import Reading
from timtw.core.hearing import Hearing, Phase
from timtw.core.logins.door import Admitted, Door, OwnLogin
from timtw.core.order import InOrder
from timtw.core.serving import Asker
from timtw.core.streaming import Item, told
from timtw.core.watch import Watch
from timtw.model import limits
from timtw.model.commands import (
    Acknowledge,
    Command,
    LogIn,
    Ping,
    Push,
    SendMessage,
    SendParcel,
    Unacceptable,
)
from timtw.model.events import (
    AlreadyLoggedIn,
    Event,
    LoggedIn,
    LoggedOut,
    Pong,
    Refused,
)
from timtw.model.interfaces import IOutbox, ISeat, ISession
from timtw.model.values import (
    STREAM,
    Device,
)

_HEAVY: Final = (Push, SendParcel)


@implementer(ISession)
class Session(Hearing):
    """A connection from its opening to its end."""

    __slots__ = (
        "__weakref__",
        "_conduct",
        "_door",
        "_ident",
        "_order",
        "_rate",
        "_rest",
        "_watch",
        "device",
        "since",
        "source",
    )

    _log = Logger()

    def __init__(self, outbox: IOutbox, source: str, door: Door, ident: bytes) -> None:
        """A connection from ``source``; nothing else has the same ``ident``."""
        super().__init__(outbox)
        self._door = door
        self.source = source
        self._order: InOrder[Item] = InOrder(self)
        self._watch = Watch(door.wheel, self)
        rate = door.settings.commands_per_second
        self._rate = Bucket(rate, rate, door.now)
        self._rest: IDelayedCall | None = None
        self._conduct: Conduct | None = None
        self._ident = ident
        self.device = Device()
        self.since = 0.0

    # ISession

    def received(self, command: Command) -> None:
        """See ``ISession``."""
        self._watch.heard()
        if isinstance(command, Acknowledge):
            if self._reading is not None:
                self._reading.acknowledged(command.receipt)
        elif isinstance(command, Ping):
            if self._phase is Phase.READY:
                self._outbox.offer(Pong())
        elif self._phase is not Phase.GONE:
            # What streams weigh is counted in octets, by the seat.
            if not isinstance(command, _HEAVY):
                self.counts()
            self._order.add(command)

    def acknowledged(self, receipts: Sequence[int]) -> None:
        """See ``ISession``."""
        self._watch.heard()
        if self._reading is not None:
            self._reading.acknowledged_all(receipts)

    def alive(self) -> None:
        """See ``ISession``."""
        self._watch.heard()

    def refused(self, entry_too_much: bool) -> None:
        """See ``ISession``."""
        if entry_too_much and self._reading is not None:
            self._reading.choked()

    def lost(self) -> None:
        """See ``ISession``."""
        self._end()
        self._door.closed(self)

    # What the registry asks and tells, beside ``Hearing``.

    @property
    def connection(self) -> str:
        """What it is called; kept as octets, which take half as much."""
        return self._ident.hex()

    @property
    def heard(self) -> float:
        """When the last sign of life was seen, seconds on the node's clock."""
        return self._watch.last_heard

    def dismissed(self) -> None:
        """Log out with the notice that keeps the client from coming back."""
        if self._phase is not Phase.GONE:
            self._outbox.offer(LoggedOut())
            self.hang_up()

    def hang_up(self) -> None:
        """End the session and the line."""
        self._end()
        self._outbox.close()

    def hears(self, reading: Reading) -> None:
        """From now on what the registry tells goes to ``reading``."""
        self._reading = reading
        self.since = self._door.clock.seconds()
        reading.writable(self._writable)

    def seat(self) -> ISeat | None:
        """Its place among virtual rooms and parcels; made when it is needed."""
        if self._seat is None and self._phase is Phase.READY:
            assert self.owner is not None
            self._seat = self._door.live.seat(
                self.owner, self._outbox, self._additions, self._writable, self._hold
            )
        return self._seat

    # Turns.

    def overlaps(self, item: Item) -> bool:
        """See ``Owner`` of ``timtw.core.order``."""
        return (
            isinstance(item, SendMessage)
            and item.kind != STREAM  # It must not overtake what is being stored.
            and self._phase is Phase.READY
            and not self.is_heavy(item)
        )

    def is_heavy(self, item: Item) -> bool:
        """See ``Owner``."""
        if isinstance(item, SendMessage):
            return item.content.weight > limits.LARGE_SEND
        return isinstance(item, _HEAVY)

    def begin(self, item: Item) -> None:
        """See ``Owner``."""
        if isinstance(item, LogIn):
            self._log_in(item)
        elif self._conduct is not None:
            self._conduct.begin(item)
        elif isinstance(item, Unacceptable) and item.at_login:
            self._outbox.offer(Refused(item, item.error))
        else:
            self.hang_up()

    def crowded(self, much: bool) -> None:
        """See ``Owner``."""
        self._hold("queue", much)

    # Logging in.

    def _log_in(self, command: LogIn) -> None:
        if self._phase is Phase.READY:
            self._outbox.offer(AlreadyLoggedIn(command))
            return
        self._phase = Phase.CHECKING
        self._watch.pause()
        self._order.alone()
        self.device = command.device
        if command.token:
            # Thousands of these come at once after a restart. Passwords have a queue
            # of their own, which nobody else shall wait in.
            self._door.turnstile.enter(lambda: self._prove(command))
        else:
            self._prove(command)

    def _prove(self, command: LogIn) -> None:
        then(
            self._admitted(command),
            lambda admitted: self._let_in(admitted, command),
            lambda failure: self._kept_out(failure, command),
            self._log,
        )

    async def _admitted(self, command: LogIn) -> Admitted | None:
        """See ``Door.admit``; who has gone while waiting is not looked for."""
        try:
            if self.is_gone:
                return None
            return await self._door.admit(self, self._outbox, command, self.source)
        finally:
            if command.token:
                self._door.turnstile.leave()

    def _let_in(self, admitted: Admitted | None, command: LogIn) -> None:
        if admitted is None or self._reading is None or self.is_gone:
            return
        door, account = self._door, admitted.account
        self._phase = Phase.READY
        self._additions = command.additions
        self._watch.expect_life(door.settings.ping_timeout)
        self._outbox.offer(
            LoggedIn(
                command,
                account,
                door.server,
                self.connection,
                admitted.state.head,
                admitted.credential,
            )
        )
        session = admitted.state.session
        asker = Asker(account, command.additions, self.device, session)
        self._conduct = Conduct(
            asker,
            self._outbox,
            self._reading,
            door,
            self._order,
            self,
        )
        self._reading.begin(admitted.state, command.additions, admitted.left)
        self._order.alone_no_more()
        self._order.go_on()

    def _kept_out(self, failure: Failure, command: LogIn) -> None:
        self._reading = None
        if self.is_gone:
            return
        self._phase = Phase.FRESH
        self._watch.go_on()
        self._outbox.offer(Refused(command, told(failure, self._log)))
        self._order.alone_no_more()
        self._order.go_on()

    def manage(
        self, asker: Asker, command: OwnLogin
    ) -> Coroutine[Any, Any, list[Event]]:
        """See ``Manager`` of ``timtw.core.conduct``."""
        return self._door.manage(asker, self, command)

    # Pace and end.

    def counts(self) -> None:
        """One more; see also ``Manager`` of ``timtw.core.streaming``."""
        wait = self._rate.overdraw()
        if wait > 0 and self._rest is None and not self.is_gone:
            self._hold("rate", True)
            self._rest = self._door.clock.callLater(wait, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._hold("rate", False)

    def _end(self) -> None:
        """Stop everything of this session; ending twice is fine."""
        if self._phase is Phase.GONE:
            return
        self._phase = Phase.GONE
        self._order.end()
        self._watch.end()
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._seat is not None:
            self._seat.left()
            self._seat = None
        if self._reading is not None:
            self._door.leaves(self, self._reading)
            self._reading = None
        self._conduct = self._unseen = None
