"""As many bytes as go through a node from one to another, all of them looked at."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Final

from benchmarks.audience import CHUNK, Publisher, big, raw, subscribe
from benchmarks.clocks import clocks_of
from benchmarks.people import Person
from benchmarks.talker import Broken
from benchmarks.watching import Watched

PIECE: Final = 64 * 1024 - 64
"""Bytes of a file in one push: with the room in front of them less than 64 KiB."""
PARCEL: Final = 1_000_000
"""Bytes of a big text: as many as a node takes unless its operator says else."""
_FILLER: Final = bytes(range(32, 127)) * (PARCEL // 95 + 1)
MIB: Final = 1 << 20


def _body(number: int, size: int) -> bytes:
    """What is sent in the place ``number``."""
    return (b"%08d" % number + _FILLER)[:size]


def pour(
    lines: Sequence[tuple[Person, socket.socket]], size: int, pid: int
) -> dict[str, float]:
    """Push so many bytes into a room that loses nothing, from one to another."""
    publisher = Publisher(*lines[0])
    room = publisher.open_room(loses_nothing=True)
    subscribe(lines[1:], room)
    count = max(1, size // PIECE)
    values = _through(
        lambda number: publisher.push([_body(number, PIECE)]),
        lambda number: raw(room, _body(number, PIECE)),
        lines[1][1],
        count,
        pid,
    )
    return _values(values, count * PIECE, count)


def send(
    lines: Sequence[tuple[Person, socket.socket]], kind: int, count: int, pid: int
) -> dict[str, float]:
    """Send so many big texts (95) or octets (96) from one to another."""
    (sender, line), (receiver, other) = lines[:2]
    separator = b"|" if kind == 95 else b"\x83"
    head = bytes((kind,)) + sender.node.encode() + separator

    def parcel(number: int) -> bytes:
        payload = head + _body(number, PARCEL)
        return b"\x82\x7f" + len(payload).to_bytes(8, "big") + payload

    def put(number: int) -> None:
        line.sendall(big(kind, receiver.node, separator, _body(number, PARCEL)))

    return _values(_through(put, parcel, other, count, pid), count * PARCEL, count)


def _through(
    put: Callable[[int], None],
    expected: Callable[[int], bytes],
    line: socket.socket,
    count: int,
    pid: int,
) -> dict[str, float]:
    """Put everything in at one end in a thread, and compare what comes at the other."""
    clocks, watched = clocks_of(pid), Watched(pid)

    def all_of_it() -> None:
        for number in range(count):
            put(number)

    sending = Thread(target=all_of_it, daemon=True)
    before = clocks(0)
    sending.start()
    for number in range(count):
        wanted, at = expected(number), 0
        while at < len(wanted):
            data = line.recv(min(CHUNK, len(wanted) - at))
            if not data:
                raise Broken("the node has hung up")
            if not wanted.startswith(data, at):
                raise Broken(f"something else came in the place {number}")
            at += len(data)
        watched.look()
    spent = clocks(count).since(before)
    sending.join()
    values = spent.per_message()
    first, sizes = watched.samples[0][1], [kb for _, kb in watched.samples]
    return {
        **values,
        "seconds": round(spent.at, 2),
        "before_kb": first,
        "grown_kb": max(sizes) - first,
    }


def _values(values: dict[str, float], octets: int, count: int) -> dict[str, float]:
    """The same with bytes a second; the rate is that of frames."""
    seconds = values["seconds"] or 0.01
    cpu = values["cpu_us"] * count / octets * MIB / 1e3
    return {
        **values,
        "mb_per_s": round(octets / seconds / 1e6, 1),
        "cpu_ms_per_mib": round(cpu, 2),
    }
