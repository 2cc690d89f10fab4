"""The conversations in ``scripts/`` are true: a node answers what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from timtw.test import scriptkit
from timtw.test.scriptkit import SCRIPTS, Line, ScriptError, Values
from timtw.test.test_websocket import masked
from timtw.test.test_wire_conversation import Wire
from timtw.test.wirekit import Socket

ACTS = frozenset({"POST", ">>", ">", "leaves", "wait", "set"})
"""What somebody does; the lines up to the next one are what everybody then hears."""


def printed(frame: bytes) -> str:
    """A frame for people who look for what went wrong."""
    head, brace, body = frame.partition(b"{")
    return head.hex(" ") + " " + (brace + body).decode("utf-8", "replace")


class ScriptTests(Wire):
    """One test for each script; its name is that of the file."""

    def play(self, path: Path) -> None:
        """Play a script on a node of its own."""
        self.sockets: dict[str, Socket] = {}
        self.values: Values = {}
        lines = list(scriptkit.lines(path))
        starts = [place for place, line in enumerate(lines) if line.sign in ACTS]
        self.assertEqual(starts[0], 0, "a script begins with something that is done")
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            line, expected = lines[start], lines[start + 1 : end]
            try:
                heard = self.act(line)
                self.compare(heard, expected)
            except ScriptError as error:
                self.fail(f"{path.name}, line {line.number}: {error}")
        self.assertEqual(self.flushLoggedErrors(), [])

    def act(self, line: Line) -> dict[str, list[bytes]]:
        """Do what a line says; what everybody hears then."""
        heard: dict[str, list[bytes]] = {}
        if line.sign == "set":
            key, value = line.frame.split()
            change: dict[str, Any] = {key: int(value)}
            self.settings = attrs.evolve(self.settings, **change)
            Wire.setUp(self)
        elif line.sign == "wait":
            self.stage.clock.pump([0.1] * round(float(line.frame) * 10))
        elif line.sign == "leaves":
            self.leave(self.sockets.pop(line.who))
        elif line.sign == "POST":
            answer = self.post(scriptkit.octets(line.frame, self.values))
            heard[line.who] = [answer]
        else:
            if line.who not in self.sockets:
                self.sockets[line.who] = self.open()
            frame = scriptkit.octets(line.frame, self.values)
            if line.sign == ">>":
                self.sockets[line.who].protocol.dataReceived(masked(frame))
                return heard
            heard[line.who] = self.say(self.sockets[line.who], frame)
        self.pass_time()
        for name, socket in self.sockets.items():
            heard.setdefault(name, []).extend(self.heard(socket))
        return heard

    def leave(self, socket: Socket) -> None:
        """The line is lost."""
        protocol, socket.protocol, socket.producer = socket.protocol, None, None
        protocol.connectionLost(Failure(ConnectionDone()))

    def compare(self, heard: dict[str, list[bytes]], expected: list[Line]) -> None:
        """Everybody hears exactly what the script says, in that order."""
        for line in expected:
            frames = heard.get(line.who, [])
            if not frames:
                raise ScriptError(f"line {line.number} did not come")
            frame = frames.pop(0)
            if not scriptkit.match(line.frame, frame, self.values):
                raise ScriptError(f"line {line.number} came as {printed(frame)}")
        for name, frames in heard.items():
            if frames:
                raise ScriptError(f"{name} also heard {printed(frames[0])}")


def _test_of(path: Path) -> Callable[[ScriptTests], None]:
    """The test method of a script."""

    def test(self: ScriptTests) -> None:
        self.play(path)

    test.__doc__ = scriptkit.title(path)
    return test


for _path in sorted(SCRIPTS.glob("*.tim")):
    setattr(ScriptTests, "test_" + _path.stem.replace("-", "_"), _test_of(_path))


class TemplateTests(SynchronousTestCase):
    """The player notices what differs."""

    def test_every_script_is_a_test(self) -> None:
        """All files are played, and there is one for each of the three clients."""
        names = {path.stem for path in SCRIPTS.glob("*.tim")}
        for client in ("go", "java", "javascript"):
            self.assertTrue([one for one in names if one.startswith(client + "-")])
        tests = {one for one in dir(ScriptTests) if one.startswith("test_")}
        self.assertEqual(tests, {"test_" + one.replace("-", "_") for one in names})

    def test_values(self) -> None:
        """A name is bound once, in either encoding, and has to come again."""
        values: Values = {}
        self.assertTrue(
            scriptkit.match('0c {"t":%t,"n":"$n"}', b'\x0c{"t":-5,"n":"A"}', values)
        )
        self.assertEqual(values, {"%t": -5, "$n": "A"})
        thrift = b"\x0c\x26\x09\x18\x01A\x00"
        self.assertEqual(scriptkit.octets("0c 26 %t 18 $n 00", values), thrift)
        self.assertTrue(scriptkit.match("0c 26 %t 18 $n 00", thrift, values))
        self.assertFalse(
            scriptkit.match("0c 26 %t 18 $n 00", thrift.replace(b"A", b"B"), values)
        )
        self.assertTrue(scriptkit.match("0c 26 %_ 18 $_ 00", thrift, values))

    def test_big_data(self) -> None:
        """A frame knows its length, and a node in it has none of its own."""
        values: Values = {"$n": "ab"}
        frame = scriptkit.octets("60 LENGTH =$n 83 00000000", values)
        self.assertEqual(frame, b"\x60\0\0\0\x0cab\x83\0\0\0\0")
        self.assertTrue(scriptkit.match("60 =$n 83", b"\x60ab\x83", values))
        self.assertFalse(scriptkit.match("60 =$n 83", b"\x60ac\x83", values))

    def test_differences(self) -> None:
        """A byte too much, too few or another one is noticed."""
        for data in (b"\x12\0", b"", b"\x11"):
            self.assertFalse(scriptkit.match("12", data, {}))
        self.assertEqual(scriptkit.octets('18 "hi" 00', {}), b"\x18\x02hi\0")
        self.assertEqual(scriptkit.octets("close 1000", {}), b"\x03\xe8")
        self.assertRaises(ScriptError, scriptkit.octets, "1", {})
