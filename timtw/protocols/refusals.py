"""What a refusal says about the request that it refuses.

docs/reference/protocol.md, section 3.2. A TimAck names the type of the frame and
repeats a few of its values, so that a client can tell its requests apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from timtw.model import commands
from timtw.model.errors import PermissionDenied, TimError
from timtw.model.roomsteps import OTHERS, RoomStep
from timtw.protocols import structs
from timtw.protocols.codecs import Codec
from timtw.protocols.frames import FrameType
from timtw.protocols.roomrequests import CHANGE_ROOM, READ_ROOMS

BY_ACCOUNT: Final = 1
"""The rtype of a history request for the conversation with an account."""
BY_ROOM: Final = 2
"""The same for the conversation of a room."""
CHANGE_PASSWORD: Final = 21
"""The rtype of a business request that sets a new password."""
FIND: Final = 64
"""The rtype of a business request that looks up an account by its exact name."""
READ: Final = 11
"""The odType of a read mark, which only the additions know. Its refusal has it as t,
as no message could be told from it otherwise."""
READ_MARKS: Final = 67
"""The rtype of a business request for the own read marks."""
READ_PROFILES: Final = 4
"""The ntype that asks for profiles of accounts and answers with them."""
CREATE, REMOVE, ALLOW, DISALLOW, SUBSCRIBE, UNSUBSCRIBE = range(1, 7)
"""The rtypes of requests about virtual rooms."""
CHANGE_PROFILE: Final = 6
"""The ntype that changes the asking account's own profile."""


@attrs.frozen
class Note:
    """What a TimAck repeats of a request.

    Args:
        type: The frame type, which becomes ``timType``.
        codec: The codec of the request itself, where the answer has to use it.
    """

    type: int
    t: int | None = None
    n: str | None = None
    t2: int | None = None
    n2: str | None = None
    codec: Codec | None = None


FORMS: Final[dict[int, commands.Form]] = {
    FrameType.TIMMESSAGE: commands.Form.MESSAGE,
    FrameType.TIMREVOKEMESSAGE: commands.Form.REVOKE,
    FrameType.TIMBURNMESSAGE: commands.Form.BURN,
}
"""The three types that carry a message; all are handled alike."""
_TYPES: Final = {form: int(type) for type, form in FORMS.items()}


def _login(command: commands.LogIn) -> Note:
    """A refused login is answered in the codec of its own frame."""
    codec = command.about
    return Note(FrameType.TIMAUTH, codec=codec if isinstance(codec, Codec) else None)


def _send(command: commands.SendMessage) -> Note:
    """A refused message names its recipient and the id that the client chose."""
    return Note(_TYPES[command.form], n=command.peer or command.room, t2=command.ident)


def _history(command: commands.PullHistory) -> Note:
    kind = BY_ROOM if command.of_room else BY_ACCOUNT
    return Note(FrameType.TIMPULLMESSAGE, t=kind, n=command.peer)


def _presence(command: commands.ShowPresence) -> Note:
    """Refused presence names the one account that it was for."""
    type = FrameType.TIMBROADPRESENCE if command.broad else FrameType.TIMPRESENCE
    return Note(type, n=command.peer)


def _room_step(command: commands.ChangeRoom) -> Note:
    """A refused step names the room, and the account that it was about."""
    peer = command.peer if command.step in OTHERS else None
    return Note(FrameType.TIMBUSINESS, t=command.step, n=command.room, n2=peer)


def _read_rooms(command: commands.ReadRooms) -> Note:
    kind = READ_PROFILES if command.or_accounts else READ_ROOMS
    return Note(FrameType.TIMNODES, t=kind)


def _allow_push(command: commands.AllowPush) -> Note:
    """As it is answered: by the account, not the room."""
    kind = ALLOW if command.allowed else DISALLOW
    return Note(FrameType.TIMVROOM, t=kind, n=command.peer)


def _push(command: commands.Push) -> Note:
    """A push names its room; one of raw bytes brings its own note."""
    note = command.about
    return note if isinstance(note, Note) else Note(FrameType.TIMSTREAM, n=command.room)


def _parcel(command: commands.SendParcel) -> Note:
    kind = FrameType.TIMBIGSTRING if command.is_text else FrameType.TIMBIGBINARY
    return Note(kind, n=command.peer)


def _unacceptable(command: commands.Unacceptable) -> Note:
    note = command.about
    return note if isinstance(note, Note) else Note(0)


_NOTES: Final[dict[type, Callable[[Any], Note]]] = {
    commands.LogIn: _login,
    commands.LogOut: lambda _: Note(FrameType.TIMLOGOUT),
    commands.Ping: lambda _: Note(FrameType.TIMPING),
    commands.Acknowledge: lambda _: Note(FrameType.TIMACK),
    commands.FetchBacklog: lambda _: Note(FrameType.TIMOFFLINEMSG),
    commands.SendMessage: _send,
    commands.PullHistory: _history,
    commands.ChangePassword: lambda _: Note(FrameType.TIMBUSINESS, t=CHANGE_PASSWORD),
    commands.FindAccount: lambda _: Note(FrameType.TIMBUSINESS, t=FIND),
    commands.ReadProfiles: lambda _: Note(FrameType.TIMNODES, t=READ_PROFILES),
    commands.ChangeProfile: lambda _: Note(FrameType.TIMNODES, t=CHANGE_PROFILE),
    commands.ChangeRelation: lambda _: Note(FrameType.TIMBUSINESS),
    commands.ListRelations: lambda _: Note(FrameType.TIMBUSINESS),
    commands.ShowPresence: _presence,
    commands.CreateRoom: lambda _: Note(FrameType.TIMBUSINESS, t=RoomStep.CREATE),
    commands.ChangeRoom: _room_step,
    commands.ChangeRoomInfo: lambda _: Note(FrameType.TIMNODES, t=CHANGE_ROOM),
    commands.ListRooms: lambda _: Note(FrameType.TIMBUSINESS),
    commands.ListMembers: lambda _: Note(FrameType.TIMBUSINESS),
    commands.ReadRooms: _read_rooms,
    commands.MarkRead: lambda mark: Note(FrameType.TIMMESSAGE, t=READ, n=mark.peer),
    commands.ListReadMarks: lambda _: Note(FrameType.TIMBUSINESS, t=READ_MARKS),
    commands.OpenLive: lambda _: Note(FrameType.TIMVROOM, t=CREATE),
    commands.EndLive: lambda one: Note(FrameType.TIMVROOM, t=REMOVE, n=one.room),
    commands.AllowPush: _allow_push,
    commands.Subscribe: lambda one: Note(FrameType.TIMVROOM, t=SUBSCRIBE, n=one.room),
    commands.Unsubscribe: lambda one: Note(
        FrameType.TIMVROOM, t=UNSUBSCRIBE, n=one.room
    ),
    commands.Push: _push,
    commands.SendParcel: _parcel,
    commands.Unacceptable: _unacceptable,
}


def note_of(command: commands.Command) -> Note:
    """What the refusal of ``command`` says about it."""
    return _NOTES[type(command)](command)


def refusal(note: Note, error: TimError) -> structs.TimAck:
    """
    The TimAck that refuses; ``error`` is always set.

    A push that is not allowed is refused as a stream, however it was pushed.
    """
    kind = note.type
    if kind == FrameType.TIMBIGBINARYSTREAM and isinstance(error, PermissionDenied):
        kind = FrameType.TIMSTREAM
    return structs.TimAck(
        ok=False,
        timType=kind,
        error=structs.TimError(code=error.code, info=str(error)),
        t=note.t,
        n=note.n,
        t2=note.t2,
        n2=note.n2,
    )
