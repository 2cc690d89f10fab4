"""The frames of a client: requests as bytes, and what a node sends as values.

docs/reference/protocol.md, sections 2 to 6 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from timtw.client.livespeech import LiveSpeech
from timtw.client.values import (
    NOTICE,
    REVOCATION,
    TEXT,
    Delivered,
    Expired,
    Login,
    Message,
    Presence,
    Read,
)
from timtw.client.wsframes import BadLine
from timtw.model.limits import CLIENT_FRAME_BYTES
from timtw.model.relations import Step
from timtw.model.roominfo import Entry
from timtw.model.roomsteps import RoomStep
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import ACK_BYTES, FLAG, FrameType
from timtw.protocols.roomrequests import (
    BARRED,
    BLOCKED_ROOMS,
    CHANGE_ROOM,
    MEMBERS,
    READ_ROOMS,
    ROOMS,
)
from timtw.protocols.structs import (
    Tid,
    TimAck,
    TimAuth,
    TimMessage,
    TimMessageList,
    TimNodes,
    TimPresence,
    TimReq,
    TimRoomBean,
    TimStream,
    TimUserBean,
    WireStruct,
)

ENCODINGS: Final = {"json": JSON, "thrift": THRIFT}
DELIVERED: Final = 8
"""The odType of a delivered mark."""
EXPIRED: Final = 9
"""The odType of the notice that the beginning of the log is gone."""
RELATIONS_CHANGED: Final = 10
"""The odType of the notice that lists of accounts have changed."""
READ: Final = 11
"""The odType of a read mark."""
PROFILES: Final = 4
CHANGE: Final = 6
READ_MARKS: Final = 67
"""The rtype of a request for the own read marks."""
_BEAN: Final = {
    "nickname": "nickName",
    "birthday": "brithday",
    "album": "photoTidAlbum",
}
"""How the protocol calls parts of a profile, where that differs."""
TO_ACCOUNT: Final = 2
_ROOM: Final = 3
_CONVERSATION: Final = 1
_OF_ROOM: Final = 2
_BY_NAME: Final = 64
_ROSTER: Final = 1
_BLOCKED: Final = 18
_ADDITIONS: Final = {"timtw": "1"}
_BODIES: Final[dict[int, type[WireStruct]]] = {
    FrameType.TIMACK: TimAck,
    FrameType.TIMOFFLINEMSG: TimMessageList,
    FrameType.TIMPULLMESSAGE: TimMessageList,
    FrameType.TIMNODES: TimNodes,
    FrameType.TIMMESSAGE: TimMessage,
    FrameType.TIMPRESENCE: TimPresence,
    FrameType.TIMSTREAM: TimStream,
}


@attrs.frozen
class Heard:
    """A frame of a node.

    Attributes:
        type: What the low 7 bits of its first byte say.
        receipt: The 4 bytes to send back, None if they are not wanted.
        body: Its payload; None if it has none, or of an unknown type.
    """

    type: int
    receipt: bytes | None
    body: WireStruct | None


class Speech(LiveSpeech):
    """The protocol in one of its encodings; it holds nothing else."""

    def __init__(self, encoding: str) -> None:
        """
        Args:
            encoding: ``json`` or ``thrift``.

        Raises:
            ValueError: it is neither.
        """
        if encoding not in ENCODINGS:
            raise ValueError(f"{encoding!r} is none of {', '.join(ENCODINGS)}")
        self._codec: Codec = ENCODINGS[encoding]
        self._flag = FLAG if self._codec is JSON else 0

    def _frame(self, kind: int, body: WireStruct | None = None) -> bytes:
        """One frame of a client."""
        payload = b"" if body is None else self._codec.encode(body)
        if len(payload) >= CLIENT_FRAME_BYTES:
            raise ValueError(f"longer than {CLIENT_FRAME_BYTES} bytes")
        return bytes((kind | self._flag,)) + payload

    def register(self, name: str, password: str, domain: str) -> bytes:
        """The body of a registration over HTTP."""
        body = TimAuth(name=name, pwd=password, domain=domain or None)
        return self._frame(FrameType.TIMREGISTER, body)

    def login(self, login: Login, credential: str) -> bytes:
        """A login with the additions, by ``credential`` if there is one."""
        secret = credential or login.token
        body = TimAuth(
            name=None if credential else login.name or None,
            pwd=None if credential else login.password or None,
            domain=login.domain or None,
            resource=login.resource,
            termtyp=login.termtyp,
            token=secret or None,
            extend=dict(_ADDITIONS),
        )
        return self._frame(FrameType.TIMAUTH, body)

    def ping(self) -> bytes:
        """A sign of life."""
        return self._frame(FrameType.TIMPING)

    def logout(self) -> bytes:
        """The end of the session and of its credential."""
        return self._frame(FrameType.TIMLOGOUT)

    def receipt(self, receipt: bytes) -> bytes:
        """An acknowledgement."""
        return bytes((FrameType.TIMACK | self._flag,)) + receipt

    def backlog(self, position: int | None) -> bytes:
        """What came behind ``position``, or behind what the node has noted."""
        body = None if position is None else TimReq(reqInt=position)
        return self._frame(FrameType.TIMOFFLINEMSG, body)

    def text(
        self, peer: str, text: str, ident: int, to_room: bool = False, within: str = ""
    ) -> bytes:
        """A text for everybody in a group, or for an account, maybe within a group."""
        room = peer if to_room else within
        body = TimMessage(
            msType=_ROOM if to_room else TO_ACCOUNT,
            odType=TEXT,
            id=ident,
            toTid=None if to_room else Tid(node=peer),
            roomTid=Tid(node=room) if room else None,
            dataString=text,
        )
        return self._frame(FrameType.TIMMESSAGE, body)

    def revoke(self, peer: str, mid: int, of_room: bool) -> bytes:
        """An own text is taken back."""
        body = TimMessage(
            msType=_ROOM if of_room else TO_ACCOUNT,
            odType=REVOCATION,
            mid=mid,
            toTid=None if of_room else Tid(node=peer),
            roomTid=Tid(node=peer) if of_room else None,
        )
        return self._frame(FrameType.TIMREVOKEMESSAGE, body)

    def find(self, name: str) -> bytes:
        """A look-up by exact name."""
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=_BY_NAME, reqStr=name))

    def profiles(self, nodes: list[str]) -> bytes:
        """A request for profiles."""
        return self._frame(FrameType.TIMNODES, TimNodes(ntype=PROFILES, nodelist=nodes))

    @property
    def in_pieces(self) -> bool:
        """Whether profiles may come in several frames; section 6.1."""
        return self._codec is THRIFT

    def end(self) -> bytes:
        """A request that is refused at once, and so ends what was asked before it."""
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=_BY_NAME))

    def describe(self, changes: Mapping[str, Any]) -> bytes:
        """A change of the own profile; ``changes`` has the names of ``Profile``."""
        named = {_BEAN.get(name, name): what for name, what in changes.items()}
        body = TimNodes(ntype=CHANGE, usermap={"": TimUserBean(**named)})
        return self._frame(FrameType.TIMNODES, body)

    def presence(self, shown: Presence, peers: Sequence[str] | None) -> bytes:
        """How this account is, for all friends or for these accounts."""
        body = TimPresence(
            subStatus=shown.purpose or None,
            toList=None if peers is None else list(peers),
            show=shown.show,
            status=shown.status or None,
            extend=dict(shown.extend) or None,
            extra=dict(shown.extra) or None,
        )
        broad = peers is None
        kind = FrameType.TIMBROADPRESENCE if broad else FrameType.TIMPRESENCE
        return self._frame(kind, body)

    def read_mark(self, peer: str, mid: int, in_group: bool = False) -> bytes:
        """How far a conversation, or that of a group, is read."""
        body = TimMessage(
            msType=_ROOM if in_group else TO_ACCOUNT,
            odType=READ,
            mid=mid,
            toTid=None if in_group else Tid(node=peer),
            roomTid=Tid(node=peer) if in_group else None,
        )
        return self._frame(FrameType.TIMMESSAGE, body)

    def read_marks(self, after: str) -> bytes:
        """A request for the own read marks, behind a node or from the first."""
        body = TimReq(rtype=READ_MARKS, node=after or None)
        return self._frame(FrameType.TIMBUSINESS, body)

    def friends(self, blocked: bool) -> bytes:
        """A request for the friends of the account, or for whom it blocks."""
        return self._frame(
            FrameType.TIMBUSINESS, TimReq(rtype=_BLOCKED if blocked else _ROSTER)
        )

    def relate(self, step: Step, peer: str, text: str | None) -> bytes:
        """Befriend, unfriend or block an account."""
        body = TimReq(rtype=int(step), node=peer, reqStr=text)
        return self._frame(FrameType.TIMBUSINESS, body)

    def groups(self, blocked: bool) -> bytes:
        """A request for the groups of the account, or for those that it blocks."""
        rtype = BLOCKED_ROOMS if blocked else ROOMS
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=rtype))

    def members(self, group: str, barred: bool) -> bytes:
        """A request for who is in a group, or for whom it bars."""
        body = TimReq(rtype=BARRED if barred else MEMBERS, node=group)
        return self._frame(FrameType.TIMBUSINESS, body)

    def new_group(self, topic: str, private: bool) -> bytes:
        """A wish for a new group."""
        entry = int(Entry.PRIVATE if private else Entry.OPEN)
        body = TimReq(rtype=int(RoomStep.CREATE), node=topic, reqInt=entry)
        return self._frame(FrameType.TIMBUSINESS, body)

    def group_step(
        self, step: RoomStep, group: str, peer: str | None, text: str
    ) -> bytes:
        """A step about a group, and perhaps another account."""
        body = TimReq(rtype=int(step), node=group, node2=peer, reqStr=text)
        return self._frame(FrameType.TIMBUSINESS, body)

    def group_info(self, groups: list[str]) -> bytes:
        """A request for what groups are."""
        body = TimNodes(ntype=READ_ROOMS, nodelist=groups)
        return self._frame(FrameType.TIMNODES, body)

    def change_group(self, group: str, bean: TimRoomBean) -> bytes:
        """A change of what a group is."""
        body = TimNodes(ntype=CHANGE_ROOM, roommap={group: bean})
        return self._frame(FrameType.TIMNODES, body)

    def history(
        self, peer: str, newest: int, count: int, of_room: bool = False
    ) -> bytes:
        """A request for the conversation with an account, or for that of a group."""
        kind = _OF_ROOM if of_room else _CONVERSATION
        body = TimReq(rtype=kind, node=peer, reqInt=newest, reqInt2=count)
        return self._frame(FrameType.TIMPULLMESSAGE, body)

    def hear(self, frame: bytes) -> Heard:
        """
        Read a frame of a node.

        Raises:
            BadLine: it is damaged.
        """
        if not frame:
            return Heard(0, None, None)
        kind, start, receipt = frame[0] & ~FLAG, 1, None
        if frame[0] & FLAG:
            start += ACK_BYTES
            receipt = frame[1:start]
            if len(receipt) < ACK_BYTES:
                raise BadLine("a frame without its receipt")
        struct = _BODIES.get(kind)
        if struct is None:
            return Heard(kind, receipt, None)
        try:
            return Heard(kind, receipt, self._codec.decode(struct, frame, start))
        except DecodeError as error:
            raise BadLine(f"a frame of type {kind} that is damaged") from error


def message_of(body: TimMessage, own_node: str) -> Message:
    """A message as the library's users see it."""
    sender = body.fromTid.node if body.fromTid is not None else ""
    recipient = body.toTid.node if body.toTid is not None else ""
    group = body.roomTid.node if body.roomTid is not None else ""
    own = sender == own_node
    if body.msType == _ROOM:
        recipient = sender
    return Message(
        peer=recipient if own else sender,
        own=own,
        text=body.dataString or "",
        mid=body.mid or 0,
        timestamp=body.timestamp or 0,
        ident=body.id or 0,
        seq=body.seq or 0,
        kind=body.odType,
        notice=(body.bnType or 0) if body.odType == NOTICE else 0,
        data=body.dataBinary or b"",
        group=group,
        to_group=body.msType == _ROOM,
    )


def notice_of(body: TimMessage, own_node: str) -> Delivered | Read | Expired | None:
    """What is told about messages, if this is no message itself."""
    reader = body.fromTid.node if body.fromTid is not None else ""
    if body.odType == DELIVERED:
        return Delivered(reader, body.mid or 0)
    room = body.roomTid.node if body.roomTid is not None else ""
    if body.odType == READ:
        own = reader == own_node
        other = body.toTid.node if body.toTid is not None else room
        peer, in_group = other if own else reader, body.msType == _ROOM
        return Read(peer, own, body.mid or 0, body.id or 0, in_group)
    return Expired(body.seq or 0, room) if body.odType == EXPIRED else None


def presence_of(body: TimPresence) -> Presence:
    """How somebody is, as the library's users see it."""
    sender = body.fromTid or Tid(node="")
    return Presence(
        peer=sender.node,
        gone=bool(body.offline),
        show=body.show or 0,
        status=body.status or "",
        purpose=body.subStatus or 0,
        resource=sender.resource or "",
        termtyp=sender.termtyp or 0,
        extend=body.extend or {},
        extra=body.extra or {},
    )
