"""Clients on HTTP: registration and tokens at ``/tim2``.

docs/reference/protocol.md, section 1.4. One request carries one frame, and its answer
is one TimAck, always: two of the existing clients fail on an empty body.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import BAD_REQUEST, FORBIDDEN
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from timtw.model.commands import IssueToken, Register
from timtw.model.errors import (
    BadParameter,
    NotServed,
    PermissionDenied,
    TimError,
    Undefined,
)
from timtw.model.limits import HTTP_BODY
from timtw.model.values import Address
from timtw.protocols import structs
from timtw.protocols.clientline import Shared
from timtw.protocols.codecs import codec_for
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import ClientFrame, FrameType, split_frame
from timtw.protocols.outgoing import ack_frame
from timtw.protocols.refusals import Note, refusal
from timtw.protocols.sources import TrustedProxies, answer_last, request_source
from timtw.protocols.upgrade import origin_allowed

_log: Final = Logger()


class Accounts(Resource):
    """``/tim2``: a frame of type 14 or 15 in, a TimAck out."""

    def __init__(
        self, shared: Shared, origins: Collection[str], trusted: TrustedProxies
    ) -> None:
        super().__init__()
        self._desk = shared.desk
        self._switched_off = shared.switched_off
        self._origins = origins
        self._trusted = trusted

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
            if frame.type in self._switched_off:
                request.setResponseCode(FORBIDDEN)
                raise NotServed
            source = self._source(request)
            doing = self._do(frame, source)
        except TimError as error:
            return _refused(frame, error)
        _ = doing.addErrback(_failed, frame)
        _finish(request, doing)
        return NOT_DONE_YET

    def _source(self, request: Request) -> str:
        """Where the request comes from; after a damaged header the line ends."""
        try:
            return request_source(request, self._trusted)
        except ValueError as error:
            request.setResponseCode(BAD_REQUEST)
            answer_last(request)
            raise BadParameter from error

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
        return self._desk.issue_token(request, source).addCallback(_issued, frame)


def _registered(address: Address, frame: ClientFrame) -> bytes:
    """The answer that tells the new account its node."""
    return _done(address.node, frame)


def _issued(token: str, frame: ClientFrame) -> bytes:
    """The answer that tells a token, as text and as the number that it is."""
    return _done(token, frame, int(token))


def _done(said: str, frame: ClientFrame, number: int | None = None) -> bytes:
    """The answer to a request that was carried out."""
    ack = structs.TimAck(ok=True, timType=frame.type, t=number, n=said)
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
