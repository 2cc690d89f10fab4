"""Groups: making them, coming in and going, and who is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from timtw.client.grouprequests import Create, Spread, groups_in, nodes_in
from timtw.client.requests import Relate, Request
from timtw.client.values import Group
from timtw.client.wire import Speech
from timtw.model.errors import AlreadyMember, NotThere, RoomDissolved
from timtw.model.roomsteps import RoomStep
from timtw.protocols.frames import FrameType
from timtw.protocols.structs import TimRoomBean

Make = Callable[[int, Speech, str], Request]
_DONE: Mapping[RoomStep, int] = {
    RoomStep.JOIN: AlreadyMember.code,
    RoomStep.PULL_IN: AlreadyMember.code,
    RoomStep.REJECT: NotThere.code,
    RoomStep.REMOVE: NotThere.code,
    RoomStep.LEAVE: NotThere.code,
    RoomStep.DISSOLVE: RoomDissolved.code,
}
"""What a step is refused with that has been taken already."""


class Ask(Protocol):
    """Sends a request; ``make`` gets its number, the speech, and the own node."""

    def __call__(self, make: Make) -> Deferred[Any]:
        """The answer."""


class Groups:
    """The groups of an account; ``Client.groups``.

    Groups are named by their nodes, as accounts are. What others do arrives as messages
    whose kind is ``NOTICE`` and which have a ``group``. Methods raise Refused in their
    Deferreds where the node says no.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def create(self, topic: str, private: bool = True) -> Deferred[str]:
        """
        Make a group, whose founder this account is; the answer is its node.

        Args:
            private: Whether founder and managers decide who comes in.

        Raises (in the Deferred):
            Unsure: the line was lost meanwhile. ``mine`` tells whether there is one.
        """

        def make(number: int, speech: Speech, own: str) -> Request:
            asked = speech.new_group(topic, private)
            return Create(number, [asked], speech.profiles([own]))

        return self._ask(make)

    def join(self, group: str, text: str = "") -> Deferred[None]:
        """
        Come in, or ask to be let in where a group is private; ends an own block.

        A notice, ``JOINED``, tells when this account is in.

        Args:
            text: What founder and managers shall read.
        """
        return self._step(RoomStep.JOIN, group, None, text)

    def pull_in(self, group: str, peer: str) -> Deferred[None]:
        """Make an account a member, also one that has asked to be let in."""
        return self._step(RoomStep.PULL_IN, group, peer)

    def reject(self, group: str, peer: str, text: str = "") -> Deferred[None]:
        """Do not let an account in that has asked; it can read why."""
        return self._step(RoomStep.REJECT, group, peer, text)

    def remove(self, group: str, peer: str) -> Deferred[None]:
        """Remove a member, drop a request, or let somebody come back who is barred."""
        return self._step(RoomStep.REMOVE, group, peer)

    def bar(self, group: str, peer: str) -> Deferred[None]:
        """Remove an account, which is not told, and do not let it in again."""
        return self._step(RoomStep.BAR, group, peer)

    def block(self, group: str) -> Deferred[None]:
        """Leave, and be pulled in by nobody; ``leave`` or ``join`` end it."""
        return self._step(RoomStep.BLOCK, group)

    def leave(self, group: str) -> Deferred[None]:
        """Leave, take a request back, or end an own block."""
        return self._step(RoomStep.LEAVE, group)

    def hand_over(self, group: str, peer: str) -> Deferred[None]:
        """Make another member the founder; this account is an ordinary member then."""
        return self._step(RoomStep.HAND_OVER, group, peer)

    def dissolve(self, group: str) -> Deferred[None]:
        """End a group for good, in which nobody but this account is, its founder."""
        return self._step(RoomStep.DISSOLVE, group)

    def mine(self) -> Deferred[list[str]]:
        """The nodes of the groups that this account is in."""
        return self._list(lambda speech: speech.groups(False))

    def blocked(self) -> Deferred[list[str]]:
        """The nodes of the groups that this account blocks."""
        return self._list(lambda speech: speech.groups(True))

    def members(self, group: str) -> Deferred[list[str]]:
        """The nodes of all members: the founder, managers, others."""
        return self._list(lambda speech: speech.members(group, False))

    def barred(self, group: str) -> Deferred[list[str]]:
        """The nodes of whom a group does not let in; for founder and managers."""
        return self._list(lambda speech: speech.members(group, True))

    def info(self, groups: Sequence[str]) -> Deferred[dict[str, Group]]:
        """What groups are, by node, with founder and managers; at most 100 at once."""
        nodes = list(groups)

        def make(number: int, speech: Speech, own: str) -> Request:
            frames = [speech.group_info(nodes), speech.profiles([own])]
            return Spread(number, frames, groups_in)

        return self._ask(make)

    def change(
        self,
        group: str,
        topic: str | None = None,
        label: str | None = None,
        cover: str | None = None,
        managers: Sequence[str] | None = None,
    ) -> Deferred[None]:
        """
        Change what a group is; for its founder and managers. ``None`` keeps what is.

        Args:
            managers: The nodes of all members who shall be managers; from others than
                the founder it changes nothing.
        """
        nodes = None if managers is None else list(managers)
        bean = TimRoomBean(topic=topic, label=label, cover=cover, managers=nodes)
        about = FrameType.TIMNODES
        return self._ask(
            lambda n, s, _: Relate(n, [s.change_group(group, bean)], about=about)
        )

    def _step(
        self, step: RoomStep, group: str, peer: str | None = None, text: str = ""
    ) -> Deferred[None]:
        """Take a step."""
        done = _DONE.get(step, 0)
        return self._ask(
            lambda n, s, _: Relate(n, [s.group_step(step, group, peer, text)], done)
        )

    def _list(self, asked: Callable[[Speech], bytes]) -> Deferred[list[str]]:
        """Ask for a list of nodes."""

        def make(number: int, speech: Speech, own: str) -> Request:
            frames = [asked(speech), speech.profiles([own])]
            return Spread(number, frames, nodes_in)

        return self._ask(make)
