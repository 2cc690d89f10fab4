"""Messages are encoded once per codec and form, however many receive them.

A node has one ``Encodings``; every connection of every transport shares it. It
remembers the newest messages only: those that fan out at this moment.
"""

from __future__ import annotations

from typing import Final

from timtw.model.limits import SHARED_ENCODINGS, SHARED_ENCODINGS_BYTES
from timtw.model.values import Message
from timtw.protocols.codecs import JSON, THRIFT, Codec
from timtw.protocols.messages import Copy, stored_message
from timtw.protocols.packs import Packs
from timtw.protocols.salvos import Salvos

_COPIES: Final = len(Copy)
_PLACES: Final = {THRIFT.name: 0, JSON.name: _COPIES}
"""Where the encodings of a codec begin; forms stand in the order of their numbers."""
_NONE: Final[list[bytes | None]] = [None] * (len(_PLACES) * _COPIES)


class Encodings:
    """The encodings of the messages that were sent last.

    A message is known by its identity as an object. It is kept beside its
    encodings, so the identity cannot pass to another one meanwhile.
    """

    __slots__ = ("_bytes", "_known", "packs", "salvos")

    def __init__(self) -> None:
        self.salvos = Salvos()
        self.packs = Packs()
        self._known: dict[int, tuple[Message, list[bytes | None]]] = {}
        self._bytes = 0

    def encoded(self, codec: Codec, message: Message, copy: Copy) -> bytes:
        """``message`` as a TimMessage in this codec and form, without ``seq``."""
        place = _PLACES[codec.name] + copy
        known = self._known.get(id(message))
        if known is not None:
            body = known[1][place]
            if body is not None:
                return body
        body = codec.encode(stored_message(message, copy))
        self._keep(message, place, body)
        return body

    def _keep(self, message: Message, place: int, body: bytes) -> None:
        """Remember ``body``; forget everything else when it is too much."""
        self._bytes += len(body)
        full = len(self._known) >= SHARED_ENCODINGS
        if full or self._bytes > SHARED_ENCODINGS_BYTES:
            self._known.clear()
            self._bytes = len(body)
        known = self._known.get(id(message))
        if known is None:
            known = self._known[id(message)] = (message, _NONE.copy())
        known[1][place] = body
