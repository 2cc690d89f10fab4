"""Frames of clients in, commands out."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import commands
from timtw.model.commands import Unacceptable
from timtw.model.errors import (
    BadBigData,
    BadParameter,
    PermissionDenied,
    TimError,
    Undecodable,
    UnknownAccount,
)
from timtw.model.limits import HISTORY_ENTRIES, NODE_LIST, REQUEST_BYTES
from timtw.model.presence import Status
from timtw.model.profiles import About
from timtw.model.relations import Circle, Step
from timtw.model.values import REVOCATION, Content, Device
from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.refusals import Note
from timtw.test.wirekit import CODECS, wire

_NULLS = (
    b'"id":null,"mid":null,"bnType":null,"fromTid":null,"toTid":{"node":"bob",'
    b'"domain":null,"resource":null,"termtyp":null},"roomTid":null,"dataString":"hi",'
    b'"dataBinary":null,"isOffline":null,"timestamp":null,"udtype":null,'
    b'"udshow":null,"extend":null,"extra":null}'
)


class Case(SynchronousTestCase):
    """Helpers for one frame at a time."""

    def one(self, frame: bytes, additions: bool = False) -> commands.Command:
        """The command of a logged-in client's frame."""
        (command,) = wire(JSON, additions).receive(frame)
        return command

    def refused(
        self, frame: bytes, error: type[TimError], note: Note, additions: bool = False
    ) -> None:
        """Check that a logged-in client's frame is refused so."""
        command = self.one(frame, additions)
        assert isinstance(command, Unacceptable), command
        self.assertIs(type(command.error), error)
        self.assertEqual(command.about, note)


class RealClients(Case):
    """The frames that the existing clients were seen to send."""

    def test_login(self) -> None:
        """Each client's login by name is understood, padding included."""
        thrift = bytes.fromhex(
            "10 1805616c696365 1806736563726574 1800 1803726573 1301 00"
        )
        script = (
            b'\x90{"name":"alice","pwd":"secret","domain":"","resource":"res",'
            b'"termtyp":1,"token":null,"extend":null}'
        )
        frames = ((thrift, THRIFT), (thrift + bytes(3), THRIFT), (script, JSON))
        for frame, codec in frames:
            (command,) = wire(None).receive(frame)
            device = Device("res", 1)
            expected = commands.LogIn(
                "alice", "secret", "", "", device, additions=False, about=codec
            )
            self.assertEqual(command, expected)

    def test_token_login(self) -> None:
        """Logins by token are understood, with and without a name."""
        thrift = bytes.fromhex("10 1805616c696365 3803726573 1301 1803544f4b 00")
        (command,) = wire(None).receive(thrift)
        device = Device("res", 1)
        expected = commands.LogIn("alice", "", "TOK", "", device, about=THRIFT)
        self.assertEqual(command, expected)
        script = (
            b'\x90{"name":"","pwd":"","domain":null,"resource":"web","termtyp":1,'
            b'"token":"T","extend":null}'
        )
        (command,) = wire(None).receive(script)
        device = Device("web", 1)
        self.assertEqual(command, commands.LogIn("", "", "T", "", device, about=JSON))
        (command,) = wire(None).receive(b"\x10\x00")
        self.assertEqual(
            command, commands.LogIn("", "", "", "", Device(), about=THRIFT)
        )

    def test_x6_long_requests(self) -> None:
        """What is longer than any request is refused, a text may be as long."""
        for kind in (16, 17, 19, 21, 22, 41, 42, 91):
            head = b'{"rtype":1,"ntype":4,"node":"a","nodelist":["a"],"reqStr":"'
            frame = bytes([kind | 0x80]) + head
            fits = frame.ljust(REQUEST_BYTES - 2, b"x") + b'"}'
            for more, too_long in ((b"", False), (b" ", True)):
                error = getattr(self.one(fits + more), "error", None)
                self.assertEqual(too_long, "longer than" in str(error), kind)
            self.refused(fits + b" ", BadParameter, Note(kind))
        text = b'\xda{"msType":2,"odType":1,"toTid":{"node":"a"},"dataString":"%b"}'
        command = self.one(text % (b"x" * REQUEST_BYTES))
        self.assertIsInstance(command, commands.SendMessage)

    def test_x13_nothing_long_is_kept(self) -> None:
        """What a login says of its device is not kept for others if it is too long."""
        tracemalloc.start()
        try:
            for number in range(8):
                resource = b"%d" % number * 2**20
                self.one(b'\x90{"name":"a","pwd":"b","resource":"%b"}' % resource)
            kept, _peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(kept, 2**21)

    def test_text(self) -> None:
        """Each client's text is understood."""
        thrift = bytes.fromhex("5a 1302 1301 5c 1803626f62 00 38026869 00")
        script = b'\xda{"msType":2,"odType":1,' + _NULLS
        for frame in (thrift, thrift + bytes(7), script):
            self.assertEqual(
                self.one(frame), commands.SendMessage("bob", Content(text="hi"))
            )

    def test_revoke(self) -> None:
        """A revocation in a room is understood."""
        thrift = bytes.fromhex("5c 1303 1302 260e 4c 1804726f6f6d 00 00")
        self.assertEqual(
            self.one(thrift),
            commands.SendMessage(
                "",
                Content(),
                form=commands.Form.REVOKE,
                kind=REVOCATION,
                mid=7,
                room="room",
            ),
        )

    def test_history(self) -> None:
        """Each client's request for history is understood."""
        thrift = bytes.fromhex("15 1502 1803626f62 2600 1614 00")
        script = (
            b'\x95{"rtype":1,"node":"bob","node2":null,"reqInt":0,"reqInt2":10,'
            b'"reqStr":null,"reqStr2":null}'
        )
        for frame in (thrift, script):
            self.assertEqual(self.one(frame), commands.PullHistory("bob", 0, 10))

    def test_profile(self) -> None:
        """Each client's request for a profile is understood, also without its kind."""
        asked = commands.ReadProfiles(("a",))
        self.assertEqual(self.one(bytes.fromhex("2a 1508 1918 0161 00")), asked)
        unsaid = commands.ReadRooms(("a",), or_accounts=True)
        frame = bytes.fromhex("2a 1500 1918 0161 00 00")
        self.assertEqual(self.one(frame), unsaid)
        script = b'\xaa{"ntype":4,"nodelist":["a"],"usermap":null,"roommap":null}'
        self.assertEqual(self.one(script), asked)

    def test_small_frames(self) -> None:
        """Pings, acknowledgements and requests for the backlog work in both forms."""
        for bit in (0, 0x80):
            self.assertEqual(self.one(bytes([13 | bit])), commands.Ping())
            self.assertEqual(self.one(bytes([17 | bit])), commands.FetchBacklog())
            ack = bytes([12 | bit, 0, 0, 1, 2])
            self.assertEqual(self.one(ack), commands.Acknowledge(258))

    def test_presence(self) -> None:
        """What the clients send of presence is understood; damage is told so."""
        busy = Status(show=1, text="busy", purpose=2)
        fields = "3302 2c 1803626f62 00 2402 180462757379 00"
        body = b'"subStatus":2,"show":1,"status":"busy","offline":false}'
        for type, broad in ((91, False), (19, True)):
            to_bob = commands.ShowPresence(busy, "bob", None, broad)
            head = bytes([type])
            self.assertEqual(self.one(head + bytes.fromhex(fields)), to_bob)
            head = bytes([type | 0x80])
            found = self.one(head + b'{"toTid":{"node":"bob"},"id":0,' + body)
            self.assertEqual(found, to_bob)
            found = self.one(head + b'{"id":9,"toList":[],' + body)
            listed = commands.ShowPresence(busy, None, (), broad, 9)
            self.assertEqual(found, listed)
            note = Note(type)
            self.refused(head + b'{"show":"x"}', Undecodable, note)
            self.refused(head + b"null", Undecodable, note)
            self.refused(bytes([type]) + b"\xff", Undecodable, note)


class Requests(Case):
    """What every kind of request needs."""

    def test_empty(self) -> None:
        """Empty messages and short acknowledgements are ignored."""
        self.assertEqual(wire().receive(b""), [])
        self.assertEqual(wire().receive(b"\x0c\0\0\1"), [])

    def test_undecodable_login(self) -> None:
        """A damaged login is refused in its own codec, and is known for a login."""
        for frame, codec in ((b"\x90{", JSON), (b"\x10\x18\x09", THRIFT)):
            (command,) = wire(None).receive(frame)
            assert isinstance(command, Unacceptable)
            self.assertTrue(command.at_login)
            self.assertIsInstance(command.error, BadParameter)
            self.assertEqual(command.about, Note(16, codec=codec))

    def test_additions(self) -> None:
        """Only a client that asks for our additions at login gets them."""
        for value, wanted in ((b"1", True), (b"0", False), (b"", False)):
            frame = b'\x90{"extend":{"a":"b","timtw":"%b"}}' % value
            (command,) = wire(None).receive(frame)
            assert isinstance(command, commands.LogIn)
            self.assertIs(command.additions, wanted)

    def test_resume(self) -> None:
        """Only clients with the additions resume; a body means nothing to others."""
        bodies = (b'\x91{"reqInt":5}', bytes.fromhex("11 460a 00"))
        for frame in bodies:
            self.assertEqual(self.one(frame, True), commands.FetchBacklog(5))
            self.assertEqual(self.one(frame), commands.FetchBacklog())
        self.assertEqual(self.one(b'\x91{"reqInt":0}', True), commands.FetchBacklog(0))
        self.assertEqual(self.one(b'\x91{"reqInt":-3}', True), commands.FetchBacklog(0))
        for frame in (b"\x91", b"\x91{}", b"\x91{", b"\x11\xff"):
            self.assertEqual(self.one(frame, True), commands.FetchBacklog())

    def test_log_out(self) -> None:
        """Type 20 logs out with the additions and is unknown to everybody else."""
        self.assertEqual(self.one(b"\x14", True), commands.LogOut())
        self.refused(b"\x14", BadParameter, Note(20))

    def test_relations(self) -> None:
        """Lists, requests, ends and blocks; what is missing is refused barely."""
        for circle in (Circle.FRIENDS, Circle.BLOCKED):
            frame = b'\xa9{"rtype":%d,"node":null}' % circle
            self.assertEqual(self.one(frame), commands.ListRelations(circle))
        for circle in (Circle.ASKING, Circle.ASKED):
            frame = b'\xa9{"rtype":%d}' % circle
            self.assertEqual(self.one(frame, True), commands.ListRelations(circle))
            self.refused(frame, BadParameter, Note(41, t=circle))
        for text in ("", "hi"):
            frame = b'\xa9{"rtype":4,"node":"B","reqStr":"%b"}' % text.encode()
            wish = commands.ChangeRelation(Step.ASK, "B", text)
            self.assertEqual(self.one(frame), wish)
        for step in (Step.LEAVE, Step.BLOCK):
            frame = b'\xa9{"rtype":%d,"node":"B","reqStr":"x"}' % step
            self.assertEqual(self.one(frame), commands.ChangeRelation(step, "B"))
            self.refused(b'\xa9{"rtype":%d}' % step, BadParameter, Note(41))
        for body in (b'"node":"B"', b'"reqStr":"x"'):
            self.refused(b'\xa9{"rtype":4,%b}' % body, BadParameter, Note(41))

    def test_find(self) -> None:
        """The look-up by name belongs to the additions and needs a name."""
        find = b'\xa9{"rtype":64,"reqStr":"bob"}'
        self.assertEqual(self.one(find, True), commands.FindAccount("bob"))
        for body in (b'{"rtype":64}', b'{"rtype":64,"reqStr":""}'):
            self.refused(b"\xa9" + body, BadParameter, Note(41, t=64), True)

    def test_unknown_types(self) -> None:
        """Types that no client may send are refused by their number."""
        for type in (0, 1, 11, 14, 15, 18, 23, 40, 43, 89, 98, 127):
            for bit in (0, 0x80):
                self.refused(bytes([type | bit]), BadParameter, Note(type))

    def test_history(self) -> None:
        """A request for history has all four fields; its count is kept in bounds."""
        whole = {"rtype": "1", "node": '"B"', "reqInt": "9", "reqInt2": "3"}
        for missing in whole:
            rest = ",".join(f'"{k}":{v}' for k, v in whole.items() if k != missing)
            command = self.one(b"\x95{" + rest.encode() + b"}")
            assert isinstance(command, Unacceptable)
            self.assertIsInstance(command.error, BadParameter)
        head = b'\x95{"rtype":1,"node":"B","reqInt":%d,"reqInt2":%d}'
        for asked, clamped in ((-1, 1), (0, 1), (1, 1), (100, 100), (101, 100)):
            self.assertEqual(
                self.one(head % (9, asked)), commands.PullHistory("B", 9, clamped)
            )
        self.assertEqual(HISTORY_ENTRIES, 100)
        self.refused(head % (-1, 1), BadParameter, Note(21, t=1, n="B"))
        frame = b'\x95{"rtype":3,"node":"B","reqInt":0,"reqInt2":1}'
        self.refused(frame, BadParameter, Note(21, t=3, n="B"))

    def test_history_until(self) -> None:
        """A newest time counts only with no newest number, and is a number itself."""
        head = '\x95{"rtype":1,"node":"B","reqInt":%d,"reqInt2":1,"node2":"%s"}'

        def frame(newest: int, until: str) -> bytes:
            return (head % (newest, until)).encode("latin-1")

        self.assertEqual(
            self.one(frame(0, "17")), commands.PullHistory("B", 0, 1, until=17)
        )
        self.assertEqual(self.one(frame(4, "17")), commands.PullHistory("B", 4, 1))
        self.assertEqual(self.one(frame(0, "")), commands.PullHistory("B", 0, 1))
        far = self.one(frame(0, "9" * 19))
        self.assertEqual(far, commands.PullHistory("B", 0, 1, until=(1 << 63) - 1))
        for bad in ("x", "-1", "1.0", "9" * 20):
            self.refused(frame(0, bad), BadParameter, Note(21, t=1, n="B"))

    def test_profiles(self) -> None:
        """Profiles are asked for by a list that is neither empty nor too long."""

        def frame(count: int) -> bytes:
            nodes = ",".join(f'"{number}"' for number in range(count))
            return b'\xaa{"ntype":4,"nodelist":[%b]}' % nodes.encode()

        command = self.one(frame(NODE_LIST))
        assert isinstance(command, commands.ReadProfiles)
        self.assertEqual(len(command.nodes), NODE_LIST)
        for bad in (frame(NODE_LIST + 1), frame(0), b'\xaa{"ntype":4}'):
            self.refused(bad, BadParameter, Note(42, t=4))
        doubled = self.one(b'\xaa{"ntype":4,"nodelist":["a","a"]}')
        self.assertEqual(doubled, commands.ReadProfiles(("a",)))

    def test_change_profile(self) -> None:
        """The name is changed by exactly one entry; the creation time is ours."""
        for kind in (0, 6):
            frame = b'\xaa{"ntype":%d,"usermap":{"":{"name":"N","createtime":1}}}'
            self.assertEqual(self.one(frame % kind), commands.ChangeProfile(About("N")))
        self.assertEqual(
            self.one(b'\xaa{"ntype":6,"usermap":{"":{}}}'),
            commands.ChangeProfile(About()),
        )
        bean = (
            b'"nickName":"M","brithday":"B","gender":-1,"cover":"","area":"A",'
            b'"photoTidAlbum":["p"],"extend":{"e":"f"},"extra":{"k":"+/8="}'
        )
        whole = About(
            None, "M", "B", -1, "", "A", ("p",), {"e": "f"}, {"k": b"\xfb\xff"}
        )
        found = self.one(b'\xaa{"ntype":0,"usermap":{"x":{%b}}}' % bean)
        self.assertEqual(found, commands.ChangeProfile(whole))
        empty = b'"photoTidAlbum":[],"extend":{},"extra":{}'
        found = self.one(b'\xaa{"ntype":6,"usermap":{"x":{%b}}}' % empty)
        nothing = About(album=(), extend={}, extra={})
        self.assertEqual(found, commands.ChangeProfile(nothing))
        for usermap in (b"{}", b'{"a":{},"b":{}}', b'{"a":null}', b"null"):
            command = self.one(b'\xaa{"ntype":6,"usermap":%b}' % usermap)
            assert isinstance(command, Unacceptable), command
            self.assertIsInstance(command.error, BadParameter)

    def test_other_nodes(self) -> None:
        """What occurs only as an answer, or nowhere, is wrong."""
        for kind in (-1, 0, 1, 2, 3, 8, 9, 10, 11):
            self.refused(b'\xaa{"ntype":%d}' % kind, BadParameter, Note(42, t=kind))
        self.refused(b"\xaa{}", BadParameter, Note(42))


class Messages(Case):
    """Types 90, 92 and 93."""

    def test_read_marks(self) -> None:
        """A read mark is understood of those who know the additions, of no others."""
        head = b'\xda{"msType":2,"odType":11,'
        mark = head + b'"mid":7,"toTid":{"node":"B"}}'
        (command,) = wire(JSON, additions=True).receive(mark)
        self.assertEqual(command, commands.MarkRead("B", 7))
        (command,) = wire(JSON, additions=True).receive(head + b'"toTid":{"node":"B"}}')
        self.assertEqual(command, commands.MarkRead("B", 0))
        room = b'\xda{"msType":3,"odType":11,"mid":7,"roomTid":{"node":"R"}}'
        (command,) = wire(JSON, additions=True).receive(room)
        self.assertEqual(command, commands.MarkRead("R", 7, True))
        for bad in (
            head + b'"mid":7}',
            head + b'"mid":7,"toTid":{"node":"B"},"roomTid":{"node":"R"}}',
            b'\xda{"msType":3,"odType":11,"mid":7,"toTid":{"node":"B"}}',
        ):
            (command,) = wire(JSON, additions=True).receive(bad)
            assert isinstance(command, Unacceptable)
            self.assertIsInstance(command.error, BadParameter)
        (command,) = wire(JSON).receive(mark)
        assert isinstance(command, Unacceptable)
        self.assertIsInstance(command.error, BadParameter)
        for node, after in ((b"", None), (b',"node":"B"', "B")):
            frame = b'\xa9{"rtype":67%b}' % node
            (command,) = wire(JSON, additions=True).receive(frame)
            self.assertEqual(command, commands.ListReadMarks(after))
            self.refused(frame, BadParameter, Note(41, t=67, n=after))

    def test_everything_a_text_may_hold(self) -> None:
        """The content is kept whole; what belongs to the server is dropped."""
        frame = (
            b'\xda{"msType":2,"odType":1,"id":-5,"mid":3,"bnType":1,"isOffline":true,'
            b'"fromTid":{"node":"evil"},"toTid":{"node":"B"},"timestamp":1,'
            b'"dataString":"t","dataBinary":"AQ==","udtype":1,"udshow":2,'
            b'"extend":{"a":"b"},"extra":{"k":"AQ=="},"ToList":["x"]}'
        )
        content = Content("t", b"\x01", 1, 2, {"a": "b"}, {"k": b"\x01"})
        self.assertEqual(self.one(frame), commands.SendMessage("B", content, -5))

    def test_forms(self) -> None:
        """The three types are handled alike, and are told apart in a refusal."""
        forms = {90: "MESSAGE", 92: "REVOKE", 93: "BURN"}
        for type, form in forms.items():
            frame = bytes([type | 0x80]) + (
                b'{"msType":2,"odType":1,"id":0,"toTid":{"node":"B"}}'
            )
            self.assertEqual(
                self.one(frame),
                commands.SendMessage("B", Content(), None, commands.Form[form]),
            )
            self.refused(bytes([type | 0x80]) + b"{", Undecodable, Note(type))

    def test_wrong(self) -> None:
        """Kinds that nobody may send, and messages to nobody, are refused."""
        head = b'\xda{"msType":%d,"odType":%d,"toTid":{"node":"B"},"id":4}'
        note = Note(90, n="B", t2=4)
        for kind in (-1, 0, 4, 6, 7, 8, 20, 30):
            for recipient in (2, 3):
                self.refused(head % (recipient, kind), BadParameter, note)
        for recipient in (-1, 0, 1, 4):
            self.refused(head % (recipient, 1), BadParameter, note)
        nobody = b'\xda{"msType":2,"odType":1,"id":4}'
        self.refused(nobody, UnknownAccount, Note(90, t2=4))
        room = b'\xda{"msType":2,"odType":1,"roomTid":{"node":"R"}}'
        self.refused(room, PermissionDenied, Note(90, n="R"))


class BigData(Case):
    """Frames that may come in pieces."""

    def test_collected(self) -> None:
        """Pieces of a frame are one frame, whatever they look like."""
        client = wire(limit=10)
        self.assertEqual(client.receive(b"\x5f\0\0\0\x0abo"), [])
        self.assertTrue(client.collecting)
        self.assertEqual(client.receive(b"\x0c"), [])
        (command,) = client.receive(b"|x")
        self.assertEqual(command, commands.SendParcel("bo\f", b"x", True))
        self.assertFalse(client.collecting)
        self.assertEqual(client.receive(b"\x0d"), [commands.Ping()])

    def test_limit(self) -> None:
        """A frame that declares more than the limit is refused at once."""
        client = wire(limit=10)
        (command,) = client.receive(b"\x5f\0\0\0\x0bbo")
        assert isinstance(command, Unacceptable)
        self.assertIsInstance(command.error, BadBigData)
        self.assertTrue(client.collecting)
        self.assertEqual(client.receive(b"b|x\x16"), [])
        self.assertFalse(client.collecting)

    def test_x3_pings(self) -> None:
        """Pings are answered while a frame is collected, but for its last byte."""
        client = wire(limit=10)
        client.receive(b"\x5f\0\0\0\x0abo")
        for ping in (b"\x0d", b"\x8d"):
            self.assertEqual(client.receive(ping), [commands.Ping()])
        self.assertEqual(client.receive(b"|\x0d"), [])
        (command,) = client.receive(b"\x0d")
        self.assertEqual(command, commands.SendParcel("bo", b"\x0d\x0d", True))

    def test_x3_pings_passed_over(self) -> None:
        """So they are while a frame is passed over that is too long."""
        client = wire(limit=10)
        client.receive(b"\x5f\0\0\0\x0bbo")
        self.assertEqual(client.receive(b"\x0d"), [commands.Ping()])
        self.assertEqual(client.receive(b"|\x0d\x0d"), [])
        self.assertEqual(client.receive(b"\x0d"), [])
        self.assertEqual(client.receive(b"\x0d"), [commands.Ping()])

    def test_too_much_or_too_late(self) -> None:
        """More than declared, or no end in time, is refused; then all is well."""
        client = wire(limit=10)
        for end in (lambda: client.receive(b"12345"), client.give_up):
            client.receive(b"\x60\0\0\0\x0abo")
            (command,) = end()
            assert isinstance(command, Unacceptable)
            self.assertIsInstance(command.error, BadBigData)
            self.assertEqual(command.about, Note(96))
            self.assertFalse(client.collecting)
        self.assertEqual(client.give_up(), [])

    def test_x3_stranger(self) -> None:
        """Nothing is collected for somebody who is not logged in."""
        client = wire(None)
        self.assertEqual(len(client.receive(b"\x5f\0\0\0\x0abo")), 1)
        self.assertFalse(client.collecting)


class Anything(SynchronousTestCase):
    """Bytes that nobody has thought of."""

    def test_bytes(self) -> None:
        """Whatever arrives becomes commands and never an exception."""
        kinds = st.sampled_from([*range(12, 23), 41, 42, *range(90, 98)])
        heads = st.builds(lambda t, b: bytes([t | b]), kinds, st.sampled_from([0, 128]))
        bodies = st.binary(max_size=60) | st.text(max_size=20).map(
            lambda t: (
                b'{"msType":2,"odType":1,"rtype":1,"ntype":6,"node":"%b"}'
                % t.encode("utf-8", "replace")
            )
        )
        frames = st.binary(max_size=60) | st.builds(bytes.__add__, heads, bodies)

        @settings(max_examples=300, deadline=None, derandomize=True, database=None)
        @given(st.lists(frames, max_size=5), st.booleans(), st.sampled_from(CODECS))
        def check(messages: list[bytes], additions: bool, codec: object) -> None:
            client = wire(JSON if codec is JSON else THRIFT, additions, limit=64)
            for message in messages:
                for command in client.receive(message):
                    self.assertIsInstance(command, commands.Command.__args__)

        check()
