"""Whole conversations with a live node, in which somebody sends what no client sends.

A conversation is a script of ``timtw/test/scripts`` or what our own client sends,
changed; its seed decides everything that is sent. Meanwhile two people talk who have
nothing to do with it.
"""

from __future__ import annotations

import contextlib
import random
import re
import select
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Final

import attrs

from timtw.loss.frames import frame, handshake
from timtw.loss.nodes import Node, NodeFailed, free_port
from timtw.loss.speech import Answer
from timtw.test import scriptkit
from timtw.test.doorkit import PASSWORD, SPEECH, Talker, configuration, connect
from timtw.test.fuzz.mutation import Mutator
from timtw.test.fuzz.wire import own_frames
from timtw.test.scriptkit import SCRIPTS, Values

WARM: Final = 200
"""Conversations after which the memory of a node counts: its caches are in use."""
GROWTH: Final = 16 * 1024
"""KiB that a node may take more after that; caches with a limit go on filling."""
_PEOPLE: Final = ("alice", "bob")
_LOGIN: Final = (
    b'\x90{"name":"%b","pwd":"secret","resource":"%d","extend":{"timtw":"1"}}'
)
_PASSWORD: Final = "secret"
_BUG: Final = re.compile(rb"Traceback|[Uu]nhandled|reference [0-9a-f]{12}")
_GLANCE: Final = 0.002
_NOBODY: Final = b'\x8f{"name":"nobody","pwd":"x"}'
_RESET: Final = struct.pack("ii", 1, 0)


@attrs.frozen
class Report:
    """What came of the conversations from ``seed`` on.

    Args:
        grown: KiB that the node has taken beyond those of the first ``WARM``.
        findings: A sentence about each thing that must not happen.
    """

    seed: int
    conversations: int
    frames: int
    grown: int
    findings: tuple[str, ...]


class Intruder:
    """A client on either door that cares about nothing."""

    def __init__(self, ports: tuple[int, int], dice: random.Random) -> None:
        self._dice = dice
        self._plain = dice.random() < 0.5
        self._line = connect(ports[self._plain])
        self._line.settimeout(5.0)
        self.sent = 0
        self._broken = False
        if not self._plain:
            self._write(handshake("127.0.0.1"))

    def send(self, payload: bytes) -> None:
        """Send a frame, in most cases as one has to."""
        self.sent += 1
        data = self._wrapped(payload)
        way = self._dice.randrange(12)
        if way == 0:
            data = self._damaged(data)
        cuts = sorted(self._dice.randrange(len(data) + 1) for _ in range(way // 9))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            self._write(data[start:end])

    def leave(self) -> None:
        """End the line in one of the ways in which lines end."""
        way = self._dice.randrange(4)
        with contextlib.suppress(OSError):
            if way == 0:
                self._line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            elif way == 1:
                self._line.shutdown(socket.SHUT_WR)
                self._line.recv(1 << 16)
            elif way == 2 and not self._plain:
                self._write(frame(self._dice.choice((b"", b"\x03\xe8", b"\x03")), 8))
            self._line.close()

    def _wrapped(self, payload: bytes) -> bytes:
        """A frame in what the stream carries; WebSocket in one piece, or in two."""
        if self._plain:
            return len(payload).to_bytes(4, "big") + payload
        if self._dice.random() < 0.9:
            return frame(payload)
        cut = self._dice.randrange(len(payload) + 1)
        first, second = bytearray(frame(payload[:cut])), frame(payload[cut:], 0)
        first[0] &= 0x7F
        ping = frame(b"p", 9) if self._dice.random() < 0.5 else b""
        return bytes(first) + ping + second

    def _damaged(self, data: bytes) -> bytes:
        """Another length, another opcode, or no mask: a byte of the head is another."""
        head = bytearray(data)
        head[self._dice.randrange(min(len(head), 6))] = self._dice.randrange(256)
        return bytes(head)

    def _write(self, data: bytes) -> None:
        """Write, and read what has come, which nobody looks at."""
        if self._broken:
            return
        try:
            if data:
                self._line.sendall(data)
            while select.select([self._line], [], [], _GLANCE)[0]:
                if not self._line.recv(1 << 16):
                    self._broken = True
                    return
        except OSError:
            self._broken = True


def _script(dice: random.Random, values: Values) -> Iterator[tuple[str, bytes]]:
    """Who sends what: a script, or a login and frames of our own client."""
    paths = sorted(SCRIPTS.glob("*.tim"))
    place = dice.randrange(len(paths) + 4)
    if place < len(paths):
        for line in scriptkit.lines(paths[place]):
            if line.sign in (">", ">>"):
                yield line.who, scriptkit.octets(line.frame, values)
        return
    who = dice.choice(_PEOPLE)
    yield who, _LOGIN % (who.encode(), dice.randrange(3))
    yield who, b"\x91"
    for one in dice.sample(list(own_frames()), 8):
        yield who, one


class _Values(Values):
    """The nodes of the people in the scripts, and something for all else."""

    def __missing__(self, name: str) -> int | str:
        return 1 if name.startswith("%") else "A"


def play(seed: int, ports: tuple[int, int], nodes: dict[str, str]) -> int:
    """One conversation; how many frames were sent."""
    dice = random.Random(seed)
    mutator = Mutator(dice, list(nodes.values()))
    lines: dict[str, Intruder] = {}
    values = _Values({f"${name}": node for name, node in nodes.items()})
    faithful = 2  # Most conversations begin with logins that are right.
    for place, (who, right) in enumerate(_script(dice, values)):
        if who not in lines:
            lines[who] = Intruder(ports, dice)
        keep = place < faithful and dice.random() < 0.8
        for one in [right] if keep else mutator.frames(right):
            lines[who].send(one)
        if dice.random() < 0.3:
            lines[who].send(b"\x0c" + dice.randrange(8).to_bytes(4, "big"))
        if dice.random() < 0.05:
            lines.pop(who).leave()
    for line in lines.values():
        line.leave()
    return sum(line.sent for line in lines.values())


class Bystanders:
    """Two people who talk, and a node that has to serve them."""

    def __init__(self, folder: Path) -> None:
        """Start a node with everybody on it."""
        plain = free_port()
        text = configuration(f"tcp = tcp:{plain}:interface=127.0.0.1\n")
        self.node = Node(folder, configuration=text)
        self.node.start()
        self.ports = self.node.port, plain
        self.nodes = {name: self._register(name) for name in _PEOPLE}
        self._dave = self._register("dave")
        self._register("carol")
        self._talk = (
            Talker(self._connect(0), "carol"),
            Talker(self._connect(1), "dave", plain=True),
        )
        self._said = self._read = 0

    def _register(self, name: str) -> str:
        """An account, and its node."""
        password = _PASSWORD if name in _PEOPLE else PASSWORD
        heard = SPEECH.hear(self.node.post(SPEECH.register(name, password)))
        assert isinstance(heard, Answer), heard
        return heard.text

    def _connect(self, door: int) -> socket.socket:
        return connect(self.ports[door])

    def notice(self) -> str:
        """What the two notice, or what the log tells; empty if there is nothing."""
        carol, dave = self._talk
        self._said += 1
        body = f"number {self._said}"
        try:
            # The answer comes when all passwords before it have been checked.
            self.node.post(_NOBODY)
            carol.write(self._dave, body)
            heard = dave.texts()
            if heard != [body]:
                return f"dave heard {heard} and not {body!r}"
        except (AssertionError, OSError, HTTPException) as error:
            return f"carol and dave cannot talk: {error!r}"
        with self.node.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        bug = _BUG.search(new)
        if bug is not None:
            told = new[max(0, bug.start() - 200) :][:3000]
            return f"the log says: {told.decode('utf-8', 'replace')}"
        return ""

    def memory(self) -> int:
        """KiB that the node has in memory; no password is being checked now."""
        status = Path(f"/proc/{self.node.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) if found else 0

    def close(self) -> list[str]:
        """End everything; what was wrong with that."""
        for one in self._talk:
            one.close()
        try:
            self.node.stop()
        except NodeFailed as error:
            return [str(error)]
        return []


def converse(
    seed: int, seconds: float = 0.0, conversations: int = 0, findings: int = 3
) -> Report:
    """Have conversations for so long, or so many of them, until enough is found."""
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="timtw-fuzz-") as folder:
        stage = Bystanders(Path(folder))
        try:
            report = _converse(stage, seed, end, conversations, findings)
        finally:
            why = stage.close()
        return attrs.evolve(report, findings=(*report.findings, *why))


def _converse(
    stage: Bystanders, seed: int, end: float, conversations: int, most: int
) -> Report:
    """Play, look, and count."""
    found: list[str] = []
    count = frames = warm = 0
    while len(found) < most:
        if count >= conversations if conversations else time.monotonic() > end:
            break
        frames += play(seed + count, stage.ports, stage.nodes)
        noticed = stage.notice()
        if noticed:
            found.append(f"seed {seed + count}: {noticed}")
            if "cannot talk" in noticed:
                break
        count += 1
        if count == WARM:
            warm = stage.memory()
    grown = stage.memory() - warm if warm else 0
    if grown > GROWTH:
        found.append(f"the node has grown by {grown} KiB since {WARM} conversations")
    return Report(seed, count, frames, grown, tuple(found))
