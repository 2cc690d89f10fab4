"""The examples of the documentation are true: they are played and run as printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.trial.unittest import SkipTest, TestCase

from timtw.loss.nodes import CONFIGURATION, Node
from timtw.protocols import structs
from timtw.protocols.codecs import THRIFT
from timtw.test.test_docs import PROTOCOL, TOP
from timtw.test.test_wire_conversation import Wire
from timtw.test.wirekit import Socket

LINE: Final = re.compile(r"(\w+) ([<>]|POST|ANSWER) (.+)")
FRAME: Final = re.compile(r"([0-9a-f]{2})(?: ([0-9a-f]{8}))?(?: (\{.*\}|[0-9a-f]+))?")
THRIFT_OF: Final[dict[int, type[structs.WireStruct]]] = {
    12: structs.TimAck,
    17: structs.TimMessageList,
    21: structs.TimMessageList,
    90: structs.TimMessage,
}
OURS: Final = 1 << 32
"""Ids from here on were drawn by the server."""
SECONDS: Final = 20.0


def example(page: str, language: str, number: int = 0) -> str:
    """A block of code of a page."""
    path = TOP / page
    if not path.exists():
        raise SkipTest("this is not a checkout")
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S
    )
    return str(blocks[number])


def session() -> list[tuple[str, str, str]]:
    """The lines of the printed conversation: who, direction, frame."""
    text = (TOP / PROTOCOL).read_text("utf-8") if (TOP / PROTOCOL).exists() else ""
    blocks = re.findall(r"^```session\n(.*?)^```$", text, re.M | re.S)
    found = [LINE.fullmatch(line) for line in "".join(blocks).splitlines()]
    return [(m[1], m[2], m[3]) for m in found if m is not None]


def octets(printed: str) -> bytes:
    """A frame as bytes."""
    if printed.startswith("close "):
        return int(printed[6:]).to_bytes(2, "big")
    match = FRAME.fullmatch(printed)
    assert match is not None, printed
    head, payload = match[1] + (match[2] or ""), match[3] or ""
    if payload.startswith("{"):
        return bytes.fromhex(head) + payload.encode()
    return bytes.fromhex(head + payload)


def told(frame: bytes) -> Any:
    """What a server's frame says, without what differs from run to run."""
    start = 5 if frame[0] & 0x80 else 1
    payload = frame[start:]
    if payload.startswith(b"{"):
        body = json.loads(payload)
    elif payload and frame[0] & 0x7F in THRIFT_OF:
        body = THRIFT.decode(THRIFT_OF[frame[0] & 0x7F], payload)
        body = json.loads(msgspec.json.encode(body))
    else:
        body = payload.hex()
    return frame[:start].hex(), _steady(body)


def _steady(body: Any) -> Any:
    """Values of a frame with a mark in the place of those that are random or a time."""
    if isinstance(body, list):
        return [_steady(one) for one in body]
    if not isinstance(body, dict):
        return body
    steady = {key: _steady(value) for key, value in body.items()}
    for key in ("timestamp", "createtime", "n2"):
        if key in steady:
            steady[key] = key
    if steady.get("timType") == 16:
        steady["t"] = "t"
    if str(steady.get("n", "")).startswith("r-"):
        steady["n"] = len(steady["n"])
    if isinstance(steady.get("id"), int) and steady["id"] >= OURS:
        steady["id"] = "id"
    return steady


class SessionTests(Wire):
    """The conversation of section 13, frame by frame."""

    def test_session(self) -> None:
        """A client that does what the page prints is answered what it prints."""
        lines = session()
        if not lines:
            raise SkipTest("this is not a checkout")
        spelled: dict[bytes, bytes] = {}
        sockets: dict[str, Socket] = {}
        steps = 0
        for who, sign, printed, expected in self.steps(lines):
            if sign == "POST":
                node = json.loads(octets(expected[0][1])[1:])["n"]
                spelled[node.encode()] = self.register(who).encode()
                continue
            if who not in sockets:
                sockets[who] = self.open()
            frame = octets(printed)
            for theirs, ours in spelled.items():
                self.assertEqual(len(theirs), len(ours))
                frame = frame.replace(theirs, ours)
            heard = {who: self.say(sockets[who], frame)}
            self.pass_time()
            for name, socket in sockets.items():
                heard.setdefault(name, []).extend(self.heard(socket))
            for name, frames in heard.items():
                for theirs, ours in spelled.items():
                    frames = [one.replace(ours, theirs) for one in frames]
                wanted = [octets(p) for n, p in expected if n == name]
                self.assertEqual(list(map(told, wanted)), list(map(told, frames)))
            steps += 1
        self.assertGreater(steps, 15)

    def steps(
        self, lines: list[tuple[str, str, str]]
    ) -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
        """What a client does, with what everybody then hears."""
        starts = [n for n, (_, sign, _) in enumerate(lines) if sign in (">", "POST")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            who, sign, printed = lines[start]
            heard = [(name, said) for name, _, said in lines[start + 1 : end]]
            yield who, sign, printed, heard


class ProgramTests(TestCase):
    """The programs of the pages, as somebody would copy them, and a real node."""

    configuration = CONFIGURATION

    def setUp(self) -> None:
        """A node in a directory of its own, with the programs beside it."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()
        (self.directory / "tim.py").write_text(example(PROTOCOL, "python"))
        self.node = Node(self.directory, configuration=self.configuration)
        self.node.start()
        self.addCleanup(self.node.stop)

    def run_program(self, *words: str) -> Path:
        """Start a program; the file that it writes to."""
        number = len([*self.directory.glob("*.out")])
        output = self.directory / f"{words[0]}-{number}.out"
        with output.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.directory,
                env=dict(os.environ, PYTHONPATH=str(TOP)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

        def end() -> None:
            process.kill()
            process.wait()

        self.addCleanup(end)
        return output

    def expect(self, output: Path, words: str) -> None:
        """Wait until a program has written these words."""
        end = time.monotonic() + SECONDS
        while words not in output.read_text():
            self.assertLess(time.monotonic(), end, output.read_text())
            time.sleep(0.02)

    def test_client_and_robot(self) -> None:
        """The client of section 14 talks with the robot of the tutorial."""
        robot = example("docs/tutorial.md", "python")
        port = str(self.node.port)
        self.assertIn("5080", robot)
        (self.directory / "robot.py").write_text(robot.replace("5080", port))
        answers = self.run_program("robot.py")
        self.expect(answers, "robot is ready")
        ada = ("tim.py", "127.0.0.1", port, "ada", "secret")
        output = self.run_program(*ada, "robot", "Hello")
        self.expect(output, "stored as message 1")
        self.expect(output, "You wrote: Hello")
        self.expect(answers, "Hello")


class FriendProgramTests(ProgramTests):
    """The same where friends write to each other, as with ``make run``."""

    configuration = CONFIGURATION.replace("from = anyone", "from = friends")

    def test_client_and_robot(self) -> None:
        """The client asks the robot to be friends, which accepts; then they talk."""
        port = str(self.node.port)
        robot = example("docs/tutorial.md", "python").replace("5080", port)
        (self.directory / "robot.py").write_text(robot)
        self.expect(self.run_program("robot.py"), "robot is ready")
        ada = ("tim.py", "127.0.0.1", port, "ada", "secret", "robot")
        self.expect(self.run_program(*ada, "It is me"), "asked to be friends")
        end = time.monotonic() + SECONDS
        while True:
            output = self.run_program(*ada, "Hello")
            self.expect(output, "\n")
            if "stored as message 1\n" in output.read_text():
                break
            self.assertLess(time.monotonic(), end)
        self.expect(output, "You wrote: Hello")
