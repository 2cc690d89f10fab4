"""Frames of a logged-in client become commands of the core.

docs/reference/protocol.md, sections 3 to 6. Pure functions: whatever cannot become
a command becomes ``Unacceptable`` with the error and a note for its answer. Big
data is not here, because it may be spread over several messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from timtw.model import commands
from timtw.model.commands import Command, Unacceptable
from timtw.model.errors import (
    BadParameter,
    TimError,
    Undecodable,
    WrongOldPassword,
)
from timtw.model.limits import DEVICE_BYTES, HISTORY_ENTRIES, NODE_LIST
from timtw.model.presence import Status
from timtw.model.relations import Circle, Step
from timtw.model.values import Device
from timtw.protocols import frames, liverequests, roomrequests, structs
from timtw.protocols.codecs import codec_for
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import ClientFrame, FrameType
from timtw.protocols.messages import marked_read, send_message
from timtw.protocols.profiles import about
from timtw.protocols.refusals import (
    ALLOW,
    BY_ACCOUNT,
    BY_ROOM,
    CHANGE_PASSWORD,
    CHANGE_PROFILE,
    DISALLOW,
    FIND,
    FORMS,
    READ_MARKS,
    READ_PROFILES,
    Note,
)
from timtw.protocols.roomrequests import CHANGE_ROOM, READ_ROOMS, UNSAID

T = TypeVar("T", bound=structs.WireStruct)

_STEPS: Final = frozenset(Step)
_CIRCLES: Final = frozenset([Circle.FRIENDS, Circle.BLOCKED])
_REQUESTS: Final = frozenset([Circle.ASKING, Circle.ASKED])
"""Lists that belong to the additions."""
_NANOSECONDS: Final = re.compile("[0-9]{1,19}", re.ASCII)
_NEWEST_TIME: Final = (1 << 63) - 1


class Wrong(Exception):
    """A request is refused: ``error`` says why, ``note`` what it was."""

    def __init__(self, error: TimError, note: Note) -> None:
        super().__init__(error, note)
        self.error = error
        self.note = note


def _decoded(
    struct: type[T], frame: ClientFrame, error: type[TimError] = BadParameter
) -> T:
    """The structure of a frame; Wrong with ``error`` if it is damaged."""
    try:
        return codec_for(frame.is_json).decode(struct, frame.payload)
    except DecodeError as damage:
        raise Wrong(error(), Note(frame.type)) from damage


@lru_cache(maxsize=1024)
def _shared_device(resource: str | None, kind: int | None) -> Device:
    """A device; most clients of one program state the same, and share it."""
    return Device(resource, kind)


def _device(resource: str | None, kind: int | None) -> Device:
    """A device. One whose text is too long is refused later, and not remembered."""
    if resource is not None and len(resource) > DEVICE_BYTES:
        return Device(resource, kind)
    return _shared_device(resource, kind)


def login(frame: ClientFrame) -> Command:
    """Type 16. The codec of the frame goes along, for the answer and what follows."""
    codec = codec_for(frame.is_json)
    try:
        auth = codec.decode(structs.TimAuth, frame.payload)
    except DecodeError:
        note = Note(FrameType.TIMAUTH, codec=codec)
        return Unacceptable(BadParameter(), at_login=True, about=note)
    return commands.LogIn(
        name=auth.name or "",
        password=auth.pwd or "",
        token=auth.token or "",
        domain=auth.domain or "",
        device=_device(auth.resource, auth.termtyp),
        additions=auth.extend is not None and auth.extend.get("timtw") == "1",
        about=codec,
    )


def _login(frame: ClientFrame, additions: bool) -> Command:
    """Type 16."""
    return login(frame)


def _ping(frame: ClientFrame, additions: bool) -> Command:
    """Type 13."""
    return commands.Ping()


def _fetch_backlog(frame: ClientFrame, additions: bool) -> Command:
    """Type 17; its body means something only with the additions."""
    if additions and frame.payload:
        try:
            request = codec_for(frame.is_json).decode(structs.TimReq, frame.payload)
        except DecodeError:
            return commands.FetchBacklog()
        if request.reqInt is not None:
            return commands.FetchBacklog(max(0, request.reqInt), request.node or "")
    return commands.FetchBacklog()


def _log_out(frame: ClientFrame, additions: bool) -> Command:
    """Type 20, which only the additions know."""
    if additions:
        return commands.LogOut()
    raise Wrong(BadParameter(), Note(frame.type))


def _pull_history(frame: ClientFrame, additions: bool) -> Command:
    """Type 21, docs/reference/protocol.md, section 6.4."""
    request = _decoded(structs.TimReq, frame)
    note = Note(frame.type, t=request.rtype, n=request.node)
    newest, count = request.reqInt, request.reqInt2
    if request.rtype is None or request.node is None:
        raise Wrong(BadParameter(), note)
    if newest is None or newest < 0 or count is None:
        raise Wrong(BadParameter(), note)
    if request.rtype not in (BY_ACCOUNT, BY_ROOM):
        raise Wrong(BadParameter(), note)
    until: int | None = None
    if newest == 0 and request.node2:
        if not _NANOSECONDS.fullmatch(request.node2):
            raise Wrong(BadParameter(), note)
        until = min(int(request.node2), _NEWEST_TIME)
    count = min(max(count, 1), HISTORY_ENTRIES)
    of_room = request.rtype == BY_ROOM
    return commands.PullHistory(request.node, newest, count, until, of_room)


def _business(frame: ClientFrame, additions: bool) -> Command:
    """Type 41, docs/reference/protocol.md, section 5."""
    request = _decoded(structs.TimReq, frame)
    note = Note(frame.type, t=request.rtype, n=request.node, n2=request.node2)
    if request.rtype in roomrequests.business_of(additions):
        command = roomrequests.business(request)
        if command is None:
            is_step = request.rtype in roomrequests.STEPS
            raise Wrong(BadParameter(), note if is_step else Note(frame.type))
        return command
    if request.rtype in _CIRCLES or (additions and request.rtype in _REQUESTS):
        return commands.ListRelations(Circle(request.rtype))
    if request.rtype in _STEPS:
        return _change_relation(Step(request.rtype), request, frame)
    if request.rtype == CHANGE_PASSWORD:
        if request.reqStr is None or request.reqStr2 is None:
            raise Wrong(WrongOldPassword(), Note(frame.type))
        return commands.ChangePassword(request.reqStr, request.reqStr2)
    if additions and request.rtype == FIND and request.reqStr:
        return commands.FindAccount(request.reqStr)
    if additions and request.rtype == READ_MARKS:
        return commands.ListReadMarks(request.node)
    raise Wrong(BadParameter(), note)


def _change_relation(
    step: Step, request: structs.TimReq, frame: ClientFrame
) -> Command:
    """Befriend, unfriend, block; refusals repeat nothing of the request."""
    text = request.reqStr if step is Step.ASK else None
    if request.node is None or (step is Step.ASK and text is None):
        raise Wrong(BadParameter(), Note(frame.type))
    return commands.ChangeRelation(step, request.node, text)


def _nodes(frame: ClientFrame, additions: bool) -> Command:
    """Type 42, docs/reference/protocol.md, section 6.1."""
    request = _decoded(structs.TimNodes, frame)
    wanted = _wanted(request)
    is_unsaid = wanted == UNSAID and request.nodelist
    note = Note(frame.type, t=READ_PROFILES if is_unsaid else wanted)
    if wanted == READ_PROFILES and request.nodelist:
        if len(request.nodelist) <= NODE_LIST:
            return commands.ReadProfiles(tuple(dict.fromkeys(request.nodelist)))
    elif wanted == CHANGE_PROFILE and request.usermap and len(request.usermap) == 1:
        return _change_profile(next(iter(request.usermap.values())), note)
    elif wanted in (READ_ROOMS, CHANGE_ROOM, UNSAID):
        command = roomrequests.nodes(wanted, request)
        if command is not None:
            return command
    raise Wrong(BadParameter(), note)


def _wanted(request: structs.TimNodes) -> int:
    """The ntype; one client always sends 0 and means what the content says."""
    if request.ntype == UNSAID:
        if request.usermap:
            return CHANGE_PROFILE
        if request.roommap:
            return CHANGE_ROOM
    return request.ntype


def _change_profile(profile: structs.TimUserBean | None, note: Note) -> Command:
    """The fields that are set are changed; ``createtime`` is the server's."""
    if profile is None:
        raise Wrong(BadParameter(), note)
    return commands.ChangeProfile(about(profile))


def _message(frame: ClientFrame, additions: bool) -> Command:
    """Types 90, 92 and 93."""
    message = _decoded(structs.TimMessage, frame, Undecodable)
    if additions:
        mark = marked_read(message)
        if mark is not None:
            return mark
    return send_message(message, FORMS[frame.type])


def _presence(frame: ClientFrame, additions: bool) -> Command:
    """Types 19 and 91, docs/reference/protocol.md, section 4.4."""
    presence = _decoded(structs.TimPresence, frame, Undecodable)
    return commands.ShowPresence(
        status=Status(
            presence.show,
            presence.status,
            presence.subStatus,
            presence.extend,
            presence.extra,
        ),
        peer=None if presence.toTid is None else presence.toTid.node,
        peers=None if presence.toList is None else tuple(presence.toList),
        broad=frame.type == FrameType.TIMBROADPRESENCE,
        ident=presence.id or None,
    )


def _virtual_room(frame: ClientFrame, additions: bool) -> Command:
    """Type 22."""
    request = _decoded(structs.TimReq, frame)
    command = liverequests.request(request)
    if not isinstance(command, TimError):
        return command
    is_about = request.rtype in (ALLOW, DISALLOW)
    node = request.node2 if is_about else request.node
    raise Wrong(command, Note(frame.type, t=request.rtype, n=node))


def _stream(frame: ClientFrame, additions: bool) -> Command:
    """Type 94."""
    stream = _decoded(structs.TimStream, frame)
    command = liverequests.push(stream)
    if isinstance(command, TimError):
        raise Wrong(command, Note(frame.type, n=stream.VNode))
    return command


_ACK: Final = int(FrameType.TIMACK)
"""The most frequent type, as what it is: members of an enumeration are slow to find."""
Reader: TypeAlias = Callable[[ClientFrame, bool], Command]
_READERS: Final[dict[int, Reader]] = {
    FrameType.TIMPING: _ping,
    FrameType.TIMAUTH: _login,
    FrameType.TIMMESSAGE: _message,
    FrameType.TIMREVOKEMESSAGE: _message,
    FrameType.TIMBURNMESSAGE: _message,
    FrameType.TIMOFFLINEMSG: _fetch_backlog,
    FrameType.TIMLOGOUT: _log_out,
    FrameType.TIMPULLMESSAGE: _pull_history,
    FrameType.TIMBUSINESS: _business,
    FrameType.TIMNODES: _nodes,
    FrameType.TIMBROADPRESENCE: _presence,
    FrameType.TIMPRESENCE: _presence,
    FrameType.TIMVROOM: _virtual_room,
    FrameType.TIMSTREAM: _stream,
}


def read(frame: ClientFrame, additions: bool) -> Command | None:
    """The command of a frame; ``None`` for one that is to be ignored.

    Args:
        additions: Whether this client has asked for the additions of timtw.
    """
    type = frame.type
    if type == _ACK:
        receipt = frames.ack_id(frame.payload)
        return None if receipt is None else commands.Acknowledge(receipt)
    reader = _READERS.get(type)
    if reader is None:
        return Unacceptable(BadParameter(), about=Note(type))
    try:
        return reader(frame, additions)
    except Wrong as wrong:
        return Unacceptable(wrong.error, about=wrong.note)
