"""The way from HTTP to WebSocket: ``/tim``, and ``/`` for a client that dials that.

docs/reference/protocol.md, section 1.2. twisted.web has read the request; what is
decided here is whether it may become a WebSocket, and who reads the bytes from then
on. Subprotocols and extensions are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from timtw.protocols.sources import (
    TrustedProxies,
    answer_last,
    hand_over,
    request_source,
)
from timtw.protocols.websocket import WebSocketClients

_VERSION: Final = b"13"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
"""Sixteen bytes in base64."""


def origin_allowed(request: Request, origins: Collection[str]) -> bool:
    """Whether the request's ``Origin`` is one of ``origins``; none means any."""
    origin = request.getHeader(b"origin")
    return not origins or (origin or b"").decode("latin-1") in origins


class Upgrade(Resource):
    """Turns an HTTP request into a WebSocket connection."""

    def __init__(
        self,
        clients: WebSocketClients,
        origins: Collection[str],
        trusted: TrustedProxies,
    ) -> None:
        super().__init__()
        self._clients = clients
        self._origins = origins
        self._trusted = trusted

    def render(self, request: Request) -> Any:
        """Hand the connection over, or say what is wrong with the request."""
        code = self._fault(request)
        source = ""
        try:
            source = request_source(request, self._trusted)
        except ValueError:
            code = 400
            answer_last(request)
        if code:
            request.setResponseCode(code)
            request.setHeader(b"content-type", b"text/plain")
            return b"This is the WebSocket of a chat server.\n"
        return self._hand_over(request, source)

    def _fault(self, request: Request) -> int:
        """The HTTP status of what is wrong; 0 for nothing."""
        if request.method != b"GET":
            return 405
        if not asks_to_upgrade(request):
            return 400
        keys = request.requestHeaders.getRawHeaders(b"sec-websocket-key", [])
        if request.getHeader(b"sec-websocket-version") != _VERSION:
            return 400
        if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
            return 400
        return 0 if origin_allowed(request, self._origins) else 403

    def _hand_over(self, request: Request, source: str) -> int:
        """Let a WebSocket protocol take the place of the HTTP channel."""
        channel: Any = request.channel
        transport: Any = channel.transport
        protocol: Any = self._clients.protocol_for(source)
        # The channel and its request know each other and are needed no more; what
        # the client has sent behind its request is passed on.
        channel.requests.clear()
        channel.counts_no_more()
        channel.transport = None
        channel.rawDataReceived = protocol.dataReceived
        transport.unregisterProducer()
        hand_over(transport, protocol)
        protocol.accept(request.getHeader(b"sec-websocket-key"))
        return NOT_DONE_YET


def asks_to_upgrade(request: Request) -> bool:
    """Whether the request wants to become a WebSocket, rightly or not."""
    wanted = b"websocket" in _words(request, b"upgrade")
    return wanted and b"upgrade" in _words(request, b"connection")


def _words(request: Request, header: bytes) -> set[bytes]:
    """The words of a header that is a list, in lower case."""
    lines = request.requestHeaders.getRawHeaders(header, [])
    return {word.strip().lower() for line in lines for word in line.split(b",")}
