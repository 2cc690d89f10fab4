"""``timtw user`` as an operator runs it, beside a real node and without one."""

from __future__ import annotations

import argparse
import getpass
import io
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from timtw import users
from timtw.loss.nodes import ROOT, Node
from timtw.model.idents import number_of
from timtw.office import commands
from timtw.office.control import SOCKET_NAME

SECONDS = 30
"""How long a command may take."""


class UserTests(SynchronousTestCase):
    """The program, on the files of a real node."""

    def setUp(self) -> None:
        """A folder with a configuration whose node was never started."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.node = Node(self.folder)
        (self.folder / "node.ini").write_text("[node]\nstate_dir = state\n")
        (self.folder / "word").write_text("secret\n")

    def user(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Run a command: its status, what it wrote, and its complaint."""
        said, complaint = io.StringIO(), io.StringIO()
        known = {name: os.environ[name] for name in os.environ if "TIMTW" not in name}
        patches = [
            self.patch(os, "environ", known | environ),
            self.patch(sys, "stdout", said),
            self.patch(sys, "stderr", complaint),
        ]
        try:
            status = users.main([*words, f"--config={self.folder / 'node.ini'}"])
        finally:
            for patch in patches:
                patch.restore()
        return status, said.getvalue(), complaint.getvalue()

    def test_as_a_program(self) -> None:
        """It is a command of the program timtw."""
        word = str(self.folder / "word")
        command = [
            sys.executable,
            "-m",
            "timtw.cli",
            "user",
            "add",
            "ada",
            "-c",
            "node.ini",
        ]
        ended = subprocess.run(
            [*command, "--password-file", word],
            cwd=self.folder,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        self.assertEqual((0, b""), (ended.returncode, ended.stderr))
        self.assertIn("\tada\n", self.user("list")[1])

    def token(self, name: str, password: str) -> bool:
        """Whether a running node gives a token for this."""
        auth = json.dumps({"name": name, "pwd": password}).encode()
        return bool(json.loads(self.node.post(b"\x8f" + auth)[1:])["ok"])

    def test_stopped_and_running(self) -> None:
        """What is done while no node runs holds when it does, and the other way."""
        status, node, _ = self.user(
            "add", "ada", f"--password-file={self.folder / 'word'}"
        )
        self.assertEqual((0, True), (status, number_of(node.strip()) is not None))
        self.assertEqual((0, "", ""), self.user("block", "ada"))
        self.node.start()
        self.addCleanup(self.node.kill)
        mode = (self.folder / "state" / SOCKET_NAME).lstat().st_mode
        self.assertEqual(0o600, stat.S_IMODE(mode))
        self.assertFalse(self.token("ada", "secret"))
        self.assertEqual((0, "", ""), self.user("unblock", "ada"))
        self.assertTrue(self.token("ada", "secret"))
        self.assertEqual(0, self.user("add", "bob", TIMTW_PASSWORD="word of bob")[0])
        self.assertTrue(self.token("bob", "word of bob"))
        changed = self.user("passwd", "ada", TIMTW_PASSWORD="new")
        self.assertEqual((0, "", ""), changed)
        self.assertEqual((0, "", ""), self.user("kick", "ada"))
        self.assertEqual(
            (False, True), (self.token("ada", "secret"), self.token("ada", "new"))
        )
        self.node.stop()
        self.assertFalse((self.folder / "state" / SOCKET_NAME).exists())
        status, listed, _ = self.user("list")
        names = sorted(line.split("\t")[1] for line in listed.splitlines())
        self.assertEqual((0, ["ada", "bob"]), (status, names))

    def test_node_without_its_socket(self) -> None:
        """A node whose socket is gone is not gone around; a killed one is."""
        self.node.start()
        self.addCleanup(self.node.kill)
        (self.folder / "state" / SOCKET_NAME).rename(self.folder / "elsewhere")
        status, _, why = self.user("list")
        sentence = "timtw user: a node runs but its control socket does not answer\n"
        self.assertEqual((1, sentence), (status, why))
        (self.folder / "elsewhere").rename(self.folder / "state" / SOCKET_NAME)
        self.node.kill()
        self.assertEqual((0, "", ""), self.user("list"))
        self.node.start()
        self.assertEqual((0, "", ""), self.user("list"))

    def test_refusals(self) -> None:
        """What cannot be done is one sentence and the status 1."""
        for words, why in (
            (("kick", "nobody"), "no account has this name"),
            (("block", "nobody", "--seconds=-1"), "a block lasts"),
            (("add", "ada", "--password-file=missing"), "missing cannot be read"),
        ):
            status, said, complaint = self.user(*words)
            self.assertEqual((1, ""), (status, said))
            self.assertIn(why, complaint)
            self.assertEqual(1, complaint.count("\n"))
        (self.folder / "node.ini").write_text("[shard main]\nurl = memory:\n")
        status, _, complaint = self.user("list")
        self.assertEqual(1, status)
        self.assertIn("memory: keeps nothing", complaint)
        (self.folder / "node.ini").write_text("[nod]\n")
        self.assertEqual(1, self.user("list")[0])


class PartTests(SynchronousTestCase):
    """What is hard to see from outside."""

    def test_silent_socket(self) -> None:
        """A socket that takes a request and says nothing is told as such."""
        with (
            tempfile.TemporaryDirectory() as folder,
            socket.socket(socket.AF_UNIX) as line,
        ):
            path = Path(folder) / SOCKET_NAME
            line.bind(str(path))
            line.listen()
            with commands.running(path, seconds=0.05) as ask:
                assert ask is not None
                error = self.assertRaises(commands.Failed, ask, {"do": "list"})
        self.assertIn("does not answer", str(error))

    def test_prompt(self) -> None:
        """A password that is asked for is asked for twice, without echo."""
        said = ["a", "a", "a", "b"]
        self.patch(getpass, "getpass", lambda prompt: said.pop(0))
        words = argparse.Namespace(password_file=None)
        self.assertEqual("a", commands.password_of(words, {}))
        self.assertRaises(commands.Failed, commands.password_of, words, {})

    def test_never_an_argument(self) -> None:
        """No command takes a password among its words."""
        parser = argparse.ArgumentParser()
        opener = lambda config: self.fail("nothing is opened")  # noqa: E731
        commands.add_parser(parser.add_subparsers(), opener)
        self.patch(sys, "stderr", io.StringIO())
        for words in (["user", "add", "ada", "secret"], ["user", "passwd", "ada", "x"]):
            self.assertRaises(SystemExit, parser.parse_args, words)
