"""What the core asks of storage. Every engine provides it and passes one contract.

Every write is a whole operation: when its Deferred fires, it survives a crash of the
node and of the machine; when it fails with ``StorageUnavailable``, nothing was done.
Names, passwords, tokens, texts and device names reach the engine as they are and are
sealed or turned into keyed digests there (``timtw.shards.sealing``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from timtw.model.errors import StorageUnavailable
from timtw.model.peoplestores import IAccountStore, IRelationStore, IRoomStore
from timtw.model.posting import Batch, Outcome
from timtw.model.progress import Read, ReaderState
from timtw.model.values import (
    Conversation,
    Device,
    Expiring,
    LogPage,
    Message,
)

Reader: TypeAlias = tuple[int, bytes]
"""An account and the key of one of its readers."""
Place: TypeAlias = tuple[Any, ...]
"""How far a round through all that is kept has come; known to the engine alone."""
DONE: Final[Place] = ()
"""Where a round begins, and where it is when nothing is left to look at."""


class IMessageStore(Interface):
    """
    Messages, logs and counters.

    Addresses of messages that are read have an empty domain: both sides of a
    conversation share one, which whoever asks knows.
    """

    def post(batch: Batch) -> Deferred[Sequence[Outcome]]:
        """
        Store the batch in one transaction; one answer per draft, in order.

        ``mid`` counts per conversation, ``seq`` per log, without gaps, in the order of
        the drafts. A message to oneself is one entry, with one number.

        A removal (``REMOVALS``) takes the body of the text that it names away and is
        an entry of both logs; it is answered, and changes nothing, with BadParameter
        where the conversation has no such text (any more), with PermissionDenied
        where its sender is not the author (REVOCATION) or is the author (BURN).

        A custom kind is an entry of the recipient's log alone, and so is everything
        that is written to a room.

        A ``NOTICE`` is a step (``timtw.model.relations.decide``): the relation of both
        accounts is changed and the notice that follows is an entry of the log of the
        recipient, or of both. It is answered with ``Changed``. One whose content names
        a room is a step on that room (``timtw.model.roomsteps.decide``); notices that
        follow are entries of the logs of whom they are for.

        A text or custom kind whose client chose its id, and whose sender, conversation,
        id, kind and content were stored within ``REPEAT_SECONDS`` before its timestamp
        (also earlier in this batch), is answered with the first message and
        ``repeated``, whether or not that is gone.
        A cursor never goes back; nor does a delivered mark. A cursor in a room is one
        of a reader that is known.

        Fails with StorageUnavailable: nothing of the batch was stored.
        """

    def read_log(account: int, after: int, up_to: int, limit: int) -> Deferred[LogPage]:
        """
        Entries of a log after ``after`` up to ``up_to``, oldest first, without texts
        that are gone.

        At most ``limit`` entries and about ``LOG_READ_BYTES``, but at least one if
        there is one. The page's ``up_to`` says how far it reaches: the last entry's
        number if there may be more, else the ``up_to`` that was asked for.
        """

    def heads(accounts: Sequence[int]) -> Deferred[Mapping[int, int]]:
        """The newest number of each log; 0 for an empty one."""

    def history(
        conversation: Conversation, newest: int, until: int | None, count: int
    ) -> Deferred[Sequence[Message]]:
        """
        Texts of a conversation that are not gone, newest first.

        Args:
            newest: The newest ``mid`` wanted, inclusive; 0 for any.
            until: The newest timestamp wanted, inclusive; ``None`` for any.
        """

    def delivered(conversation: Conversation, account: int) -> Deferred[int]:
        """The highest ``mid`` that a device of ``account`` has confirmed, or 0."""


class IReadStore(Interface):
    """How far accounts have read their conversations."""

    def raised(marks: Sequence[Read]) -> Deferred[Sequence[Read]]:
        """
        Raise marks, each to its ``mid`` or the newest number, whichever is less.

        Returns: Those that are higher than before, in the order of conversations.
        """

    def of(conversation: Conversation) -> Deferred[Sequence[Read]]:
        """How far either of two accounts has read, if it has read anything."""

    def listed(
        account: int, after: Conversation | None, limit: int
    ) -> Deferred[Sequence[Read]]:
        """
        The next marks of an account behind a conversation, in their order.

        Rooms of which it is a member have one each, even if nothing was read, and other
        rooms have none. What has expired counts as read, and so does what was written
        to a room before the account has joined it.
        """


class IReaderStore(Interface):
    """Devices and how far each has read."""

    def open(account: int, device: Device, now: int) -> Deferred[ReaderState]:
        """
        The state of this reader, which is made if it was never seen.

        A new reader starts at the highest cursor of the account's readers, or at 0; so
        it does in each room, and nobody starts below where the account has joined.
        More than ``READERS`` of one account: the least recently seen is forgotten.
        A later opening has a higher session number than those of the account that were
        done before it began.
        Where nothing can be written a known reader may be opened as it stands, and
        is not noted as seen; it gets the last number again.
        """

    def seen(readers: Sequence[Reader], now: int) -> Deferred[None]:
        """These devices are here; those that are not known stay so."""

    def stuck(account: int, key: bytes, seq: int) -> Deferred[int]:
        """Note that ``seq`` stopped this reader; how often in succession it has."""


class IKeeping(Interface):
    """What is kept how long."""

    def expire(what: Expiring, before: int, place: Place) -> Deferred[Place]:
        """
        Delete a little of what is older than ``before``, and say where to go on.

        What goes of a log or conversation are its oldest parts, up to the first that
        is young enough; their numbers are never given again. Entries go with their
        bodies, texts out of history and logs, wherever they lie. With a device go its
        resume credential and its cursor; but the cursor of whichever reader of an
        account has confirmed most stays, as that is where new ones begin.

        Args:
            before: Nanoseconds since 1970.
            place: ``DONE`` to begin a round, else what the last step of it returned.

        Returns: ``DONE`` if the round is over.
        """


class IShard(Interface):
    """One storage engine with everything it keeps."""

    accounts: IAccountStore = Attribute("Accounts, tokens, credentials, profiles.")
    messages: IMessageStore = Attribute("Messages, logs and counters.")
    readers: IReaderStore = Attribute("Devices and cursors.")
    keeping: IKeeping = Attribute("What is kept how long.")
    waiting: int = Attribute("Reads, or single writes if they are more, not yet done.")
    relations: IRelationStore = Attribute("Friends, requests, blocks.")
    rooms: IRoomStore = Attribute("Rooms, and who belongs to them.")
    reads: IReadStore = Attribute("Read marks.")

    def start() -> Deferred[None]:
        """
        Open the engine; nothing else may be called before it fires.

        Fails with ShardError, whose text is one sentence for the operator.
        """

    def stop() -> Deferred[None]:
        """Finish what is under way and close. Nothing may be called afterwards."""


class StorageDamaged(StorageUnavailable):
    """What was asked for meets a damaged part of the database; the rest may work."""


class ShardError(Exception):
    """Storage cannot be opened; the text is one sentence for the operator."""


class ShardInUse(ShardError):
    """Another process holds the storage."""
