"""Files from account to account, through a virtual room that loses nothing.

Signals of the kind ``file`` say what goes on; docs/how-to/send-a-file.md has them. The
bytes are read and written piece by piece, so memory does not depend on the size.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import attrs
from twisted.internet.defer import Deferred, TimeoutError, fail, succeed

from timtw.client.filesink import ALL, FileSink, Progress
from timtw.client.filetalk import Cancelled, Damaged, Talk
from timtw.client.live import LiveRoom, Lives
from timtw.client.values import Signal, Unsure
from timtw.model.limits import (
    CLIENT_FILE_END_SECONDS,
    CLIENT_FILE_PIECE,
    CLIENT_OFFERS,
    NAME_BYTES,
)

FILE: Final = "file"
"""The kind of the signals about files."""
_KEY: Final = 64
"""Characters of what a device may call itself."""
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f]|^\.+$")


class Tell(Protocol):
    """Signals something; the answer comes only if that is refused."""

    def __call__(self, peer: str, content: Mapping[str, Any]) -> Deferred[None]:
        """See ``Client.signal``."""


@attrs.frozen
class File:
    """A file that was sent or received.

    Attributes:
        sha256: Of its bytes, hexadecimal.
    """

    name: str
    size: int
    sha256: str


def _nothing(done: int, of: int) -> None:
    """Show no progress."""


@attrs.frozen
class FileOffer:
    """Somebody wants to send a file; ``take`` or ``refuse`` it.

    Attributes:
        name: Its name there, without any folder; chosen by the other side.
        size: Its bytes.
        type: Its MIME type, as the other side says.
    """

    peer: str
    name: str
    size: int
    type: str
    room: str
    files: Files = attrs.field(repr=False)
    talk: Talk = attrs.field(repr=False)

    def take(self, path: Path, progress: Progress = _nothing) -> Deferred[File]:
        """
        Have it sent, and write it; ``path`` is there when all of it is right.

        Cancelling tells the other side.

        Raises (in the Deferred):
            Cancelled: the other side has given up.
            Damaged: what has come is not what was sent.
            Refused: the other side is not there any more.
            OSError: it cannot be written.
        """
        return Deferred.fromCoroutine(self.files.receive(self, path, progress))

    def refuse(self) -> None:
        """Do not have it sent."""
        self.files.refuse(self)


class Files:
    """Sending files, and being sent some; ``Client.files``."""

    def __init__(
        self,
        clock: Any,
        lives: Lives,
        tell: Tell,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lives = lives
        self._tell = tell
        self._talks: dict[str, Talk] = {}
        self._offers: deque[FileOffer] = deque()
        self._readers: deque[Deferred[FileOffer]] = deque()
        self._error: Exception | None = None

    def send(
        self, peer: str, path: Path, progress: Progress = _nothing, name: str = ""
    ) -> Deferred[File]:
        """
        Send a file to an account, as soon as one of its devices takes it.

        Cancelling tells the other side.

        Args:
            peer: The account's node.
            progress: Called after each piece.
            name: What it is called there; that of ``path`` if none is given.

        Raises (in the Deferred):
            Cancelled: the other side does not want it, or has given up.
            Refused: this account may not write to that one.
            Unsure: the line was lost in the middle.
            OSError: it cannot be read.
        """
        return Deferred.fromCoroutine(
            self._send(peer, path, progress, name or path.name)
        )

    def offered(self) -> Deferred[FileOffer]:
        """The next file that somebody wants to send."""
        if self._offers:
            return succeed(self._offers.popleft())
        if self._error is not None:
            return fail(self._error)
        reader: Deferred[FileOffer] = Deferred(self._readers.remove)
        self._readers.append(reader)
        return reader

    # Sending.

    async def _send(self, peer: str, path: Path, progress: Progress, name: str) -> File:
        """See ``send``."""
        with path.open("rb") as file:
            size = path.stat().st_size
            room = await self._lives.create(loses_nothing=True)
            talk = self._talks[room.node] = Talk(peer)
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._say(talk, room.node, "offer", name=name, size=size, type=kind)
            try:
                by = (await talk.wait("take")).get("by")
                key = by[:_KEY] if isinstance(by, str) else ""
                self._say(talk, room.node, "taken", by=key)
                digest = await self._pour(room, talk, file, size, progress)
                self._say(talk, room.node, "done", sha256=digest)
                await self._received(talk, digest)
                talk.over = True
            finally:
                self._part(room.node, talk)
                _ = room.end().addErrback(lambda _: None)
                self._lives.forget(room.node, "ended")
        return File(name, size, digest)

    async def _pour(
        self,
        room: LiveRoom,
        talk: Talk,
        file: BinaryIO,
        size: int,
        progress: Progress,
    ) -> str:
        """Push all of a file at the pace of the line; the checksum."""
        digest, done = hashlib.sha256(), 0
        while piece := file.read(CLIENT_FILE_PIECE):
            digest.update(piece)
            if not await room.push(piece):
                raise Unsure("the line was lost")
            talk.check()
            done += len(piece)
            progress(done, size)
        return digest.hexdigest()

    async def _received(self, talk: Talk, digest: str) -> None:
        """The other side has all of it, or does not say whether."""
        waiting = Deferred.fromCoroutine(talk.wait("done"))
        _ = waiting.addTimeout(CLIENT_FILE_END_SECONDS, self._clock)
        try:
            told = await waiting
        except TimeoutError:
            return
        if told.get("sha256") != digest:
            raise Damaged("the other side has another checksum")

    # Receiving.

    async def receive(self, offer: FileOffer, path: Path, progress: Progress) -> File:
        """See ``FileOffer.take``."""
        talk, part = offer.talk, path.with_name(path.name + ".part")
        try:
            talk.check()
            with part.open("wb") as file:
                room = self._lives.room(offer.room, loses_nothing=True)
                room.sink = sink = FileSink(file, offer.size, talk, progress)
                await room.subscribe()
                talk.key = self._entropy(8).hex()
                self._say(talk, offer.room, "take", by=talk.key)
                await talk.wait(ALL)
                told = (await talk.wait("done")).get("sha256")
            if told != sink.digest.hexdigest():
                raise Damaged("the checksum is another one")
            part.replace(path)
            self._say(talk, offer.room, "done", sha256=told)
            talk.over = True
        finally:
            part.unlink(missing_ok=True)
            self._part(offer.room, talk)
            _ = self._lives.room(offer.room).leave().addErrback(lambda _: None)
        return File(path.name, offer.size, sink.digest.hexdigest())

    def refuse(self, offer: FileOffer) -> None:
        """See ``FileOffer.refuse``."""
        offer.talk.over = True
        self._say(offer.talk, offer.room, "refuse")
        self._part(offer.room, offer.talk)

    # Both.

    def _say(self, talk: Talk, room: str, word: str, **more: Any) -> None:
        """Signal something about a file."""
        content = {"kind": FILE, "room": room, "say": word, **more}
        talk.expect(self._tell(talk.peer, content))

    def _part(self, room: str, talk: Talk) -> None:
        """Nothing more is to be said; the other side hears of it if it must."""
        self._talks.pop(room, None)
        if not talk.over and not isinstance(talk.error, Cancelled):
            self._say(talk, room, "cancel")
        talk.end()

    def heard(self, signal: Signal) -> None:
        """Somebody says something about a file."""
        room, word = signal.content.get("room"), signal.content.get("say")
        if not isinstance(room, str) or not isinstance(word, str):
            return
        talk = self._talks.get(room)
        if talk is not None:
            if talk.peer == signal.peer:
                talk.said(word, signal.content)
        elif word == "offer":
            offer = self._offer(signal.peer, room, signal.content)
            if offer is not None:
                self._came(offer)

    def _offer(
        self, peer: str, room: str, content: Mapping[str, Any]
    ) -> FileOffer | None:
        """What is offered, if that makes sense."""
        name, size, kind = (content.get(key) for key in ("name", "size", "type"))
        if not isinstance(name, str) or type(size) is not int or size < 0:
            return None
        last = _UNFIT.sub("", re.split(r"[/\\]", name)[-1])[:NAME_BYTES] or "file"
        said = kind if isinstance(kind, str) else ""
        return FileOffer(peer, last, size, said, room, self, Talk(peer))

    def _came(self, offer: FileOffer) -> None:
        """An offer for whoever asks next; not too many wait."""
        if len(self._offers) >= CLIENT_OFFERS:
            self.refuse(offer)
            return
        self._talks[offer.room] = offer.talk
        if self._readers:
            self._readers.popleft().callback(offer)
        else:
            self._offers.append(offer)

    def over(self, error: Exception) -> None:
        """The client has come to its end."""
        self._error = error
        for talk in list(self._talks.values()):
            talk.failed(error)
        while self._readers:
            self._readers.popleft().errback(error)
