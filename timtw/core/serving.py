"""The requests of a logged-in account that are answered from storage."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from timtw.core.belongings import Belongings
from timtw.core.buckets import Buckets
from timtw.core.overload import Gate
from timtw.core.policy import is_of, may_read_history
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import (
    ChangeProfile,
    FindAccount,
    PullHistory,
    ReadProfiles,
)
from timtw.model.errors import (
    BadParameter,
    NotServed,
    PermissionDenied,
    TooFrequent,
)
from timtw.model.events import Event, History, Marked, ProfileChanged, Profiles
from timtw.model.idents import node_of, number_of
from timtw.model.stores import IAccountStore, IMessageStore
from timtw.model.values import Address, Conversation, DeliveredMark, Device


@attrs.frozen
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
        accounts: IAccountStore,
        messages: IMessageStore,
        belongings: Belongings,
        settings: Settings,
        now: Callable[[], float],
        gate: Gate,
    ) -> None:
        """``now`` counts seconds for the limit of look-ups."""
        self._accounts = accounts
        self._belongings = belongings
        self._messages = messages
        self._settings = settings
        self._gate = gate
        self._finds = Buckets(limits.FINDS_PER_MINUTE, now)

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
        seen = 0 if self._settings.whole_room_history else belonging.joined_mid
        return [History(tuple(one for one in messages if one.mid > seen))]

    async def find(self, asker: Asker, command: FindAccount) -> list[Event]:
        """
        The account of exactly this name, or nobody.

        Raises NotServed, BadParameter, Overloaded, TooFrequent or StorageUnavailable.
        """
        if not self._settings.find_by_name:
            raise NotServed("looking people up by name is switched off")
        if not command.name:
            raise BadParameter("a name is needed")
        self._gate.enter()
        if not self._finds.of(asker.address.number).take():
            raise TooFrequent()
        account = await self._accounts.find(command.name, asker.address.domain)
        if account is None:
            return [Profiles(())]
        found = await self._accounts.profiles((account.number,))
        return [Profiles(tuple(found.values()))]

    async def profiles(self, asker: Asker, command: ReadProfiles) -> list[Event]:
        """
        The profiles of accounts of the asker's domain; unknown nodes are left out.

        Raises Overloaded or StorageUnavailable.
        """
        self._gate.enter()
        numbers = [number_of(node) for node in command.nodes[: limits.NODE_LIST]]
        found = await self._accounts.profiles(
            [number for number in dict.fromkeys(numbers) if number is not None]
        )
        domain = asker.address.domain
        return [
            Profiles(
                tuple(
                    profile
                    for profile in found.values()
                    if profile.account.address.domain == domain
                )
            )
        ]

    async def change_profile(self, asker: Asker, command: ChangeProfile) -> list[Event]:
        """
        Set the display name.

        Raises BadParameter: it is too long. Raises Overloaded or StorageUnavailable.
        """
        name = command.name
        if name is not None:
            if len(name.encode("utf-8", "surrogateescape")) > limits.DISPLAY_NAME_BYTES:
                raise BadParameter(
                    f"a display name has at most {limits.DISPLAY_NAME_BYTES} bytes"
                )
            self._gate.enter()
            await self._accounts.set_name(asker.address.number, name)
        return [ProfileChanged(command)]
