"""Pieces of a stream that go to many: bytes that are made once and shared by all.

docs/reference/protocol.md, section 6.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from timtw.model.events import Pieces
from timtw.model.limits import SHARED_ENCODINGS_BYTES, SHARED_SALVOS
from timtw.model.live import Piece
from timtw.protocols.codecs import Codec
from timtw.protocols.liveanswers import piece_frame

_Pack: TypeAlias = Callable[[bytes], bytes]
_Form: TypeAlias = tuple[int, str, _Pack]
"""The pieces by their identity, the codec or nothing for raw bytes, the transport."""


class Packs:
    """The bytes of the pieces that were sent last, as a transport carries them.

    Whoever gets the same pieces in the same form is written the very same object. The
    pieces are kept beside it, so their identity cannot pass to others meanwhile.
    """

    __slots__ = ("_known", "_octets")

    def __init__(self) -> None:
        """Nothing was sent."""
        self._known: dict[_Form, tuple[tuple[Piece, ...], bytes]] = {}
        self._octets = 0

    def packed(self, event: Pieces, codec: Codec, pack: _Pack) -> bytes:
        """All frames of ``event``, each packed with ``pack``, as one piece."""
        pieces = event.pieces
        form = (id(pieces), "" if event.binary else codec.name, pack)
        known = self._known.get(form)
        if known is not None:
            return known[1]
        binary = event.binary
        octets = b"".join([pack(piece_frame(codec, one, binary)) for one in pieces])
        self._octets += len(octets)
        full = len(self._known) >= SHARED_SALVOS
        if full or self._octets > SHARED_ENCODINGS_BYTES:
            self._known.clear()
            self._octets = len(octets)
        self._known[form] = (pieces, octets)
        return octets
