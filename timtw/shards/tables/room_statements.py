"""Statements about rooms and their members, for every engine with tables."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from timtw.model.rooms import Role, Side
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal
from timtw.shards.tables.statements import FIRST

ALIVE: Final = 1
DISSOLVED: Final = 2

_ROOM: Final = ("slot", "number")
_OF_ROOM: Final = ("slot", "room")
_KEY: Final = ("slot", "room", "account")
_BELONGING: Final = ("account_side", "room_side", "role", "joined_seq", "joined_mid")


def _literal(number: int) -> ColumnElement[int]:
    """A number that is no parameter."""
    return literal_column(str(int(number)))


_NOTHING: Final = _literal(Side.NOTHING)
_AGREES: Final = _literal(Side.AGREES)
_BLOCKS: Final = _literal(Side.BLOCKS)


class RoomStatements:
    """Reading, writing and listing."""

    def __init__(self, sql: Sql) -> None:
        room, table = schema.room, schema.room_member
        m = table.c
        names = [column.name for column in room.c]
        self.rooms = sql.read_many(room, _ROOM, *names[1:])
        self.insert_room = sql.put(room, _ROOM, *names[2:])
        self.write_profile = sql.text(
            room.update().values(profile=bindparam("new")).where(*equal(room, *_ROOM)),
            *("new", *_ROOM),
        )
        self.write_founder = sql.text(
            room.update().values(founder=bindparam("new")).where(*equal(room, *_ROOM)),
            *("new", *_ROOM),
        )
        self.count_members = sql.text(
            room.update()
            .values(members=room.c.members + bindparam("more"))
            .where(*equal(room, *_ROOM)),
            *("more", *_ROOM),
        )
        self.dissolve = sql.text(
            room.update()
            .values(state=_literal(DISSOLVED), members=_literal(0))
            .where(*equal(room, *_ROOM)),
            *_ROOM,
        )
        self.read = sql.text(
            select(*[m[name] for name in _BELONGING]).where(*equal(table, *_KEY)), *_KEY
        )
        self.write = sql.put(table, _KEY, *_BELONGING)
        self.drop = sql.text(table.delete().where(*equal(table, *_KEY)), *_KEY)
        of_room, of_account = equal(table, *_OF_ROOM), equal(table, "account")
        agreed = (m.room_side == _AGREES, m.account_side == _AGREES)
        barred = (*of_room, m.room_side == _BLOCKS)
        asked = (*of_room, m.room_side == _NOTHING, m.account_side == _AGREES)
        self.drop_all = sql.text(
            table.delete().where(*of_room, m.account_side != _BLOCKS), *_OF_ROOM
        )
        self.unbar_all = sql.text(
            table.update().values(room_side=_NOTHING).where(*barred), *_OF_ROOM
        )
        self.managers = sql.text(
            select(m.account).where(
                *of_room, *agreed, m.role == _literal(Role.MANAGER)
            ),
            *_OF_ROOM,
        )
        self.barred = sql.text(select(m.account).where(*barred), *_OF_ROOM)
        self.members = sql.text(
            select(m.account)
            .where(*of_room, *agreed, *equal(table, "role"))
            .where(m.account > bindparam("after"))
            .order_by(m.account)
            .limit(bindparam("count"))
            .offset(FIRST),
            *(*_OF_ROOM, "role", "after", "count"),
        )
        self.rooms_of = sql.text(select(m.room).where(*of_account, *agreed), "account")
        self.blocked_rooms = sql.text(
            select(m.room).where(*of_account, m.account_side == _BLOCKS), "account"
        )
        count = select(func.count()).select_from(table)
        self.count_requests = sql.text(count.where(*asked), *_OF_ROOM)
        self.count_barred = sql.text(count.where(*barred), *_OF_ROOM)
        self.count_known = sql.text(
            count.where(*of_account, m.account_side != _NOTHING), "account"
        )
