"""Friends and blocks: what an account asks about its relations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred

from timtw.core.buckets import Buckets
from timtw.core.deferreds import deferred
from timtw.core.logins.tickets import Entropy, MessageIdents
from timtw.core.people.addresses import People
from timtw.core.people.bonds import Bonds
from timtw.core.people.policy import meets
from timtw.core.posting import offers
from timtw.model import idents, limits
from timtw.model.commands import ChangeRelation, ListRelations
from timtw.model.errors import (
    BadParameter,
    PermissionDenied,
    TooFrequent,
    UnknownAccount,
)
from timtw.model.events import Event, Related, Relations
from timtw.model.interfaces import IRouter
from timtw.model.peers import RelationChanged
from timtw.model.peoplestores import IRelationStore
from timtw.model.posting import Changed, IPostingDesk, Outcome
from timtw.model.relations import Circle, Step
from timtw.model.values import NOTICE, Address, Content, Draft


class Relating:
    """Changes relations by the posting desk, so that they keep their place among texts.

    A change counts everywhere before it is answered: this node and, as fast as word
    travels, the others forget what they knew of the pair.
    """

    def __init__(
        self,
        people: People,
        bonds: Bonds,
        store: IRelationStore,
        desk: IPostingDesk,
        router: IRouter,
        now: Callable[[], float],
        time_ns: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        """``now`` counts seconds, ``time_ns`` is the time of day."""
        self._people = people
        self._bonds = bonds
        self._lists: dict[Circle, Callable[[int], Deferred[Sequence[int]]]] = {
            Circle.FRIENDS: self._friends,
            Circle.BLOCKED: store.blocked,
            Circle.ASKING: store.asking,
            Circle.ASKED: store.asked,
        }
        self._desk = desk
        self._router = router
        self._time_ns = time_ns
        self._idents = MessageIdents(entropy)
        self._steps = Buckets(limits.RELATION_STEPS_PER_MINUTE, now)

    @deferred
    async def _friends(self, account: int) -> Sequence[int]:
        """The friends of an account, who are remembered for presence anyway."""
        return (await self._bonds.friends((account,)))[account]

    async def listed(self, me: Address, command: ListRelations) -> list[Event]:
        """
        The accounts that are something to an account.

        Raises StorageUnavailable.
        """
        numbers = await self._lists[command.circle](me.number)
        nodes = tuple(idents.node_of(number) for number in numbers)
        return [Relations(command, nodes)]

    async def change(self, me: Address, command: ChangeRelation) -> list[Event]:
        """
        Take a step, and tell whom it concerns.

        Raises what ``timtw.model.relations.decide`` refuses with, UnknownAccount,
        PermissionDenied, TooFrequent or StorageUnavailable.
        """
        if not self._steps.of(me.number).take():
            raise TooFrequent()
        text = command.text or ""
        if len(text.encode("utf-8", "surrogateescape")) > limits.REQUEST_TEXT_BYTES:
            raise BadParameter(f"at most {limits.REQUEST_TEXT_BYTES} bytes of text")
        other = await self._other(me, command)
        draft = Draft(
            sender=me,
            recipient=other,
            ident=self._idents.next(),
            chosen=False,
            timestamp=self._time_ns(),
            content=Content(command.text),
            kind=NOTICE,
            mid=command.step,
        )
        stored: Deferred[Outcome] = Deferred()
        self._desk.post(draft, stored.callback)
        outcome = await stored
        # Also after a failure, whose transaction may have happened all the same.
        self._bonds.forget(draft.conversation)
        self._router.announce(RelationChanged(draft.conversation, me.number))
        if not isinstance(outcome, Changed):
            assert isinstance(outcome, Exception)
            raise outcome
        for told in outcome.told:
            self._router.publish(offers(told))
        if outcome.refusal is not None:
            raise outcome.refusal
        return [Related(command)]

    async def _other(self, me: Address, command: ChangeRelation) -> Address:
        """The account that the step is about."""
        number = idents.number_of(command.peer)
        if number is None:
            raise UnknownAccount()
        other = self._people.known(number) or await self._people.look_up(number)
        if other is None:
            raise UnknownAccount()
        refusal = meets(me, other)
        if isinstance(refusal, PermissionDenied) and command.step is Step.LEAVE:
            refusal = BadParameter("there is nothing to end")
        if refusal is not None:
            raise refusal
        return other
