"""The seam between nodes: what they tell each other, and how.

A node asks others through ``IMesh`` and answers them as an ``INeighbour``. A mesh only
carries calls; what they do is written in ``timtw.core``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from timtw.model.live import Freight, LiveFact, LiveSeen
from timtw.model.presence import Parting, Showing
from timtw.model.progress import Mark
from timtw.model.value import value
from timtw.model.values import Conversation, Device, LogEntry, Message


@value
class Offer:
    """A hint that an account's log has grown, with the new entry in hand."""

    account: int
    entry: LogEntry


@value
class Comer:
    """A device at a login: what it states, and a text that stands for its address."""

    device: Device
    source: str


@value
class Presence:
    """A session of an account, as its node knows it.

    Args:
        age: Seconds since the login.
        silence: Seconds since the last sign of life.
    """

    connection: str
    comer: Comer
    age: float
    silence: float


@value
class SessionsEnd:
    """A fact: sessions of this account shall end.

    Args:
        connection: Only the session of this connection; empty for all of them.
        spared: All but the session of this connection; empty for no exception.
        quiet: Without the log-out notice.
    """

    account: int
    connection: str = ""
    spared: str = ""
    quiet: bool = False


@value
class Loser:
    """A fact: this device was displaced, or refused when it came back after that."""

    account: int
    comer: Comer


@value
class TakenOver:
    """A fact: this device has taken over its own old line."""

    account: int
    comer: Comer


@value
class RelationChanged:
    """A fact: what these two accounts are to each other has changed, or may have.

    Args:
        account: Whose doing it was.
    """

    pair: Conversation
    account: int


@value
class ProfileSet:
    """A fact: an account has changed its profile, or may have."""

    account: int


@value
class RoomChanged:
    """A fact: a room has changed, or what an account is to it, or may have.

    Args:
        account: The account; 0 where the room itself has changed, for everybody.
    """

    room: int
    account: int = 0


Fact: TypeAlias = (
    SessionsEnd
    | Loser
    | TakenOver
    | RelationChanged
    | ProfileSet
    | RoomChanged
    | LiveFact
)
"""What every node has to know at once."""

EndTurn: TypeAlias = Callable[[], None]
"""Ends a turn (``IMesh.turn``). Called once."""


class IMesh(Interface):
    """The other nodes, as one node sees them: directory, routing and facts."""

    has_peers: bool = Attribute("Whether hints of other nodes can get lost.")
    name: str = Attribute("What the other nodes call this one.")

    def join(neighbour: INeighbour) -> None:
        """Begin to hand to ``neighbour`` what other nodes send. Called once."""

    def entered(account: int) -> None:
        """The account has its first session on this node."""

    def left(account: int) -> None:
        """The account's last session on this node has ended."""

    def publish(offers: Sequence[Offer]) -> None:
        """Bring each offer to the other nodes that hold its account. May be lost."""

    def mark(mark: Mark) -> None:
        """Bring it to the other nodes that hold whom it is told to. May be lost."""

    def stream(message: Message) -> None:
        """Bring a stream to the other nodes that hold its recipient. May be lost."""

    def show(showings: Sequence[Showing]) -> None:
        """
        Bring each to the other nodes that hold some of its receivers.

        A node is told of each once, with its receivers there. May be lost; what comes
        from one node comes in the order in which it was sent.
        """

    def take_over(partings: Sequence[Parting]) -> Deferred[Collection[int]]:
        """
        Ask which of these accounts other nodes have, or give time to come back.

        They take over what the accounts have shown. Never fails: who does not answer
        within ``PRESENT_SECONDS`` has none.
        """

    def attends(parting: Parting) -> None:
        """
        What an account has shown here, for the case that this node vanishes.

        Another node is told then to wait for the account (``INeighbour.inherit``). This
        is forgotten with ``left``, and when this node leaves.
        """

    def bequeath(partings: Sequence[Parting]) -> None:
        """This node stops; let another one wait for these accounts. May be lost."""

    def announce(fact: Fact) -> None:
        """Tell the fact to every other node."""

    def turn(account: int) -> Deferred[EndTurn]:
        """
        Wait for the right to let devices of the account in.

        One node, the same for all, owns the account and lends turns
        (``INeighbour.lend``). Never fails: without the owner, or after
        ``TURN_SECONDS``, it fires all the same, and others are not kept waiting.
        """

    def present(account: int) -> Deferred[Sequence[Presence]]:
        """
        The account's sessions on the other nodes.

        Never fails: who does not answer within ``PRESENT_SECONDS`` is left out.
        """

    def settle(account: int, over: Sequence[str]) -> Deferred[None]:
        """
        Have the other nodes store what devices of the account have confirmed there.

        The sessions of the connections ``over`` end first, without the log-out
        notice. Never fails: nobody is waited for beyond ``SETTLE_SECONDS``.
        """

    def others() -> Collection[str]:
        """The other nodes that can be reached at the moment."""

    def holders(number: int) -> Collection[str]:
        """Those of them that ``entered`` with this account or room."""

    def ship(to: str, freight: Freight) -> None:
        """Bring pieces or parcels to a node, in order. May be lost."""

    def repay(to: str, stream: int, upto: int) -> None:
        """Tell a node that what it shipped up to here is taken. May be lost."""

    def live(room: int) -> Deferred[Sequence[LiveSeen]]:
        """
        What the other nodes know of a virtual room.

        Never fails: who does not answer within ``PRESENT_SECONDS`` is left out.
        """

    def leave() -> None:
        """This node stops: nothing more comes to its neighbour."""


class INeighbour(Interface):
    """What a node does with what others send it."""

    def offered(offers: Sequence[Offer]) -> None:
        """Offer these entries to the sessions here, and only here."""

    def marked(mark: Mark) -> None:
        """Tell the sessions here that are to hear of it, and only here."""

    def streamed(message: Message) -> None:
        """Bring a stream to the sessions of its recipient here, and only here."""

    def shown(showings: Sequence[Showing]) -> None:
        """Show these to the sessions of their receivers here, and only here."""

    def take_over(partings: Sequence[Parting]) -> Sequence[int]:
        """Take over what these have shown, if they are here or are waited for."""

    def inherit(partings: Sequence[Parting]) -> None:
        """Wait for these accounts, whose node has stopped, or has vanished."""

    def told(fact: Fact) -> None:
        """Make the fact true here."""

    def lend(account: int) -> Deferred[int]:
        """
        The next turn with an account that this node owns; fires with its number.

        There is one at a time per account, and each ends by itself after
        ``TURN_SECONDS``, in case that the borrower is gone.
        """

    def returned(turn: int) -> None:
        """A turn that was lent is over. May come after it has ended by itself."""

    def present(account: int) -> Sequence[Presence]:
        """The account's sessions here."""

    def settle(account: int, over: Sequence[str]) -> Deferred[None]:
        """End these sessions here, quietly; fires when all cursors are stored."""

    def shipped(origin: str, freight: Freight) -> None:
        """Bring pieces or parcels to whom they are for here, and only here."""

    def repaid(origin: str, stream: int, upto: int) -> None:
        """A node has taken what was shipped to it up to here."""

    def live(room: int) -> LiveSeen | None:
        """What this node knows of a virtual room."""

    def reunited(accounts: Sequence[int]) -> None:
        """
        See that no more devices of these accounts are logged in than may be.

        They have sessions on several nodes, and for a while not all of those, or
        not the owner, could be reached. One node is told.
        """
