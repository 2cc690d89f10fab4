"""What holds over all lines of a client: how it is, and how far it has read."""

from __future__ import annotations

from timtw.client.values import Read
from timtw.client.wire import Speech
from timtw.model.limits import CLIENT_WAITING


class Standing:
    """What is said again on each new line."""

    def __init__(self, speech: Speech) -> None:
        """Nothing was announced, and nothing is read."""
        self._speech = speech
        self._announced: bytes | None = None
        self._marks: dict[str, int] = {}
        self._stored: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._read: dict[str, int] = {}

    def announced(self, frame: bytes) -> None:
        """From now on all friends are shown this."""
        self._announced = frame

    def again(self) -> list[bytes]:
        """What was announced last."""
        return [] if self._announced is None else [self._announced]

    def frames(self) -> list[bytes]:
        """What has to be said on a new line."""
        marks = [self._speech.read_mark(*mark) for mark in self._marks.items()]
        return [*self.again(), *marks]

    def mark(self, peer: str, mid: int) -> list[bytes]:
        """A conversation is read up to ``mid``; what is to be said, if that is news."""
        said = max(self._marks.get(peer, 0), self._stored.get(peer, 0))
        if mid <= said or len(self._marks) >= CLIENT_WAITING:
            return []
        self._marks[peer] = mid
        self._read[peer] = max(mid, self._read.get(peer, 0))
        self._newest[peer] = max(mid, self._newest.get(peer, 0))
        return [self._speech.read_mark(peer, mid)]

    def heard(self, read: Read) -> None:
        """The node has told a mark of this account."""
        peer = read.peer
        if self._marks.get(peer, 0) <= read.mid:
            self._marks.pop(peer, None)
        self._stored[peer] = max(read.mid, self._stored.get(peer, 0))
        self._read[peer] = max(read.mid, self._read.get(peer, 0))
        self._newest[peer] = max(read.last, self._newest.get(peer, 0))

    def refused(self, peer: str) -> None:
        """The node does not take a mark; it is not said again."""
        self._marks.pop(peer, None)

    def text(self, peer: str, mid: int, own: bool) -> None:
        """A text has come; whoever writes has read."""
        self._newest[peer] = max(mid, self._newest.get(peer, 0))
        if own:
            self._read[peer] = max(mid, self._read.get(peer, 0))

    def unread(self) -> dict[str, int]:
        """How many texts of which conversations are not read, where there are some."""
        numbers = {
            peer: newest - self._read.get(peer, 0)
            for peer, newest in self._newest.items()
        }
        return {peer: number for peer, number in numbers.items() if number > 0}
