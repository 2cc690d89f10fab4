"""A virtual room on one node: who is subscribed here, and what this turn brings.

This is where the time goes: a piece for a thousand subscribers is one object for each
of two forms, and one call for each subscriber that is up to date. The others have a
backlog (``timtw.rooms.live.subscription``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from timtw.core.apart import at_fault
from timtw.model.events import Event, LiveEnded, Pieces, PiecesDropped
from timtw.model.limits import LIVE_VOLLEY_BYTES, LIVE_VOLLEY_PIECES, PIECE_BYTES
from timtw.model.live import Ending, Flow, LiveLine, LiveRoom, Piece
from timtw.rooms.live.valve import Valve
from timtw.rooms.live.works import Works

if TYPE_CHECKING:
    from timtw.rooms.live.subscription import Subscription


class Crowd:
    """The subscribers of one form.

    Attributes:
        brisk: Those that are up to date, and how they are told.
        slow: Those for whom something waits, or whose line takes nothing.
    """

    __slots__ = ("binary", "brisk", "slow")

    def __init__(self, binary: bool) -> None:
        self.binary = binary
        self.brisk: dict[Subscription, Callable[[Event], bool]] = {}
        self.slow: dict[Subscription, None] = {}

    def __len__(self) -> int:
        return len(self.brisk) + len(self.slow)


class Room:
    """One virtual room, as far as this node has to do with it.

    Attributes:
        known: What every node knows of it.
        last: When somebody has pushed here, or this node has come to know the room.
        founder_seen: Until when its founder was certainly somewhere.
        doubted: When the node that decides was last asked whether it knows the room.
        is_ours: Whether this node decides about its end, as far as it has noticed.
        is_asked: Whether other nodes are being asked about it.
        closing: Whether it takes nothing more.
    """

    __slots__ = (
        "_news",
        "_octets",
        "closing",
        "crowds",
        "doubted",
        "dropped",
        "drops",
        "founder_seen",
        "is_asked",
        "is_ours",
        "known",
        "last",
        "number",
        "sent",
        "valve",
        "works",
    )

    def __init__(self, known: LiveRoom, works: Works) -> None:
        """Nobody is subscribed."""
        self.known = known
        self.number = known.room
        self.drops = known.flow is Flow.LIVE
        self.works = works
        self.crowds: tuple[Crowd, ...] = ()
        self.valve = None if self.drops else Valve(self._repay)
        self.last = self.founder_seen = self.doubted = works.clock.seconds()
        self.is_ours = self.is_asked = self.closing = False
        self.sent = 0
        self.dropped = 0
        self._news: list[Piece] = []
        self._octets = 0

    @property
    def subscribers(self) -> int:
        """How many there are here."""
        return sum(map(len, self.crowds))

    @property
    def line(self) -> LiveLine:
        """What an operator sees of it."""
        return LiveLine(self.known, self.subscribers, self.sent, self.dropped)

    def may_push(self, account: int) -> bool:
        """Whether an account may push into it."""
        known = self.known
        return not self.closing and (
            account == known.founder or account in known.pushers
        )

    def push(self, piece: Piece) -> None:
        """Pass a piece on with what else this turn brings."""
        news = self._news
        if not news:
            self.works.at_end(self)
        news.append(piece)
        self._octets += len(piece.body) + PIECE_BYTES
        if self._octets >= LIVE_VOLLEY_BYTES or len(news) >= LIVE_VOLLEY_PIECES:
            self.flush()

    def flush(self) -> None:
        """Pass on what was gathered, here and to other nodes."""
        if not self._news:
            return
        pieces, octets = tuple(self._news), self._octets
        self._news = []
        self._octets = 0
        works = self.works
        works.pushed += len(pieces)
        self.last = works.clock.seconds()
        self._spread(pieces, octets)
        if works.mesh.has_peers:
            send, valve = works.shipping.send, self.valve
            for to in works.mesh.holders(self.number):
                self._count(send(to, self.number, pieces, octets, valve))

    def arrived(
        self, origin: str, pieces: tuple[Piece, ...], upto: int, dropped: int
    ) -> None:
        """Pieces of another node have come."""
        if dropped:
            self._tell_dropped(dropped)
        octets = sum(len(piece.body) + PIECE_BYTES for piece in pieces)
        self._spread(pieces, octets)
        if self.valve is None:
            self._repay(origin, upto)
        else:
            self.valve.owe(origin, upto)

    def _repay(self, origin: str, upto: int) -> None:
        """What another node has shipped up to here is taken."""
        self.works.mesh.repay(origin, self.number, upto)

    def _spread(self, pieces: tuple[Piece, ...], octets: int) -> None:
        """Tell everybody here."""
        count = len(pieces)
        for crowd in self.crowds:
            brisk, slow = tuple(crowd.brisk.items()), tuple(crowd.slow)
            if not brisk and not slow:
                continue
            event = Pieces(pieces, crowd.binary)
            for subscription, offer in brisk:
                try:
                    offer(event)
                except Exception:
                    at_fault(subscription.seat)
            self.has_sent(count * len(brisk))
            for subscription in slow:
                self._count(subscription.wait(event, octets, count))

    def has_sent(self, count: int) -> None:
        """So many pieces were handed to subscribers."""
        self.sent += count
        self.works.sent += count

    def _count(self, dropped: int) -> None:
        self.dropped += dropped
        self.works.dropped += dropped

    def _tell_dropped(self, count: int) -> None:
        """Pieces were dropped on the way to this node."""
        event = PiecesDropped(self.number, count)
        for crowd in self.crowds:
            for subscription, offer in tuple(crowd.brisk.items()):
                if subscription.seat.additions:
                    offer(event)
            for subscription in crowd.slow:
                subscription.missed(count)

    # Subscribers.

    def enter(self, subscription: Subscription) -> None:
        """From now on tell a subscriber; what was pushed before is not for it."""
        self.flush()
        if not self.crowds:
            self.crowds = (Crowd(False), Crowd(True))
            self.works.mesh.entered(self.number)
        self.paced(subscription)

    def leave(self, subscription: Subscription) -> None:
        """Tell it nothing any more."""
        self.flush()
        self._remove(subscription)
        if not self.subscribers:
            self.crowds = ()
            self.works.mesh.left(self.number)
        if self.valve is not None:
            self.valve.open(subscription)

    def switch(self, subscription: Subscription) -> None:
        """Tell it in the other form from now on."""
        self.flush()
        self._remove(subscription)
        subscription.binary = not subscription.binary
        self.paced(subscription)

    def paced(self, subscription: Subscription) -> None:
        """Its line has become slow, or it is up to date."""
        crowd = self.crowds[subscription.binary]
        if subscription.backlog is None:
            crowd.slow.pop(subscription, None)
            crowd.brisk[subscription] = subscription.seat.offer
        else:
            crowd.brisk.pop(subscription, None)
            crowd.slow[subscription] = None

    def _remove(self, subscription: Subscription) -> None:
        crowd = self.crowds[subscription.binary]
        crowd.brisk.pop(subscription, None)
        crowd.slow.pop(subscription, None)

    def end(self, why: Ending) -> None:
        """Tell everybody here that it has ended, behind what they still get."""
        self.flush()
        self.closing = True
        if self.drops:
            self.works.shipping.forget(self.number)
        event = LiveEnded(self.number, why)
        crowds, self.crowds = self.crowds, ()
        everybody = [one for crowd in crowds for one in (*crowd.brisk, *crowd.slow)]
        if everybody:
            self.works.mesh.left(self.number)
        if self.valve is not None:
            self.valve.give_up()
        for subscription in everybody:
            subscription.ended(event)
