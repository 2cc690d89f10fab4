"""Who is meant by a message, and whether its author may write there at this moment."""

from __future__ import annotations

from typing import TypeAlias

from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.policy import (
    depends_on_bond,
    is_of,
    may_write,
    may_write_to,
    may_write_within,
    meets,
)
from timtw.core.settings import Settings
from timtw.model.commands import SendMessage
from timtw.model.errors import TimError, UnknownAccount
from timtw.model.idents import number_of
from timtw.model.values import Address, Conversation

Answer: TypeAlias = Address | TimError
"""An account or a room, or why not."""


class Recipients:
    """Finds recipients and rights, from memory or from storage."""

    def __init__(
        self, people: People, bonds: Bonds, belongings: Belongings, settings: Settings
    ) -> None:
        """Whatever is remembered is forgotten when it changes."""
        self._people = people
        self._bonds = bonds
        self._belongings = belongings
        self._settings = settings

    def at_hand(self, sender: Address, command: SendMessage) -> Answer | None:
        """
        The recipient, or why ``sender`` may not write to it at this moment.

        ``None`` if storage has to be asked (``look_up``).
        """
        if command.room:
            return self._in_room_at_hand(sender, command)
        number = number_of(command.peer)
        recipient = None if number is None else self._people.known(number)
        if recipient is None:
            return None
        refusal = meets(sender, recipient)
        if refusal is None:
            pair = Conversation.between(sender.number, recipient.number)
            bond = self._bonds.known(pair)
            if bond is None:
                return None
            if depends_on_bond(command.kind):
                refusal = may_write(bond, self._settings.write_to_anyone)
        return recipient if refusal is None else refusal

    def may_say(self, sender: Address, recipient: Address, room: int) -> bool:
        """
        Whether a removal to an account may have words, as a text might.

        Args:
            room: Within which it is; 0 for none.
        """
        bond = self._bonds.known(Conversation.between(sender.number, recipient.number))
        if bond is None:
            return False
        if not room:
            return may_write(bond, self._settings.write_to_anyone) is None
        found = self._belongings.rooms.known(room)
        mine = self._belongings.of.known((room, sender.number))
        theirs = self._belongings.of.known((room, recipient.number))
        if found is None or mine is None or theirs is None:
            return False
        return may_write_within(found, mine, theirs, bond) is None

    async def look_up(self, sender: Address, command: SendMessage) -> Answer:
        """
        The recipient, or why ``sender`` may not write to it, from storage.

        Raises UnknownAccount (malformed or unknown) or StorageUnavailable.
        """
        if command.room:
            return await self._look_up_in_room(sender, command)
        recipient = await self._account(command.peer)
        refusal = meets(sender, recipient)
        if refusal is None:
            pair = Conversation.between(sender.number, recipient.number)
            bond = await self._bonds.look_up(pair)
            if depends_on_bond(command.kind):
                refusal = may_write(bond, self._settings.write_to_anyone)
        return recipient if refusal is None else refusal

    async def _account(self, node: str) -> Address:
        """The account of this node."""
        number = number_of(node)
        if number is None:
            raise UnknownAccount()
        found = self._people.known(number) or await self._people.look_up(number)
        if found is None:
            raise UnknownAccount()
        return found

    # Rooms.

    def _in_room_at_hand(self, sender: Address, command: SendMessage) -> Answer | None:
        """The room, or the member of it that is meant, if all is remembered."""
        number = number_of(command.room)
        room = None if number is None else self._belongings.rooms.known(number)
        if number is None or room is None:
            return None
        if not is_of(sender, room):
            return UnknownAccount()
        mine = self._belongings.of.known((number, sender.number))
        if mine is None:
            return None
        if not command.peer:
            return may_write_to(room, mine) or room.address
        peer = number_of(command.peer)
        recipient = None if peer is None else self._people.known(peer)
        if recipient is None:
            return None
        refusal = meets(sender, recipient)
        if refusal is not None:
            return refusal
        theirs = self._belongings.of.known((number, recipient.number))
        bond = self._bonds.known(Conversation.between(sender.number, recipient.number))
        if theirs is None or bond is None:
            return None
        if not depends_on_bond(command.kind):
            return recipient
        return may_write_within(room, mine, theirs, bond) or recipient

    async def _look_up_in_room(self, sender: Address, command: SendMessage) -> Answer:
        """The same, from storage.

        What was asked first may have changed until the last is there, so nothing is
        decided but by what is remembered of all of it at one moment.
        """
        number = number_of(command.room)
        if number is None:
            raise UnknownAccount()
        known = self._belongings
        while True:
            room = await known.room(number)
            if room is None or not is_of(sender, room):
                raise UnknownAccount()
            await known.belonging(number, sender.number)
            if command.peer:
                recipient = await self._account(command.peer)
                if meets(sender, recipient) is None:
                    pair = Conversation.between(sender.number, recipient.number)
                    await self._bonds.look_up(pair)
                    await known.belonging(number, recipient.number)
            answer = self._in_room_at_hand(sender, command)
            if answer is not None:
                return answer
