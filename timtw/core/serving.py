"""The requests of a logged-in account that are answered from storage."""

from __future__ import annotations

from timtw.core.overload import Gate
from timtw.core.people.belongings import Belongings
from timtw.core.people.marking import Marking
from timtw.core.people.policy import is_of, may_read_history
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import PullHistory
from timtw.model.errors import BadParameter, PermissionDenied
from timtw.model.events import Event, History, Marked
from timtw.model.idents import node_of, number_of
from timtw.model.progress import DeliveredMark
from timtw.model.stores import IMessageStore
from timtw.model.value import value
from timtw.model.values import Address, Conversation, Device


@value
class Asker:
    """Who asks: the account, whether the client knows our additions, and where.

    Args:
        session: The number of the account's session.
    """

    address: Address
    additions: bool
    device: Device = Device()
    session: int = 0


class Serving:
    """Answers, each a few events, each from a fresh look at storage."""

    def __init__(
        self,
        messages: IMessageStore,
        belongings: Belongings,
        marking: Marking,
        settings: Settings,
        gate: Gate,
    ) -> None:
        """``gate`` is shut when too much waits."""
        self._belongings = belongings
        self._settings = settings
        self._messages = messages
        self._marking = marking
        self._gate = gate

    async def history(self, asker: Asker, command: PullHistory) -> list[Event]:
        """
        A piece of a conversation, and how far the other side has confirmed it.

        Raises BadParameter: the node is malformed. Raises PermissionDenied, Overloaded
        or StorageUnavailable.
        """
        me = asker.address
        number = number_of(command.peer)
        if number is None:
            raise BadParameter("this is no node")
        self._gate.enter()
        if command.of_room:
            return await self._history_of_room(me, number, command)
        conversation = Conversation.between(me.number, number)
        count = min(command.count, limits.HISTORY_ENTRIES)
        messages = await self._messages.history(
            conversation, command.newest, command.until, count
        )
        events: list[Event] = [History(tuple(messages))]
        if asker.additions:
            mid = await self._messages.delivered(conversation, number)
            if mid:
                reader = Address(number, node_of(number), me.domain)
                events.append(Marked(DeliveredMark(reader, me, mid)))
            events += await self._marking.of(me, conversation)
        return events

    async def _history_of_room(
        self, me: Address, number: int, command: PullHistory
    ) -> list[Event]:
        """A piece of what was written to a room, as far as a member may see it."""
        room = await self._belongings.room(number)
        belonging = await self._belongings.belonging(number, me.number)
        if room is None or not is_of(me, room):
            raise PermissionDenied("only members read what was written to a room")
        refusal = may_read_history(room, belonging)
        if refusal is not None:
            raise refusal
        count = min(command.count, limits.HISTORY_ENTRIES)
        messages = await self._messages.history(
            Conversation.of_room(number), command.newest, command.until, count
        )
        # Who was removed meanwhile does not read what was written after that.
        belonging = await self._belongings.belonging(number, me.number)
        refusal = may_read_history(room, belonging)
        if refusal is not None:
            raise refusal
        seen = 0 if self._settings.whole_room_history else belonging.joined_mid
        return [History(tuple(one for one in messages if one.mid > seen))]
