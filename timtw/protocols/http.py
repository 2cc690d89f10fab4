"""Clients on HTTP: registration and tokens at ``/tim2``, and the site around it.

docs/reference/protocol.md, section 1.4. One request carries one frame, and its answer
is one TimAck, always: two of the existing clients fail on an empty body.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from timtw.model.commands import IssueToken, Register
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    TimError,
    Undefined,
)
from timtw.model.interfaces import IFrontDesk
from timtw.model.limits import HTTP_BODY, HTTP_SECONDS
from timtw.model.values import Address
from timtw.protocols import structs
from timtw.protocols.codecs import codec_for
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import ClientFrame, FrameType, split_frame
from timtw.protocols.outgoing import ack_frame
from timtw.protocols.refusals import Note, refusal
from timtw.protocols.upgrade import Upgrade, origin_allowed, source_of
from timtw.protocols.websocket import WebSocketClients

_log: Final = Logger()


class Accounts(Resource):
    """``/tim2``: a frame of type 14 or 15 in, a TimAck out."""

    def __init__(self, desk: IFrontDesk, origins: Collection[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._desk = desk
        self._origins = origins

    def render(self, request: Request) -> Any:
        """Answer a request of any method."""
        request.setHeader(b"content-type", b"application/octet-stream")
        request.setHeader(b"cache-control", b"no-store")
        body = request.content.read() if request.content is not None else b""
        frame = split_frame(body) or ClientFrame(0, False, b"")
        try:
            if not origin_allowed(request, self._origins):
                raise PermissionDenied
            if len(body) > HTTP_BODY:
                raise BadParameter
            source = source_of(request.getClientAddress())
            doing = self._do(frame, source)
        except TimError as error:
            return _refused(frame, error)
        _ = doing.addErrback(_failed, frame)
        _finish(request, doing)
        return NOT_DONE_YET

    def _do(self, frame: ClientFrame, source: str) -> Deferred[bytes]:
        """Carry out a frame; raises a TimError for one that cannot be."""
        if frame.type not in (FrameType.TIMREGISTER, FrameType.TIMTOKEN):
            raise BadParameter
        try:
            auth = codec_for(frame.is_json).decode(structs.TimAuth, frame.payload)
        except DecodeError as error:
            raise BadParameter from error
        name, password = auth.name or "", auth.pwd or ""
        domain = auth.domain or ""
        if frame.type == FrameType.TIMREGISTER:
            command = Register(name, password, domain)
            return self._desk.register(command, source).addCallback(_registered, frame)
        request = IssueToken(name, password, domain, auth.extend)
        return self._desk.issue_token(request, source).addCallback(_done, frame)


def _registered(address: Address, frame: ClientFrame) -> bytes:
    """The answer that tells the new account its node."""
    return _done(address.node, frame)


def _done(said: str, frame: ClientFrame) -> bytes:
    """The answer to a request that was carried out."""
    ack = structs.TimAck(ok=True, timType=frame.type, n=said)
    return ack_frame(codec_for(frame.is_json), ack)


def _refused(frame: ClientFrame, error: TimError) -> bytes:
    """The answer to a request that was not, in the codec of the request."""
    return ack_frame(codec_for(frame.is_json), refusal(Note(frame.type), error))


def _failed(failure: Failure, frame: ClientFrame) -> bytes:
    """The answer to a failure; what is no TimError is a bug, with a reference."""
    if isinstance(failure.value, TimError):
        return _refused(frame, failure.value)
    reference = uuid.uuid4().hex[:12]
    _log.failure("Request failed: {reference}", failure, reference=reference)
    return _refused(frame, Undefined(f"{Undefined.info} {reference}"))


def _finish(request: Request, doing: Deferred[bytes]) -> None:
    """Write the answer when it is there, unless the client has gone."""
    gone: list[Failure] = []
    _ = request.notifyFinish().addErrback(gone.append)

    def answer(body: bytes) -> None:
        if not gone:
            request.setHeader(b"content-length", b"%d" % len(body))
            request.write(body)
            request.finish()

    _ = doing.addCallback(answer)


class Root(Resource):
    """``/tim``, ``/tim2``, and a page with its files for everything else."""

    def __init__(self, page: IResource | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._page = page

    def getChild(self, path: bytes, request: Request) -> Any:
        """A path that is neither of ours."""
        if self._page is None:
            return notFound()
        return self._page.getChildWithDefault(path, request)


class LimitedRequest(Request):
    """A request whose body is kept up to one byte more than is allowed."""

    def gotLength(self, length: int | None) -> None:
        """Keep the body in memory, whatever length is announced."""
        super().gotLength(0)  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:
        """Drop what is too much; the time for it ends as well."""
        assert self.content is not None
        room = HTTP_BODY + 1 - self.content.tell()
        self.content.write(data[:room])


class LimitedChannel(HTTPChannel):
    """A connection whose requests have to arrive in time, not only to trickle in."""

    def resetTimeout(self) -> None:
        """Bytes alone do not prolong it: the clock runs from request to request."""

    def timeoutConnection(self) -> None:
        """Cut the line, without a log line that holds an address."""
        transport: Any = self.transport
        transport.abortConnection()


class ClientSite(Site):
    """A site without an access log, which would hold addresses."""

    protocol = LimitedChannel  # type: ignore[assignment]
    noisy = False

    def startFactory(self) -> None:
        """There is no log to open."""

    def stopFactory(self) -> None:
        """There is no log to close."""

    def log(self, request: object) -> None:
        """Log nothing."""


def make_site(
    desk: IFrontDesk,
    clients: WebSocketClients,
    page: IResource | None,
    clock: IReactorTime,
    origins: Collection[str] = (),
) -> ClientSite:
    """Everything that is served on the port for clients.

    Args:
        page: Serves ``/`` and all paths but ``/tim`` and ``/tim2``; ``None``: 404.
        origins: The only values of ``Origin`` that are accepted; none for any.
    """
    root = Root(page)
    root.putChild(b"tim", Upgrade(clients, origins))
    root.putChild(b"tim2", Accounts(desk, origins))
    return ClientSite(  # type: ignore[no-untyped-call]
        root, requestFactory=LimitedRequest, timeout=HTTP_SECONDS, reactor=clock
    )
