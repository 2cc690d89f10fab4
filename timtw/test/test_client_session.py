"""The client's state machine: frames in, frames and events out, without sockets."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.client.commands import as_json, as_words
from timtw.client.grouprequests import Create, Spread, nodes_in
from timtw.client.happenings import Answered, Arrived, Event, NotNow, Over, Phase
from timtw.client.requests import Find, History, Relate
from timtw.client.session import Session
from timtw.client.values import (
    NOTICE,
    REQUEST,
    Busy,
    Delivered,
    Displaced,
    Expired,
    Login,
    Message,
    Online,
    Presence,
    Profile,
    Read,
    Refused,
    Stored,
    Unsure,
)
from timtw.client.wire import Speech
from timtw.client.wsframes import BadLine
from timtw.model.limits import CLIENT_FRAME_BYTES, CLIENT_WAITING, SENDS_UNDER_WAY
from timtw.model.relations import Step
from timtw.test.modelnode import BOB, ModelNode

ACTS = ("bob", "send", "take", "cut", "deliver", "deliver", "carry", "login", "repeat")
SECRET = Login("ada", "pw", resource="r", termtyp=4)
LOGGED_IN = b'\x0c{"ok":true,"timType":16,"n":"ada","t2":0}'
CREDENTIAL = b'\x0c{"ok":true,"timType":15,"n":"r-1"}'


class Scene:
    """A session, a node, and the line between them."""

    def __init__(self, encoding: str) -> None:
        """Both are connected."""
        self.session = Session(SECRET, encoding)
        self.node = ModelNode(encoding)
        self.untaken: list[Message] = []
        self.arrived: list[Message] = []
        self.stored: dict[int, Stored] = {}
        self.sent = 0
        self.session.opened()

    def act(self, what: str) -> None:
        """Do one thing."""
        if what == "bob":
            self.node.bob_writes(f"bob {len(self.node.log)}")
        elif what == "send":
            self.sent += 1
            self.session.send(self.sent, BOB, f"ada {self.sent}")
        elif what == "take" and self.untaken:
            self.session.taken(self.untaken.pop(0))
        elif what == "cut":
            self.node.cut()
            self.session.lost()
            self.session.opened()
        elif what == "login":
            self.act("carry")
            self.act("deliver")
            self.act("carry")
        elif what == "deliver" and self.node.out:
            self.session.received(self.node.out.pop(0))
        elif what == "carry":
            for frame in self.session.outgoing():
                self.node.hear(frame)
        elif what == "repeat":
            self.node.repeat()
        self.note()

    def note(self) -> None:
        """Look at what has happened."""
        for event in self.session.events():
            if isinstance(event, Arrived):
                self.arrived.append(event.message)
                self.untaken.append(event.message)
            elif isinstance(event, Answered):
                assert event.number not in self.stored, "answered twice"
                self.stored[event.number] = event.result
        taken_too_early = {m.seq for m in self.untaken} & self.node.confirmed
        assert not taken_too_early, "acknowledged before it was taken"

    def settle(self) -> None:
        """Let everything come to rest on a line that holds."""
        for _ in range(3 * len(self.node.log) + 3 * self.sent + 10):
            for what in ("carry", "deliver", "deliver", "take"):
                self.act(what)


class PropertyTests(SynchronousTestCase):
    """Whatever happens to the line, nothing is lost and nothing comes twice."""

    @settings(max_examples=150, derandomize=True, deadline=None, database=None)
    @given(
        st.sampled_from(("json", "thrift")),
        st.lists(st.sampled_from(ACTS), min_size=20, max_size=60),
    )
    def test_once_and_in_order(self, encoding: str, acts: list[str]) -> None:
        """All that Bob writes arrives once, in order; all of Ada's is stored once."""
        scene = Scene(encoding)
        for what in acts:
            scene.act(what)
        scene.settle()
        entries = scene.node.log
        from_bob = [e.dataString for e in entries if (e.id or 0) >= 1 << 52]
        self.assertEqual(from_bob, [m.text for m in scene.arrived])
        from_ada = {e.id: Stored(e.mid or 0, e.timestamp or 0, e.id or 0)
                    for e in entries if (e.id or 0) < 1 << 52}  # fmt: skip
        self.assertEqual(scene.sent, len(from_ada))
        self.assertEqual(from_ada, scene.stored)
        self.assertEqual(scene.node.confirmed, set(range(1, len(entries) + 1)))


class SessionTests(SynchronousTestCase):
    """One thing at a time, on JSON."""

    def session(self, login: Login = SECRET, *, listens: bool = True) -> Session:
        """A session that is logged in, and has told so."""
        made = Session(login, "json", listens)
        made.opened()
        self.say(made, LOGGED_IN, CREDENTIAL)
        _ = made.outgoing()
        return made

    def say(self, session: Session, *frames: bytes) -> list[Event]:
        """Let the node say something; what happens."""
        for frame in frames:
            session.received(frame)
        return session.events()

    def test_login_asks_first(self) -> None:
        """The request for the backlog goes out before anything else is said."""
        session = Session(SECRET, "json")
        session.send(7, BOB, "hi")
        session.opened()
        self.assertEqual([0x90], [frame[0] for frame in session.outgoing()])
        self.assertEqual([Online("ada")], self.say(session, LOGGED_IN))
        self.assertEqual([0x91, 0xDA], [frame[0] for frame in session.outgoing()])

    def test_credential_instead_of_password(self) -> None:
        """The second login of a session does not need the password."""
        session = self.session()
        session.lost()
        session.opened()
        login = session.outgoing()[0]
        self.assertIn(b'"token":"r-1"', login)
        self.assertNotIn(b"pw", login)
        refused = b'\x0c{"ok":false,"timType":16,"error":{"code":4115,"info":"x"}}'
        self.assertEqual([], self.say(session, refused))
        self.assertIn(b'"pwd":"pw"', session.outgoing()[0])

    def test_credential_alone_has_an_end(self) -> None:
        """Without a password an ended credential is the end."""
        session = Session(Login(credential="r-1"), "json")
        session.opened()
        refused = b'\x0c{"ok":false,"timType":16,"error":{"code":4115,"info":"x"}}'
        events = self.say(session, refused)
        self.assertIsInstance(events[0], Over)
        self.assertIs(Phase.OVER, session.phase)

    def test_wrong_password(self) -> None:
        """A wrong password is not tried again."""
        session = Session(SECRET, "json")
        session.opened()
        refused = b'\x0c{"ok":false,"timType":16,"error":{"code":4105,"info":"x"}}'
        events = self.say(session, refused)
        self.assertIsInstance(events[0], Over)

    def test_refused_for_a_while(self) -> None:
        """A busy node is asked again later, and a full account that had room before."""
        busy = b'\x0c{"ok":false,"timType":16,"error":{"code":5105,"info":"x"}}'
        full = busy.replace(b"5105", b"4111")
        session = Session(SECRET, "json")
        session.opened()
        self.assertIsInstance(self.say(session, busy)[0], NotNow)
        self.assertIsInstance(self.say(session, full)[0], Over)
        session = self.session()
        session.lost()
        session.opened()
        self.assertIsInstance(self.say(session, full)[0], NotNow)

    def test_displaced_and_logged_out(self) -> None:
        """The end by another device is an error, the end that was asked for is none."""
        over = b'\x0c{"ok":true,"timType":20}'
        events = self.say(self.session(), over)
        assert isinstance(events[0], Over)
        self.assertIsInstance(events[0].error, Displaced)
        session = self.session()
        session.logout()
        self.assertEqual([b"\x94"], session.outgoing())
        self.assertEqual([Over(None)], self.say(session, over))

    def test_relation_on_two_lines(self) -> None:
        """What a lost line may have done already counts as done on the next one."""
        for first, code in ((True, 4117), (False, 4117), (True, 4104)):
            session = self.session()
            session.ask(
                lambda speech, _: Relate(-1, [speech.relate(Step.ASK, BOB, "")], 4117)
            )
            if first:
                session.lost()
                session.opened()
                self.say(session, LOGGED_IN)
            refused = b'\x0c{"ok":false,"timType":41,"error":{"code":%d,"info":"x"}}'
            (event,) = self.say(session, refused % code)
            assert isinstance(event, Answered)
            done = first and code == 4117
            self.assertEqual(done, event.result is None, (first, code))
            self.assertEqual(not done, isinstance(event.result, Refused))

    def test_notice(self) -> None:
        """A notice comes as what it is, in the library and in a script's output."""
        session = self.session()
        notice = (
            b'\xda\0\0\0\1{"msType":2,"odType":4,"id":9,"bnType":4,"seq":1,"fromTid":'
            b'{"node":"bob"},"toTid":{"node":"ada"},"dataString":"hi","timestamp":5}'
        )
        (event,) = self.say(session, notice)
        assert isinstance(event, Arrived)
        message = event.message
        self.assertEqual((NOTICE, REQUEST, "hi"), (message.kind, message.notice, "hi"))
        self.assertEqual("from bob (wants to be friends): hi", as_words(message))
        self.assertIn('"notice": 4', as_json(message))

    def test_refused_text(self) -> None:
        """A refusal reaches the text it is about, the others go on."""
        session = self.session()
        session.send(7, BOB, "a")
        session.send(8, "zzz", "b")
        refused = (
            b'\x0c{"ok":false,"timType":90,"error":{"code":4106,"info":"no"},"t2":8}'
        )
        events = self.say(session, refused)
        assert isinstance(events[0], Answered)
        self.assertEqual(8, events[0].number)
        self.assertIsInstance(events[0].result, Refused)
        session.again(7)
        self.assertEqual(3, len(session.outgoing()))

    def test_answers_in_order(self) -> None:
        """Each request gets its own answer, a refusal included."""
        session = self.session()
        session.ask(lambda speech, own: Find(-1, [speech.find("bob")]))
        session.ask(lambda speech, own: Find(-2, [speech.find("carol")]))
        self.assertEqual(2, len(session.outgoing()))
        session.lost()
        session.opened()
        self.say(session, LOGGED_IN)
        self.assertEqual(4, len(session.outgoing()))
        found = b'\x2a{"ntype":4,"usermap":{"bob":{"createtime":5}}}'
        busy = b'\x0c{"ok":false,"timType":41,"error":{"code":5105,"info":"x"}}'
        events = self.say(session, found, busy)
        self.assertEqual(Answered(-1, Profile("bob", "", 5)), events[0])
        assert isinstance(events[1], Answered)
        self.assertIsInstance(events[1].result, Refused)

    def test_standing(self) -> None:
        """What was announced and marked is said again on each new line, until the node
        knows the mark; who is said to be gone and is not announces itself again."""
        session = self.session()
        speech = Speech("json")
        shown = Presence("", show=1, status="here")
        frame, mark = speech.presence(shown, None), speech.read_mark("bob", 7)
        session.standing.announced(frame)
        for mid, said in ((7, [mark]), (7, []), (6, [])):
            frames = session.standing.mark("bob", mid)
            session.say(lambda _, frames=frames: frames)  # type: ignore[misc]
            self.assertEqual(said, session.outgoing())
        told = b'\x5a{"msType":2,"odType":11,"id":9,"mid":%d,%b}'
        mine = b'"fromTid":{"node":"ada"},"toTid":{"node":"bob"}'
        gone = b'\x5b{"offline":true,"fromTid":{"node":"ada"}}'
        for known, said in ((6, [frame, mark]), (7, [frame, mark]), (7, [frame])):
            session.lost()
            session.opened()
            self.say(session, LOGGED_IN)
            self.assertEqual(said, session.outgoing()[-len(said) :])
            self.assertEqual([], self.say(session, gone))
            self.assertEqual([frame], session.outgoing())
            self.say(session, told % (known, mine))

    def test_read_marks_of_groups(self) -> None:
        """Unread in a group is what came behind the own mark, as long as one is in; a
        mark that the node has not told is said again on the next line."""
        session = self.session()
        standing = session.standing
        mark = b'\x5a{"msType":3,"odType":11,"id":9,"mid":%d,"fromTid":{"node":"ada"},'
        mark += b'"roomTid":{"node":"club"}}'
        self.assertEqual([Read("club", True, 0, 9, True)], self.say(session, mark % 0))
        self.assertEqual({"club": 9}, standing.unread(in_groups=True))
        self.assertEqual({}, standing.unread())
        text = b'\x5a{"msType":3,"odType":1,"mid":%d,"fromTid":{"node":"%b"},'
        text += b'"roomTid":{"node":"club"},"dataString":"x"}'
        self.say(session, mark % 5, text % (10, b"bob"))
        self.assertEqual({"club": 5}, standing.unread(in_groups=True))
        self.say(session, text % (11, b"ada"))
        self.assertEqual({}, standing.unread(in_groups=True))
        said = [Speech("json").read_mark("club", 12, in_group=True)]
        self.assertEqual(said, standing.mark("club", 12, in_group=True))
        self.assertEqual(said, standing.frames())
        self.say(session, text % (13, b"bob"))
        standing.asked()
        self.say(session, mark % 9)
        standing.told()
        self.assertEqual({"club": 1}, standing.unread(in_groups=True))
        standing.asked()
        standing.told()
        self.assertEqual({}, standing.unread(in_groups=True), "left")
        self.assertEqual(([], {}), (standing.frames(), standing.unread()))

    def test_read_marks(self) -> None:
        """Marks of both sides are told; unread is what came behind the own ones."""
        session = self.session()
        mark = b'\x5a{"msType":2,"odType":11,"id":9,"mid":%d,%b}'
        mine = b'"fromTid":{"node":"ada"},"toTid":{"node":"bob"}'
        theirs = b'"fromTid":{"node":"bob"},"toTid":{"node":"ada"}'
        self.assertEqual(
            [Read("bob", False, 9, 9)], self.say(session, mark % (9, theirs))
        )
        self.assertEqual({}, session.standing.unread())
        self.assertEqual([Read("bob", True, 5, 9)], self.say(session, mark % (5, mine)))
        self.assertEqual({"bob": 4}, session.standing.unread())
        self.say(session, mark % (3, mine))
        self.assertEqual({"bob": 4}, session.standing.unread())
        text = b'\x5a{"msType":%d,"odType":1,"mid":%d,%b,"dataString":"x"}'
        in_group = b'"fromTid":{"node":"bob"},"roomTid":{"node":"club"}'
        self.say(session, text % (2, 10, theirs), text % (3, 99, in_group))
        self.assertEqual({"bob": 5}, session.standing.unread())
        self.say(session, text % (2, 11, mine))
        self.assertEqual({}, session.standing.unread())
        session.standing.mark("bob", 12)
        refused = b'\x0c{"ok":false,"timType":90,"t":11,"n":"bob",'
        error = b'"error":{"code":5105,"info":"x"}}'
        session.send(7, "bob", "hi")
        self.assertEqual([], self.say(session, refused + error))
        self.assertEqual([], session.standing.frames())

    def test_history_in_pieces(self) -> None:
        """The pieces of a history become one list, also after a lost line."""
        session = self.session()
        session.ask(lambda speech, own: History(-1, [speech.history(BOB, 0, 2)]))
        piece = (
            b'\x15{"messageList":[{"msType":2,"odType":1,"mid":%d,'
            b'"fromTid":{"node":"bob"},"toTid":{"node":"ada"}}]}'
        )
        self.assertEqual([], self.say(session, piece % 9))
        session.lost()
        session.opened()
        self.say(session, LOGGED_IN)
        events = self.say(
            session, piece % 9, piece % 8, b'\x2a{"ntype":4,"usermap":{}}'
        )
        assert isinstance(events[0], Answered)
        self.assertEqual([9, 8], [message.mid for message in events[0].result])

    def test_long_list(self) -> None:
        """The pieces of a long list become one, also after a lost line."""
        session = self.session()

        def make(number: int, speech: Speech, own: str) -> Spread:
            asked = [speech.members("R", False), speech.profiles([own])]
            return Spread(number, asked, nodes_in)

        piece = b'\x2a{"ntype":3,"node":"R","nodelist":["%b"]}'
        end = b'\x2a{"ntype":4,"usermap":{}}'
        session.ask(lambda speech, own: make(-1, speech, own))
        self.assertEqual([], self.say(session, piece % b"A"))
        session.lost()
        session.opened()
        self.say(session, LOGGED_IN)
        events = self.say(session, piece % b"A", piece % b"B", end)
        self.assertEqual([Answered(-1, ["A", "B"])], events)
        for refused, after in ((True, [end]), (False, [])):
            session.ask(lambda speech, own: make(-2, speech, own))
            no = b'\x0c{"ok":false,"timType":41,"error":{"code":4104,"info":"x"}}'
            busy = (
                b'\x0c{"ok":false,"timType":42,"t":4,"error":{"code":5104,"info":"x"}}'
            )
            told = [no, *after] if refused else [piece % b"A", busy]
            (answer,) = self.say(session, *told)
            assert isinstance(answer, Answered)
            self.assertEqual(refused, isinstance(answer.result, Refused))

    def test_group_is_not_made_twice(self) -> None:
        """A group that is wished for goes out once; after a lost line nobody knows."""
        for early in (False, True):
            session = self.session()
            session.outgoing()
            if early:
                session.lost()
            session.ask(
                lambda speech, own: Create(
                    -1, [speech.new_group("t", True)], speech.profiles([own])
                )
            )
            if not early:
                session.lost()
            session.opened()
            self.say(session, LOGGED_IN)
            wishes = [b'"rtype":8' in frame for frame in session.outgoing()]
            self.assertEqual(early, any(wishes))
            made = b'\x0c{"ok":true,"timType":41,"t":8,"n":"R"}'
            end = b'\x2a{"ntype":4,"usermap":{}}'
            (answer,) = self.say(session, made if early else end)
            assert isinstance(answer, Answered)
            if early:
                self.assertEqual("R", answer.result)
            else:
                self.assertIsInstance(answer.result, Unsure)

    def test_group_notice(self) -> None:
        """A notice of a group says which, also one that nobody has sent."""
        session = self.session()
        notice = (
            b'\xda\0\0\0\1{"msType":2,"odType":4,"id":9,"bnType":10,"seq":1,'
            b'"roomTid":{"node":"R"},"timestamp":5}'
        )
        (event,) = self.say(session, notice)
        assert isinstance(event, Arrived)
        message = event.message
        self.assertEqual(("R", "", False), (message.group, message.peer, message.own))
        self.assertEqual("from the node (in group R): ", as_words(message))
        self.assertIn('"group": "R"', as_json(message))

    def test_delivered(self) -> None:
        """A delivered mark names the reader and how far it has come."""
        mark = (
            b'\x5a{"msType":2,"odType":8,"mid":3,"fromTid":{"node":"bob"},'
            b'"toTid":{"node":"ada"}}'
        )
        self.assertEqual([Delivered("bob", 3)], self.say(self.session(), mark))

    def test_expired(self) -> None:
        """It is told once that what had waited is gone, and asks behind it next."""
        notice = b'\x5a{"msType":2,"odType":9,"seq":%d}'
        session = self.session()
        self.assertEqual([Expired(7)], self.say(session, notice % 7))
        self.assertEqual([], self.say(session, notice % 7, notice % 6))
        session.lost()
        session.opened()
        session.outgoing()
        self.say(session, LOGGED_IN.replace(b'"t2":0', b'"t2":9'))
        self.assertIn(b'\x91{"reqInt":7}', session.outgoing())
        sender = Session(SECRET, "json", listens=False)
        sender.opened()
        self.say(sender, LOGGED_IN)
        self.assertEqual([], self.say(sender, notice % 7))

    def test_sender_takes_nothing(self) -> None:
        """A session that only sends neither asks for messages nor acknowledges any."""
        session = Session(SECRET, "json", listens=False)
        session.opened()
        self.say(session, LOGGED_IN)
        message = (
            b'\xda\0\0\0\1{"msType":2,"odType":1,"mid":1,"seq":1,'
            b'"fromTid":{"node":"bob"},"toTid":{"node":"ada"}}'
        )
        self.assertEqual([], self.say(session, message))
        self.assertEqual([0x90], [frame[0] for frame in session.outgoing()])

    def test_resumes_behind_what_was_taken(self) -> None:
        """After a lost line the node is asked from the first message not dealt with."""
        session = self.session()
        message = (
            b'\x5a{"msType":2,"odType":1,"mid":1,"seq":%d,"fromTid":{"node":"bob"},'
            b'"toTid":{"node":"ada"}}'
        )
        first, second = self.say(session, message % 5, message % 9)
        for event, position in ((None, 4), (first, 8), (second, 9)):
            if isinstance(event, Arrived):
                session.taken(event.message)
            session.lost()
            session.opened()
            self.say(session, LOGGED_IN.replace(b'"t2":0', b'"t2":9'))
            request = b'\x91{"reqInt":%d}' % position
            self.assertEqual(request, session.outgoing()[1])

    def test_unknown_frames(self) -> None:
        """A type of the future is acknowledged and ignored; a damaged frame is not."""
        session = self.session()
        self.assertEqual([], self.say(session, b"\xe3\0\0\0\5what", b"\x64", b""))
        self.assertEqual([b"\x8c\0\0\0\5"], session.outgoing())
        for damaged in (b"\xda\0\0", b"\x5a{", b"\x0cxx"):
            self.assertRaises(BadLine, session.received, damaged)

    def test_log_that_went_back(self) -> None:
        """After a node was restored from a backup its new messages are not taken for
        old ones."""
        session = self.session()
        message = (
            b'\x5a{"msType":2,"odType":1,"mid":1,"seq":%d,"fromTid":{"node":"bob"},'
            b'"toTid":{"node":"ada"}}'
        )
        self.assertEqual(1, len(self.say(session, message % 5)))
        self.assertEqual([], self.say(session, message % 5))
        session.lost()
        session.opened()
        self.say(session, LOGGED_IN.replace(b'"t2":0', b'"t2":3'))
        self.assertEqual(1, len(self.say(session, message % 4)))

    def test_too_long_for_this_node(self) -> None:
        """The longest text on the line is given up, and nobody if that is answered, or
        nobody waits for it any more."""
        session = self.session()
        for number, text in enumerate(("x", "x" * 9, "x" * 5), 1):
            session.send(number, BOB, text)
        session.outgoing()
        session.too_long()
        (given_up,) = session.events()
        assert isinstance(given_up, Answered)
        self.assertEqual(2, given_up.number)
        self.assertIsInstance(given_up.result, ValueError)
        session.too_long()
        self.assertEqual([], session.events())
        session.lost()
        session.opened()
        self.say(session, LOGGED_IN)
        self.assertEqual(4, len(session.outgoing()), "login, backlog, two texts")
        session.forget(3)
        session.too_long()
        self.assertEqual([], session.events())
        unread = b'\x0c{"ok":false,"timType":0,"error":{"code":4104,"info":"long"}}'
        session.send(4, BOB, "x" * 99)
        session.outgoing()
        (given_up,) = self.say(session, unread)
        assert isinstance(given_up, Answered)
        self.assertEqual(4, given_up.number)

    def test_limits(self) -> None:
        """So many texts go out at once, so many wait, and so long may one be."""
        session = self.session()
        for number in range(1, CLIENT_WAITING + 1):
            session.send(number, BOB, "x")
        self.assertEqual(SENDS_UNDER_WAY, len(session.outgoing()))
        self.assertRaises(Busy, session.send, CLIENT_WAITING + 1, BOB, "x")
        session = self.session()
        frame_around = len(session_frame(""))
        session.send(1, BOB, "x" * (CLIENT_FRAME_BYTES - frame_around))
        too_long = "x" * (CLIENT_FRAME_BYTES - frame_around + 1)
        self.assertRaises(ValueError, session.send, 1, BOB, too_long)


def session_frame(text: str) -> bytes:
    """The frame of a text under the id 1."""
    session = Session(SECRET, "json")
    session.opened()
    session.received(LOGGED_IN)
    _ = session.outgoing()
    session.send(1, BOB, text)
    return session.outgoing()[0]
