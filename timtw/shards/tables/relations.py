"""What accounts are to each other, as operations for every engine with tables.

A relation is one row, so both halves change together. Who has the counter of the pair
(``server.posting``), or writes alone, has the relation: nothing is locked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.sql import ColumnElement
from twisted.internet.defer import Deferred
from zope.interface import implementer

from timtw.model.idents import slot_of
from timtw.model.limits import RELATIONS
from timtw.model.peoplestores import IRelationStore
from timtw.model.relations import (
    REMOVED,
    Bond,
    Half,
    Relation,
    Step,
    Verdict,
    bond_of,
    decide,
)
from timtw.model.values import Conversation, Draft
from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal
from timtw.shards.tables.operations import Operation, Run, all_of, first_of

Reached: TypeAlias = Callable[[int], Operation[int]]
"""Finds up to which entry of its log an account's devices have confirmed, at best."""

_KEY: Final = ("slot", "first", "second")
_HALVES: Final = ("first_half", "second_half")
_NOTICES: Final = ("first_notice", "second_notice")
_ASKED: Final[ColumnElement[int]] = literal_column(str(int(Half.ASKED)))
_MOST: Final[ColumnElement[int]] = literal_column(str(RELATIONS))
_BLOCKS: Final[ColumnElement[int]] = literal_column(str(int(Half.BLOCKS)))
_NOTHING: Final[ColumnElement[int]] = literal_column(str(int(Half.NOTHING)))


class RelationStatements:
    """Reading, writing and listing of relations."""

    def __init__(self, sql: Sql) -> None:
        table = schema.relation
        r = table.c
        self.read = sql.text(
            select(*[r[name] for name in (*_HALVES, *_NOTICES)]).where(
                *equal(table, *_KEY)
            ),
            *_KEY,
        )
        self.write = sql.put(table, _KEY, *_HALVES, *_NOTICES)
        self.drop = sql.text(table.delete().where(*equal(table, *_KEY)), *_KEY)
        as_first, as_second = equal(table, "slot", "first"), equal(table, "second")
        friends = (r.first_half == _ASKED, r.second_half == _ASKED)
        first, second = ("slot", "first"), ("second",)
        self.blocked = (
            sql.text(
                select(r.second).where(*as_first, r.first_half == _BLOCKS), *first
            ),
            sql.text(
                select(r.first).where(*as_second, r.second_half == _BLOCKS), *second
            ),
        )
        # The same, of many accounts or pairs at once.
        self.rosters = (
            sql.read_many(table, first, "first", "second", where=friends),
            sql.read_many(table, second, "second", "first", where=friends),
        )
        self.read_all = sql.read_many(table, _KEY, "first", "second", *_HALVES)
        asking = (r.first_half == _NOTHING, r.second_half == _ASKED)
        asked = (r.first_half == _ASKED, r.second_half == _NOTHING)
        some = [
            select(r.second).where(*as_first, *asking),
            select(r.first).where(*as_second, *asked),
        ]
        # SQLite gets an offset in any case; this one is no parameter.
        most, more = [one.limit(_MOST).offset(_NOTHING) for one in some]
        self.asking = (sql.text(most, *first), sql.text(more, *second))
        self.asked = (
            sql.text(select(r.second).where(*as_first, *asked), *first),
            sql.text(select(r.first).where(*as_second, *asking), *second),
        )
        count = select(func.count()).select_from(table)
        self.count = (
            sql.text(count.where(*as_first, r.first_half != _NOTHING), *first),
            sql.text(count.where(*as_second, r.second_half != _NOTHING), *second),
        )
        counter = schema.counter
        self.low = sql.text(select(counter.c.low).where(*equal(counter, *_KEY)), *_KEY)
        self.note = tuple(
            sql.text(
                table.update()
                .values({name: bindparam("seq")})
                .where(*equal(table, *_KEY)),
                *("seq", *_KEY),
            )
            for name in _NOTICES
        )


def _key(pair: Conversation) -> tuple[int, int, int]:
    """The key of the relation of two accounts."""
    return (slot_of(pair.first), *pair)


class Relating:
    """The steps of relations, to be done inside the transaction of a commit."""

    def __init__(self, sql: Sql, reached: Reached) -> None:
        self._statements = sql.made(RelationStatements)
        self._reached = reached

    def change(self, draft: Draft) -> Operation[Verdict]:
        """Take the step that ``draft`` is; the notice is stored by whoever asks."""
        pair, me = draft.conversation, draft.sender.number
        row = yield from first_of(self._statements.read, _key(pair))
        halves = [Half.NOTHING] * 2 if row is None else [Half(one) for one in row[:2]]
        side = 0 if me == pair.first else 1
        now = Relation(halves[side], halves[1 - side])
        waits, room = False, True
        if now.mine is Half.ASKED:
            waits = yield from self._waits(draft.recipient.number, row[2 + side])
        elif now.mine is Half.NOTHING:
            room = (yield from self._known(me)) < RELATIONS
        verdict = decide(Step(draft.mid), now, waits, room)
        if verdict.after != now:
            yield from self._write(pair, side, verdict.after)
        return verdict

    def _waits(self, account: int, seq: int) -> Operation[bool]:
        """Whether an entry of a log is kept and has reached no device."""
        row = yield from first_of(self._statements.low, (slot_of(account), account, 0))
        low = 0 if row is None else row[0]
        return bool(seq > max(low, (yield from self._reached(account))))

    def _known(self, account: int) -> Operation[int]:
        """How many accounts one has asked or blocked."""
        first, second = self._statements.count
        row = yield from first_of(first, (slot_of(account), account))
        other = yield from first_of(second, (account,))
        return int(row[0] + other[0])

    def _write(self, pair: Conversation, side: int, after: Relation) -> Operation[None]:
        """Store what a relation has become."""
        if after == Relation():
            yield self._statements.drop, _key(pair)
            return
        halves = [int(after.mine), int(after.theirs)]
        if side:
            halves.reverse()
        yield self._statements.write, (*_key(pair), *halves, 0, 0)

    def told(self, draft: Draft, notice: int, seq: int) -> Operation[None]:
        """Remember which entry of the other's log tells of the step ``draft``."""
        if notice != REMOVED:
            pair = draft.conversation
            side = 0 if draft.sender.number == pair.first else 1
            yield self._statements.note[side], (seq, *_key(pair))


@implementer(IRelationStore)
class Relations:
    """What is read of relations."""

    def __init__(self, read: Run, sql: Sql) -> None:
        self._read = read
        self._statements = sql.made(RelationStatements)

    def bonds(
        self, pairs: Sequence[Conversation]
    ) -> Deferred[Mapping[Conversation, Bond]]:
        """See ``IRelationStore``."""

        def operation() -> Operation[Mapping[Conversation, Bond]]:
            bonds = dict.fromkeys(pairs, Bond.STRANGERS)
            keys: list[int] = []
            for pair in bonds:
                keys += _key(pair)
            rows = yield from all_of(self._statements.read_all, keys)
            for first, second, *halves in rows:
                bonds[Conversation(first, second)] = bond_of(*halves)
            return bonds

        return self._read(operation)

    def rosters(self, accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """See ``IRelationStore``."""

        def operation() -> Operation[Mapping[int, Sequence[int]]]:
            found: dict[int, list[int]] = {account: [] for account in accounts}
            first, second = self._statements.rosters
            keys: list[int] = []
            for account in found:
                keys += (slot_of(account), account)
            rows = yield from all_of(first, keys)
            rows += yield from all_of(second, list(found))
            for account, friend in rows:
                found[account].append(friend)
            return {account: sorted(friends) for account, friends in found.items()}

        return self._read(operation)

    def blocked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._list(self._statements.blocked, account)

    def asking(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._list(self._statements.asking, account)

    def asked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""
        return self._list(self._statements.asked, account)

    def _list(
        self, statements: tuple[str, str], account: int
    ) -> Deferred[Sequence[int]]:
        """The other sides that both statements find."""

        def operation() -> Operation[Sequence[int]]:
            first, second = statements
            rows = yield first, (slot_of(account), account)
            rows += yield second, (account,)
            return sorted(row[0] for row in rows)[:RELATIONS]

        return self._read(operation)
