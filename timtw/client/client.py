"""The client for programs: log in, write, read, ask; it stays logged in by itself."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from timtw.client.addresses import NodeAddress
from timtw.client.backoff import Route
from timtw.client.files import FILE, Files
from timtw.client.groups import Groups
from timtw.client.happenings import Answered, Arrived, Event, Over, Passed, Phase
from timtw.client.keeper import Keeper
from timtw.client.live import Lives
from timtw.client.questions import Questions
from timtw.client.requests import Request
from timtw.client.session import Session
from timtw.client.standing import Standing
from timtw.client.values import (
    Busy,
    Closed,
    Login,
    Message,
    Offline,
    Online,
    Signal,
    Stored,
)
from timtw.client.waiting import Waiting
from timtw.client.ways import State, Ways
from timtw.client.wire import Speech
from timtw.model.limits import (
    CLIENT_ASK_AGAIN_SECONDS,
    CLIENT_ECHO_SECONDS,
)

T = TypeVar("T")
IDENTS = 1 << 53
"""Ids are below this, so that JavaScript can hold them."""


class Client(Questions):
    """A device that is logged in, and logs in again whenever its line is lost.

    Made by ``connect``. Texts without an echo are sent again under their id and stored
    once; messages arrive in order and once, whatever happens to the line. All methods
    that answer later return Deferreds: await them, or call several at once.

    Attributes:
        groups: What can be asked about groups.
        live: Virtual rooms, and big texts and octets.
        files: Sending files, and being sent some.
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
        self.live = Lives(self._ask, self._post, self._hold)
        self.files = Files(reactor, self.live, self.signal, ways.entropy)
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

    def send(
        self, peer: str, text: str, ident: int = 0, within: str = ""
    ) -> Deferred[Stored]:
        """
        Write a text to an account; the answer comes when it is stored for good.

        Lines may be lost meanwhile: the text is sent again and stored once. Cancelling
        ends the waiting only; whether the text is stored is then unknown.

        Args:
            peer: The account's node.
            ident: 1 to 2^53 - 1; sending the same text under the same id again, also
                from another process, stores nothing again. 0: a random one.
            within: The node of a group in which both are: members write to each other
                without being friends. It is a conversation of two all the same.

        Raises (in the Deferred):
            Refused: the node does not take it.
            Busy: too much is waiting.
            ValueError: it is too long, also if only this node's operator says so.
            ClientError: the client has ended.
        """
        return self._send(peer, text, ident, False, within)

    def send_to_group(self, room: str, text: str, ident: int = 0) -> Deferred[Stored]:
        """
        Write a text to everybody in a group, of which this account is a member.

        Otherwise as ``send``; ``mid`` counts in the group.

        Args:
            room: The group's node.
        """
        return self._send(room, text, ident, True)

    def _send(
        self, peer: str, text: str, ident: int, to_room: bool, within: str = ""
    ) -> Deferred[Stored]:
        """Write a text to an account or a group."""
        ident = ident or self._rng.randrange(1, IDENTS)
        if ident in self._waiting:
            return fail(ValueError("this id is under way"))
        answer = self._expect(
            ident, lambda: self._session.send(ident, peer, text, to_room, within)
        )
        if ident in self._waiting:
            self._waiting.remind(ident, self._patience, self._again)
        return answer

    def signal(self, peer: str, content: Mapping[str, Any]) -> Deferred[None]:
        """
        Tell the program of another account something; lost if nobody is there.

        Args:
            content: What can be said in JSON; docs/how-to/live-rooms.md.

        Returns (in the Deferred): nothing, when the node has dealt with it.

        Raises (in the Deferred):
            Refused: this account may not write to that one.
            ClientError: the client has ended.
        """
        ident = self._rng.randrange(1, IDENTS)
        answer = self._expect(
            ident,
            lambda: self._session.say(
                lambda speech: [speech.signal(peer, content, ident)]
            ),
        )
        # A refusal would come in front of the answer to a later request.
        behind: Deferred[Any] = self.profiles([self.node])
        _ = behind.addBoth(lambda _: self._waiting.answered(ident, None))
        return answer

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

    def _say(self, make: Callable[[Speech], list[bytes]]) -> None:
        """See ``Questions``."""
        self._session.say(make)
        self._keeper.flush()

    def _post(self, make: Callable[[Speech], bytes]) -> Deferred[bool]:
        """Say something that is not answered; whether there is a line, when it takes
        more."""
        try:
            self._session.say(lambda speech: [make(speech)])
        except ValueError as error:
            return fail(error)
        return self._keeper.post()

    def _hold(self, who: object, stopped: bool) -> None:
        """Read nothing from the line as long as anybody wants it so."""
        self._keeper.hold(who, stopped)

    @property
    def _standing(self) -> Standing:
        """See ``Questions``."""
        return self._session.standing

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
        elif isinstance(event, Signal) and event.content.get("kind") == FILE:
            self.files.heard(event)
        elif isinstance(event, State):
            self._observe(event)
            if isinstance(event, Online):
                self.live.renewed()
                if not self.entered.called:
                    self.entered.callback(self)
        elif isinstance(event, Passed):
            self.live.heard(event)

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
        self.files.over(error)
        self.live.over(error)
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
