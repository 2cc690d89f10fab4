"""One device's conversation with its node, over all of its lines; sans-io, no clock.

Frames go in by ``received``; what is to be written and what has happened comes out of
``outgoing`` and ``events``. The owner tells when a line is there and when it is lost,
and decides when to come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from timtw.client.happenings import (
    Answered,
    Arrived,
    Event,
    Live,
    NotNow,
    Over,
    Phase,
    PushRefused,
)
from timtw.client.heard import (
    Heard,
    message_of,
    notice_of,
    presence_of,
)
from timtw.client.livespeech import frame_of, passed_on, told_of
from timtw.client.receiving import Receiving
from timtw.client.refusals import may_pass, refusal, unread
from timtw.client.requests import Asking, Request
from timtw.client.sending import Sending
from timtw.client.standing import Standing
from timtw.client.values import (
    TEXT,
    Displaced,
    Expired,
    Login,
    Message,
    Online,
    Presence,
    Read,
    Refused,
    Stored,
)
from timtw.client.wire import Speech
from timtw.model.errors import BadToken, Remedy
from timtw.protocols.frames import FrameType
from timtw.protocols.messages import LISTS_CHANGED
from timtw.protocols.refusals import READ
from timtw.protocols.structs import (
    TimAck,
    TimMessage,
    TimMessageList,
    TimPresence,
    TimStream,
)

_PUSHES: Final = (FrameType.TIMSTREAM, FrameType.TIMBIGBINARYSTREAM)
"""The types by which a push is refused."""


class Session:
    """See the module.

    Attributes:
        phase: Where it stands.
        node: The own account's node; empty before the first login.
        credential: Logs this device in again without the password; empty if unknown.
        leaving: Whether the end was asked for by ``logout``.
        standing: What is said again on each line, and how far is read.
        listens: Whether messages are asked for. One that does not acknowledges none,
            so the device's place in the log stays where it is.
    """

    def __init__(
        self, login: Login, encoding: str, listens: bool = True, own: bool = False
    ) -> None:
        """
        Nobody is logged in.

        Args:
            own: Whether messages that other devices of the account write arrive, too.

        Raises:
            ValueError: there is no such encoding.
        """
        self.phase = Phase.AWAY
        self.node = ""
        self.credential = login.credential
        self.listens = listens
        self._login = login
        self._own = own
        self._speech = Speech(encoding)
        self._receiving = Receiving()
        self._rooms: dict[str, Receiving] = {}
        self._sending = Sending()
        self.leaving = False
        self._asking = Asking()
        self.standing = Standing(self._speech)
        self._longest = 0
        self._frames: list[bytes] = []
        self._events: list[Event] = []

    def outgoing(self) -> list[bytes]:
        """Frames to write, in order; each is told once."""
        taken, self._frames = self._frames, []
        self._longest = max(self._longest, *map(len, taken), 0)
        return taken

    def events(self) -> list[Event]:
        """What has happened, in order; each is told once."""
        taken, self._events = self._events, []
        return taken

    # What the owner does.

    def opened(self) -> None:
        """A line is there."""
        self.phase, self._longest = Phase.ENTERING, 0
        self._frames = [self._speech.login(self._login, self.credential)]

    def lost(self) -> None:
        """The line is gone; what is unanswered goes out again on the next."""
        if self.phase is not Phase.OVER:
            self.phase = Phase.AWAY
        self._frames.clear()
        for log in (self._receiving, *self._rooms.values()):
            log.lost()

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._frames.append(self._speech.ping())

    def logout(self) -> None:
        """End the session; ``Over`` follows."""
        if self.phase is Phase.HERE:
            self.parting()
            self.leaving = True
            self._frames.append(self._speech.logout())

    def parting(self) -> None:
        """The line is about to be left: tell what was taken of a page in part."""
        if self.phase is Phase.HERE and self.listens and self._receiving.unfinished:
            self._frames.append(self._speech.backlog(self._receiving.position))

    def send(
        self,
        ident: int,
        peer: str,
        text: str,
        to_room: bool = False,
        within: str = "",
    ) -> None:
        """
        Send a text to an account, or to a group, under an id of its own, 1 to 2^53 - 1,
        which is its number as well.

        Args:
            within: A group in which this account and the other one are.

        Raises:
            Busy: too much is waiting.
            ValueError: the text is too long.
        """
        frame = self._speech.text(peer, text, ident, to_room, within)
        self._sending.add(ident, peer, frame)
        self._push()

    def again(self, ident: int) -> None:
        """Send a text once more: its echo is late."""
        if self.phase is Phase.HERE:
            self._frames += self._sending.again(ident)

    def forget(self, ident: int) -> None:
        """Nobody waits for this echo any more; the text may be stored all the same."""
        self._sending.answered(ident)
        self._push()

    def ask(self, make: Callable[[Speech, str], Request]) -> None:
        """
        Ask for something; ``make`` gets the speech and the own node.

        Raises:
            Busy: too much is waiting.
            ValueError: the request is too long.
        """
        request = make(self._speech, self.node)
        self._asking.add(request)
        if self.phase is Phase.HERE:
            request.sent = True
            self._frames += request.frames

    def say(self, make: Callable[[Speech], list[bytes]]) -> None:
        """
        Say something that is not answered, if there is a line.

        Raises:
            ValueError: it is too long.
        """
        frames = make(self._speech)
        if self.phase is Phase.HERE:
            self._frames += frames

    def taken(self, message: Message) -> None:
        """The consumer has a message for good."""
        if message.seq:
            self._acknowledge(self._log(message.room).taken(message.seq))

    def _log(self, room: str) -> Receiving:
        """How far this device has the log of a group, or its account's own."""
        return self._rooms.setdefault(room, Receiving()) if room else self._receiving

    def too_long(self) -> None:
        """The node ends the line for the length of a frame, surely of the longest.

        It would end the next line as well, so whoever still waits for it is told.
        """
        if self.phase is Phase.HERE:
            size = self._longest
            number = self._sending.give_up(size) or self._asking.give_up(size)
            if number:
                error = ValueError(f"longer than this node takes: {size} bytes")
                self._events.append(Answered(number, error))

    # What the node says.

    def received(self, frame: bytes) -> None:
        """
        Take a frame.

        Raises:
            BadLine: it is damaged; the line has to be dropped.
        """
        passed: Live | None = passed_on(frame)
        heard = self._speech.hear(frame)
        body = heard.body
        if self.phase is Phase.OVER:
            return
        if isinstance(body, TimStream):
            passed = frame_of(body)
        elif isinstance(body, TimMessage) and heard.receipt is None:
            passed = told_of(body)
        if passed is not None:
            self._events.append(passed)
        elif heard.type == FrameType.TIMMESSAGE and isinstance(body, TimMessage):
            self._messages(heard.receipt, [body])
        elif heard.type == FrameType.TIMOFFLINEMSG and isinstance(body, TimMessageList):
            self._messages(heard.receipt, body.messageList or [])
        elif heard.type == FrameType.TIMPRESENCE and isinstance(body, TimPresence):
            self._saw(presence_of(body))
        else:
            if heard.receipt is not None:
                self._acknowledge([heard.receipt])
            self._heard(heard)

    def _saw(self, presence: Presence) -> None:
        """Somebody is as this says; if we are said to be gone, we are not."""
        if presence.peer != self.node:
            self._events.append(presence)
        elif self.phase is Phase.HERE:
            self._frames += self.standing.again()

    def _heard(self, heard: Heard) -> None:
        """An answer, or what we do not know and ignore."""
        ack = heard.body
        if isinstance(ack, TimAck):
            if ack.timType == FrameType.TIMAUTH:
                self._entered(ack, refusal(heard, FrameType.TIMAUTH))
                return
            if ack.timType == FrameType.TIMTOKEN and ack.ok:
                self.credential = ack.n or ""
                return
            if ack.timType == FrameType.TIMLOGOUT:
                gone = Displaced("another device took the place of this one")
                self._end(None if self.leaving else gone)
                return
            if unread(ack):
                self.too_long()
                return
            error = refusal(heard, *_PUSHES)
            if error is not None:
                self._events.append(PushRefused(ack.n or "", error))
                return
            error = refusal(heard, FrameType.TIMMESSAGE)
            if error is not None:
                self._refused(ack, error)
                return
        self._events += self._asking.hears(heard, self.node)

    def _entered(self, ack: TimAck, error: Refused | None) -> None:
        """The answer to our login."""
        if error is None:
            if self.phase is Phase.ENTERING:
                self._begin(ack)
        elif error.code == BadToken.code and self.credential:
            self.credential = ""
            if self._login.password or self._login.token:
                self._frames.append(self._speech.login(self._login, ""))
            else:
                self._end(error)
        elif error.remedy is Remedy.RETRY or (self.node and may_pass(error)):
            self._events.append(NotNow(error))
        else:
            self._end(error)

    def _begin(self, ack: TimAck) -> None:
        """Logged in: ask from where we stand, then repeat what has no answer.

        The request comes first, as only we know what we have (section 12.5).
        """
        self.phase = Phase.HERE
        self.node = ack.n or ""
        if ack.t2 is not None:
            self._receiving.limited(ack.t2)
        if self.listens:
            self._frames.append(self._speech.backlog(self._receiving.position))
        self._sending.lost()
        self._push()
        self._frames += self.standing.frames()
        self._frames += self._asking.lost()
        self._events.append(Online(self.node))

    def _end(self, error: Exception | None) -> None:
        """Nothing more will come."""
        self.phase = Phase.OVER
        self._events.append(Over(error))

    def _push(self) -> None:
        """Send texts, as many as the node works on at a time."""
        if self.phase is Phase.HERE:
            self._frames += self._sending.due()

    def _refused(self, ack: TimAck, error: Refused) -> None:
        """A text was refused; without an id it can only be the oldest."""
        if ack.t == READ:
            self.standing.refused(ack.n or "")
            return
        number = ack.t2 or self._sending.oldest
        if self._sending.answered(number) or ack.t2:
            # It may also be the refusal of a signal, which waits for nothing.
            self._events.append(Answered(number, error))
        self._push()

    def _acknowledge(self, receipts: list[bytes]) -> None:
        """Give receipts, if there is a line for them."""
        if self.phase is Phase.HERE and self.listens:
            self._frames += [self._speech.receipt(receipt) for receipt in receipts]

    def _messages(self, receipt: bytes | None, bodies: list[TimMessage]) -> None:
        """Messages, live, as a page, or as answers to repeated sends."""
        messages: list[Message] = []
        for body in bodies:
            if body.odType == LISTS_CHANGED:
                continue
            notice = notice_of(body, self.node)
            if notice is None:
                message = message_of(body, self.node)
                messages.append(message)
                if message.kind == TEXT:
                    self.standing.text(message)
            elif not isinstance(notice, Expired) or self._misses(notice):
                if isinstance(notice, Read) and notice.own:
                    self.standing.heard(notice)
                self._events.append(notice)
        # A page is of one log, whosever that is.
        log = self._log(messages[0].room if messages else "")
        numbers = [message.seq for message in messages if message.seq]
        new, ready = log.arrived(receipt, numbers)
        self._acknowledge(ready)
        for message in messages:
            ours = message.own and self._echoed(message)
            if message.seq not in new and (message.seq or message.own):
                continue
            if ours or not self.listens or (message.own and not self._own):
                self.taken(message)
            else:
                self._events.append(Arrived(message))

    def _misses(self, notice: Expired) -> bool:
        """Whether we had not received all that has expired."""
        return self.listens and self._log(notice.room).expired(notice.seq)

    def _echoed(self, message: Message) -> bool:
        """Whether a text of this session is stored; its sender is told."""
        place = message.room or message.peer
        if not message.mid or not self._sending.answered(message.ident, place):
            return False
        stored = Stored(message.mid, message.timestamp, message.ident)
        self._events.append(Answered(message.ident, stored))
        self._push()
        return True
