"""Every statement about the journal, compiled once at start.

What is moved is first listed in temporary tables, in the order of the keys that it
will have: so the moving can stop after any slice and go on, and each page of a table is
written once in a move and not once in a commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Subquery,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql import ColumnElement

from timtw.shards.repeats import WINDOW
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import SQLITE, Sql
from timtw.shards.tables.statements import (
    CONVERSATION,
    MEMBER,
    READER,
    TEXT_ENTRY,
    slot_of,
)

_NONE: Final[ColumnElement[int]] = literal_column("0")
_lists: Final = MetaData()


def _list(name: str, *columns: Column[Any]) -> Table:
    """A temporary table; ``k`` says in which order its rows are moved."""
    place = Column("k", Integer, primary_key=True)
    return Table(name, _lists, place, *columns, prefixes=["TEMPORARY"])


_texts = _list("moving_text", Column("n", Integer))
_entries = _list(
    "moving_entry",
    Column("account", BigInteger),
    Column("seq", BigInteger),
    Column("n", Integer),
)
_cursors = _list(
    "moving_cursor",
    Column("account", BigInteger),
    Column("device", LargeBinary),
    Column("cursor", BigInteger),
)
_rooms = _list(
    "moving_room",
    Column("account", BigInteger),
    Column("device", LargeBinary),
    Column("room", BigInteger),
    Column("cursor", BigInteger),
)
_marks = _list(
    "moving_mark",
    Column("first", BigInteger),
    Column("second", BigInteger),
    Column("account", BigInteger),
    Column("mid", BigInteger),
)


class JournalStatements:
    """What a commit appends, and what a removal changes in it."""

    def __init__(self, sql: Sql) -> None:
        journal = schema.journal
        self.write_rows = sql.insert_many(journal, [c.name for c in journal.c])
        moves = schema.journal_move
        self.write_moves = sql.insert_many(moves, [c.name for c in moves.c])
        self.remove_text = SQLITE.text(
            journal.update()
            .values(state=bindparam("gone"), body=bindparam("nothing"))
            .where(journal.c.n == bindparam("row")),
            *("gone", "nothing", "row"),
        )


@attrs.frozen
class Slices:
    """One list of what is to be moved, and how the rows in it get to their places.

    Args:
        create: Makes the list if it is not there.
        clear: Empties it.
        fill: Fills it; takes the number up to which rows are moved, ``times`` times.
        move: Each takes the place behind which a slice begins, and that of its end.
    """

    create: str
    clear: str
    fill: str
    times: int
    move: tuple[str, ...]


def _slices(place: Table, rows: Any, times: int, *move: str) -> Slices:
    """A list that is filled from ``rows``, which stand in the order of moving."""
    names = [column.name for column in place.c if column.name != "k"]
    filled = insert(place).from_select(names, rows)
    return Slices(
        SQLITE.text(CreateTable(place, if_not_exists=True)),
        SQLITE.text(delete(place)),
        SQLITE.text(filled, *("up_to", "up_to1")[:times]),
        times,
        move,
    )


class MovingStatements:
    """How rows of the journal get into the tables, list by list."""

    def __init__(self, sql: Sql) -> None:
        self.rows = (_moving_texts(), _moving_entries())
        self.moves = (_moving_cursors(), _moving_marks(), _moving_rooms())
        self.drop_rows = _dropping(schema.journal)
        self.drop_moves = _dropping(schema.journal_move)
        self.last_row = SQLITE.text(select(func.max(schema.journal.c.n)))
        self.last_move = SQLITE.text(select(func.max(schema.journal_move.c.n)))


def _dropping(table: Table) -> str:
    return SQLITE.text(delete(table).where(table.c.n <= bindparam("up_to")), "up_to")


def _slice(place: Table) -> list[ColumnElement[bool]]:
    return [place.c.k > bindparam("behind"), place.c.k <= bindparam("end")]


def _put(table: Table, names: Sequence[str], rows: Select[Any]) -> str:
    """Insert a slice; what is there already, from a move that broke off, stays."""
    statement = insert(table).prefix_with("OR IGNORE").from_select(list(names), rows)
    return SQLITE.text(statement, "behind", "end")


def _raise(
    table: Table, key: Sequence[str], value: str, rows: Select[Any], *others: str
) -> str:
    """Raise the value of each key that ``rows`` has to theirs, never lower it."""
    names = [*key, value, *others]
    statement = upsert(table).from_select(names, rows)
    higher = func.max(table.c[value], statement.excluded[value])
    done = statement.on_conflict_do_update(index_elements=key, set_={value: higher})
    return SQLITE.text(done, "behind", "end")


def _moving_texts() -> Slices:
    """Texts in the order of conversations, with counters and what makes repeats."""
    j = schema.journal.c
    slot = slot_of(j.first)
    listed = (
        select(j.n)
        .where(j.n <= bindparam("up_to"))
        .order_by(slot, j.first, j.second, j.mid)
    )
    joined = _texts.join(schema.journal, j.n == _texts.c.n)
    within = _slice(_texts)
    is_text = j.kind == TEXT_ENTRY
    message = [column.name for column in schema.message.c]
    columns = [slot, *[j[name] for name in message if name != "slot"]]
    rows = select(*columns).select_from(joined).where(*within, is_text)
    newest = (
        select(slot, j.first, j.second, func.max(j.mid))
        .select_from(joined)
        .where(*within, is_text)
        .group_by(j.first, j.second)
    )
    once = [column.name for column in schema.send_once.c]
    period = j.ts.op("/")(literal_column(str(WINDOW)))
    sends = (
        select(slot, period, j.first, j.second, j.digest, j.mid, j.ts)
        .select_from(joined)
        .where(*within, j.digest.is_not(null()))
    )
    return _slices(
        _texts,
        listed,
        1,
        _put(schema.message, message, rows.order_by(_texts.c.k)),
        _raise(schema.counter, CONVERSATION, "last", newest),
        _put(schema.send_once, once, sends),
    )


def _moving_entries() -> Slices:
    """Log entries in the order of accounts, with the counters of logs."""
    j = schema.journal.c
    other = case((j.sender == j.first, j.second), else_=j.first)
    senders = select(
        j.sender.label("account"), j.sender_seq.label("seq"), j.n.label("n")
    ).where(j.n <= bindparam("up_to"), j.sender_seq > _NONE)
    # A message to oneself has one entry.
    recipients = select(
        other.label("account"), j.recipient_seq.label("seq"), j.n.label("n")
    ).where(
        j.n <= bindparam("up_to1"),
        (j.first != j.second) | (j.sender_seq == _NONE),
    )
    both: Subquery = union_all(senders, recipients).subquery()
    listed = select(both.c.account, both.c.seq, both.c.n).order_by(
        slot_of(both.c.account), both.c.account, both.c.seq
    )
    e = _entries.c
    joined = _entries.join(schema.journal, j.n == e.n)
    own = [
        case((j.kind == TEXT_ENTRY, null()), else_=j[name])
        for name in ("body", "id", "sender")
    ]
    rows = (
        select(slot_of(e.account), e.account, e.seq, j.ts, j.kind)
        .add_columns(j.first, j.second, j.mid, *own)
        .select_from(joined)
        .where(*_slice(_entries))
        .order_by(e.k)
    )
    newest = (
        select(slot_of(e.account), e.account, _NONE, func.max(e.seq))
        .where(*_slice(_entries))
        .group_by(e.account)
    )
    return _slices(
        _entries,
        listed,
        2,
        _put(schema.log, [column.name for column in schema.log.c], rows),
        _raise(schema.counter, CONVERSATION, "last", newest),
    )


def _moving_cursors() -> Slices:
    """Cursors of readers that still exist; a forgotten one stays forgotten."""
    m, r, c = schema.journal_move.c, schema.reader.c, _cursors.c
    listed = (
        select(m.account, m.device, func.max(m.cursor))
        .where(m.n <= bindparam("up_to"), m.cursor > _NONE)
        .group_by(m.account, m.device)
        .order_by(slot_of(m.account), m.account, m.device)
    )
    raised = (
        schema.reader.update()
        .values(cursor=c.cursor)
        .where(
            *_slice(_cursors),
            r.slot == slot_of(c.account),
            r.account == c.account,
            r.device == c.device,
            r.cursor < c.cursor,
        )
    )
    return _slices(_cursors, listed, 1, SQLITE.text(raised, "behind", "end"))


def _moving_marks() -> Slices:
    """Delivered marks."""
    m, d = schema.journal_move.c, _marks.c
    listed = (
        select(m.first, m.second, m.account, func.max(m.mid))
        .where(m.n <= bindparam("up_to"), m.mid > _NONE, m.second != _NONE)
        .group_by(m.first, m.second, m.account)
        .order_by(slot_of(m.first), m.first, m.second)
    )
    rows = select(slot_of(d.first), d.first, d.second, d.account, d.mid).where(
        *_slice(_marks)
    )
    moved = _raise(schema.member, MEMBER, "delivered_mid", rows)
    return _slices(_marks, listed, 1, moved)


def _moving_rooms() -> Slices:
    """Cursors in rooms, of readers that still exist."""
    m, r, c = schema.journal_move.c, schema.reader.c, _rooms.c
    listed = (
        select(m.account, m.device, m.first, func.max(m.mid))
        .where(m.n <= bindparam("up_to"), m.mid > _NONE, m.second == _NONE)
        .group_by(m.account, m.device, m.first)
        .order_by(slot_of(m.account), m.account, m.device, m.first)
    )
    known = exists().where(
        r.slot == slot_of(c.account), r.account == c.account, r.device == c.device
    )
    rows = select(slot_of(c.account), c.account, c.device, c.room, c.cursor).where(
        *_slice(_rooms), known
    )
    moved = _raise(schema.room_reader, (*READER, "room"), "cursor", rows)
    return _slices(_rooms, listed, 1, moved)
