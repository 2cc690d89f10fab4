"""The client library over TLS: whom it trusts, and what it says when it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from timtw.client import Client, Login, Unreachable, connect, register
from timtw.loss.nodes import ROOT, Node, free_port
from timtw.test.doorkit import configuration
from timtw.test.test_doors_tls import make_certificate

reactor: Final[Any] = global_reactor
AUTHORITIES: Final = "SSL_CERT_FILE"


class TlsTests(TestCase):
    """A node whose certificate only this test knows."""

    timeout = 60.0

    def setUp(self) -> None:
        """Start it, with a TLS endpoint of each kind and a plain one."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        make_certificate(folder)
        self.chain = str(folder / "chain.pem")
        files = f"privateKey={folder}/key.pem:certKey={self.chain}"
        web, lines, plain = free_port(), free_port(), free_port()
        self.plain = f"tls://127.0.0.1:{plain}"
        self.web, self.lines = f"wss://127.0.0.1:{web}", f"tls://127.0.0.1:{lines}"
        text = configuration(
            f"    ssl:{web}:interface=127.0.0.1:{files}\n"
            f"tcp = ssl:{lines}:interface=127.0.0.1:{files}\n"
            f"    tcp:{plain}:interface=127.0.0.1\n"
        )
        self.node = Node(folder, configuration=text, further=(web, lines, plain))
        self.node.start()
        self.addCleanup(self.node.stop)
        self.addCleanup(os.environ.pop, AUTHORITIES, None)

    async def client(self, name: str, address: str) -> Client:
        """Somebody's device, closed after the test."""
        client = await connect(reactor, [address], Login(name, "secret"))
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    async def unreachable(self, work: Any) -> str:
        """What the library says about an address that does not do."""
        if not isinstance(work, Deferred):
            work = Deferred.fromCoroutine(work)
        error: Any = await self.assertFailure(work, Unreachable)
        return str(error)

    async def test_conversation(self) -> None:
        """With the file named, registration and both doors work."""
        os.environ[AUTHORITIES] = self.chain
        await register(reactor, [self.web], "ada", "secret")
        await register(reactor, [self.web], "bob", "secret")
        ada, bob = (
            await self.client("ada", self.web),
            await self.client("bob", self.lines),
        )
        for writer, reader, text in ((ada, bob, "hello " * 9000), (bob, ada, "hi")):
            await writer.send(reader.node, text)
            self.assertEqual(text, (await reader.receive()).text)

    async def test_untrusted(self) -> None:
        """Nobody's certificate is trusted unseen, and the sentence says what to do."""
        login = Login("ada", "secret")
        for work in (
            connect(reactor, [self.web], login),
            connect(reactor, [self.lines], login),
            register(reactor, [self.web], "ada", "secret"),
        ):
            self.assertIn(AUTHORITIES, await self.unreachable(work))

    async def test_other_host(self) -> None:
        """A trusted certificate of another host does not do."""
        os.environ[AUTHORITIES] = self.chain
        login = Login("ada", "secret")
        for address in (self.web, self.lines):
            renamed = address.replace("127.0.0.1", "localhost")
            said = await self.unreachable(connect(reactor, [renamed], login))
            self.assertIn("another host", said)
        said = await self.unreachable(
            register(reactor, [self.web.replace("127.0.0.1", "localhost")], "x", "x")
        )
        self.assertIn("another host", said)

    async def test_no_tls(self) -> None:
        """A door without TLS is told from one whose certificate is wrong."""
        login = Login("ada", "x")
        said = await self.unreachable(connect(reactor, [self.plain], login))
        self.assertIn("TLS fails", said)

    def test_commands(self) -> None:
        """The commands trust the same, and say the same."""
        self.node.post(b'\x8e{"name":"ada","pwd":"secret"}')
        self.node.post(b'\x8e{"name":"bob","pwd":"secret"}')
        send = [sys.executable, "-m", "timtw.cli", "send", "--name", "ada", "hi"]
        results = []
        for trusted in ({}, {AUTHORITIES: self.chain}):
            done = subprocess.run(
                [*send, "--to", "bob", "--server", self.web],
                env=dict(os.environ, PYTHONPATH=str(ROOT), TIMTW_PASSWORD="secret")
                | trusted,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            results.append((done.returncode, AUTHORITIES in done.stderr))
        self.assertEqual([(75, True), (0, False)], results)
