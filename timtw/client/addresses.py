"""Where nodes are: ``ws://host:port/tim``, ``wss://``, ``tcp://`` and ``tls://``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import attrs
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from timtw.client.tcpframes import TcpFraming
from timtw.client.wsframes import WebSocketFraming

_PORTS: Final = {"ws": 5080, "wss": 443, "tcp": 5090, "tls": 5091}
_WEB: Final = {"ws": "http", "wss": "https"}


class Framing(Protocol):
    """How frames of the client protocol lie in a stream of bytes; sans-io.

    Attributes:
        ready: Whether frames may be written.
        failure: Why the line cannot be used any further; empty while it can.
        too_long: Whether that is because the node found a frame of ours too long.
    """

    ready: bool
    failure: str
    too_long: bool

    def opening(self) -> bytes:
        """What to write first."""
        ...

    def wrapped(self, frame: bytes) -> bytes:
        """The bytes of one frame."""
        ...

    def closing(self) -> bytes:
        """What to write last."""
        ...

    def replies(self) -> bytes:
        """What the bytes fed last ask us to write."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete."""
        ...


@attrs.frozen
class NodeAddress:
    """One address of a node.

    Attributes:
        scheme: ``ws`` or ``tcp``, or with TLS ``wss`` or ``tls``.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> NodeAddress:
        """
        Read an address; a missing port is 5080, 443, 5090 or 5091.

        Raises:
            ValueError: with a sentence for whoever wrote it.
        """
        parts = urlsplit(text)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{text!r} is no address like ws://host:5080/tim")
        if parts.path not in ("", "/", "/tim") or parts.query or parts.username:
            raise ValueError(f"{text!r} has more than host, port and /tim")
        if parts.scheme not in _WEB and parts.path == "/tim":
            raise ValueError(f"{text!r}: only WebSockets have a path")
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        return f"{self.scheme}://{self._authority}"

    @property
    def _authority(self) -> str:
        """Host and port as a header and a URL write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def web(self) -> str | None:
        """The URL for registrations; None if there is only the protocol itself."""
        kind = _WEB.get(self.scheme)
        return None if kind is None else f"{kind}://{self._authority}/tim2"

    def framing(self, entropy: Callable[[int], bytes]) -> Framing:
        """A fresh framing for a connection to this address."""
        if self.scheme in _WEB:
            return WebSocketFraming(self._authority, entropy)
        return TcpFraming()

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """Where to connect to; with TLS the certificate has to be the host's."""
        plain = HostnameEndpoint(reactor, self.host, self.port)
        if self.scheme in ("ws", "tcp"):
            return plain
        from twisted.internet.ssl import optionsForClientTLS

        secured: IStreamClientEndpoint
        secured = wrapClientTLS(optionsForClientTLS(self.host), plain)
        return secured
