"""What remains of a connection that has ended, and of a node that stops."""

from __future__ import annotations

import gc
import weakref

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import LogIn, Ping
from timtw.model.events import LoggedIn, LoggedOut
from timtw.model.values import Device
from timtw.test.stage import OPEN, SlowPasswords, Stage


def log_in(name: str = "ada", password: str = "ada") -> LogIn:
    """A login by password."""
    return LogIn(name, password, "", "", Device("phone"))


class EndTests(SynchronousTestCase):
    """What remains of a connection: nothing."""

    def test_all_kinds_of_connections(self) -> None:
        """When all clients have vanished no timer is left, whatever they did."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        for name in ("ada", "bob"):
            stage.register(name)
        clients = [stage.connect() for _ in range(6)]
        for client in clients[1:]:
            client.asks(log_in())
        stage.settle()
        for _ in clients[2:]:
            passwords.decide()
        stage.settle()
        ada = clients[2].told(LoggedIn)[0].address
        bob = stage.connect()
        bob.asks(log_in("bob", "bob"))
        stage.settle()
        passwords.checks[-1][2].callback(True)
        stage.settle()
        clients[3].acknowledges = False
        bob.writes(ada, "hi")
        stage.settle(limits.ACK_SECONDS * limits.TRANSMISSIONS)
        clients[4].acknowledges = False
        bob.writes(ada, "still there?")
        stage.settle()
        clients.append(bob)
        for client in clients:
            client.vanishes()
        passwords.decide()
        stage.settle(2)
        self.assertEqual([], stage.clock.getDelayedCalls())

    def test_line_lost_during_login(self) -> None:
        """A client that vanishes while it logs in displaces and leaves nobody."""
        passwords = SlowPasswords()
        settings = attrs.evolve(OPEN, device_limit=1, displace_after=0.0)
        stage = Stage(settings=settings, passwords=passwords)
        ada = stage.register("ada")
        first, before, behind = stage.connect(), stage.connect(), stage.connect()
        for client in (first, before, behind):
            client.asks(log_in())
            stage.settle()
        passwords.decide()
        stage.settle()
        before.vanishes()
        passwords.decide()
        stage.settle()
        passwords.decide()
        behind.vanishes()
        stage.settle()
        self.assertEqual(([], []), (before.events, behind.events))
        self.assertFalse(first.closed)
        present = stage.cores["north"]._door.sessions.of(ada.number)
        self.assertEqual([first.session], list(present))

    def test_memory_is_given_back(self) -> None:
        """An ended session is freed at once; it leaves no cycles to collect."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        gc.collect()
        gc.disable()
        try:
            ada = stage.log_in("ada")
            ada.writes(bob, "hi")
            stage.settle(1)
            session = weakref.ref(ada.session)
            ada.vanishes()
            stage.settle(1)
            del ada.session
            self.assertIsNone(session())
        finally:
            gc.enable()

    def test_node_stops(self) -> None:
        """A stopping node ends every line, without the notice that keeps away."""
        stage = Stage()
        stage.register("ada")
        clients = [stage.connect(), stage.log_in("ada")]
        stage.ready(stage.cores["north"].stop())
        self.assertEqual([True, True], [client.closed for client in clients])
        self.assertEqual([], clients[1].told(LoggedOut))

    def test_sends_of_the_last_moment(self) -> None:
        """What was sent before the node began to stop is stored and echoed."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        stage.log_in("bob").vanishes()
        ada.writes(bob, "first")  # what both are to each other is looked up
        stage.settle()
        ada.writes(bob, "hi")
        stage.ready(stage.cores["north"].stop())
        self.assertEqual((["first", "hi"], True), (ada.echoes, ada.closed))

    def test_stop_without_storage(self) -> None:
        """Where storage does not answer, lines end when the wait is given up."""
        stage = Stage()
        stage.register("ada")
        ada = stage.log_in("ada")
        self.patch(stage.cores["north"]._desk, "flush", Deferred)
        stopping = stage.cores["north"].stop()
        self.assertFalse(ada.closed)
        stopping.cancel()
        self.failureResultOf(stopping, CancelledError)
        self.assertTrue(ada.closed)

    def test_nothing_after_the_end(self) -> None:
        """A client that was hung up on cannot do anything any more."""
        stage = Stage()
        bob_address = stage.register("bob")
        stage.register("ada")
        ada, bob = stage.log_in("ada"), stage.log_in("bob")
        ada.session.hang_up()  # type: ignore[attr-defined]
        ada.events.clear()
        ada.writes(bob_address, "hi")
        ada.asks(Ping())
        ada.asks(log_in())
        ada.session.writable(True)
        ada.session.refused(True)
        stage.settle()
        self.assertEqual(([], []), (ada.events, bob.texts))
