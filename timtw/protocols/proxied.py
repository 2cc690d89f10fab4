"""Connections that come through a proxy: who they are, before anything else is read.

docs/reference/protocol.md, section 1.8. Whoever is no trusted proxy gets its protocol
at once; what it sends is never looked at for a header.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from timtw.model.limits import LISTEN_BACKLOG, PROXY_SECONDS
from timtw.protocols.proxyheader import BadHeader, Header, read_header
from timtw.protocols.sources import TrustedProxies, hand_over, source_of


class HeaderReader(Protocol):
    """Reads the header of one connection, then makes way for its protocol."""

    transport: Any

    def __init__(
        self, factory: Any, address: IAddress | None, clock: IReactorTime
    ) -> None:
        self._factory = factory
        self._address = address
        self._data = b""
        self._deadline: IDelayedCall | None = clock.callLater(PROXY_SECONDS, self._cut)

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the proxy: a header, or what its client says."""
        self._data += data
        try:
            header = read_header(self._data)
        except BadHeader:
            self._cut()
            return
        if header is not None:
            self._make_way(header)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection ended before it began."""
        self._stop()

    def _make_way(self, header: Header) -> None:
        """Hand the connection, and what came behind the header, to its protocol."""
        self._stop()
        address, transport = self._address, self.transport
        if header.host is not None:
            kind = IPv6Address if ":" in header.host else IPv4Address
            address = kind("TCP", header.host, header.port)
        protocol: Any = self._factory.buildProtocol(address)
        hand_over(transport, protocol)
        rest = self._data[header.size :]
        self._data = b""
        if rest:
            protocol.dataReceived(rest)

    def _cut(self) -> None:
        """There is no telling who this is."""
        self._stop()
        self.transport.abortConnection()

    def _stop(self) -> None:
        """The time does not matter any more."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None and deadline.active():
            deadline.cancel()


class ProxiedFactory(Factory):
    """A factory whose connections may come through a trusted proxy."""

    noisy = False

    def __init__(
        self, factory: Any, trusted: TrustedProxies, clock: IReactorTime
    ) -> None:
        self._factory = factory
        self._trusted = trusted
        self._clock = clock

    def doStart(self) -> None:
        """A port listens."""
        self._factory.doStart()

    def doStop(self) -> None:
        """A port listens no more."""
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The protocol for a connection from ``addr``."""
        if self._trusted.holds(source_of(addr)):
            return HeaderReader(self._factory, addr, self._clock)
        return self._factory.buildProtocol(addr)


class InFront:
    """A reactor whose ports read the header of a proxy before anything else.

    That is in front of TLS as well, where proxies send it. A listener that it does not
    know, such as that of a local socket, has no address that could be trusted. Its
    ports also let more clients wait than those of Twisted (``LISTEN_BACKLOG``).
    """

    def __init__(self, reactor: Any, trusted: TrustedProxies) -> None:
        self._reactor = reactor
        self._trusted = trusted

    def _read_first(self, factory: Any) -> Any:
        """``factory``, as it is where nobody is trusted."""
        if not self._trusted:
            return factory
        return ProxiedFactory(factory, self._trusted, self._reactor)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """See ``IReactorTCP``."""
        listening: IListeningPort = self._reactor.listenTCP(
            port, self._read_first(factory), max(backlog, LISTEN_BACKLOG), interface
        )
        return listening

    def listenSSL(
        self,
        port: int,
        factory: Any,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """See ``IReactorSSL``."""
        inside = TLSMemoryBIOFactory(contextFactory, False, factory, self._reactor)
        return self.listenTCP(port, inside, backlog, interface)

    def adoptStreamPort(self, fileno: int, family: int, factory: Any) -> IListeningPort:
        """See ``IReactorSocket``."""
        listening: IListeningPort = self._reactor.adoptStreamPort(
            fileno, family, self._read_first(factory)
        )
        return listening

    def __getattr__(self, name: str) -> Any:
        """Everything else is the reactor's."""
        return getattr(self._reactor, name)
