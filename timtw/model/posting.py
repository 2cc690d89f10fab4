"""What is stored with a commit, what becomes of it, and who gathers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from timtw.model.errors import TimError
from timtw.model.progress import CursorMove
from timtw.model.value import value
from timtw.model.values import Conversation, Draft, Message


@value
class Batch:
    """What one transaction stores."""

    drafts: tuple[Draft, ...] = ()
    cursors: tuple[CursorMove, ...] = ()


@value
class Posted:
    """What became of a draft.

    Args:
        sender_seq: Its number in the author's log; 0 for a repeat, and for a custom
            kind, which only the recipient's log holds.
        recipient_seq: Its number in the recipient's log; 0 for a repeat.
        repeated: Whether this is the answer that an earlier send had already got.
    """

    message: Message
    sender_seq: int
    recipient_seq: int
    repeated: bool = False


@value
class Changed:
    """What became of a step that changes a relation or a room.

    Args:
        told: The notices that it brought about.
        accounts: To whom the room is something else from now on, by number.
        refusal: Why the step was refused; a notice may have gone out all the same.
    """

    told: tuple[Posted, ...] = ()
    refusal: TimError | None = None
    accounts: tuple[int, ...] = ()


Outcome: TypeAlias = Posted | Changed | TimError
"""What became of a draft: it was stored, or why it was refused."""
PostingDone: TypeAlias = Callable[[Outcome], None]
"""Called once with what became of a draft, after its commit."""


class IWaitingMove(Interface):
    """What a reader has confirmed, until a commit takes it."""

    waits: bool = Attribute("Whether more can be added; else the desk is asked anew.")

    def confirm(cursor: int) -> None:
        """Everything up to here is confirmed."""

    def mark(conversation: Conversation, mid: int) -> None:
        """And so is this text of somebody else."""


class IPostingDesk(Interface):
    """Gathers what waits while a commit is under way into the next one."""

    waiting: int = Attribute("Drafts that have no answer yet.")

    def post(draft: Draft, done: PostingDone) -> None:
        """
        Store ``draft`` with the next commit and call ``done``, never from inside.

        ``done`` is called in the order of posting. It gets StorageUnavailable when
        nothing was stored, or when too much is waiting already.
        """

    def move(
        account: int, key: bytes, done: Callable[[CursorMove], None], room: int = 0
    ) -> IWaitingMove:
        """
        A move of this reader, in its account's log or a room's, that will be stored
        with the next commit, or after ``CURSOR_SECONDS``; the one that waits already,
        if there is one.

        ``done`` is called after the commit with what was stored; a failed commit is
        tried again.
        """

    def flush() -> Deferred[None]:
        """Commit everything that waits; fires when all of it is done."""
