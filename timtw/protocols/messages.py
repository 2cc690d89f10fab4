"""What a client writes becomes a command; what was stored becomes a TimMessage.

docs/reference/protocol.md, section 4. ``fromTid``, ``timestamp``, ``mid``,
``isOffline``, ``bnType`` and ``ToList`` of a client mean nothing and are dropped.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, TypeVar

from timtw.model import commands, values
from timtw.model.commands import Unacceptable
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    TimError,
    UnknownAccount,
)
from timtw.model.idents import node_of
from timtw.model.progress import DeliveredMark, ReadMark
from timtw.model.values import Address, Content, Message
from timtw.protocols import structs
from timtw.protocols.refusals import READ, Note, note_of

V = TypeVar("V", str, bytes)

TO_ACCOUNT: Final = 2
TO_ROOM: Final = 3
TEXT: Final = 1
REVOKE: Final = 2
BURN: Final = 3
NOTICE: Final = 4
STREAM: Final = 5
DELIVERED: Final = 8
"""The odType of a delivered mark, which only the additions know."""
EXPIRED: Final = 9
"""The odType of the notice that the beginning of the log is gone; as above."""
LISTS_CHANGED: Final = 10
"""The odType of the notice that the lists of an account have changed; as above."""
DROPPED: Final = 12
"""The odType of the notice that pieces of a virtual room were dropped; as above."""
ENDED: Final = 13
"""The odType of the notice that a virtual room has ended; as above."""
_KINDS: Final = {
    TEXT: values.TEXT,
    REVOKE: values.REVOCATION,
    BURN: values.BURN,
    STREAM: values.STREAM,
    **{kind: kind for kind in values.CUSTOM},
}
"""The kind of a message by its odType."""
_ORDERS: Final = {
    values.NOTICE: NOTICE,
    **{kind: order for order, kind in _KINDS.items()},
}


def send_message(
    message: structs.TimMessage, form: commands.Form
) -> commands.SendMessage | Unacceptable:
    """The command of a message, after the checks that need only the message."""
    to, within = message.toTid, message.roomTid
    recipient, order = _meant(message)
    if recipient == TO_ROOM:
        to = None
    command = commands.SendMessage(
        peer=to.node if to is not None else "",
        content=Content(
            message.dataString,
            message.dataBinary,
            message.udtype,
            message.udshow,
            message.extend,
            message.extra,
        ),
        ident=message.id or None,
        form=form,
        kind=_KINDS.get(order, values.TEXT),
        mid=message.mid or 0 if order in (REVOKE, BURN) else 0,
        room=within.node if within is not None else "",
    )
    error = _fault(message, recipient, order)
    if error is None:
        return command
    note, named = note_of(command), message.toTid or within
    node = None if named is None else named.node
    return Unacceptable(error, about=Note(note.type, n=node, t2=note.t2))


def _meant(message: structs.TimMessage) -> tuple[int, int]:
    """The msType and odType that are meant; section 4.2."""
    recipient, order = message.msType, message.odType
    if order == 0 and message.dataBinary is not None and message.dataString is None:
        # One client sends streams so, to accounts with a msType of 0.
        return recipient or TO_ACCOUNT, STREAM
    return recipient, order


def _fault(message: structs.TimMessage, recipient: int, order: int) -> TimError | None:
    """What is wrong with a message, in the order of section 4.2."""
    if recipient not in (TO_ACCOUNT, TO_ROOM):
        return BadParameter()
    if order not in _KINDS:
        return BadParameter()
    if order in (REVOKE, BURN) and (message.mid or 0) <= 0:
        return BadParameter("mid has to name the message")
    if order == BURN and recipient == TO_ROOM:
        return BadParameter("messages to rooms cannot be burnt")
    if message.toTid is None and message.roomTid is None:
        return UnknownAccount()
    wanted = message.roomTid if recipient == TO_ROOM else message.toTid
    return PermissionDenied() if wanted is None else None


class Copy(enum.IntEnum):
    """The forms in which a stored message is sent.

    Copies of the backlog have ``isOffline``, those of the history have not; texts
    carry an id in both only for clients with the additions, everything else always.
    ``LIVE`` tells the device too.
    """

    LIVE = 0
    HISTORY = 1
    HISTORY_WITH_ID = 2
    BACKLOG = 3
    BACKLOG_WITH_ID = 4


LIVE: Final = Copy.LIVE
_WITH_ID: Final = frozenset({Copy.LIVE, Copy.HISTORY_WITH_ID, Copy.BACKLOG_WITH_ID})
_BACKLOG: Final = frozenset({Copy.BACKLOG, Copy.BACKLOG_WITH_ID})


def plain(pairs: Mapping[str, V]) -> dict[str, V]:
    """A map as the codecs want it."""
    return pairs if isinstance(pairs, dict) else dict(pairs)


def stored_message(message: Message, copy: Copy) -> structs.TimMessage:
    """A stored message in one of its forms; only a live one tells the device."""
    content = message.content
    kind = message.kind
    sender = structs.Tid(node=message.sender.node)
    device = message.device
    if copy is LIVE and device is not None:
        sender.domain = message.sender.domain or None
        sender.resource = device.resource
        sender.termtyp = device.kind
    recipient = message.recipient
    to: structs.Tid | None = None
    room: structs.Tid | None = None
    if message.conversation.is_of_room:
        room = structs.Tid(node=recipient.node)
    else:
        to = _to(recipient)
        if content.room:
            room = structs.Tid(node=node_of(content.room))
    with_id = copy is LIVE or copy in _WITH_ID or kind != values.TEXT
    extend, extra = content.extend, content.extra
    is_notice = kind == values.NOTICE
    # Who goes into an open room by itself is told by nobody.
    is_joining = room is not None and is_notice and message.sender == recipient
    return structs.TimMessage(
        msType=TO_ACCOUNT if to is not None else TO_ROOM,
        odType=_ORDERS[kind],
        id=message.ident if with_id else None,
        bnType=message.mid if is_notice else None,
        mid=None if is_notice else message.mid or None,
        fromTid=None if is_joining else sender,
        toTid=None if is_joining else to,
        roomTid=room,
        dataBinary=content.binary,
        dataString=content.text,
        isOffline=True if copy in _BACKLOG else None,
        timestamp=message.timestamp,
        udtype=content.udtype,
        udshow=content.udshow,
        extend=extend if extend is None else plain(extend),
        extra=extra if extra is None else plain(extra),
    )


def _to(recipient: Address) -> structs.Tid:
    """An account to which something goes."""
    return structs.Tid(node=recipient.node, domain=recipient.domain or None)


def delivered_mark(mark: DeliveredMark) -> structs.TimMessage:
    """The notice that a device of the reader has confirmed up to a number."""
    return structs.TimMessage(
        msType=TO_ACCOUNT,
        odType=DELIVERED,
        mid=mark.mid,
        fromTid=structs.Tid(node=mark.reader.node),
        toTid=structs.Tid(node=mark.author.node),
    )


def read_mark(mark: ReadMark) -> structs.TimMessage:
    """The notice that somebody has read a conversation up to a number."""
    place = structs.Tid(node=mark.other.node)
    return structs.TimMessage(
        msType=TO_ROOM if mark.of_room else TO_ACCOUNT,
        odType=READ,
        id=mark.last,
        mid=mark.mid,
        fromTid=structs.Tid(node=mark.reader.node),
        toTid=None if mark.of_room else place,
        roomTid=place if mark.of_room else None,
    )


def marked_read(message: structs.TimMessage) -> commands.MarkRead | None:
    """The command of a read mark; ``None`` for every other message."""
    if message.odType != READ:
        return None
    to, room, mid = message.toTid, message.roomTid, message.mid or 0
    if message.msType == TO_ROOM and room is not None:
        return commands.MarkRead(room.node, mid, True)
    if message.msType == TO_ACCOUNT and to is not None and room is None:
        return commands.MarkRead(to.node, mid)
    return None


def expiry(seq: int, room: str) -> structs.TimMessage:
    """The notice that nothing is left of a log, the own or a room's, up to a number."""
    if not room:
        return structs.TimMessage(msType=TO_ACCOUNT, odType=EXPIRED, seq=seq)
    place = structs.Tid(node=room)
    return structs.TimMessage(msType=TO_ROOM, odType=EXPIRED, roomTid=place, seq=seq)


def lists_changed(room: str) -> structs.TimMessage:
    """The notice that lists may have changed: the own ones, or those of a room."""
    if not room:
        return structs.TimMessage(msType=TO_ACCOUNT, odType=LISTS_CHANGED)
    place = structs.Tid(node=room)
    return structs.TimMessage(msType=TO_ROOM, odType=LISTS_CHANGED, roomTid=place)
