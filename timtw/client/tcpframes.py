"""Frames in a plain stream: each behind its length in 4 bytes, big-endian."""

from __future__ import annotations

from typing import Final

from timtw.model.limits import CLIENT_TAKES_BYTES

_LENGTH: Final = 4


class TcpFraming:
    """One connection; there is no handshake, so it is ready from the beginning.

    Attributes:
        ready: Whether frames may be written.
        failure: Why the line cannot be used any further; empty while it can.
        too_long: Never: on a stream the node says so in a frame.
    """

    def __init__(self) -> None:
        self.ready = True
        self.failure = ""
        self.too_long = False
        self._rest = b""

    def opening(self) -> bytes:
        """Nothing has to be written first."""
        return b""

    def wrapped(self, frame: bytes) -> bytes:
        """The frame behind its length."""
        return len(frame).to_bytes(_LENGTH, "big") + frame

    def closing(self) -> bytes:
        """Nothing has to be written last."""
        return b""

    def replies(self) -> bytes:
        """A stream asks for no answers of its own."""
        return b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete, up to one that is too long."""
        self._rest += data
        found, start = [], 0
        while len(self._rest) - start >= _LENGTH:
            begin = start + _LENGTH
            size = int.from_bytes(self._rest[start:begin], "big")
            if size > CLIENT_TAKES_BYTES:
                self.failure = "a frame that is too long"
                break
            if len(self._rest) < begin + size:
                break
            found.append(self._rest[begin : begin + size])
            start = begin + size
        self._rest = self._rest[start:]
        return found
