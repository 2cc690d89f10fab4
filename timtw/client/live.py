"""Virtual rooms, big texts and octets: what reaches those who are there, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from timtw.client.framequeue import Frames
from timtw.client.grouprequests import Create, Deliver
from timtw.client.groups import Ask
from timtw.client.happenings import Passed, PushRefused
from timtw.client.requests import Relate, Request
from timtw.client.values import Big, ClientError, Frame, Missed, Refused
from timtw.client.wire import Speech
from timtw.model.errors import PermissionDenied
from timtw.protocols.frames import FrameType


class Post(Protocol):
    """Writes to the line; ``make`` gets the speech."""

    def __call__(self, make: Callable[[Speech], bytes]) -> Deferred[bool]:
        """Whether there is a line; fires when it takes more."""


class Hold(Protocol):
    """Reads from the line, or not."""

    def __call__(self, who: object, stopped: bool) -> None:
        """Read nothing as long as anybody wants it so."""


class Sink(Protocol):
    """Takes frames as they come."""

    def came(self, frame: Frame) -> None:
        """Something was pushed."""

    def over(self, why: str) -> None:
        """Nothing will come any more."""


class RoomOver(ClientError):
    """A virtual room has ended, or this client has left it; the text says why."""


class LiveRoom:
    """A virtual room: push into it, and read what is pushed by ``async for``.

    Made by ``create``, ``subscribe`` or ``room`` of ``Client.live``. The iteration ends
    when the room does, when it was left, and when the client has ended.

    Attributes:
        node: By which others find it.
        ended: Why the room has ended; empty as long as nothing was told.
        sink: Gets the frames instead of the iteration, if it is set.
    """

    def __init__(self, lives: Lives, node: str, loses_nothing: bool) -> None:
        self._lives = lives
        self.node = node
        self.ended = ""
        self.sink: Sink | None = None
        self.binary: bool | None = None
        self._refused: Refused | None = None
        self._frames = Frames(self._hold if loses_nothing else None)

    @property
    def missed(self) -> int:
        """How many frames were dropped so far, because we or the line are too slow."""
        return self._frames.missed

    def push(self, body: bytes, dtype: int | None = None) -> Deferred[bool]:
        """
        Pass something on to whoever has subscribed, if this account may.

        Args:
            dtype: The kind of data, -128 to 127, which plain subscribers are told.

        Returns (in the Deferred): whether there was a line; fires when the line takes
            more. Wait for it, or memory fills with what the line does not take.

        Raises (in the Deferred):
            Refused: an earlier push was refused.
            ValueError: it is too long.
        """
        if self._refused is not None:
            error, self._refused = self._refused, None
            return fail(error)
        return self._lives.post(lambda speech: speech.push(self.node, body, dtype))

    def subscribe(self, binary: bool = True) -> Deferred[None]:
        """
        Get what is pushed from now on; also after the line was lost and is back.

        Args:
            binary: Whether the bytes are enough: no sender, no kind.

        Raises (in the Deferred):
            Refused: there is no such room, or there are too many subscriptions.
        """
        return self._lives.enter(self, binary)

    def leave(self) -> Deferred[None]:
        """Get nothing more; the iteration ends."""
        return self._lives.leave(self)

    def allow(self, peer: str) -> Deferred[None]:
        """Let another account push, if this account has made the room."""
        return self._lives.ask(lambda speech: speech.allow(self.node, peer, True))

    def disallow(self, peer: str) -> Deferred[None]:
        """Take that back."""
        return self._lives.ask(lambda speech: speech.allow(self.node, peer, False))

    def end(self) -> Deferred[None]:
        """End the room, if this account has made it."""
        return self._lives.ask(
            lambda speech: speech.end_live(self.node), PermissionDenied.code
        )

    def __aiter__(self) -> LiveRoom:
        return self

    async def __anext__(self) -> Frame:
        """The next frame."""
        try:
            frame: Frame = await self._frames.next()
        except RoomOver:
            raise StopAsyncIteration from None
        return frame

    def _hold(self, stopped: bool) -> None:
        self._lives.hold(self, stopped)

    # From ``Lives``.

    def again(self) -> None:
        """There is another line."""
        self._frames.again()

    def came(self, frame: Frame) -> None:
        """Something was pushed."""
        if self.sink is not None:
            self.sink.came(frame)
        else:
            self._frames.came(frame, len(frame.body))

    def lost(self, count: int) -> None:
        """The node has dropped frames."""
        self._frames.lost(count)

    def refused(self, error: Refused) -> None:
        """A push of ours was refused."""
        self._refused = error

    def over(self, why: str, error: Exception | None = None) -> None:
        """No frame will come any more."""
        self.ended = why
        self._frames.over(error or RoomOver(why))
        if self.sink is not None:
            self.sink.over(why)


class Lives:
    """Virtual rooms and what else is kept by nobody; ``Client.live``."""

    def __init__(self, ask: Ask, post: Post, hold: Hold) -> None:
        self._ask = ask
        self.post = post
        self.hold = hold
        self._rooms: dict[str, LiveRoom] = {}
        self._bigs = Frames(None)

    def create(self, loses_nothing: bool = False) -> Deferred[LiveRoom]:
        """
        Make a virtual room, which belongs to this account.

        Args:
            loses_nothing: Whether pushing waits for the slowest subscriber. Else frames
                are dropped for whoever is too slow.

        Raises (in the Deferred):
            Refused: this account has too many.
            Unsure: the line was lost meanwhile.
        """

        def make(number: int, speech: Speech, own: str) -> Request:
            asked = speech.new_live(loses_nothing)
            instead = speech.profiles([own])
            return Create(number, [asked], instead, about=FrameType.TIMVROOM)

        return self._ask(make).addCallback(lambda node: self.room(node, loses_nothing))

    def room(self, node: str, loses_nothing: bool = False) -> LiveRoom:
        """
        A room that another account has made, or this one earlier.

        Args:
            loses_nothing: Whether this client reads its line no further while frames of
                this room wait to be taken. Else it drops the oldest.
        """
        known = self._rooms.get(node)
        if known is None or known.ended:
            known = self._rooms[node] = LiveRoom(self, node, loses_nothing)
        return known

    def subscribe(
        self, node: str, binary: bool = True, loses_nothing: bool = False
    ) -> Deferred[LiveRoom]:
        """The room, subscribed to; see there."""
        room = self.room(node, loses_nothing)
        return room.subscribe(binary).addCallback(lambda _: room)

    def send_big(self, peer: str, content: str | bytes) -> Deferred[None]:
        """
        Pass a big text, or octets, to the devices of an account that are there.

        Raises (in the Deferred):
            Refused: this account may not write to that one.
            Unsure: the line was lost meanwhile.
            ValueError: it is too long.
        """

        def make(number: int, speech: Speech, own: str) -> Request:
            end = speech.profiles([own])
            return Deliver(number, [speech.big(peer, content), end], end)

        return self._ask(make)

    def receive_big(self) -> Deferred[Big]:
        """The next big text, or octets; the oldest are dropped if nobody asks."""
        return self._bigs.next()

    # From rooms.

    def ask(self, make: Callable[[Speech], bytes], done: int = 0) -> Deferred[Any]:
        """Ask for something about a room."""
        kind = FrameType.TIMVROOM
        return self._ask(lambda n, s, _: Relate(n, [make(s)], done, about=kind))

    def enter(self, room: LiveRoom, binary: bool) -> Deferred[Any]:
        """Subscribe."""
        room.binary = binary
        self._rooms[room.node] = room
        return self.ask(lambda speech: speech.subscribe(room.node, binary))

    def leave(self, room: LiveRoom) -> Deferred[Any]:
        """Unsubscribe."""
        self.forget(room.node, "left")
        return self.ask(lambda speech: speech.unsubscribe(room.node))

    def forget(self, node: str, why: str, error: Exception | None = None) -> None:
        """A room is of no interest any more."""
        room = self._rooms.pop(node, None)
        if room is not None:
            room.over(why, error)

    # From the client.

    def renewed(self) -> None:
        """There is a new line, on which nothing is subscribed to yet."""
        for room in list(self._rooms.values()):
            room.again()
            if room.binary is not None:
                again = self.enter(room, room.binary)
                _ = again.addErrback(self._not_again, node=room.node)

    def _not_again(self, failure: Failure, node: str) -> None:
        """A room is not there any more, or the client has ended."""
        self.forget(node, "gone")

    def heard(self, event: Passed) -> None:
        """Something was passed on, or not."""
        if isinstance(event, Big):
            self._bigs.came(event, len(event.text) + len(event.data))
            return
        room = self._rooms.get(event.room)
        if room is None:
            return
        if isinstance(event, Frame):
            room.came(event)
        elif isinstance(event, Missed):
            room.lost(event.count)
        elif isinstance(event, PushRefused):
            room.refused(event.error)
        else:
            self.forget(event.room, event.why)

    def over(self, error: Exception) -> None:
        """The client has come to its end."""
        for node in list(self._rooms):
            self.forget(node, "the client has ended", error)
        self._bigs.over(error)
