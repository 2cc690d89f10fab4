"""Many members of one group in one loop, for what a group costs its node.

All members get the same texts, so what came is looked at by one regular expression, and
compared with what has to come by one comparison: the load generator has to be several
times as fast as the node. Every text has to have the next number, at every member.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Sequence
from typing import Final

import attrs

from benchmarks.people import Person
from benchmarks.talker import ACKNOWLEDGEMENT, JSON, TEXT, Broken
from timtw.loss.frames import frame

CHUNK: Final = 1 << 20
STALLED: Final = 15.0
"""Seconds without anything after which a run is given up."""
_TEXTS: Final = re.compile(
    rb'\x82\x7e(..)\xda(....)\{"msType":3,"odType":1,"id":\d+,"mid":(\d+),', re.DOTALL
)


def group_text(room: str) -> bytes:
    """A whole frame with a text to a group."""
    fields = (
        f'"msType":3,"odType":1,"roomTid":{{"node":"{room}"}},"dataString":"{TEXT}"'
    )
    return frame(b"\xda{" + fields.encode() + b"}")


@attrs.define(eq=False)
class Member:
    """One member who is there.

    Args:
        got: How many texts have come.
    """

    line: socket.socket
    person: Person
    got: int = 0
    rest: bytes = b""


class Group:
    """Members in one loop: they acknowledge everything, and some of them write."""

    def __init__(
        self, lines: Sequence[tuple[Person, socket.socket]], room: str, senders: int
    ) -> None:
        """
        Args:
            lines: Connections that are logged in.
            senders: How many of them write, by turns.
        """
        self.members = [Member(line, person) for person, line in lines]
        self.delivered = 0
        self.sent = 0
        self.latencies: list[float] = []
        self._text = group_text(room)
        self._senders = self.members[:senders]
        self._by_file = {one.line.fileno(): one for one in self.members}
        self._epoll = select.epoll()
        for file in self._by_file:
            self._epoll.register(file, select.EPOLLIN)
        self._numbers: list[bytes] = []
        self._begun: list[float] = []

    def settle(self) -> None:
        """Take what waits from before: notices of membership are no texts."""
        for one in self.members:
            one.line.sendall(frame(JSON.backlog()))
        quiet = time.perf_counter() + 0.5
        while time.perf_counter() < quiet:
            for file, _ in self._epoll.poll(0.1):
                data = self._by_file[file].line.recv(CHUNK)
                receipts = re.findall(rb"\x91(....)\{", data, re.DOTALL)
                if receipts:
                    answer = ACKNOWLEDGEMENT + ACKNOWLEDGEMENT.join(receipts)
                    self._by_file[file].line.sendall(answer)
                quiet = time.perf_counter() + 0.5

    def say(self, count: int) -> None:
        """Write so many texts, by turns."""
        now = time.perf_counter()
        for _ in range(count):
            sender = self._senders[self.sent % len(self._senders)]
            self.sent += 1
            self._numbers.append(b"%d" % self.sent)
            self._begun.append(now)
            sender.line.sendall(self._text)

    def turn(self) -> None:
        """Serve whoever is ready."""
        ready = self._epoll.poll(STALLED)
        if not ready:
            raise Broken("nothing has come for a long time")
        for file, _ in ready:
            self._take(self._by_file[file])

    def silence(self, count: int) -> list[Member]:
        """Read nothing more of the last so many members; nobody expects them to."""
        silent = self.members[len(self.members) - count :]
        del self.members[len(self.members) - count :]
        for one in silent:
            self._epoll.unregister(one.line.fileno())
        return silent

    def run(self, texts: int, in_flight: int) -> None:
        """Write so many texts, so many of them under way; until all have come."""
        size = len(self.members)
        goal = (self.sent + texts) * size
        left = texts
        while self.delivered < goal:
            under_way = self.sent - self.delivered // size
            more = min(left, in_flight - under_way)
            if more > 0:
                left -= more
                self.say(more)
            self.turn()

    def close(self) -> None:
        """Hang up all lines."""
        for one in self.members:
            one.line.close()
        self._epoll.close()

    def _take(self, member: Member) -> None:
        """Take what has come for one of them, look at it, and acknowledge it."""
        came = member.line.recv(CHUNK)
        if not came:
            raise Broken("the node has hung up")
        data = member.rest + came
        found = _TEXTS.findall(data)
        if not found:
            member.rest = data
            return
        lengths, receipts, numbers = zip(*found, strict=True)
        last = data.rindex(b"\x82\x7e" + lengths[-1] + b"\xda" + receipts[-1])
        end = last + 4 + int.from_bytes(lengths[-1], "big")
        if end > len(data):
            end = last
            receipts, numbers = receipts[:-1], numbers[:-1]
        member.rest = data[end:]
        count = len(numbers)
        if not count:
            return
        got = member.got
        if [*numbers] != self._numbers[got : got + count]:
            raise Broken(f"{numbers} came behind {got}")
        if member is self.members[0]:
            now = time.perf_counter()
            for begun in self._begun[got : got + count]:
                self.latencies.append(now - begun)
        member.got = got + count
        self.delivered += count
        member.line.sendall(ACKNOWLEDGEMENT + ACKNOWLEDGEMENT.join(receipts))
