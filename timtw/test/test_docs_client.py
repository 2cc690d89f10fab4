"""The examples of pages for those who write clients run as printed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from timtw.loss.nodes import ROOT
from timtw.test.test_docs_examples import ProgramTests as _Programs
from timtw.test.test_docs_examples import example

PAGE = "docs/how-to/write-a-client.md"


class ClientProgramTests(_Programs):
    """The programs of the page, as somebody would copy them, and a real node."""

    def test_client_and_robot(self) -> None:
        """The page's second program writes to its first, and gets its answer."""
        port = str(self.node.port)
        for number, name in enumerate(("answer.py", "write.py")):
            text = example(PAGE, "python", number)
            self.assertIn("5080", text)
            (self.directory / name).write_text(text.replace("5080", port))
        (self.directory / "pw").write_text("secret\n")
        answers = self.run_program("answer.py", "robot", "secret")
        self.expect(answers, "robot is ready")
        output = self.run_program("write.py", "ada", "secret", "robot", "Hello")
        self.expect(output, "stored as message 1\n")
        self.expect(output, "Hello\n")
        listener = self.run_program(
            "-m", "timtw.cli", "listen", "--name", "ada", "--password-file", "pw",
            "--server", f"ws://127.0.0.1:{port}",
        )  # fmt: skip
        self.expect(listener, "You wrote: Hello")

    def programs(self, page: str, *names: str) -> None:
        """Keep the programs of a page under these names."""
        for number, name in enumerate(names):
            text = example(page, "python", number)
            self.assertIn("5080", text)
            port = str(self.node.port)
            (self.directory / name).write_text(text.replace("5080", port))

    def test_live_room(self) -> None:
        """One program shows something, and the other one watches until it is over."""
        self.programs("docs/how-to/live-rooms.md", "show.py", "watch.py")
        shows = self.run_program("show.py", "ada", "secret")
        self.expect(shows, "\n")
        room = shows.read_text().strip()
        watches = self.run_program("watch.py", "bob", "secret", room)
        self.expect(watches, "missed: 0")
        self.expect(watches, "it is over: removed")

    def test_file(self) -> None:
        """One program gives the other one a file, and both name its checksum."""
        self.programs("docs/how-to/send-a-file.md", "give.py", "get.py")
        data = bytes(range(256)) * 1000
        (self.directory / "picture.png").write_bytes(data)
        gets = self.run_program("get.py", "bob", "secret")
        self.expect(gets, "bob is ready")
        gives = self.run_program("give.py", "ada", "secret", "bob", "picture.png")
        digest = hashlib.sha256(data).hexdigest()
        self.expect(gives, f"sent: 256000 bytes, sha256 {digest}")
        self.expect(gets, f"got 'picture.png' as received: sha256 {digest}")
        self.assertEqual((self.directory / "received").read_bytes(), data)

    def test_script(self) -> None:
        """What the page says to scripts does what it says, as a shell runs it."""
        for name in (b"ada", b"bob"):
            self.node.post(b'\x8e{"name":"%b","pwd":"secret"}' % name)
        script = example(PAGE, "sh")
        running = subprocess.Popen(
            ["sh", "-c", script],
            env=dict(
                os.environ,
                PATH=f"{self.commands()}:{os.environ['PATH']}",
                TIMTW_SERVER=f"ws://127.0.0.1:{self.node.port}",
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert running.stdout is not None
            told = json.loads(running.stdout.readline())
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
        self.assertEqual(("The backup is done", 1), (told["text"], told["kind"]))

    def commands(self) -> Path:
        """A folder with the command, as an installation has it."""
        folder = self.directory / "bin"
        folder.mkdir()
        command = folder / "timtw"
        command.write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m timtw.cli "$@"\n'
        )
        command.chmod(0o755)
        return folder


del _Programs
