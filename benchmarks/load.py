"""A load generator that costs less than what it measures.

Raw sockets and one selector; every frame is made once. Of what comes only the type,
the acknowledgement number and the number of the text are looked at, which is enough
to see losses, repeats and a wrong order.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs

from timtw.test.loss.blocking import CHUNK
from timtw.test.loss.frames import FrameReader, frame
from timtw.test.loss.speech import Speech, ThriftSpeech

ECHO: Final = 90
DELIVERY: Final = 0x80 | 90
STALLED: Final = 15.0
"""Seconds without anything after which a run is given up."""


class WrongNumber(Exception):
    """A text came twice, too early, or not at all."""


def json_number(payload: bytes) -> int:
    """The number of a text in a JSON frame."""
    start = payload.index(b'"mid":') + 6
    end = start
    while 48 <= payload[end] <= 57:
        end += 1
    return int(payload[start:end])


def thrift_number(payload: bytes) -> int:
    """The number of a text in a Thrift frame: the field behind the id."""
    start = 10 if payload[0] & 0x80 else 6
    while payload[start] & 0x80:
        start += 1
    start += 2
    shift = total = 0
    while True:
        byte = payload[start]
        total |= (byte & 0x7F) << shift
        if byte < 0x80:
            return total >> 1
        shift += 7
        start += 1


def number_reader(speech: Speech) -> Callable[[bytes], int]:
    """What finds the number of a text in this encoding."""
    return thrift_number if isinstance(speech, ThriftSpeech) else json_number


@attrs.define
class Result:
    """What one run measured; latencies are seconds, unsorted."""

    messages: int = 0
    seconds: float = 0.0
    server_cpu: float = 0.0
    own_cpu: float = 0.0
    latencies: list[float] = attrs.Factory(list)

    def latency(self, part: float) -> float:
        """The latency in milliseconds that this part of the messages stays below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1e3


class Sender:
    """One who keeps so many texts under way and waits for their echoes."""

    def __init__(self, line: socket.socket, data: bytes, speech: Speech) -> None:
        """Send ``data``, a whole frame, again and again."""
        self.line = line
        self._data = data
        self._reader = FrameReader(upgraded=True)
        self._number = (
            thrift_number if isinstance(speech, ThriftSpeech) else json_number
        )
        self._times: deque[float] = deque()
        self.echoes = 0

    @property
    def waiting(self) -> int:
        """How many echoes are still to come."""
        return len(self._times)

    def send(self, count: int) -> None:
        """Send so many texts."""
        self._times.extend([time.perf_counter()] * count)
        self.line.sendall(self._data * count)

    def received(self, data: bytes, latencies: list[float]) -> int:
        """How many echoes are in ``data``; each has to have the next number."""
        now = time.perf_counter()
        count = 0
        for _, payload in self._reader.feed(data):
            if payload[0] != ECHO:
                raise WrongNumber(f"a sender got {payload[:80]!r}")
            self.echoes += 1
            if self._number(payload) != self.echoes:
                raise WrongNumber(f"echo {self.echoes} is {payload[:80]!r}")
            latencies.append(now - self._times.popleft())
            count += 1
        return count


class Recipient:
    """One who acknowledges every text at once."""

    def __init__(self, line: socket.socket, speech: Speech) -> None:
        """Acknowledge in the way of ``speech``."""
        self.line = line
        self._speech = speech
        self._reader = FrameReader(upgraded=True)
        self._number = (
            thrift_number if isinstance(speech, ThriftSpeech) else json_number
        )
        self.texts = 0

    def received(self, data: bytes) -> int:
        """How many texts are in ``data``; each has to have the next number."""
        out = []
        count = 0
        for _, payload in self._reader.feed(data):
            if payload[0] != DELIVERY:
                raise WrongNumber(f"a recipient got {payload[:80]!r}")
            self.texts += 1
            if self._number(payload) != self.texts:
                raise WrongNumber(f"text {self.texts} is {payload[:80]!r}")
            out.append(frame(self._speech.acknowledge(payload[1:5])))
            count += 1
        if out:
            self.line.sendall(b"".join(out))
        return count


@attrs.frozen
class Plan:
    """How much to send: until either bound is reached, after the warm-up."""

    messages: int
    seconds: float
    in_flight: int
    warm_up: int


class Traffic:
    """All pairs of a run in one selector."""

    def __init__(
        self, pairs: list[tuple[Sender, Recipient]], cpu: Callable[[], float]
    ) -> None:
        """``cpu`` tells the processor seconds that the server has used."""
        self._pairs = pairs
        self._cpu = cpu
        self._selector = selectors.DefaultSelector()
        for sender, recipient in pairs:
            self._selector.register(sender.line, selectors.EVENT_READ, sender)
            self._selector.register(recipient.line, selectors.EVENT_READ, recipient)

    def run(self, plan: Plan) -> Result:
        """Warm up, measure, and wait until everything has arrived."""
        result = Result()
        for sender, _ in self._pairs:
            sender.send(plan.in_flight // len(self._pairs))
        self._until(lambda: self._echoes() >= plan.warm_up, [], True)
        begun, echoes = time.perf_counter(), self._echoes()
        cpu, own = self._cpu(), time.process_time()
        end = begun + plan.seconds
        self._until(
            lambda: (
                self._echoes() - echoes >= plan.messages or time.perf_counter() >= end
            ),
            result.latencies,
            True,
        )
        result.seconds = time.perf_counter() - begun
        result.messages = self._echoes() - echoes
        result.server_cpu = self._cpu() - cpu
        result.own_cpu = time.process_time() - own
        self._until(self._complete, [], False)
        self._selector.close()
        return result

    def _until(
        self, done: Callable[[], bool], latencies: list[float], go_on: bool
    ) -> None:
        """Take what comes until ``done``; ``go_on`` to send one for each echo."""
        while not done():
            ready = self._selector.select(STALLED)
            if not ready:
                raise WrongNumber("nothing has come for a long time")
            for key, _ in ready:
                data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                if not data:
                    raise WrongNumber("the server has closed a connection")
                if isinstance(key.data, Sender):
                    count = key.data.received(data, latencies)
                    if go_on and count:
                        key.data.send(count)
                else:
                    key.data.received(data)

    def _echoes(self) -> int:
        """All echoes until now."""
        return sum(sender.echoes for sender, _ in self._pairs)

    def _complete(self) -> bool:
        """Whether every text was echoed and delivered."""
        return all(
            not sender.waiting and recipient.texts == sender.echoes
            for sender, recipient in self._pairs
        )
