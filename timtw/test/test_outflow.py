"""What waits for a slow client, and for how long."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from timtw.model.limits import OUTBOX_BYTES, STALLED_SECONDS, WRITE_BYTES
from timtw.protocols.outflow import Outflow, Turn
from timtw.test.wirekit import Socket


class Told:
    """A connection that writes down what its outflow tells it."""

    def __init__(self) -> None:
        self.what: list[str] = []

    def line_full(self) -> None:
        """See Line."""
        self.what.append("full")

    def line_free(self) -> None:
        """See Line."""
        self.what.append("free")

    def line_dead(self) -> None:
        """See Line."""
        self.what.append("dead")


class OutflowTests(SynchronousTestCase):
    """Bytes on their way to one client."""

    def setUp(self) -> None:
        """A client whose transport has enough after 64 KiB."""
        self.clock, self.line, self.socket = Clock(), Told(), Socket()
        self.socket.limit = WRITE_BYTES
        self.out = Outflow(self.line, self.socket, Turn(self.clock), self.clock)

    def fill(self) -> None:
        """Make the transport have enough."""
        self.out.write(b"x" * (WRITE_BYTES + 1))
        self.assertEqual(self.line.what, ["full"])

    def test_fault_at_the_end_of_a_turn(self) -> None:
        """A fault of ours at one connection does not keep the others waiting."""
        turn = Turn(self.clock)

        def fail() -> None:
            raise ValueError("a fault")

        said = list[str]()
        turn.at_end(fail)
        turn.at_end(lambda: said.append("written"))
        self.clock.advance(0)
        self.assertEqual(["written"], said)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_once_a_turn(self) -> None:
        """What one turn brings is written at once, in order."""
        for word in (b"a", b"b", b"c"):
            self.out.write(word)
        self.assertEqual(self.socket.writes, 0)
        self.clock.advance(0)
        self.assertEqual((self.socket.value(), self.socket.writes), (b"abc", 1))
        self.out.write(b"d")
        self.clock.advance(0)
        self.assertEqual((self.socket.value(), self.socket.writes), (b"abcd", 2))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_turn_is_shared(self) -> None:
        """Many connections need one timed call; what they cause waits for the next."""
        turn, said = Turn(self.clock), list[str]()
        turn.at_end(lambda: turn.at_end(lambda: said.append("next")))
        turn.at_end(lambda: said.append("this"))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(0)
        self.assertEqual(said, ["this", "next"])

    def test_much_at_once(self) -> None:
        """Much is written before the turn ends, and the core is told that it is."""
        self.out.write(b"x" * (WRITE_BYTES - 1))
        self.assertEqual(self.socket.writes, 0)
        self.out.write(b"yy")
        self.assertEqual(len(self.socket.value()), WRITE_BYTES + 1)
        self.assertEqual(self.line.what, ["full"])

    def test_slow(self) -> None:
        """A slow client gets its bytes piece by piece, in order, none lost."""
        self.fill()
        pieces = [bytes([n]) * 30_000 for n in range(20)]
        for piece in pieces:
            self.out.write(piece)
        self.clock.advance(0)
        self.assertFalse(self.out.empty)
        got = self.socket.drain()
        rounds = 0
        while not self.out.empty or self.socket.value():
            got += self.socket.drain()
            rounds += 1
        self.assertEqual(got[WRITE_BYTES + 1 :], b"".join(pieces))
        self.assertGreater(rounds, 3)
        self.assertEqual(self.line.what, ["full", "free"])

    def test_x9_limit(self) -> None:
        """Two megabytes may wait, and one frame more; then the line is dead."""
        self.fill()
        self.out.write(b"x" * OUTBOX_BYTES)
        self.out.write(b"x")
        self.assertEqual(self.line.what, ["full"])
        self.out.write(b"x")
        self.assertEqual(self.line.what, ["full", "dead"])

    def test_x9_stalled(self) -> None:
        """A client that takes nothing for a minute is given up, not before."""
        self.fill()
        self.clock.advance(STALLED_SECONDS - 1)
        self.assertEqual(self.line.what, ["full"])
        self.clock.advance(1)
        self.assertEqual(self.line.what, ["full", "dead"])

    def test_slow_is_not_stalled(self) -> None:
        """A client that takes a little from time to time is kept."""
        self.fill()
        for _ in range(4):
            self.out.write(b"x" * (WRITE_BYTES + 1))
        for _ in range(4):
            self.clock.advance(STALLED_SECONDS - 1)
            self.socket.drain()
        self.clock.advance(STALLED_SECONDS - 1)
        self.assertEqual(self.line.what, ["full"])
        self.socket.drain()
        self.assertEqual(self.line.what, ["full", "free"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """After the end nothing is written, told or timed."""
        self.fill()
        self.out.write(b"y")
        self.out.stop()
        self.socket.drain()
        self.assertEqual(self.line.what, ["full"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.out.empty)


class RealSocketTests(TestCase):
    """The same on sockets of the system."""

    timeout = 30.0

    async def setUp(self) -> None:  # type: ignore[override]
        """A client that is connected, and the node's side of it."""
        reactor: Any = global_reactor
        made: Deferred[Protocol] = Deferred()

        class Accepted(Protocol):
            def connectionMade(self) -> None:
                made.callback(self)

        port = reactor.listenTCP(
            0, Factory.forProtocol(Accepted), interface="127.0.0.1"
        )
        self.addCleanup(port.stopListening)
        self.client = socket.create_connection(("127.0.0.1", port.getHost().port), 10)
        protocol: Any = await made
        self.clock, self.line = Clock(), Told()
        turn = Turn(self.clock)
        self.transport = protocol.transport
        self.out = Outflow(self.line, protocol.transport, turn, self.clock)
        self.addCleanup(self.out.stop)
        self.addCleanup(protocol.transport.abortConnection)
        self.addCleanup(self.client.close)

    def test_at_once(self) -> None:
        """What the system takes is on its way at the end of the turn, not later."""
        self.out.write(b"hello")
        self.clock.advance(0)
        self.assertEqual(self.client.recv(100), b"hello")

    async def test_in_order(self) -> None:
        """What the system does not take comes behind what it took, whole."""
        reactor: Any = global_reactor
        sent, came = 0, bytearray()

        def write() -> None:
            nonlocal sent
            self.out.write(b"%08d" % sent * 1250)
            sent += 1
            self.clock.advance(0)

        while self.transport not in reactor.getWriters():
            write()
        # The system would take more now, but not in front of what it has not taken.
        while len(came) < 500_000:
            came.extend(self.client.recv(1 << 20))
        while not self.line.what:
            write()
        self.assertEqual(self.line.what, ["full"])
        for _ in range(20):
            write()
        expected = b"".join(b"%08d" % number * 1250 for number in range(sent))

        def read() -> bytes:
            while len(came) < len(expected):
                came.extend(self.client.recv(1 << 20))
            return bytes(came)

        self.assertTrue(await deferToThread(read) == expected)
        self.assertEqual(self.line.what, ["full", "free"])
        self.out.write(b"end")
        self.clock.advance(0)
        self.assertEqual(self.client.recv(100), b"end")
