"""Who is logged in on this node, and what lost connections had in flight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import attrs

from timtw.core.apart import at_fault, tell_each
from timtw.core.feeds.fanout import Fanout
from timtw.core.logins.comebacks import Comebacks
from timtw.model import limits
from timtw.model.interfaces import ISeat
from timtw.model.peers import (
    Comer,
    Fact,
    Loser,
    Offer,
    Presence,
    RelationChanged,
    RoomChanged,
    SessionsEnd,
    TakenOver,
)
from timtw.model.presence import Appearance, Showing
from timtw.model.progress import Mark, RoomState
from timtw.model.values import Address, Device, LogEntry, Message


class Listener(Protocol):
    """One logged-in connection, as the registry sees it."""

    device: Device
    since: float
    source: str

    @property
    def connection(self) -> str:
        """What it is called, by this node and others."""

    @property
    def heard(self) -> float:
        """When the last sign of life was seen, seconds on the node's clock."""

    def left(self) -> Leftover:
        """What this connection knows better than storage, while it goes on."""

    def belongs(self, state: RoomState) -> None:
        """The account is a member of this room."""

    def parted(self, room: int) -> None:
        """The account is no member of this room."""

    def doubted(self, room: int) -> None:
        """Whether the account is a member of this room is being asked."""

    def rooms(self) -> Collection[int]:
        """The rooms of which it is sent what is written."""

    def offered(self, entry: LogEntry) -> None:
        """The account's log has grown."""

    def raised(self, head: int) -> None:
        """Storage says that the log reaches to ``head``."""

    def marked(self, mark: Mark) -> None:
        """Somebody has received or read something."""

    def related(self) -> None:
        """The account has changed what it and another are to each other."""

    def regrouped(self, room: int) -> None:
        """What the account is to this room has changed, or may have."""

    def streamed(self, message: Message) -> None:
        """Something came that is in no log."""

    def shown(self, appearance: Appearance) -> None:
        """Somebody is from now on as this says."""

    def seat(self) -> ISeat | None:
        """Its place among virtual rooms and parcels, if it is logged in."""

    def dismissed(self) -> None:
        """Log out with the notice that keeps the client from coming back."""

    def hang_up(self) -> None:
        """End the session and the line, without a notice."""


@attrs.frozen
class Leftover:
    """What a lost connection of a reader leaves to the next one.

    Args:
        acked: Everything up to here was confirmed, whether or not storage knows.
        sent: Everything up to here was written to the lost line.
        settled: Numbers beyond the cursor that were confirmed nevertheless.
        rooms: The same of the logs of rooms.
    """

    acked: int
    sent: int
    settled: frozenset[int]
    rooms: Mapping[int, Leftover] = attrs.field(factory=dict)

    def merged(self, later: Leftover) -> Leftover:
        """What this one and a later one of the same reader know together."""
        acked = max(self.acked, later.acked)
        settled = self.settled | later.settled
        rooms = dict(self.rooms)
        for room, left in later.rooms.items():
            rooms[room] = rooms[room].merged(left) if room in rooms else left
        return Leftover(
            acked,
            max(self.sent, later.sent),
            frozenset(seq for seq in settled if seq > acked),
            rooms,
        )


class Sessions:
    """The one table of listeners, and the leftovers of lost connections."""

    def __init__(
        self,
        now: Callable[[], float],
        entered: Callable[[Address], None],
        left: Callable[[Address, Device], None],
        fanout: Fanout,
    ) -> None:
        """
        ``entered`` and ``left`` hear of an account's first and last session.

        Args:
            fanout: Who of them reads which room.
        """
        self._now = now
        self.fanout = fanout
        self.membership_changed: Callable[[RoomChanged], None] = lambda _change: None
        self.comebacks = Comebacks(now)
        self._entered = entered
        self._left = left
        self._listeners: dict[int, tuple[Listener, ...]] = {}
        self._leftovers: OrderedDict[tuple[int, bytes], tuple[float, Leftover]] = (
            OrderedDict()
        )

    def add(self, account: Address, listener: Listener) -> None:
        """Count ``listener`` among the account's sessions."""
        present = self._listeners.get(account.number, ())
        self._listeners[account.number] = (*present, listener)
        if not present:
            self._entered(account)

    def remove(self, account: Address, listener: Listener) -> None:
        """Forget ``listener``; forgetting it twice is fine."""
        present = self._listeners.get(account.number, ())
        if listener not in present:
            return
        others = tuple(one for one in present if one is not listener)
        if others:
            self._listeners[account.number] = others
        else:
            del self._listeners[account.number]
            self._left(account, listener.device)

    def of(self, account: int) -> Collection[Listener]:
        """The sessions of an account on this node."""
        return self._listeners.get(account, ())

    def accounts(self) -> list[int]:
        """The accounts with sessions on this node."""
        return list(self._listeners)

    def logs(self) -> list[int]:
        """The accounts with sessions on this node, and their rooms."""
        return [*self._listeners, *self.fanout.rooms()]

    def offer(self, offers: Iterable[Offer]) -> None:
        """Bring offers to the sessions of their accounts or rooms on this node."""
        for offer in offers:
            entry = offer.entry
            present = self._listeners.get(offer.account)
            if present is None:
                self.fanout.offer(offer.account, entry)
                continue
            for one in present:
                try:  # As ``tell_each`` does, without two calls for each.
                    one.offered(entry)
                except Exception:
                    at_fault(one)

    def raise_heads(self, heads: Mapping[int, int]) -> None:
        """Tell sessions how far their logs reach."""
        for account, head in heads.items():
            tell_each(self.of(account), _raising(head))
            self.fanout.raise_head(account, head)

    def mark(self, mark: Mark) -> None:
        """Tell the sessions on this node that are to hear of it."""
        for account in mark.told:
            tell_each(self.of(account), lambda one: one.marked(mark))

    def stream(self, message: Message) -> None:
        """Bring a stream to the sessions of its recipient, or in it, on this node."""
        if message.conversation.is_of_room:
            self.fanout.stream(message)
        tell_each(self.of(message.recipient.number), lambda one: one.streamed(message))

    def show(self, showing: Showing) -> None:
        """Show it to the sessions of its receivers on this node."""
        appearance = showing.appearance
        for account in showing.receivers:
            tell_each(
                self._listeners.get(account, ()), lambda one: one.shown(appearance)
            )

    def dismiss(self, fact: SessionsEnd) -> None:
        """End the sessions that the fact is about."""
        for listener in self.of(fact.account):
            name = listener.connection
            if fact.connection in ("", name) and fact.spared != name:
                (listener.hang_up if fact.quiet else listener.dismissed)()

    def told(self, fact: Fact) -> None:
        """Make the fact true here."""
        if isinstance(fact, SessionsEnd):
            self.dismiss(fact)
        elif isinstance(fact, Loser):
            self.comebacks.displaced(fact.account, fact.comer)
        elif isinstance(fact, TakenOver):
            self.comebacks.took_over(fact.account, fact.comer)
        elif isinstance(fact, RelationChanged):
            tell_each(self.of(fact.account), lambda one: one.related())
        elif isinstance(fact, RoomChanged):
            self.membership_changed(fact)
            room = fact.room
            tell_each(self.of(fact.account), lambda one: one.regrouped(room))
            self.fanout.changed(room)

    def present(self, account: int) -> list[Presence]:
        """The account's sessions on this node, for the rule of admission."""
        now = self._now()
        return [
            Presence(
                one.connection,
                Comer(one.device, one.source),
                now - one.since,
                now - one.heard,
            )
            for one in self.of(account)
        ]

    def leave_behind(self, account: int, key: bytes, leftover: Leftover) -> None:
        """
        Remember for ten minutes what a lost connection had in flight.

        Two connections of one reader may be lost one after the other: what either of
        them knew to be confirmed is confirmed.
        """
        earlier = self.pick_up(account, key)
        if earlier is not None:
            leftover = earlier.merged(leftover)
        self._leftovers[account, key] = (
            self._now() + limits.FLIGHT_SECONDS,
            leftover,
        )
        while len(self._leftovers) > limits.FLIGHTS:
            self._leftovers.popitem(last=False)

    def pick_up(self, account: int, key: bytes) -> Leftover | None:
        """Take what the reader's last lost connection left behind, if it is fresh."""
        until, leftover = self._leftovers.pop((account, key), (0.0, None))
        return leftover if until > self._now() else None


def _raising(head: int) -> Callable[[Listener], None]:
    return lambda one: one.raised(head)
