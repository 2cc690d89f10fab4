"""``timtw live`` as an operator runs it."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from timtw import cli
from timtw.model.commands import OpenLive, Push, Subscribe
from timtw.model.events import LiveDone
from timtw.model.idents import node_of
from timtw.office.control import ControlSocket
from timtw.test.stage import Stage


class LiveTests(TestCase):
    """The command, beside a node and without one."""

    def setUp(self) -> None:
        """A folder with a configuration."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "node.ini").write_text("[node]\nstate_dir = state\n")

    async def live(self) -> tuple[int, str, str]:
        """Run the command: its status, what it wrote, and its complaint."""
        said, complaint = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", said)
        self.patch(sys, "stderr", complaint)
        words = ["live", f"--config={self.folder / 'node.ini'}"]
        status = await deferToThread(cli.main, words)
        return status, said.getvalue(), complaint.getvalue()

    async def test_rooms(self) -> None:
        """A line of totals, and one for each room."""
        from twisted.internet import reactor

        running: Any = reactor
        stage = Stage()
        ada_is = stage.register("ada")
        control = ControlSocket(
            stage.cores["north"].office, self.folder / "state", running
        )
        control.start()
        self.addCleanup(lambda: stage.ready(stage.cores["north"].stop()))
        ada = stage.log_in("ada")
        ada.asks(OpenLive())
        (done,) = ada.told(LiveDone)
        room = node_of(done.room)
        ada.asks(Subscribe(room, False))
        ada.asks(Push(room, b"x"))
        stage.settle()
        try:
            status, said, complaint = await self.live()
        finally:
            await control.stop()
        self.assertEqual((0, ""), (status, complaint))
        totals, line = said.splitlines()
        self.assertEqual(
            "pushed 1  sent 1  dropped 0  parcels 0  queued_bytes 0", totals
        )
        wanted = f"{room}\t{ada_is.node}\tlive\t1\t1\t0"
        self.assertEqual(wanted, line)

    async def test_nobody_there(self) -> None:
        """Without a node there is nothing to show, and it says so."""
        status, said, complaint = await self.live()
        self.assertEqual((1, ""), (status, said))
        self.assertEqual("timtw live: no node runs\n", complaint)

    async def test_wrong_configuration(self) -> None:
        """It says what is wrong with the file."""
        (self.folder / "node.ini").write_text("[nod]\n")
        status, _said, complaint = await self.live()
        self.assertEqual(1, status)
        self.assertIn("nod", complaint)
