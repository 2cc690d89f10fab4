"""New accounts, over HTTP; docs/reference/protocol.md, sections 1.4 and 10.1."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, DNSLookupError, TimeoutError
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer, readBody

from timtw.client.addresses import NodeAddress
from timtw.client.refusals import refusal
from timtw.client.trouble import EXCHANGE, words
from timtw.client.values import Unreachable
from timtw.client.wire import Speech
from timtw.client.wsframes import BadLine
from timtw.model.limits import CLIENT_LINE_SECONDS
from timtw.protocols.frames import FrameType
from timtw.protocols.structs import TimAck


async def register(
    reactor: Any,
    addresses: Sequence[str],
    name: str,
    password: str,
    domain: str = "",
    encoding: str = "json",
) -> str:
    """
    Make an account; returns its node.

    Args:
        addresses: As for ``connect``; those of WebSockets are asked in turn until one
            answers.

    Raises:
        Refused: 4101 means that the name is taken, perhaps by an earlier attempt whose
            answer was lost: logging in tells.
        Unreachable: no answer came from any.
        ValueError: there is no address of a WebSocket, or no such encoding.
    """
    nodes = [NodeAddress.parsed(address) for address in addresses]
    urls = [(node, node.web) for node in nodes if node.web is not None]
    if not urls:
        raise ValueError("registering needs an address like ws://host:5080/tim")
    speech = Speech(encoding)
    body = speech.register(name, password, domain)
    reasons = []
    for node, url in urls:
        try:
            return await _ask(reactor, url, speech, body)
        except Unreachable as error:
            reasons.append(f"{node}: {error}")
    raise Unreachable("; ".join(reasons))


_NO_ANSWER: Final = CancelledError, ConnectError, DNSLookupError, TimeoutError


async def _ask(reactor: Any, url: str, speech: Speech, body: bytes) -> str:
    """Ask one node."""
    agent = Agent(reactor, connectTimeout=CLIENT_LINE_SECONDS)

    async def exchange() -> bytes:
        producer = FileBodyProducer(BytesIO(body))
        response = await agent.request(b"POST", url.encode(), bodyProducer=producer)
        return await readBody(response)

    work = Deferred.fromCoroutine(exchange())
    _ = work.addTimeout(CLIENT_LINE_SECONDS, reactor)
    try:
        heard = speech.hear(await work)
    except (*EXCHANGE, *_NO_ANSWER) as error:
        raise Unreachable(words(Failure(error))) from error
    except BadLine as error:
        raise Unreachable("what answers there is no node") from error
    refused = refusal(heard, FrameType.TIMREGISTER)
    if refused is not None:
        raise refused
    if not isinstance(heard.body, TimAck):
        raise Unreachable("what answers there is no node")
    return heard.body.n or ""
