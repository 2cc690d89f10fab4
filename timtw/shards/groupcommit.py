"""Group commit: what waits while one commit is under way goes in the next one.

How it works, and what always holds:

1. At most one commit is under way. Drafts that come during one reactor turn, or while
   a commit is under way, go together in the next, in the order of their coming. It
   begins at once, unless they are fewer than half of the last one: then one turn
   later, with what its answers bring, as a commit costs much however little it holds.
2. Without traffic there is no timer. Cursor moves ride along with drafts; alone they
   wait ``CURSOR_SECONDS`` for company.
3. Each draft gets exactly one answer, in order; one that is refused because too much
   is waiting keeps its place in that order.
4. A cursor move is never given up because storage was away: it is merged with newer
   ones of its reader and tried again. After a failure moves go without drafts until
   one commit of theirs has succeeded, so that neither can spoil the other.
5. A failure that is not StorageUnavailable is a fault in a draft, a move or the engine;
   the batch is halved until the one that cannot be stored stands alone and is given up.
   So it is with a damaged part of the database, which most do not need.
6. When storage fails twice in a row all drafts that wait are refused: an attempt may
   take seconds, and they may be twenty commits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from timtw.model.errors import StorageUnavailable, TimError, Undefined
from timtw.model.limits import (
    BATCH_CURSORS,
    BATCH_DRAFTS,
    CURSOR_RETRY_SECONDS,
    CURSOR_SECONDS,
    STORAGE_WAITING,
    STORAGE_WAITING_BYTES,
)
from timtw.model.posting import Batch, IPostingDesk, Outcome, PostingDone
from timtw.model.progress import CursorMove
from timtw.model.stores import IMessageStore, StorageDamaged
from timtw.model.values import Draft
from timtw.shards.moves import CursorDone, WaitingMove

_Entry: TypeAlias = tuple[Draft | None, PostingDone]
"""A draft with its callback; without a draft it is refused in its turn."""
_Key: TypeAlias = tuple[int, bytes, int]
_Taken: TypeAlias = tuple[WaitingMove, CursorMove]

_NOTHING: Final[Sequence[Outcome]] = ()


@implementer(IPostingDesk)
class GroupCommit:
    """The posting desk of one node over one engine."""

    _log = Logger()

    def __init__(self, messages: IMessageStore, clock: IReactorTime) -> None:
        self._messages = messages
        self._clock = clock
        self._entries: list[_Entry] = []
        self._halves: deque[list[_Entry]] = deque()
        self.waiting = 0
        self._octets = 0
        self._moves: dict[_Key, WaitingMove] = {}
        self._sent: tuple[list[_Entry], list[_Taken]] | None = None
        self._soon: IDelayedCall | None = None
        self._later: IDelayedCall | None = None
        self._apart = False
        self._pause = CURSOR_SECONDS
        self._span = BATCH_CURSORS
        self._outages = 0
        self._posted = 0
        self._moved = 0
        self._flushes: list[tuple[int, int, Deferred[None]]] = []

    def post(self, draft: Draft, done: PostingDone) -> None:
        """See ``IPostingDesk``."""
        self._posted += 1
        if self.waiting < STORAGE_WAITING and self._octets < STORAGE_WAITING_BYTES:
            self.waiting += 1
            self._octets += draft.content.weight
            self._entries.append((draft, done))
        else:
            self._entries.append((None, done))
        if self._soon is None and self._sent is None:
            self._soon = self._clock.callLater(0, self._turn)

    def move(
        self, account: int, key: bytes, done: CursorDone, room: int = 0
    ) -> WaitingMove:
        """See ``IPostingDesk``."""
        place = (account, key, room)
        waiting = self._moves.get(place)
        if waiting is None:
            self._moved += 1
            waiting = WaitingMove(account, key, room, done, self._moved)
            self._moves[place] = waiting
        else:
            waiting.done = done
        if self._later is None and self._sent is None:
            self._later = self._clock.callLater(self._pause, self._due)
        return waiting

    def flush(self) -> Deferred[None]:
        """See ``IPostingDesk``."""
        done: Deferred[None] = Deferred()
        self._flushes.append((self._posted, self._moved, done))
        if self._sent is None and self._soon is None:
            self._soon = self._clock.callLater(0, self._hurried)
        return done

    def _turn(self) -> None:
        """The turn is over in which the first draft came."""
        self._soon = None
        self._commit(bool(self._moves) and not self._apart)

    def _hurried(self) -> None:
        """Somebody waits for everything, cursors included."""
        self._soon = None
        self._commit(bool(self._moves))
        self._fire_flushes()

    def _due(self) -> None:
        """Cursors have waited long enough for drafts to travel with."""
        self._later = None
        if self._sent is None:
            self._commit(True)

    def _commit(self, with_moves: bool) -> None:
        """Send what waits; with ``with_moves`` the cursors of it too."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        alone = with_moves and self._apart
        entries = [] if alone else self._next_entries()
        moves = self._next_moves() if with_moves else []
        if not entries and not moves:
            return
        drafts = tuple([entry[0] for entry in entries if entry[0] is not None])
        if not drafts and not moves:
            self._sent = entries, []
            # Refused ones only; they too wait until those before them are answered.
            self._clock.callLater(0, self._stored, _NOTHING)
            return
        taken = [waiting.taken() for waiting in moves]
        self._sent = entries, list(zip(moves, taken, strict=True))
        posted = answer = self._messages.post(Batch(drafts, tuple(taken)))
        if answer.called:  # Those of the commit before are answered first.
            turn: Deferred[None] = deferLater(self._clock, 0)
            posted = turn.addCallback(lambda _none: answer)
        done = posted.addCallbacks(self._stored, self._failed)
        _ = done.addErrback(self._faulty)

    def _faulty(self, failure: Failure) -> None:
        """A fault of this desk itself."""
        self._log.failure("group commit failed", failure=failure)

    def _next_entries(self) -> list[_Entry]:
        """The next drafts, in order, and the refused ones among them."""
        if self._halves:
            return self._halves.popleft()
        entries = self._entries[:BATCH_DRAFTS]
        del self._entries[:BATCH_DRAFTS]
        return entries

    def _next_moves(self) -> list[WaitingMove]:
        """The next cursors, those first that have waited longest."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        waiting = self._moves
        if len(waiting) <= self._span:
            self._moves = {}
            return list(waiting.values())
        keys = list(waiting)[: self._span]
        return [waiting.pop(key) for key in keys]

    def _stored(self, posted: Sequence[Outcome]) -> None:
        """A commit has succeeded: start the next one, then tell everybody."""
        assert self._sent is not None
        entries, moves = self._sent
        self._sent = None
        self._outages = 0
        if moves:
            self._apart = False
            self._pause = CURSOR_SECONDS
            self._span = BATCH_CURSORS
        self._proceed(len(entries) // 2)
        self._answer(entries, posted)
        for waiting, move in moves:
            self._tell(waiting.done, move)
        self._fire_flushes()

    def _failed(self, failure: Failure) -> None:
        """A commit has failed: refuse its drafts, keep its cursors."""
        assert self._sent is not None
        entries, moves = self._sent
        self._sent = None
        refused: list[_Entry] = []
        error: TimError = StorageUnavailable()
        is_damage = failure.check(StorageDamaged) is not None
        if failure.check(StorageUnavailable) and not is_damage:
            self._keep(moves)
            refused = entries + self._given_up()
        else:
            if not is_damage:
                self._log.failure("batch not stored", failure=failure)
                error = Undefined()
            if len(entries) + len(moves) > 1:
                self._split(entries)
                self._keep(moves)
                if not entries:
                    self._span = len(moves) // 2
            else:
                refused = entries
        self._proceed()
        for draft, done in refused:
            if draft is not None:
                self.waiting -= 1
                self._octets -= draft.content.weight
            self._tell(done, error if draft is not None else StorageUnavailable())
        self._fire_flushes()

    def _given_up(self) -> list[_Entry]:
        """The drafts for which storage that has just failed is not tried again."""
        self._outages += 1
        if self._outages == 1:
            return []
        given_up = [*chain(*self._halves), *self._entries]
        self._halves, self._entries = deque(), []
        return given_up

    def _split(self, entries: list[_Entry]) -> None:
        """Try the drafts of a faulty batch again, by halves and before all others."""
        middle = (len(entries) + 1) // 2
        for half in (entries[middle:], entries[:middle]):
            if half:
                self._halves.appendleft(half)

    def _keep(self, moves: list[_Taken]) -> None:
        """Put cursors back that were not stored, below newer ones of their readers."""
        if not moves:
            return
        self._apart = True
        self._pause = min(self._pause * 2, CURSOR_RETRY_SECONDS)
        newer = self._moves
        self._moves = {
            (move.account, move.key, move.room): kept for kept, move in moves
        }
        for kept, _move in moves:
            kept.waits = True
        for key, waiting in newer.items():
            older = self._moves.get(key)
            if older is None:
                self._moves[key] = waiting
            else:
                older.merge(waiting)

    def _proceed(self, company: int = 0) -> None:
        """Start the next commit if something waits, or later if it is not so much."""
        waiting = len(self._entries)
        if self._halves or waiting >= max(company, 1):
            self._commit(bool(self._moves) and not self._apart)
        elif waiting:
            self._soon = self._clock.callLater(0, self._turn)
        if self._moves and self._later is None and self._sent is None:
            hurry = bool(self._flushes) and not self._apart
            pause = 0 if hurry else self._pause
            self._later = self._clock.callLater(pause, self._due)

    def _answer(self, entries: list[_Entry], posted: Sequence[Outcome]) -> None:
        """Tell each draft of a commit what became of it."""
        answers = iter(posted)
        for draft, done in entries:
            if draft is None:
                self._tell(done, StorageUnavailable())
                continue
            self.waiting -= 1
            self._octets -= draft.content.weight
            try:
                done(next(answers))
            except Exception:
                self._log.failure("callback of a posted message failed")

    def _tell(self, done: Callable[..., None], value: object) -> None:
        """Call back; a fault there is logged and stays there."""
        try:
            done(value)
        except Exception:
            self._log.failure("callback of storage failed")

    def _fire_flushes(self) -> None:
        """Fire the flushes before which nothing waits any more."""
        if not self._flushes:
            return
        entries, moves = self._sent or ([], [])
        waiting = len(entries) + len(self._entries) + sum(map(len, self._halves))
        settled = self._posted - waiting
        tickets = [waiting.ticket for waiting, _move in moves]
        tickets += [waiting.ticket for waiting in self._moves.values()]
        oldest = min(tickets, default=self._moved + 1)
        flushes, self._flushes = self._flushes, []
        for posted, moved, done in flushes:
            if posted <= settled and moved < oldest:
                done.callback(None)
            else:
                self._flushes.append((posted, moved, done))
