"""What accounts ask about rooms: steps, lists, and what rooms are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.core.buckets import Buckets
from timtw.core.deferreds import deferred
from timtw.core.groups import GroupParts
from timtw.core.logins.tickets import MessageIdents
from timtw.core.people.policy import is_of, may_list_barred, may_list_members
from timtw.core.posting import offers
from timtw.model import limits
from timtw.model.commands import (
    ChangeRoom,
    ChangeRoomInfo,
    CreateRoom,
    ListMembers,
    ListRooms,
    ReadRooms,
    RoomCommand,
)
from timtw.model.errors import (
    BadParameter,
    NotThere,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Event, RoomDone, RoomNodes, RoomProfiles
from timtw.model.idents import SLOT_BITS, is_spelled, node_of, number_in, number_of
from timtw.model.interfaces import IGroups
from timtw.model.peers import RoomChanged
from timtw.model.posting import Changed, Outcome
from timtw.model.roominfo import RoomInfo, RoomWish
from timtw.model.rooms import Room
from timtw.model.roomsteps import OTHERS, RoomStep, Scene, decide
from timtw.model.values import NOTICE, Address, Content, Draft

_COUNTED: Final = frozenset(
    (RoomStep.CREATE, RoomStep.JOIN, RoomStep.PULL_IN, RoomStep.BLOCK)
)
"""Steps of which an account has so many a minute."""
_OF_THE_ROOM: Final = frozenset(
    (RoomStep.CREATE, RoomStep.CHANGE, RoomStep.DISSOLVE, RoomStep.HAND_OVER)
)
"""Steps after which the room itself is another one."""
_TEXT: Final = limits.REQUEST_TEXT_BYTES


@implementer(IGroups)
class Groups:
    """Carries out requests about rooms.

    Steps are taken by the posting desk, so that they keep their place among texts, and
    each counts everywhere before it is answered: this node and, as fast as word
    travels, the others forget what they knew of whom it concerns (``RoomChanged``).
    """

    def __init__(self, parts: GroupParts) -> None:
        self._parts = parts
        self._idents = MessageIdents(parts.entropy)
        self._steps = Buckets(limits.ROOM_STEPS_PER_MINUTE, parts.now)

    @deferred
    async def carry_out(self, me: Address, command: RoomCommand) -> Sequence[Event]:
        """See ``IGroups``."""
        if isinstance(command, CreateRoom):
            return await self._create(me, command)
        if isinstance(command, ChangeRoom):
            return await self._step(me, command)
        if isinstance(command, ChangeRoomInfo):
            return await self._change(me, command)
        if isinstance(command, ListRooms):
            return await self._rooms(me, command)
        if isinstance(command, ListMembers):
            return await self._members(me, command)
        return await self._profiles(me, command)

    # Steps.

    async def _create(self, me: Address, command: CreateRoom) -> list[Event]:
        """Make a room."""
        entropy = self._parts.entropy
        slot = int.from_bytes(entropy(3), "big") >> (24 - SLOT_BITS)
        room = number_in(slot, entropy(6))
        wish = RoomWish(command.entry, RoomInfo(topic=command.topic))
        await self._take(RoomStep.CREATE, me, room, me, wish=wish)
        return [RoomDone(command, node_of(room))]

    async def _step(self, me: Address, command: ChangeRoom) -> list[Event]:
        """Take a step about a room and its members."""
        text = command.text
        if len((text or "").encode("utf-8", "surrogateescape")) > _TEXT:
            raise BadParameter(f"at most {_TEXT} bytes of text")
        number = number_of(command.room)
        if number is None:
            raise BadParameter("this is no node of a room")
        whom = me
        if command.step in OTHERS:
            whom = await self._account(me, command.peer)
        await self._known(me, command.step, number, whom)
        await self._take(command.step, me, number, whom, text)
        return [RoomDone(command, command.room)]

    async def _change(self, me: Address, command: ChangeRoomInfo) -> list[Event]:
        """Change what a room tells about itself, and its managers."""
        number = number_of(command.room)
        if number is None:
            wrong = "there is no such room"
            raise NotThere(wrong) if is_spelled(command.room) else UnknownAccount(wrong)
        managers = None
        if command.managers is not None:
            managers = tuple(self._manager(node) for node in set(command.managers))
            if len(managers) > limits.ROOM_MANAGERS:
                raise BadParameter(f"at most {limits.ROOM_MANAGERS} managers")
        await self._known(me, RoomStep.CHANGE, number, me)
        wish = RoomWish(info=command.info, managers=managers)
        await self._take(RoomStep.CHANGE, me, number, me, wish=wish)
        return [RoomDone(command, command.room)]

    def _manager(self, node: str) -> int:
        """The account that shall be a manager; storage knows whether it can."""
        number = number_of(node)
        if number is None:
            raise BadParameter("only members can be managers")
        return number

    async def _account(self, me: Address, node: str) -> Address:
        """The account that a step is about."""
        number = number_of(node)
        if number is None:
            raise BadParameter("this is no node of an account")
        people = self._parts.people
        found = people.known(number) or await people.look_up(number)
        if found is None or found.domain != me.domain:
            raise NotThere("there is no such account")
        return found

    async def _known(
        self, me: Address, step: RoomStep, number: int, whom: Address
    ) -> None:
        """See to it that the room exists for this account; else refuse."""
        if not is_of(me, await self._room(number)):
            refusal = decide(step, Scene(None, oneself=whom is me)).refusal
            assert refusal is not None
            raise refusal

    async def _room(self, number: int) -> Room | None:
        """A room, as far as it never changes."""
        rooms = self._parts.belongings.rooms
        return rooms.known(number) or await rooms.look_up(number)

    async def _take(
        self,
        step: RoomStep,
        me: Address,
        room: int,
        whom: Address,
        text: str | None = None,
        wish: RoomWish | None = None,
    ) -> None:
        """Take a step, and tell whom it concerns."""
        if step in _COUNTED and not self._steps.of(me.number).take():
            raise TooFrequent()
        draft = Draft(
            sender=me,
            recipient=whom,
            ident=self._idents.next(),
            chosen=False,
            timestamp=self._parts.time_ns(),
            content=Content(text, room=room),
            kind=NOTICE,
            mid=step,
            wish=wish,
        )
        stored: Deferred[Outcome] = Deferred()
        self._parts.desk.post(draft, stored.callback)
        outcome = await stored
        accounts = {whom.number}
        if isinstance(outcome, Changed):
            accounts.update(outcome.accounts)
        if step in _OF_THE_ROOM:
            accounts.add(0)
        # Also after a failure, whose transaction may have happened all the same.
        for account in sorted(accounts):
            self._parts.router.announce(RoomChanged(room, account))
        if not isinstance(outcome, Changed):
            assert isinstance(outcome, Exception)
            raise outcome
        for told in outcome.told:
            self._parts.router.publish(offers(told))
        if outcome.refusal is not None:
            raise outcome.refusal

    # Lists.

    async def _rooms(self, me: Address, command: ListRooms) -> list[Event]:
        """The rooms of an account, or those that it blocks."""
        if command.blocked:
            numbers = await self._parts.store.blocked_rooms(me.number)
        else:
            numbers = await self._parts.belongings.lists.rooms_of(me.number)
        return [RoomNodes(command, tuple(node_of(number) for number in numbers))]

    async def _members(self, me: Address, command: ListMembers) -> list[Event]:
        """Who is in a room, or whom it bars."""
        parts = self._parts
        number = number_of(command.room)
        if number is None:
            refused = BadParameter if command.barred else UnknownAccount
            raise refused("this is no node of a room")
        parts.gate.enter()
        room = await parts.store.room(number)
        if not is_of(me, room):
            room = None
        belonging = await parts.store.belonging(number, me.number)
        may = may_list_barred if command.barred else may_list_members
        refusal = may(room, belonging)
        if refusal is not None:
            raise refusal
        if command.barred:
            numbers = await parts.store.barred(number)
        else:
            numbers = await parts.belongings.lists.members(number)
        return [RoomNodes(command, tuple(node_of(one) for one in numbers))]

    async def _profiles(self, me: Address, command: ReadRooms) -> list[Event]:
        """What rooms of one's own domain are."""
        self._parts.gate.enter()
        numbers = [number_of(node) for node in command.nodes[: limits.NODE_LIST]]
        found = await self._parts.belongings.lists.profiles(
            [number for number in dict.fromkeys(numbers) if number is not None]
        )
        return [RoomProfiles(tuple(p for p in found.values() if is_of(me, p.room)))]
