"""Virtual rooms on two nodes against a model: who gets what, and what is left."""

from __future__ import annotations

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import (
    AllowPush,
    EndLive,
    LiveCommand,
    OpenLive,
    Push,
    Subscribe,
    Unsubscribe,
)
from timtw.model.errors import (
    PermissionDenied,
    TimError,
    Undefined,
)
from timtw.model.events import (
    LiveDone,
    LiveEnded,
    Pieces,
    PiecesDropped,
    Refused,
)
from timtw.model.idents import node_of
from timtw.model.live import Flow
from timtw.model.values import Address
from timtw.test.livekit import live_of
from timtw.test.stage import OPEN, Client, Stage

NODES = ("north", "south")
PEOPLE = ("ada", "bob", "cyd")
SIZE = 120 * limits.KIB
"""Octets of a piece: some fill a queue or the window of a link."""


@attrs.define(eq=False)
class Person:
    """Somebody's one connection, and what it has to get.

    Args:
        wanted: By room, the bodies that were pushed while it had subscribed.
        forms: By room, the form that it has subscribed to at the moment.
        endings: Rooms that have ended while it had subscribed.
    """

    name: str
    address: Address
    client: Client
    slow: bool = False
    wanted: dict[str, list[bytes]] = attrs.Factory(dict)
    forms: dict[str, bool] = attrs.Factory(dict)
    endings: list[str] = attrs.Factory(list)


@attrs.define(eq=False)
class Model:
    """A room as it should be."""

    node: str
    flow: Flow
    founder: str
    pushers: set[str] = attrs.Factory(set)
    alive: bool = True


class LiveMachine(RuleBasedStateMachine):
    """People who do whatever they like."""

    rooms = Bundle("rooms")

    @initialize()
    def begin(self) -> None:
        """Two nodes; everybody is there."""
        quick = attrs.evolve(OPEN, live_rooms=1000, live_bytes_per_second=0)
        self.stage = Stage(NODES, settings=quick)
        self.people: dict[str, Person] = {}
        self.models: list[Model] = []
        self.pushed = 0
        for number, name in enumerate(PEOPLE):
            address = self.stage.register(name)
            client = self.log_in(name, NODES[number % 2])
            self.people[name] = Person(name, address, client)

    def log_in(self, name: str, node: str) -> Client:
        """A connection that knows our additions."""
        return self.stage.log_in(name, node=node, additions=True)

    def asks(self, who: Person, command: LiveCommand | Push) -> type[TimError] | None:
        """Why a request is refused."""
        before = len(who.client.events)
        who.client.asks(command)
        self.stage.settle(0.05)
        for event in who.client.events[before:]:
            if isinstance(event, Refused):
                return type(event.error)
            if isinstance(event, LiveDone):
                return None
        assert isinstance(command, Push), "not answered"
        return None

    @rule(target=rooms, name=st.sampled_from(PEOPLE), flow=st.sampled_from(tuple(Flow)))
    def opens(self, name: str, flow: Flow) -> object:
        """Somebody makes a room."""
        who = self.people[name]
        if len(self.models) > 5:
            return multiple()
        assert self.asks(who, OpenLive(flow)) is None
        done = who.client.told(LiveDone)[-1]
        model = Model(node_of(done.room), flow, name)
        self.models.append(model)
        return model

    @rule(name=st.sampled_from(PEOPLE), room=rooms, binary=st.booleans())
    def subscribes(self, name: str, room: Model, binary: bool) -> None:
        """Somebody subscribes, perhaps once more in another form."""
        who = self.people[name]
        wanted = None if room.alive else Undefined
        assert self.asks(who, Subscribe(room.node, binary)) is wanted
        if room.alive:
            who.forms[room.node] = binary

    @rule(name=st.sampled_from(PEOPLE), room=rooms)
    def leaves(self, name: str, room: Model) -> None:
        """Somebody subscribes no more, after having got what waits."""
        who = self.people[name]
        self.takes(who)
        assert self.asks(who, Unsubscribe(room.node)) is None
        who.forms.pop(room.node, None)

    @rule(
        name=st.sampled_from(PEOPLE),
        peer=st.sampled_from(PEOPLE),
        room=rooms,
        allowed=st.booleans(),
    )
    def allows(self, name: str, peer: str, room: Model, allowed: bool) -> None:
        """Somebody gives or takes the right to push."""
        who, whom = self.people[name], self.people[peer].address
        wanted: type[TimError] | None = None
        if not room.alive or room.founder != name:
            wanted = PermissionDenied
        assert self.asks(who, AllowPush(room.node, whom.node, allowed)) is wanted
        if wanted is None:
            (room.pushers.add if allowed else room.pushers.discard)(peer)

    @rule(name=st.sampled_from(PEOPLE), room=rooms, count=st.integers(1, 6))
    def pushes(self, name: str, room: Model, count: int) -> None:
        """Somebody pushes in one go, as long as the node reads."""
        who = self.people[name]
        may = room.alive and name in {room.founder, *room.pushers}
        before = len(who.client.events)
        for _ in range(count):
            if who.client.held or who.slow:
                break
            self.pushed += 1
            body = b"%s %06d" % (name.encode(), self.pushed) + bytes(SIZE)
            who.client.asks(Push(room.node, body))
            if not may:
                continue
            for person in self.people.values():
                if room.node in person.forms:
                    person.wanted.setdefault(room.node, []).append(body)
        self.stage.settle(0.3)
        events = who.client.events[before:]
        refused = [type(one.error) for one in events if isinstance(one, Refused)]
        assert set(refused) <= ({PermissionDenied} if not may else set())

    @rule(name=st.sampled_from(PEOPLE))
    def slows_down(self, name: str) -> None:
        """A line takes nothing any more."""
        who = self.people[name]
        if not who.slow:
            who.slow = True
            who.client.session.writable(False)

    @rule(name=st.sampled_from(PEOPLE))
    def takes_again(self, name: str) -> None:
        """A line takes what waits."""
        self.takes(self.people[name])

    def takes(self, who: Person) -> None:
        """A line takes what waits, and what was held for it."""
        if who.slow:
            who.slow = False
            who.client.session.writable(True)
        self.stage.settle(0.3)

    @rule(name=st.sampled_from(PEOPLE), node=st.sampled_from(NODES))
    def comes_again(self, name: str, node: str) -> None:
        """A line is lost, and its owner comes again on some node."""
        who = self.people[name]
        who.client.vanishes()
        self.stage.settle(0.1)
        self.people[name] = Person(name, who.address, self.log_in(name, node))

    @rule(name=st.sampled_from(PEOPLE), room=consumes(rooms))
    def ends(self, name: str, room: Model) -> None:
        """Somebody ends a room, if it is theirs."""
        who = self.people[name]
        wanted = None if room.founder == name else PermissionDenied
        if who.client.held:
            return
        assert self.asks(who, EndLive(room.node)) is wanted
        if wanted is None:
            self.end(room)

    def end(self, room: Model) -> None:
        """It has ended."""
        room.alive = False
        for person in self.people.values():
            if room.node in person.forms:
                del person.forms[room.node]
                person.endings.append(room.node)

    @invariant()
    def order(self) -> None:
        """What comes of one publisher comes in order, and only what is wanted."""
        for person in getattr(self, "people", {}).values():
            for model in self.models:
                came = self.came(person, model.node)
                wanted = person.wanted.get(model.node, [])
                assert set(came) <= set(wanted)
                for name in PEOPLE:
                    mine = [one for one in came if one.startswith(name.encode())]
                    assert mine == sorted(set(mine))

    def came(self, person: Person, room: str) -> list[bytes]:
        """What came through a room."""
        return [
            piece.body
            for event in person.client.told(Pieces)
            for piece in event.pieces
            if node_of(piece.room) == room
        ]

    def teardown(self) -> None:
        """When everybody takes, nothing is missing but what they were told of."""
        if not hasattr(self, "people"):
            return
        for person in self.people.values():
            self.takes(person)
        self.stage.settle(1)
        for person in self.people.values():
            self.compare(person)
            assert not person.client.held
        for model in self.models:
            if model.alive:
                founder = self.people[model.founder]
                assert self.asks(founder, EndLive(model.node)) is None
                self.end(model)
        for person in self.people.values():
            ended = [node_of(one.room) for one in person.client.told(LiveEnded)]
            assert sorted(ended) == sorted(person.endings)
        for node in NODES:
            live = live_of(self.stage, node)
            assert not live.rooms
            assert not live.works.budget.octets
            assert not len(live.works.shipping)
            assert not live.works.shipping._moved
            assert not live.works.shipping._valves
        assert set(self.stage.hub._holders) == {
            one.address.number for one in self.people.values()
        }

    def compare(self, person: Person) -> None:
        """What came of each room, and what had to come."""
        for model in self.models:
            came = len(self.came(person, model.node))
            told = [
                event.count
                for event in person.client.told(PiecesDropped)
                if node_of(event.room) == model.node
            ]
            if model.flow is Flow.FILE:
                assert not told
            assert came + sum(told) == len(person.wanted.get(model.node, []))


class ModelTests(SynchronousTestCase):
    """Whatever people do, in whatever order."""

    def test_invariants(self) -> None:
        """No sequence of requests, slow lines and losses breaks a promise."""
        run_state_machine_as_test(
            LiveMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
            ),
        )
