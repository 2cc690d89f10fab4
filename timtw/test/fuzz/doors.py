"""The doors under fuzzing: whole or in pieces, quick or slow, the same comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from timtw.client.tcpframes import TcpFraming
from timtw.loss.frames import frame, handshake
from timtw.protocols.clientline import make_shared
from timtw.protocols.frames import tcp_message
from timtw.protocols.proxied import HeaderReader
from timtw.protocols.proxyheader import BadHeader, Header, read_header
from timtw.protocols.site import make_site
from timtw.protocols.sources import TrustedProxies
from timtw.protocols.tcp import TcpClients
from timtw.protocols.websocket import WebSocketClients
from timtw.test.fuzz.meter import Meter, check
from timtw.test.fuzz.stage import Desk, Failures, Line, Outcome, pieces, run
from timtw.test.fuzz.wire import script_frames

MAX_FRAME: Final = 6_000
"""Small, so that inputs of the fuzzer can be longer."""
_ADDRESS: Final = IPv4Address("TCP", "192.0.2.1", 4)
_DATE: Final = re.compile(rb"\r\nDate: [^\r]*")
_KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="
_TRUSTED: Final = TrustedProxies(["192.0.2.1", "10.0.0.0/8"])


def compared(
    make: Callable[[Desk, Clock], Any],
    split: Callable[[bytes, bool], list[bytes]],
    data: bytes,
    how: int,
    meter: Meter,
) -> None:
    """Whole, in pieces, and to a core that takes its time: nobody can tell."""
    cut = list(pieces(data, how))
    with Failures():
        whole = meter.run(len(data), run, make, [data], False, split)
        _same(whole, meter.run(len(data) * 8, run, make, cut, False, split))
        _same(whole, run(make, [data] if how & 1 else cut, True, split))


def _same(one: Outcome, other: Outcome) -> None:
    """Two runs came to the same."""
    for field in attrs.fields(Outcome):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        check(mine == theirs, f"{field.name} differs:", mine, theirs)


# TCP.


def tcp_seeds() -> Iterator[bytes]:
    """Whole conversations, behind a byte that says where to cut."""
    for frames in script_frames():
        yield b"\x01" + b"".join(map(tcp_message, frames[:5]))
        yield b"\x00" + b"".join(map(tcp_message, frames[:2]))
    yield b"\x02\x00\x00\x10\x01\x90"
    yield b"\x02\x00\x00\x00\x00\x00\x00\x00\x01\x0d\x00\x00"


def _tcp(desk: Desk, clock: Clock) -> Any:
    """The protocol of a client on TCP."""
    return TcpClients(make_shared(desk, clock, MAX_FRAME)).buildProtocol(_ADDRESS)


def _frames(written: bytes, ended: bool) -> list[bytes]:
    """The frames that a client on TCP was sent, and whether the line was ended.

    The refusal of a frame that is too long names its type only if that has come.
    """
    framing = TcpFraming()
    found = framing.feed(written)
    check(b"".join(map(tcp_message, found)) == written, "half a frame was written")
    if found and b"the frame is longer" in found[-1]:
        found[-1] = b"too long"
    return [*found, b"%d" % ended]


def tcp(data: bytes, meter: Meter) -> None:
    """A stream of lengths and frames."""
    if data:
        compared(_tcp, _frames, data[1:], data[0], meter)


# HTTP.


def http_seeds() -> Iterator[bytes]:
    """Requests of all kinds, behind a byte that says where to cut."""
    auth = b'\x8e{"name":"u","pwd":"p"}'
    post = b"POST /tim2 HTTP/1.1\r\nHost: x\r\n"
    length = b"Content-Length: %d\r\n" % len(auth)
    yield b"\x01" + post + length + b"\r\n" + auth
    yield b"\x02" + post + length + b"X-Forwarded-For: 1.2.3.4, 10.1.1.1\r\n\r\n" + auth
    yield b"\x03" + post + b"Content-Length: 3\r\n\r\n\x0f\x00\x00" + post + b"\r\n"
    yield (
        b"\x05" + post + b"Transfer-Encoding: chunked\r\n\r\n2\r\n\x0e\x00\r\n0\r\n\r\n"
    )
    yield b"\x07GET / HTTP/1.0\r\n\r\n"
    yield b"\x09GET /tim HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    upgrade = handshake("x")
    yield b"\x0b" + upgrade + frame(b"\x90{}") + frame(b"\x8d")
    yield b"\x00" + handshake("x", "/") + frame(b"\x8d")


def _site(desk: Desk, clock: Clock) -> Any:
    """The protocol of a client that speaks HTTP, at first."""
    shared = make_shared(desk, clock, MAX_FRAME)
    site = make_site(shared, None, origins=(), trusted=_TRUSTED)
    return site.buildProtocol(_ADDRESS)


def _answers(written: bytes, ended: bool) -> list[bytes]:
    """What an HTTP client was sent, without the time of day.

    What follows an upgrade counts as on a WebSocket.
    """
    if not written.startswith(b"HTTP/1.1 101 "):
        return [_DATE.sub(b"", written), b"%d" % ended]
    return _cut(written, ended)


def http(data: bytes, meter: Meter) -> None:
    """Requests in a row."""
    if data:
        compared(_site, _answers, data[1:], data[0], meter)


# WebSocket.


def websocket_seeds() -> Iterator[bytes]:
    """Whole conversations, and what RFC 6455 allows besides."""
    for number, frames in enumerate(script_frames()):
        yield bytes([number]) + b"".join(map(frame, frames[: 2 + number % 3]))
    ping, pong, close = frame(b"p", 9), frame(b"", 10), frame(b"\x03\xe8", 8)
    yield b"\x01" + ping + frame(b"\x8d") + pong + frame(b"\x8d", 1) + close + ping
    yield b"\x00\x02\x81\0\0\0\0\x8d" + ping + b"\x80\x80\1\2\3\4" + frame(b"\x8d")
    yield b"\x03" + frame(b"\x90" + b" " * 200) + b"\x82\xfe\x00\x01\0\0\0\0\x8d"
    yield b"\x05" + frame(b"\x90{}") + frame(b"\x8d" * 1500)


def _cut(written: bytes, ended: bool) -> list[bytes]:
    """The data frames that were sent in order, and then the control frames.

    A client that goes on after it broke the rules is cut; whether it does so is
    seen only by bytes that come later, so it does not count.
    """
    _, _, rest = written.partition(b"\r\n\r\n")
    found: tuple[list[bytes], list[bytes]] = ([], [])
    while rest:
        size, start = rest[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(rest[2:start], "big")
        check(len(rest) >= start + size, "half a frame was written")
        check(rest[0] in (0x82, 0x88, 0x8A), "an odd frame was written", rest[:4])
        found[rest[0] != 0x82].append(rest[: start + size])
        rest = rest[start + size :]
    return [*found[0], b"", *found[1]]


def websocket(data: bytes, meter: Meter) -> None:
    """A stream of WebSocket frames behind a good handshake."""
    if data:
        compared(_upgraded, _cut, data[1:], data[0], meter)


def _upgraded(desk: Desk, clock: Clock) -> Any:
    """The protocol of a client whose upgrade is done when the line is there."""
    protocol: Any = WebSocketClients(make_shared(desk, clock, MAX_FRAME)).protocol_for(
        "s"
    )
    make = protocol.makeConnection

    def connected(line: Line) -> None:
        make(line)
        protocol.accept(_KEY)

    protocol.makeConnection = connected
    return protocol


# The PROXY protocol.


class _Told(Protocol):
    """What stands behind the header, and whose connection it is."""

    def __init__(self, address: object, told: list[object]) -> None:
        self._told = told
        told += [address, b""]

    def dataReceived(self, data: bytes) -> None:
        """Keep what comes."""
        assert isinstance(self._told[-1], bytes)
        self._told[-1] += data


class _Behind(Factory):
    """Makes the protocol behind the header."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def buildProtocol(self, addr: object) -> Any:
        """The protocol for this address."""
        return _Told(addr, self.told)


def proxy_seeds() -> Iterator[bytes]:
    """Headers of both versions, and what follows them."""
    for told in (
        b"UNKNOWN",
        b"UNKNOWN ffff::1 ::1 1 2",
        b"TCP4 192.0.2.9 10.0.0.1 56324 443",
        b"TCP6 2001:db8::1 ::1 1 65535",
        b"TCP4 300.1.1.1 1.1.1.1 1 65536",
    ):
        yield b"\x01PROXY " + told + b"\r\nGET"
    start = b"\x00\r\n\r\n\0\r\nQUIT\n"
    yield start + b"\x21\x11\0\x0c" + bytes(range(12)) + b"rest"
    yield start + b"\x21\x21\0\x28" + bytes(range(40)) + b"rest"
    yield start + b"\x20\0\0\0rest"
    yield start + b"\x21\x31\x0f\xf0" + bytes(300)


def _header(data: bytes) -> Header | type[BadHeader] | None:
    """The header at the beginning of ``data``, or that it is none."""
    try:
        return read_header(data)
    except BadHeader:
        return BadHeader


def proxy(data: bytes, meter: Meter) -> None:
    """A header is read as soon as it can be, and what follows changes nothing."""
    if not data:
        return
    how, data = data[0], data[1:]
    whole = meter.run(len(data), _header, data)
    if isinstance(whole, Header):
        check(0 <= whole.size <= len(data), "a header is longer than it is", whole)
    known: Any = None
    for end in range(min(len(data), 120) + 1) if how & 1 else ():
        found = _header(data[:end])
        check(known is None or found == known, "bytes behind it matter", known, found)
        known = found
    check(known in (None, whole), "what follows matters", known, whole)
    outcomes = [_through(cut) for cut in ([data], list(pieces(data, how)))]
    check(outcomes[0] == outcomes[1], "pieces matter", *outcomes)


def _through(stream: list[bytes]) -> list[object]:
    """What comes through the reader of headers."""
    clock, line, behind = Clock(), Line(), _Behind()
    line.protocol = HeaderReader(behind, _ADDRESS, clock)
    line.protocol.makeConnection(line)
    for piece in stream:
        if not line.aborted:
            line.protocol.dataReceived(piece)
    line.protocol.connectionLost()
    check(not clock.getDelayedCalls(), "a timer is left")
    return [line.aborted, *behind.told]
