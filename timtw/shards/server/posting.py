"""The commit of messages and cursors in a database on a server.

Other nodes write to the same database, so nothing is known by heart. Every transaction
locks in one order, and holds what it has locked until it is committed:

1. the counters of conversations, by key, each raised once by what the batch needs;
2. the texts that removals name, by key; then relations and rooms, whose conversations
   are locked by now;
3. the counters of logs, by key, raised in the same way;
4. readers, then marks of what was delivered, by key.

So numbers have no gaps, and whoever sees a number sees all below it. Sends that two
nodes make at the same time of one that a client repeated meet at the key of
``send_once``: one of the transactions fails there, is begun again, and finds the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from timtw.model.idents import slot_of
from timtw.model.posting import Batch, Changed, Outcome, Posted
from timtw.model.values import NOTICE, REMOVALS, TEXT, Draft
from timtw.shards.records import pack_content
from timtw.shards.repeats import message_of
from timtw.shards.sealing import Sealer, body_context, event_context
from timtw.shards.server.cursors import ServerCursors
from timtw.shards.server.plan import (
    Pair,
    Piles,
    Plan,
    changed_by,
    logs,
    owners,
    place,
)
from timtw.shards.server.repeats import ServerRepeats
from timtw.shards.server.statements import ServerPostingStatements
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation, all_of
from timtw.shards.tables.relations import Relating
from timtw.shards.tables.removals import GONE, THERE, refusal
from timtw.shards.tables.rooming import Rooming
from timtw.shards.tables.rooms import RoomRows
from timtw.shards.tables.statements import ReaderStatements, ReadingStatements


class ServerPosting:
    """Makes the operations that store batches."""

    def __init__(self, sql: Sql, sealer: Sealer) -> None:
        self._seal = sealer.seal
        self._cursors = ServerCursors(sql)
        self._repeats = ServerRepeats(sql, sealer)
        self._statements = sql.made(ServerPostingStatements)
        self._readers = sql.made(ReaderStatements)
        self._relating = Relating(sql, self._reached)
        self._rooming = Rooming(RoomRows(sql, sealer))
        self._heads = sql.made(ReadingStatements).read_heads

    def post(self, batch: Batch) -> Operation[Sequence[Outcome]]:
        """Store a batch; one answer per draft."""
        outcomes: Sequence[Outcome] = ()
        if batch.drafts:
            outcomes = yield from self._store(batch.drafts)
        if batch.cursors:
            yield from self._cursors.store(batch.cursors)
        return outcomes

    def _store(self, drafts: Sequence[Draft]) -> Operation[Sequence[Outcome]]:
        """Number and store the drafts."""
        packed = [pack_content(draft.content) for draft in drafts]
        firsts, own = yield from self._repeats.look_up(drafts, packed)
        plan = Plan([*drafts], packed, firsts, own)
        texts = [n for n in plan.stored() if drafts[n].kind == TEXT]
        conversations: Counter[Pair] = Counter([drafts[n].conversation for n in texts])
        steps = [n for n in plan.stored() if drafts[n].kind == NOTICE]
        if steps or any(draft.kind in REMOVALS for draft in drafts):
            for n in steps:
                conversations[changed_by(drafts[n])] += 0  # raised by nothing: locked
            yield from self._raise(plan, conversations)
            self._number(plan, sorted(texts + steps))
            yield from self._judge(plan)
            yield from self._change(plan, steps)
            yield from self._raise(plan, logs(plan))
        else:
            yield from self._raise(plan, conversations + logs(plan))
            self._number(plan, texts)
        outcomes = yield from self._write(plan)
        return outcomes

    def _raise(self, plan: Plan, wanted: Mapping[Pair, int]) -> Operation[None]:
        """Raise each of these counters once; they stay locked."""
        rows: list[Any] = []
        keys: list[Any] = []
        for key in sorted(wanted, key=place):
            keys += (slot_of(key[0]), *key)
            rows += (slot_of(key[0]), *key, wanted[key])
        raised = yield from all_of(self._statements.raise_counters, rows)
        if self._statements.read_counters is not None:
            raised = yield from all_of(self._statements.read_counters, keys)
        for first, second, last in raised:
            plan.last[first, second] = last - wanted[first, second]

    def _number(self, plan: Plan, places: Sequence[int]) -> None:
        """Give the texts their numbers, in order; see what they are between them."""
        for n in places:
            if plan.drafts[n].kind == NOTICE:
                plan.mids[n] = plan.last[changed_by(plan.drafts[n])]
                continue
            mid = plan.mids[n] = plan.next(plan.drafts[n].conversation)
            send = plan.own[n]
            if send is not None:
                send.mid = mid

    def _judge(self, plan: Plan) -> Operation[None]:
        """Decide which removals are right, with the texts that they name locked."""
        drafts = plan.drafts
        named = {(*d.conversation, d.mid) for d in drafts if d.kind in REMOVALS}
        keys: list[Any] = []
        for text in sorted(named):
            keys += (slot_of(text[0]), *text)
        rows = yield from all_of(self._statements.lock_texts, keys)
        there = {tuple(row[:3]): row[3] for row in rows if row[4] == THERE}
        for n in plan.stored():
            draft = drafts[n]
            if draft.kind == TEXT:
                there[(*draft.conversation, plan.mids[n])] = draft.sender.number
            elif draft.kind in REMOVALS:
                text = (*draft.conversation, draft.mid)
                why = refusal(draft, there.get(text))
                if why is not None:
                    plan.refused[n] = why
                else:
                    del there[text]
                    plan.gone[text] = GONE[draft.kind]

    def _change(self, plan: Plan, steps: Sequence[int]) -> Operation[None]:
        """Change relations and rooms, each with the counter of its conversation."""
        for n in steps:
            draft = plan.drafts[n]
            if draft.content.room:
                ends = (yield from self._head(plan, n)), plan.mids[n]
                done = yield from self._rooming.change(draft, ends)
                plan.changed[n] = Changed((), done.refusal, done.accounts)
                plan.notices[n] = done.notices
                continue
            said = yield from self._relating.change(draft)
            notice = attrs.evolve(draft, mid=said.notice, both=said.both)
            plan.changed[n] = Changed((), said.refusal)
            plan.notices[n] = [notice] if said.notice else []

    def _head(self, plan: Plan, n: int) -> Operation[int]:
        """The newest number of a room's log at the place of a step on it."""
        room = plan.drafts[n].content.room
        rows = yield from all_of(self._heads, [slot_of(room), room, 0])
        earlier = [draft for m in plan.stored() if m < n for draft in plan.entries(m)]
        added = sum(owners(draft).count(room) for draft in earlier)
        return int(rows[0][1] if rows else 0) + added

    def _reached(self, account: int) -> Operation[int]:
        """The highest cursor of an account's readers."""
        rows = yield self._readers.read_readers, (slot_of(account), account)
        return max((row[1] for row in rows), default=0)

    def _write(self, plan: Plan) -> Operation[list[Outcome]]:
        """Write what is stored; the answers to all drafts."""
        messages, texts, events = Piles(), Piles(), Piles()
        posted: dict[int, list[Posted]] = {}
        gone = dict(plan.gone)
        for n in plan.stored():
            posted[n] = []
            for draft in plan.entries(n):
                seqs = [plan.next((owner, 0)) for owner in owners(draft)]
                if draft.kind == TEXT:
                    mid = plan.mids[n]
                    state = gone.pop((*draft.conversation, mid), THERE)
                    self._add_text(draft, mid, state, plan.packed[n], messages)
                    self._add_entries(draft, mid, seqs, texts)
                else:
                    mid = draft.mid
                    self._add_events(draft, seqs, plan.packed_of(n, draft), events)
                is_echoed = draft.kind == TEXT and not draft.to_room
                own = seqs[0] if is_echoed or len(seqs) > 1 else 0
                message = message_of(draft, mid, draft.timestamp, True)
                posted[n].append(Posted(message, own, seqs[-1]))
            if n in plan.changed and not plan.drafts[n].content.room:
                told = posted[n][0]
                mid, seq = told.message.mid, told.recipient_seq
                yield from self._relating.told(plan.drafts[n], mid, seq)
        statements = self._statements
        for rows, piles in (
            (statements.write_messages, messages),
            (statements.write_texts, texts),
            (statements.write_events, events),
        ):
            for pile in piles.piles:
                yield from all_of(rows, pile)
        for text, state in sorted(gone.items()):
            yield statements.remove_text, (state, b"", slot_of(text[0]), *text)
        once: list[Any] = []
        for send in plan.own:
            if send is not None:
                once += (*send.key, send.mid, send.ts)
        yield from all_of(statements.write_once, once)
        return [self._answer(plan, n, posted) for n in range(len(plan.drafts))]

    def _answer(
        self, plan: Plan, n: int, posted: Mapping[int, Sequence[Posted]]
    ) -> Outcome:
        """What became of a draft."""
        first = plan.firsts[n]
        if first is not None:
            message = message_of(plan.drafts[n], first.mid, first.ts, False)
            return Posted(message, 0, 0, repeated=True)
        if n in plan.changed:
            return attrs.evolve(plan.changed[n], told=tuple(posted.get(n, ())))
        return posted[n][0] if n in posted else plan.refused[n]

    def _add_text(
        self, draft: Draft, mid: int, state: int, packed: bytes, rows: Piles
    ) -> None:
        """Add the row of a text."""
        pair, sender = draft.conversation, draft.sender.number
        body = b""
        if state == THERE:
            body = self._seal(packed, body_context(*pair, sender, draft.ident))
        who = (draft.ident, sender, draft.timestamp)
        rows.add((slot_of(pair.first), *pair, mid, *who, state, body), len(body))

    def _add_entries(
        self, draft: Draft, mid: int, seqs: Sequence[int], rows: Piles
    ) -> None:
        """Add the rows that refer to a text in the logs."""
        what = (draft.timestamp, TEXT, *draft.conversation, mid)
        for owner, seq in zip(owners(draft), seqs, strict=True):
            rows.add((slot_of(owner), owner, seq, *what), 0)

    def _add_events(
        self, draft: Draft, seqs: Sequence[int], packed: bytes, rows: Piles
    ) -> None:
        """Add the rows of what is no text, each with the body."""
        pair, sender = draft.conversation, draft.sender.number
        context = event_context(draft.kind, *pair, sender, draft.ident)
        body = self._seal(packed, context)
        what = (draft.timestamp, draft.kind, *pair, draft.mid, body)
        for owner, seq in zip(owners(draft), seqs, strict=True):
            row = (slot_of(owner), owner, seq, *what, draft.ident, sender)
            rows.add(row, len(body))
