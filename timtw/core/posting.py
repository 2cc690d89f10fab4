"""From a wish to write to a stored message that everybody concerned is offered.

A message is answered only after the commit that holds it (docs/guarantees.md, P1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from timtw.core.logins.tickets import Entropy, MessageIdents
from timtw.core.people.recipients import Recipients
from timtw.model.commands import SendMessage
from timtw.model.idents import number_of
from timtw.model.interfaces import IRouter
from timtw.model.peers import Offer
from timtw.model.posting import IPostingDesk, Outcome, Posted
from timtw.model.values import (
    REMOVALS,
    STREAM,
    TEXT,
    Address,
    Content,
    Conversation,
    Device,
    Draft,
    LogEntry,
    Message,
)

Answer: TypeAlias = Callable[[SendMessage, Outcome], None]
"""Told once what became of a send, after its offers went out."""


class Posting:
    """Identity and time of a message; then storage; then offers."""

    def __init__(
        self,
        recipients: Recipients,
        desk: IPostingDesk,
        router: IRouter,
        time_ns: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        """``time_ns`` is the time of day in nanoseconds since 1970."""
        self.recipients = recipients
        self._desk = desk
        self._router = router
        self._time_ns = time_ns
        self._idents = MessageIdents(entropy)

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
            content=self._words(sender, recipient, command),
            device=device,
            kind=command.kind,
            mid=command.mid,
            to_room=not command.peer,
        )

        def done(result: Outcome) -> None:
            try:
                if isinstance(result, Posted) and not result.repeated:
                    self._router.publish(offers(result))
            finally:  # A fault at a receiver is no reason to keep the author waiting.
                answer(command, result)

        self._desk.post(draft, done)

    def _words(
        self, sender: Address, recipient: Address, command: SendMessage
    ) -> Content:
        """What is written. A removal is for everybody, its words are as any text."""
        content = _content(command)
        if command.kind in REMOVALS and command.peer:
            room = number_of(command.room) or 0
            if not self.recipients.may_say(sender, recipient, room):
                return Content(room=content.room)
        return content

    def stream(
        self, sender: Address, device: Device, recipient: Address, command: SendMessage
    ) -> None:
        """Bring the message to the devices of the recipient that are there."""
        number = recipient.number
        is_direct = bool(command.peer)
        self._router.stream(
            Message(
                conversation=Conversation.between(sender.number, number)
                if is_direct
                else Conversation.of_room(number),
                mid=0,
                ident=self._ident(command),
                sender=sender,
                recipient=recipient,
                timestamp=self._time_ns(),
                content=_content(command),
                device=device,
                kind=STREAM,
            )
        )

    def _ident(self, command: SendMessage) -> int:
        """The id that the client chose, or one of ours."""
        chosen = command.ident
        return self._idents.next() if chosen is None else chosen


def _content(command: SendMessage) -> Content:
    """What is written; to one member of a room with the room's number."""
    content = command.content
    if not (command.room and command.peer):
        return content
    return attrs.evolve(content, room=number_of(command.room) or 0)


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
