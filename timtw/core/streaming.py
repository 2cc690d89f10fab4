"""How what a client asks is answered in its turn, and how it sends streams.

The half of ``timtw.core.conduct`` that knows whose turn it is.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

import attrs
from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.core.deferreds import then
from timtw.core.logins.door import Door, OwnLogin
from timtw.core.order import InOrder
from timtw.core.serving import Asker
from timtw.model.commands import Command, Push, SendMessage, SendParcel
from timtw.model.errors import TimError, Undefined
from timtw.model.events import Event, Refused
from timtw.model.interfaces import IOutbox, ISeat
from timtw.model.live import Parcel
from timtw.model.values import STREAM, Address, Content


@attrs.frozen
class Refusal:
    """A send that is refused as soon as the sends before it are answered."""

    command: SendMessage
    error: TimError


class Manager(Protocol):
    """Carries out what concerns the login itself."""

    def manage(
        self, asker: Asker, command: OwnLogin
    ) -> Coroutine[Any, Any, list[Event]]:
        """What the client is told."""

    def counts(self) -> None:
        """What was not counted in advance is refused, and counts for the pace."""

    @property
    def seated(self) -> ISeat | None:
        """The connection's place among virtual rooms, if it has one."""

    def seat(self) -> ISeat | None:
        """The same, made now if it has none; ``None`` when it has ended."""


Item: TypeAlias = Command | Refusal


class Streaming:
    """Answers in turn; passes on at once what is kept by nobody."""

    __slots__ = ("_asker", "_door", "_manager", "_order", "_outbox")

    _log = Logger()

    def __init__(
        self,
        asker: Asker,
        outbox: IOutbox,
        door: Door,
        order: InOrder[Item],
        manager: Manager,
    ) -> None:
        """A client that has just logged in."""
        self._asker = asker
        self._outbox = outbox
        self._door = door
        self._order = order
        self._manager = manager

    def _work(
        self, answer: Coroutine[Any, Any, Sequence[Event]], command: Command
    ) -> None:
        """Begin nothing else before this is answered."""
        self._order.alone()
        then(
            answer,
            self._answered,
            lambda failure: self._failed(failure, command),
            self._log,
        )

    def _answered(self, events: Sequence[Event]) -> None:
        for event in events:
            self._outbox.offer(event)
        self._order.alone_no_more()
        self._order.go_on()

    def _failed(self, failure: Failure, command: Command) -> None:
        self._outbox.offer(Refused(command, told(failure, self._log)))
        self._order.alone_no_more()
        self._order.go_on()

    def _goes_behind(self, item: Item) -> bool:
        """Let an item wait until what was pushed before it is on its way."""
        seat = self._manager.seated
        waiting = None if seat is None else seat.settled()
        if waiting is None:
            return False

        def settled(_: None) -> None:
            self._order.alone_no_more()
            self._order.go_on()

        self._order.alone()
        self._order.add_first(item)
        _ = waiting.addCallback(settled)
        return True

    def _push(self, command: Push) -> None:
        """Pass it on at once; other nodes are asked before it is refused."""
        seat = self._manager.seat()
        refusal = None if seat is None else seat.push(command)
        if seat is not None and refusal is not None:
            self._manager.counts()
            self._work(self._push_again(seat, command, refusal), command)

    async def _push_again(
        self, seat: ISeat, command: Push, refusal: TimError
    ) -> Sequence[Event]:
        if await seat.learn(command.room):
            again = seat.push(command)
            if again is None:
                return []
            refusal = again
        return [Refused(command, refusal)]

    def _send_parcel(self, command: SendParcel) -> None:
        """Pass it on to whom a stream may be sent to."""
        stream = SendMessage(command.peer, Content(), kind=STREAM)
        recipient = self._door.posting.recipients.at_hand(self._asker.address, stream)
        if recipient is None:
            self._work(self._look_up_parcel(command, stream), command)
        else:
            self._pass_on(recipient, command)

    async def _look_up_parcel(
        self, command: SendParcel, stream: SendMessage
    ) -> Sequence[Event]:
        recipient: Address | TimError
        try:
            recipients = self._door.posting.recipients
            recipient = await recipients.look_up(self._asker.address, stream)
        except TimError as error:
            recipient = error
        self._pass_on(recipient, command)
        return []

    def _pass_on(self, recipient: Address | TimError, command: SendParcel) -> None:
        if isinstance(recipient, TimError):
            self._manager.counts()
            self._outbox.offer(Refused(command, recipient))
            return
        seat = self._manager.seat()
        if seat is not None:
            sender, octets = self._asker.address, command.octets
            seat.send(Parcel(sender, recipient, octets, command.is_text))


def told(failure: Failure, log: Logger) -> TimError:
    """What the client is told of a failure; a bug of ours gets a reference."""
    if isinstance(failure.value, TimError):
        return failure.value
    reference = f"{id(failure):x}"
    log.failure("bug with reference {reference}", failure, reference=reference)
    return Undefined(f"internal error, reference {reference}")
