"""What holds over all lines of a client: how it is, and how far it has read."""

from __future__ import annotations

from timtw.client.values import Message, Read
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
        self._groups: set[str] = set()
        self._untold: set[str] = set()

    def announced(self, frame: bytes) -> None:
        """From now on all friends are shown this."""
        self._announced = frame

    def again(self) -> list[bytes]:
        """What was announced last."""
        return [] if self._announced is None else [self._announced]

    def frames(self) -> list[bytes]:
        """What has to be said on a new line."""
        marks = [
            self._speech.read_mark(peer, mid, peer in self._groups)
            for peer, mid in self._marks.items()
        ]
        return [*self.again(), *marks]

    def mark(self, peer: str, mid: int, in_group: bool = False) -> list[bytes]:
        """A conversation is read up to ``mid``; what is to be said, if that is news."""
        self._meet(peer, in_group)
        said = max(self._marks.get(peer, 0), self._stored.get(peer, 0))
        if mid <= said or len(self._marks) >= CLIENT_WAITING:
            return []
        self._marks[peer] = mid
        self._read[peer] = max(mid, self._read.get(peer, 0))
        self._newest[peer] = max(mid, self._newest.get(peer, 0))
        return [self._speech.read_mark(peer, mid, in_group)]

    def heard(self, read: Read) -> None:
        """The node has told a mark of this account."""
        peer = read.peer
        self._meet(peer, read.in_group)
        if self._marks.get(peer, 0) <= read.mid:
            self._marks.pop(peer, None)
        self._stored[peer] = max(read.mid, self._stored.get(peer, 0))
        self._read[peer] = max(read.mid, self._read.get(peer, 0))
        self._newest[peer] = max(read.last, self._newest.get(peer, 0))

    def refused(self, peer: str) -> None:
        """The node does not take a mark; it is not said again."""
        self._marks.pop(peer, None)

    def text(self, message: Message) -> None:
        """A text has come; whoever writes has read."""
        peer, mid = message.room or message.peer, message.mid
        self._meet(peer, message.to_group)
        self._newest[peer] = max(mid, self._newest.get(peer, 0))
        if message.own:
            self._read[peer] = max(mid, self._read.get(peer, 0))

    def _meet(self, peer: str, in_group: bool) -> None:
        """Something is heard of a conversation; a group of which it is has us."""
        if in_group:
            self._groups.add(peer)
            self._untold.discard(peer)

    def asked(self) -> None:
        """All own marks are asked for; every group in which we are is told of."""
        self._untold = set(self._groups)

    def told(self) -> None:
        """That was all: groups that were not told of are not ours any more."""
        for numbers in (self._marks, self._stored, self._newest, self._read):
            for group in self._untold:
                numbers.pop(group, None)
        self._groups -= self._untold
        self._untold.clear()

    def unread(self, in_groups: bool = False) -> dict[str, int]:
        """How many texts of which conversations are not read, where there are some."""
        numbers = {
            peer: newest - self._read.get(peer, 0)
            for peer, newest in self._newest.items()
            if (peer in self._groups) is in_groups
        }
        return {peer: number for peer, number in numbers.items() if number > 0}
