"""A group against a model: three people on two nodes, often at once."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import (
    ChangeRoom,
    ChangeRoomInfo,
    CreateRoom,
    ListMembers,
    ListRooms,
)
from timtw.model.errors import BadParameter, PermissionDenied, RoomDissolved
from timtw.model.events import Refused, RoomDone, RoomNodes
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.roomsteps import OTHERS, RoomNotice, RoomStep
from timtw.model.values import NOTICE
from timtw.test.roommodel import Move, State, possible
from timtw.test.stage import Client, Stage

PEOPLE = 3
people = st.integers(0, PEOPLE - 1)
steps = st.sampled_from([step for step in RoomStep if step is not RoomStep.CREATE])
moves = st.builds(Move, steps, people, people, st.frozensets(people))


class Group(RuleBasedStateMachine):
    """Ada, who makes the group, is on the north node, the others on the south one."""

    entry = Entry.PRIVATE

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(("north", "south"))
        names = ("ada", "bob", "cyd")
        self.nodes = [self.stage.register(name).node for name in names]
        self.clients = [
            self.stage.log_in(name, node="south" if n else "north")
            for n, name in enumerate(names)
        ]
        self.clients[0].asks(CreateRoom("topic", self.entry))
        self.stage.settle()
        (made,) = self.clients[0].told(RoomDone)
        self.room = made.room
        self.possible = {State.new(PEOPLE)}

    def take(self, *moves: Move) -> None:
        """Let people take steps at the same moment; each is answered once."""
        asked = [0] * PEOPLE
        before = [self.answers(client) for client in self.clients]
        for move in moves:
            asked[move.who] += 1
            client, step = self.clients[move.who], move.step
            if step is RoomStep.CHANGE:
                managers = tuple(self.nodes[n] for n in sorted(move.managers))
                client.asks(ChangeRoomInfo(self.room, RoomInfo(), managers))
                continue
            peer = self.nodes[move.whom] if step in OTHERS else ""
            client.asks(ChangeRoom(step, self.room, peer, "please"))
        self.stage.settle()
        now = [self.answers(client) for client in self.clients]
        assert now == [one + more for one, more in zip(before, asked, strict=True)]
        self.possible = possible(self.possible, self.entry is Entry.OPEN, *moves)
        self.stage.clock.advance(5)

    def answers(self, client: Client) -> int:
        """How many answers somebody has had to steps."""
        return len(client.told(RoomDone)) + len(client.told(Refused))

    @rule(move=moves)
    def alone(self, move: Move) -> None:
        """Somebody takes a step."""
        self.take(move)

    @rule(one=moves, other=moves)
    def at_once(self, one: Move, other: Move) -> None:
        """Two steps at the same moment: one of both was first."""
        self.take(one, other)

    @rule(
        order=st.permutations(
            [Move(RoomStep.REMOVE, 0, 1), Move(RoomStep.REMOVE, 0, 2)]
        )
    )
    def emptied(self, order: list[Move]) -> None:
        """The founder removes the others, which comes before most ends."""
        for move in order:
            self.take(move)

    def listed(self, client: Client, command: ListRooms | ListMembers) -> object:
        """The nodes of a list, or the kind of its refusal."""
        before = len(client.events)
        client.asks(command)
        self.stage.settle(0.05)
        told = client.events[before:]
        (answer,) = [one for one in told if isinstance(one, Refused | RoomNodes)]
        if isinstance(answer, Refused):
            return type(answer.error)
        return frozenset(answer.nodes)

    @invariant()
    def lists(self) -> None:
        """Everybody sees, on both nodes, the lists of a state that can be."""
        commands = (
            ListMembers(self.room),
            ListRooms(),
            ListRooms(blocked=True),
            ListMembers(self.room, barred=True),
        )
        seen = [
            tuple(self.listed(client, command) for command in commands)
            for client in self.clients
        ]
        self.possible = {
            state
            for state in self.possible
            if all(self.view(state, n) == lists for n, lists in enumerate(seen))
        }
        assert self.possible, seen

    def view(self, state: State, n: int) -> tuple[object, ...]:
        """What somebody sees of a state: members, rooms, blocked rooms, the barred."""
        says, _its, role = state.parts[n]
        there: frozenset[str] = frozenset([self.room])
        nothing: frozenset[str] = frozenset()
        members = frozenset(self.nodes[one] for one in state.members)
        barred: object = PermissionDenied if state.alive else RoomDissolved
        if role in ("founder", "manager"):
            barred = frozenset(
                self.nodes[one]
                for one, part in enumerate(state.parts)
                if part[1] == "no"
            )
        return (
            members if role else BadParameter,
            there if role else nothing,
            there if says == "no" else nothing,
            barred,
        )

    @invariant()
    def founder_stays(self) -> None:
        """The group has one founder for as long as it is there."""
        for state in self.possible:
            roles = [part[2] for part in state.parts]
            assert roles.count("founder") == state.alive

    @invariant()
    def who_is_in_was_told(self) -> None:
        """Nobody is in a group without having been told so."""
        if len(self.possible) > 1:
            return
        (state,) = self.possible
        for n in state.members - {0}:
            told = [e.message for e in self.clients[n].entries]
            notices = [one.mid for one in told if one.kind == NOTICE]
            assert {RoomNotice.JOINED, RoomNotice.PULLED_IN} & {*notices}


class OpenGroup(Group):
    """The same with an open group."""

    entry = Entry.OPEN


class GroupsModelTests(SynchronousTestCase):
    """The model and two nodes."""

    def play(self, machine: type[Group]) -> None:
        """Try what people may do."""
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=20,
                stateful_step_count=15,
                derandomize=True,
                deadline=None,
                database=None,
            ),
        )

    def test_private_group(self) -> None:
        """Whatever people do, also at once, ends in a state that can be."""
        self.play(Group)

    def test_open_group(self) -> None:
        """The same where everybody may come in."""
        self.play(OpenGroup)
