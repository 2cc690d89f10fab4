"""One logged-in client of the load generator.

It sends frames that are made once, and acknowledges in one piece all that came in one.
Each text has to have the next number of its conversation, as an echo and as a delivery.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from benchmarks.people import Person
from benchmarks.scanning import (
    DELIVERY,
    ECHO,
    END,
    PAGE,
    PONG,
    Found,
    cut,
    json_number,
    json_texts,
    thrift_number,
    thrift_texts,
)
from timtw.loss.blocking import CHUNK
from timtw.loss.frames import frame
from timtw.loss.speech import JsonSpeech, Speech, ThriftSpeech

ACKNOWLEDGEMENT: Final = frame(b"\x8c\0\0\0\0")[:-4]
"""A whole acknowledgement but for the four bytes that are sent back."""
TEXT: Final = "a text of one hundred bytes ".ljust(100, ".")
JSON: Final = JsonSpeech()
THRIFT: Final = ThriftSpeech()
_ANSWERED: Final = frozenset((DELIVERY, PAGE))
_LONE: Final = frozenset((END, PONG))


class Broken(Exception):
    """A promise was not kept: a text came twice, too early, not at all, or refused."""


class Talker:
    """One client: whom it writes to, and what it has seen of each conversation."""

    def __init__(self, line: socket.socket, person: Person, speech: Speech) -> None:
        """
        A client that so far only listens.

        Args:
            line: A connection that is logged in, with nothing on its way.
        """
        self.line = line
        self.node = person.node.encode()
        self.peers: list[bytes] = []
        self.echoes = self.received = self.ends = 0
        self.echoed: dict[bytes, int] = {}
        self.got: dict[bytes, int] = {}
        self._speech = speech
        is_thrift = isinstance(speech, ThriftSpeech)
        self._texts = thrift_texts if is_thrift else json_texts
        self._number = thrift_number if is_thrift else json_number
        self._frames: list[bytes] = []
        self._next = 0
        self._times: deque[float] = deque()
        self._rest = b""
        self._secure = isinstance(line, ssl.SSLSocket)

    @property
    def waiting(self) -> int:
        """How many echoes are still to come."""
        return len(self._times)

    def write_to(self, people: Sequence[Person]) -> None:
        """From now on write to these, to one after the other."""
        self.peers = [person.node.encode() for person in people]
        self._frames = [frame(self._speech.text(one.node, TEXT)) for one in people]

    def say(self, payload: bytes) -> None:
        """Send one frame."""
        self._send(frame(payload))

    def send(self, count: int, at: float) -> None:
        """Send so many texts, which count from the moment ``at`` on."""
        self._times.extend([at] * count)
        frames, place = self._frames, self._next
        if len(frames) == 1:
            self._send(frames[0] * count)
            return
        size = len(frames)
        self._send(b"".join([frames[(place + n) % size] for n in range(count)]))
        self._next = (place + count) % size

    def ready(self, latencies: list[float]) -> int:
        """
        Take what has come, and acknowledge it.

        Args:
            latencies: Gets the seconds that each echo took.

        Returns: How many echoes there were.
        """
        data = self._rest + self._receive()
        heads: list[bytes] = []
        end = cut(data, heads)
        whole, self._rest = data[:end], data[end:]
        found = self._texts(whole)
        kinds = bytes([head[0] for head in heads])
        echoes = kinds.count(ECHO)
        if echoes == len(kinds):
            self._check(kinds, found, whole)
            self._echoes(found)
        else:
            self._mixed(heads, kinds, found, whole)
        now = time.perf_counter()
        for _ in range(echoes):
            latencies.append(now - self._times.popleft())
        self.echoes += echoes
        return echoes

    def _mixed(
        self, heads: list[bytes], kinds: bytes, found: list[Found], whole: bytes
    ) -> None:
        """Take what is not echoes alone."""
        self._check(kinds, found, whole)
        receipts = [head[1:] for head in heads if head[0] in _ANSWERED]
        self.ends += kinds.count(END)
        if ECHO in kinds:
            texts = [kind for kind in kinds if kind not in _LONE]
            pairs = list(zip(texts, found, strict=True))
            self._echoes([text for kind, text in pairs if kind == ECHO])
            found = [text for kind, text in pairs if kind == DELIVERY]
        self._deliveries(found)
        if receipts:
            self._send(ACKNOWLEDGEMENT + ACKNOWLEDGEMENT.join(receipts))

    def _check(self, kinds: bytes, found: list[Found], whole: bytes) -> None:
        """Broken if there is anything but texts, pages, and ends of the backlog."""
        texts = kinds.count(ECHO) + kinds.count(DELIVERY)
        pages = kinds.count(PAGE)
        others = len(kinds) - texts - pages - kinds.count(END) - kinds.count(PONG)
        if others or (len(found) != texts and not pages):
            raise Broken(f"there is more than texts in {whole[:300]!r}")

    def _echoes(self, found: list[Found]) -> None:
        """Echoes of what was sent."""
        book, number = self.echoed, self._number
        for octets, _, peer in found:
            mid = number(octets)
            if book.get(peer, mid - 1) != mid - 1:
                raise Broken(f"an echo has {mid} behind {book[peer]}")
            book[peer] = mid

    def _deliveries(self, found: list[Found]) -> None:
        """Texts of others."""
        book, number = self.got, self._number
        for octets, author, _ in found:
            mid = number(octets)
            if book.get(author, mid - 1) != mid - 1:
                raise Broken(f"a text has {mid} behind {book[author]}")
            book[author] = mid
        self.received += len(found)

    def _receive(self) -> bytes:
        """What has come; of TLS there may be half a record, which is nothing yet."""
        line = self.line
        data = self._receive_secure() if self._secure else line.recv(CHUNK)
        if data is None:
            return b""
        if not data:
            raise Broken("the node has hung up")
        return data

    def _receive_secure(self) -> bytes | None:
        """All the records that are there, nothing at the end, or None for none yet."""
        pieces = []
        self.line.setblocking(False)
        try:
            while piece := self.line.recv(CHUNK):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            if not pieces:
                return None
        finally:
            self.line.setblocking(True)
        return b"".join(pieces)

    def _send(self, data: bytes) -> None:
        """Send all of it."""
        self.line.sendall(data)
