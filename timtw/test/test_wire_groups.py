"""Groups on the wire: what clients send, what they get, and many frames at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import commands, events
from timtw.model.commands import SendMessage
from timtw.model.errors import BadParameter, PermissionDenied, UnknownAccount
from timtw.model.idents import node_of
from timtw.model.values import (
    REVOCATION,
    STREAM,
    TEXT,
    Address,
    Content,
    Conversation,
    Device,
    LogEntry,
    Message,
)
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.encodings import Encodings
from timtw.protocols.frames import (
    masked_answers,
    split_frame,
    tcp_answers,
    tcp_message,
    websocket_message,
)
from timtw.protocols.outgoing import Speaker
from timtw.protocols.refusals import Note
from timtw.protocols.structs import Tid, TimAck, TimMessage, TimReq
from timtw.protocols.wsreader import unmask
from timtw.test.wirekit import CODECS, wire

ROOM = Address(77, node_of(77), "here")
ADA = Address(5, node_of(5), "here")


def entry(seq: int, text: str = "hi", kind: int = TEXT) -> LogEntry:
    """An entry of the room's log."""
    pair = Conversation.of_room(ROOM.number)
    device = Device("phone", 1)
    message = Message(pair, seq, seq, ADA, ROOM, 9, Content(text), device, kind)
    return LogEntry(seq, message, False)


def speaker(codec: Codec, additions: bool = False) -> Speaker:
    """What a logged-in client is told."""
    made = Speaker(Encodings())
    made.codec, made.additions = codec, additions
    return made


class Incoming(SynchronousTestCase):
    """Requests about groups."""

    def one(self, codec: Codec, type: int, body: bytes) -> commands.Command:
        """The command of a frame."""
        head = bytes([type | (0x80 if codec is JSON else 0)])
        (command,) = wire(codec, True).receive(head + body)
        return command

    def test_texts_to_groups(self) -> None:
        """A text to a group names it in roomTid; toTid means nothing then."""
        for codec in CODECS:
            for to in (None, tid("bob")):
                message = TimMessage(
                    msType=3,
                    odType=1,
                    id=4,
                    roomTid=tid("R"),
                    toTid=to,
                    dataString="hi",
                )
                self.assertEqual(
                    self.one(codec, 90, codec.encode(message)),
                    SendMessage("", Content("hi"), 4, room="R"),
                )

    def test_private_texts(self) -> None:
        """A text to one member of a group names both."""
        for codec in CODECS:
            message = TimMessage(msType=2, odType=1, roomTid=tid("R"), toTid=tid("bob"))
            self.assertEqual(
                self.one(codec, 90, codec.encode(message)),
                SendMessage("bob", Content(), room="R"),
            )

    def test_kinds(self) -> None:
        """Texts, revocations, streams and custom kinds go to groups; burning not."""
        for order, kind in ((2, REVOCATION), (5, STREAM), (40, 40)):
            message = TimMessage(msType=3, odType=order, mid=7, roomTid=tid("R"))
            command = self.one(JSON, 90, JSON.encode(message))
            assert isinstance(command, SendMessage)
            self.assertEqual((kind, "R"), (command.kind, command.room))
        burn = TimMessage(msType=3, odType=3, mid=7, roomTid=tid("R"))
        self.refused(burn, BadParameter, "R")

    def test_missing_addresses(self) -> None:
        """Without anybody it is for a message is refused."""
        self.refused(TimMessage(msType=3, odType=1), UnknownAccount, None)
        only = TimMessage(msType=3, odType=1, toTid=tid("B"))
        self.refused(only, PermissionDenied, "B")
        only = TimMessage(msType=2, odType=1, roomTid=tid("R"))
        self.refused(only, PermissionDenied, "R")

    def refused(
        self, message: TimMessage, error: type[Exception], node: str | None
    ) -> None:
        """It is refused so, and the answer names the node."""
        command = self.one(JSON, 90, JSON.encode(message))
        assert isinstance(command, commands.Unacceptable), command
        self.assertIs(error, type(command.error))
        self.assertEqual(Note(90, n=node), command.about)

    def test_history_and_backlog(self) -> None:
        """History and backlog are had of one group."""
        for codec in CODECS:
            pull = TimReq(rtype=2, node="R", reqInt=9, reqInt2=3)
            self.assertEqual(
                self.one(codec, 21, codec.encode(pull)),
                commands.PullHistory("R", 9, 3, of_room=True),
            )
            fetch = TimReq(node="R", reqInt=9)
            self.assertEqual(
                self.one(codec, 17, codec.encode(fetch)),
                commands.FetchBacklog(9, "R"),
            )

    def test_a4_other_histories(self) -> None:
        """A history of an unheard-of kind is nobody's."""
        for kind in (0, 3, 4, -1):
            pull = TimReq(rtype=kind, node="R", reqInt=9, reqInt2=3)
            command = self.one(JSON, 21, JSON.encode(pull))
            assert isinstance(command, commands.Unacceptable)
            self.assertIsInstance(command.error, BadParameter)


def tid(node: str) -> Tid:
    """A Tid with nothing but a node."""
    return Tid(node=node)


class Outgoing(SynchronousTestCase):
    """What members get."""

    def test_deliveries(self) -> None:
        """A text of a group has roomTid and no toTid, and its number in the log."""
        for codec in CODECS:
            for additions in (False, True):
                (frame,) = speaker(codec, additions).encode(
                    events.Delivery(entry(3), 1 << 30)
                )
                self.assertEqual(b"\xda\x40\0\0\0", frame[:5])
                told = codec.decode(TimMessage, frame, 5)
                assert told.roomTid is not None
                self.assertEqual((3, 1, 3), (told.msType, told.odType, told.mid))
                self.assertEqual((ROOM.node, None), (told.roomTid.node, told.toTid))
                self.assertEqual(3 if additions else None, told.seq)

    def test_private_texts(self) -> None:
        """A text within a group names the group and the account."""
        content = Content("psst", room=ROOM.number)
        bob = Address(4, node_of(4), "here")
        pair = Conversation.between(ADA.number, bob.number)
        message = Message(pair, 1, 1, ADA, bob, 9, content)
        (frame,) = speaker(JSON).encode(events.Delivery(LogEntry(1, message, False), 1))
        told = JSON.decode(TimMessage, frame, 5)
        assert told.toTid is not None
        assert told.roomTid is not None
        self.assertEqual(2, told.msType)
        self.assertEqual((bob.node, ROOM.node), (told.toTid.node, told.roomTid.node))

    def test_revoked(self) -> None:
        """Who has revoked a text in a group is told so."""
        (frame,) = speaker(THRIFT).encode(events.Revoked(ROOM.node, 7))
        told = THRIFT.decode(TimAck, frame, 1)
        self.assertEqual(
            (True, 92, 3, ROOM.node, 7),
            (told.ok, told.timType, told.t, told.n, told.t2),
        )

    def test_expired(self) -> None:
        """That the beginning of a group's log is gone is told to clients of ours."""
        event = events.Expired(310, ROOM.node)
        self.assertEqual([], speaker(JSON).encode(event))
        (frame,) = speaker(JSON, True).encode(event)
        told = JSON.decode(TimMessage, frame, 1)
        assert told.roomTid is not None
        self.assertEqual((3, 9, 310), (told.msType, told.odType, told.seq))


class ManyAtOnce(SynchronousTestCase):
    """Many frames in one piece are what one after the other would be."""

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.integers(0, 70_000), min_size=1, max_size=6),
        st.integers(1, 2**31 - 10),
        st.booleans(),
    )
    def test_salvos(self, sizes: list[int], receipt: int, additions: bool) -> None:
        """Deliveries together are the bytes of each by itself, in either order."""
        made = tuple(entry(n, "x" * size) for n, size in enumerate(sizes, 5))
        for codec in CODECS:
            told = speaker(codec, additions)
            for pack in (websocket_message, tcp_message):
                for first in (receipt, 1, receipt):
                    event = events.Deliveries(made, first)
                    single = [
                        pack(told.encode(events.Delivery(one, first + n))[0])
                        for n, one in enumerate(made)
                    ]
                    self.assertEqual(b"".join(single), told.salvo(event, pack))

    def test_salvos_of_others(self) -> None:
        """Other entries are other bytes, however many were sent before."""
        told = speaker(JSON)
        for n in range(200):
            made = (entry(n + 1, f"text {n}"),)
            data = told.salvo(events.Deliveries(made, 1), tcp_message)
            self.assertIn(b'"text %d"' % n, data)

    @given(
        st.lists(
            st.tuples(st.binary(min_size=4, max_size=4), st.integers(0, 2**32 - 1)),
            max_size=20,
        ),
        st.binary(max_size=30),
        st.booleans(),
    )
    def test_masked_answers(
        self, answers: list[tuple[bytes, int]], more: bytes, is_json: bool
    ) -> None:
        """Acknowledgements in one piece are read as one by one would be."""
        head = b"\x8c" if is_json else b"\x0c"
        data = b"".join(
            b"\x82\x85" + mask + unmask(mask, head + ident.to_bytes(4, "big"))
            for mask, ident in answers
        )
        wanted = [ident for _mask, ident in answers]
        self.assertEqual(wanted, masked_answers(data))
        found = masked_answers(data + b"\x82\x80" + bytes(4) + more)
        self.assertEqual(wanted, found[: len(wanted)])

    def test_other_frames_are_no_answers(self) -> None:
        """A frame of five bytes that is something else ends the run."""
        answer = b"\x82\x85" + bytes(4) + b"\x8c\0\0\0\x07"
        other = b"\x82\x85" + bytes(4) + b"\x8d\0\0\0\x07"
        self.assertEqual([7], masked_answers(answer + other + answer))
        self.assertEqual([], masked_answers(other + answer))
        whole = tcp_message(b"\x0c\0\0\0\x07")
        self.assertEqual([7, 7], tcp_answers(whole * 2 + b"\0\0"))
        self.assertEqual([7], tcp_answers(whole + tcp_message(b"\x0d") + whole))

    def test_before_login(self) -> None:
        """Acknowledgements before the login are nothing, however many."""
        self.assertFalse(wire(None).takes_answers)
        self.assertTrue(wire(JSON).takes_answers)
        frame = split_frame(b"\x0c\0\0\0\x07")
        assert frame is not None
        self.assertEqual(12, frame.type)
