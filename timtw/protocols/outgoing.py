"""Events of the core become frames for one client.

docs/reference/protocol.md, sections 2.2 and 3.2. Until a login has succeeded a
client has no codec, and nothing but the refusal of a login can be said to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from timtw.model import events, values
from timtw.model.events import Event
from timtw.model.progress import ReadMark
from timtw.model.relations import Circle, Step
from timtw.model.values import LogEntry
from timtw.protocols import liveanswers, roomanswers, structs
from timtw.protocols.codecs import THRIFT, Codec
from timtw.protocols.encodings import Encodings
from timtw.protocols.frames import FrameType, acked_frame, server_frame
from timtw.protocols.lists import (
    form_of,
    message_list,
    node_size,
    portions,
    shares,
)
from timtw.protocols.messages import (
    LIVE,
    TO_ACCOUNT,
    TO_ROOM,
    Copy,
    delivered_mark,
    expiry,
    lists_changed,
    read_mark,
)
from timtw.protocols.presences import shown_presence
from timtw.protocols.profiles import profile_lists
from timtw.protocols.refusals import (
    CHANGE_PASSWORD,
    CHANGE_PROFILE,
    READ_MARKS,
    note_of,
    refusal,
)

PONG: Final = server_frame(FrameType.TIMPING)
REMOVALS: Final = {
    values.REVOCATION: FrameType.TIMREVOKEMESSAGE,
    values.BURN: FrameType.TIMBURNMESSAGE,
}
"""The type that a removal is confirmed with, whichever it was asked with."""
LISTS_BLOCKED: Final = 8
"""The ntype of an answer with blocked accounts; of other lists it is the rtype."""
END_OF_BACKLOG: Final = server_frame(FrameType.TIMOFFLINEMSGEND)


_MESSAGE: Final = int(FrameType.TIMMESSAGE)


def ack_frame(codec: Codec, ack: structs.TimAck) -> bytes:
    """The frame of a TimAck; its type byte is the same in both codecs."""
    return server_frame(FrameType.TIMACK, codec.encode(ack))


def nodes_frames(codec: Codec, answers: list[structs.TimNodes]) -> list[bytes]:
    """The frames of an answer that may be spread over several."""
    return [server_frame(FrameType.TIMNODES, codec.encode(one)) for one in answers]


class Speaker:
    """What one client is told, in the codec of its login.

    ``codec`` is ``None`` until a login has succeeded; ``additions`` is whether that
    login asked for the additions of timtw, ``account`` whose it was.
    """

    __slots__ = ("_encodings", "account", "additions", "codec")

    def __init__(self, encodings: Encodings) -> None:
        self._encodings = encodings
        self.codec: Codec | None = None
        self.additions = False
        self.account = 0

    def encode(self, event: Event) -> list[bytes]:
        """The frames that tell ``event``; none if this client cannot be told."""
        kind = type(event)
        if kind is events.LoggedIn:
            return self._logged_in(event)  # type: ignore[arg-type]
        if kind is events.Refused:
            return self._refused(event)  # type: ignore[arg-type]
        if self.codec is None:
            return []
        return _WRITERS[kind](self, self.codec, event)

    def measure(self, entry: LogEntry) -> int:
        """The bytes of ``entry`` in a page of the backlog."""
        codec = self.codec or THRIFT
        return form_of(codec).size_of(self._waiting(codec, entry))

    @property
    def page_bytes(self) -> int:
        """The bytes of entries that fit into one page."""
        return form_of(self.codec or THRIFT).room

    def _logged_in(self, event: events.LoggedIn) -> list[bytes]:
        """Fix the codec; the credential follows right behind the answer."""
        about = event.command.about
        codec = self.codec = about if isinstance(about, Codec) else THRIFT
        self.additions = event.command.additions
        self.account = event.address.number
        answer = structs.TimAck(
            ok=True,
            timType=FrameType.TIMAUTH,
            t=event.server,
            n=event.address.node,
            t2=event.head if self.additions else None,
            n2=event.connection,
        )
        return [ack_frame(codec, answer), *self._credential(codec, event.credential)]

    def _credential(self, codec: Codec, credential: str | None) -> list[bytes]:
        """The frame of a resume credential, for those who asked for additions."""
        if credential is None or not self.additions:
            return []
        given = structs.TimAck(ok=True, timType=FrameType.TIMTOKEN, n=credential)
        return [ack_frame(codec, given)]

    def _password_changed(
        self, codec: Codec, event: events.PasswordChanged
    ) -> list[bytes]:
        done = structs.TimAck(ok=True, timType=FrameType.TIMBUSINESS, t=CHANGE_PASSWORD)
        return [ack_frame(codec, done), *self._credential(codec, event.credential)]

    def _refused(self, event: events.Refused) -> list[bytes]:
        """A login is refused in its own codec, everything else in the client's."""
        note = note_of(event.command)
        codec = note.codec or self.codec
        if codec is None:
            return []
        return [ack_frame(codec, refusal(note, event.error))]

    def _numbered(self, codec: Codec, body: bytes, entry: LogEntry) -> bytes:
        """An encoded entry, with its number in the log for those who know it."""
        return codec.with_seq(body, entry.seq) if self.additions else body

    def _waiting(self, codec: Codec, entry: LogEntry) -> bytes:
        """An entry of the backlog, encoded."""
        copy = Copy.BACKLOG_WITH_ID if self.additions else Copy.BACKLOG
        body = self._encodings.encoded(codec, entry.message, copy)
        return self._numbered(codec, body, entry)

    def _delivery(self, codec: Codec, event: events.Delivery) -> list[bytes]:
        return [self.delivered(event)]

    def delivered(self, event: events.Delivery) -> bytes:
        """The frame of one entry; nothing for a client that is not logged in."""
        codec, entry = self.codec, event.entry
        if codec is None:
            return b""
        if event.backlog:
            body = self._waiting(codec, entry)
        else:
            body = self._encodings.encoded(codec, entry.message, LIVE)
            if self.additions:
                body = codec.with_seq(body, entry.seq)
        if event.receipt:
            return acked_frame(_MESSAGE, event.receipt, body)
        return server_frame(_MESSAGE, body)

    def _deliveries(self, codec: Codec, event: events.Deliveries) -> list[bytes]:
        encoded, seq = self._encodings.encoded, self.additions
        frames = []
        for receipt, entry in enumerate(event.entries, event.receipt):
            body = encoded(codec, entry.message, LIVE)
            if seq:
                body = codec.with_seq(body, entry.seq)
            frames.append(acked_frame(_MESSAGE, receipt, body))
        return frames

    def salvo(self, event: events.Deliveries, pack: Callable[[bytes], bytes]) -> bytes:
        """The same, as bytes of a transport that packs each frame with ``pack``."""
        codec = self.codec
        if codec is None:
            return b""
        template = self._encodings.salvos.template(
            event.entries,
            codec.name,
            self.additions,
            pack,
            lambda: self._deliveries(codec, event),
        )
        return template.filled(event.receipt)

    def packed(self, event: events.Pieces, pack: Callable[[bytes], bytes]) -> bytes:
        """What is pushed into a virtual room, as bytes that many share."""
        codec = self.codec
        return (
            b"" if codec is None else self._encodings.packs.packed(event, codec, pack)
        )

    def _repeated(self, codec: Codec, event: events.Repeated) -> list[bytes]:
        body = self._encodings.encoded(codec, event.message, LIVE)
        return [server_frame(FrameType.TIMMESSAGE, body)]

    def _removed(self, codec: Codec, event: events.Removed) -> list[bytes]:
        command = event.command
        answer = structs.TimAck(
            ok=True,
            timType=REMOVALS[command.kind],
            t=TO_ACCOUNT,
            n=command.peer,
            t2=command.mid,
        )
        return [ack_frame(codec, answer)]

    def _revoked(self, codec: Codec, event: events.Revoked) -> list[bytes]:
        answer = structs.TimAck(
            ok=True,
            timType=FrameType.TIMREVOKEMESSAGE,
            t=TO_ROOM,
            n=event.room,
            t2=event.mid,
        )
        return [ack_frame(codec, answer)]

    def _accepted(self, codec: Codec, event: events.Accepted) -> list[bytes]:
        """Others know it from the absence of a refusal."""
        if not self.additions:
            return []
        command = event.command
        answer = structs.TimAck(
            ok=True,
            timType=FrameType.TIMMESSAGE,
            n=command.peer or command.room,
            t2=command.ident,
        )
        return [ack_frame(codec, answer)]

    def _streamed(self, codec: Codec, event: events.Streamed) -> list[bytes]:
        body = self._encodings.encoded(codec, event.message, LIVE)
        return [server_frame(FrameType.TIMMESSAGE, body)]

    def _appeared(self, codec: Codec, event: events.Appeared) -> list[bytes]:
        body = codec.encode(shown_presence(event.appearance, event.receiver))
        return [server_frame(FrameType.TIMPRESENCE, body)]

    def _page(self, codec: Codec, event: events.Page) -> list[bytes]:
        bodies = [self._waiting(codec, entry) for entry in event.entries]
        page = message_list(codec, event.receipt, bodies)
        return [acked_frame(FrameType.TIMOFFLINEMSG, event.receipt, page)]

    def _history(self, codec: Codec, event: events.History) -> list[bytes]:
        copy = Copy.HISTORY_WITH_ID if self.additions else Copy.HISTORY
        encoded = self._encodings.encoded
        bodies = [encoded(codec, message, copy) for message in event.messages]
        return [
            server_frame(FrameType.TIMPULLMESSAGE, message_list(codec, None, portion))
            for portion in portions(codec, bodies)
        ]

    def _profiles(self, codec: Codec, event: events.Profiles) -> list[bytes]:
        lists = profile_lists(codec, event.profiles)
        return [server_frame(FrameType.TIMNODES, one) for one in lists]

    def _related(self, codec: Codec, event: events.Related) -> list[bytes]:
        """Others know from the absence of a refusal that a request is on its way."""
        command = event.command
        if command.step is Step.ASK and not self.additions:
            return []
        answer = structs.TimAck(
            ok=True, timType=FrameType.TIMBUSINESS, t=int(command.step), n=command.peer
        )
        return [ack_frame(codec, answer)]

    def _relations(self, codec: Codec, event: events.Relations) -> list[bytes]:
        circle = event.command.circle
        kind = LISTS_BLOCKED if circle is Circle.BLOCKED else int(circle)
        nodes = [
            structs.TimNodes(ntype=kind, nodelist=share)
            for share in shares(codec, event.nodes, node_size)
        ]
        return nodes_frames(codec, nodes)

    def _room_done(self, codec: Codec, event: events.RoomDone) -> list[bytes]:
        answer = roomanswers.done(event, self.additions)
        return [] if answer is None else [ack_frame(codec, answer)]

    def _room_nodes(self, codec: Codec, event: events.RoomNodes) -> list[bytes]:
        return nodes_frames(codec, roomanswers.lists(codec, event))

    def _room_profiles(self, codec: Codec, event: events.RoomProfiles) -> list[bytes]:
        return nodes_frames(codec, roomanswers.profiles(codec, event))

    def _marked(self, codec: Codec, event: events.Marked) -> list[bytes]:
        if not self.additions:
            return []
        mark = event.mark
        told = read_mark(mark) if isinstance(mark, ReadMark) else delivered_mark(mark)
        body = codec.encode(told)
        return [server_frame(FrameType.TIMMESSAGE, body)]

    def _expired(self, codec: Codec, event: events.Expired) -> list[bytes]:
        if not self.additions:
            return []
        body = codec.encode(expiry(event.seq, event.room))
        return [server_frame(FrameType.TIMMESSAGE, body)]

    def _changed(
        self, codec: Codec, event: events.RelationsChanged | events.RoomNews
    ) -> list[bytes]:
        if not self.additions:
            return []
        room = event.room if isinstance(event, events.RoomNews) else ""
        body = codec.encode(lists_changed(room))
        return [server_frame(FrameType.TIMMESSAGE, body)]


def _listed(
    speaker: Speaker, codec: Codec, event: events.ReadMarksListed
) -> list[bytes]:
    """All read marks are told; ``n`` is where the next answer begins."""
    answer = structs.TimAck(
        ok=True, timType=FrameType.TIMBUSINESS, t=READ_MARKS, n=event.more
    )
    return [ack_frame(codec, answer)]


def _live(speaker: Speaker, codec: Codec, event: Any) -> list[bytes]:
    return liveanswers.frames(codec, speaker.additions, event)


def _done(type: int, t: int | None = None) -> Writer:
    """A TimAck that says no more than that the request was carried out."""

    def write(speaker: Speaker, codec: Codec, event: Event) -> list[bytes]:
        return [ack_frame(codec, structs.TimAck(ok=True, timType=type, t=t))]

    return write


def _always(frame: bytes) -> Writer:
    """A frame without anything in it that could differ."""
    return lambda speaker, codec, event: [frame]


Writer = Callable[[Speaker, Codec, Any], list[bytes]]
_WRITERS: Final[dict[type, Writer]] = {
    events.Delivery: Speaker._delivery,
    events.Deliveries: Speaker._deliveries,
    events.Repeated: Speaker._repeated,
    events.Removed: Speaker._removed,
    events.Revoked: Speaker._revoked,
    events.Accepted: Speaker._accepted,
    events.Streamed: Speaker._streamed,
    events.Appeared: Speaker._appeared,
    events.Page: Speaker._page,
    events.EndOfBacklog: _always(END_OF_BACKLOG),
    events.Pong: _always(PONG),
    events.History: Speaker._history,
    events.Profiles: Speaker._profiles,
    events.ProfileChanged: _done(FrameType.TIMNODES, CHANGE_PROFILE),
    events.PasswordChanged: Speaker._password_changed,
    events.AlreadyLoggedIn: _done(FrameType.TIMAUTH),
    events.LoggedOut: _done(FrameType.TIMLOGOUT),
    events.Related: Speaker._related,
    events.Relations: Speaker._relations,
    events.RoomDone: Speaker._room_done,
    events.RoomNodes: Speaker._room_nodes,
    events.RoomProfiles: Speaker._room_profiles,
    events.Marked: Speaker._marked,
    events.ReadMarksListed: _listed,
    events.Expired: Speaker._expired,
    events.RelationsChanged: Speaker._changed,
    events.RoomNews: Speaker._changed,
    events.LiveDone: _live,
    events.Pieces: _live,
    events.PiecesDropped: _live,
    events.LiveEnded: _live,
    events.ParcelCame: _live,
}
