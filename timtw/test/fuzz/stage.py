"""What the doors are fuzzed with: a core that answers everything at once, and lines."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model import commands, events, values
from timtw.model.commands import Command, IssueToken, Register
from timtw.model.errors import NameTaken, PermissionDenied
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.live import Ending, Parcel, Piece
from timtw.model.profiles import About, Profile
from timtw.model.values import (
    Account,
    Address,
    Conversation,
    LogEntry,
    Message,
)
from timtw.protocols.outgoing import REMOVALS
from timtw.test.fuzz.meter import check
from timtw.test.wirekit import ALICE, BOB, PHONE, Socket

_GONE: Final = Failure(ConnectionDone())


def answers(command: Command, seq: int) -> Iterator[events.Event]:
    """What a client is told that asks for something: as much as there can be."""
    if isinstance(command, commands.LogIn):
        if not command.name:
            yield events.Refused(command, NameTaken())
        else:
            yield events.LoggedIn(command, ALICE, 1, "c", 9, "credential")
            yield events.AlreadyLoggedIn(command)
    elif isinstance(command, commands.SendMessage):
        yield from _sent(command, seq)
    elif isinstance(command, commands.Unacceptable):
        yield events.Refused(command, command.error)
    elif isinstance(command, commands.ReadProfiles):
        yield events.Profiles(tuple(map(_profile, command.nodes)))
    elif isinstance(command, commands.FindAccount):
        yield events.Profiles((_profile(ALICE.node, command.name),))
    elif isinstance(command, commands.ChangeProfile):
        yield events.ProfileChanged(command)
    elif isinstance(command, commands.LiveCommand):
        yield events.LiveDone(command, 7)
        yield events.LiveEnded(7, Ending.IDLE)
    elif isinstance(command, commands.Push):
        piece = Piece(7, ALICE, command.body, command.dtype, seq)
        yield from (events.Pieces((piece, piece), raw) for raw in (False, True))
        yield events.PiecesDropped(7, seq)
        yield events.Refused(command, PermissionDenied())
    elif isinstance(command, commands.SendParcel):
        parcel = Parcel(ALICE, BOB, command.octets, command.is_text)
        yield events.ParcelCame(parcel)
    else:
        yield from _ANSWERS.get(type(command), [])
    if not isinstance(command, commands.Acknowledge | commands.Unacceptable):
        yield events.Refused(command, NameTaken())


_ANSWERS: Final[dict[type, list[events.Event]]] = {
    commands.Ping: [events.Pong()],
    commands.FetchBacklog: [events.EndOfBacklog()],
    commands.ChangePassword: [events.PasswordChanged("credential")],
    commands.LogOut: [events.LoggedOut()],
    commands.PullHistory: [events.History(())],
}


def _profile(node: str, name: str | None = None) -> Profile:
    """What an account tells about itself."""
    return Profile(Account(Address(7, node), 17), About(name))


def _sent(command: commands.SendMessage, seq: int) -> Iterator[events.Event]:
    """A message as everybody hears of it, now and later."""
    message = Message(
        conversation=Conversation.between(ALICE.number, BOB.number),
        mid=0 if command.kind == values.STREAM else seq,
        ident=command.ident or 55,
        sender=ALICE,
        recipient=BOB,
        timestamp=17,
        content=command.content,
        device=PHONE,
        kind=command.kind,
    )
    if command.kind == values.STREAM:
        yield events.Streamed(message)
        return
    entry = LogEntry(seq, message, own=True)
    yield events.Delivery(entry, 0)
    yield events.Delivery(entry, seq, backlog=True)
    yield events.Page((entry, entry), seq)
    yield events.History((message,))
    yield events.Repeated(message)
    yield events.Accepted(command)
    if command.kind in REMOVALS:
        yield events.Removed(command)


@implementer(ISession)
class Session:
    """Writes down what a client wants, and answers at once."""

    def __init__(self, outbox: IOutbox, slow: bool) -> None:
        self.outbox: IOutbox = outbox
        self.commands: list[Command] = []
        self.signs = self.ends = 0
        self.held = False
        self._slow = slow

    def received(self, command: Command) -> None:
        """See ISession."""
        self.commands.append(command)
        for event in answers(command, len(self.commands)):
            if isinstance(event, events.Delivery):
                self.outbox.measure(event.entry)
            self.outbox.offer(event)
        if isinstance(command, commands.LogOut):
            self.outbox.close()
        elif self._slow and not self.held:
            self.held = True
            self.outbox.hold()

    def acknowledged(self, receipts: Sequence[int]) -> None:
        """See ISession."""
        for receipt in receipts:
            self.received(commands.Acknowledge(receipt))

    def proceed(self) -> None:
        """What was asked is done."""
        self.held = False
        self.outbox.proceed()

    def alive(self) -> None:
        """See ISession; a line that is ending has no life to show."""
        outbox: Any = self.outbox
        self.signs += outbox.in_touch

    def writable(self, now: bool) -> None:
        """See ISession."""

    def refused(self, entry_too_much: bool) -> None:
        """See ISession."""

    def lost(self) -> None:
        """See ISession."""
        self.ends += 1


@implementer(IFrontDesk)
class Desk:
    """A core that lets everybody in; ``slow``: one command at a time."""

    def __init__(self, slow: bool = False) -> None:
        self.sessions: list[Session] = []
        self.sources: list[str] = []
        self.asked: list[Register | IssueToken] = []
        self._slow = slow

    def open(self, outbox: IOutbox, source: str) -> Session:
        """See IFrontDesk."""
        self.sources.append(source)
        self.sessions.append(Session(outbox, self._slow))
        return self.sessions[-1]

    def register(self, command: Register, source: str) -> Deferred[Address]:
        """See IFrontDesk."""
        self.asked.append(command)
        return succeed(ALICE) if command.name else fail(NameTaken())

    def issue_token(self, command: IssueToken, source: str) -> Deferred[str]:
        """See IFrontDesk."""
        self.asked.append(command)
        return succeed("123") if command.name else fail(NameTaken())


class Line(Socket):
    """A socket that keeps quiet about what comes after its end."""

    def __init__(self) -> None:
        super().__init__()
        self.peerAddr: Any = None


@attrs.frozen
class Outcome:
    """What came of a stream of bytes."""

    asked: list[object]
    written: list[bytes]
    sources: list[str]


@implementer(ILogObserver)
class Failures:
    """In its block nothing may be logged as a failure, whatever clients send."""

    def __enter__(self) -> None:
        self._found: list[LogEvent] = []
        globalLogPublisher.addObserver(self)

    def __call__(self, event: LogEvent) -> None:
        """See ILogObserver."""
        if event.get("isError") or "log_failure" in event:
            self._found.append(event)

    def __exit__(self, *error: object) -> None:
        globalLogPublisher.removeObserver(self)
        traces = [str(one.get("log_failure")) for one in self._found]
        check(not traces, "a failure was logged:", *traces)


def _comparable(command: Command) -> object:
    """A command, equal to others that say the same; errors are not."""
    if isinstance(command, commands.Unacceptable):
        return repr(command.error), command.at_login, command.about
    return command


def pieces(data: bytes, how: int) -> Iterator[bytes]:
    """``data`` cut at places that ``how`` decides; below 8, most of them."""
    dice, start = random.Random(how), 0
    sizes = (1,) if how < 8 and len(data) < 200 else (1, 1, 2, 5, 30, 200)
    while start < len(data):
        end = start + dice.choice(sizes)
        yield data[start:end]
        start = end


def run(
    make: Callable[[Desk, Clock], Any],
    stream: list[bytes],
    slow: bool,
    split: Callable[[bytes, bool], list[bytes]],
) -> Outcome:
    """Bring a stream to a protocol, lose the line, and see that nothing is left.

    Args:
        make: Makes the protocol.
        slow: Whether the core lets only one command at a time in.
        split: Cuts what was written into what can be compared; is told whether the
            line was ended as well.
    """
    clock, desk, line = Clock(), Desk(slow), Line()
    line.protocol = make(desk, clock)
    line.protocol.makeConnection(line)
    for piece in stream:
        if line.aborted or line.disconnected:
            break
        line.protocol.dataReceived(piece)
        clock.advance(0)
        while any(session.held for session in desk.sessions):
            for session in desk.sessions:
                session.proceed()
            clock.advance(0)
    written, ended = line.value(), line.aborted or line.disconnecting
    protocol, line.protocol, line.producer = line.protocol, None, None
    protocol.connectionLost(_GONE)
    clock.advance(0)
    check(not clock.getDelayedCalls(), "a timer is left", clock.getDelayedCalls())
    check(all(one.ends == 1 for one in desk.sessions), "a session did not end once")
    asked: list[object] = [*desk.asked]
    for session in desk.sessions:
        asked += map(_comparable, session.commands)
        asked.append(session.signs)
    return Outcome(asked, split(written, ended), desk.sources)
