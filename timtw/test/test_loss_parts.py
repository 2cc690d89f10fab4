"""The parts of the loss checker: what it draws, damages, hinders and tells."""

from __future__ import annotations

import random
import shutil
import socket
import sqlite3
import tempfile
import time
from contextlib import closing
from io import StringIO
from pathlib import Path
from threading import Event, Thread

from twisted.trial.unittest import SynchronousTestCase

from timtw.loss import damage, faults
from timtw.loss.blocking import Visitor, register
from timtw.loss.launcher import ANY_SIZE, Connection, Hindrances
from timtw.loss.line import Loop, Stopped
from timtw.loss.nodes import Node
from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Began,
    Came,
    Cast,
    Damaged,
    Ended,
    Killed,
    Left,
    Refusal,
    Role,
    Seen,
    Sent,
    Started,
)
from timtw.loss.outbox import Outbox
from timtw.loss.proxy import Proxy
from timtw.loss.server_faults import ON_SERVERS
from timtw.loss.servers import NotInstalled, program
from timtw.loss.speech import JsonSpeech, Login, Texts
from timtw.loss.story import story
from timtw.loss.template import LAUNCHER
from timtw.loss.trace import Finding
from timtw.loss.troubles import (
    REFUSED_SECONDS,
    STORED_SECONDS,
    Place,
    delaying,
    refusing,
)

CAST = Cast(
    {"a.modern": Role("A", True), "b.plain": Role("B", False)}, {"A": "a", "B": "b"}
)
BOTH = frozenset(("A", "B"))


class PlanTests(SynchronousTestCase):
    """Which faults a history has."""

    def test_seed_decides(self) -> None:
        """A seed alone repeats the faults of its history."""
        for seed in range(50):
            once, again = (faults.draw(seed, random.Random(seed)) for _ in range(2))
            self.assertEqual(once, again)

    def test_every_kind(self) -> None:
        """As many histories in a row as there are kinds try all of them."""
        for kinds in (faults.EMBEDDED, ON_SERVERS):
            names = {*kinds.running, *kinds.down}
            for first in (0, 1, 1000):
                plans = [
                    faults.draw(seed, random.Random(seed), kinds)
                    for seed in range(first, first + len(names))
                ]
                drawn = {name for plan in plans for name in (*plan.running, plan.down)}
                self.assertEqual(names, drawn - {""})


class LoopTests(SynchronousTestCase):
    """What drives the devices of a history."""

    def test_stop(self) -> None:
        """Ctrl-C does not wait for the histories that are being played."""
        stop = Event()
        loop = Loop(stop)
        self.addCleanup(loop.close)
        loop.later(0, stop.set)
        self.assertRaises(Stopped, loop.run, lambda: False, 60)


class Echo:
    """Answers everything with itself, on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        """Listen."""
        self.path = folder / "server"
        self.heard = b""
        self._port = socket.socket(socket.AF_UNIX)
        self._port.bind(str(self.path))
        self._port.listen()
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        """Serve one after the other."""
        while True:
            line, _address = self._port.accept()
            with line:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        """Serve one connection, which may be cut."""
        try:
            while data := line.recv(99):
                self.heard += data
                line.sendall(data)
        except OSError:
            return


class ProxyTests(SynchronousTestCase):
    """The line between a node and its database."""

    def setUp(self) -> None:
        """A line through a proxy."""
        # Not below the test's own directory, whose name may be too long for a socket.
        folder = Path(tempfile.mkdtemp(prefix="timtw-"))
        self.addCleanup(shutil.rmtree, folder)
        self.server = Echo(folder)
        self.proxy = Proxy(self.server.path, random.Random(1))
        self.addCleanup(self.proxy.close)

    def line(self) -> socket.socket:
        """A connection through the proxy."""
        line = socket.socket(socket.AF_UNIX)
        self.addCleanup(line.close)
        line.settimeout(20)
        line.connect(str(self.proxy.socket))
        return line

    def asked(self, line: socket.socket, text: bytes) -> bytes:
        """What is answered to ``text``; nothing where the line ends."""
        line.sendall(text)
        try:
            return line.recv(99)
        except ConnectionError:
            return b""

    def test_passes_on(self) -> None:
        """As long as nobody hinders it, it can be relied on, and then it is reset."""
        line = self.line()
        self.assertEqual(b"COMMIT", self.asked(line, b"COMMIT"))
        self.proxy.reset()
        self.assertEqual(b"", line.recv(99))
        self.assertEqual(b"again", self.asked(self.line(), b"again"))

    def test_cut_at_commit(self) -> None:
        """COMMITs are cut and nothing else is; some of them have been carried out."""
        self.proxy.cutting = 1.0
        for n in range(20):
            line = self.line()
            question = b"%d;" % n
            self.assertEqual(question, self.asked(line, question))
            self.assertEqual(b"", self.asked(line, b"COMMIT"))
        commits = self.server.heard.count(b"COMMIT")
        self.assertTrue(0 < commits < 20, commits)

    def test_late(self) -> None:
        """What is late comes all the same."""
        self.proxy.delay = 0.05
        before = time.monotonic()
        self.assertEqual(b"late", self.asked(self.line(), b"late"))
        self.assertGreaterEqual(time.monotonic() - before, 0.1)


class ServerTests(SynchronousTestCase):
    """Servers that are started for histories."""

    def test_not_installed(self) -> None:
        """Where a program is missing that is said, and which."""
        error = self.assertRaises(NotInstalled, program, "no-such-program")
        self.assertEqual("no-such-program is not installed", str(error))


class TroublesTests(SynchronousTestCase):
    """How long a fault excuses a refusal."""

    def test_longer_on_servers(self) -> None:
        """A node that rests before it connects again may refuse for so long."""
        for lasts in (0.0, 6.0):
            history: list[Seen] = [
                Began(1.0, "x", "it fails", True, True, lasts),
                Ended(2.0, "x"),
            ]
            (refused,), (stored,) = refusing(history), delaying(history)
            self.assertEqual(2.0 + lasts + REFUSED_SECONDS, refused.end)
            self.assertEqual(2.0 + lasts + STORED_SECONDS, stored.end)


class OutboxTests(SynchronousTestCase):
    """What a device knows of its texts without an answer."""

    def test_echo(self) -> None:
        """An echo answers a text."""
        outbox = Outbox()
        outbox.add("x", "B", 5)
        outbox.echoed("x")
        self.assertEqual([], outbox.bodies)

    def test_refused_by_id(self) -> None:
        """A refusal names its text, which is still to be sent."""
        outbox = Outbox()
        outbox.add("x", "B", 5)
        outbox.add("y", "B", 6)
        self.assertEqual("y", outbox.refused(6))
        self.assertEqual("", outbox.refused(7))
        self.assertEqual(["x", "y"], outbox.bodies)

    def test_refused_without_id(self) -> None:
        """Without ids it is certain only at the end which texts were refused."""
        outbox = Outbox()
        for body in ("x", "y", "z"):
            outbox.add(body, "B", 0)
        outbox.refused(0)
        outbox.refused(0)
        self.assertEqual(3, len(outbox))
        outbox.echoed("y")
        self.assertEqual(0, len(outbox))
        outbox.add("u", "B", 0)
        self.assertIn("u", outbox)


class LauncherTests(SynchronousTestCase):
    """How a node is hindered from inside of its process."""

    def test_database_may_not_grow(self) -> None:
        """A database that may not grow says so; then it may again."""
        Connection.hindrances = hindrances = Hindrances()
        with closing(sqlite3.connect(":memory:", factory=Connection)) as connection:
            connection.execute("CREATE TABLE t (x)")
            fill = "INSERT INTO t VALUES (zeroblob(20000))"
            connection.execute(fill)
            hindrances.order(["pages", "1"])
            self.assertRaises(sqlite3.OperationalError, connection.execute, fill)
            hindrances.order(["pages", "0"])
            self.assertEqual(ANY_SIZE, hindrances.pages)
            connection.execute(fill)

    def test_clock(self) -> None:
        """Orders to set the clock add up."""
        hindrances = Hindrances()
        hindrances.listen(StringIO("clock -60\nclock -5\n"))
        self.assertEqual(-65, hindrances.shift)


class ClockTests(SynchronousTestCase):
    """A node whose clock is set back while it runs."""

    def test_waiting_goes_on(self) -> None:
        """A backlog that nobody asks for comes after three seconds, not in an hour."""
        folder = Path(self.mktemp())
        folder.mkdir()
        node = Node(folder, LAUNCHER)
        node.start()
        self.addCleanup(node.kill)
        speech = JsonSpeech()
        register(node, speech, "ada", "secret words")
        peer = register(node, speech, "bob", "secret words")
        ada = Visitor(node.port, speech, Login("ada", "secret words", "x", 1, False))
        self.addCleanup(ada.close)
        ada.send(speech.text(peer, "while you were away"))
        ada.hear()
        bob = Visitor(node.port, speech, Login("bob", "secret words", "x", 1, False))
        self.addCleanup(bob.close)
        node.tell("clock -3600")
        before = time.monotonic()
        heard = bob.hear()
        assert isinstance(heard, Texts)
        self.assertEqual("while you were away", heard.texts[0].body)
        self.assertLess(time.monotonic() - before, 15)


class DamageTests(SynchronousTestCase):
    """How stored texts are damaged."""

    sides = (9, 10)
    """The numbers that stand for the nodes A and B."""
    nodes = frozenset(("A", "B"))

    def setUp(self) -> None:
        """A database with a table of texts, as a node has it."""
        self.path = Path(self.mktemp())
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE message (first, second, mid, body)")
            connection.execute(
                "CREATE TABLE log (account, seq, first, second, mid, body)"
            )
            for mid in range(1, 10):
                row = (*self.sides, mid, random.Random(mid).randbytes(60))
                connection.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
                connection.execute("INSERT INTO log VALUES (1, 1, ?, ?, ?, ?)", row)
            connection.commit()

    def bodies(self, table: str) -> dict[int, bytes]:
        """What is stored, by number."""
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute(f"SELECT mid, body FROM {table}"))

    def check_damage(self, how: damage.Damage) -> None:
        """Three texts are damaged, and nothing else is."""
        before, log = self.bodies("message"), self.bodies("log")
        places = damage.damage(self.path, how, random.Random(1))
        after = self.bodies("message")
        changed = {mid for mid, body in after.items() if body != before[mid]}
        self.assertEqual({Place(self.nodes, mid) for mid in changed}, places)
        self.assertEqual(damage.TEXTS, len(changed))
        self.assertEqual([60] * 9, [len(body) for body in after.values()])
        if how is damage.alter:
            self.assertEqual(log, self.bodies("log"))

    def test_alter(self) -> None:
        """A body in its row is another one."""
        self.check_damage(damage.alter)

    def test_overwrite(self) -> None:
        """Bytes of the file are others."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("DELETE FROM log")
            connection.execute("PRAGMA secure_delete = ON")
            connection.commit()
            connection.execute("VACUUM")
        self.check_damage(damage.overwrite)

    def test_said(self) -> None:
        """The lines of a node's log that name damaged texts are understood."""
        log = Path(self.mktemp())
        log.write_text(
            "2026 [x#error] message 7 of the conversation A-B does not open "
            "and is left out\n2026 [x#error] something else\n"
            "2026 [x#error] message 8 of the group G does not open and is left out\n"
        )
        of_group = Place(frozenset("G"), 8)
        self.assertEqual({Place(BOTH, 7), of_group}, damage.said(log))


class GroupDamageTests(DamageTests):
    """How stored texts of a group are damaged."""

    sides = (-5, 1)
    nodes = frozenset(("jpXCZedGfVL",))

    def test_one_of_a_group(self) -> None:
        """Among however many others, one text of a group is damaged."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("DELETE FROM message WHERE mid > 1")
            for mid in range(2, 200):
                row = (9, 10, mid, random.Random(mid).randbytes(60))
                connection.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
            connection.commit()
        places = damage.damage(self.path, damage.alter, random.Random(1))
        self.assertEqual(damage.TEXTS, len(places))
        self.assertIn(Place(self.nodes, 1), places)


class StoryTests(SynchronousTestCase):
    """What people read about a text that is lost."""

    def test_lost(self) -> None:
        """Who sent it, its number, who got it, the kill, who came back, who has not."""
        came = Arrived(2.0, "b.plain", 2, "A", "B", "x", 1, b"\0\0\0\1")
        history: list[Seen] = [
            Came(1.0, "b.plain", 2),
            Sent(1.0, "a.modern", 1, "B", "x"),
            Sent(1.0, "a.modern", 1, "B", "other"),
            Began(1.5, "locked", "another program locks the database", True, True),
            Refusal(1.6, "a.modern", 90, 5103, "x"),
            Refusal(1.6, "b.plain", 90, 5103, "y"),
            Ended(1.7, "locked"),
            Sent(1.8, "a.modern", 1, "B", "x"),
            Arrived(2.0, "a.modern", 1, "A", "B", "x", 1, b"", 1),
            came,
            Acknowledged(2.1, "b.plain", 2, b"\0\0\0\1"),
            Acknowledged(2.1, "b.plain", 2, b"\0\0\0\2"),
            Left(2.2, "b.plain", 2, "leaves"),
            Killed(3.0),
            Damaged(3.1, BOTH, 1, False),
            Damaged(3.1, BOTH, 2, True),
            Started(4.0),
        ]
        finding = Finding("lost", "b.plain", "x", "it is lost")
        self.assertEqual(
            [
                "   0.000 s  b.plain has logged in on line 2",
                "   0.000 s  a.modern sends it to b on line 1",
                "   0.500 s  locked begins: another program locks the database",
                "   0.600 s  a.modern is refused a frame 90: 5103",
                "   0.700 s  locked ends",
                "   0.800 s  a.modern sends it again to b on line 1",
                "   1.000 s  a.modern gets the echo: number 1, entry 1 of the log",
                "   1.000 s  it comes to b.plain on line 2: number 1, "
                "to be acknowledged as 00000001",
                "   1.100 s  b.plain acknowledges 00000001",
                "   1.200 s  b.plain leaves (line 2)",
                "   2.000 s  the node is killed",
                "   2.100 s  the stored text is damaged; the log does not name it",
                "   3.000 s  the node serves again",
                "   never     b.plain has it",
            ],
            story(CAST, history, finding),
        )

    def test_device(self) -> None:
        """Where no text is concerned, the device and the node are told of."""
        history: list[Seen] = [
            Came(0.0, "a.modern", 1),
            Came(0.0, "b.plain", 2),
            Sent(1.0, "a.modern", 1, "B", "x"),
            Refusal(1.5, "a.modern", 90, 5103, "x"),
            Refusal(1.5, "b.plain", 16, 5103),
            Killed(2.0),
        ]
        finding = Finding("stuck", "b.plain", "", "b.plain could not log in again")
        self.assertEqual(
            [
                "   0.000 s  b.plain has logged in on line 2",
                "   1.500 s  b.plain is refused a frame 16: 5103",
                "   2.000 s  the node is killed",
            ],
            story(CAST, history, finding),
        )
