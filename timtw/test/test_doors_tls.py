"""Clients over TLS, through the endpoints that an operator writes down."""

from __future__ import annotations

import datetime
import socket
import ssl
import tempfile
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from timtw.client.addresses import NodeAddress
from timtw.loss.nodes import Node, free_port
from timtw.loss.speech import Answer, ThriftSpeech
from timtw.test.doorkit import Talker, configuration, connect, register, wait_for

OLD, LOWEST, HIGHEST = (
    ssl.TLSVersion.TLSv1_1,
    ssl.TLSVersion.TLSv1_2,
    ssl.TLSVersion.TLSv1_3,
)


def make_certificate(folder: Path) -> None:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example.org")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "chain.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Tls(SynchronousTestCase):
    """A node with a TLS endpoint of each kind."""

    def setUp(self) -> None:
        """Start it."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        make_certificate(self.folder)
        self.ports = free_port(), free_port()
        self.plain = free_port()
        files = f"privateKey={self.folder}/key.pem:certKey={self.folder}/chain.pem"
        web, lines = (
            f"ssl:{port}:interface=127.0.0.1:{files}\n" for port in self.ports
        )
        plain = f"tcp:{self.plain}:interface=127.0.0.1\n"
        text = configuration(f"    {web}tcp = {lines}    {plain}")
        self.node = Node(
            self.folder, configuration=text, further=(*self.ports, self.plain)
        )
        self.node.start()
        self.addCleanup(self.node.stop)
        wait_for(self.plain)  # The door that a node opens last.

    def secure(
        self, port: int, lowest: ssl.TLSVersion, highest: ssl.TLSVersion
    ) -> ssl.SSLSocket:
        """A connection that verifies the certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "chain.pem"))
        if lowest is OLD:
            # What this machine's libraries would not even ask for.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = lowest, highest
        line = connect(port)
        self.addCleanup(line.close)
        secure = context.wrap_socket(line, server_hostname="127.0.0.1")
        self.addCleanup(secure.close)
        return secure

    def test_conversation(self) -> None:
        """Two versions of TLS, WebSocket and TCP: they write to each other."""
        web, lines = self.ports
        nodes = [
            register(self.node.port, name, "127.0.0.1").text for name in ("ada", "bob")
        ]
        for version in (LOWEST, HIGHEST):
            # Handshake and login come in one piece, so the upgrade passes on the rest.
            ada = Talker(self.secure(web, version, version), "ada")
            bob = Talker(self.secure(lines, version, version), "bob", plain=True)
            for writer, reader, peer in ((ada, bob, nodes[1]), (bob, ada, nodes[0])):
                writer.write(peer, "hello " * 5000)
                self.assertEqual(["hello " * 5000], reader.texts())
            ada.close()
            bob.close()

    def test_last_words(self) -> None:
        """Whoever sends what is no frame, and goes on, still gets to know why."""
        for line in (connect(self.plain), self.secure(self.ports[1], LOWEST, HIGHEST)):
            self.addCleanup(line.close)
            line.sendall(b"GET / HTTP/1.1\r\n" + bytes(100_000))
            said = b""
            while data := line.recv(1 << 16):
                said += data
                line.sendall(bytes(1000))
            self.assertEqual(len(said) - 4, int.from_bytes(said[:4], "big"))
            answer = ThriftSpeech().hear(said[4:])
            assert isinstance(answer, Answer)
            self.assertEqual((False, 4104), (answer.ok, answer.code))

    def test_behind_a_refusal(self) -> None:
        """Whoever goes on behind what is no request is nothing that the log tells."""
        secure = self.secure(self.ports[0], LOWEST, HIGHEST)
        for piece in (b"GET /\r\n", b"\r\n", b"\r\n"):
            secure.sendall(piece)
        self.assertTrue(secure.recv(1 << 16).startswith(b"HTTP/1.1 400 "))
        self.assertEqual(b"", secure.recv(1 << 16))
        self.node.stop()
        self.assertNotIn(b"Traceback", self.node.log.read_bytes())

    def test_old_versions(self) -> None:
        """Whoever knows nothing newer than TLS 1.1 is told so and refused."""
        for port in self.ports:
            with self.assertRaises(ssl.SSLError) as caught:
                self.secure(port, OLD, OLD)
            self.assertIn("ALERT_PROTOCOL_VERSION", str(caught.exception.reason))


class Ending(Protocol):
    """A connection of which only the end matters."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        self.ended.callback(None)


class ClientTests(TestCase):
    """The client library, and servers that speak one version of TLS."""

    def setUp(self) -> None:
        """A certificate that no client trusts."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        make_certificate(self.folder)

    def greet(self, server: socket.socket, version: ssl.TLSVersion) -> str:
        """Why the handshake with the next client failed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "chain.pem", self.folder / "key.pem")
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        line, _ = server.accept()
        with line:
            try:
                context.wrap_socket(line, server_side=True)
            except ssl.SSLError as error:
                return str(error.reason)
        return ""

    async def test_old_servers(self) -> None:
        """It offers 1.2 and 1.3, up to the certificate, and nothing older."""
        from twisted.internet import reactor

        for version, reason in (
            (OLD, "UNSUPPORTED_PROTOCOL"),
            (LOWEST, "TLSV1_ALERT_UNKNOWN_CA"),
            (HIGHEST, "TLSV1_ALERT_UNKNOWN_CA"),
        ):
            with socket.create_server(("127.0.0.1", 0)) as server:
                told = deferToThread(self.greet, server, version)
                address = NodeAddress.parsed(
                    f"tls://127.0.0.1:{server.getsockname()[1]}"
                )
                endpoint = address.endpoint(reactor)
                ending = await endpoint.connect(Factory.forProtocol(Ending))
                self.assertEqual(reason, await told)
                assert isinstance(ending, Ending)
                await ending.ended
