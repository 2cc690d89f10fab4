"""What the tests of the client protocol have in common: people, a core that records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.testing import StringTransport
from zope.interface import directlyProvides, implementer

from timtw.model import events
from timtw.model.commands import Acknowledge, Command, IssueToken, LogIn, Register
from timtw.model.errors import TooFrequent
from timtw.model.interfaces import IFrontDesk, IOutbox, ISession
from timtw.model.values import Address, Content, Conversation, Device, LogEntry, Message
from timtw.protocols.bigdata import Reservations
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings

ALICE = Address(11, "A")
BOB = Address(22, "B")
PHONE = Device("r", 1)


def text(mid: int = 7, words: str = "hi", device: Device | None = PHONE) -> Message:
    """A text of Alice to Bob with the id 55."""
    return Message(
        conversation=Conversation.between(ALICE.number, BOB.number),
        mid=mid,
        ident=55,
        sender=ALICE,
        recipient=BOB,
        timestamp=17,
        content=Content(text=words),
        device=device,
    )


def entry(seq: int = 3, **values: Any) -> LogEntry:
    """An entry of Bob's log."""
    return LogEntry(seq, text(**values), own=False)


def login(codec: Codec, additions: bool = False) -> LogIn:
    """A login as the wire makes it."""
    return LogIn("alice", "pw", "", "", PHONE, additions=additions, about=codec)


def logged_in(codec: Codec, additions: bool = False, **values: Any) -> events.LoggedIn:
    """The event that Alice is logged in."""
    told: dict[str, Any] = {"server": 1, "connection": "c", "head": 9} | values
    return events.LoggedIn(login(codec, additions), ALICE, **told)


def wire(
    codec: Codec | None = THRIFT, additions: bool = False, limit: int = 1000
) -> ClientWire:
    """The wire of a client that is logged in; with no codec, of one that is not."""
    made = ClientWire(Encodings(), limit, Reservations())
    if codec is not None:
        made.encode(logged_in(codec, additions))
    return made


JSON_TEXT = (
    b'{"msType":2,"odType":1,"id":55,"mid":7,"fromTid":{"node":"A","resource":"r",'
    b'"termtyp":1},"toTid":{"node":"B"},"dataString":"hi","timestamp":17}'
)
THRIFT_TEXT = bytes.fromhex(
    "1302 1301 166e 160e 2c 180141 280172 1301 00 1c 180142 00 38026869 2622 00"
)
CODECS = (JSON, THRIFT)


@implementer(ISession)
class RecordingSession:
    """A core's side of a connection that writes down what it is told."""

    def __init__(self, outbox: IOutbox) -> None:
        self.outbox: IOutbox = outbox
        self.commands: list[Command] = []
        self.told: list[object] = []

    def received(self, command: Command) -> None:
        """Write a command down; see ISession."""
        self.commands.append(command)

    def acknowledged(self, receipts: Sequence[int]) -> None:
        """See ISession."""
        self.commands += map(Acknowledge, receipts)

    def alive(self) -> None:
        """See ISession."""
        self.told.append("alive")

    def writable(self, now: bool) -> None:
        """See ISession."""
        self.told.append(("writable", now))

    def refused(self, entry_too_much: bool) -> None:
        """See ISession."""
        self.told.append(("refused", entry_too_much))

    def lost(self) -> None:
        """See ISession."""
        self.told.append("lost")
        del self.outbox


@implementer(IFrontDesk)
class RecordingDesk:
    """A core that takes connections and answers HTTP requests when told to."""

    def __init__(self, full: bool = False) -> None:
        self.full = full
        self.sessions: list[RecordingSession] = []
        self.sources: list[str] = []
        self.asked: list[Register | IssueToken] = []
        self.answers: list[Deferred[Any]] = []

    def open(self, outbox: IOutbox, source: str) -> RecordingSession:
        """See IFrontDesk."""
        self.sources.append(source)
        if self.full:
            raise TooFrequent
        self.sessions.append(RecordingSession(outbox))
        return self.sessions[-1]

    def _ask(self, command: Register | IssueToken, source: str) -> Deferred[Any]:
        """Write a request down; the test answers it."""
        self.sources.append(source)
        self.asked.append(command)
        self.answers.append(Deferred())
        return self.answers[-1]

    def register(self, command: Register, source: str) -> Deferred[Address]:
        """See IFrontDesk."""
        return self._ask(command, source)

    def issue_token(self, command: IssueToken, source: str) -> Deferred[str]:
        """See IFrontDesk."""
        return self._ask(command, source)


class Socket(StringTransport):
    """A transport in memory that can be full, reads only when asked, and closes."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.no_delay = False
        self.aborted = False
        self.limit = 1 << 30
        self.reading = True
        self.writes = 0
        directlyProvides(self, ITCPTransport)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Remember that small frames are not held back."""
        self.no_delay = enabled

    def write(self, data: bytes) -> None:
        """Take bytes; say that it is enough beyond ``limit``."""
        super().write(data)
        self.writes += 1
        if self.producer is not None and len(self.value()) > self.limit:
            self.producer.pauseProducing()

    def drain(self) -> bytes:
        """The client has read everything."""
        data = bytes(self.value())
        self.clear()
        if self.producer is not None:
            self.producer.resumeProducing()
        return data

    def pauseProducing(self) -> None:
        """Read nothing."""
        self.reading = False

    def resumeProducing(self) -> None:
        """Read again."""
        self.reading = True

    def abortConnection(self) -> None:
        """Remember that the line was cut."""
        self.aborted = True
