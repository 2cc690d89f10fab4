"""What programs can ask a node, and tell it, beside messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from timtw.client.grouprequests import Spread, nodes_in
from timtw.client.requests import (
    Describe,
    Find,
    History,
    Profiles,
    ReadMarks,
    Relate,
    Request,
    Revoke,
)
from timtw.client.standing import Standing
from timtw.client.values import Message, Presence, Profile
from timtw.client.wire import Speech
from timtw.model.errors import AlreadyFriends, BadParameter
from timtw.model.limits import PRESENCE_BYTES, PRESENCE_LIST
from timtw.model.presence import Status
from timtw.model.relations import Step

PARTS = {field.name for field in attrs.fields(Profile)} - {"node", "created"}
"""What an account may set of its profile."""


class Questions:
    """The part of a client that is answered by the node and not by people."""

    def _ask(self, make: Callable[[int, Speech, str], Request]) -> Deferred[Any]:
        """Send a request; ``make`` gets its number, the speech, and the own node."""
        raise NotImplementedError

    def _say(self, make: Callable[[Speech], list[bytes]]) -> None:
        """Say something that is not answered, if there is a line."""
        raise NotImplementedError

    @property
    def _standing(self) -> Standing:
        """What is said again on each line."""
        raise NotImplementedError

    def find(self, name: str) -> Deferred[Profile | None]:
        """The account with exactly this login name, or None."""
        return self._ask(lambda n, speech, _: Find(n, [speech.find(name)]))

    def profiles(self, nodes: Sequence[str]) -> Deferred[dict[str, Profile]]:
        """What accounts tell about themselves, by node; at most 100 at once."""

        def make(number: int, speech: Speech, own: str) -> Request:
            end = [speech.end()] if speech.in_pieces else []
            return Profiles(number, [speech.profiles(list(nodes)), *end])

        return self._ask(make)

    def rename(self, name: str) -> Deferred[None]:
        """Change the own display name."""
        return self.describe(name=name)

    def describe(self, **changes: Any) -> Deferred[None]:
        """
        Change the own profile: what is given, by the names of ``Profile``.

        An empty text, list or map takes the place of what there was.

        Raises (in the Deferred):
            Refused: something is too long.

        Raises:
            TypeError: a profile has no such part.
        """
        unknown = set(changes) - PARTS
        if unknown:
            raise TypeError(f"a profile has no {', '.join(sorted(unknown))}")
        return self._ask(lambda n, speech, _: Describe(n, [speech.describe(changes)]))

    def announce(
        self,
        status: str = "",
        show: int = 1,
        purpose: int = 1,
        extend: Mapping[str, str] | None = None,
        extra: Mapping[str, bytes] | None = None,
    ) -> None:
        """
        Show all friends how this account is, now and whenever the line is new.

        Who never announces is shown to nobody. What others show, the observer is told
        (``Ways.observe``). The arguments are those of ``Presence``.

        Raises:
            ValueError: it is too long.
        """
        shown = _presence(status, show, purpose, extend, extra)

        def make(speech: Speech) -> list[bytes]:
            frame = speech.presence(shown, None)
            self._standing.announced(frame)
            return [frame]

        self._say(make)

    def show(
        self,
        peers: Sequence[str],
        status: str = "",
        show: int = 1,
        purpose: int = 2,
        extend: Mapping[str, str] | None = None,
        extra: Mapping[str, bytes] | None = None,
    ) -> None:
        """
        Show these accounts how this one is, once; at most 100.

        Nothing tells whether they see it: who may not is passed over.

        Raises:
            ValueError: it is too long, or too many.
        """
        if len(peers) > PRESENCE_LIST:
            raise ValueError(f"at most {PRESENCE_LIST} accounts at once")
        shown = _presence(status, show, purpose, extend, extra)
        self._say(lambda speech: [speech.presence(shown, peers)])

    def mark_read(self, peer: str, mid: int) -> None:
        """
        A conversation is read up to ``mid``.

        All devices of this account are told, and so is the peer.
        """
        self._say(lambda speech: self._standing.mark(peer, mid))

    def mark_read_in_group(self, room: str, mid: int) -> None:
        """
        A group, of which this account is a member, is read up to ``mid``.

        All devices of this account are told, and nobody else.
        """
        self._say(lambda speech: self._standing.mark(room, mid, True))

    async def unread(self) -> dict[str, int]:
        """
        How many texts are not read, by the peer's node, where there are some.

        All devices of an account come to the same numbers.
        """
        await self._all_read_marks()
        return self._standing.unread()

    async def unread_in_groups(self) -> dict[str, int]:
        """
        The same in the groups of this account, by the group's node.

        What was written before the account joined a group counts as read.
        """
        await self._all_read_marks()
        return self._standing.unread(in_groups=True)

    async def _all_read_marks(self) -> None:
        """Ask for all own marks."""
        self._standing.asked()
        after = await self._read_marks("")
        while after:
            after = await self._read_marks(after)
        self._standing.told()

    def _read_marks(self, after: str) -> Deferred[str]:
        """Ask for some of the own marks; where to go on, empty for nowhere."""
        return self._ask(lambda n, s, _: ReadMarks(n, [s.read_marks(after)]))

    def friends(self) -> Deferred[list[str]]:
        """The nodes of the friends of this account."""
        return self._list(lambda speech: speech.friends(False))

    def blocked(self) -> Deferred[list[str]]:
        """The nodes of the accounts that this account blocks."""
        return self._list(lambda speech: speech.friends(True))

    def befriend(self, peer: str, text: str = "") -> Deferred[None]:
        """
        Ask an account to be friends, or accept what it has asked; ends an own block.

        What comes of it arrives as a message whose kind is ``NOTICE``.

        Args:
            peer: The account's node.
            text: What it shall read.

        Raises (in the Deferred):
            Refused: it blocks this account, is a friend already, or does not exist.
        """
        return self._relate(Step.ASK, peer, text, AlreadyFriends.code)

    def unfriend(self, peer: str) -> Deferred[None]:
        """End a friendship or a request, by whomever; also an own block."""
        return self._relate(Step.LEAVE, peer, None, BadParameter.code)

    def block(self, peer: str) -> Deferred[None]:
        """Neither side can write to the other any more; nobody is told."""
        return self._relate(Step.BLOCK, peer, None, 0)

    def unblock(self, peer: str) -> Deferred[None]:
        """End an own block; the request is that of ``unfriend``."""
        return self.unfriend(peer)

    def _list(self, asked: Callable[[Speech], bytes]) -> Deferred[list[str]]:
        """Ask for a list of nodes."""

        def make(number: int, speech: Speech, own: str) -> Request:
            frames = [asked(speech), speech.profiles([own])]
            return Spread(number, frames, nodes_in)

        return self._ask(make)

    def _relate(
        self, step: Step, peer: str, text: str | None, done: int
    ) -> Deferred[None]:
        """Change what this account and another are to each other."""
        return self._ask(lambda n, s, _: Relate(n, [s.relate(step, peer, text)], done))

    def revoke(self, peer: str, mid: int) -> Deferred[None]:
        """
        Take an own text back; everybody who got it is told.

        Args:
            peer: The node of the account that it was written to.
            mid: Its number in the conversation.

        Raises (in the Deferred):
            Refused: it is gone already, or somebody else's.
        """
        return self._ask(lambda n, s, _: Revoke(n, [s.revoke(peer, mid, False)]))

    def revoke_in_group(self, room: str, mid: int) -> Deferred[None]:
        """The same in a group of which this account is a member."""
        return self._ask(lambda n, s, _: Revoke(n, [s.revoke(room, mid, True)]))

    def history_of_group(
        self, room: str, newest: int = 0, count: int = 20
    ) -> Deferred[list[Message]]:
        """What was written to a group, as ``history``; for its members only."""
        return self._history(room, newest, count, True)

    def history(
        self, peer: str, newest: int = 0, count: int = 20
    ) -> Deferred[list[Message]]:
        """
        The conversation with an account, newest first, perhaps less than asked for.

        Args:
            peer: Its node.
            newest: The mid to begin with, inclusive; 0: the newest there is.
            count: 1 to 100.
        """
        return self._history(peer, newest, count, False)

    def _history(
        self, peer: str, newest: int, count: int, of_room: bool
    ) -> Deferred[list[Message]]:
        """A part of a conversation."""

        def make(number: int, speech: Speech, own: str) -> Request:
            asked = speech.history(peer, newest, count, of_room)
            return History(number, [asked, speech.profiles([own])])

        return self._ask(make)


def _presence(
    status: str,
    show: int,
    purpose: int,
    extend: Mapping[str, str] | None,
    extra: Mapping[str, bytes] | None,
) -> Presence:
    """What is shown, of a size that a node takes."""
    weight = Status(show, status, purpose, extend, extra).weight
    if weight > PRESENCE_BYTES:
        raise ValueError(f"longer than {PRESENCE_BYTES} bytes")
    return Presence(
        peer="",
        show=show,
        status=status,
        purpose=purpose,
        extend=extend or {},
        extra=extra or {},
    )
