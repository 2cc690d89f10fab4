"""The frames of a client: requests as bytes, and what a node sends as values.

docs/reference/protocol.md, sections 2 to 6 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from timtw.client.groupspeech import GroupSpeech
from timtw.client.heard import BODIES, Heard
from timtw.client.livespeech import LiveSpeech
from timtw.client.values import (
    REVOCATION,
    TEXT,
    Login,
    Presence,
)
from timtw.client.wsframes import BadLine
from timtw.model.limits import CLIENT_FRAME_BYTES
from timtw.model.relations import Step
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.errors import DecodeError
from timtw.protocols.frames import ACK_BYTES, FLAG, FrameType
from timtw.protocols.messages import TO_ACCOUNT, TO_ROOM
from timtw.protocols.refusals import (
    BY_ACCOUNT,
    BY_ROOM,
    CHANGE_PROFILE,
    FIND,
    READ,
    READ_MARKS,
    READ_PROFILES,
)
from timtw.protocols.structs import (
    Tid,
    TimAuth,
    TimMessage,
    TimNodes,
    TimPresence,
    TimReq,
    TimUserBean,
    WireStruct,
)

ENCODINGS: Final = {"json": JSON, "thrift": THRIFT}
_BEAN: Final = {
    "nickname": "nickName",
    "birthday": "brithday",
    "album": "photoTidAlbum",
}
"""How the protocol calls parts of a profile, where that differs."""
_ROSTER: Final = 1
_BLOCKED: Final = 18
_ADDITIONS: Final = {"timtw": "1"}


class Speech(LiveSpeech, GroupSpeech):
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
            msType=TO_ROOM if to_room else TO_ACCOUNT,
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
            msType=TO_ROOM if of_room else TO_ACCOUNT,
            odType=REVOCATION,
            mid=mid,
            toTid=None if of_room else Tid(node=peer),
            roomTid=Tid(node=peer) if of_room else None,
        )
        return self._frame(FrameType.TIMREVOKEMESSAGE, body)

    def find(self, name: str) -> bytes:
        """A look-up by exact name."""
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=FIND, reqStr=name))

    def profiles(self, nodes: list[str]) -> bytes:
        """A request for profiles."""
        return self._frame(
            FrameType.TIMNODES, TimNodes(ntype=READ_PROFILES, nodelist=nodes)
        )

    @property
    def in_pieces(self) -> bool:
        """Whether profiles may come in several frames; section 6.1."""
        return self._codec is THRIFT

    def end(self) -> bytes:
        """A request that is refused at once, and so ends what was asked before it."""
        return self._frame(FrameType.TIMBUSINESS, TimReq(rtype=FIND))

    def describe(self, changes: Mapping[str, Any]) -> bytes:
        """A change of the own profile; ``changes`` has the names of ``Profile``."""
        named = {_BEAN.get(name, name): what for name, what in changes.items()}
        body = TimNodes(ntype=CHANGE_PROFILE, usermap={"": TimUserBean(**named)})
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
            msType=TO_ROOM if in_group else TO_ACCOUNT,
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

    def history(
        self, peer: str, newest: int, count: int, of_room: bool = False
    ) -> bytes:
        """A request for the conversation with an account, or for that of a group."""
        kind = BY_ROOM if of_room else BY_ACCOUNT
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
        struct = BODIES.get(kind)
        if struct is None:
            return Heard(kind, receipt, None)
        try:
            return Heard(kind, receipt, self._codec.decode(struct, frame, start))
        except DecodeError as error:
            raise BadLine(f"a frame of type {kind} that is damaged") from error
