"""Random lives of one connection: nothing of any log is lost, doubled or reordered."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.fanout import Fanout
from timtw.core.feeds.logreading import Surroundings
from timtw.core.feeds.reading import Reading
from timtw.core.sessions import Leftover
from timtw.model import limits
from timtw.model.errors import StorageUnavailable
from timtw.model.events import (
    Deliveries,
    Delivery,
    EndOfBacklog,
    Event,
    Page,
)
from timtw.model.posting import IWaitingMove
from timtw.model.progress import CursorMove, Mark, ReaderState, RoomState
from timtw.model.values import (
    REVOCATION,
    TEXT,
    Address,
    Content,
    Conversation,
    LogEntry,
    LogPage,
    Message,
)
from timtw.shards.moves import WaitingMove

T = TypeVar("T")
ME, PEER = Address(4, "me"), Address(5, "peer")
ROOMS = (10, 11, 12)


@attrs.define(eq=False)
class Room:
    """A room, or the account, as storage has its log; what the device has seen of it.

    Args:
        joined: Everything up to here is older than the membership; -1 for no member.
        confirmed: What the device has confirmed, as far as the node knows.
    """

    number: int
    log: dict[int, LogEntry] = attrs.Factory(dict)
    head: int = 0
    mid: int = 0
    joined: int = 0
    cursor: int = 0
    arrived: set[int] = attrs.Factory(set)
    confirmed: set[int] = attrs.Factory(set)
    front: int = 0


class Life:
    """One device, one connection after the other, and the node around it."""

    def __init__(self, rng: random.Random) -> None:
        """Nothing was written; the account is a member of all rooms."""
        self.rng = rng
        self.clock = Clock()
        self.rooms = {number: Room(number) for number in ROOMS}
        self.own = Room(ME.number)
        self.reads: list[tuple[Deferred[LogPage], LogPage]] = []
        self.looks: list[tuple[Deferred[Mapping[int, int]], dict[int, int]]] = []
        self.moves: dict[int, WaitingMove] = {}
        self.fanout = Fanout(self.clock, lambda _room: None, lambda _room: None)
        self.left: Leftover | None = None
        self.ends = 0
        self.faults: list[str] = []
        self._connect()

    # The surroundings of the reading.

    page_bytes = 700

    def measure(self, entry: LogEntry) -> int:
        """See ``IOutbox``."""
        return 100

    def offer(self, event: Event) -> bool:
        """See ``IOutbox``."""
        if isinstance(event, Delivery):
            self._came((event.entry,), event.receipt)
        elif isinstance(event, Page):
            self._came(event.entries, event.receipt)
        elif isinstance(event, Deliveries):
            for receipt, entry in enumerate(event.entries, event.receipt):
                self._came((entry,), receipt)
        elif isinstance(event, EndOfBacklog):
            self.ends += 1
        return True

    def read_log(
        self, number: int, after: int, up_to: int, limit: int
    ) -> Deferred[LogPage]:
        """See ``IMessageStore``: what is there now, told later."""
        room = self.own if number == ME.number else self.rooms[number]
        found = [one for seq, one in room.log.items() if after < seq <= up_to]
        some = tuple(found[: self.rng.randint(1, 8)])
        reached = some[-1].seq if len(some) < len(found) else up_to
        answer: Deferred[LogPage] = Deferred()
        self.reads.append((answer, LogPage(some, reached)))
        return answer

    def heads(self, numbers: Sequence[int]) -> Deferred[Mapping[int, int]]:
        """See ``IMessageStore``."""
        answer: Deferred[Mapping[int, int]] = Deferred()
        found = {number: self.rooms[number].head for number in numbers}
        self.looks.append((answer, found))
        return answer

    def stuck(self, account: int, key: bytes, seq: int) -> Deferred[int]:
        """See ``IReaderStore``: nobody counts here."""
        return Deferred()

    def move(
        self,
        account: int,
        key: bytes,
        done: Callable[[CursorMove], None],
        room: int = 0,
    ) -> IWaitingMove:
        """See ``IPostingDesk``."""
        found = self.moves.get(room)
        if found is None:
            found = self.moves[room] = WaitingMove(account, key, room, done, 0)
        return found

    def mark(self, mark: Mark) -> None:
        """See ``IRouter``: nobody is told here."""

    def flush(self) -> Deferred[None]:
        """See ``IPostingDesk``: storage may be away."""
        if self.rng.random() < 0.5:
            self.cursors_are_stored()
        return Deferred()

    # What the device sees.

    def _came(self, entries: Sequence[LogEntry], receipt: int) -> None:
        """Frames arrive at once; they are read when the client pleases."""
        assert receipt, "everything in a room wants to be confirmed"
        is_again = receipt in self.outstanding
        self.outstanding[receipt] = tuple(entries)
        for entry in entries:
            room = self._log_of(entry)
            seq = entry.seq
            if room.number in self.doubts:
                self.faults.append(f"{seq} came while membership was in doubt")
            if room.joined < 0 or seq <= room.joined:
                self.faults.append(f"{seq} is of another membership")
            if seq in room.confirmed and not is_again:
                self.faults.append(f"{seq} came after its confirmation")
            if seq not in room.arrived:
                if seq < room.front:
                    self.faults.append(f"{seq} was overtaken")
                room.arrived.add(seq)
                room.front = seq

    def _log_of(self, entry: LogEntry) -> Room:
        """Where an entry stands."""
        conversation = entry.message.conversation
        return self.rooms[conversation.first] if conversation.is_of_room else self.own

    def _connect(self) -> None:
        """The device logs in."""
        self.outstanding: dict[int, tuple[LogEntry, ...]] = {}
        self.doubts: dict[int, None] = {}
        self.reading = self.new_reading()
        rooms = tuple(
            RoomState(one.number, max(one.cursor, one.joined), one.head)
            for one in self.rooms.values()
            if one.joined >= 0
        )
        left = [self.left] if self.left is not None else []
        state = ReaderState(b"key", self.own.cursor, self.own.head, rooms=rooms)
        self.writable = True
        for _ in range(self.rng.choice((0, 0, 0, 2, 4))):
            # Storage has been asked, and the login is not over.
            acts = (self.grows, self.membership_changes, self.membership_is_known)
            self.rng.choice(acts)()
        self.reading.begin(state, self.rng.random() < 0.3, left)

    def new_reading(self) -> Reading:
        """A connection before the end of its login."""
        clock: Any = self.clock
        seams: Any = self
        around = Surroundings(ME, seams, seams, seams, seams, clock, clock.seconds)
        return Reading(around, seams, self.fanout)

    # What may happen.

    def grows(self) -> None:
        """Something is written to a room, and the node hears of it, or does not."""
        self._grows(self.rooms[self.rng.choice(ROOMS)], self.fanout.offer)

    def own_log_grows(self) -> None:
        """Something is written to the account."""
        self._grows(self.own, lambda _number, entry: self.reading.offered(entry))

    def _grows(self, room: Room, offer: Callable[[int, LogEntry], None]) -> None:
        late: list[LogEntry] = []
        for _ in range(self.rng.choice((1, 1, 1, 3, 40))):
            entry = self._written(room)
            if self.rng.random() < 0.05:
                late.append(entry)  # Another node tells of it, behind others or never.
            elif self.rng.random() < 0.95:
                offer(room.number, entry)
            if late and self.rng.random() < 0.5:
                offer(room.number, late.pop())
            if self.rng.random() < 0.2:
                self.clock.advance(0.0)

    def _written(self, room: Room) -> LogEntry:
        """One more entry."""
        room.head += 1
        kind, mid = TEXT, room.mid + 1
        texts = [one for one in room.log.values() if one.message.kind == TEXT]
        if texts and self.rng.random() < 0.15:
            gone = self.rng.choice(texts)
            kind, mid = REVOCATION, gone.message.mid
            del room.log[gone.seq]
        else:
            room.mid = mid
        place, pair = Address(room.number, "room"), Conversation.of_room(room.number)
        if room is self.own:
            place, pair = ME, Conversation.between(ME.number, PEER.number)
        content = Content("x" * self.rng.choice((1, 1, 1, 1, 1, 1, 1, 100_000)))
        message = Message(pair, mid, room.head, PEER, place, 0, content, kind=kind)
        entry = room.log[room.head] = LogEntry(room.head, message, False)
        return entry

    def time_passes(self) -> None:
        """A little or a lot."""
        self.clock.advance(self.rng.choice((0.0, 0.0, 0.0, 0.5, 3.0, 10.0)))

    def storage_answers(self) -> None:
        """A read is done, with what was there when it began, or has failed."""
        if self.reads:
            answer, page = self.reads.pop(self.rng.randrange(len(self.reads)))
            self._answer(answer, page)
        elif self.looks:
            look, found = self.looks.pop(0)
            self._answer(look, found)

    def _answer(self, answer: Deferred[T], found: T) -> None:
        """Tell what was found, mostly."""
        if self.rng.random() < 0.1:
            answer.errback(StorageUnavailable())
        else:
            answer.callback(found)

    def client_confirms(self) -> None:
        """Some of what has come, mostly in order."""
        receipts = [*self.outstanding]
        if self.rng.random() < 0.4:
            self.rng.shuffle(receipts)
        told = receipts[: self.rng.choice((1, 3, 20, 100))]
        for receipt in told:
            self._confirm(receipt)
        if told:
            self.reading.acknowledged_all(told)

    def _confirm(self, receipt: int) -> None:
        """The client takes note of a frame."""
        for entry in self.outstanding.pop(receipt):
            self._log_of(entry).confirmed.add(entry.seq)

    def client_asks(self) -> None:
        """For everything, or for one room; it may say how far it is."""
        if self.rng.random() < 0.3:
            self.reading.asked(None)
        elif self.rng.random() < 0.4:
            own = self.own
            own.confirmed |= {seq for seq in own.log if seq <= own.front}
            self.reading.asked(own.front)
        elif self.rng.random() < 0.5:
            self.reading.asked_for(self.rng.choice(ROOMS), None)
        else:
            room = self.rooms[self.rng.choice(ROOMS)]
            room.confirmed |= {seq for seq in room.log if seq <= room.front}
            self.reading.asked_for(room.number, room.front)

    def client_writes(self) -> None:
        """It waits for no request any more."""
        self.reading.stir()

    def line_fills(self) -> None:
        """It takes nothing, or takes bytes again."""
        self.writable = self.rng.random() < 0.7
        self.reading.writable(self.writable)

    def cursors_are_stored(self) -> None:
        """A commit carries them."""
        moves, self.moves = self.moves, {}
        for number, waiting in moves.items():
            move = waiting.taken()
            room = self.rooms[number] if number else self.own
            room.cursor = max(room.cursor, move.cursor)
            up_to = range(room.joined + 1, room.cursor + 1) if room.joined >= 0 else ()
            left = [n for n in up_to if n in room.log and n not in room.confirmed]
            assert not left, f"{left} are not confirmed, {room.cursor} is"
            waiting.done(move)

    def look(self) -> None:
        """Heads are compared with storage."""
        self.reading.raised(self.own.head)
        for room in self.rooms.values():
            self.fanout.raise_head(room.number, room.head)

    def line_breaks(self) -> None:
        """The client comes back to the same node."""
        ended = self.reading.end()
        assert ended is not None
        self.left = ended[1]
        self._connect()

    def node_crashes(self) -> None:
        """What was not stored may come again."""
        self.reading.end()
        self.reads.clear()
        self.moves.clear()
        self.left = None
        for room in (*self.rooms.values(), self.own):
            kept = {seq for seq in room.confirmed if seq <= room.cursor}
            room.confirmed = kept
        self._connect()

    def membership_changes(self) -> None:
        """Word comes that one goes or comes back, which is true or not."""
        number = self.rng.choice(ROOMS)
        self.reading.doubted(number)
        self.doubts[number] = None

    def membership_is_known(self) -> None:
        """Storage says what has become of it."""
        if not self.doubts:
            return
        room = self.rooms[self.doubts.popitem()[0]]
        if room.joined >= 0:
            if self.rng.random() < 0.5:
                state = RoomState(room.number, room.joined, room.joined)
                self.reading.belongs(state)
                return
            room.joined = -1
            self.reading.parted(room.number)
        else:
            room.joined = room.head
            room.confirmed = set()
            room.arrived = set(range(room.head + 1))
            room.front = room.head
            self.reading.belongs(RoomState(room.number, room.head, room.head))

    def turn_ends(self) -> None:
        """What was written in a turn of the reactor goes out."""
        self.clock.advance(0.0)

    def live_calmly(self) -> None:
        """Texts come and are confirmed, in any order, and lines break."""
        self._go_through(
            [
                (self.grows, 10),
                (self.own_log_grows, 2),
                (self.turn_ends, 10),
                (self.storage_answers, 3),
                (self.client_confirms, 8),
                (self.cursors_are_stored, 4),
                (self.line_breaks, 1),
            ]
        )

    def live(self) -> None:
        """Anything happens."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.grows, 10),
            (self.own_log_grows, 4),
            (self.time_passes, 10),
            (self.storage_answers, 12),
            (self.client_confirms, 12),
            (self.client_asks, 2),
            (self.client_writes, 1),
            (self.line_fills, 2),
            (self.cursors_are_stored, 2),
            (self.look, 1),
            (self.line_breaks, 1),
            (self.node_crashes, 1),
            (self.membership_changes, 2),
            (self.membership_is_known, 3),
        ]
        self._go_through(acts)

    def _go_through(self, acts: list[tuple[Callable[[], None], int]]) -> None:
        """So many of these happen; in the end a willing client has everything."""
        chosen = self.rng.choices(
            [act for act, _ in acts], [weight for _, weight in acts], k=200
        )
        for act in chosen:
            act()
            assert not self.faults, self.faults
        self._end()
        assert not self.faults, self.faults

    def _end(self) -> None:
        """Nothing stands in the way any more."""
        self.reading.writable(True)
        while self.doubts:
            self.membership_is_known()
        self.look()
        self._all_is_read(100)
        ends = self.ends
        self.reading.asked(None)
        self._all_is_read(100)
        assert self.ends == ends + 1, "a request has one end"
        self.cursors_are_stored()
        for room in (*self.rooms.values(), self.own):
            if room.joined < 0:
                continue
            missing = [
                seq for seq in room.log if seq > room.joined and seq not in room.arrived
            ]
            assert not missing, f"{missing} of {room.number} never came"
            assert max(room.cursor, room.joined) == room.head, (room.cursor, room.head)
        feeds = self.reading._rooms
        if feeds is None:
            return
        assert not feeds.answers.volleys
        assert not feeds.turns.waiting
        numbers = [place for place in feeds._places.values() if isinstance(place, int)]
        assert len(numbers) == len(feeds._places), "an idle room is one number"

    def _all_is_read(self, turns: int) -> None:
        """The client reads and confirms whatever comes, and storage answers."""
        for _ in range(turns):
            while self.reads or self.looks:
                self.storage_answers()
            self.clock.advance(3.0)
            receipts = [*self.outstanding]
            for receipt in receipts:
                self._confirm(receipt)
            if receipts:
                self.reading.acknowledged_all(receipts)


class RoomModelTests(SynchronousTestCase):
    """Whatever happens in whatever order, the promises hold."""

    def test_lives(self) -> None:
        """Three hundred lives lose, double and reorder nothing."""
        for seed in range(300):
            with self.subTest(seed):
                Life(random.Random(seed)).live()

    def test_calm_lives(self) -> None:
        """Neither do lives in which much is on its way at the same time."""
        for seed in range(100):
            with self.subTest(seed):
                Life(random.Random(seed)).live_calmly()

    def test_d20_heads_are_looked_for_again(self) -> None:
        """What came during a login arrives, also if storage is away at its end."""
        life = Life(random.Random(1))
        life.reading.end()
        life.looks.clear()
        life.rooms = {number: Room(number) for number in ROOMS}
        life._written(life.rooms[ROOMS[0]])
        life.reading = life.new_reading()
        before = (RoomState(ROOMS[0], 0, 0),)
        life.reading.begin(ReaderState(b"key", 0, 0, rooms=before), False, ())
        look, found = life.looks.pop()
        look.errback(StorageUnavailable())
        life.clock.advance(limits.READ_AGAIN_SECONDS)
        look, found = life.looks.pop()
        look.callback(found)
        self.assertEqual(1, len(life.reads))
        life.reading.end()
        life.clock.advance(limits.READ_AGAIN_SECONDS)
        self.assertEqual([], life.looks)
