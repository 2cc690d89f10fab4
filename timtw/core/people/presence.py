"""The rules of presence: whom a request is for, what is news, who has gone.

Nothing here waits or knows of storage and other nodes; ``showing`` does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import attrs

from timtw.model import limits
from timtw.model.commands import ShowPresence
from timtw.model.errors import BadParameter, TimError, UnknownAccount
from timtw.model.presence import Appearance, Audience, Parting, widened
from timtw.model.relations import Bond
from timtw.model.values import Address, Device


def may_see(bond: Bond, to_anyone: bool, fellows: bool) -> bool:
    """
    Whether one account may show itself to another, by what they are to each other.

    Args:
        to_anyone: Whether strangers may.
        fellows: Whether both are members of one room. Nothing of it waives a block.
    """
    if bond is Bond.STRANGERS:
        return to_anyone or fellows
    return bond is Bond.FRIENDS


def fault(command: ShowPresence) -> TimError | None:
    """What is wrong with a request in itself."""
    if len(command.peers or ()) > limits.PRESENCE_LIST:
        return BadParameter(f"at most {limits.PRESENCE_LIST} accounts at once")
    if command.status.weight > limits.PRESENCE_BYTES:
        return BadParameter(f"at most {limits.PRESENCE_BYTES} bytes of presence")
    return None


def is_for_friends(command: ShowPresence) -> bool:
    """Whether it names nobody, and is for all friends."""
    return command.broad and command.peer is None and command.peers is None


def named(command: ShowPresence, exist: Collection[str]) -> Sequence[str]:
    """
    Which of the accounts that it names a request is for.

    Of a list and a single account the list wins, in a broad request the account.

    Args:
        exist: Those among them that exist.

    Raises UnknownAccount: what is named exists not or not all, and that is to be told.
    """
    one = () if command.peer is None else (command.peer,)
    some = command.peers or ()
    if command.broad:
        return [node for node in one or some if node in exist]
    all_there = bool(some) and all(node in exist for node in some)
    if not all_there and not any(node in exist for node in one):
        raise UnknownAccount()
    return [node for node in dict.fromkeys(some or one) if node in exist]


@attrs.define(eq=False)
class _Mark:
    """The newest that was seen of an account.

    Args:
        until: When this is forgotten.
        gone: Up to which session the account is gone.
        is_gone: Whether no session has shown itself since.
        counters: The highest counter of each session that has.
    """

    until: float
    gone: int = -1
    is_gone: bool = False
    counters: dict[int, int] = attrs.Factory(dict)


class Newest:
    """Lets through what is newer than what was seen before, for a while.

    Of one session the higher counter is newer. That an account is gone is about the
    session of its version and all before: later ones are newer than that.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Nothing was seen."""
        self._now = now
        self._marks: OrderedDict[int, _Mark] = OrderedDict()

    def passes(self, appearance: Appearance) -> bool:
        """Whether it is news; then it counts as seen."""
        mark = self._mark(appearance.sender.number)
        session, counter = appearance.version
        if appearance.gone:
            return self._goes(mark, session)
        if session <= mark.gone or counter <= mark.counters.get(session, 0):
            return False
        mark.is_gone = False
        mark.counters[session] = counter
        if len(mark.counters) > limits.READERS:
            del mark.counters[min(mark.counters)]
        return True

    def _goes(self, mark: _Mark, session: int) -> bool:
        """Whether it is news that an account is gone."""
        if session <= mark.gone or any(one > session for one in mark.counters):
            return False
        was_gone, mark.is_gone = mark.is_gone, True
        mark.gone = session
        mark.counters.clear()
        return not was_gone

    def _mark(self, account: int) -> _Mark:
        """What was seen of an account; the oldest are forgotten."""
        now, marks = self._now(), self._marks
        mark = marks.pop(account, None)
        if mark is None or mark.until <= now:
            mark = _Mark(now)
        mark.until = now + limits.PRESENCE_MARK_SECONDS
        marks[account] = mark
        while len(marks) > limits.PRESENCE_MARKS or (
            next(iter(marks.values())).until <= now
        ):
            marks.popitem(last=False)
        return mark


@attrs.define
class _Shown:
    """What an account has shown of itself on this node."""

    session: int
    audience: Audience


class Attendance:
    """Who has shown themselves here, and whose last session has just ended.

    Args:
        entered: Told when an account has its first session here.
        left: Told when an account has none any more, and will be waited for no more.
        attends: Told what an account has shown, in case that this node vanishes.
        has_peers: Whether there are other nodes.
        tells: Whether anybody is told that accounts are gone.
    """

    def __init__(
        self,
        now: Callable[[], float],
        entered: Callable[[int], None],
        left: Callable[[int], None],
        attends: Callable[[Parting], None],
        has_peers: bool,
        tells: bool,
    ) -> None:
        """Nobody is here."""
        self._now = now
        self._entered = entered
        self._left = left
        self._attends = attends
        self._has_peers = has_peers
        self._tells = tells
        self._shown: dict[int, _Shown] = {}
        self._parting: OrderedDict[int, tuple[float, Address, Device]] = OrderedDict()

    def came(self, account: Address) -> None:
        """The account has its first session here."""
        if self._parting.pop(account.number, None) is None:
            self._entered(account.number)

    def shows(self, parting: Parting) -> None:
        """
        A session of an account has shown itself.

        Args:
            parting: What there is to tell if nothing else is shown until its end.
        """
        if not self._tells:
            return
        number = parting.sender.number
        now = _Shown(parting.session, parting.audience)
        shown = self._shown.get(number)
        if shown is not None:
            now.session = max(now.session, shown.session)
            now.audience = widened(now.audience, shown.audience)
        if now != shown:
            self._shown[number] = now
            self._attends(self._of(number, parting.sender, parting.device))

    def went(self, account: Address, device: Device) -> None:
        """The account's last session here has ended; it is given time to come back."""
        number = account.number
        # Where others may know it to be here, nobody who has shown nothing goes at
        # once either: its session elsewhere may end meanwhile.
        if self._tells and (self._has_peers or number in self._shown):
            until = self._now() + limits.PARTING_SECONDS
            self._parting[number] = (until, account, device)
            if len(self._parting) > limits.PARTINGS:
                self.gone(next(iter(self._parting)))
        else:
            self.gone(number)

    def waits_for(self, number: int) -> bool:
        """Whether the account is given time to come back."""
        return number in self._parting

    def next_due(self) -> float | None:
        """When the time of the next one is over."""
        for until, _account, _device in self._parting.values():
            return until
        return None

    def due(self) -> list[Parting]:
        """
        Some of those who have not come back in time; they are waited for no more.

        ``gone`` has to follow for each of them, unless it has come back meanwhile.
        """
        now, due = self._now(), list[Parting]()
        for number, (until, account, device) in self._parting.items():
            if until > now or len(due) == limits.PARTINGS_AT_ONCE:
                break
            due.append(self._of(number, account, device))
        for parting in due:
            del self._parting[parting.sender.number]
        return due

    def _of(self, number: int, account: Address, device: Device) -> Parting:
        """What is known of somebody who has gone."""
        shown = self._shown.get(number)
        if shown is None:
            return Parting(account, device)
        return Parting(account, device, shown.session, shown.audience)

    def all(self) -> list[Parting]:
        """All who have gone and are waited for, if they have shown themselves."""
        partings = [
            self._of(number, account, device)
            for number, (_until, account, device) in self._parting.items()
        ]
        return [one for one in partings if one.audience != frozenset()]

    def again(self, parting: Parting) -> None:
        """Wait a little longer: nobody could be told."""
        until = self._now() + limits.READ_AGAIN_SECONDS
        self._parting[parting.sender.number] = (until, parting.sender, parting.device)

    def gone(self, number: int) -> None:
        """The account has nothing more to do with this node."""
        self._parting.pop(number, None)
        self._shown.pop(number, None)
        self._left(number)

    def end(self) -> None:
        """Wait for nobody any more."""
        for number in list(self._parting):
            self.gone(number)

    def inherit(self, parting: Parting, is_here: bool, ask: bool) -> bool:
        """
        Take over what the account has shown on another node.

        Args:
            is_here: Whether it has sessions here.
            ask: Whether only who is here, or waited for here, is taken over.
        """
        number = parting.sender.number
        if not is_here and number not in self._parting:
            if ask:
                return False
            self._entered(number)
            self.shows(parting)
            self.went(parting.sender, parting.device)
        elif parting.audience != frozenset():
            self.shows(parting)
        return True
