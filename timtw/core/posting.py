"""From a wish to write to a stored message that everybody concerned is offered.

A message is answered only after the commit that holds it (docs/guarantees.md, P1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeAlias

from timtw.core.bonds import Bonds
from timtw.core.policy import depends_on_bond, may_write, meets
from timtw.core.settings import Settings
from timtw.core.tickets import Entropy, MessageIdents
from timtw.model import idents, limits
from timtw.model.commands import SendMessage
from timtw.model.errors import TimError, UnknownAccount
from timtw.model.interfaces import IRouter
from timtw.model.peers import Offer
from timtw.model.stores import IAccountStore, IPostingDesk, Outcome
from timtw.model.values import (
    STREAM,
    TEXT,
    Account,
    Address,
    Conversation,
    Device,
    Draft,
    LogEntry,
    Message,
    Posted,
)

Answer: TypeAlias = Callable[[SendMessage, Outcome], None]
"""Told once what became of a send, after its offers went out."""


class People:
    """The addresses of accounts, which never change once they exist."""

    def __init__(self, store: IAccountStore) -> None:
        """Ask ``store`` about whoever is not remembered."""
        self._store = store
        self._known: OrderedDict[int, Address] = OrderedDict()

    def known(self, number: int) -> Address | None:
        """The address, if it is at hand."""
        address = self._known.get(number)
        if address is not None:
            self._known.move_to_end(number)
        return address

    async def look_up(self, number: int) -> Address | None:
        """The address, or ``None`` if there is no such account."""
        found = (await self._store.accounts((number,))).get(number)
        return None if found is None else self.remember(found)

    async def look_up_all(self, numbers: Iterable[int]) -> dict[int, Address]:
        """
        The addresses of those accounts that exist.

        Raises StorageUnavailable.
        """
        found: dict[int, Address] = {}
        missing: list[int] = []
        for number in dict.fromkeys(numbers):
            address = self.known(number)
            if address is None:
                missing.append(number)
            else:
                found[number] = address
        if missing:
            accounts = await self._store.accounts(missing)
            found |= {n: self.remember(one) for n, one in accounts.items()}
        return found

    def remember(self, account: Account) -> Address:
        """Keep an address at hand."""
        self._known[account.number] = account.address
        if len(self._known) > limits.ADDRESSES:
            self._known.popitem(last=False)
        return account.address


class Posting:
    """Rights, identity and time of a message; then storage; then offers."""

    def __init__(
        self,
        people: People,
        bonds: Bonds,
        desk: IPostingDesk,
        router: IRouter,
        settings: Settings,
        time_ns: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        """``time_ns`` is the time of day in nanoseconds since 1970."""
        self._people = people
        self._bonds = bonds
        self._desk = desk
        self._router = router
        self._settings = settings
        self._time_ns = time_ns
        self._idents = MessageIdents(entropy)

    def at_hand(
        self, sender: Address, command: SendMessage
    ) -> Address | TimError | None:
        """
        The recipient, or why ``sender`` may not write to it at this moment.

        ``None`` if storage has to be asked (``recipient``).
        """
        number = idents.number_of(command.peer)
        recipient = None if number is None else self._people.known(number)
        if recipient is None:
            return None
        refusal = meets(sender, recipient)
        if refusal is None and depends_on_bond(command.kind):
            pair = Conversation.between(sender.number, recipient.number)
            bond = self._bonds.known(pair)
            if bond is None:
                return None
            refusal = may_write(bond, self._settings.write_to_anyone)
        return recipient if refusal is None else refusal

    async def recipient(
        self, sender: Address, command: SendMessage
    ) -> Address | TimError:
        """
        The recipient, or why ``sender`` may not write to it, from storage.

        Raises UnknownAccount (malformed or unknown) or StorageUnavailable.
        """
        number = idents.number_of(command.peer)
        if number is None:
            raise UnknownAccount()
        recipient = self._people.known(number) or await self._people.look_up(number)
        if recipient is None:
            raise UnknownAccount()
        refusal = meets(sender, recipient)
        if refusal is None and depends_on_bond(command.kind):
            pair = Conversation.between(sender.number, recipient.number)
            bond = await self._bonds.look_up(pair)
            refusal = may_write(bond, self._settings.write_to_anyone)
        return recipient if refusal is None else refusal

    def post(
        self,
        sender: Address,
        device: Device,
        recipient: Address,
        command: SendMessage,
        answer: Answer,
    ) -> None:
        """Store the message; ``answer`` is called in the order of posting."""
        draft = Draft(
            sender=sender,
            recipient=recipient,
            ident=self._ident(command),
            chosen=command.ident is not None,
            timestamp=self._time_ns(),
            content=command.content,
            device=device,
            kind=command.kind,
            mid=command.mid,
        )

        def done(result: Outcome) -> None:
            try:
                if isinstance(result, Posted) and not result.repeated:
                    self._router.publish(offers(result))
            finally:  # A fault at a receiver is no reason to keep the author waiting.
                answer(command, result)

        self._desk.post(draft, done)

    def stream(
        self, sender: Address, device: Device, recipient: Address, command: SendMessage
    ) -> None:
        """Bring the message to the devices of the recipient that are there."""
        self._router.stream(
            Message(
                conversation=Conversation.between(sender.number, recipient.number),
                mid=0,
                ident=self._ident(command),
                sender=sender,
                recipient=recipient,
                timestamp=self._time_ns(),
                content=command.content,
                device=device,
                kind=STREAM,
            )
        )

    def _ident(self, command: SendMessage) -> int:
        """The id that the client chose, or one of ours."""
        chosen = command.ident
        return self._idents.next() if chosen is None else chosen


def offers(posted: Posted) -> tuple[Offer, ...]:
    """What the logs of both sides have gained; the author's side comes first."""
    message = posted.message
    theirs = LogEntry(posted.recipient_seq, message, False)
    if not posted.sender_seq:
        return (Offer(message.recipient.number, theirs),)
    mine = LogEntry(posted.sender_seq, message, message.kind == TEXT)
    return (
        Offer(message.sender.number, mine),
        Offer(message.recipient.number, theirs),
    )
