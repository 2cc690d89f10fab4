"""Our texts without an echo: each goes out on every line until it has one.

docs/reference/protocol.md, section 4.1: the same text under the same id is stored once.
"""

from __future__ import annotations

import attrs

from timtw.client.values import Busy
from timtw.model.limits import CLIENT_WAITING, SENDS_UNDER_WAY


@attrs.define
class _Send:
    """A text without its echo."""

    peer: str
    frame: bytes
    under_way: bool = False


class Sending:
    """The texts of one session in the order in which they were given."""

    def __init__(self) -> None:
        self._sends: dict[int, _Send] = {}
        self._under_way = 0

    @property
    def oldest(self) -> int:
        """The id of the text that waits longest; 0 if there is none."""
        return next(iter(self._sends), 0)

    def add(self, ident: int, peer: str, frame: bytes) -> None:
        """
        Keep a text until it is answered.

        Raises:
            Busy: too much is waiting.
        """
        if len(self._sends) >= CLIENT_WAITING:
            raise Busy("too many texts have no echo yet")
        self._sends[ident] = _Send(peer, frame)

    def due(self) -> list[bytes]:
        """Frames that may go out now, as many as the node works on at a time."""
        if self._under_way >= SENDS_UNDER_WAY or self._under_way == len(self._sends):
            return []
        frames = []
        for send in self._sends.values():
            if self._under_way >= SENDS_UNDER_WAY:
                break
            if not send.under_way:
                send.under_way = True
                self._under_way += 1
                frames.append(send.frame)
        return frames

    def again(self, ident: int) -> list[bytes]:
        """The frame of a text whose echo is late, if it was sent on this line."""
        send = self._sends.get(ident)
        return [send.frame] if send is not None and send.under_way else []

    def lost(self) -> None:
        """The line is gone: everything has to go out again."""
        self._under_way = 0
        for send in self._sends.values():
            send.under_way = False

    def give_up(self, size: int) -> int:
        """Forget a text that went out in a frame of this length; its id, 0 if none."""
        for ident, send in self._sends.items():
            if send.under_way and len(send.frame) == size:
                self.answered(ident)
                return ident
        return 0

    def answered(self, ident: int, peer: str | None = None) -> bool:
        """Forget a text, to ``peer`` if that is given; whether there was one."""
        send = self._sends.get(ident)
        if send is None or peer not in (None, send.peer):
            return False
        del self._sends[ident]
        self._under_way -= send.under_way
        return True
