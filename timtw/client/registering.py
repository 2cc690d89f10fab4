"""New accounts, over HTTP; docs/reference/protocol.md, sections 1.4 and 10.1."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from twisted.internet.error import ConnectError, DNSLookupError, TimeoutError
from twisted.web.client import Agent, FileBodyProducer, ResponseFailed, readBody

from timtw.client.addresses import NodeAddress
from timtw.client.requests import refusal
from timtw.client.values import Refused, Unreachable
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
        addresses: As for ``connect``; the first that is a WebSocket's is asked.

    Raises:
        Refused: 4101 means that the name is taken.
        Unreachable: no answer came.
        ValueError: there is no address of a WebSocket, or no such encoding.
    """
    urls = [NodeAddress.parsed(address).web for address in addresses]
    url = next(filter(None, urls), None)
    if url is None:
        raise ValueError("registering needs an address like ws://host:5080/tim")
    speech = Speech(encoding)
    body = FileBodyProducer(BytesIO(speech.register(name, password, domain)))
    agent = Agent(reactor, connectTimeout=CLIENT_LINE_SECONDS)
    try:
        response = await agent.request(b"POST", url.encode("ascii"), bodyProducer=body)
        heard = speech.hear(await readBody(response))
    except (ConnectError, DNSLookupError, TimeoutError, ResponseFailed) as error:
        raise Unreachable(str(error)) from error
    except BadLine as error:
        raise Unreachable("what answers there is no node") from error
    refused = refusal(heard, FrameType.TIMREGISTER)
    if refused is not None:
        raise refused
    if not isinstance(heard.body, TimAck):
        raise Refused(0, "what answers there is no node")
    return heard.body.n or ""
