"""The client's half of a WebSocket, RFC 6455: bytes in, bytes and frames out.

docs/reference/protocol.md, sections 1.2 and 1.3. Nodes send whole binary messages;
fragments are put together all the same, as a proxy may cut what passes through it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final

from timtw.client.values import ClientError
from timtw.model.limits import CLIENT_HEAD_BYTES, CLIENT_TAKES_BYTES

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION: Final = 0
_TEXT: Final = 1
_BINARY: Final = 2
_CLOSE: Final = 8
_PING: Final = 9
_CONTROL_BYTES: Final = 125
NORMAL: Final = (1000).to_bytes(2, "big")
"""The close code of a client that simply leaves."""
_TOO_LONG: Final = 1009
"""The close code of whoever is sent more than it takes."""


class BadLine(ClientError):
    """What came is not what a node sends; the line cannot be used any further."""


class WebSocketFraming:
    """One WebSocket from its handshake on.

    Attributes:
        ready: Whether frames may be written.
        failure: Why the line cannot be used any further; empty while it can.
        too_long: Whether that is because the node found a message of ours too long.
    """

    def __init__(self, host: str, entropy: Callable[[int], bytes]) -> None:
        """
        A socket that has not begun.

        Args:
            host: Name and port for the header ``Host``.
            entropy: So many random bytes, for keys and masks.
        """
        self.ready = False
        self.failure = ""
        self.too_long = False
        self._host = host
        self._entropy = entropy
        self._key = base64.b64encode(entropy(16))
        self._rest = b""
        self._message = bytearray()
        self._inside = False
        self._replies: list[bytes] = []

    def opening(self) -> bytes:
        """What to write first."""
        return (
            f"GET /tim HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {self._key.decode('ascii')}\r\n\r\n"
        ).encode("ascii")

    def wrapped(self, frame: bytes) -> bytes:
        """A frame of the protocol as one masked binary message."""
        return self._masked(_BINARY, frame)

    def closing(self) -> bytes:
        """What to write last."""
        return self._masked(_CLOSE, NORMAL) if self.ready else b""

    def replies(self) -> bytes:
        """What the last bytes ask us to write: answers to pings and closes."""
        taken, self._replies = b"".join(self._replies), []
        return taken

    def feed(self, data: bytes) -> list[bytes]:
        """
        The protocol's frames that these bytes complete.

        When the handshake was refused, or the node closes or breaks the rules,
        ``failure`` says so, and the frames before that are returned all the same.
        """
        found: list[bytes] = []
        if self.failure:
            return found
        self._rest += data
        try:
            if self.ready or self._handshake():
                while self._frame(found):
                    pass
        except BadLine as error:
            self.failure = str(error)
        return found

    def _masked(self, opcode: int, payload: bytes) -> bytes:
        """One whole frame of a client."""
        size, mask = len(payload), self._entropy(4)
        if size < 126:
            head = bytes((0x80 | opcode, 0x80 | size))
        elif size < 1 << 16:
            head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
        key = (mask * (size // 4 + 1))[:size]
        hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
        return head + mask + hidden.to_bytes(size, "big")

    def _handshake(self) -> bool:
        """Read the answer to the upgrade, if it is there whole."""
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            if len(self._rest) > CLIENT_HEAD_BYTES:
                raise BadLine("the answer to the handshake does not end")
            return False
        status, *lines = head.split(b"\r\n")
        if status.split(b" ")[1:2] != [b"101"]:
            raise BadLine(f"no WebSocket there: {status[:80].decode('latin-1')}")
        pairs = (line.partition(b":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        digest = hashlib.sha1(self._key + _MAGIC, usedforsecurity=False).digest()
        if headers.get(b"sec-websocket-accept") != base64.b64encode(digest):
            raise BadLine("the answer to the handshake is not to ours")
        self._rest = rest
        self.ready = True
        return True

    def _frame(self, found: list[bytes]) -> bool:
        """Take one WebSocket frame from the buffer; whether there was one."""
        data = self._rest
        if len(data) < 2:
            return False
        size, start = data[1] & 0x7F, 2
        if size > 125:
            start += 2 if size == 126 else 8
            if len(data) < start:
                return False
            size = int.from_bytes(data[2:start], "big")
        if data[0] & 0x70 or data[1] & 0x80:
            raise BadLine("a frame with a reserved bit or a mask")
        if size + len(self._message) > CLIENT_TAKES_BYTES:
            raise BadLine("a frame that is too long")
        if len(data) < start + size:
            return False
        self._rest = data[start + size :]
        self._take(data[0] & 0x0F, bool(data[0] & 0x80), data[start : start + size])
        if data[0] & 0x88 == 0x80:
            found.append(bytes(self._message))
            self._message.clear()
        return True

    def _take(self, opcode: int, final: bool, payload: bytes) -> None:
        """One frame: a piece of a message, or something about the line."""
        if opcode >= _CLOSE:
            self._control(opcode, final, payload)
            return
        if opcode not in (_CONTINUATION, _TEXT, _BINARY):
            raise BadLine(f"a frame with the opcode {opcode}")
        if (opcode == _CONTINUATION) != self._inside:
            raise BadLine("a fragment without a beginning or an end")
        self._inside = not final
        self._message += payload

    def _control(self, opcode: int, final: bool, payload: bytes) -> None:
        """A close, a ping or a pong."""
        if not final or len(payload) > _CONTROL_BYTES:
            raise BadLine("a damaged control frame")
        if opcode == _CLOSE:
            code = int.from_bytes(payload[:2], "big") or 1005
            self._replies.append(self._masked(_CLOSE, payload[:2]))
            self.too_long = code == _TOO_LONG
            raise BadLine(f"the node has closed the connection ({code})")
        if opcode == _PING:
            self._replies.append(self._masked(opcode + 1, payload))
