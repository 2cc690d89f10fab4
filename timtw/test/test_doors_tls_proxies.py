"""Real proxies in front of a node's TLS endpoints."""

from __future__ import annotations

import ssl
from pathlib import Path

from timtw.loss.speech import Answer
from timtw.test import test_doors_proxies as plain
from timtw.test.doorkit import SPEECH, connect
from timtw.test.test_doors_tls import make_certificate
from timtw.test.test_proxied import BINARY

TEXT = b"PROXY TCP4 192.0.2.7 127.0.0.1 12345 443\r\n"


class Secure(plain.Behind):
    """A node with a TLS endpoint of each kind."""

    def doors(self) -> str:
        """They need a certificate."""
        make_certificate(self.folder)
        files = f"privateKey={self.folder}/key.pem:certKey={self.folder}/chain.pem"
        ports = self.web, self.lines
        web, lines = (f"ssl:{port}:interface=127.0.0.1:{files}\n" for port in ports)
        return f"    {web}tcp = {lines}"


def context(folder: Path) -> ssl.SSLContext:
    """How a client verifies that it talks to the node."""
    return ssl.create_default_context(cafile=str(folder / "chain.pem"))


class NginxToTls(Secure, plain.BehindNginx):
    """nginx, which begins another TLS to the node."""

    def upstream(self) -> str:
        """What nginx asks."""
        return f"https://127.0.0.1:{self.web}"


class HaproxyToTls(Secure, plain.BehindHaproxy):
    """HAProxy, which begins another TLS behind its header."""

    def node_port(self) -> int:
        """The port of the node for WebSocket and HTTP."""
        self.version += f" ssl verify required ca-file {self.folder}/chain.pem"
        return self.web


class HaproxyPassesTls(Secure, plain.BehindHaproxy):
    """HAProxy, which passes the TLS of the clients on, behind its header."""

    def node_port(self) -> int:
        """The port of the node for WebSocket and HTTP."""
        self.tls = context(self.folder)
        return self.web


class HeaderTests(Secure):
    """Headers in front of TLS, as any proxy would send them."""

    def register(self, header: bytes, name: str, source: str = "127.0.0.1") -> int:
        """How a registration behind a header is answered."""
        line = connect(self.web, source)
        self.addCleanup(line.close)
        line.sendall(header)
        secure = context(self.folder).wrap_socket(line, server_hostname="127.0.0.1")
        self.addCleanup(secure.close)
        body = SPEECH.register(name, "correct horse battery")
        secure.sendall(
            b"POST /tim2 HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        said = b""
        while data := secure.recv(1 << 16):
            said += data
        heard = SPEECH.hear(said.partition(b"\r\n\r\n")[2])
        assert isinstance(heard, Answer)
        return heard.code

    def test_both_versions(self) -> None:
        """The client that the header names counts; without one it is the proxy."""
        told = bytes([192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39, 1, 0xBB])
        headers = TEXT, BINARY + b"\x21\x11\0\x0c" + told, TEXT, b"", b"", b""
        codes = [
            self.register(header, name)
            for name, header in zip("abcdef", headers, strict=True)
        ]
        self.assertEqual([0, 0, 5105, 0, 0, 5105], codes)

    def test_strangers(self) -> None:
        """A header of anybody else is no TLS."""
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.register(TEXT, "a", "127.0.0.2")
        self.assertEqual(0, self.register(b"", "a", "127.0.0.2"))
