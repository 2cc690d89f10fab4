"""The program as an operator meets it: how it starts, how it fails, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from timtw.config.reading import settle
from timtw.loss.nodes import CONFIGURATION, ROOT, Node, free_port, twistd
from timtw.node import build

SECONDS = 30
"""How long a program may take to end."""


class FailingStarts(SynchronousTestCase):
    """A node that cannot serve says why in one sentence and ends with status 1."""

    def setUp(self) -> None:
        """An empty folder."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_node(self, configuration: str) -> tuple[int, str]:
        """The exit status of a node, and what it wrote."""
        (self.folder / "node.ini").write_text(configuration)
        ended = subprocess.run(
            [*twistd(), "-n", "--pidfile=", "tim", "--config=node.ini"],
            cwd=self.folder,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return ended.returncode, (ended.stdout + ended.stderr).decode()

    def assert_gives_up(self, configuration: str, why: str) -> None:
        """The node ends with 1, a sentence and no traceback."""
        status, said = self.run_node(configuration)
        self.assertEqual(1, status, said)
        self.assertIn(why, said)
        self.assertNotIn("Traceback", said)

    def test_taken_port(self) -> None:
        """A port that somebody else has is named."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.assert_gives_up(
                CONFIGURATION.format(port=port), f"tcp:{port}:interface=127.0.0.1"
            )

    def test_bad_configuration(self) -> None:
        """All that is wrong with a configuration is said at once."""
        status, said = self.run_node("[clients]\nwebsokcet = tcp:1\n[nod]\nx = 1\n")
        self.assertEqual(1, status)
        self.assertIn("did you mean", said)
        self.assertIn("nod", said)
        self.assertNotIn("Traceback", said)

    def test_state_that_cannot_be_written(self) -> None:
        """A state directory that is a file is named."""
        (self.folder / "state").write_text("a file")
        self.assert_gives_up(CONFIGURATION.format(port=free_port()), "state")

    def test_database_in_use(self) -> None:
        """A second node on the same database is refused; the first one goes on."""
        node = Node(self.folder)
        node.start()
        self.addCleanup(node.kill)
        self.assert_gives_up(CONFIGURATION.format(port=free_port()), "another node")
        self.assertTrue(node.post(b"\x8e{}").startswith(b"\x0c"))

    def test_keys_of_another_installation(self) -> None:
        """A node with other keys does not touch the database."""
        node = Node(self.folder)
        node.start()
        node.stop()
        key = self.folder / "state" / "keys" / "master.key"
        key.write_text("00" * 32)
        self.assert_gives_up(CONFIGURATION.format(port=free_port()), "keys")


class Ending(SynchronousTestCase):
    """A node that is asked to end does so by itself."""

    def test_nobody_is_served_before_signals_are_heard(self) -> None:
        """
        Whoever is served by a node can end it in order: it opens and listens when its
        reactor runs, which hears signals from then on, and not before.
        """
        with tempfile.TemporaryDirectory() as name:
            reactor = MemoryReactorClock()
            texts = {("node", "state_dir"): ("state", "here")}
            service = build(settle(texts, Path(name)), reactor)
            service.startService()
            self.assertEqual([], list(Path(name).iterdir()))
            self.assertEqual([], reactor.tcpServers)
            ((begin, arguments, _),) = reactor.whenRunningHooks
            self.successResultOf(service.stopService())
            begin(*arguments)  # It was asked to end before it began.
            self.assertEqual([], list(Path(name).iterdir()))

    def test_term(self) -> None:
        """SIGTERM ends it within the time to drain, and the database is whole."""
        with tempfile.TemporaryDirectory() as name:
            node = Node(Path(name))
            node.start()
            pid = node.pid
            node.stop()
            self.assertRaises(ProcessLookupError, os.kill, pid, signal.SIGCONT)
            said = node.log.read_text()
            self.assertNotIn("Traceback", said)
            self.assertIn("Main loop terminated", said)
            self.assertEqual([], list((Path(name) / "state").glob("*-wal")))
