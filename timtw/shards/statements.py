"""Every statement of the embedded engine, compiled once at start.

Each attribute is a text for the raw driver; the names behind its making are its
parameters in order. Nothing outside this module writes SQL, but for PRAGMAs and the
bounds of transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql import ClauseElement, ColumnElement

from timtw.shards import schema
from timtw.shards.compiling import Rows, compiled, many_keys

S = TypeVar("S")

_made: dict[type[Any], Any] = {}

DIALECT: Final = sqlite.dialect(paramstyle="qmark")
CONVERSATION: Final = ("slot", "first", "second")
FIRST: Final[ColumnElement[int]] = literal_column("0")
"""The offset of a limited select; left out, it would become a parameter."""
TEXT_ENTRY: Final[ColumnElement[int]] = literal_column("1")
"""Kind of a log entry that refers to a text; a literal, as above."""
THERE: Final[ColumnElement[int]] = literal_column("0")
"""State of a text that is there."""
READER: Final = ("slot", "account", "device")
MEMBER: Final = (*CONVERSATION, "account")
ONCE: Final = ("slot", "period", "first", "second", "digest")


def made(kind: type[S]) -> S:
    """The one instance of a class of statements in this process."""
    found: S = _made.get(kind) or _made.setdefault(kind, kind())
    return found


def text(statement: ClauseElement, *order: str) -> str:
    """The SQL text of ``statement`` with its parameters in this order."""
    return compiled(DIALECT, statement, *order)


def equal(table: Table, *names: str) -> list[ColumnElement[bool]]:
    """Conditions that these columns have the values of parameters of their names."""
    return [table.c[name] == bindparam(name) for name in names]


def put(table: Table, key: Sequence[str], *others: str) -> str:
    """Write one row; one with the same key is overwritten."""
    names = (*key, *others)
    row = insert(table).values({name: bindparam(name) for name in names})
    kept = {name: row.excluded[name] for name in others}
    return text(row.on_conflict_do_update(index_elements=key, set_=kept), *names)


def read_many(table: Table, key: Sequence[str], *names: str) -> Rows:
    """Rows by many keys: a union of searches, which every engine does by index."""

    def statement(size: int) -> ClauseElement:
        columns = [table.c[name] for name in names]
        parts = [
            select(*columns).where(
                *[table.c[part] == bindparam(f"{part}{n}") for part in key]
            )
            for n in range(size)
        ]
        return union_all(*parts) if size > 1 else parts[0]

    return many_keys(DIALECT, len(key), statement)


class PostingStatements:
    """What a commit of messages and cursors needs."""

    def __init__(self) -> None:
        self.read_counters = read_many(
            schema.counter, CONVERSATION, "first", "second", "last"
        )
        message = schema.message
        m, key = message.c, (*CONVERSATION, "mid")
        self.read_author = text(
            select(m.sender, m.state).where(*equal(message, *key)), *key
        )
        self.remove_text = text(
            message.update()
            .values(state=bindparam("gone"), body=bindparam("nothing"))
            .where(*equal(message, *key)),
            *("gone", "nothing", *key),
        )
        self.read_once = read_many(
            schema.send_once,
            ONCE,
            *("period", "first", "second", "digest", "mid", "ts"),
        )
        self.read_cursors = read_many(
            schema.reader, READER, "account", "device", "cursor"
        )
        self.read_delivered = read_many(
            schema.member, MEMBER, "first", "second", "account", "delivered_mid"
        )


class ReadingStatements:
    """What is read of messages, logs and marks."""

    def __init__(self) -> None:
        message, log = schema.message, schema.log
        m = message.c
        columns = (m.first, m.second, m.mid, m.id, m.sender, m.ts, m.body)
        e = log.c
        text_of_entry = and_(
            e.kind == TEXT_ENTRY,
            m.slot == slot_of(e.first),
            *[m[name] == e[name] for name in ("first", "second", "mid")],
            m.state == THERE,
        )
        either = [func.coalesce(m[name], e[name]) for name in ("id", "sender")]
        body = func.coalesce(m.body, e.body)
        self.read_log = text(
            select(e.seq, e.kind, e.first, e.second, e.mid, *either, e.ts, body)
            .select_from(log.outerjoin(message, text_of_entry))
            .where(*equal(log, "slot", "account"))
            .where(e.seq > bindparam("after"), e.seq <= bindparam("up_to"))
            .where(or_(e.kind != TEXT_ENTRY, m.state == THERE))
            .order_by(e.seq)
            .limit(bindparam("count"))
            .offset(FIRST),
            *("slot", "account", "after", "up_to", "count"),
        )
        self.read_history = text(
            select(*columns)
            .where(*equal(message, *CONVERSATION))
            .where(m.mid <= bindparam("newest"), m.ts <= bindparam("until"))
            .where(m.state == THERE)
            .order_by(m.mid.desc())
            .limit(bindparam("count"))
            .offset(FIRST),
            *(*CONVERSATION, "newest", "until", "count"),
        )
        self.read_heads = read_many(schema.counter, CONVERSATION, "first", "last")
        self.read_delivered = text(
            select(schema.member.c.delivered_mid).where(*equal(schema.member, *MEMBER)),
            *MEMBER,
        )


def slot_of(number: ColumnElement[int]) -> ColumnElement[int]:
    """The slot that leads an account number, computed by the database."""
    shifted = number.bitwise_rshift(literal_column("44"))
    return shifted.bitwise_and(literal_column("1048575"))


class ReaderStatements:
    """What is done with the devices of an account."""

    def __init__(self) -> None:
        reader = schema.reader
        r = reader.c
        self.read_readers = text(
            select(r.device, r.cursor, r.seen, r.stuck_seq, r.stuck_count).where(
                *equal(reader, "slot", "account")
            ),
            *("slot", "account"),
        )
        self.put_reader = put(reader, READER, "cursor", "seen")
        self.put_stuck = text(
            reader.update()
            .values(stuck_seq=bindparam("entry"), stuck_count=bindparam("count"))
            .where(*equal(reader, *READER)),
            *("entry", "count", *READER),
        )
        self.drop_reader = text(delete(reader).where(*equal(reader, *READER)), *READER)


class CleaningStatements:
    """What is deleted when its time is over, a few rows at a time."""

    def __init__(self) -> None:
        once, token = schema.send_once, schema.token
        self.old_repeats = text(
            select(*[once.c[name] for name in ONCE])
            .where(once.c.period < bindparam("before"))
            .limit(bindparam("count"))
            .offset(FIRST),
            *("before", "count"),
        )
        self.drop_repeat = text(delete(once).where(*equal(once, *ONCE)), *ONCE)
        self.old_tokens = text(
            select(token.c.slot, token.c.digest)
            .where(token.c.expires <= bindparam("now"))
            .limit(bindparam("count"))
            .offset(FIRST),
            *("now", "count"),
        )
        self.drop_token = text(
            delete(token).where(*equal(token, "slot", "digest")), "slot", "digest"
        )


class InstallationStatements:
    """What is asked once, at start."""

    def __init__(self) -> None:
        place, key = schema.installation, schema.data_key
        self.read_version = text(select(schema.schema_version.c.version))
        self.insert_version = text(
            schema.schema_version.insert().values(version=bindparam("version")),
            "version",
        )
        self.write_version = text(
            schema.schema_version.update().values(version=bindparam("number")), "number"
        )
        columns = ("ident", "key_check", "digest_key")
        self.read_installation = text(select(*[place.c[name] for name in columns]))
        self.insert_installation = text(
            place.insert().values({name: bindparam(name) for name in columns}), *columns
        )
        self.read_data_keys = text(select(key.c.number, key.c.wrapped))
        self.insert_data_key = text(
            key.insert().values(
                number=bindparam("number"), wrapped=bindparam("wrapped")
            ),
            *("number", "wrapped"),
        )
