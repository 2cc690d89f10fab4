"""Steps on rooms, as operations for every engine.

Who has the counter of a room's conversation (``server.posting``), or writes alone, has
the room: nothing is locked here. What an account is to other rooms is only counted, so
two nodes that let it into the last one at the same moment may let it into one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import attrs

from timtw.model.errors import StorageUnavailable, TimError
from timtw.model.idents import node_of
from timtw.model.limits import (
    ROOM_BARRED,
    ROOM_INFO_BYTES,
    ROOM_MEMBERS,
    ROOM_REQUESTS,
    ROOMS,
)
from timtw.model.roominfo import RoomInfo, RoomWish
from timtw.model.rooms import Belonging, Entry, Role, Room, Side
from timtw.model.roomsteps import (
    RoomNotice,
    RoomStep,
    Scene,
    Space,
    decide,
)
from timtw.model.values import Address, Content, Draft
from timtw.shards.tables.operations import Operation

_ENTERS: Final = (RoomStep.JOIN, RoomStep.PULL_IN)
_GROWS: Final = (RoomStep.CREATE, *_ENTERS, RoomStep.BLOCK)
"""After these an account may know one more room."""
_TOLD: Final = (RoomNotice.REQUEST, RoomNotice.REJECTED)
"""Notices with the text of whoever took the step."""


@attrs.frozen
class KeptRoom:
    """A room as it is stored.

    Args:
        members: How many.
    """

    room: Room
    members: int
    info: RoomInfo


@attrs.frozen
class RoomOutcome:
    """What became of a step.

    Args:
        notices: What has to be stored for those who are told.
        accounts: To whom the room is something else from now on.
    """

    refusal: TimError | None = None
    notices: Sequence[Draft] = ()
    accounts: tuple[int, ...] = ()


class Rows(Protocol):
    """Where rooms, and what accounts are to them, are kept."""

    def room(self, number: int) -> Operation[KeptRoom | None]:
        """The room with this number."""

    def belonging(self, room: int, account: int) -> Operation[Belonging]:
        """What an account is to a room."""

    def put(self, room: int, account: int, after: Belonging) -> Operation[None]:
        """Store what an account is to a room from now on."""

    def create(self, room: Room, info: RoomInfo) -> Operation[None]:
        """Store a new room with one member."""

    def count(self, room: int, more: int) -> Operation[None]:
        """Count so many members more, or fewer."""

    def say(self, room: int, info: RoomInfo) -> Operation[None]:
        """Store what a room tells about itself."""

    def found(self, room: int, founder: int) -> Operation[None]:
        """Store who the founder of a room is from now on."""

    def dissolve(self, room: int) -> Operation[None]:
        """The room is dissolved: of what accounts were to it only their blocks stay."""

    def managers(self, room: int) -> Operation[Sequence[int]]:
        """The managers of a room, by number."""

    def requests(self, room: int) -> Operation[int]:
        """How many accounts have asked to be let in."""

    def bars(self, room: int) -> Operation[int]:
        """How many accounts a room bars."""

    def known(self, account: int) -> Operation[int]:
        """How many rooms an account is in, has asked, or blocks."""

    def blocks(self, account: int, other: int) -> Operation[bool]:
        """Whether an account blocks another one."""


class Rooming:
    """The steps on rooms, to be done inside the transaction of a commit."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def change(self, draft: Draft, ends: tuple[int, int]) -> Operation[RoomOutcome]:
        """
        Take the step that ``draft`` is; notices are stored by whoever asks.

        Args:
            ends: The newest number of the room's log, and its newest ``mid``.
        """
        step, number = RoomStep(draft.mid), draft.content.room
        wish = draft.wish or RoomWish()
        kept = yield from self._rows.room(number)
        if step is RoomStep.CREATE and kept is not None:
            # Chance has drawn the number of another room.
            return RoomOutcome(StorageUnavailable())
        scene = yield from self._scene(step, draft, kept, wish)
        verdict = decide(step, scene)
        if verdict.refusal is not None:
            return RoomOutcome(verdict.refusal)
        if step is RoomStep.CREATE:
            yield from self._create(draft, wish)
        elif step is RoomStep.DISSOLVE:
            yield from self._rows.dissolve(number)
            return RoomOutcome()
        elif step is RoomStep.CHANGE:
            assert kept is not None
            accounts = yield from self._change(kept, scene.actor, wish)
            return RoomOutcome(accounts=accounts)
        elif step is RoomStep.HAND_OVER:
            accounts = yield from self._hand_over(draft, scene, verdict.after)
            return RoomOutcome(accounts=accounts)
        yield from self._settle(draft, scene.target, verdict.after, ends)
        notices = yield from self._notices(draft, verdict.notice, kept)
        return RoomOutcome(None, notices, (draft.recipient.number,))

    def _scene(
        self, step: RoomStep, draft: Draft, kept: KeptRoom | None, wish: RoomWish
    ) -> Operation[Scene]:
        """Everything that the step is decided by."""
        rows, number = self._rows, draft.content.room
        me, other = draft.sender.number, draft.recipient.number
        actor = target = yield from rows.belonging(number, me)
        blocked = False
        if other != me:
            target = yield from rows.belonging(number, other)
            if step is RoomStep.PULL_IN:
                blocked = yield from rows.blocks(other, me)
        space = Space(member=kept is None or kept.members < ROOM_MEMBERS)
        if step in _GROWS and target.account is Side.NOTHING:
            known = yield from rows.known(other)
            space = attrs.evolve(space, account=known < ROOMS)
        if step is RoomStep.JOIN and kept is not None:
            if kept.room.entry is Entry.PRIVATE:
                asked = yield from rows.requests(number)
                space = attrs.evolve(space, request=asked < ROOM_REQUESTS)
        elif step is RoomStep.BAR:
            barred = yield from rows.bars(number)
            space = attrs.evolve(space, bar=barred < ROOM_BARRED)
        wrong = ""
        if step in (RoomStep.CREATE, RoomStep.CHANGE):
            wrong = yield from self._wrong(number, kept, actor, wish)
        room = None if kept is None else kept.room
        alone = kept is not None and kept.members == 1
        return Scene(room, actor, target, me == other, blocked, alone, space, wrong)

    def _wrong(
        self, number: int, kept: KeptRoom | None, actor: Belonging, wish: RoomWish
    ) -> Operation[str]:
        """What is wrong with what is to be said about a room."""
        before = RoomInfo() if kept is None else kept.info
        if before.merged(wish.info).weight > ROOM_INFO_BYTES:
            return f"a room tells at most {ROOM_INFO_BYTES} bytes about itself"
        if kept is not None and actor.role is Role.FOUNDER:
            for manager in wish.managers or ():
                if not (yield from self._rows.belonging(number, manager)).is_member:
                    return "only members can be managers"
        return ""

    def _create(self, draft: Draft, wish: RoomWish) -> Operation[None]:
        """Store a new room, without its founder's membership."""
        founder, number = draft.sender, draft.content.room
        address = Address(number, node_of(number), founder.domain)
        room = Room(address, wish.entry, founder.number, draft.timestamp)
        yield from self._rows.create(room, wish.info)

    def _change(
        self, kept: KeptRoom, actor: Belonging, wish: RoomWish
    ) -> Operation[tuple[int, ...]]:
        """Store what is new about a room; only its founder changes managers."""
        number = kept.room.number
        info = kept.info.merged(wish.info)
        if info != kept.info:
            yield from self._rows.say(number, info)
        if wish.managers is None or actor.role is not Role.FOUNDER:
            return ()
        before = set((yield from self._rows.managers(number)))
        after = set(wish.managers) - {kept.room.founder}
        changed = tuple(sorted(before ^ after))
        for account in changed:
            role = Role.MANAGER if account in after else Role.MEMBER
            was = yield from self._rows.belonging(number, account)
            yield from self._rows.put(number, account, attrs.evolve(was, role=role))
        return changed

    def _hand_over(
        self, draft: Draft, scene: Scene, after: Belonging
    ) -> Operation[tuple[int, ...]]:
        """Store who the founder is, and that the one before is none any more."""
        number, accounts = draft.content.room, (draft.sender, draft.recipient)
        before = attrs.evolve(scene.actor, role=Role.MEMBER)
        for account, belonging in zip(accounts, (before, after), strict=True):
            yield from self._rows.put(number, account.number, belonging)
        yield from self._rows.found(number, draft.recipient.number)
        return tuple(account.number for account in accounts)

    def _settle(
        self, draft: Draft, before: Belonging, after: Belonging, ends: tuple[int, int]
    ) -> Operation[None]:
        """Store what the step makes of an account, and count members."""
        if after == before:
            return
        room, account = draft.content.room, draft.recipient.number
        if after.is_member:
            after = attrs.evolve(after, joined_seq=ends[0], joined_mid=ends[1])
        yield from self._rows.put(room, account, after)
        more = after.is_member - before.is_member
        if more and draft.mid != RoomStep.CREATE:
            yield from self._rows.count(room, more)

    def _notices(
        self, draft: Draft, notice: int, kept: KeptRoom | None
    ) -> Operation[list[Draft]]:
        """The notices that follow from a step."""
        if not notice or kept is None:
            return []
        receivers = [draft.recipient.number]
        if notice == RoomNotice.REQUEST:
            managers = yield from self._rows.managers(kept.room.number)
            receivers = [kept.room.founder, *managers]
        text = draft.content.text if notice in _TOLD else None
        domain = draft.sender.domain
        return [
            attrs.evolve(
                draft,
                recipient=Address(number, node_of(number), domain),
                content=Content(text, room=kept.room.number),
                mid=int(notice),
                wish=None,
            )
            for number in receivers
        ]
