"""What accounts are to each other, in the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

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
from timtw.shards.memory.standings import Submit


@implementer(IRelationStore)
class MemoryRelations:
    """What each account has said about others, in dictionaries.

    Args:
        reached: Up to which entry of its log an account's devices have confirmed.
    """

    def __init__(self, submit: Submit, reached: Callable[[int], int]) -> None:
        self._submit = submit
        self._reached = reached
        self._halves: dict[int, dict[int, Half]] = {}
        self._notices: dict[tuple[int, int], int] = {}

    def _half(self, account: int, other: int) -> Half:
        """What one account has said about another."""
        return self._halves.get(account, {}).get(other, Half.NOTHING)

    def change(self, draft: Draft) -> Verdict:
        """Take the step that ``draft`` is; the notice is stored by whoever asks."""
        me, other = draft.sender.number, draft.recipient.number
        now = Relation(self._half(me, other), self._half(other, me))
        waits = self._notices.get((me, other), 0) > self._reached(other)
        room = len(self._halves.get(me, ())) < RELATIONS
        verdict = decide(Step(draft.mid), now, waits, room)
        if verdict.after != now:
            self._set(me, other, verdict.after.mine)
            self._set(other, me, verdict.after.theirs)
        return verdict

    def blocks(self, account: int, other: int) -> bool:
        """Whether an account blocks another one."""
        return self._half(account, other) is Half.BLOCKS

    def _set(self, account: int, other: int, half: Half) -> None:
        """Store what one account says about another from now on."""
        said = self._halves.setdefault(account, {})
        said[other] = half
        if half is Half.NOTHING:
            del said[other]
        self._notices.pop((account, other), None)

    def told(self, draft: Draft, notice: int, seq: int) -> None:
        """Remember which entry of the other's log tells of the step ``draft``."""
        if notice != REMOVED:
            self._notices[draft.sender.number, draft.recipient.number] = seq

    def _bond(self, pair: Conversation) -> Bond:
        """What two accounts are to each other."""
        first, second = pair
        return bond_of(self._half(first, second), self._half(second, first))

    def bonds(
        self, pairs: Sequence[Conversation]
    ) -> Deferred[Mapping[Conversation, Bond]]:
        """See ``IRelationStore``."""
        return self._submit(lambda: {pair: self._bond(pair) for pair in pairs})

    def _friends(self, account: int) -> Sequence[int]:
        """Who has asked and was asked."""
        said = self._halves.get(account, {})
        asked = (other for other, half in said.items() if half is Half.ASKED)
        return sorted(one for one in asked if self._half(one, account) is Half.ASKED)

    def rosters(self, accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """See ``IRelationStore``."""
        return self._submit(lambda: {one: self._friends(one) for one in accounts})

    def blocked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""

        def operation() -> Sequence[int]:
            said = self._halves.get(account, {})
            return sorted(one for one, half in said.items() if half is Half.BLOCKS)

        return self._submit(operation)

    def asking(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""

        def operation() -> Sequence[int]:
            asked = (one for one in list(self._halves) if self._waits(one, account))
            return sorted(asked)[:RELATIONS]

        return self._submit(operation)

    def asked(self, account: int) -> Deferred[Sequence[int]]:
        """See ``IRelationStore``."""

        def operation() -> Sequence[int]:
            said = self._halves.get(account, {})
            return sorted(one for one in said if self._waits(account, one))

        return self._submit(operation)

    def _waits(self, account: int, other: int) -> bool:
        """Whether one account has asked another and has no answer."""
        mine, theirs = self._half(account, other), self._half(other, account)
        return mine is Half.ASKED and theirs is Half.NOTHING
