"""Friends and blocks against a model: two people, a node each, often at once."""

from __future__ import annotations

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import ChangeRelation, ListRelations, SendMessage
from timtw.model.events import Refused, Related, Relations
from timtw.model.relations import FRIENDS, Circle, Step
from timtw.model.values import NOTICE, Content
from timtw.test.relationmodel import State, possible
from timtw.test.stage import OPEN, Client, Stage

SETTINGS = attrs.evolve(OPEN, write_to_anyone=False)
steps = st.sampled_from(Step)
sides = st.integers(0, 1)


class Pair(RuleBasedStateMachine):
    """Ada is on the north node, Bob on the south one."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(("north", "south"), settings=SETTINGS)
        self.nodes = [self.stage.register(name).node for name in ("ada", "bob")]
        self.people = [
            self.stage.log_in("ada"),
            self.stage.log_in("bob", node="south"),
        ]
        self.possible: set[State] = {("", "")}

    def ask(self, side: int, step: Step) -> None:
        """Somebody takes a step."""
        self.people[side].asks(ChangeRelation(step, self.nodes[1 - side], "hi"))

    def answers(self, client: Client) -> int:
        """How many answers somebody has had to steps."""
        return len(client.told(Related)) + len(client.told(Refused))

    @rule(side=sides, step=steps)
    def alone(self, side: int, step: Step) -> None:
        """One of both takes a step."""
        before = self.answers(self.people[side])
        self.ask(side, step)
        self.stage.settle()
        assert self.answers(self.people[side]) == before + 1
        self.possible = possible(self.possible, (side, step))
        self.rest()

    @rule(one=steps, other=steps)
    def at_once(self, one: Step, other: Step) -> None:
        """Both take a step at the same moment: one of both was first."""
        before = [self.answers(client) for client in self.people]
        self.ask(0, one)
        self.ask(1, other)
        self.stage.settle()
        now = [self.answers(client) for client in self.people]
        assert now == [count + 1 for count in before]
        self.possible = possible(self.possible, (0, one), (1, other))
        self.rest()

    def rest(self) -> None:
        """Let the limit of steps forget them."""
        self.stage.clock.advance(3)

    @invariant()
    def lists_and_rights(self) -> None:
        """Lists and rights are those of a state that can be, on both nodes."""
        seen = []
        for side, client in enumerate(self.people):
            for circle in (Circle.FRIENDS, Circle.BLOCKED):
                client.asks(ListRelations(circle))
            refused = len(client.told(Refused))
            client.asks(SendMessage(self.nodes[1 - side], Content("x"), kind=31))
            self.stage.settle(0.05)
            friends, blocks = (bool(one.nodes) for one in client.told(Relations)[-2:])
            seen.append((friends, blocks, len(client.told(Refused)) == refused))
        self.possible = {
            state
            for state in self.possible
            if seen == [self.view(state, side) for side in (0, 1)]
        }
        assert self.possible, seen

    @staticmethod
    def view(state: State, side: int) -> tuple[bool, bool, bool]:
        """Whether one side has a friend, a block, and may write."""
        friends = state == ("asks", "asks")
        return friends, state[side] == "blocks", friends

    @invariant()
    def both_are_told_of_friendships(self) -> None:
        """Nobody becomes a friend without the notice."""
        if self.possible == {("asks", "asks")}:
            for client in self.people:
                told = [e.message for e in client.entries if e.message.kind == NOTICE]
                assert FRIENDS in [message.mid for message in told]


class FriendsModelTests(SynchronousTestCase):
    """The model and two nodes."""

    def test_against_the_model(self) -> None:
        """Whatever both do, also at once, ends in a state that can be."""
        run_state_machine_as_test(
            Pair,
            settings=settings(
                max_examples=25,
                stateful_step_count=20,
                derandomize=True,
                deadline=None,
                database=None,
            ),
        )
