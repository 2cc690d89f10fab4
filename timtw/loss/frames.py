"""The client's side of RFC 6455, as little of it as a node's client needs.

Everything is sans-io. Client frames are masked, as they have to be, with the key 0,
which leaves the payload as it is: a frame can be made once and sent often.
"""

from __future__ import annotations

from typing import Final

BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
_END: Final = b"\r\n\r\n"


def handshake(host: str, path: str = "/tim") -> bytes:
    """The request that opens a WebSocket; the key is the one of the RFC's example."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode("ascii")


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """``payload`` as one whole masked frame of a client."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class BadFrame(Exception):
    """The server sent what no client of TIM has to take."""


class FrameReader:
    """Cuts what a server sends into frames; everything has to be unfragmented."""

    def __init__(self, upgraded: bool = False) -> None:
        """``upgraded`` says that the answer to the handshake has been read."""
        self._rest = b""
        self.upgraded = upgraded

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """
        The frames that ``data`` completes, as pairs of opcode and payload.

        Raises:
            BadFrame: the upgrade was refused, or a frame is masked or a fragment.
        """
        data = self._rest + data if self._rest else data
        position = 0
        if not self.upgraded:
            position = self._answer(data)
        found: list[tuple[int, bytes]] = []
        if self.upgraded:
            position = _cut(data, position, found)
        self._rest = data[position:]
        return found

    def _answer(self, data: bytes) -> int:
        """Read the answer to the handshake; where the frames begin."""
        end = data.find(_END)
        if end < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            raise BadFrame(f"no upgrade: {data[:80]!r}")
        self.upgraded = True
        return end + len(_END)


def _cut(data: bytes, position: int, found: list[tuple[int, bytes]]) -> int:
    """Append every whole frame from ``position`` on; where the rest begins."""
    size = len(data)
    while size - position >= 2:
        first, length = data[position], data[position + 1]
        start = position + 2
        if length > 125:
            wide = 2 if length == 126 else 8
            start += wide
            if start > size:
                break
            length = int.from_bytes(data[start - wide : start], "big")
        if not first & 0x80 or first & 0x70 or data[position + 1] & 0x80:
            raise BadFrame(f"a fragment, a reserved bit or a mask: {first:#x}")
        if start + length > size:
            break
        found.append((first & 0x0F, data[start : start + length]))
        position = start + length
    return position
