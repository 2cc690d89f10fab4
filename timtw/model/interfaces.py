"""The seams between clients, core and mesh.

A client is two things: what it may ask (``ISession``) and how it is reached
(``IOutbox``). The seam between nodes is ``timtw.model.peers``, that to storage
``timtw.model.stores``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from timtw.model.commands import (
    Command,
    IssueToken,
    LiveCommand,
    Push,
    Register,
    RoomCommand,
)
from timtw.model.errors import TimError
from timtw.model.events import Event, Streamed
from timtw.model.live import Freight, LiveFact, LiveReport, LiveSeen, Parcel
from timtw.model.peers import EndTurn, Fact, Offer, Presence
from timtw.model.progress import Mark
from timtw.model.values import AccountLine, Address, LogEntry, Message


class IOutbox(Interface):
    """A client, as the core sees it."""

    page_bytes: int = Attribute(
        "Largest page of the backlog in this client's encoding."
    )

    def offer(event: Event) -> bool:
        """
        Take ``event`` for this client, in order.

        Returns: ``False`` if it was not taken because the line is gone. What was taken
            is on an open transport, which does not mean that it arrives.
        """

    def measure(entry: LogEntry) -> int:
        """How many bytes ``entry`` takes in this client's encoding."""

    def hold() -> None:
        """Read nothing more from this client until ``proceed``."""

    def proceed() -> None:
        """Go on reading after ``hold``."""

    def close() -> None:
        """End the line after what was offered has gone out. May be called again."""

    def abort() -> None:
        """End the line at once; what has not gone out is dropped."""


class ISession(Interface):
    """What one connection may ask of the core."""

    def received(command: Command) -> None:
        """Carry out ``command`` after all earlier ones. Never raises a TimError."""

    def acknowledged(receipts: Sequence[int]) -> None:
        """The client has received what was sent under these receipts, one or more."""

    def alive() -> None:
        """A sign of life that is no command was seen."""

    def writable(now: bool) -> None:
        """The line takes more bytes, or does not until the next call."""

    def refused(entry_too_much: bool) -> None:
        """
        The client is about to hang up by itself.

        Args:
            entry_too_much: Whether its close says that a frame was more than it
                could take, so that the oldest unconfirmed entry is suspect.
        """

    def lost() -> None:
        """The line is gone. Called once, and nothing is called afterwards."""


class IFrontDesk(Interface):
    """Where connections and requests without a connection come in."""

    def open(outbox: IOutbox, source: str) -> ISession:
        """
        A new connection from ``source``, a text that stands for its address.

        Raises TooFrequent: the node has as many connections as it may have.
        """

    def register(command: Register, source: str) -> Deferred[Address]:
        """
        Make an account.

        Fails with NameTaken, BadParameter, Overloaded, TooFrequent, NotServed
        (registration is closed) or StorageUnavailable.
        """

    def issue_token(command: IssueToken, source: str) -> Deferred[str]:
        """
        A token for one login: the decimal text of a number from 1 to 2**53 - 1.

        Fails with WrongPassword, BadParameter, Overloaded, TooFrequent or
        StorageUnavailable.
        """


class IRouter(Interface):
    """Brings hints to the sessions of accounts, on this node and on others."""

    def publish(offers: Sequence[Offer]) -> None:
        """Offer these entries to every session of their accounts, everywhere."""

    def mark(mark: Mark) -> None:
        """Tell the sessions that are to hear of it, everywhere."""

    def stream(message: Message) -> None:
        """Bring a stream to the recipient's sessions, everywhere. May be lost."""

    def announce(fact: Fact) -> None:
        """Make the fact true on every node."""

    def turn(account: int) -> Deferred[EndTurn]:
        """Wait until no other node lets devices of the account in; see ``IMesh``."""

    def elsewhere(account: int) -> Deferred[Sequence[Presence]]:
        """The account's sessions on other nodes; see ``IMesh.present``."""

    def settle(account: int, over: Sequence[str]) -> Deferred[None]:
        """Have other nodes store what they know of the account; see ``IMesh``."""


class IGroups(Interface):
    """What accounts ask about rooms."""

    def carry_out(me: Address, command: RoomCommand) -> Deferred[Sequence[Event]]:
        """
        Do what an account asks; fires with what it is told.

        Fails with what ``timtw.model.roomsteps.decide`` or ``timtw.core.people.policy``
        refuse with, BadParameter, UnknownAccount, NotThere, TooFrequent, Overloaded or
        StorageUnavailable.
        """


class ISeat(Interface):
    """What one connection has to do with virtual rooms and parcels."""

    def carry_out(command: LiveCommand) -> Deferred[Sequence[Event]]:
        """
        Do what is asked about virtual rooms; fires with what the client is told.

        It is in effect when it fires. Fails with BadParameter, PermissionDenied,
        UnknownAccount, TooFrequent, Undefined or StorageUnavailable.
        """

    def push(command: Push) -> TimError | None:
        """Pass something on to those who have subscribed; or why not."""

    def learn(room: str) -> Deferred[bool]:
        """
        Ask the other nodes about a virtual room, before a push is refused.

        Fires with whether they knew more. Never fails.
        """

    def send(parcel: Parcel) -> None:
        """Pass a parcel on, which the account of this connection may send."""

    def settled() -> Deferred[None] | None:
        """
        Let what was pushed and sent here go before whatever follows it.

        Fires when nothing waits any more to go to other nodes; ``None`` if so already.
        """

    def tell(event: Streamed) -> None:
        """Bring a stream to the client, behind what waits for it. May be lost."""

    def writable(now: bool) -> None:
        """The line takes more bytes, or does not until the next call."""

    def left() -> None:
        """The connection has ended; nothing may refer to it any more."""


class ILive(Interface):
    """Virtual rooms and parcels, as one node has them.

    Between nodes it is told and asked the same as an ``INeighbour``.
    """

    def start() -> None:
        """Begin to look for rooms that have ended by themselves."""

    def stop() -> None:
        """End the rooms whose home this node is."""

    def seat(
        me: Address,
        outbox: IOutbox,
        additions: bool,
        takes: bool,
        hold: Callable[[str, bool], None],
    ) -> ISeat:
        """
        A place for a connection.

        Args:
            additions: Whether the client knows our additions.
            takes: Whether its line takes bytes at the moment.
            hold: Reads nothing from the client for a reason, or no longer for it.
        """

    def told(fact: LiveFact) -> None:
        """Make the fact true here."""

    def shipped(origin: str, freight: Freight) -> None:
        """See ``INeighbour``."""

    def repaid(origin: str, stream: int, upto: int) -> None:
        """See ``INeighbour``."""

    def live(room: int) -> LiveSeen | None:
        """See ``INeighbour``."""

    def report() -> LiveReport:
        """What an operator sees of it."""


class IOffice(Interface):
    """What operators do with accounts, on a running node or on its storage alone.

    Accounts are named by login name and domain. When an operation has fired, it holds
    on every node: sessions that it ends have been told to go. A name that does not
    exist fails with UnknownAccount, storage that fails with StorageUnavailable.
    """

    def add(name: str, password: str, domain: str) -> Deferred[Address]:
        """Make an account. Fails with NameTaken or BadParameter as well."""

    def set_password(name: str, domain: str, password: str) -> Deferred[None]:
        """
        Set a password; sessions, tokens and credentials of the account end.

        Fails with BadParameter as well.
        """

    def block(name: str, domain: str, seconds: int) -> Deferred[None]:
        """
        Refuse logins for so long, 0 for ever; sessions, tokens, credentials end.

        Blocks are kept in storage: a restart does not lift them. Fails with
        BadParameter for less than 0 seconds, or more than ``BLOCK_SECONDS``.
        """

    def unblock(name: str, domain: str) -> Deferred[None]:
        """Allow logins again; not being blocked is fine."""

    def kick(name: str, domain: str) -> Deferred[None]:
        """
        End the account's sessions, which shall not come back by themselves.

        Tokens and credentials end as well; whoever has the password may log in.
        """

    def accounts(after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """The next accounts by number behind ``after``, from ``FIRST_ACCOUNT`` on."""

    def live() -> LiveReport:
        """Streams on the running node; nothing where none runs."""
