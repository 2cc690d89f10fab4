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

_PLACES: Final = {
    codec.name: [first + copy.value for copy in Copy]
    for first, codec in ((0, THRIFT), (len(Copy), JSON))
}
"""Where the encodings of a codec stand, by the form."""


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
        place = _PLACES[codec.name][copy]
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
            empty: list[bytes | None] = [None] * (2 * len(Copy))
            known = self._known[id(message)] = (message, empty)
        known[1][place] = body
