"""A running node whose storage fails: real sockets, a real file, real causes."""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from timtw.loss.blocking import Visitor, register
from timtw.loss.nodes import CONFIGURATION, Node, twistd
from timtw.loss.speech import (
    MESSAGE,
    PING,
    Answer,
    Heard,
    JsonSpeech,
    Login,
    Signal,
    Texts,
)
from timtw.model.limits import HISTORY_WAITING, SENDS_UNDER_WAY
from timtw.test.doorkit import missing

DEVICES: Final = 32
"""Most devices of an account that a node can be told to allow."""
HISTORY: Final = 21
PAGE: Final = 4096
LARGE: Final = "x" * 450_000
"""A text for which there is no room; three of a history still fit into one answer."""
PASSWORD: Final = "correct horse battery"
TRIES: Final = 5
"""How often a client sends a text again."""

FULL: Final = """
import os, sqlite3
class Connection(sqlite3.Connection):
    def execute(self, *words):
        most = 1 if os.path.exists("full") else 4294967294
        super().execute(f"PRAGMA max_page_count = {most}")
        return super().execute(*words)
connect = sqlite3.connect
sqlite3.connect = lambda *a, **k: connect(*a, factory=Connection, **k)
from twisted.scripts.twistd import run
run()
"""
"""A twistd whose databases do not grow while there is a file named so."""
PATIENT: Final = """
from timtw.shards.sqlite import file as sqlite_file
sqlite_file.STORAGE_BUSY_SECONDS = 60
from twisted.scripts.twistd import run
run()
"""
"""A twistd that waits longer for a lock than any test takes."""
MODEST: Final = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Takes from root what lets it write into files that forbid that."""


@attrs.frozen
class Past(Signal):
    """A piece of a history, newest first."""

    texts: tuple[str, ...]


class Speech(JsonSpeech):
    """JSON with history and streams."""

    def history(self, peer: str) -> bytes:
        """Ask for the newest texts of a conversation."""
        return self._own(HISTORY, rtype=1, node=peer, reqInt=0, reqInt2=50)

    def stream(self, peer: str) -> bytes:
        """Something that is stored nowhere."""
        to = {"node": peer}
        return self._own(MESSAGE, msType=2, odType=5, toTid=to, dataString="live")

    def _own(self, kind: int, **fields: object) -> bytes:
        """A frame."""
        return self._frame(kind, json.dumps(fields).encode())

    def hear(self, payload: bytes) -> Heard:
        """What a frame of the server says."""
        if payload[0] & 0x7F == HISTORY:
            page = self._page(payload[1:])
            bodies = tuple(one.body for one in page if not isinstance(one, int))
            return Past(HISTORY, bodies)
        return super().hear(payload)


SPEECH: Final = Speech()
LIVE: Final = Signal(MESSAGE)
"""What a stream is heard as."""


class Person(Visitor):
    """A device that confirms whatever it is sent.

    Attributes:
        got: The texts of others, in the order of their coming.
        own: Number and body of each echo, in the order of their coming.
    """

    def __init__(self, node: Node, name: str, device: str = "phone") -> None:
        """Log in."""
        self.got: list[str] = []
        self.own: list[tuple[int, str]] = []
        super().__init__(node.port, SPEECH, Login(name, PASSWORD, device, 1, False))

    def until(self, is_it: Callable[[Heard], bool]) -> Heard:
        """Take what comes, up to what is waited for."""
        while True:
            heard = self.hear()
            if isinstance(heard, Texts):
                self.take(heard)
            if is_it(heard):
                return heard

    def take(self, heard: Texts) -> None:
        """Confirm texts."""
        for one in heard.texts:
            if heard.receipt:
                self.got.append(one.body)
            else:
                self.own.append((one.mid, one.body))
        if heard.receipt:
            self.send(SPEECH.acknowledge(heard.receipt))

    def code(self, about: int) -> int:
        """The code of the next refusal, which has to be of such a request."""
        answer = self.until(lambda heard: isinstance(heard, Answer))
        assert isinstance(answer, Answer) and answer.about == about, answer
        return answer.code

    def pings(self) -> None:
        """Wait for the answer to a sign of life."""
        self.send(SPEECH.ping())
        self.until(lambda heard: heard == Signal(PING))

    def write(self, peer: str, body: str, ident: int) -> int:
        """Send a text until it is stored; its number."""
        for _ in range(TRIES):
            self.send(SPEECH.text(peer, body, ident))
            if isinstance(
                self.until(lambda heard: isinstance(heard, Answer | Texts)), Texts
            ):
                assert self.own[-1][1] == body, self.own
                return self.own[-1][0]
        raise AssertionError("it was never stored")

    def receives(self, *bodies: str) -> None:
        """Wait for these texts; there must be no others."""
        while len(self.got) < len(bodies):
            self.until(lambda heard: isinstance(heard, Texts))
        assert self.got == list(bodies), self.got

    def history(self, peer: str) -> tuple[str, ...] | int:
        """The newest texts of a conversation, or why they are not told."""
        self.send(SPEECH.history(peer))
        found = self.until(lambda heard: isinstance(heard, Past | Answer))
        if isinstance(found, Past):
            return found.texts
        assert isinstance(found, Answer) and found.about == HISTORY, found
        return found.code


class Failing(SynchronousTestCase):
    """A node, Ada and Bob; one text was written."""

    configuration = CONFIGURATION
    body = "during"
    """What is written while storage fails."""

    def begin(self, launcher: Sequence[str] = ()) -> None:
        """Start the node; Bob's phone is there, his laptop was there before."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.node = Node(self.folder, launcher, configuration=self.configuration)
        self.node.start()
        self.addCleanup(self.node.stop)
        self.ada_node, self.bob_node = (
            register(self.node, SPEECH, name, PASSWORD) for name in ("ada", "bob")
        )
        self.person("bob", "laptop").close()
        self.ada, self.bob = self.person("ada"), self.person("bob")
        self.ada.write(self.bob_node, "before", 1)
        self.bob.receives("before")

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "state" / "tim.db"

    def person(self, name: str, device: str = "phone") -> Person:
        """Somebody on a line that is closed after the test."""
        person = Person(self.node, name, device)
        self.addCleanup(person.close)
        return person

    def lock(self) -> Callable[[], None]:
        """Let this process hold the right to write; ends it."""
        other = sqlite3.connect(self.file, timeout=20, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        return other.close

    def limit_files(self, size: int) -> None:
        """Let the node write nothing behind this place of a file; -1: everywhere."""
        _soft, hard = resource.prlimit(self.node.pid, resource.RLIMIT_FSIZE)
        soft = hard if size < 0 else size
        resource.prlimit(self.node.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def refused(self) -> None:
        """Ada's text is refused, and nobody's line ends."""
        self.ada.send(SPEECH.text(self.bob_node, self.body, 2))
        self.assertEqual(5103, self.ada.code(MESSAGE))

    def check(self, end: Callable[[], None], has_room: bool = False) -> None:
        """
        What goes on while storage fails, and that all is well when it works again.

        Args:
            end: Takes the cause away.
            has_room: Whether small things find room all the same.
        """
        ada, bob = self.ada, self.bob
        self.refused()
        ada.pings()
        ada.send(SPEECH.stream(self.bob_node))
        bob.until(lambda heard: heard == LIVE)
        self.assertEqual(("before",), ada.history(self.bob_node))
        laptop = self.person("bob", "laptop")
        laptop.send(SPEECH.backlog())
        laptop.receives("before")
        if not has_room:
            with self.assertRaises(AssertionError) as caught:
                self.person("bob", "new")
            (answer,) = caught.exception.args
            self.assertEqual(5103, answer.code)
        self.refused()
        end()
        mid = ada.write(self.bob_node, self.body, 2)
        self.assertEqual((mid, 2), (ada.write(self.bob_node, self.body, 2), mid))
        ada.write(self.bob_node, "after", 3)
        for device in (bob, laptop):
            device.receives("before", self.body, "after")
            device.pings()
            self.assertEqual(3, len(device.got))
        self.assertEqual(("after", self.body, "before"), ada.history(self.bob_node))
        self.person("bob", "new").pings()


class FaultTests(Failing):
    """Storage that fails for a while."""

    def test_locked(self) -> None:
        """
        While another program locks the database sends are refused, everything else
        goes on, also reading and logging in; then all is as if nothing had happened.
        """
        self.begin()
        self.check(self.lock())

    def test_nobody_waits_for_a_lock(self) -> None:
        """Who asks for nothing that is written does not notice the lock at all."""
        self.begin([sys.executable, "-c", PATIENT])
        unlock = self.lock()
        self.ada.send(SPEECH.text(self.bob_node, "during", 2))
        self.ada.pings()
        self.assertEqual([(1, "before")], self.ada.own)
        self.assertEqual(("before",), self.bob.history(self.ada_node))
        unlock()
        self.bob.receives("before", "during")

    def test_nothing_can_be_written(self) -> None:
        """The same where the operating system takes no byte (RLIMIT_FSIZE)."""
        self.begin()
        self.limit_files(0)
        self.check(lambda: self.limit_files(-1))

    def test_full_disk(self) -> None:
        """The same where files cannot grow."""
        self.begin()
        size = Path(f"{self.file}-wal").stat().st_size
        self.body = LARGE
        self.assertLess(size, len(self.body))  # Else it finds room in what is there.
        self.limit_files(size)
        self.check(lambda: self.limit_files(-1), has_room=True)

    def test_full_database(self) -> None:
        """The same where SQLite may use no further page (max_page_count)."""
        self.begin([sys.executable, "-c", FULL])
        flag = self.folder / "full"
        flag.touch()
        self.body = LARGE
        self.check(flag.unlink, has_room=True)

    def test_file_cannot_be_written(self) -> None:
        """The same where the file has become read-only and has to be opened anew."""
        if reason := missing(MODEST[0]):
            raise SkipTest(reason)
        self.begin([*MODEST, *twistd()])
        files = [self.file, *(Path(f"{self.file}-{end}") for end in ("wal", "shm"))]
        for file in files:
            file.chmod(0o400)

        def end() -> None:
            for file in files:
                file.chmod(0o600)

        self.limit_files(0)
        self.refused()
        self.limit_files(-1)
        self.check(end)


class DamageTests(Failing):
    """A page of the database that is damaged while the node runs."""

    # Nobody looks for what is too old: the page would be known from that.
    configuration = CONFIGURATION.replace(
        "[messages]", "[messages]\nkeep_unread_days = 0\nforget_devices_days = 0"
    )

    def test_damaged_page(self) -> None:
        """
        Whoever needs the page is told 5103, everything else goes on; what was to be
        read from it comes by itself when it is whole again.
        """
        self.begin()
        for person in (self.ada, self.bob):
            person.close()
        for _ in range(2):  # Until everything is in the tables, and in the file.
            self.node.stop()
            self.node.start()
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as other:
            ((page,),) = other.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'message'"
            )
        with self.file.open("r+b", buffering=0) as file:
            place = (page - 1) * PAGE
            file.seek(place)
            whole = file.read(PAGE)
            file.seek(place)
            file.write(bytes(PAGE))
            laptop = self.served()
            file.seek(place)
            file.write(whole)
        laptop.receives("before", "during")
        self.assertEqual(("during", "before"), self.ada.history(self.bob_node))

    def served(self) -> Person:
        """What goes on; Bob's laptop, whose backlog cannot be read."""
        ada, bob = self.ada, self.bob = self.person("ada"), self.person("bob")
        self.assertEqual(5103, ada.history(self.bob_node))
        laptop = self.person("bob", "laptop")
        laptop.send(SPEECH.backlog())
        ada.write(self.bob_node, "during", 2)
        bob.receives("during")
        ada.pings()
        laptop.pings()
        self.assertEqual([], laptop.got)
        return laptop


class OverloadTests(Failing):
    """More texts than storage takes."""

    configuration = CONFIGURATION.replace("_limit = 5", f"_limit = {DEVICES}")

    def test_history_is_refused_first(self) -> None:
        """
        While too many texts wait history is refused, and no text; when they are stored
        history is served again.
        """
        self.begin([sys.executable, "-c", PATIENT])
        crowd = []
        for n in range(-(-HISTORY_WAITING // SENDS_UNDER_WAY)):
            account, device = divmod(n, DEVICES)
            if device == 0:
                register(self.node, SPEECH, f"{account}", PASSWORD)
            crowd.append(self.person(f"{account}", f"{device}"))
        unlock = self.lock()
        for person in crowd:
            person.send(*[SPEECH.text(self.bob_node, "much")] * SENDS_UNDER_WAY)
        for person in crowd:
            person.pings()
        self.assertEqual(5104, self.ada.history(self.bob_node))
        self.ada.send(SPEECH.text(self.bob_node, "mine", 2))
        self.ada.pings()
        self.assertEqual([(1, "before")], self.ada.own)
        unlock()
        self.ada.until(lambda heard: isinstance(heard, Texts))
        self.assertEqual((2, "mine"), self.ada.own[-1])
        for start in range(0, len(crowd), DEVICES):
            # Each device of an account sees all its echoes.
            one, *others = crowd[start : start + DEVICES]
            numbers = range(1, (1 + len(others)) * SENDS_UNDER_WAY + 1)
            while len(one.own) < len(numbers):
                one.until(lambda heard: isinstance(heard, Texts))
            self.assertEqual(list(numbers), [mid for mid, _ in one.own])
        self.assertEqual(("mine", "before"), self.ada.history(self.bob_node))
