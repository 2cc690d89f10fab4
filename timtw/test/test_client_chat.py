"""``timtw chat``: the line being typed, and the whole in a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from timtw.client.lineedit import Entered, Left, LineEditor, harmless, width
from timtw.loss.nodes import ROOT, Node
from timtw.model.limits import CLIENT_LINE_CHARACTERS, CLIENT_LINES_REMEMBERED

SECONDS: Final = 20.0


class LineEditorTests(SynchronousTestCase):
    """What the keys do."""

    def typed(self, *keys: bytes) -> str:
        """The line after these keys and Return."""
        editor = LineEditor()
        for data in keys:
            self.assertEqual([], editor.feed(data))
        (event,) = editor.feed(b"\r")
        assert isinstance(event, Entered)
        return event.text

    def test_editing(self) -> None:
        """Arrows, Home, End, Delete and the usual control keys edit the line."""
        for keys, line in (
            (b"helo\x1b[Dl", "hello"),
            (b"ello\x1b[Hh\x1b[F!", "hello!"),
            (b"hexllo\x1b[D\x1b[D\x1b[D\x7f", "hello"),
            (b"hexllo\x01\x1b[C\x1b[C\x1b[3~", "hello"),
            (b"one two \x17three", "one three"),
            (b"x\x15hello\x1b[D\x0b", "hell"),
            (b"a\x1b[D\x1b[D\x1b[C\x1b[C\x1bOCb", "ab"),
            ("Grüße 中文".encode(), "Grüße 中文"),
            ("\U0001f469\u200d\U0001f467".encode(), "\U0001f469\u200d\U0001f467"),
            (b"a\x00\x07b", "ab"),
        ):
            self.assertEqual(line, self.typed(keys), keys)
            pieces = [keys[n : n + 1] for n in range(len(keys))]
            self.assertEqual(line, self.typed(*pieces), keys)

    def test_lines_before(self) -> None:
        """Arrow up brings a line back, arrow down goes on, so many are kept."""
        editor = LineEditor()
        editor.feed(b"one\rtwo\r\x1b[A\x1b[A\x1b[B")
        self.assertEqual([Entered("two")], editor.feed(b"\r"))
        for number in range(CLIENT_LINES_REMEMBERED + 1):
            editor.feed(b"%d\r" % number)
        editor.feed(b"\x1b[A" * (CLIENT_LINES_REMEMBERED + 9))
        self.assertEqual([Entered("1")], editor.feed(b"\r"))

    def test_longest_line(self) -> None:
        """What goes beyond the longest line is not taken."""
        longest = b"x" * CLIENT_LINE_CHARACTERS
        self.assertEqual(longest.decode(), self.typed(longest))
        self.assertEqual(longest.decode(), self.typed(longest + b"y"))

    def test_leaving(self) -> None:
        """Ctrl-C leaves, Ctrl-D only with an empty line."""
        self.assertEqual([Left()], LineEditor().feed(b"abc\x03"))
        self.assertEqual([Left()], LineEditor().feed(b"\x04"))
        self.assertEqual([], LineEditor().feed(b"abc\x04"))

    def test_one_row(self) -> None:
        """However long the line is, it fills one row and the cursor is in sight."""
        editor = LineEditor()
        editor.feed(("中" * 50).encode())
        self.assertLessEqual(width(editor.shown("bob> ", 40).partition("K")[2]), 40)
        editor.feed(b"\x01")
        start = editor.shown("bob> ", 40)
        self.assertTrue(start.startswith("\r\x1b[Kbob> 中"), start)
        self.assertTrue(start.endswith("\x1b[34D"), start)

    def test_columns(self) -> None:
        """Letters of East Asia take two columns, what stands on a letter none."""
        for text, columns in (("abc", 3), ("中文", 4), ("e\u0301", 1), ("की", 2)):
            self.assertEqual(columns, width(text), text)
        self.assertEqual(2, width("\u2764\ufe0f") + width("\u200d") + 1)

    def test_texts_of_others_command_nothing(self) -> None:
        """Escape sequences and changes of direction arrive as replacement marks."""
        family = "\U0001f469\u200d\U0001f467"
        self.assertEqual(family, harmless(family))
        wicked = "a\x1b[2Jb\x9bc\u202ed\r\ne\x07"
        self.assertEqual("a\ufffd[2Jb\ufffdc\ufffdd e\ufffd", harmless(wicked))


class Screen:
    """``timtw chat`` in a pseudo-terminal."""

    def __init__(self, *words: str) -> None:
        """Start it."""
        self._master, slave = pty.openpty()
        self.size(80)
        environ = {k: v for k, v in os.environ.items() if k != "TIMTW_PASSWORD"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "timtw.cli", "chat", *words],
            env=environ | {"PYTHONPATH": str(ROOT)},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""

    def size(self, columns: int) -> None:
        """Give the terminal so many columns."""
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def resize(self, columns: int) -> None:
        """Give it another number of columns while it runs."""
        self.size(columns)
        self.process.send_signal(signal.SIGWINCH)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def expect(self, words: str) -> str:
        """
        Wait until these words are written, behind those expected before.

        Returns: What stands between both.
        """
        end = time.monotonic() + SECONDS
        while words not in self.text:
            if time.monotonic() > end or not self._read():
                raise AssertionError(f"{words!r} is not in {self.text!r}")
        before, _, self.text = self.text.partition(words)
        return before

    def _read(self) -> bool:
        """Take what is written; whether there may be more."""
        if select.select([self._master], [], [], 0.1)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return False
            self.text += data.decode("utf-8", "replace")
        return True

    def cooked(self) -> bool:
        """Whether the terminal treats lines by itself, as shells want it."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ICANON)

    def end(self) -> None:
        """End it if it still runs."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)


class ChatTests(SynchronousTestCase):
    """Two people at their terminals, and a real node."""

    def setUp(self) -> None:
        """The node is up, the two are registered."""
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        self.node = Node(directory)
        self.node.start()
        self.addCleanup(lambda: self.node.kill())
        for name in (b"ada", b"bob"):
            self.node.post(b'\x8e{"name":"%b","pwd":"secret"}' % name)

    def chat(self, name: str, *words: str) -> Screen:
        """Somebody sits down and types the password, which is not shown."""
        server = f"ws://127.0.0.1:{self.node.port}"
        screen = Screen("--name", name, "--server", server, *words)
        self.addCleanup(screen.end)
        screen.expect(f"Password of {name}: ")
        screen.type("secret\r")
        screen.expect("Connected.")
        return screen

    def test_conversation(self) -> None:
        """They find each other, write, see what was delivered, and read it later."""
        ada = self.chat("ada")
        self.assertNotIn("secret", ada.text)
        ada.type("/find carol\r")
        ada.expect("Nobody is called carol.")
        ada.type("/to bob\r")
        ada.expect("bob> ")
        ada.type("Hello Bob\r")
        ada.expect("you: Hello Bob")
        ada.expect("bob (sent)> ")
        bob = self.chat("bob", "--to", "ada")
        bob.expect("ada: Hello Bob")
        ada.expect("bob (read)> ")
        ada.type("half a li")
        ada.expect("half a li")
        bob.type("Hello \x1b[CAda\r")
        bob.expect("ada (read)> ")
        ada.expect("bob: Hello Ada\r\n")
        ada.expect("bob (read)> half a li")
        ada.type("\x15/help\r")
        ada.expect("/quit")
        ada.type("/quit\r")
        self.assertEqual(0, ada.process.wait(SECONDS))
        bob.type("\x04")
        self.assertEqual(0, bob.process.wait(SECONDS))

    def test_friends(self) -> None:
        """A request is shown and accepted; a friend is listed, removed and blocked."""
        ada, bob = self.chat("ada"), self.chat("bob")
        ada.type("/add bob\r")
        ada.expect("-- asked: bob")
        bob.expect("wants to be friends")
        bob.expect("/accept ")
        bob.type("/accept ada\r")
        bob.expect("-- accepted: ada")
        ada.expect("-- bob and you are friends now")
        ada.type("/friends\r")
        ada.expect("-- friends: bob\r\n")
        ada.type("/remove bob\r")
        ada.expect("-- removed: bob")
        bob.expect("is no friend any more")
        bob.type("/block ada\r")
        bob.expect("-- blocked: ada")
        ada.type("/add bob\r")
        ada.expect("-- blocked by the other account (4110)")
        ada.type("/friends\r")
        ada.expect("-- friends: nobody yet\r\n")

    def test_groups(self) -> None:
        """A group is made, asked for, entered, listed, led, left and dissolved; what is
        written there is unread until it is on the screen."""
        ada, bob = self.chat("ada"), self.chat("bob")
        ada.type("/groups\r")
        ada.expect("-- no groups yet")
        ada.type("/new Chess club\r")
        ada.expect("-- made: Chess club, ")
        node = ada.expect("\r\n")
        bob.type(f"/join {node} let me in\r")
        bob.expect("-- asked: Chess club")
        ada.expect("wants to be let into Chess club: let me in")
        ada.type(f"/reject {node} bob wait\r")
        bob.expect("does not let you into Chess club: wait")
        bob.type(f"/join {node} please\r")
        ada.expect(": please")
        ada.type(f"/let {node} bob\r")
        bob.expect("-- you are in Chess club now")
        ada.type(f"/manager {node} bob\r")
        ada.expect("-- done: /manager Chess club")
        bob.type(f"/members {node}\r")
        bob.expect("(founder), ")
        bob.expect("(manager)")
        bob.type(f"/topic {node} Go\r")
        bob.expect("-- called: Go")
        ada.type("/members Go\r")
        ada.expect("-- Go: ")
        ada.type(f"/group {node}\r")
        ada.expect("Go> ")
        ada.type("Your move\r")
        bob.expect("Your move")
        bob.type("/unread\r")
        bob.expect("-- unread: Go 1")
        bob.type(f"/group {node}\r")
        bob.expect("Go> ")
        bob.type("/unread\r")
        bob.expect("-- unread: nothing")
        ada.type("And mine\r")
        bob.expect("And mine")
        for one in (ada, bob):
            one.type("/unread\r")
            one.expect("-- unread: nothing")
        ada.type("/dissolve Go\r")
        ada.expect("there are other members (4105)")
        ada.type("/kick Go bob\r")
        bob.expect("has removed you from Go")
        ada.type("/dissolve Go\r")
        ada.expect("-- done: /dissolve")
        ada.type("/kick\r")
        ada.expect("/kick needs 2 words")

    def test_group_and_recall(self) -> None:
        """A group is opened by its topic or node, with what was said there last; the
        own last text is taken back, there and between two, and the others are told;
        the founder hands the group over and leaves it."""
        ada, bob = self.chat("ada"), self.chat("bob")
        for one, name in ((ada, "Ada"), (bob, "Bob")):
            one.type(f"/set name {name}\r")
            one.expect("-- name is set")
        ada.type("/group Chess\r")
        ada.expect("(410")
        ada.type("/open Chess\r")
        ada.expect("-- made: Chess, ")
        node = ada.expect("\r\n")
        bob.type(f"/join {node}\r")
        bob.expect("-- you are in Chess now")
        ada.type("/group Chess\r")
        ada.expect("Chess> ")
        ada.type("/recall\r")
        ada.expect("-- there is nothing to take back")
        ada.type("Your move\r")
        bob.expect("[Chess] Ada: Your move")
        ada.type("wrong window\r")
        bob.expect("[Chess] Ada: wrong window")
        ada.type("/recall\r")
        ada.expect("-- taken back")
        bob.expect("-- Ada has taken text 2 back")
        bob.type("/group Chess\r")
        bob.expect("Ada: Your move")
        bob.expect("Chess> ")
        bob.type("Mine\r")
        ada.expect("Bob: Mine")
        ada.type("/to bob\r")
        ada.expect("bob> ")
        ada.type("/tell Chess bob between us\r")
        ada.expect("-- done: /tell Chess")
        bob.expect("between us")
        ada.type("/add bob\r")
        bob.expect("wants to be friends")
        bob.type("/accept ada\r")
        ada.expect("and you are friends now")
        ada.type("oops\r")
        bob.expect("oops")
        ada.type("/recall\r")
        bob.expect("has taken text 2 back")
        ada.type("/founder Chess bob\r")
        ada.expect("-- done: /founder Chess")
        ada.type("/leave Chess\r")
        ada.expect("-- done: /leave Chess")
        bob.type("/dissolve Chess\r")
        bob.expect("-- done: /dissolve Chess")

    def test_company(self) -> None:
        """Friends see each other come, say how they are, and go; they read what others
        tell about themselves, and what they have not read."""
        ada, bob = self.chat("ada"), self.chat("bob", "--invisible")
        ada.type("/add bob\r")
        bob.expect("wants to be friends")
        bob.type("/accept ada\r")
        ada.expect("-- bob and you are friends now")
        ada.type("/who\r")
        ada.expect("-- nobody has shown how they are")
        bob.type("/away until three\r")
        ada.expect("-- bob is away: until three")
        bob.expect("-- ada is here")
        ada.type("/who\r")
        ada.expect("-- bob (away: until three)")
        ada.type("/set area London\r")
        ada.expect("-- area is set")
        ada.type("/set colour red\r")
        ada.expect("/set takes one of")
        bob.type("/profile ada\r")
        bob.expect("-- area: London")
        ada.type("/to bob\r")
        ada.expect("bob> ")
        ada.type("Hello\r")
        bob.expect("Hello")
        bob.type("/unread\r")
        bob.expect("-- unread: ada 1")
        bob.type("/to ada\r")
        ada.expect("bob (read)> ")
        bob.type("/unread\r")
        bob.expect("-- unread: nothing")
        bob.type("/quit\r")
        ada.expect("-- bob is gone")

    def test_node_that_comes_back(self) -> None:
        """A lost line is told, and what is written meanwhile goes out afterwards."""
        ada = self.chat("ada", "--to", "bob")
        ada.expect("bob> ")
        self.node.kill()
        ada.expect("-- the line is lost")
        ada.type("Are you there?\r")
        ada.expect("bob (offline)> ")
        ada.type("/quit\r")
        ada.expect("-- not stored yet: 1")
        self.node.start()
        ada.expect("-- connected again")
        ada.expect("bob (sent)> ")

    def test_terminal_that_becomes_narrow(self) -> None:
        """The line that the terminal has cut in two is taken away and written anew,
        and the end by a signal gives the terminal back as it was."""
        ada = self.chat("ada", "--to", "bob")
        ada.expect("bob> ")
        line = "a line of nearly sixty letters, all of which were in sight"
        ada.type(line)
        ada.expect(line[-1:])
        ada.resize(40)
        ada.expect("\x1b[1A\r\x1b[J")
        ada.expect(f"bob> {line[-33:]}")
        ada.resize(80)
        ada.expect(f"bob> {line}")
        self.assertFalse(ada.cooked())
        ada.process.terminate()
        self.assertEqual(130, ada.process.wait(SECONDS))
        self.assertTrue(ada.cooked())

    def test_no_terminal(self) -> None:
        """Without a terminal it says so, and what to use instead."""
        words = [sys.executable, "-m", "timtw.cli", "chat", "--name", "ada"]
        done = subprocess.run(
            words,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(2, done.returncode)
        self.assertIn("scripts use send and listen", done.stderr)
