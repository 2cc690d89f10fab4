"""How far devices have read rooms: what the engines with tables share.

A device without a row in ``room_reader`` has confirmed nothing since its account has
joined.
So a device that begins where others are gets rows of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import and_, delete, exists, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from timtw.model.idents import slot_of
from timtw.model.progress import RoomState
from timtw.model.rooms import Side
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal, greatest
from timtw.shards.tables.operations import Operation, all_of
from timtw.shards.tables.statements import READER

KEY: Final = (*READER, "room")
_AGREES: Final[ColumnElement[int]] = literal_column(str(int(Side.AGREES)))
_LOG: Final[ColumnElement[int]] = literal_column("0")
Known: TypeAlias = Callable[[bytes, int, int], int]
"""The cursor of a device in a room, given what its row says."""


class RoomReaderStatements:
    """Reading and writing of how far devices are in rooms."""

    def __init__(self, sql: Sql) -> None:
        member, counter = schema.room_member, schema.counter
        table = schema.room_reader
        m, c, r = member.c, counter.c, table.c
        own_log = and_(c.slot == m.slot, c.first == m.room, c.second == _LOG)
        ends = [func.coalesce(end, _LOG) for end in (c.last, c.low)]
        self.read_rooms = sql.text(
            select(m.room, m.joined_seq, *ends)
            .select_from(member.outerjoin(counter, own_log))
            .where(*equal(member, "account"))
            .where(m.account_side == _AGREES, m.room_side == _AGREES),
            "account",
        )
        """The rooms of an account, where it joined, and the ends of their logs."""
        of_account = equal(table, "slot", "account")
        self.read_cursors = sql.text(
            select(r.device, r.room, r.cursor).where(*of_account), "slot", "account"
        )
        change = greatest if sql.server else func.max
        self.put = sql.put_many(table, KEY, "cursor", change=change)
        reader = schema.reader.c
        gone = ~exists().where(*[reader[name] == r[name] for name in READER])
        self.drop_forgotten = sql.text(
            delete(table).where(*of_account, gone), "slot", "account"
        )
        """Deletes what is left of devices that the account does not have any more."""


def stands(
    rooms: Sequence[Any],
    rows: Sequence[Any],
    devices: Collection[bytes],
    key: bytes,
    known: Known,
) -> tuple[RoomState, ...]:
    """
    Where the device ``key`` stands in each room of its account.

    Args:
        rooms: What ``read_rooms`` answers.
        rows: What ``read_cursors`` answers.
        devices: The devices of the account; if ``key`` is none of them it is new, and
            begins where the furthest of them is.
    """
    stored = {(device, room): cursor for device, room, cursor in rows}
    found = []
    for room, joined, head, low in rooms:
        wanted = (key,) if key in devices else devices
        cursors = [known(one, room, stored.get((one, room), 0)) for one in wanted]
        found.append(RoomState(room, max([joined, *cursors]), head, low))
    return tuple(found)


def begun(
    statements: RoomReaderStatements,
    account: int,
    key: bytes,
    rooms: Sequence[RoomState],
) -> Operation[None]:
    """Write where a new device begins in the rooms of its account."""
    rows: list[Any] = []
    for state in rooms:
        rows += (slot_of(account), account, key, state.room, state.cursor)
    yield from all_of(statements.put, rows)
