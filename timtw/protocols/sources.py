"""Where a client comes from: the address that its limits count for.

docs/reference/protocol.md, section 1.8. What a proxy tells is believed from those
proxies alone that the operator has named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.server import Request

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_Host: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def source_of(address: IAddress | None) -> str:
    """A text that stands for the address of a client."""
    return str(getattr(address, "host", "local"))


def counted(source: str) -> str:
    """
    What limits count an address for: of IPv6 its network of 64 bits.

    Whoever has one such address has all of its network, more than anything can count.
    """
    if ":" not in source:
        return source
    try:
        host = _host(source)
    except ValueError:
        return source
    if isinstance(host, ipaddress.IPv4Address):
        return str(host)
    return str(ipaddress.IPv6Network((int(host), 64), strict=False))


def _host(text: str) -> _Host:
    """An address; ValueError for anything else. IPv4 within IPv6 is IPv4."""
    host = ipaddress.ip_address(text)
    mapped = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
    return mapped or host


class TrustedProxies:
    """The proxies whose word about their clients counts.

    Args:
        networks: Single addresses and networks, such as ``10.0.0.0/8``.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(map(ipaddress.ip_network, networks))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._networks)

    def holds(self, source: str) -> bool:
        """Whether ``source`` is the address of one of them."""
        try:
            host = _host(source)
        except ValueError:
            return False
        return any(host in network for network in self._networks)

    def forwarded(self, source: str, lines: Sequence[bytes]) -> str:
        """The address that a request comes from.

        Each proxy adds the address it was asked from at the end, so the last one that
        is no proxy of ours is the client; what stands before it is the client's tale.

        Args:
            source: The address that the connection comes from.
            lines: The headers ``X-Forwarded-For``, in order.

        Raises:
            ValueError: A proxy of ours has told something that is no address.
        """
        if not lines or not self.holds(source):
            return source
        for told in reversed(b",".join(lines).decode("latin-1").split(",")):
            source = str(_host(told.strip(" \t")))
            if not self.holds(source):
                break
        return source


NO_PROXIES: Final = TrustedProxies()


def request_source(request: Request, trusted: TrustedProxies) -> str:
    """Where an HTTP request comes from, for limits; ValueError as ``forwarded``."""
    source = source_of(request.getClientAddress())
    if not trusted:
        return counted(source)
    lines = request.requestHeaders.getRawHeaders(b"x-forwarded-for", [])
    return counted(trusted.forwarded(source, lines))


def answer_last(request: Request) -> None:
    """The answer to ``request`` is the last on its connection."""
    channel: Any = request.channel
    channel.persistent = False
    request.setHeader(b"connection", b"close")


def hand_over(transport: Any, protocol: Any) -> None:
    """From now on what ``transport`` brings is for ``protocol``."""
    if isinstance(transport, ProtocolWrapper):  # TLS is a protocol of its own.
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)
