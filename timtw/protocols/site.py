"""Everything that is served on the port for clients: ``/tim``, ``/tim2`` and a page.

docs/reference/protocol.md, section 1.1. What trickles in ends with the time for it;
addresses of clients are not logged.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from timtw.model.limits import HTTP_BODY, HTTP_CONNECTIONS, HTTP_SECONDS
from timtw.protocols.clientline import Shared
from timtw.protocols.http import Accounts
from timtw.protocols.sources import NO_PROXIES, TrustedProxies
from timtw.protocols.upgrade import Upgrade, asks_to_upgrade
from timtw.protocols.websocket import WebSocketClients


class Root(Resource):
    """``/tim``, ``/tim2``, and a page with its files for everything else."""

    def __init__(self, page: IResource | None, upgrade: IResource) -> None:
        super().__init__()
        self._page = page
        self._upgrade = upgrade

    def getChild(self, path: bytes, request: Request) -> Any:
        """A path that is neither of ours, or a WebSocket on ``/``."""
        if path == b"" and request.method == b"GET" and asks_to_upgrade(request):
            return self._upgrade
        if self._page is None:
            return notFound()
        return self._page.getChildWithDefault(path, request)


class _FaultsAlone(Logger):
    """Takes the lines that twisted.web writes for requests, with what they ask for."""

    def info(self, format: str | None = None, **kwargs: object) -> None:
        """Drop a line."""


class LimitedRequest(Request):
    """A request whose body is kept up to one byte more than is allowed."""

    _log = _FaultsAlone()

    def gotLength(self, length: int | None) -> None:
        """Keep the body in memory, whatever length is announced."""
        super().gotLength(0)

    def handleContentChunk(self, data: bytes) -> None:
        """Drop what is too much; the time for it ends as well."""
        assert self.content is not None
        room = HTTP_BODY + 1 - self.content.tell()
        self.content.write(data[:room])


class LimitedChannel(HTTPChannel):
    """A connection whose requests have to arrive in time, not only to trickle in."""

    peer: IAddress | None = None
    factory: Any

    def connectionMade(self) -> None:
        """A connection; silent ones count too. If it is one too many, the oldest goes,
        so that whoever is silent keeps nobody out who has something to ask."""
        super().connectionMade()
        channels = self.factory.channels
        channels[self] = None
        if len(channels) > HTTP_CONNECTIONS:
            oldest = next(iter(channels))
            oldest.counts_no_more()
            oldest.timeoutConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The line is gone."""
        self.counts_no_more()
        super().connectionLost(reason)

    def counts_no_more(self) -> None:
        """The line is gone, or has become something else."""
        self.factory.channels.pop(self, None)

    def getPeer(self) -> Any:
        """The client, be it through a proxy."""
        return self.peer

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the client. Over TLS some come behind the end of our side, which a
        request line that was refused has brought about."""
        transport: Any = self.transport
        if not transport.disconnecting:
            super().dataReceived(data)

    def pauseProducing(self) -> None:
        """The client takes no answers for now: further requests wait unread.

        twisted.web would answer all that have arrived, ten thousand bytes for twenty.
        """
        self.paused = True
        super().pauseProducing()
        self._networkProducer.pauseProducing()

    def resumeProducing(self) -> None:
        """The client has taken everything: go on with what waits."""
        self.paused = False
        super().resumeProducing()
        self.dataReceived(b"")

    def loseConnection(self) -> None:
        """End the line behind what is to be said, which has its time as well."""
        self.setTimeout(HTTP_SECONDS)
        super().loseConnection()

    def resetTimeout(self) -> None:
        """Bytes alone do not prolong it: the clock runs from request to request."""

    def timeoutConnection(self) -> None:
        """Cut the line, without a log line that holds an address."""
        transport: Any = self.transport
        transport.abortConnection()


class ClientSite(Site):
    """A site without an access log, which would hold addresses.

    Attributes:
        channels: The connections that are no WebSocket, oldest first.
    """

    channels: dict[LimitedChannel, None]
    protocol = LimitedChannel  # type: ignore[assignment]
    noisy = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channels = {}

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection from ``addr``, which a proxy may have told."""
        channel: Any = super().buildProtocol(addr)
        channel.peer = addr
        return channel

    def startFactory(self) -> None:
        """There is no log to open."""

    def stopFactory(self) -> None:
        """There is no log to close."""

    def log(self, request: object) -> None:
        """Log nothing."""


def make_site(
    shared: Shared,
    page: IResource | None,
    *,
    origins: Collection[str],
    trusted: TrustedProxies = NO_PROXIES,
) -> ClientSite:
    """The site for clients.

    Args:
        page: Serves ``/`` and all paths but ``/tim`` and ``/tim2``; ``None``: 404.
        origins: The only values of ``Origin`` that are accepted; none for any.
        trusted: The proxies whose ``X-Forwarded-For`` is believed.
    """
    upgrade = Upgrade(WebSocketClients(shared), origins, trusted)
    root = Root(page, upgrade)
    root.putChild(b"tim", upgrade)
    root.putChild(b"tim2", Accounts(shared, origins, trusted))
    return ClientSite(
        root, requestFactory=LimitedRequest, timeout=HTTP_SECONDS, reactor=shared.clock
    )
