"""Long lists: friends, their profiles, members of a group.

    python -m benchmarks lists

Each asker has 5,000 friends and is in a group of 5,000. It asks for a list, takes all
of its frames, and asks again. Every answer has to be the first one, byte by byte.
"""

from __future__ import annotations

import select
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from benchmarks import group
from benchmarks.arriving import Crowd
from benchmarks.clocks import Clocks, clocks_of
from benchmarks.control import echoed
from benchmarks.options import Options
from benchmarks.people import Person, settle
from benchmarks.presence import relate
from benchmarks.rows import Row
from benchmarks.serving import served, workplace
from benchmarks.talker import JSON, THRIFT, Broken
from timtw.loss.frames import frame
from timtw.loss.speech import Speech
from timtw.model.idents import node_of
from timtw.protocols import structs
from timtw.protocols.codecs import JSON as JSON_CODEC
from timtw.protocols.codecs import THRIFT as THRIFT_CODEC
from timtw.protocols.codecs import Codec

ENTRIES: Final = 5_000
ASKERS: Final = 4
ANSWERS: Final = 400
PAGE: Final = 100
"""Profiles that are asked for at once."""
CHUNK: Final = 1 << 20
STALLED: Final = 15.0
END: Final = b"\x82\x01\x12"
"""The whole frame behind the last that has waited."""


@attrs.frozen
class Case:
    """One kind of list.

    Args:
        entries: How many entries an answer has.
    """

    name: str
    kind: str
    entries: int = ENTRIES


CASES: Final = (
    Case("roster of 5000", "roster"),
    Case("profiles of 100 friends", "profiles", PAGE),
    Case("members of a group of 5000", "members"),
)
BEHIND: Final = Case("blocked groups", "blocked", 0)
CODECS: Final = ((THRIFT, THRIFT_CODEC), (JSON, JSON_CODEC))


def measure(options: Options) -> Iterator[Row]:
    """A row for each kind of list and each encoding."""
    names = [f"{case.name}, {codec.name}" for case in CASES for _, codec in CODECS]
    if not any(map(options.wants, names)):
        return
    control = echoed(ASKERS, ASKERS)
    with workplace(options.directory) as directory:
        shape = group.Case("", there=ENTRIES, members=ENTRIES)
        people = settle(directory, ENTRIES + 1, group.made(shape))
        befriend(directory / "state" / "tim.db", people)
        with served(directory, options.profile) as node:
            for case in CASES:
                for speech, codec in CODECS:
                    name = f"{case.name}, {codec.name}"
                    if options.wants(name):
                        askers = _come(node.port, people[:ASKERS], speech)
                        frames = requests(case, codec, people)
                        (behind,) = requests(BEHIND, codec, people)
                        clock = clocks_of(node.pid)
                        count = options.scaled(ANSWERS)
                        values = ask(askers, frames, behind, case.entries, count, clock)
                        yield Row(name, values, control, {"entries": case.entries})
                        for line in askers:
                            line.close()


def befriend(database: Path, people: Sequence[Person]) -> None:
    """Make everybody a friend of each asker, but one of them."""
    numbers = [person.address.number for person in people]
    pairs: set[tuple[int, int]] = set()
    for place, number in enumerate(numbers[:ASKERS]):
        others = numbers[:place] + numbers[place + 1 :]
        pairs |= {(max(number, one), min(number, one)) for one in others[:ENTRIES]}
    # Askers stand before everybody else: nobody has more friends than that.
    relate(database, pairs)


def requests(case: Case, codec: Codec, people: Sequence[Person]) -> list[bytes]:
    """The frames with which this list is asked for, by turns."""
    bit = 0x80 if codec is JSON_CODEC else 0

    def asked(type: int, body: structs.WireStruct) -> bytes:
        return frame(bytes([type | bit]) + codec.encode(body))

    if case.kind in ("roster", "blocked"):
        return [asked(41, structs.TimReq(rtype=1 if case.kind == "roster" else 19))]
    if case.kind == "members":
        return [asked(41, structs.TimReq(rtype=3, node=node_of(group.ROOM)))]
    nodes = [person.node for person in people[ASKERS:]]
    pages = [nodes[start : start + PAGE] for start in range(0, len(nodes), PAGE)]
    return [
        asked(42, structs.TimNodes(ntype=4, nodelist=page))
        for page in pages
        if len(page) == PAGE
    ]


def _come(port: int, people: Sequence[Person], speech: Speech) -> list[socket.socket]:
    """Log in, and take what waits: whoever was brought into a group was told so."""
    crowd = Crowd(port, speech)
    crowd.gather(people)
    lines = [line for _, line in crowd.lines]
    for line in lines:
        line.sendall(frame(speech.backlog()))
        data = b""
        while not data.endswith(END):
            data += line.recv(CHUNK)
            if data.startswith(b"\x82") and len(frames_in(data)) == 1:
                (page,) = frames_in(data)
                if page[0] == 0x91:
                    line.sendall(frame(speech.acknowledge(page[1:5])))
                    data = b""
    return lines


def answer_to(line: socket.socket, asked: bytes, behind: bytes) -> bytes:
    """
    All frames that answer a request, whose number nobody says.

    Args:
        behind: Another request, which has one short answer: answers keep their order.
    """
    line.sendall(behind)
    last = line.recv(CHUNK)
    line.sendall(asked + behind)
    data = b""
    while not data.endswith(last):
        piece = line.recv(CHUNK)
        if not piece:
            raise Broken("the node has hung up")
        data += piece
    return data[: -len(last)]


@attrs.define(eq=False)
class Asker:
    """One client that asks again as soon as it has everything.

    Args:
        place: Which of the requests it has asked.
    """

    line: socket.socket
    place: int
    begun: float = 0.0
    data: bytes = b""


class Round:
    """Clients that ask by turns, until so many answers have come."""

    def __init__(
        self, lines: Sequence[socket.socket], frames: Sequence[bytes], behind: bytes
    ) -> None:
        """The first answers, which later ones are compared with."""
        begun = time.perf_counter()
        self.first = [[answer_to(lines[0], one, behind)] for one in frames]
        self.seconds = (time.perf_counter() - begun) / len(frames)
        for line in lines[1:]:
            for answers, one in zip(self.first, frames, strict=True):
                answers.append(answer_to(line, one, behind))
        self.latencies: list[float] = []
        self._frames = frames
        self._askers = [Asker(line, 0) for line in lines]

    def run(self, count: int) -> None:
        """Ask until so many answers have come."""
        by_file = {one.line.fileno(): one for one in self._askers}
        with select.epoll() as epoll:
            for asker in self._askers:
                epoll.register(asker.line, select.EPOLLIN)
                self._ask(asker)
            left, under_way = count - len(by_file), len(by_file)
            while under_way:
                ready = epoll.poll(STALLED)
                if not ready:
                    raise Broken("nothing has come for a long time")
                for file, _ in ready:
                    asker = by_file[file]
                    if not self._take(asker):
                        continue
                    if left > 0:
                        left -= 1
                        self._ask(asker)
                    else:
                        under_way -= 1

    def _ask(self, asker: Asker) -> None:
        asker.begun, asker.data = time.perf_counter(), b""
        asker.line.sendall(self._frames[asker.place])

    def _take(self, asker: Asker) -> bool:
        """Whether the whole answer is there."""
        asker.data += asker.line.recv(CHUNK)
        wanted = self.first[asker.place][self._askers.index(asker)]
        if len(asker.data) < len(wanted):
            return False
        if asker.data != wanted:
            raise Broken("another list has come")
        self.latencies.append(time.perf_counter() - asker.begun)
        asker.place = (asker.place + 1) % len(self._frames)
        return True


def ask(
    lines: Sequence[socket.socket],
    frames: Sequence[bytes],
    behind: bytes,
    entries: int,
    count: int,
    clocks: Clocks,
) -> dict[str, float]:
    """Ask so many times; what it took."""
    asking = Round(lines, frames, behind)
    asking.run(len(lines))
    asking.latencies.clear()
    pages = len(frames_in(asking.first[0][0]))
    before = clocks(0)
    asking.run(count)
    spent = clocks(len(asking.latencies) * pages).since(before)
    ordered = sorted(asking.latencies)
    per_page = spent.per_message()
    return {
        **per_page,
        "p50_ms": round(statistics.median(ordered) * 1e3, 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3, 1),
        "pages": pages,
        "entry_cpu_us": round(per_page["cpu_us"] * pages / entries, 2),
        "first_ms": round(asking.seconds * 1e3, 1),
    }


def frames_in(data: bytes) -> list[bytes]:
    """The payloads of the whole frames."""
    found: list[bytes] = []
    place = 0
    while place + 10 <= len(data) or data[place:] == END:
        size, place = data[place + 1], place + 2
        if size > 125:
            octets = 2 if size == 126 else 8
            size = int.from_bytes(data[place : place + octets], "big")
            place += octets
        if place + size > len(data):
            break
        found.append(data[place : place + size])
        place += size
    return found
