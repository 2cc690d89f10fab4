"""Requests about groups, and answers that come in several frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from timtw.client.heard import Heard
from timtw.client.refusals import refusal
from timtw.client.requests import Request
from timtw.client.values import Group, Refused, Unsure
from timtw.model.roominfo import Entry
from timtw.protocols.frames import FrameType
from timtw.protocols.refusals import READ_PROFILES
from timtw.protocols.structs import TimAck, TimNodes, TimRoomBean


def _is_own_profile(heard: Heard) -> bool:
    """Whether this answers a request for a profile, if only with a refusal."""
    body = heard.body
    if isinstance(body, TimAck):
        return body.timType == FrameType.TIMNODES and body.t == READ_PROFILES
    return isinstance(body, TimNodes) and body.ntype == READ_PROFILES


@attrs.define
class Spread(Request):
    """An answer of several frames whose number is not announced.

    A request for the own profile goes behind it, and its answer is the end.

    Attributes:
        read: Makes the result of all frames.
    """

    read: Callable[[list[TimNodes]], Any]
    found: list[TimNodes] = attrs.Factory(list)
    error: Refused | None = None

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        if _is_own_profile(heard):
            return True, self.error or self.read(self.found)
        if isinstance(heard.body, TimNodes):
            self.found.append(heard.body)
        error = refusal(heard, FrameType.TIMBUSINESS, FrameType.TIMNODES)
        self.error = self.error or error
        return False, None

    def again(self) -> None:
        """Forget a part of an answer: the request goes out once more."""
        self.found, self.error = [], None


def nodes_in(answers: list[TimNodes]) -> list[str]:
    """The nodes of a list."""
    return [node for one in answers for node in one.nodelist or ()]


def groups_in(answers: list[TimNodes]) -> dict[str, Group]:
    """What groups are, by node."""
    found: dict[str, TimRoomBean] = {}
    for one in answers:
        found.update(one.roommap or {})
    return {node: _group(node, bean) for node, bean in found.items()}


def _group(node: str, bean: TimRoomBean) -> Group:
    """What a group is."""
    return Group(
        node=node,
        topic=bean.topic or "",
        founder=bean.founder or "",
        managers=tuple(bean.managers or ()),
        private=bean.gtype == Entry.PRIVATE,
        created=bean.createtime or 0,
        label=bean.label or "",
        cover=bean.cover or "",
    )


@attrs.define
class Create(Request):
    """A new group, or virtual room; the answer is its node.

    It is not asked for twice: where the line was lost a request for the own profile
    takes its place, and nobody knows what became of it.

    Attributes:
        instead: The frame of that request.
        is_lost: Whether the line was lost.
        about: The type of its answer.
    """

    instead: bytes = b""
    is_lost: bool = False
    about: int = FrameType.TIMBUSINESS

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        if self.is_lost:
            told = "the line was lost; whether there is a new one is not known"
            return _is_own_profile(heard), Unsure(told)
        ack = heard.body
        if not isinstance(ack, TimAck) or ack.timType != self.about:
            return False, None
        return True, refusal(heard, self.about) or ack.n or ""

    def again(self) -> None:
        """It went out on a line that was lost."""
        self.frames, self.is_lost = [self.instead], True


@attrs.define
class Deliver(Request):
    """A big text, or octets, which is answered only if it is refused.

    A request for the own profile goes behind it, and its answer is the end. It is not
    sent twice, as in ``Create``.
    """

    instead: bytes = b""
    error: Exception | None = None

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        big = (FrameType.TIMBIGSTRING, FrameType.TIMBIGBINARY)
        self.error = self.error or refusal(heard, *big)
        return _is_own_profile(heard), self.error

    def again(self) -> None:
        """It went out on a line that was lost."""
        self.frames = [self.instead]
        self.error = Unsure("the line was lost; whether it arrived is not known")
