"""How the commands of a logged-in client are carried out."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger
from twisted.python.failure import Failure

from timtw.core.deferreds import then
from timtw.core.feeds.reading import Reading
from timtw.core.logins.door import Door, OwnLogin
from timtw.core.order import InOrder
from timtw.core.serving import Asker
from timtw.core.streaming import Item, Manager, Refusal, Streaming, told
from timtw.model.commands import (
    ChangeProfile,
    ChangeRelation,
    Command,
    FetchBacklog,
    FindAccount,
    ListReadMarks,
    ListRelations,
    LiveCommand,
    MarkRead,
    PullHistory,
    Push,
    ReadProfiles,
    ReadRooms,
    RoomCommand,
    SendMessage,
    SendParcel,
    ShowPresence,
    Unacceptable,
)
from timtw.model.errors import TimError
from timtw.model.events import (
    Accepted,
    Event,
    Refused,
    Removed,
    Repeated,
    RoomProfiles,
)
from timtw.model.idents import number_of
from timtw.model.interfaces import IOutbox
from timtw.model.posting import Changed, Outcome
from timtw.model.values import REMOVALS, STREAM, TEXT, Address


class Conduct(Streaming):
    """Carries out what a logged-in client asks, as its turn comes."""

    __slots__ = ("_reading",)

    _log = Logger()

    def __init__(
        self,
        asker: Asker,
        outbox: IOutbox,
        reading: Reading,
        door: Door,
        order: InOrder[Item],
        manager: Manager,
    ) -> None:
        """Everything that a logged-in client may ask has its place behind ``door``."""
        super().__init__(asker, outbox, door, order, manager)
        self._reading = reading

    def begin(self, item: Item) -> None:
        """Carry out ``item``, whose turn it is."""
        if isinstance(item, Push):
            self._push(item)
        elif self._manager.seated is not None and self._goes_behind(item):
            return
        elif isinstance(item, SendMessage):
            self._send(item)
        elif isinstance(item, SendParcel):
            self._send_parcel(item)
        elif isinstance(item, Refusal):
            self._outbox.offer(Refused(item.command, item.error))
        elif isinstance(item, Unacceptable):
            self._outbox.offer(Refused(item, item.error))
        elif isinstance(item, FetchBacklog):
            if item.room:
                self._reading.asked_for(number_of(item.room), item.resume)
            else:
                self._reading.asked(item.resume)
        elif isinstance(item, MarkRead):
            self._mark(item)
        else:
            self._work(self._answer(item), item)

    async def _answer(self, command: Command) -> Sequence[Event]:
        """What storage says to a command."""
        if isinstance(command, PullHistory):
            return await self._door.serving.history(self._asker, command)
        if isinstance(command, FindAccount):
            return await self._door.directory.find(self._asker.address, command)
        if isinstance(command, ReadProfiles):
            return await self._door.directory.read(self._asker.address, command)
        if isinstance(command, ChangeProfile):
            return await self._door.directory.change(self._asker.address, command)
        if isinstance(command, ChangeRelation):
            return await self._door.relating.change(self._asker.address, command)
        if isinstance(command, ListRelations):
            return await self._door.relating.listed(self._asker.address, command)
        if isinstance(command, ListReadMarks):
            return await self._door.marking.listed(self._asker.address, command)
        if isinstance(command, ShowPresence):
            return await self._door.showings.show(self._asker, command)
        if isinstance(command, LiveCommand):
            seat = self._manager.seat()
            return [] if seat is None else await seat.carry_out(command)
        if isinstance(command, RoomCommand):
            return await self._about_rooms(command)
        assert isinstance(command, OwnLogin)
        return await self._manager.manage(self._asker, command)

    async def _about_rooms(self, command: RoomCommand) -> Sequence[Event]:
        """What is said about rooms, or about accounts if none of these is one."""
        told = await self._door.groups.carry_out(self._asker.address, command)
        if told != [RoomProfiles(())] or not isinstance(command, ReadRooms):
            return told
        if not command.or_accounts:
            return told
        accounts = ReadProfiles(command.nodes)
        return await self._door.directory.read(self._asker.address, accounts)

    def _mark(self, command: MarkRead) -> None:
        """Nothing waits for a mark: it is told when it is stored."""
        then(
            self._door.marking.mark(self._asker.address, command),
            lambda nothing: None,
            lambda failure: self._unmarked(failure, command),
            self._log,
        )

    def _unmarked(self, failure: Failure, command: MarkRead) -> None:
        self._outbox.offer(Refused(command, told(failure, self._log)))

    # Sends.

    def _send(self, command: SendMessage) -> None:
        sender = self._asker.address
        recipient = self._door.posting.recipients.at_hand(sender, command)
        if recipient is not None:
            self._post(recipient, command)
            return
        self._order.alone()
        then(
            self._door.posting.recipients.look_up(sender, command),
            lambda recipient: self._found(recipient, command),
            lambda failure: self._missing(failure, command),
            self._log,
        )

    def _found(self, recipient: Address | TimError, command: SendMessage) -> None:
        self._order.alone_no_more()
        self._post(recipient, command)
        self._order.go_on()

    def _missing(self, failure: Failure, command: SendMessage) -> None:
        self._order.alone_no_more()
        self._order.add_first(Refusal(command, told(failure, self._log)))
        self._order.go_on()

    def _post(self, recipient: Address | TimError, command: SendMessage) -> None:
        """Store what is for ``recipient``, or refuse it when its turn has come."""
        if isinstance(recipient, TimError):
            self._order.add_first(Refusal(command, recipient))
            return
        sender, device = self._asker.address, self._asker.device
        self._reading.stir()
        if command.kind == STREAM:
            self._door.posting.stream(sender, device, recipient, command)
            return
        self._order.together()
        self._door.posting.post(sender, device, recipient, command, self._posted)

    def _posted(self, command: SendMessage, result: Outcome) -> None:
        self._order.together_no_more()
        if isinstance(result, TimError):
            self._outbox.offer(Refused(command, result))
        elif isinstance(result, Changed):
            raise AssertionError("a message is no step of a relation")
        elif command.kind in REMOVALS:
            if command.peer:  # In a room the feeds of all devices tell of it.
                self._outbox.offer(Removed(command))
        elif command.kind != TEXT:
            self._outbox.offer(Accepted(command))
        elif result.repeated:
            self._outbox.offer(Repeated(result.message))
        self._order.go_on()
