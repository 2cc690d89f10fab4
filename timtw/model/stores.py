"""What the core asks of storage. Every engine provides it and passes one contract.

Every write is a whole operation: when its Deferred fires, it survives a crash of the
node and of the machine; when it fails with ``StorageUnavailable``, nothing was done.
Names, passwords, tokens, texts and device names reach the engine as they are and are
sealed or turned into keyed digests there (``timtw.shards.sealing``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from timtw.model.errors import StorageUnavailable, TimError
from timtw.model.profiles import About, Profile
from timtw.model.relations import Bond
from timtw.model.rooms import Belonging, Member, Room, RoomProfile
from timtw.model.standing import Standing
from timtw.model.values import (
    Account,
    AccountLine,
    Batch,
    Changed,
    Conversation,
    CursorMove,
    Device,
    Draft,
    Expiring,
    LogPage,
    Message,
    Posted,
    Read,
    ReaderState,
    TokenGrant,
)

Outcome: TypeAlias = Posted | Changed | TimError
"""What became of a draft: it was stored, or why it was refused."""
Reader: TypeAlias = tuple[int, bytes]
"""An account and the key of one of its readers."""
Place: TypeAlias = tuple[Any, ...]
"""How far a round through all that is kept has come; known to the engine alone."""
DONE: Final[Place] = ()
"""Where a round begins, and where it is when nothing is left to look at."""


class IAccountStore(Interface):
    """Accounts, their verifiers, tokens, credentials and profiles."""

    def register(name: str, domain: str, verifier: str, now: int) -> Deferred[Account]:
        """
        Make an account with a number of its own.

        Args:
            verifier: The hash that the password is checked with.
            now: Nanoseconds since 1970.

        Fails with NameTaken or StorageUnavailable.
        """

    def verifier(name: str, domain: str) -> Deferred[Standing | None]:
        """The standing of the account of that name, or ``None``."""

    def standing(account: int) -> Deferred[Standing | None]:
        """The standing of the account with this number, or ``None``."""

    def set_verifier(
        account: int, verifier: str, version: int | None = None
    ) -> Deferred[bool]:
        """
        Set a verifier, raise the version, end all credentials.

        Returns: ``False``, and nothing is done, if the version is no more ``version``.
        """

    def set_blocked(account: int, until: int) -> Deferred[None]:
        """
        Block until then (-1: for ever) or lift the block (0); raise the version.

        A credential from before a block stays known, so that its login can be told
        why it fails, and has ended when the block ends, by itself or not.
        """

    def end_proofs(account: int) -> Deferred[None]:
        """Raise the version and end all credentials."""

    def listing(after: int, limit: int) -> Deferred[Sequence[AccountLine]]:
        """The next accounts behind the number ``after``, in the order of numbers."""

    def find(name: str, domain: str) -> Deferred[Account | None]:
        """The account of exactly that name, or ``None``."""

    def accounts(numbers: Sequence[int]) -> Deferred[Mapping[int, Account]]:
        """The accounts with these numbers; unknown ones are left out."""

    def put_token(token: str, grant: TokenGrant, expires: int) -> Deferred[None]:
        """Keep a token until ``expires``, nanoseconds since 1970."""

    def take_token(token: str, now: int) -> Deferred[TokenGrant | None]:
        """Take a token out: of two that take it at once, one gets it."""

    def put_credential(
        account: int, device: Device, credential: str, now: int
    ) -> Deferred[None]:
        """
        Keep the one resume credential of this device; an older one ends.

        More than ``READERS`` of one account: the oldest one ends.
        """

    def credential(
        device: Device, credential: str, now: int
    ) -> Deferred[Standing | None]:
        """The standing of whom this credential was given to on this very device."""

    def drop_credentials(account: int, device: Device | None) -> Deferred[None]:
        """End the credential of one device, or of all devices of the account."""

    def profiles(numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
        """The profiles of these accounts; unknown accounts are left out."""

    def change_profile(account: int, changes: About) -> Deferred[None]:
        """Set what ``changes`` sets, and keep everything else (``About.merged``)."""


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


class IRelationStore(Interface):
    """What accounts are to each other. Changed by ``IMessageStore.post``."""

    def bonds(pairs: Sequence[Conversation]) -> Deferred[Mapping[Conversation, Bond]]:
        """What the two accounts of each of these pairs are to each other."""

    def rosters(accounts: Sequence[int]) -> Deferred[Mapping[int, Sequence[int]]]:
        """The friends of each of these accounts, by number."""

    def blocked(account: int) -> Deferred[Sequence[int]]:
        """The accounts that an account blocks, by number."""

    def asking(account: int) -> Deferred[Sequence[int]]:
        """Who has asked this account and waits; at most ``RELATIONS`` of them."""

    def asked(account: int) -> Deferred[Sequence[int]]:
        """Whom this account has asked and has no answer from."""


class IRoomStore(Interface):
    """Rooms, and what accounts are to them; changed by ``IMessageStore.post``."""

    def room(number: int) -> Deferred[Room | None]:
        """The room with this number, dissolved or not, or ``None``."""

    def belonging(room: int, account: int) -> Deferred[Belonging]:
        """What an account is to a room, read afresh."""

    def rooms_of(account: int) -> Deferred[Sequence[int]]:
        """The rooms that an account is a member of, by number."""

    def blocked_rooms(account: int) -> Deferred[Sequence[int]]:
        """The rooms that an account blocks, by number."""

    def members(
        room: int, after: Member | None, limit: int
    ) -> Deferred[Sequence[Member]]:
        """
        The next members of a room: its founder, managers, others, each by number.

        Args:
            after: The last one of those before; ``None`` to begin.
        """

    def barred(room: int) -> Deferred[Sequence[int]]:
        """The accounts that a room bars, by number."""

    def profiles(rooms: Sequence[int]) -> Deferred[Mapping[int, RoomProfile]]:
        """What these rooms are; unknown and dissolved ones are left out."""


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


class StorageDamaged(StorageUnavailable):
    """What was asked for meets a damaged part of the database; the rest may work."""


class ShardError(Exception):
    """Storage cannot be opened; the text is one sentence for the operator."""


class ShardInUse(ShardError):
    """Another process holds the storage."""
