"""A node of a few lines to test clients with: one account's log, one device."""

from __future__ import annotations

from timtw.protocols.codecs import JSON, THRIFT
from timtw.protocols.frames import (
    FrameType,
    acked_frame,
    server_frame,
    split_frame,
)
from timtw.protocols.structs import (
    Tid,
    TimAck,
    TimAuth,
    TimMessage,
    TimMessageList,
    TimReq,
)

ADA = "ada"
BOB = "bob"
PAGE = 3
"""Entries of a page."""


class ModelNode:
    """What a node owes Ada's device; the test moves the bytes.

    Attributes:
        log: Everything she sent and received; entry n has the number n + 1.
        confirmed: Numbers that her device has acknowledged.
        out: Frames for her that the test has not delivered yet.
    """

    def __init__(self, encoding: str) -> None:
        """A node that speaks ``json`` or ``thrift``."""
        self._codec = JSON if encoding == "json" else THRIFT
        self.log: list[TimMessage] = []
        self.confirmed: set[int] = set()
        self.out: list[bytes] = []
        self._stored: dict[int, TimMessage] = {}
        self._live = self._online = False
        self._sent = self._target = 0
        self._receipts: dict[int, list[int]] = {}
        self._receipt = 0

    def cut(self) -> None:
        """The line is lost with all that is on its way."""
        self.out.clear()
        self._receipts.clear()
        self._live = self._online = False
        self._sent = self._target = 0

    def bob_writes(self, words: str) -> None:
        """A text for Ada is stored."""
        self._store(BOB, ADA, words, 0)
        self._go()

    def hear(self, frame: bytes) -> None:
        """A frame of Ada's."""
        parts = split_frame(frame)
        assert parts is not None
        kind, _, payload = parts
        if kind == FrameType.TIMAUTH:
            login = self._codec.decode(TimAuth, payload)
            assert login.extend == {"timtw": "1"}
            self._online = True
            ack = TimAck(ok=True, timType=16, n=ADA, t2=len(self.log))
            self.out.append(server_frame(12, self._codec.encode(ack)))
        elif kind == FrameType.TIMOFFLINEMSG:
            self._asked(payload)
        elif kind == FrameType.TIMMESSAGE:
            self._written(self._codec.decode(TimMessage, payload))
        elif kind == FrameType.TIMACK:
            receipt = int.from_bytes(payload, "big")
            self.confirmed.update(self._receipts.pop(receipt, ()))
            self._go()

    def repeat(self) -> None:
        """Send a frame that is not confirmed once more."""
        for receipt, numbers in list(self._receipts.items())[:1]:
            self._send_numbers(receipt, numbers)

    def _asked(self, payload: bytes) -> None:
        """Type 17."""
        body = self._codec.decode(TimReq, payload) if payload else None
        unconfirmed = set(range(1, len(self.log) + 1)) - self.confirmed
        start = min(unconfirmed, default=len(self.log) + 1) - 1
        if body is not None and body.reqInt is not None:
            start = body.reqInt
            self.confirmed.update(range(1, start + 1))
        self._sent, self._target = start, len(self.log)
        self._receipts.clear()
        self._page()

    def _page(self) -> None:
        """The next page, or the end of them."""
        numbers = list(range(self._sent + 1, self._target + 1))[:PAGE]
        if numbers:
            self._send(numbers)
        else:
            self.out.append(server_frame(18))
            self._live = True
            self._go()

    def _go(self) -> None:
        """Send what may be sent."""
        if not self._online:
            return
        if not self._live:
            if self._receipt and not self._receipts and self._target:
                self._page()
            return
        while self._sent < len(self.log):
            number = self._sent + 1
            entry = self.log[self._sent]
            if entry.fromTid is not None and entry.fromTid.node == ADA:
                self._sent = number
                self.confirmed.add(number)
                self.out.append(server_frame(90, self._codec.encode(entry)))
            else:
                self._send([number])

    def _send(self, numbers: list[int]) -> None:
        """Entries that want an acknowledgement."""
        self._sent = numbers[-1]
        self._receipt += 1
        self._receipts[self._receipt] = numbers
        self._send_numbers(self._receipt, numbers)

    def _send_numbers(self, receipt: int, numbers: list[int]) -> None:
        """As a page, or one by itself."""
        entries = [self.log[number - 1] for number in numbers]
        if self._live:
            payload = self._codec.encode(entries[0])
            self.out.append(acked_frame(90, receipt, payload))
        else:
            page = TimMessageList(id=receipt, messageList=entries)
            self.out.append(acked_frame(17, receipt, self._codec.encode(page)))

    def _written(self, body: TimMessage) -> None:
        """A text of Ada's: stored once."""
        assert body.id is not None and body.toTid is not None
        known = self._stored.get(body.id)
        if known is not None:
            answer = self._codec.decode(TimMessage, self._codec.encode(known))
            answer.seq = None
            self.out.append(server_frame(90, self._codec.encode(answer)))
            return
        words = body.dataString or ""
        self._stored[body.id] = self._store(ADA, body.toTid.node, words, body.id)
        self._go()

    def _store(self, sender: str, peer: str, words: str, ident: int) -> TimMessage:
        """Append to the log."""
        number = len(self.log) + 1
        entry = TimMessage(
            msType=2,
            odType=1,
            id=ident or 1 << 52 | number,
            mid=number,
            fromTid=Tid(node=sender),
            toTid=Tid(node=peer),
            dataString=words,
            timestamp=number,
            seq=number,
        )
        self.log.append(entry)
        return entry
