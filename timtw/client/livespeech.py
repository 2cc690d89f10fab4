"""Virtual rooms, pieces of streams, big data and signals as frames, both ways.

docs/reference/protocol.md, sections 2.4, 4.5, 6.2, 6.3 and 12.14.
docs/how-to/live-rooms.md says what signals are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from timtw.client.values import Big, Ended, Frame, Missed, Signal
from timtw.client.wsframes import BadLine
from timtw.protocols.bigdata import BINARY_SEPARATOR, TEXT_SEPARATOR
from timtw.protocols.frames import BIG_DATA, FrameType
from timtw.protocols.messages import DROPPED, ENDED, STREAM, TO_ACCOUNT
from timtw.protocols.refusals import (
    ALLOW,
    CREATE,
    DISALLOW,
    REMOVE,
    SUBSCRIBE,
    UNSUBSCRIBE,
)
from timtw.protocols.structs import Tid, TimMessage, TimReq, TimStream, WireStruct

_MARK: Final = "timtw"
"""The key by which a signal is known; its value is 1."""


class LiveSpeech:
    """The part of the protocol that passes on what nobody keeps."""

    def _frame(self, kind: int, body: WireStruct | None = None) -> bytes:
        """One frame of a client."""
        raise NotImplementedError

    def _vroom(self, kind: int, room: str | None = None, **more: Any) -> bytes:
        """A request about a virtual room."""
        body = TimReq(rtype=kind, node=room, **more)
        return self._frame(FrameType.TIMVROOM, body)

    def new_live(self, loses_nothing: bool) -> bytes:
        """A wish for a virtual room."""
        return self._vroom(CREATE, reqInt=1 if loses_nothing else None)

    def end_live(self, room: str) -> bytes:
        """The end of a virtual room."""
        return self._vroom(REMOVE, room)

    def allow(self, room: str, peer: str, allowed: bool) -> bytes:
        """An account may push, or no longer."""
        return self._vroom(ALLOW if allowed else DISALLOW, room, node2=peer)

    def subscribe(self, room: str, binary: bool) -> bytes:
        """A wish for what is pushed into a virtual room."""
        return self._vroom(SUBSCRIBE, room, reqInt=1 if binary else None)

    def unsubscribe(self, room: str) -> bytes:
        """Nothing more of a virtual room."""
        return self._vroom(UNSUBSCRIBE, room)

    def push(self, room: str, body: bytes, dtype: int | None) -> bytes:
        """A piece of a stream: raw where it has no kind, which costs least."""
        if dtype is None:
            return _big(FrameType.TIMBIGBINARYSTREAM, room, BINARY_SEPARATOR, body)
        stream = TimStream(id=0, VNode=room, dtype=dtype, body=body, fromNode="")
        return self._frame(FrameType.TIMSTREAM, stream)

    def big(self, peer: str, content: str | bytes) -> bytes:
        """A big text, or octets, for an account."""
        if isinstance(content, str):
            text = content.encode()
            return _big(FrameType.TIMBIGSTRING, peer, TEXT_SEPARATOR, text)
        return _big(FrameType.TIMBIGBINARY, peer, BINARY_SEPARATOR, content)

    def signal(self, peer: str, content: Mapping[str, Any], ident: int) -> bytes:
        """Something that one program tells another, and no person reads."""
        body = TimMessage(
            msType=TO_ACCOUNT,
            odType=STREAM,
            id=ident,
            toTid=Tid(node=peer),
            dataString=json.dumps({_MARK: 1, **content}),
        )
        return self._frame(FrameType.TIMMESSAGE, body)


def _big(kind: int, node: str, separator: bytes, data: bytes) -> bytes:
    """A big-data frame in the usual form."""
    rest = node.encode() + separator + data
    return bytes((kind,)) + (5 + len(rest)).to_bytes(4, "big") + rest


def passed_on(frame: bytes) -> Frame | Big | None:
    """
    What a frame without a structure holds; ``None`` if it has one.

    Raises:
        BadLine: it is damaged.
    """
    if not frame or frame[0] not in BIG_DATA:
        return None
    kind = frame[0]
    is_text = kind == FrameType.TIMBIGSTRING
    separator = TEXT_SEPARATOR if is_text else BINARY_SEPARATOR
    head, found, data = frame[1:].partition(separator)
    if not found:
        raise BadLine(f"a frame of type {kind} that is damaged")
    node = head.decode("ascii", "replace")
    if kind == FrameType.TIMBIGBINARYSTREAM:
        return Frame(node, data)
    text = data.decode("utf-8", "replace") if is_text else ""
    return Big(node, text, b"" if is_text else data)


def frame_of(stream: TimStream) -> Frame:
    """A piece of a stream that came with its structure."""
    return Frame(
        stream.VNode,
        stream.body or b"",
        stream.fromNode or "",
        stream.dtype,
        stream.id or 0,
    )


def told_of(body: TimMessage) -> Missed | Ended | Signal | None:
    """A notice of a virtual room or a signal, if a message is one."""
    room = body.roomTid.node if body.roomTid is not None else ""
    if body.odType == DROPPED:
        return Missed(room, body.mid or 0)
    if body.odType == ENDED:
        return Ended(room, body.dataString or "")
    if body.odType != STREAM or body.fromTid is None or not body.dataString:
        return None
    try:
        content = json.loads(body.dataString)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get(_MARK) != 1:
        return None
    return Signal(body.fromTid.node, content)
