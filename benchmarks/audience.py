"""Many subscribers of one virtual room in one loop, and who pushes into it.

All get the same bytes, so what came is compared with what has to come by one comparison
for each read: the load generator has to be several times as fast as the node.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Sequence
from typing import Final

import attrs

from benchmarks.members import STALLED
from benchmarks.people import Person
from benchmarks.talker import Broken
from timtw.loss.frames import FrameReader, frame

CHUNK: Final = 1 << 17
NARROW: Final = 4096
"""What the system shall keep for a subscriber that does not read."""
OBSERVED: Final = 10
"""Of so many subscribers one is asked how long each frame took."""
CALM: Final = 0.5
"""Seconds without anything after which nothing more comes."""


def asked(line: socket.socket, request: str) -> str:
    """The node that answers a request about a virtual room; Broken if it is refused."""
    line.sendall(frame(b"\x96" + request.encode()))
    reader = FrameReader(upgraded=True)
    while True:
        for _, payload in reader.feed(line.recv(CHUNK)):
            answer = json.loads(payload[1:])
            if not answer["ok"]:
                raise Broken(f"{request} is answered {answer}")
            node: str = answer["n"]
            return node


def subscribe(lines: Sequence[tuple[Person, socket.socket]], room: str) -> None:
    """Let all of these get the raw bytes."""
    for _, line in lines:
        asked(line, f'{{"rtype":5,"node":"{room}","reqInt":1}}')


def raw(room: str, body: bytes) -> bytes:
    """What a node sends a binary subscriber, as WebSocket has it."""
    payload = b"\x61" + room.encode() + b"\x83" + body
    if len(payload) < 1 << 16:
        return b"\x82\x7e" + len(payload).to_bytes(2, "big") + payload
    return b"\x82\x7f" + len(payload).to_bytes(8, "big") + payload


def big(kind: int, node: str, separator: bytes, data: bytes) -> bytes:
    """A whole WebSocket message with a big-data frame of a client."""
    rest = node.encode() + separator + data
    return frame(bytes((kind,)) + (5 + len(rest)).to_bytes(4, "big") + rest)


class Publisher:
    """Who pushes."""

    def __init__(self, person: Person, line: socket.socket) -> None:
        self.person = person
        self.line = line
        self.room = ""

    def open_room(self, loses_nothing: bool = False) -> str:
        """Make a virtual room."""
        flow = ',"reqInt":1' if loses_nothing else ""
        self.room = asked(self.line, f'{{"rtype":1{flow}}}')
        return self.room

    def push(self, bodies: Sequence[bytes]) -> None:
        """Push all of these."""
        self.line.sendall(
            b"".join([big(97, self.room, b"\x83", one) for one in bodies])
        )


@attrs.define(eq=False)
class Subscriber:
    """One who is there.

    Args:
        at: How many bytes of the stream have come.
        is_checked: Whether all of it has to come.
    """

    line: socket.socket
    at: int = 0
    is_checked: bool = True
    is_observed: bool = False


class Audience:
    """Subscribers in one loop."""

    def __init__(
        self,
        lines: Sequence[tuple[Person, socket.socket]],
        publisher: Publisher,
        size: int,
    ) -> None:
        """Everybody has subscribed; ``size`` is that of each frame's content."""
        self.members = [Subscriber(line) for _, line in lines]
        for one in self.members[::OBSERVED]:
            one.is_observed = True
        self.latencies: list[float] = []
        self._publisher = publisher
        self._filler = bytes(range(32, 127)) * (size // 95 + 1)
        self._body = size
        self._octets = len(raw(publisher.room, bytes(size)))
        self._stream = bytearray()
        self._begun: list[float] = []
        self._came = 0
        self._checked = len(self.members)
        self._by_file = {one.line.fileno(): one for one in self.members}
        self._epoll = select.epoll()
        for file in self._by_file:
            self._epoll.register(file, select.EPOLLIN)

    @property
    def sent(self) -> int:
        """How many frames were pushed."""
        return len(self._begun)

    @property
    def delivered(self) -> int:
        """How many have come, all subscribers together."""
        return self._came // self._octets

    def push(self, count: int) -> None:
        """Push so many frames; each has its number in front."""
        now, bodies = time.perf_counter(), []
        for number in range(self.sent, self.sent + count):
            body = (b"%08d" % number + self._filler)[: self._body]
            self._stream += raw(self._publisher.room, body)
            self._begun.append(now)
            bodies.append(body)
        self._publisher.push(bodies)

    def run(self, frames: int, in_flight: int) -> None:
        """Push so many frames, so many of them under way; until all have come."""
        goal = self.sent + frames
        while self._behind(goal):
            under_way = self.sent - self._came // (self._octets * self._checked)
            more = min(goal - self.sent, in_flight - under_way)
            # Not one by one: who pushes has a lot at hand, too.
            if more >= min(in_flight // 4, goal - self.sent) and more > 0:
                self.push(more)
            self._turn(STALLED)

    def pace(self, seconds: float, rate: int) -> None:
        """Push so many frames a second, and take them."""
        begun, first = time.perf_counter(), self.sent
        while (now := time.perf_counter()) < begun + seconds:
            due = first + int((now - begun) * rate) + 1
            if due > self.sent:
                self.push(due - self.sent)
            following = begun + (self.sent - first) / rate
            self._turn(max(0.0, following - time.perf_counter()), may_be_calm=True)
        while self._behind(self.sent):
            self._turn(STALLED)

    def _behind(self, goal: int) -> bool:
        """Whether anything is still to come."""
        return self._came < goal * self._octets * self._checked or self.sent < goal

    def _turn(self, seconds: float, may_be_calm: bool = False) -> None:
        """Serve whoever is ready."""
        ready = self._epoll.poll(seconds)
        if not ready and not may_be_calm:
            raise Broken("nothing has come for a long time")
        for file, _ in ready:
            self._take(self._by_file[file])

    def _take(self, member: Subscriber) -> None:
        """Take what has come for one of them, and look at it."""
        data = member.line.recv(CHUNK)
        if not data:
            raise Broken("the node has hung up")
        before = member.at
        member.at = after = before + len(data)
        if not member.is_checked:
            return
        if not self._stream.startswith(data, before):
            raise Broken(f"something else came behind frame {before // self._octets}")
        self._came += len(data)
        if member.is_observed:
            now, size = time.perf_counter(), self._octets
            for begun in self._begun[before // size : after // size]:
                self.latencies.append(now - begun)

    # One who is slow.

    def lag(self) -> Subscriber:
        """From now on nobody expects anything of the last one."""
        slow = self.members.pop()
        slow.is_checked = slow.is_observed = False
        slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        self._came -= slow.at
        self._checked -= 1
        return slow

    def stall(self, slow: Subscriber, is_stalled: bool) -> None:
        """Let it read nothing, or take all that waits for it."""
        file = slow.line.fileno()
        if is_stalled:
            self._epoll.unregister(file)
            return
        try:
            self._epoll.register(file, select.EPOLLIN)
        except FileExistsError:
            return
        quiet = time.perf_counter() + CALM
        while time.perf_counter() < quiet:
            before = slow.at
            self._turn(0.1, may_be_calm=True)
            if slow.at > before:
                quiet = time.perf_counter() + CALM

    def missed(self, slow: Subscriber) -> int:
        """How many frames were dropped for it, after it has taken what waits."""
        self.stall(slow, False)
        return self.sent - slow.at // self._octets

    def close(self) -> None:
        """Hang up all lines."""
        for one in self._by_file.values():
            one.line.close()
        self._epoll.close()
