"""Which sends of a batch repeat one that is stored, or one before them in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import attrs

from timtw.model.idents import slot_of
from timtw.model.values import REMOVALS, Draft
from timtw.shards.repeats import is_repeat, once_of, period_of, periods_of
from timtw.shards.sealing import Sealer
from timtw.shards.server.statements import ServerPostingStatements
from timtw.shards.tables.dialects import Sql
from timtw.shards.tables.operations import Operation


class OnceKey(NamedTuple):
    """What a send is found by.

    Args:
        digest: Of sender, id and content.
    """

    slot: int
    period: int
    first: int
    second: int
    digest: bytes


@attrs.define(eq=False)
class Send:
    """A send with an id that its client chose.

    Args:
        mid: Its number; that of a new text is filled in when it has one.
    """

    key: OnceKey
    mid: int
    ts: int


Sends: TypeAlias = list[Send | None]


class ServerRepeats:
    """Looks for equal sends."""

    def __init__(self, sql: Sql, sealer: Sealer) -> None:
        self._digest = sealer.digests.repeat
        self._statements = sql.made(ServerPostingStatements)

    def look_up(
        self, drafts: Sequence[Draft], packed: Sequence[bytes]
    ) -> Operation[tuple[Sends, Sends]]:
        """
        What of these is a repeat, and what of them may be repeated later.

        Returns: For each draft the send that it repeats, and for each draft the send
            that it is itself; ``None`` where there is none.
        """
        keys = [self._key(*pair) for pair in zip(drafts, packed, strict=True)]
        wanted: list[Any] = []
        for key in keys:
            if key is not None:
                for recent in _around(key):
                    wanted += recent
        known: dict[OnceKey, Send] = {}
        for text, parameters in self._statements.read_once.split(wanted):
            for period, first, second, digest, mid, ts in (yield text, parameters):
                found = OnceKey(slot_of(first), period, first, second, digest)
                known[found] = Send(found, mid, ts)
        firsts: Sends = []
        fresh: Sends = []
        for draft, key in zip(drafts, keys, strict=True):
            first = own = None
            if key is not None:
                for recent in _around(key):
                    one = known.get(recent)
                    if one is not None and is_repeat(one.ts, draft.timestamp):
                        first = one
                        break
                else:
                    own = known[key] = Send(key, 0, draft.timestamp)
            firsts.append(first)
            fresh.append(own)
        return firsts, fresh

    def _key(self, draft: Draft, packed: bytes) -> OnceKey | None:
        """The key of a send with a chosen id; a removal is told apart by its mid."""
        if not draft.chosen or draft.kind in REMOVALS:
            return None
        first, second = draft.conversation
        content = once_of(draft, packed)
        digest = self._digest(draft.sender.number, draft.ident, content)
        period = period_of(draft.timestamp)
        return OnceKey(slot_of(first), period, first, second, digest)


def _around(key: OnceKey) -> list[OnceKey]:
    """The same key in all periods in which a send is looked for."""
    return [key._replace(period=period) for period in periods_of(key.period)]
