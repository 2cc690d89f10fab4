"""The statements that engines share, and those of the embedded one.

Each attribute is a text for the raw driver; the names behind its making are its
parameters in order. Nothing outside this module writes SQL, but for PRAGMAs and the
bounds of transactions.
"""

from __future__ import annotations

from typing import Final, TypeVar

from sqlalchemy import and_, bindparam, delete, func, literal_column, or_, select
from sqlalchemy.sql import ColumnElement

from timtw.shards.tables import schema
from timtw.shards.tables.dialects import SQLITE, Sql, equal

S = TypeVar("S")

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


def made(kind: type[S], sql: Sql = SQLITE) -> S:
    """The one instance of a class of statements in this process, for this engine."""
    return sql.made(kind)


class PostingStatements:
    """What a commit of messages and cursors needs."""

    def __init__(self, sql: Sql) -> None:
        self.read_counters = sql.read_many(
            schema.counter, CONVERSATION, "first", "second", "last"
        )
        message = schema.message
        m, key = message.c, (*CONVERSATION, "mid")
        self.read_author = sql.text(
            select(m.sender, m.state).where(*equal(message, *key)), *key
        )
        self.remove_text = sql.text(
            message.update()
            .values(state=bindparam("gone"), body=bindparam("nothing"))
            .where(*equal(message, *key)),
            *("gone", "nothing", *key),
        )
        self.read_once = sql.read_many(
            schema.send_once,
            ONCE,
            *("period", "first", "second", "digest", "mid", "ts"),
        )
        self.read_cursors = sql.read_many(
            schema.reader, READER, "account", "device", "cursor"
        )
        self.read_delivered = sql.read_many(
            schema.member, MEMBER, "first", "second", "account", "delivered_mid"
        )


class ReadingStatements:
    """What is read of messages, logs and marks."""

    def __init__(self, sql: Sql) -> None:
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
        self.read_log = sql.text(
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
        self.read_history = sql.text(
            select(*columns)
            .where(*equal(message, *CONVERSATION))
            .where(m.mid <= bindparam("newest"), m.ts <= bindparam("until"))
            .where(m.state == THERE)
            .order_by(m.mid.desc())
            .limit(bindparam("count"))
            .offset(FIRST),
            *(*CONVERSATION, "newest", "until", "count"),
        )
        self.read_heads = sql.read_many(schema.counter, CONVERSATION, "first", "last")
        self.read_delivered = sql.text(
            select(schema.member.c.delivered_mid).where(*equal(schema.member, *MEMBER)),
            *MEMBER,
        )


def slot_of(number: ColumnElement[int]) -> ColumnElement[int]:
    """The slot that leads an account number, computed by the database."""
    shifted = number.bitwise_rshift(literal_column("44"))
    return shifted.bitwise_and(literal_column("1048575"))


class ReaderStatements:
    """What is done with the devices of an account."""

    def __init__(self, sql: Sql) -> None:
        reader = schema.reader
        r = reader.c
        self.read_readers = sql.text(
            select(
                r.device, r.cursor, r.seen, r.stuck_seq, r.stuck_count, r.session
            ).where(*equal(reader, "slot", "account")),
            *("slot", "account"),
        )
        self.put_reader = sql.put(
            reader, READER, "cursor", "seen", "session", kept=("cursor",)
        )
        self.put_stuck = sql.text(
            reader.update()
            .values(stuck_seq=bindparam("entry"), stuck_count=bindparam("count"))
            .where(*equal(reader, *READER)),
            *("entry", "count", *READER),
        )
        self.lock_reader = sql.text(
            # In SQLite, where one thread writes, there is nothing to lock.
            select(r.stuck_seq, r.stuck_count)
            .where(*equal(reader, *READER))
            .with_for_update(),
            *READER,
        )
        self.drop_reader = sql.text(
            delete(reader).where(*equal(reader, *READER)), *READER
        )


class CleaningStatements:
    """What is deleted when its time is over, a few rows at a time."""

    def __init__(self, sql: Sql) -> None:
        once, token = schema.send_once, schema.token
        self.old_repeats = sql.text(
            select(*[once.c[name] for name in ONCE])
            .where(once.c.period < bindparam("before"))
            .limit(bindparam("count"))
            .offset(FIRST),
            *("before", "count"),
        )
        self.drop_repeat = sql.text(delete(once).where(*equal(once, *ONCE)), *ONCE)
        self.old_tokens = sql.text(
            select(token.c.slot, token.c.digest)
            .where(token.c.expires <= bindparam("now"))
            .limit(bindparam("count"))
            .offset(FIRST),
            *("now", "count"),
        )
        self.drop_token = sql.text(
            delete(token).where(*equal(token, "slot", "digest")), "slot", "digest"
        )


class InstallationStatements:
    """What is asked once, at start."""

    def __init__(self, sql: Sql) -> None:
        place, key = schema.installation, schema.data_key
        self.read_version = sql.text(select(schema.schema_version.c.version))
        self.insert_version = sql.text(
            schema.schema_version.insert().values(version=bindparam("version")),
            "version",
        )
        self.write_version = sql.text(
            schema.schema_version.update().values(version=bindparam("number")), "number"
        )
        columns = ("ident", "key_check", "digest_key")
        self.read_installation = sql.text(select(*[place.c[name] for name in columns]))
        self.insert_installation = sql.text(
            place.insert().values({name: bindparam(name) for name in columns}), *columns
        )
        self.read_data_keys = sql.text(select(key.c.number, key.c.wrapped))
        self.insert_data_key = sql.text(
            key.insert().values(
                number=bindparam("number"), wrapped=bindparam("wrapped")
            ),
            *("number", "wrapped"),
        )
