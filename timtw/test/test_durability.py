"""What is echoed is on the disk: the real node under strace."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SkipTest, TestCase

from timtw.loss.blocking import Visitor, register
from timtw.loss.nodes import Node
from timtw.loss.speech import JsonSpeech, Login, Texts
from timtw.test.planted import planted
from timtw.test.tracing import command, parse, unsynced

BURSTS: Final = 12
TEXTS: Final = 8
SECONDS: Final = 20.0


def why_not() -> str:
    """Why system calls cannot be traced here; empty if they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-o", "/dev/null", "true"], capture_output=True, text=True
    )
    return f"strace may not trace here: {tried.stderr}" if tried.returncode else ""


def drive(node: Node) -> list[str]:
    """Send bursts, each after all echoes of the one before; what marks each burst."""
    speech = JsonSpeech()
    register(node, speech, "writer", "secret words")
    peer = register(node, speech, "absent", "secret words")
    login = Login("writer", "secret words", "trace", 1, False)
    visitor = Visitor(node.port, speech, login)
    marks = [f"burst-{number}-" for number in range(BURSTS)]
    for mark in marks:
        visitor.send(*(speech.text(peer, f"{mark}{n}") for n in range(TEXTS)))
        echoes = 0
        while echoes < TEXTS:
            echoes += isinstance(visitor.hear(), Texts)
    visitor.close()
    return marks


def whole(trace: Path) -> list[str]:
    """The lines of a trace, when the tracer has written the last of them."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        lines = trace.read_text(errors="replace").splitlines()
        if lines and lines[-1].endswith("+++"):
            return lines
        time.sleep(0.02)
    raise AssertionError("the trace has no end")


class DurabilityTests(TestCase):
    """SIGKILL cannot show this: the order of write, sync and echo."""

    def findings(self, program: Sequence[str] = ()) -> list[str]:
        """What a traced node echoed too early."""
        if reason := why_not():
            raise SkipTest(reason)
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        trace = directory / "trace"
        node = Node(directory, command(str(trace), program))
        node.start()
        try:
            marks = drive(node)
        finally:
            node.stop()
        return unsynced(parse(whole(trace)), marks)

    def test_synced_before_echo(self) -> None:
        """An echoed text survives the loss of power."""
        self.assertEqual([], self.findings())

    def test_without_synchronous(self) -> None:
        """The test above is able to fail: a node that never syncs is found out."""
        findings = self.findings(planted("synchronous-off"))
        self.assertEqual(BURSTS, len(findings), findings)
