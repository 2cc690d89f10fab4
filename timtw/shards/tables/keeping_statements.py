"""How what is older than it may be is found, and deleted.

There is no index by age, which would cost on every message. A round walks the counters
in the order of their keys, as the tables lie, and looks at the oldest row of each; see
docs/decisions/009-age-is-found-by-walking.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
from sqlalchemy import (
    Table,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql import ColumnElement

from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal
from timtw.shards.tables.statements import CONVERSATION, FIRST, READER

_ONE: Final[ColumnElement[int]] = literal_column("1")
_NONE: Final[ColumnElement[int]] = literal_column("0")


@attrs.frozen
class Walk:
    """How old rows of one table are found and deleted.

    Args:
        look: The next counters, each with the time of its oldest row (or null).
        oldest: The oldest rows of one of them, with time and size of body.
        drop: Deletes rows of it, from one number up to another.
        key: How many columns of a counter's key are the key of the table.
    """

    look: str
    oldest: str
    drop: str
    key: int


class KeepingStatements:
    """What is asked for and deleted on account of its age."""

    def __init__(self, sql: Sql) -> None:
        counter, entry, message = schema.counter, schema.log.c, schema.message.c
        c = counter.c
        # A conversation has a counter, and no log.
        own = [entry.slot == c.slot, entry.account == c.first, c.second == _NONE]
        self.entries = _walk(sql, schema.log, ("slot", "account"), "seq", own)
        own = [message[name] == c[name] for name in CONVERSATION]
        self.texts = _walk(sql, schema.message, CONVERSATION, "mid", own)
        self.raise_low = sql.text(
            counter.update()
            .values(low=bindparam("up_to"))
            .where(*equal(counter, *CONVERSATION), c.low < bindparam("up_to1")),
            *("up_to", *CONVERSATION, "up_to1"),
        )
        self.read_ends = sql.text(
            select(c.last, c.low).where(*equal(counter, *CONVERSATION)), *CONVERSATION
        )


class DeviceStatements:
    """The same of devices."""

    def __init__(self, sql: Sql) -> None:
        reader, credential = schema.reader, schema.credential
        r, other, proof = reader.c, reader.alias().c, credential.c
        more = or_(
            exists().where(*[proof[name] == r[name] for name in READER]),
            exists().where(
                other.slot == r.slot,
                other.account == r.account,
                other.device != r.device,
            ),
        )
        self.look = sql.text(
            _next(select(*[r[name] for name in READER], r.seen, more), reader, READER),
            *_behind(READER),
        )
        unseen = r.seen < bindparam("before")
        same = [r[name] == proof[name] for name in READER]
        self.drop_credential = sql.text(
            delete(credential).where(
                *equal(credential, *READER), exists().where(*same, unseen)
            ),
            *(*READER, "before"),
        )
        self.drop_reader = sql.text(
            delete(reader).where(*equal(reader, *READER), unseen), *READER, "before"
        )
        self.see = sql.text(
            reader.update()
            .values(seen=bindparam("now"))
            .where(*equal(reader, *READER), r.seen < bindparam("now1")),
            *("now", *READER, "now1"),
        )


def _next(rows: Any, table: Table, key: Sequence[str]) -> Any:
    """The next of these rows in the order of a key; ``_behind`` has its parameters."""
    columns = [table.c[name] for name in key]
    behind = tuple_(*[bindparam(f"behind_{name}") for name in key])
    return (
        # Not every engine finds the beginning by the comparison of the whole key.
        rows.where(columns[0] >= bindparam("start"), tuple_(*columns) > behind)
        .order_by(*columns)
        .limit(bindparam("count"))
        .offset(FIRST)
    )


def _behind(key: Sequence[str]) -> list[str]:
    return ["start", *[f"behind_{name}" for name in key], "count"]


def _walk(
    sql: Sql,
    table: Table,
    key: tuple[str, ...],
    number: str,
    own: list[ColumnElement[bool]],
) -> Walk:
    """The statements of one table, whose rows are counted by ``number``."""
    counter = schema.counter
    c, n, ts = counter.c, table.c[number], table.c.ts
    oldest = (
        select(ts)
        .where(*own, n > c.low)
        .order_by(n)
        .limit(_ONE)
        .offset(FIRST)
        .correlate(counter)
        .scalar_subquery()
    )
    place = [c[name] for name in CONVERSATION]
    look = _next(select(*place, c.low, oldest), counter, CONVERSATION)
    rest = [*equal(table, *key), n > bindparam("low")]
    rows = (
        select(n, ts, func.coalesce(func.length(table.c.body), _NONE))
        .where(*rest)
        .order_by(n)
        .limit(bindparam("count"))
        .offset(FIRST)
    )
    drop = delete(table).where(*rest, n <= bindparam("up_to"))
    return Walk(
        sql.text(look, *_behind(CONVERSATION)),
        sql.text(rows, *key, "low", "count"),
        sql.text(drop, *key, "low", "up_to"),
        len(key),
    )
