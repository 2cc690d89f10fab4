"""The client for programs: log in, write, read, ask; it stays logged in by itself."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from timtw.client.addresses import NodeAddress
from timtw.client.backoff import Route
from timtw.client.grouprequests import Spread, nodes_in
from timtw.client.groups import Groups
from timtw.client.happenings import Answered, Arrived, Event, Over, Phase
from timtw.client.keeper import Keeper
from timtw.client.requests import (
    Find,
    History,
    Profiles,
    Relate,
    Rename,
    Request,
    Revoke,
)
from timtw.client.session import Session
from timtw.client.values import (
    Busy,
    Closed,
    Delivered,
    Expired,
    Login,
    Message,
    Offline,
    Online,
    Profile,
    Stored,
)
from timtw.client.waiting import Waiting
from timtw.client.ways import Ways
from timtw.client.wire import Speech
from timtw.model.errors import AlreadyFriends, BadParameter
from timtw.model.limits import CLIENT_ASK_AGAIN_SECONDS, CLIENT_ECHO_SECONDS
from timtw.model.relations import Step

T = TypeVar("T")
IDENTS = 1 << 53
"""Ids are below this, so that JavaScript can hold them."""


class Client:
    """A device that is logged in, and logs in again whenever its line is lost.

    Made by ``connect``. Texts without an echo are sent again under their id and stored
    once; messages arrive in order and once, whatever happens to the line. All methods
    that answer later return Deferreds: await them, or call several at once.

    Attributes:
        groups: What can be asked about groups.
    """

    def __init__(
        self, reactor: Any, addresses: Sequence[str], login: Login, ways: Ways
    ) -> None:
        """See ``connect``."""
        self._reactor = reactor
        self._session = Session(login, ways.encoding, ways.listens, ways.own)
        self._rng = ways.rng
        self._observe = ways.observe
        self._patience = CLIENT_ECHO_SECONDS
        if not ways.listens:
            self._patience = CLIENT_ASK_AGAIN_SECONDS
        self._numbers = itertools.count(-1, -1)
        self.groups = Groups(self._ask)
        self._waiting = Waiting(reactor, self._session.forget)
        self._inbox: deque[Message] = deque()
        self._readers: deque[Deferred[Message]] = deque()
        self._error: Exception | None = None
        self.entered: Deferred[Client] = Deferred(lambda _: self._keeper.stop())
        self._keeper = Keeper(
            reactor,
            self._session,
            Route([NodeAddress.parsed(one) for one in addresses], ways.rng),
            ways.endpoint or (lambda address: address.endpoint(reactor)),
            ways.entropy,
            self._heard,
            ways.rounds,
        )
        self._keeper.start()

    @property
    def node(self) -> str:
        """The own account's node."""
        return self._session.node

    @property
    def credential(self) -> str:
        """Logs this device in again without the password; empty if there is none."""
        return self._session.credential

    @property
    def ended(self) -> bool:
        """Whether the client has come to its end and nothing more can be asked."""
        return self._error is not None

    def send(self, peer: str, text: str, ident: int = 0) -> Deferred[Stored]:
        """
        Write a text to an account; the answer comes when it is stored for good.

        Lines may be lost meanwhile: the text is sent again and stored once. Cancelling
        ends the waiting only; whether the text is stored is then unknown.

        Args:
            peer: The account's node.
            ident: 1 to 2^53 - 1; sending the same text under the same id again, also
                from another process, stores nothing again. 0: a random one.

        Raises (in the Deferred):
            Refused: the node does not take it.
            Busy: too much is waiting.
            ValueError: it is too long, also if only this node's operator says so.
            ClientError: the client has ended.
        """
        return self._send(peer, text, ident, False)

    def send_to_group(self, room: str, text: str, ident: int = 0) -> Deferred[Stored]:
        """
        Write a text to everybody in a group, of which this account is a member.

        Otherwise as ``send``; ``mid`` counts in the group.

        Args:
            room: The group's node.
        """
        return self._send(room, text, ident, True)

    def _send(
        self, peer: str, text: str, ident: int, to_room: bool
    ) -> Deferred[Stored]:
        """Write a text to an account or a group."""
        ident = ident or self._rng.randrange(1, IDENTS)
        if ident in self._waiting:
            return fail(ValueError("this id is under way"))
        answer = self._expect(
            ident, lambda: self._session.send(ident, peer, text, to_room)
        )
        if ident in self._waiting:
            self._waiting.remind(ident, self._patience, self._again)
        return answer

    def find(self, name: str) -> Deferred[Profile | None]:
        """The account with exactly this login name, or None."""
        return self._ask(lambda n, speech, _: Find(n, [speech.find(name)]))

    def profiles(self, nodes: Sequence[str]) -> Deferred[dict[str, Profile]]:
        """What accounts tell about themselves, by node; at most 100 at once."""
        return self._ask(lambda n, s, _: Profiles(n, [s.profiles(list(nodes))]))

    def rename(self, name: str) -> Deferred[None]:
        """Change the own display name."""
        return self._ask(lambda n, speech, _: Rename(n, [speech.rename(name)]))

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

    def receive(self) -> Deferred[Message]:
        """
        The next message; give it to ``confirm`` when it has been dealt with.

        What is not confirmed comes again in the next session of this device.
        """
        if self._inbox:
            return succeed(self._inbox.popleft())
        if self._error is not None:
            return fail(self._error)
        reader: Deferred[Message] = Deferred(self._readers.remove)
        self._readers.append(reader)
        return reader

    def confirm(self, message: Message) -> None:
        """A message has been dealt with: the node need not keep it for this device."""
        self._session.taken(message)
        self._keeper.flush()

    async def messages(self) -> AsyncIterator[Message]:
        """
        All messages, until the client ends, which raises the reason.

        Each is confirmed when the next one is asked for; after a ``break`` the last one
        is not, unless ``confirm`` is called.
        """
        while True:
            message = await self.receive()
            yield message
            self.confirm(message)

    async def logout(self) -> None:
        """End the session and its credential; the position in the log stays."""
        self._session.logout()
        self._keeper.flush()
        if self._session.phase is Phase.HERE:
            await self._keeper.gone
        else:
            await self.close()

    async def close(self) -> None:
        """Leave; this device can come back with its credential."""
        self._session.parting()
        self._keeper.flush()
        self._keeper.stop()
        if self._error is None:
            self._over(Closed("the client was closed"))
        await self._keeper.gone

    def _ask(self, make: Callable[[int, Speech, str], Request]) -> Deferred[Any]:
        """Send a request; ``make`` gets its number, the speech, and the own node."""
        number = next(self._numbers)
        return self._expect(
            number,
            lambda: self._session.ask(lambda speech, own: make(number, speech, own)),
        )

    def _expect(self, number: int, begin: Callable[[], None]) -> Deferred[Any]:
        """Begin something whose answer will have this number."""
        if self._error is not None:
            return fail(self._error)
        answer = self._waiting.expect(number)
        try:
            begin()
        except (ValueError, Busy) as error:
            self._waiting.answered(number, error)
        self._keeper.flush()
        return answer

    def _again(self, ident: int) -> None:
        """The echo of a text is late."""
        self._session.again(ident)
        self._keeper.flush()

    def _heard(self, event: Event | Offline) -> None:
        """Something has happened."""
        if isinstance(event, Answered):
            self._waiting.answered(event.number, event.result)
        elif isinstance(event, Arrived):
            self._arrived(event.message)
        elif isinstance(event, Over):
            self._over(event.error or Closed("logged out"))
        elif isinstance(event, Online | Offline | Delivered | Expired):
            self._observe(event)
            if isinstance(event, Online) and not self.entered.called:
                self.entered.callback(self)

    def _arrived(self, message: Message) -> None:
        """A message for whoever reads next."""
        if self._readers:
            self._readers.popleft().callback(message)
        else:
            self._inbox.append(message)

    def _over(self, error: Exception) -> None:
        """The end: whoever waits is told."""
        self._error = error
        self._waiting.over(error)
        while self._readers:
            self._readers.popleft().errback(error)
        if not self.entered.called:
            self.entered.errback(error)


def connect(
    reactor: Any, addresses: Sequence[str], login: Login, ways: Ways | None = None
) -> Deferred[Client]:
    """
    Log in; the client comes when that has succeeded, and then stays logged in.

    Args:
        reactor: Twisted's.
        addresses: Such as ``ws://127.0.0.1:5080/tim``, ``wss://host``,
            ``tcp://host:5090`` or ``tls://host:5091``; when one fails, the next is
            tried.
        login: Who, on which device.
        ways: What else there is to choose.

    Raises (in the Deferred):
        Refused: the node does not let us in.
        Unreachable: none of the addresses works.

    Raises:
        ValueError: an address or the encoding is none.
    """
    return Client(reactor, addresses, login, ways or Ways()).entered
