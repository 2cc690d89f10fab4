"""Events in, exactly these bytes out."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from timtw.model import commands, events
from timtw.model.commands import Form, Unacceptable
from timtw.model.errors import (
    BadParameter,
    NotServed,
    PermissionDenied,
    TimError,
    TooFrequent,
    WrongPassword,
)
from timtw.model.limits import (
    HISTORY_BYTES,
    LARGE_FRAME,
    PAGE_ENTRIES,
    SHARED_ENCODINGS,
    SHARED_ENCODINGS_BYTES,
    SMALL_FRAME,
)
from timtw.model.presence import Status
from timtw.model.profiles import About, Profile
from timtw.model.progress import DeliveredMark, ReadMark
from timtw.model.values import Account, Address, Content, Device, Message
from timtw.protocols import structs
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.messages import Copy
from timtw.protocols.refusals import Note
from timtw.test.wirekit import (
    ALICE,
    BOB,
    CODECS,
    JSON_TEXT,
    THRIFT_TEXT,
    entry,
    logged_in,
    login,
    text,
    wire,
)


def told(client: ClientWire, event: events.Event) -> Any:
    """The JSON of the one frame of an event, after its type byte."""
    (frame,) = client.encode(event)
    return frame[0], json.loads(frame[5 if frame[0] & 0x80 else 1 :])


class Login(SynchronousTestCase):
    """What is said about logins, and before one."""

    def test_answer(self) -> None:
        """The answer has the node, the server and the connection, no more."""
        (frame,) = wire(None).encode(logged_in(JSON, credential="r-x"))
        self.assertEqual(frame, b'\x0c{"ok":true,"timType":16,"t":1,"n":"A","n2":"c"}')
        (frame,) = wire(None).encode(logged_in(THRIFT))
        self.assertEqual(
            frame, bytes.fromhex("0c 11 1310 2602 180141 280163 00".replace(" ", ""))
        )

    def test_additions(self) -> None:
        """With the additions the head follows, and the credential right behind."""
        event = logged_in(JSON, additions=True, credential="r-x")
        first, second = wire(None).encode(event)
        answer = {"ok": True, "timType": 16, "t": 1, "n": "A", "n2": "c", "t2": 9}
        self.assertEqual(json.loads(first[1:]), answer)
        self.assertEqual(second, b'\x0c{"ok":true,"timType":15,"n":"r-x"}')
        resumed = wire(None).encode(logged_in(JSON, additions=True))
        self.assertEqual(len(resumed), 1)

    def test_codec_is_fixed(self) -> None:
        """The codec of the login is kept, whatever bit later frames have."""
        client = wire(JSON)
        client.receive(b"\x0d")
        self.assertEqual(
            client.encode(events.AlreadyLoggedIn(login(THRIFT))),
            [b'\x0c{"ok":true,"timType":16}'],
        )
        self.assertTrue(client.logged_in)

    def test_refused(self) -> None:
        """A login is refused in its own codec; the next one may use the other."""
        client = wire(None)
        (frame,) = client.encode(events.Refused(login(JSON), PermissionDenied("no")))
        error = b'"error":{"code":4105,"info":"no"}'
        self.assertEqual(frame, b'\x0c{"ok":false,"timType":16,%b}' % error)
        (frame,) = client.encode(events.Refused(login(THRIFT), PermissionDenied("no")))
        self.assertEqual(frame, bytes.fromhex("0c 12 1310 1c 159240 18026e6f 00 00"))
        self.assertFalse(client.logged_in)
        for bad in (b"\x90{", b"\x10\x18"):
            (command,) = client.receive(bad)
            (frame,) = client.encode(events.Refused(command, BadParameter()))
            self.assertEqual(frame[:1], b"\x0c")

    def test_nothing_before_login(self) -> None:
        """To somebody who is not logged in nothing else is said."""
        client = wire(None)
        for event in (
            events.Pong(),
            events.LoggedOut(),
            events.EndOfBacklog(),
            events.Refused(commands.Ping(), TooFrequent()),
            events.Delivery(entry(), 1),
        ):
            self.assertEqual(client.encode(event), [])


class Answers(SynchronousTestCase):
    """Short answers, in both codecs."""

    def test_fixed(self) -> None:
        """Pong and the end of the backlog are one byte."""
        for codec in CODECS:
            self.assertEqual(wire(codec).encode(events.Pong()), [b"\x0d"])
            self.assertEqual(wire(codec).encode(events.EndOfBacklog()), [b"\x12"])

    def test_done(self) -> None:
        """Log-out and a changed profile are confirmed."""
        self.assertEqual(wire().encode(events.LoggedOut()), [b"\x0c\x11\x13\x14\0"])
        changed = events.ProfileChanged(commands.ChangeProfile(About("N")))
        self.assertEqual(wire().encode(changed), [bytes.fromhex("0c 11132a 260c 00")])
        self.assertEqual(
            wire(JSON).encode(changed), [b'\x0c{"ok":true,"timType":42,"t":6}']
        )

    def test_profiles(self) -> None:
        """Profiles have a creation time, and a name only where there is one."""
        carol = Account(Address(3, "C"), 5)
        found = (Profile(Account(BOB, 9), About("Bob")), Profile(carol))
        usermap = {"B": {"name": "Bob", "createtime": 9}, "C": {"createtime": 5}}
        self.assertEqual(
            told(wire(JSON), events.Profiles(found)),
            (42, {"ntype": 4, "usermap": usermap}),
        )

    def test_whole_profile(self) -> None:
        """Everything that a profile may hold is told by the names of the protocol."""
        about = About(
            "N", "M", "B", 1, "C", "A", ("p",), {"e": "f"}, {"k": b"\xfb\xff"}
        )
        profiles = events.Profiles((Profile(Account(BOB, 9), about),))
        bean = {
            "name": "N",
            "nickName": "M",
            "brithday": "B",
            "gender": 1,
            "cover": "C",
            "area": "A",
            "createtime": 9,
            "photoTidAlbum": ["p"],
            "extend": {"e": "f"},
            "extra": {"k": "+/8="},
        }
        self.assertEqual(
            told(wire(JSON), profiles), (42, {"ntype": 4, "usermap": {"B": bean}})
        )
        thrift = (
            "2a 1508 2b01 8c 0142 18014e 18014d 280142 1301 180143 180141 1612"
            "19180170 1b01 880165 0166 1b01 88016b 02fbff 00 00"
        )
        (frame,) = wire().encode(profiles)
        self.assertEqual(frame.hex(), thrift.replace(" ", ""))

    def test_many_profiles(self) -> None:
        """In Thrift no frame with profiles is too long for those who read it."""
        about = About(cover="x" * 1000, area="y" * 1000)
        found = tuple(
            Profile(Account(Address(number, f"node {number}"), 9), about)
            for number in range(100)
        )
        frames = wire().encode(events.Profiles(found))
        told_of: list[str] = []
        for frame in frames:
            self.assertLessEqual(len(frame), SMALL_FRAME)
            told_of += THRIFT.decode(structs.TimNodes, frame, 1).usermap or {}
        self.assertEqual([one.account.address.node for one in found], told_of)
        self.assertEqual(25, len(frames))
        self.assertEqual(1, len(wire(JSON).encode(events.Profiles(found))))

    def test_read_marks(self) -> None:
        """Read marks, and the end of their list, are told by the additions alone."""
        mark = events.Marked(ReadMark(ALICE, BOB, 7, 9))
        both = {"fromTid": {"node": "A"}, "toTid": {"node": "B"}}
        told_as = {"msType": 2, "odType": 11, "id": 9, "mid": 7, **both}
        client = wire(JSON, additions=True)
        self.assertEqual(told(client, mark), (90, told_as))
        self.assertEqual([], wire(JSON).encode(mark))
        in_room = events.Marked(ReadMark(ALICE, BOB, 0, 9, True, True))
        both = {"fromTid": {"node": "A"}, "roomTid": {"node": "B"}}
        told_as = {"msType": 3, "odType": 11, "id": 9, "mid": 0, **both}
        self.assertEqual(told(client, in_room), (90, told_as))
        ack = {"ok": True, "timType": 41, "t": 67}
        for more, n in ((None, {}), ("B", {"n": "B"})):
            end = events.ReadMarksListed(more)
            self.assertEqual(told(client, end), (12, {**ack, **n}))

    def test_q1_no_profiles(self) -> None:
        """An answer without profiles still has the map that clients look at."""
        none = events.Profiles(())
        self.assertEqual(wire(JSON).encode(none), [b'\x2a{"ntype":4,"usermap":{}}'])
        self.assertEqual(wire().encode(none), [bytes.fromhex("2a 1508 2b00 00")])

    def test_refusals(self) -> None:
        """Every refusal has an error, its type, and what tells requests apart."""
        send = commands.SendMessage
        cases: list[tuple[commands.Command, dict[str, Any]]] = [
            (commands.LogOut(), {"timType": 20}),
            (commands.MarkRead("B", 7), {"timType": 90, "t": 11, "n": "B"}),
            (commands.MarkRead("R", 7, True), {"timType": 90, "t": 11, "n": "R"}),
            (commands.ListReadMarks("B"), {"timType": 41, "t": 67}),
            (commands.ShowPresence(Status(), "B"), {"timType": 91, "n": "B"}),
            (commands.ShowPresence(Status(), broad=True), {"timType": 19}),
            (commands.Ping(), {"timType": 13}),
            (commands.Acknowledge(1), {"timType": 12}),
            (commands.FetchBacklog(), {"timType": 17}),
            (send("B", Content(), 5), {"timType": 90, "n": "B", "t2": 5}),
            (send("B", Content()), {"timType": 90, "n": "B"}),
            (send("B", Content(), form=Form.REVOKE), {"timType": 92, "n": "B"}),
            (send("B", Content(), form=Form.BURN), {"timType": 93, "n": "B"}),
            (commands.PullHistory("B", 0, 1), {"timType": 21, "t": 1, "n": "B"}),
            (commands.FindAccount("bob"), {"timType": 41, "t": 64}),
            (commands.ReadProfiles(("B",)), {"timType": 42, "t": 4}),
            (commands.ChangeProfile(About("N")), {"timType": 42, "t": 6}),
            (
                Unacceptable(NotServed(), about=Note(22, 1, "V", 2, "W")),
                {"timType": 22, "t": 1, "n": "V", "t2": 2, "n2": "W"},
            ),
            (login(JSON), {"timType": 16}),
        ]
        for command, rest in cases:
            for error in (TooFrequent(), WrongPassword("because")):
                self.refusal(command, error, rest)

    def refusal(
        self, command: commands.Command, error: TimError, rest: dict[str, Any]
    ) -> None:
        """Check one refusal."""
        about = {"code": error.code, "info": str(error)}
        said = told(wire(JSON), events.Refused(command, error))
        self.assertEqual(said, (12, {"ok": False, "error": about, **rest}))


class Messages(SynchronousTestCase):
    """Texts and what belongs to them."""

    def test_live(self) -> None:
        """A live text is the same for everybody; only the frame's head differs."""
        for codec, body in ((JSON, JSON_TEXT), (THRIFT, THRIFT_TEXT)):
            client = wire(codec)
            (delivered,) = client.encode(events.Delivery(entry(), 258))
            self.assertEqual(delivered, b"\xda\0\0\1\2" + body)
            (echo,) = client.encode(events.Delivery(entry(), 0))
            self.assertEqual(echo, b"\x5a" + body)
            (again,) = client.encode(events.Repeated(text()))
            self.assertEqual(again, echo)

    def test_sequence(self) -> None:
        """With the additions an entry has its number; a repeated echo has none."""
        for codec, tail in ((JSON, b',"seq":3}'), (THRIFT, b"\x06\x80\x01\x06\0")):
            client = wire(codec, additions=True)
            body = (JSON_TEXT if codec is JSON else THRIFT_TEXT)[:-1] + tail
            self.assertEqual(
                client.encode(events.Delivery(entry(), 1)), [b"\xda\0\0\0\1" + body]
            )
            self.assertEqual(
                client.encode(events.Delivery(entry(), 0)), [b"\x5a" + body]
            )
            self.assertNotIn(tail, client.encode(events.Repeated(text()))[0])

    def test_backlog(self) -> None:
        """What comes late says so, without device; an id only with the additions."""
        event = events.Delivery(entry(), 1, backlog=True)
        body = {
            "msType": 2,
            "odType": 1,
            "mid": 7,
            "fromTid": {"node": "A"},
            "toTid": {"node": "B"},
            "dataString": "hi",
            "isOffline": True,
            "timestamp": 17,
        }
        self.assertEqual(told(wire(JSON), event), (0xDA, body))
        more = body | {"id": 55, "seq": 3}
        self.assertEqual(told(wire(JSON, additions=True), event), (0xDA, more))

    def test_stored(self) -> None:
        """A text that was read from storage tells no device but has its id."""
        kind, body = told(wire(JSON), events.Delivery(entry(device=None), 1))
        self.assertEqual(body["fromTid"], {"node": "A"})
        self.assertEqual((kind, body["id"]), (0xDA, 55))
        self.assertNotIn("isOffline", body)

    def test_domain_and_content(self) -> None:
        """Domains are told where there are any; the content arrives unchanged."""
        content = Content("t", b"\x01", 1, 2, {"a": "b"}, {"k": b"\xff"})
        message = Message(
            text().conversation,
            1,
            2,
            Address(1, "A", "d"),
            Address(2, "B", "d"),
            3,
            content,
            Device(None, -3),
        )
        for codec in CODECS:
            (frame,) = wire(codec).encode(events.Repeated(message))
            said = codec.decode(structs.TimMessage, frame[1:])
            tid = structs.Tid
            self.assertEqual(said.fromTid, tid(node="A", domain="d", termtyp=-3))
            self.assertEqual(said.toTid, tid(node="B", domain="d"))
            self.assertEqual(
                (said.dataString, said.dataBinary, said.udtype, said.udshow),
                ("t", b"\x01", 1, 2),
            )
            self.assertEqual((said.extend, said.extra), ({"a": "b"}, {"k": b"\xff"}))

    def test_marks(self) -> None:
        """A delivered mark goes only to clients that asked for the additions."""
        event = events.Marked(DeliveredMark(BOB, ALICE, 7))
        body = {
            "msType": 2,
            "odType": 8,
            "mid": 7,
            "fromTid": {"node": "B"},
            "toTid": {"node": "A"},
        }
        self.assertEqual(told(wire(JSON, additions=True), event), (90, body))
        self.assertEqual(wire(JSON).encode(event), [])

    def test_expiry(self) -> None:
        """So does the notice that the beginning of the log is gone."""
        body = {"msType": 2, "odType": 9, "seq": 7}
        notice = events.Expired(7)
        self.assertEqual(told(wire(JSON, additions=True), notice), (90, body))
        self.assertEqual(wire(JSON).encode(notice), [])


class Lists(SynchronousTestCase):
    """Pages of the backlog and answers with history."""

    def entries(self, codec: Codec, frame: bytes) -> structs.TimMessageList:
        """The list of a frame, whether it wants an acknowledgement or not."""
        start = 5 if frame[0] & 0x80 else 1
        return codec.decode(structs.TimMessageList, frame[start:])

    def test_page(self) -> None:
        """A page has an id, one receipt, and its entries in order."""
        for codec in CODECS:
            for additions in (False, True):
                client = wire(codec, additions)
                page = events.Page((entry(3, mid=1), entry(4, mid=2)), 258)
                (frame,) = client.encode(page)
                self.assertEqual(frame[:5], b"\x91\0\0\1\2")
                said = self.entries(codec, frame)
                self.assertEqual(said.id, 258)
                assert said.messageList is not None
                self.assertEqual([one.mid for one in said.messageList], [1, 2])
                for one in said.messageList:
                    self.assertIs(one.isOffline, True)
                    self.assertEqual(one.id, 55 if additions else None)
                numbers = [one.seq for one in said.messageList]
                self.assertEqual(numbers, [3, 4] if additions else [None, None])

    def test_page_is_what_the_codec_writes(self) -> None:
        """Putting a list together gives what encoding it at once would."""
        for codec in CODECS:
            for count in (1, 14, 15, 40):
                page = events.Page(tuple(entry(n) for n in range(count)), 9)
                (frame,) = wire(codec).encode(page)
                said = self.entries(codec, frame)
                self.assertEqual(frame[5:], codec.encode(said))

    def test_measure(self) -> None:
        """A page that measures as much as it may is not too long for any client."""
        for codec, limit in ((THRIFT, SMALL_FRAME), (JSON, LARGE_FRAME)):
            for additions in (False, True):
                client = wire(codec, additions)
                long = [entry(n, words="x" * 500) for n in range(1, PAGE_ENTRIES)]
                left = client.page_bytes - sum(map(client.measure, long))
                empty = client.measure(entry(99, words=""))
                rest = "x" * (left - empty)
                while client.measure(entry(99, words=rest)) > left:
                    rest = rest[:-1]
                long.append(entry(99, words=rest))
                self.assertLessEqual(left - client.measure(long[-1]), 1)
                (frame,) = client.encode(events.Page(tuple(long), (1 << 32) - 1))
                self.assertLessEqual(len(frame), limit)
                self.assertGreater(len(frame), limit - 80)

    def test_changed_lists(self) -> None:
        """Clients with the additions are told to look again, others nothing."""
        about = (
            (events.RelationsChanged(), b'Z{"msType":2,"odType":10}'),
            (events.RoomNews("R"), b'Z{"msType":3,"odType":10,"roomTid":{"node":"R"}}'),
        )
        for event, frame in about:
            self.assertEqual([frame], wire(JSON, True).encode(event))
            self.assertEqual([], wire(JSON).encode(event))

    def test_empty_history(self) -> None:
        """A conversation without texts is answered with an empty list."""
        none = events.History(())
        self.assertEqual(wire(JSON).encode(none), [b'\x15{"messageList":[]}'])
        self.assertEqual(wire().encode(none), [bytes.fromhex("15 290c 00")])

    def test_h3_history(self) -> None:
        """History keeps its order; its entries have an id only with the additions."""
        event = events.History((text(mid=2), text(mid=1)))
        for additions in (False, True):
            kind, body = told(wire(JSON, additions), event)
            self.assertEqual(kind, 21)
            entries = body["messageList"]
            self.assertEqual([one["mid"] for one in entries], [2, 1])
            for one in entries:
                self.assertEqual("id" in one, additions)
                self.assertEqual(one["fromTid"], {"node": "A"})
                self.assertNotIn("isOffline", one)
                self.assertNotIn("seq", one)

    def test_history_in_pieces(self) -> None:
        """A long history comes in frames that the most modest client can take."""
        event = events.History(
            tuple(text(mid=n, words="x" * 900) for n in range(1, 41))
        )
        frames = wire().encode(event)
        self.assertGreater(len(frames), 4)
        mids: list[int | None] = []
        for frame in frames:
            self.assertLessEqual(len(frame), SMALL_FRAME)
            mids += [one.mid for one in self.entries(THRIFT, frame).messageList or ()]
        self.assertEqual(mids, list(range(1, 41)))

    def test_h1_history_is_limited(self) -> None:
        """Huge texts do not make a huge answer, but two of them always come."""
        for words, count in (("x" * HISTORY_BYTES, 2), ("x" * (HISTORY_BYTES // 4), 3)):
            event = events.History(tuple(text(mid=n, words=words) for n in range(9)))
            for codec in CODECS:
                frames = wire(codec).encode(event)
                lists = [self.entries(codec, frame).messageList for frame in frames]
                self.assertEqual(sum(len(one or ()) for one in lists), count)


class Sharing(SynchronousTestCase):
    """One encoding for many receivers."""

    def test_once(self) -> None:
        """The same message in the same form is encoded only once."""
        shared, message = Encodings(), text()
        first = shared.encoded(JSON, message, Copy.LIVE)
        self.assertIs(shared.encoded(JSON, message, Copy.LIVE), first)
        other = shared.encoded(JSON, text(words="ho"), Copy.LIVE)
        self.assertNotEqual(other, first)
        for codec in CODECS:
            for copy in Copy:
                body = shared.encoded(codec, message, copy)
                self.assertIs(shared.encoded(codec, message, copy), body)
                self.assertEqual(Encodings().encoded(codec, message, copy), body)

    def test_limited(self) -> None:
        """What is remembered is limited by its number and by its bytes."""
        shared, message = Encodings(), text()
        first = shared.encoded(JSON, message, Copy.LIVE)
        for _ in range(SHARED_ENCODINGS - 1):
            shared.encoded(THRIFT, text(), Copy.LIVE)
        self.assertIs(shared.encoded(JSON, message, Copy.LIVE), first)
        shared.encoded(THRIFT, text(), Copy.LIVE)
        self.assertIsNot(shared.encoded(JSON, message, Copy.LIVE), first)
        first = shared.encoded(JSON, message, Copy.LIVE)
        shared.encoded(JSON, text(words="x" * SHARED_ENCODINGS_BYTES), Copy.LIVE)
        self.assertIsNot(shared.encoded(JSON, message, Copy.LIVE), first)
