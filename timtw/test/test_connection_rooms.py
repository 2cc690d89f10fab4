"""Requests about rooms and what is answered to them, frame by frame."""

from __future__ import annotations

import json
from typing import Any

import attrs

from timtw.model import commands, events
from timtw.model.commands import ChangeRoom, ChangeRoomInfo, CreateRoom
from timtw.model.errors import BadParameter, PermissionDenied, TimError
from timtw.model.idents import node_of
from timtw.model.limits import NODE_LIST, NODES_BYTES, SMALL_FRAME
from timtw.model.roominfo import Entry, RoomInfo
from timtw.model.rooms import Room, RoomProfile
from timtw.model.roomsteps import OTHERS, RoomNotice, RoomStep
from timtw.model.values import NOTICE, Address, Content, LogEntry
from timtw.protocols import structs
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.refusals import Note
from timtw.test.test_connection_incoming import Case
from timtw.test.wirekit import ALICE, BOB, text, wire

ROOM = 12345
R = node_of(ROOM)
STEPS = tuple(RoomStep(number) for number in (9, 11, 12, 13, 14, 15, 16, 17, 68))


class Requests(Case):
    """What becomes of the frames of clients."""

    def test_steps(self) -> None:
        """Every step names a room; some an account, some bring a text."""
        body = b'"node":"R","node2":"B","reqStr":"x"'
        for step in STEPS:
            with_text = step in (RoomStep.JOIN, RoomStep.REJECT)
            wish = ChangeRoom(
                step, "R", "B" if step in OTHERS else "", "x" if with_text else None
            )
            frame = b'\xa9{"rtype":%d,%b}' % (step, body)
            self.assertEqual(self.one(frame, True), wish)
        none = self.one(b'\xa9{"rtype":11,"node":"R","node2":"B"}')
        self.assertEqual(none, ChangeRoom(RoomStep.REJECT, "R", "B", None))

    def test_missing(self) -> None:
        """What a step needs and has not is refused, with what there is of it."""
        for step in STEPS:
            note = Note(41, t=step, n2="B")
            frame = b'\xa9{"rtype":%d,"node2":"B","reqStr":""}' % step
            self.refused(frame, BadParameter, note, True)
            if step in OTHERS:
                note = Note(41, t=step, n="R")
                frame = b'\xa9{"rtype":%d,"node":"R","reqStr":""}' % step
                self.refused(frame, BadParameter, note, True)
        note = Note(41, t=68, n="R", n2="B")
        frame = b'\xa9{"rtype":68,"node":"R","node2":"B"}'
        self.refused(frame, BadParameter, note)
        self.refused(b'\xa9{"rtype":9,"node":"R"}', BadParameter, Note(41, t=9, n="R"))
        self.refused(b'\xa9{"rtype":8}', BadParameter, Note(41, t=8))
        self.refused(b'\xa9{"rtype":20}', BadParameter, Note(41))

    def test_create(self) -> None:
        """A room is private if its maker says 1, else open."""
        values = ((b"1", 1), (b"2", 2), (b"0", 2), (b"null", 2), (b"7", 2))
        for value, entry in values:
            frame = b'\xa9{"rtype":8,"node":"Topic","reqInt":%b}' % value
            made = CreateRoom("Topic", Entry(entry))
            self.assertEqual(self.one(frame), made)
        made = CreateRoom("", Entry.OPEN)
        self.assertEqual(self.one(b'\xa9{"rtype":8,"node":""}'), made)

    def test_lists(self) -> None:
        """Rooms, members, blocked rooms and barred accounts are asked for."""
        for rtype, command in (
            (2, commands.ListRooms()),
            (3, commands.ListMembers("R")),
            (19, commands.ListRooms(blocked=True)),
            (20, commands.ListMembers("R", barred=True)),
        ):
            self.assertEqual(self.one(b'\xa9{"rtype":%d,"node":"R"}' % rtype), command)
        self.assertEqual(self.one(b'\xa9{"rtype":3}'), commands.ListMembers(""))

    def test_read(self) -> None:
        """What rooms are is asked for by a list that is neither empty nor too long."""

        def frame(kind: int, count: int) -> bytes:
            nodes = ",".join(f'"{number}"' for number in range(count))
            return b'\xaa{"ntype":%d,"nodelist":[%b]}' % (kind, nodes.encode())

        command = self.one(frame(5, NODE_LIST))
        assert isinstance(command, commands.ReadRooms)
        self.assertEqual(NODE_LIST, len(command.nodes))
        for kind, t in ((5, 5), (0, 4)):
            for count in (0, NODE_LIST + 1):
                note = Note(42, t=t if count else kind)
                self.refused(frame(kind, count), BadParameter, note)
        unsaid = commands.ReadRooms(("0",), or_accounts=True)
        self.assertEqual(self.one(frame(0, 1)), unsaid)

    def test_change(self) -> None:
        """One room is changed at a time; what is the server's means nothing."""
        bean = (
            b'{"topic":"t","cover":"c","label":"","kind":-5,"extend":{"a":"b"},'
            b'"extra":{"x":"AP8="},"managers":["A"],"founder":"B","gtype":2,'
            b'"createtime":1}'
        )
        said = RoomInfo("t", "c", "", -5, {"a": "b"}, {"x": b"\0\xff"})
        for kind in (0, 7):
            frame = b'\xaa{"ntype":%d,"roommap":{"R":%b}}' % (kind, bean)
            self.assertEqual(self.one(frame), ChangeRoomInfo("R", said, ("A",)))
        nothing = self.one(b'\xaa{"ntype":7,"roommap":{"R":{}}}')
        self.assertEqual(nothing, ChangeRoomInfo("R", RoomInfo()))
        for bad in (b"{}", b"null", b'{"R":null}', b'{"R":{},"S":{}}'):
            frame = b'\xaa{"ntype":7,"roommap":%b}' % bad
            self.refused(frame, BadParameter, Note(42, t=7))


class Answers(Case):
    """What clients are told."""

    def frames(
        self, event: events.Event, codec: Codec = JSON, additions: bool = False
    ) -> list[bytes]:
        """The frames of an event for a logged-in client."""
        return wire(codec, additions).encode(event)

    def told(self, event: events.Event, additions: bool = False) -> list[Any]:
        """The type and the structure of each frame, in JSON."""
        frames = self.frames(event, JSON, additions)
        return [(frame[0], json.loads(frame[1:])) for frame in frames]

    def test_done(self) -> None:
        """Each step is answered once with what it was about; a request not at all."""
        for step in STEPS:
            peer = "B" if step in OTHERS else ""
            event = events.RoomDone(ChangeRoom(step, R, peer), R)
            answer = {"ok": True, "timType": 41, "t": int(step), "n": R}
            if peer:
                answer["n2"] = peer
            self.assertEqual([(12, answer)], self.told(event, additions=True))
            expected = [] if step is RoomStep.JOIN else [(12, answer)]
            self.assertEqual(expected, self.told(event))
        made = events.RoomDone(CreateRoom("topic", Entry.OPEN), R)
        answer = {"ok": True, "timType": 41, "t": 8, "n": R}
        self.assertEqual([(12, answer)], self.told(made))
        changed = events.RoomDone(ChangeRoomInfo(R, RoomInfo()), R)
        answer = {"ok": True, "timType": 42, "t": 7}
        self.assertEqual([(12, answer)], self.told(changed))

    def test_q2_one_refusal(self) -> None:
        """Each step is refused once, with what it was about."""
        error = PermissionDenied()
        for step in STEPS:
            peer = "B" if step in OTHERS else ""
            answer = self.refusal(ChangeRoom(step, R, peer), error)
            self.assertEqual((int(step), R), (answer["t"], answer["n"]))
            self.assertEqual(peer, answer.get("n2", ""))
        for command, t in (
            (CreateRoom("topic", Entry.OPEN), 8),
            (ChangeRoomInfo(R, RoomInfo()), 7),
            (commands.ReadRooms((R,)), 5),
            (commands.ReadRooms((R,), or_accounts=True), 4),
            (commands.ListMembers(R), None),
            (commands.ListRooms(), None),
        ):
            self.assertEqual(t, self.refusal(command, error).get("t"))

    def refusal(self, command: commands.Command, error: TimError) -> dict[str, Any]:
        """The TimAck of a refusal."""
        ((type, answer),) = self.told(events.Refused(command, error))
        kinds = (ChangeRoomInfo, commands.ReadRooms)
        expected = 42 if isinstance(command, kinds) else 41
        self.assertEqual((12, expected), (type, answer["timType"]))
        self.assertEqual((False, error.code), (answer["ok"], answer["error"]["code"]))
        found: dict[str, Any] = answer
        return found

    def test_q1_lists(self) -> None:
        """Lists are there also when they are empty; those of a room say of which."""
        for command, kind, room in (
            (commands.ListRooms(), 2, None),
            (commands.ListMembers(R), 3, R),
            (commands.ListRooms(blocked=True), 9, None),
            (commands.ListMembers(R, barred=True), 10, R),
        ):
            for nodes in ((), ("A", "B")):
                expected = {"ntype": kind, "nodelist": list(nodes)}
                if room:
                    expected["node"] = room
                event = events.RoomNodes(command, nodes)
                self.assertEqual([(42, expected)], self.told(event))

    def test_g16_long_lists(self) -> None:
        """A list of many comes in frames that clients can take, whole and in order."""
        nodes = tuple(node_of(-number) for number in range(1, 40_001))
        for codec, most, least in ((THRIFT, SMALL_FRAME, 50), (JSON, NODES_BYTES, 2)):
            for event in (
                events.RoomNodes(commands.ListMembers(R), nodes),
                events.Relations(commands.ListRelations(), nodes),
            ):
                frames = self.frames(event, codec)
                self.assertLessEqual(max(map(len, frames)), most)
                self.assertGreaterEqual(len(frames), least)
                found: list[str] = []
                for frame in frames:
                    found += codec.decode(structs.TimNodes, frame[1:]).nodelist or ()
                self.assertEqual(list(nodes), found)

    def profile(self, number: int, topic: str = "t") -> RoomProfile:
        """A room with everything."""
        address = Address(number, node_of(number))
        room = Room(address, Entry.PRIVATE, ALICE.number, 17)
        info = RoomInfo(topic, "c", "l", 3, {"a": "b"}, {"x": b"\0"})
        return RoomProfile(room, info, (BOB.number,))

    def test_rooms(self) -> None:
        """What a room is, is told with founder, managers, entry and time."""
        bean = {
            "founder": node_of(ALICE.number),
            "managers": [node_of(BOB.number)],
            "cover": "c",
            "topic": "t",
            "label": "l",
            "gtype": 1,
            "kind": 3,
            "createtime": 17,
            "extend": {"a": "b"},
            "extra": {"x": "AA=="},
        }
        event = events.RoomProfiles((self.profile(ROOM),))
        expected = {"ntype": 5, "roommap": {R: bean}}
        self.assertEqual([(42, expected)], self.told(event))
        nothing = {"ntype": 5, "roommap": {}}
        self.assertEqual([(42, nothing)], self.told(events.RoomProfiles(())))

    def test_a8_many_rooms(self) -> None:
        """As many rooms as may be asked for come in frames that clients can take."""
        profiles = tuple(self.profile(n, "t" * 500) for n in range(5, 105))
        frames = self.frames(events.RoomProfiles(profiles), THRIFT)
        self.assertLessEqual(max(map(len, frames)), SMALL_FRAME)
        found: dict[str, structs.TimRoomBean] = {}
        for frame in frames:
            found.update(THRIFT.decode(structs.TimNodes, frame[1:]).roommap or {})
        self.assertEqual([node_of(n) for n in range(5, 105)], list(found))

    def test_notices(self) -> None:
        """Notices name room, requester and receiver; who joins by itself the room."""
        content = Content("why", room=ROOM)
        notices = attrs.evolve(text(device=None), kind=NOTICE, content=content)
        for notice in RoomNotice:
            message = attrs.evolve(notices, mid=int(notice))
            entry = LogEntry(3, message, own=False)
            ((type, found),) = self.told(events.Delivery(entry, 0))
            self.assertEqual((90, 4, 2), (type, found["odType"], found["msType"]))
            self.assertEqual(int(notice), found["bnType"])
            self.assertEqual(
                ({"node": R}, {"node": "A"}, {"node": "B"}),
                (found["roomTid"], found["fromTid"], found["toTid"]),
            )
            self.assertEqual("why", found["dataString"])
        alone = attrs.evolve(notices, sender=BOB, mid=RoomNotice.JOINED)
        ((_, found),) = self.told(events.Delivery(LogEntry(3, alone, own=False), 0))
        self.assertEqual({"node": R}, found["roomTid"])
        self.assertNotIn("fromTid", found)
        self.assertNotIn("toTid", found)
