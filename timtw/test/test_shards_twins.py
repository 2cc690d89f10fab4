"""Memory and SQLite are twins: whatever is done to both, both answer alike."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from timtw.model.errors import TimError
from timtw.model.idents import node_of
from timtw.model.posting import Batch, Changed, Outcome
from timtw.model.progress import Confirmed, CursorMove
from timtw.model.relations import Step
from timtw.model.roominfo import RoomInfo
from timtw.model.rooms import Entry
from timtw.model.roomsteps import OTHERS, RoomStep
from timtw.model.stores import IShard
from timtw.model.values import (
    BURN,
    CUSTOM,
    REVOCATION,
    Address,
    Conversation,
    Device,
    Draft,
    Expiring,
)
from timtw.shards.memory.shard import MemoryShard
from timtw.shards.sqlite import moving
from timtw.shards.sqlite.shard import SqliteShard
from timtw.test.contracts import ADA, BOB, CYD, NOW, WINDOW, draft
from timtw.test.contracts_keeping import expire
from timtw.test.contracts_kinds import removal
from timtw.test.contracts_relations import step
from timtw.test.contracts_rooms import about, change, create


def to_oneself(one: Draft) -> Draft:
    """A step about the account that takes it."""
    return attrs.evolve(one, recipient=one.sender)


PEOPLE = (ADA, BOB, CYD)
DEVICES = [Device(), Device("phone", 1), Device("laptop")]
people = st.sampled_from(PEOPLE)
drafts = st.builds(
    draft,
    st.sampled_from(["a", "b"]),
    people,
    people,
    st.none() | st.integers(1, 3),
    st.sampled_from([0, 1, WINDOW // 2, WINDOW, WINDOW + 1]).map(NOW.__add__),
)
removals = st.builds(
    removal,
    st.integers(0, 4),
    people,
    people,
    st.sampled_from([REVOCATION, BURN]),
).filter(lambda one: one.sender != one.recipient)  # The core refuses the others.
customs = st.builds(
    lambda one: attrs.evolve(one, kind=CUSTOM[0]),
    st.builds(draft, st.just("c"), people, people, st.none() | st.integers(1, 2)),
)
steps = st.builds(
    step,
    st.sampled_from(Step),
    people,
    people,
).filter(lambda one: one.sender != one.recipient)
ROOM = 77
to_room = st.builds(
    lambda one: attrs.evolve(
        one, recipient=Address(ROOM, node_of(ROOM), "here"), to_room=True
    ),
    drafts,
)
room_steps = st.one_of(
    st.builds(create, people, st.sampled_from(Entry), st.just(ROOM)),
    st.builds(
        about,
        st.sampled_from([one for one in RoomStep if one not in (8, 42)]),
        st.just(ROOM),
        people,
        people,
        st.sampled_from(["", "please"]),
    ).map(lambda one: one if one.mid in OTHERS else to_oneself(one)),
    st.builds(
        change,
        st.just(ROOM),
        people,
        st.builds(RoomInfo, st.none() | st.sampled_from(["", "t"])),
        st.none() | st.lists(people, max_size=2),
    ),
)
moves = st.tuples(
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 12),
    st.lists(st.tuples(people, st.integers(1, 9)), max_size=3),
)


@implementer(IReactorFromThreads)
class Pump:
    """Takes what threads hand over, and runs it when somebody waits."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def callFromThread(
        self, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> None:
        """See ``IReactorFromThreads``."""
        self._calls.put(lambda: callable(*args, **kwargs))

    def result(self, deferred: Deferred[Any]) -> Any:
        """What ``deferred`` fires with."""
        results: list[Any] = []
        _ = deferred.addBoth(results.append)
        while not results:
            self._calls.get(timeout=30)()
        return results[0]


class Twins(RuleBasedStateMachine):
    """One history on both engines."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.pump, self.clock = Pump(), Clock()
        self.memory = MemoryShard(self.clock, os.urandom)
        self.sqlite = self.begun()
        self.opened: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def begun(self) -> SqliteShard:
        """The file, opened."""
        place = Path(self.directory.name)
        shard = SqliteShard(place / "t.db", place, self.pump, self.clock, os.urandom)
        self.pump.result(shard.start())
        return shard

    def teardown(self) -> None:
        """Close the file."""
        self.pump.result(self.sqlite.stop())
        self.directory.cleanup()

    def both(self, ask: Callable[[IShard], Deferred[Any]]) -> Any:
        """What both engines answer."""
        results: list[Any] = []
        _ = ask(self.memory).addBoth(results.append)
        self.clock.advance(0)
        other = self.pump.result(ask(self.sqlite))
        assert results == [other], (results, other)
        return other

    @rule(batch=st.lists(drafts | customs | removals | steps, max_size=6))
    def post(self, batch: list[Any]) -> None:
        """Post some messages and events at once."""
        self.both(
            lambda shard: shard.messages.post(Batch(tuple(batch))).addCallback(_told)
        )

    @rule(batch=st.lists(drafts | steps | room_steps | to_room, max_size=6))
    def post_about_a_room(self, batch: list[Any]) -> None:
        """The same with steps on a room, which share commits with others."""
        self.both(
            lambda shard: shard.messages.post(Batch(tuple(batch))).addCallback(_told)
        )

    @rule(who=people, size=st.integers(1, 3))
    def look_at_the_room(self, who: Any, size: int) -> None:
        """Tell everything about the room."""
        self.both(lambda shard: shard.rooms.room(ROOM))
        self.both(lambda shard: shard.rooms.profiles([ROOM]))
        self.both(lambda shard: shard.rooms.belonging(ROOM, who.number))
        self.both(lambda shard: shard.rooms.rooms_of(who.number).addCallback(list))
        self.both(lambda shard: shard.rooms.blocked_rooms(who.number))
        self.both(lambda shard: shard.rooms.barred(ROOM).addCallback(list))
        self.both(lambda shard: shard.rooms.members(ROOM, None, size))

    @rule(batch=st.lists(drafts, max_size=3))
    def fail(self, batch: list[Any]) -> None:
        """Post something that cannot be stored: nothing of its batch is."""
        fault = draft(ident=1 << 70)
        posting = self.sqlite.messages.post(Batch((*batch, fault)))
        assert isinstance(self.pump.result(posting), Failure)

    @rule()
    def restart(self) -> None:
        """End one of the nodes in order and start it again."""
        self.pump.result(self.sqlite.stop())
        self.sqlite = self.begun()

    @rule(who=st.integers(0, 2), device=st.integers(0, 2), now=st.integers(1, 9))
    def open(self, who: int, device: int, now: int) -> None:
        """Open a reader on both."""
        states = []
        for shard in (self.memory, self.sqlite):
            asked = shard.readers.open(PEOPLE[who].number, DEVICES[device], NOW + now)
            self.clock.advance(0)
            states.append(self.pump.result(asked))
        one, other = states
        self.opened[who, device] = (one.key, other.key)
        assert attrs.evolve(one, key=b"") == attrs.evolve(other, key=b""), states

    @rule(batch=st.lists(moves, max_size=4))
    def confirm(self, batch: list[Any]) -> None:
        """Move some cursors at once."""
        for n, shard in enumerate((self.memory, self.sqlite)):
            cursors = []
            for who, device, cursor, marks in batch:
                number = PEOPLE[who].number
                keys = self.opened.get((who, device), (b"none", b"none"))
                confirmed = tuple(
                    Confirmed(Conversation.between(number, peer.number), mid)
                    for peer, mid in marks
                )
                cursors.append(CursorMove(number, keys[n], cursor, confirmed))
            posting = shard.messages.post(Batch((), tuple(cursors)))
            self.clock.advance(0)
            assert list(self.pump.result(posting)) == []

    @rule(
        what=st.sampled_from(Expiring),
        before=st.sampled_from([1, 2, 5, WINDOW, WINDOW + 2]).map(NOW.__add__),
    )
    def expire(self, what: Expiring, before: int) -> None:
        """Delete what is older."""
        for shard in (self.memory, self.sqlite):
            done = Deferred.fromCoroutine(expire(shard, what, before))
            self.clock.advance(0)
            self.pump.result(done)

    @rule(who=people, after=st.integers(0, 9), size=st.integers(1, 5))
    def read_log(self, who: Any, after: int, size: int) -> None:
        """Read a page of a log."""
        heads = self.both(lambda shard: shard.messages.heads([who.number]))
        head = heads[who.number]
        self.both(lambda shard: shard.messages.read_log(who.number, after, head, size))

    @rule(
        one=people,
        other=people,
        newest=st.integers(0, 5),
        until=st.none() | st.sampled_from([NOW - 1, NOW, NOW + WINDOW // 2]),
        count=st.integers(1, 5),
    )
    def tell(
        self, one: Any, other: Any, newest: int, until: int | None, count: int
    ) -> None:
        """Tell a conversation and its marks."""
        pair = Conversation.between(one.number, other.number)
        self.both(
            lambda shard: shard.messages.history(
                pair, newest, until, count
            ).addCallback(list)
        )
        self.both(lambda shard: shard.messages.delivered(pair, one.number))
        self.both(lambda shard: shard.relations.bonds([pair]))
        self.both(lambda shard: shard.relations.rosters([one.number]))
        self.both(lambda shard: shard.relations.blocked(one.number))
        self.both(lambda shard: shard.relations.asking(one.number))
        self.both(lambda shard: shard.relations.asked(one.number))


def _told(outcomes: Sequence[Outcome]) -> list[object]:
    """Outcomes, of which refusals are compared by what they say."""
    return [
        repr(one)
        if isinstance(one, TimError)
        else (one.told, repr(one.refusal), one.accounts)
        if isinstance(one, Changed)
        else one
        for one in outcomes
    ]


class TwinTests(SynchronousTestCase):
    """The engines against each other."""

    def test_engines_answer_alike(self) -> None:
        """
        A node behaves the same on each engine, whatever is written and read.
        """
        self.play()

    def test_moving_is_not_noticed(self) -> None:
        """
        It makes no difference whether something lies in the journal, in the tables, or
        is on its way from the one to the others.
        """
        self.patch(moving, "JOURNAL_ROWS", 4)
        self.patch(moving, "MOVE_ROWS", 2)
        self.play()

    def play(self) -> None:
        """Play histories on both."""
        run_state_machine_as_test(
            Twins,
            settings=settings(
                max_examples=30,
                stateful_step_count=25,
                derandomize=True,
                deadline=None,
                database=None,
            ),
        )
