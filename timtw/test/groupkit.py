"""People and their groups on two nodes, for tests of what they notice."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.groups import GroupParts
from timtw.model.commands import (
    ChangeRelation,
    ChangeRoom,
    ChangeRoomInfo,
    Command,
    CreateRoom,
    ListMembers,
    ListRooms,
    ReadRooms,
)
from timtw.model.errors import TimError
from timtw.model.events import Event, Refused, RoomDone, RoomNodes, RoomProfiles
from timtw.model.idents import number_of
from timtw.model.interfaces import IGroups
from timtw.model.relations import Step
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.rooms import RoomProfile
from timtw.model.roomsteps import RoomStep
from timtw.model.values import NOTICE, Address
from timtw.rooms.groups import Groups
from timtw.test import stage
from timtw.test.stage import OPEN, Client, Stage


class GroupsCase(SynchronousTestCase):
    """Ada on the north node, Bob and Cyd on the south one; each has an account."""

    settings = OPEN

    def setUp(self) -> None:
        """Everybody is logged in."""
        self.parts: list[GroupParts] = []
        self.patch(stage, "Groups", self.make_groups)
        self.stage = Stage(("north", "south"), settings=self.settings)
        names = ("ada", "bob", "cyd")
        self.ada_is, self.bob_is, self.cyd_is = map(self.stage.register, names)
        self.ada = self.stage.log_in("ada")
        self.bob = self.stage.log_in("bob", node="south")
        self.cyd = self.stage.log_in("cyd", node="south")

    def make_groups(self, parts: GroupParts) -> IGroups:
        """What a node has for groups; what it is made of is kept for a look."""
        self.parts.append(parts)
        return Groups(parts)

    def answer(self, who: Client, command: Command) -> Event:
        """The one answer that somebody gets to a request."""
        before = len(who.events)
        who.asks(command)
        self.stage.settle(0.3)
        kinds = (Refused, RoomDone, RoomNodes, RoomProfiles)
        (answer,) = [one for one in who.events[before:] if isinstance(one, kinds)]
        return answer

    def creates(
        self, who: Client, entry: Entry = Entry.PRIVATE, topic: str = "Topic"
    ) -> str:
        """The node of a room that somebody makes."""
        answer = self.answer(who, CreateRoom(topic, entry))
        assert isinstance(answer, RoomDone), answer
        return answer.room

    def steps(
        self,
        who: Client,
        step: RoomStep,
        room: str,
        peer: Address | None = None,
        text: str | None = None,
    ) -> type[TimError] | None:
        """Why a step is refused, or ``None`` when it is taken."""
        command = ChangeRoom(step, room, "" if peer is None else peer.node, text)
        answer = self.answer(who, command)
        if isinstance(answer, Refused):
            return type(answer.error)
        self.assertEqual(RoomDone(command, room), answer)
        return None

    def done(
        self,
        who: Client,
        step: RoomStep,
        room: str,
        peer: Address | None = None,
        text: str | None = None,
    ) -> None:
        """Take a step that is not refused."""
        self.assertIsNone(self.steps(who, step, room, peer, text))

    def changes(
        self,
        who: Client,
        room: str,
        info: RoomInfo | None = None,
        managers: Sequence[Address] | None = None,
    ) -> type[TimError] | None:
        """Why a change of what a room is, is refused."""
        nodes = None if managers is None else tuple(one.node for one in managers)
        answer = self.answer(who, ChangeRoomInfo(room, info or RoomInfo(), nodes))
        return type(answer.error) if isinstance(answer, Refused) else None

    def blocks(self, who: Client, peer: Address) -> None:
        """Somebody blocks another account."""
        who.asks(ChangeRelation(Step.BLOCK, peer.node))
        self.stage.settle(0.3)

    def listed(
        self, who: Client, command: ListRooms | ListMembers
    ) -> list[str] | type[TimError]:
        """What a list has, or why it is refused."""
        answer = self.answer(who, command)
        if isinstance(answer, Refused):
            return type(answer.error)
        assert isinstance(answer, RoomNodes)
        return sorted(answer.nodes)

    def members(self, who: Client, room: str) -> list[str] | type[TimError]:
        """Who is in a room, as somebody is told."""
        return self.listed(who, ListMembers(room))

    def profile(self, who: Client, room: str) -> RoomProfile | None:
        """What a room is, as somebody is told."""
        answer = self.answer(who, ReadRooms((room,)))
        assert isinstance(answer, RoomProfiles), answer
        return answer.profiles[0] if answer.profiles else None

    def notices(self, who: Client, room: str) -> list[tuple[int, str | None, str]]:
        """What somebody is told of a room: the notice, its text, whose step it was."""
        return [
            (message.mid, message.content.text, message.sender.node)
            for message in [entry.message for entry in who.entries]
            if message.kind == NOTICE and message.content.room == number_of(room)
        ]
