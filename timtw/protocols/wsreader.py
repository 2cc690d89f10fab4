"""Reading WebSocket messages: autobahn does what is rare, this module what is frequent.

docs/reference/protocol.md, section 1.3. Small whole frames, which is what clients
send nearly always, are taken from the buffer here. Everything else -- the handshake,
long or fragmented messages, control frames, violations -- is autobahn's.
"""

from __future__ import annotations

from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerProtocol

from timtw.model.limits import FRAGMENTS
from timtw.protocols.frames import ANSWER_HEAD, MASKED_ANSWER

_WHOLE: Final = frozenset({0x81, 0x82})
"""First byte of an unfragmented text or binary frame without extensions."""
_MASKED: Final = 0x80
_SHORT: Final = 126
"""A length from here on is told in two or eight bytes of its own."""
_XOR_BYTES: Final = 1400
"""Up to here one exclusive-or of two big integers is faster than autobahn's masker."""


class Silence:
    """Takes autobahn's log lines, which hold addresses and what clients send."""

    def debug(self, *args: object, **values: object) -> None:
        """Drop a line."""

    info = warn = error = critical = failure = trace = debug


def unmask(key: bytes, data: bytes) -> bytes:
    """``data`` exclusive-or ``key``, four bytes, again and again."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")
    return plain.to_bytes(size, "big")


class MessageReader(WebSocketServerProtocol):
    """Turns the bytes of a client into whole messages; text counts as binary.

    ``stopped`` is whether nothing may be read for now: what has arrived then stays
    in the buffer until ``consumeData`` is called without it.
    """

    log = Silence()
    stopped = False
    data: bytes
    message_data: Any
    _consuming = False
    _fragments = 0

    def message(self, message: bytes) -> None:
        """One message of the client; may be empty."""
        raise NotImplementedError

    def take_answers(self, data: bytes) -> int:
        """Take acknowledgements at the beginning of the buffer; how many bytes."""
        raise NotImplementedError

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the client."""
        self.data = self.data + data if self.data else data
        self.consumeData()

    def consumeData(self) -> None:
        """Take from the buffer whatever is complete, unless reading is stopped."""
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        if self._consuming:
            return
        self._consuming = True
        try:
            self._consume()
        finally:
            self._consuming = False

    def _consume(self) -> None:
        """Small frames in a row, then one step of autobahn's, and again."""
        while self.state != self.STATE_CLOSED:
            if self.state == self.STATE_OPEN:
                if not self.stopped and not self._inside():
                    self._take_small()
                if self.stopped:
                    return
            if not self.processData():
                return

    def _inside(self) -> bool:
        """Whether autobahn is in the middle of a frame or a message."""
        return self.current_frame is not None or bool(self.inside_message)

    def _take_small(self) -> None:
        """Take whole small frames; stop at the first that is anything else."""
        data = self.data
        size, start = len(data), 0
        limit = min(self.maxMessagePayloadSize, _XOR_BYTES)
        if size >= 2 * MASKED_ANSWER and data.startswith(ANSWER_HEAD):
            start = self.take_answers(data)
        while size - start >= 6 and data[start] in _WHOLE:
            length, body = data[start + 1] - _MASKED, start + 6
            if length == _SHORT:
                length = int.from_bytes(data[start + 2 : start + 4], "big")
                body += 2
                if length < _SHORT:
                    break
            elif not 0 <= length < _SHORT:
                break
            if length > limit or body + length > size:
                break
            start = body + length
            self.message(unmask(data[body - 4 : body], data[body:start]))
            if self.stopped or self.state != self.STATE_OPEN:
                break
        if start:
            self.data = data[start:]

    def onMessageFrameBegin(self, length: int) -> None:
        """A piece of a message begins; their number is limited as well."""
        self._fragments += 1
        if self._fragments > FRAGMENTS and not self.failedByMe:
            self._fail_connection(self.CLOSE_STATUS_CODE_MESSAGE_TOO_BIG, "")
        super().onMessageFrameBegin(length)

    def onMessageEnd(self) -> None:
        """A message that autobahn has read is complete."""
        self._fragments = 0
        pieces, self.message_data = self.message_data, None
        if self.state == self.STATE_OPEN and not self.failedByMe:
            self.message(b"".join(pieces))
