"""Statements of databases on servers, where several nodes may write at once.

What is raised is raised by the database, and what must not change is locked there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    tuple_,
    values,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ClauseElement

from timtw.shards.tables import schema
from timtw.shards.tables.compiling import Rows, any_keys
from timtw.shards.tables.dialects import Sql, added, equal, greatest
from timtw.shards.tables.statements import CONVERSATION, FIRST, MEMBER, ONCE, READER


class ServerPostingStatements:
    """What a commit of messages and cursors needs."""

    def __init__(self, sql: Sql) -> None:
        counter, message, log = schema.counter, schema.message, schema.log
        last = ("first", "second", "last")
        self.raise_counters = sql.put_many(
            counter, CONVERSATION, "last", change=added, returned=last
        )
        self.read_counters = (
            None if sql.returning else sql.read_many(counter, CONVERSATION, *last)
        )
        """For the engines whose ``raise_counters`` answers nothing."""
        self.write_messages = sql.insert_many(message, [c.name for c in message.c])
        own = ("body", "id", "sender")
        names = [column.name for column in log.c]
        self.write_texts = sql.insert_many(log, [n for n in names if n not in own])
        self.write_events = sql.insert_many(log, names)
        m, text_key = message.c, (*CONVERSATION, "mid")

        def texts(size: int) -> ClauseElement:
            keys: list[tuple[object, ...]] = [
                tuple(bindparam(f"{part}{n}") for part in text_key) for n in range(size)
            ]
            return (
                select(m.first, m.second, m.mid, m.sender, m.state)
                .where(tuple_(*[m[part] for part in text_key]).in_(keys))
                .order_by(*[m[part] for part in text_key])
                .with_for_update()
            )

        self.lock_texts = any_keys(sql.dialect, len(text_key), texts)
        self.remove_text = sql.text(
            message.update()
            .values(state=bindparam("gone"), body=bindparam("nothing"))
            .where(*equal(message, *text_key)),
            *("gone", "nothing", *text_key),
        )
        columns = ("period", "first", "second", "digest", "mid", "ts")
        self.read_once = sql.read_many(schema.send_once, ONCE, *columns)
        self.write_once = sql.insert_many(schema.send_once, (*ONCE, "mid", "ts"))
        self.raise_cursors = raised_cursors(sql) if sql.returning else None
        """For the engines that can tell in one statement which readers there are."""
        self.read_cursors = sql.read_many(
            schema.reader, READER, "account", "device", "cursor"
        )
        self.write_cursors = sql.put_many(
            schema.reader, READER, "cursor", "seen", change=greatest
        )
        self.write_delivered = sql.put_many(
            schema.member, MEMBER, "delivered_mid", change=greatest
        )


def raised_cursors(sql: Sql) -> Rows:
    """Raise cursors of those readers that exist, in the order of their keys."""
    reader, names = schema.reader, (*READER, "cursor")

    def raised(size: int) -> ClauseElement:
        rows: list[tuple[Any, ...]] = [
            tuple(bindparam(f"{name}{n}") for name in names) for n in range(size)
        ]
        columns = [column(name, reader.c[name].type) for name in names]
        new = values(*columns, name="new").data(rows)
        found = (
            select(*[new.c[name] for name in names], reader.c.seen)
            .join_from(new, reader, and_(*[reader.c[n] == new.c[n] for n in READER]))
            .where(reader.c.cursor < new.c.cursor)
            .order_by(*[reader.c[name] for name in READER])
        )
        made = postgresql.insert(reader).from_select([*names, "seen"], found)
        higher = func.greatest(reader.c.cursor, made.excluded.cursor)
        return made.on_conflict_do_update(
            index_elements=READER, set_={"cursor": higher}
        )

    return any_keys(sql.dialect, len(names), raised)


class MarkStatements:
    """The marks by which a connection's last write is recognised.

    ``look`` writes, too: so it waits for whoever is writing the mark, even if the row
    is only being made.
    """

    def __init__(self, sql: Sql) -> None:
        mark = schema.mark
        self.write = sql.put(mark, ("ident",), "number", "seen")
        self.look = sql.put(mark, ("ident",), "number", "seen", kept=("number",))
        self.read = sql.text(
            select(mark.c.number).where(*equal(mark, "ident")), "ident"
        )
        self.drop = sql.text(delete(mark).where(*equal(mark, "ident")), "ident")
        self.old = sql.text(
            select(mark.c.ident)
            .where(mark.c.seen < bindparam("before"))
            .limit(bindparam("count"))
            .offset(FIRST),
            *("before", "count"),
        )
