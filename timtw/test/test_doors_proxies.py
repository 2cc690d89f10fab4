"""Real proxies in front of a real node, set up as the manual says."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from timtw.loss.nodes import Node, free_port
from timtw.test.doorkit import (
    Proxy,
    Talker,
    configuration,
    connect,
    example,
    missing,
    register,
    wait_for,
)

HERE, THERE = "127.0.0.2", "127.0.0.3"
"""Two machines of clients, as far as the node can tell."""
ELSEWHERE = "127.0.0.4"
"""Another one, of people who have registered nobody yet."""
NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


def replaced(text: str, words: Mapping[str, str]) -> str:
    """``text`` with words replaced, each of which has to be there."""
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Behind(SynchronousTestCase):
    """A node that two registrations a minute and address are enough for."""

    trusted = "127.0.0.1"
    tls: ssl.SSLContext | None = None

    def doors(self) -> str:
        """Keys of the node's doors beside the usual one."""
        return f"tcp = tcp:{self.lines}:interface=127.0.0.1\n"

    def setUp(self) -> None:
        """Start the node."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.web, self.lines, self.front, self.front_lines = (
            free_port() for _ in range(4)
        )
        keys = self.doors() + f"trusted_proxies = {self.trusted}\n"
        self.node = Node(self.folder, configuration=configuration(keys, registers=2))
        self.node.start()
        self.addCleanup(self.node.stop)
        wait_for(self.lines)  # The door that a node opens last.

    def run_proxy(self, words: list[str], port: int) -> None:
        """Run a proxy that listens on a port."""
        self.addCleanup(Proxy(words, self.folder / "proxy.log", port).stop)

    def codes(self, source: str, names: str, *forged: tuple[str, str]) -> list[int]:
        """How each of some registrations from an address is answered."""
        return [
            register(self.front, name, source, *forged, tls=self.tls).code
            for name in names
        ]

    def check_addresses(self) -> None:
        """Each client's address counts by itself, whatever it claims."""
        self.assertEqual([0, 0, 5105], self.codes(HERE, "abc"))
        self.assertEqual([0, 0, 5105], self.codes(THERE, "def"))
        forged = "X-Forwarded-For", "198.51.100.1"
        self.assertEqual([5105], self.codes(HERE, "g", forged))

    def check_conversation(self, port: int, *, path: str = "/tim", plain: bool) -> None:
        """Two people write to each other, small things and large ones.

        Args:
            port: The other one's, who talks as the last two say.
        """
        nodes = [
            register(self.front, name, ELSEWHERE, tls=self.tls).text
            for name in ("ada", "bob")
        ]
        ada = Talker(connect(self.front, ELSEWHERE, self.tls), "ada")
        line = connect(port, THERE, self.tls)
        bob = Talker(line, "bob", path=path, plain=plain)
        for writer, reader, peer in ((ada, bob, nodes[1]), (bob, ada, nodes[0])):
            for body in ("hello", "hello " * 20_000):
                writer.write(peer, body)
                self.assertEqual([body], reader.texts())
        ada.close()
        bob.close()


class Nginx(Behind):
    """nginx, set up as the manual says."""

    skip = missing("nginx")

    def upstream(self) -> str:
        """What nginx asks."""
        return f"http://127.0.0.1:{self.node.port}"

    def setUp(self) -> None:
        """Start nginx."""
        super().setUp()
        servers = replaced(
            example("nginx"),
            {
                "listen 443 ssl;": f"listen 127.0.0.1:{self.front};",
                "ssl_certificate ": "# ",
                "ssl_certificate_key ": "# ",
                "http://127.0.0.1:5080": self.upstream(),
            },
        )
        path = self.folder / "nginx.conf"
        path.write_text(NGINX.format(folder=self.folder, servers=servers))
        log = str(self.folder / "nginx.log")
        words = ["nginx", "-e", log, "-p", str(self.folder), "-c", str(path)]
        self.run_proxy(words, self.front)


class BehindNginx(Nginx):
    """nginx, which tells the address in a header of each request."""

    def test_clients(self) -> None:
        """
        Registrations count for the clients, not for nginx; WebSocket passes, on both of
        its paths.
        """
        self.check_addresses()
        self.check_conversation(self.front, path="/", plain=False)


class BehindUntrustedNginx(Nginx):
    """An operator who forgot to say that nginx may be believed."""

    trusted = "192.0.2.1"

    def test_addresses(self) -> None:
        """All clients are the proxy."""
        self.assertEqual([0, 0, 5105], self.codes(HERE, "abc"))
        self.assertEqual([5105], self.codes(THERE, "d"))


class BehindHaproxy(Behind):
    """HAProxy, which tells the address in front of each connection."""

    skip = missing("haproxy")
    version = "send-proxy-v2"

    def node_port(self) -> int:
        """The port of the node for WebSocket and HTTP."""
        return self.node.port

    def setUp(self) -> None:
        """Start HAProxy."""
        super().setUp()
        tls = " ssl crt /etc/haproxy/chat.example.org.pem"
        text = replaced(
            example("haproxy"),
            {
                tls: "",
                "bind :443": f"bind 127.0.0.1:{self.front}",
                "bind :5091": f"bind 127.0.0.1:{self.front_lines}",
                "127.0.0.1:5080": f"127.0.0.1:{self.node_port()}",
                "127.0.0.1:5090": f"127.0.0.1:{self.lines}",
                "send-proxy-v2": self.version,
            },
        )
        path = self.folder / "haproxy.cfg"
        path.write_text(text)
        self.run_proxy(["haproxy", "-db", "-f", str(path)], self.front)

    def test_clients(self) -> None:
        """
        Registrations count for the clients, not for HAProxy; WebSocket and TCP pass.
        """
        self.check_addresses()
        self.check_conversation(self.front_lines, plain=True)


class BehindOldHaproxy(BehindHaproxy):
    """The first version of its header, in text."""

    version = "send-proxy"
