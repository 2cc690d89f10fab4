"""``twistd tim``: what the command says, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial import unittest

import timtw
from timtw.tap import Options


class OptionsTests(unittest.SynchronousTestCase):
    """The words of the command."""

    def setUp(self) -> None:
        """Nothing comes from this process's environment."""
        self.options = Options()
        self.options.environ = {}
        self.path = Path(self.mktemp()).absolute()
        self.errors = Captured()
        self.output = Captured()
        self.patch(sys, "stderr", self.errors)
        self.patch(sys, "stdout", self.output)

    def end(self, *words: str) -> int:
        """Parse the words, which end the process, and return its exit status."""
        error = self.assertRaises(SystemExit, self.options.parseOptions, words)
        assert isinstance(error.code, int)
        return error.code

    def test_file_is_read(self) -> None:
        """The named file is the configuration."""
        self.path.write_text("[clients]\nping_timeout = 5")
        self.options.parseOptions([f"--config={self.path}"])
        self.assertEqual(5, self.options.settings.clients.ping_timeout)

    def test_no_file_is_fine(self) -> None:
        """Without a file there are the defaults."""
        self.options.parseOptions([])
        self.assertEqual(600, self.options.settings.clients.ping_timeout)

    def test_environment_is_read(self) -> None:
        """Keys come from the environment of the process."""
        self.options.environ = {"TIMTW_CLIENTS_PING_TIMEOUT": "7"}
        self.options.parseOptions([])
        self.assertEqual(7, self.options.settings.clients.ping_timeout)

    def test_bad_file(self) -> None:
        """Each problem is one line on the standard error, and the status is 1."""
        self.path.write_text("[clients]\nping_timeout = x\nwebsocket = y")
        self.assertEqual(1, self.end("-c", str(self.path)))
        self.assertEqual(2, len(self.errors.text.splitlines()), self.errors.text)
        self.assertEqual("", self.output.text)

    def test_unknown_word(self) -> None:
        """A misspelt option is one line on the standard error, and the status is 1."""
        self.assertEqual(1, self.end("--confg=x"))
        self.assertEqual(1, len(self.errors.text.splitlines()), self.errors.text)

    def test_check_of_a_good_file(self) -> None:
        """--check says that nothing is wrong, and the status is 0."""
        self.path.write_text("")
        self.assertEqual(0, self.end("--check", f"--config={self.path}"))
        self.assertEqual(f"{self.path}: nothing is wrong\n", self.output.text)

    def test_check_of_a_bad_file(self) -> None:
        """--check of a bad file ends like a start with it."""
        self.path.write_text("[zzz]")
        self.assertEqual(1, self.end("--check", f"--config={self.path}"))
        self.assertIn("[zzz] is no section", self.errors.text)
        self.assertEqual("", self.output.text)


class Captured:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep the text."""
        self.text += text
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush."""


class CommandTests(unittest.SynchronousTestCase):
    """The command as a shell sees it."""

    def run_command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run ``twistd tim`` in an empty folder."""
        folder = Path(self.mktemp())
        folder.mkdir()
        # As a checkout that is not installed is found by trial, so by twistd.
        top = str(Path(timtw.__file__).parents[1])
        program = "from twisted.scripts.twistd import run; run()"
        return subprocess.run(
            [sys.executable, "-c", program, "-n", "--pidfile=", "tim", *words],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": top},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_bad_configuration(self) -> None:
        """One sentence on the standard error, no traceback, and status 1."""
        ended = self.run_command("--config=none.ini")
        self.assertEqual(1, ended.returncode)
        self.assertRegex(ended.stderr, r"\A/\S+/none.ini: cannot be read: .*\n\Z")

    def test_check(self) -> None:
        """--check starts nothing and ends with 0."""
        ended = self.run_command("--check")
        self.assertEqual(("", 0), (ended.stderr, ended.returncode))
        self.assertEqual("the defaults: nothing is wrong\n", ended.stdout)
