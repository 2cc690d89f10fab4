"""The control socket: requests about accounts, as an operator's program sends them."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from timtw.model import limits
from timtw.model.commands import OpenLive, Push, Subscribe
from timtw.model.events import LiveDone
from timtw.model.idents import node_of
from timtw.model.interfaces import IOffice
from timtw.model.limits import (
    CONTROL_ACCOUNTS,
    CONTROL_CONNECTIONS,
    CONTROL_LINE,
    SOCKET_PATH_BYTES,
)
from timtw.model.live import Flow
from timtw.office.control import (
    SOCKET_NAME,
    ControlError,
    ControlFactory,
    ControlSocket,
)
from timtw.test.stage import Stage


def _of_room(told: Any) -> tuple[object, ...]:
    """What an operator is told of a room, as far as it is looked at here."""
    return told["node"], told["flow"], told["subscribers"], told["sent"]


class Line(StringTransport):
    """A connection that can be cut."""

    def abortConnection(self) -> None:
        """Cut it."""
        self.disconnecting = True


class RequestTests(SynchronousTestCase):
    """Lines in, lines out."""

    def setUp(self) -> None:
        """A node whose office is served."""
        self.stage = Stage()
        self.factory = ControlFactory(self.stage.cores["north"].office)

    def connect(self) -> Any:
        """A connection."""
        protocol = self.factory.buildProtocol(None)
        protocol.makeConnection(Line())
        return protocol

    def send(self, protocol: Any, *requests: bytes) -> list[Any]:
        """Send lines at once; the answers."""
        protocol.dataReceived(b"".join(one + b"\n" for one in requests))
        self.stage.settle(1)
        answers = protocol.transport.value()
        protocol.transport.clear()
        return [json.loads(line) for line in answers.splitlines()]

    def ask(self, **request: object) -> Any:
        """The answer to one request on a connection of its own."""
        (answer,) = self.send(self.connect(), json.dumps(request).encode())
        return answer

    def test_streams(self) -> None:
        """Rooms are listed with what passed through them, the busiest first."""
        empty = self.ask(do="live")
        self.assertEqual((True, 0, []), (empty["ok"], empty["pushed"], empty["rooms"]))
        self.stage.register("ada")
        ada = self.stage.log_in("ada")
        for flow in Flow:
            ada.asks(OpenLive(flow))
        quiet, busy = (node_of(done.room) for done in ada.told(LiveDone))
        ada.asks(Subscribe(busy, True))
        for _ in range(3):
            ada.asks(Push(busy, b"x"))
        self.stage.settle()
        told = self.ask(do="live")
        self.assertEqual((3, 3, 0), (told["pushed"], told["sent"], told["dropped"]))
        one, other = told["rooms"]
        self.assertEqual((busy, "file", 1, 3), _of_room(one))
        self.assertEqual((quiet, "live", 0, 0), _of_room(other))
        self.patch(limits, "LIVE_LISTED", 1)
        self.assertEqual(1, len(self.ask(do="live")["rooms"]))

    def test_life_of_an_account(self) -> None:
        """An account is made, logs in, is kicked, blocked, listed and let in again."""
        made = self.ask(do="add", name="ada", password="ada", domain="")
        self.assertIs(made["ok"], True)
        phone = self.stage.log_in("ada")
        self.assertEqual({"ok": True}, self.ask(do="kick", name="ada"))
        self.assertTrue(phone.closed)
        self.assertEqual({"ok": True}, self.ask(do="block", name="ada", seconds=0))
        (line,) = self.ask(do="list")["accounts"]
        self.assertEqual(("ada", -1), (line["name"], line["blocked_until"]))
        self.assertEqual(made["node"], line["node"])
        self.assertEqual({"ok": True}, self.ask(do="unblock", name="ada"))
        self.stage.log_in("ada")
        changed = self.ask(do="passwd", name="ada", password="new")
        self.assertEqual({"ok": True}, changed)
        self.assertEqual(0, self.ask(do="list")["accounts"][0]["blocked_until"])

    def test_refusals(self) -> None:
        """What cannot be done is refused with a sentence, and the line goes on."""
        protocol = self.connect()
        answers = self.send(
            protocol,
            b'{"do":"kick","name":"nobody"}',
            b'{"do":"add","name":"","password":"x"}',
            b'{"do":"add","name":"ada","password":""}',
            b'{"do":"block","name":"ada","seconds":"1"}',
            b'{"do":"dance"}',
            b'{"do":7}',
            b"[]",
            b"nonsense",
            b"\xff",
            b"[" * 50_000,
        )
        self.assertEqual([False] * 10, [one["ok"] for one in answers])
        self.assertTrue(all(one["error"] for one in answers))
        self.assertFalse(protocol.transport.disconnecting)
        self.assertEqual([], self.ask(do="list")["accounts"])

    def test_in_order(self) -> None:
        """Requests that come together are carried out one after the other."""
        answers = self.send(
            self.connect(),
            b'{"do":"add","name":"ada","password":"x"}',
            b'{"do":"add","name":"ada","password":"x"}',
            b'{"do":"block","name":"ada"}',
            b'{"do":"list"}',
        )
        self.assertEqual([True, False, True, True], [one["ok"] for one in answers])
        self.assertEqual(-1, answers[-1]["accounts"][0]["blocked_until"])

    def test_line_limit(self) -> None:
        """The longest line is read; a longer one ends the connection."""
        request = b'{"do":"list"}'
        (answer,) = self.send(self.connect(), request.ljust(CONTROL_LINE))
        self.assertIs(answer["ok"], True)
        protocol = self.connect()
        self.assertEqual([], self.send(protocol, request.ljust(CONTROL_LINE + 1)))
        self.assertTrue(protocol.transport.disconnecting)

    def test_connection_limit(self) -> None:
        """So many connections are served, and one more is closed."""
        lines = [self.connect() for _ in range(CONTROL_CONNECTIONS + 1)]
        ends = [one.transport.disconnecting for one in lines]
        self.assertEqual([False] * CONTROL_CONNECTIONS + [True], ends)
        for one in lines:
            one.connectionLost()
        self.assertIs(self.ask(do="list")["ok"], True)

    def test_pages(self) -> None:
        """A list of more accounts than fit into one answer comes in two."""
        office = self.stage.cores["north"].office
        names = {f"person {number}" for number in range(CONTROL_ACCOUNTS + 1)}
        for name in sorted(names):
            _ = office.add(name, "x", "")
        self.stage.settle(1)
        first = self.ask(do="list")
        self.assertEqual(CONTROL_ACCOUNTS, len(first["accounts"]))
        second = self.ask(do="list", after=first["next"])
        self.assertNotIn("next", second)
        both = first["accounts"] + second["accounts"]
        self.assertEqual(names, {one["name"] for one in both})

    def test_gone(self) -> None:
        """A client that goes before its answer leaves nothing, and it is done."""
        protocol = self.connect()
        protocol.dataReceived(b'{"do":"add","name":"ada","password":"x"}\n')
        protocol.connectionLost()
        self.stage.settle()
        self.assertEqual(b"", protocol.transport.value())
        self.assertEqual(1, len(self.ask(do="list")["accounts"]))


@implementer(IOffice)
class BrokenOffice:
    """An office with a bug."""

    def __getattr__(self, name: str) -> Any:
        """Every operation fails."""

        def broken(*arguments: object) -> Deferred[None]:
            raise ZeroDivisionError

        return broken


class FaultTests(SynchronousTestCase):
    """A bug behind the socket."""

    def test_bug(self) -> None:
        """It is told with a reference that the log repeats; the line goes on."""
        protocol: Any = ControlFactory(BrokenOffice()).buildProtocol(None)
        protocol.makeConnection(Line())
        protocol.dataReceived(b'{"do":"kick","name":"ada"}\n{"do":"dance"}\n')
        answers = [json.loads(one) for one in protocol.transport.value().splitlines()]
        self.assertEqual([False, False], [one["ok"] for one in answers])
        self.assertIn("internal error", answers[0]["error"])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class SocketTests(TestCase):
    """The file in ``state_dir``."""

    def setUp(self) -> None:
        """A short path: those of sockets are limited."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)
        self.path = self.place / SOCKET_NAME

    def control(self, place: Path | None = None) -> ControlSocket:
        """A socket that does not listen yet, and is stopped after the test."""
        from twisted.internet import reactor

        office = Stage().cores["north"].office
        control = ControlSocket(office, place or self.place, reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(control.stop()))
        return control

    async def test_private_and_removed(self) -> None:
        """Only its owner may use it, and it goes with the node."""
        control = self.control()
        control.start()
        mode = self.path.lstat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(0o600, stat.S_IMODE(mode))
        await control.stop()
        self.assertFalse(self.path.exists())

    async def test_stale(self) -> None:
        """What a killed node left behind is replaced."""
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.path))
        self.control().start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.path))

    async def test_served(self) -> None:
        """The socket of a living node is left alone."""
        self.control().start()
        with self.assertRaises(ControlError) as caught:
            self.control().start()
        self.assertIn("another node", str(caught.exception))
        self.assertTrue(self.path.exists())

    async def test_in_the_way(self) -> None:
        """A file of that name that is no socket is not touched."""
        self.path.write_text("mine")
        with self.assertRaises(ControlError) as caught:
            self.control().start()
        self.assertIn("not a socket", str(caught.exception))
        self.assertEqual("mine", self.path.read_text())

    async def test_new_folder(self) -> None:
        """A folder that is missing is made, for its owner alone."""
        place = self.place / "state"
        self.control(place).start()
        self.assertEqual(0o700, stat.S_IMODE(place.stat().st_mode))

    async def test_long_path(self) -> None:
        """A path of the longest length is served; with a longer one there is none."""
        room = SOCKET_PATH_BYTES - len(os.fsencode(self.place)) - len(SOCKET_NAME) - 2
        for letters, served in ((room, True), (room + 1, False)):
            place = self.place / ("x" * letters)
            self.control(place).start()
            self.assertEqual(served, (place / SOCKET_NAME).exists())
