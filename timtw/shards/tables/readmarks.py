"""How far accounts have read their conversations, as operations for tables.

A mark is a column of ``member``; nothing of it lies in a journal. What accounts are to
rooms is read each time, so that joining and leaving leave the marks alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, literal_column, or_, select
from sqlalchemy.sql import ColumnElement
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.progress import Read
from timtw.model.rooms import Side
from timtw.model.stores import IReadStore
from timtw.model.values import ROOM, Conversation
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal, greatest
from timtw.shards.tables.operations import Operation, Run, all_of
from timtw.shards.tables.statements import CONVERSATION, FIRST, MEMBER

Newer = Callable[[tuple[int, int]], int]
"""The newest number of a conversation, where it is newer than the tables; else 0."""
NOTHING: Final[ColumnElement[int]] = literal_column("0")
BEFORE_ALL: Final = Conversation(-(2**63), -(2**63))
_ROOM: Final[ColumnElement[int]] = literal_column(str(ROOM))
_AGREES: Final[ColumnElement[int]] = literal_column(str(int(Side.AGREES)))


def _greater(old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """The greater of both, in SQLite."""
    return func.max(old, new)


class ReadStatements:
    """Raising, reading and listing of marks."""

    def __init__(self, sql: Sql) -> None:
        member, counter = schema.member, schema.counter
        m, columns = member.c, ("first", "second", "account", "read_mid")
        self.read = sql.read_many(member, MEMBER, *columns)
        change = greatest if sql.server else _greater
        self.write = sql.put_many(member, MEMBER, "read_mid", change=change)
        wanted = [m[name] for name in columns]
        self.of = sql.text(
            select(*wanted).where(*equal(member, *CONVERSATION), m.read_mid > NOTHING),
            *CONVERSATION,
        )
        behind = or_(
            m.first > bindparam("above"),
            and_(m.first == bindparam("at"), m.second > bindparam("behind")),
        )
        self.listed = sql.text(
            select(*wanted)
            .where(*equal(member, "account"), behind)
            .where(m.read_mid > NOTHING, m.second != _ROOM)
            .order_by(m.first, m.second)
            .limit(bindparam("count"))
            .offset(FIRST),
            *("account", "above", "at", "behind", "count"),
        )
        r = schema.room_member.c
        same = and_(m.slot == r.slot, m.first == r.room, m.account == r.account)
        marks = schema.room_member.outerjoin(member, and_(same, m.second == _ROOM))
        self.in_rooms = sql.text(
            select(r.room, _ROOM, r.account, func.coalesce(m.read_mid, NOTHING))
            .add_columns(r.joined_mid)
            .select_from(marks)
            .where(*equal(schema.room_member, "account"), r.room > bindparam("above"))
            .where(r.account_side == _AGREES, r.room_side == _AGREES)
            .order_by(r.room)
            .limit(bindparam("count"))
            .offset(FIRST),
            *("account", "above", "count"),
        )
        """Of every room of an account: what was read, and where it has joined."""
        self.ends = sql.read_many(
            counter, CONVERSATION, "first", "second", "last", "low"
        )


@implementer(IReadStore)
class Reads:
    """Marks as rows.

    Args:
        newer: What is newer than the tables.
    """

    def __init__(
        self, write: Run, read: Run, sql: Sql, newer: Newer = lambda pair: 0
    ) -> None:
        self._write = write
        self._read = read
        self._statements = sql.made(ReadStatements)
        self._newer = newer

    def raised(self, marks: Sequence[Read]) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""
        wanted: dict[tuple[Conversation, int], int] = {}
        for account, conversation, mid, _last in marks:
            key = (conversation, account)
            wanted[key] = max(mid, wanted.get(key, 0))

        def operation() -> Operation[Sequence[Read]]:
            keys: list[int] = []
            for conversation, account in wanted:
                keys += (slot_of(conversation.first), *conversation, account)
            rows = yield from all_of(self._statements.read, keys)
            known = {(Conversation(*row[:2]), row[2]): row[3] for row in rows}
            ends = yield from self._ends(conversation for conversation, _ in wanted)
            found: list[Read] = []
            values: list[int] = []
            for (conversation, account), mid in sorted(wanted.items()):
                last, _low = ends[conversation]
                new = min(mid, last)
                if new > known.get((conversation, account), 0):
                    slot = slot_of(conversation.first)
                    values += (slot, *conversation, account, new)
                    found.append(Read(account, conversation, new, last))
            yield from all_of(self._statements.write, values)
            return found

        return self._write(operation)

    def of(self, conversation: Conversation) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""

        def operation() -> Operation[Sequence[Read]]:
            key = (slot_of(conversation.first), *conversation)
            rows = yield self._statements.of, key
            return (yield from self._reads(rows))

        return self._read(operation)

    def listed(
        self, account: int, after: Conversation | None, limit: int
    ) -> Deferred[Sequence[Read]]:
        """See ``IReadStore``."""

        def operation() -> Operation[Sequence[Read]]:
            first, second = after or BEFORE_ALL
            key = (account, first, first, second, limit)
            rows = [*(yield self._statements.listed, key)]
            for *row, read, joined in (
                yield self._statements.in_rooms, (account, first, limit)
            ):
                rows.append((*row, max(read, joined)))
            rows.sort(key=lambda row: tuple(row[:2]))
            return (yield from self._reads(rows[:limit]))

        return self._read(operation)

    def _reads(self, rows: Sequence[Any]) -> Operation[Sequence[Read]]:
        """The marks of rows; what has expired counts as read."""
        ends = yield from self._ends(Conversation(*row[:2]) for row in rows)
        found: list[Read] = []
        for first, second, account, mid in rows:
            conversation = Conversation(first, second)
            last, low = ends[conversation]
            found.append(Read(account, conversation, max(mid, low), last))
        return found

    def _ends(
        self, conversations: Iterable[Conversation]
    ) -> Operation[dict[Conversation, tuple[int, int]]]:
        """The newest number of each conversation, and up to where it has expired."""
        ends = {one: (self._newer(one), 0) for one in conversations}
        keys: list[int] = []
        for conversation in ends:
            keys += (slot_of(conversation.first), *conversation)
        rows = yield from all_of(self._statements.ends, keys)
        for first, second, last, low in rows:
            conversation = Conversation(first, second)
            ends[conversation] = (max(last, ends[conversation][0]), low)
        return ends
