"""What a client asks and is answered in order: look-ups, profiles, names, history.

Answers come in the order of the requests (docs/reference/protocol.md, section 1.5), so
whatever is no message belongs to the oldest request. None of these changes anything
when it is asked twice, so all without an answer are asked again on a new line.
"""

from __future__ import annotations

from typing import Any

import attrs

from timtw.client.happenings import Answered
from timtw.client.heard import Heard, message_of
from timtw.client.refusals import refusal
from timtw.client.values import Busy, Message, Profile, Refused
from timtw.model.limits import CLIENT_WAITING
from timtw.protocols.frames import FrameType
from timtw.protocols.structs import TimAck, TimMessageList, TimNodes


@attrs.define
class Request:
    """One request without an answer yet.

    Attributes:
        number: By what its answer is told.
        frames: What to send for it.
        sent: Whether that may have gone out.
    """

    number: int
    frames: list[bytes]
    sent: bool = attrs.field(default=False, kw_only=True)

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """Whether this frame completes the answer, and then the answer."""
        raise NotImplementedError

    def again(self) -> None:
        """It goes out once more: what was heard of the answer does not count."""


def _profiles(heard: Heard) -> list[Profile] | None:
    """The accounts in a frame; None if it is no such frame."""
    body = heard.body
    if heard.type != FrameType.TIMNODES or not isinstance(body, TimNodes):
        return None
    return [
        Profile(
            node=node,
            name=bean.name or "",
            created=bean.createtime or 0,
            nickname=bean.nickName or "",
            birthday=bean.brithday or "",
            gender=bean.gender or 0,
            cover=bean.cover or "",
            area=bean.area or "",
            album=tuple(bean.photoTidAlbum or ()),
            extend=bean.extend or {},
            extra=bean.extra or {},
        )
        for node, bean in (body.usermap or {}).items()
    ]


class Find(Request):
    """A look-up by name; the answer is a profile or None."""

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        found = _profiles(heard)
        if found is not None:
            return True, next(iter(found), None)
        error = refusal(heard, FrameType.TIMBUSINESS)
        return error is not None, error


@attrs.define
class Profiles(Request):
    """Profiles of nodes; the answer is a dictionary with those that exist.

    Where they may come in pieces (section 6.1), a request that is refused goes behind
    it, and its refusal is the end.
    """

    found: dict[str, Profile] = attrs.Factory(dict)
    error: Refused | None = None

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        found = _profiles(heard)
        self.found |= {profile.node: profile for profile in found or ()}
        self.error = self.error or refusal(heard, FrameType.TIMNODES)
        if len(self.frames) > 1:
            done = refusal(heard, FrameType.TIMBUSINESS) is not None
        else:
            done = found is not None or self.error is not None
        return done, self.error or self.found

    def again(self) -> None:
        """Forget a part of an answer: the request goes out once more."""
        self.found, self.error = {}, None


class ReadMarks(Request):
    """The own read marks, which come before it; the answer is where to go on."""

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        error = refusal(heard, FrameType.TIMBUSINESS)
        ack = heard.body
        if isinstance(ack, TimAck) and ack.timType == FrameType.TIMBUSINESS:
            return True, error or ack.n or ""
        return False, None


class Describe(Request):
    """A change of the own profile; the answer is None."""

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        error = refusal(heard, FrameType.TIMNODES)
        ack = heard.body
        done = isinstance(ack, TimAck) and ack.timType == FrameType.TIMNODES
        return done, error


@attrs.define
class Relate(Request):
    """A change of what accounts, or an account and a group, are; the answer is None.

    Attributes:
        done: The error code that says that there is nothing to change.
        asked_again: Whether it went out on a second line, and may have been carried
            out on the first.
        about: The type of its answer.
    """

    done: int = 0
    asked_again: bool = False
    about: int = FrameType.TIMBUSINESS

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        error = refusal(heard, self.about)
        if error is not None and self.asked_again and error.code == self.done:
            error = None
        ack = heard.body
        return isinstance(ack, TimAck) and ack.timType == self.about, error

    def again(self) -> None:
        """The first time may have had its effect."""
        self.asked_again = True


class Revoke(Request):
    """The wish to take a text back; the answer is None."""

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        error = refusal(heard, FrameType.TIMREVOKEMESSAGE)
        ack = heard.body
        about = isinstance(ack, TimAck) and ack.timType == FrameType.TIMREVOKEMESSAGE
        return about, error


@attrs.define
class History(Request):
    """A part of a conversation; the answer is a list of messages, newest first.

    On Thrift the number of frames is not announced (section 6.4), so a request for the
    own profile goes behind it, and its answer is the end.
    """

    found: list[Message] = attrs.Factory(list)
    error: Refused | None = None

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        body = heard.body
        if isinstance(body, TimMessageList):
            self.found += [message_of(m, own_node) for m in body.messageList or ()]
        self.error = self.error or refusal(heard, FrameType.TIMPULLMESSAGE)
        if _profiles(heard) is None and refusal(heard, FrameType.TIMNODES) is None:
            return False, None
        return True, self.error or self.found

    def again(self) -> None:
        """Forget a part of an answer: the request goes out once more."""
        self.found, self.error = [], None


class Asking:
    """The requests of one session without an answer, in their order."""

    def __init__(self) -> None:
        self._requests: list[Request] = []

    def add(self, request: Request) -> None:
        """
        Keep a request until it is answered.

        Raises:
            Busy: too much is waiting.
        """
        if len(self._requests) >= CLIENT_WAITING:
            raise Busy("too many requests have no answer yet")
        self._requests.append(request)

    def lost(self) -> list[bytes]:
        """The line was lost: the frames that go out on the next."""
        for request in self._requests:
            if request.sent:
                request.again()
            request.sent = True
        return [frame for request in self._requests for frame in request.frames]

    def hears(self, heard: Heard, own_node: str) -> list[Answered]:
        """A frame that is no message: the answer that it completes, if it does."""
        if heard.body is None or not self._requests:
            return []
        request = self._requests[0]
        done, result = request.hears(heard, own_node)
        if not done:
            return []
        del self._requests[0]
        return [Answered(request.number, result)]

    def give_up(self, size: int) -> int:
        """Forget a request with a frame of this length; its number, 0 if none has."""
        for place, request in enumerate(self._requests):
            if size in map(len, request.frames):
                del self._requests[place]
                return request.number
        return 0
