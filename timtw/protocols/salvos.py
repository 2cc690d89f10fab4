"""Several deliveries to many clients: bytes that differ in nothing but the receipts.

What a number of clients are sent at the same time is put together once for each kind of
client. For each of them the receipts are filled in, which takes one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, Final, TypeAlias

from timtw.model.limits import SHARED_ENCODINGS_BYTES, SHARED_SALVOS
from timtw.model.values import LogEntry
from timtw.protocols.frames import ACK_BYTES

_Entries: TypeAlias = tuple[LogEntry, ...]
_Form: TypeAlias = tuple[int, str, bool, object]
"""The entries by their identity, the codec, the additions, the transport."""
_PLACE: Final = 1
"""Where the receipt stands in a frame."""


class Template:
    """The bytes around the receipts."""

    __slots__ = ("_fill", "_parts", "octets")

    def __init__(self, packed: Sequence[bytes], places: Sequence[int]) -> None:
        """
        Args:
            packed: Whole frames, as the transport carries them, with any receipt.
            places: Where the receipt of each begins.
        """
        parts: list[Any] = [b""]
        for data, place in zip(packed, places, strict=True):
            parts[-1] += data[:place]
            parts += (0, data[place + ACK_BYTES :])
        sizes = [len(part) for part in parts[::2]]
        self.octets = sum(sizes) + ACK_BYTES * len(packed)
        self._fill = Struct(">" + "I".join(f"{size}s" for size in sizes)).pack
        self._parts = parts

    def filled(self, receipt: int) -> bytes:
        """The bytes with this receipt and those that follow it."""
        parts = self._parts.copy()
        parts[1::2] = range(receipt, receipt + len(parts) // 2)
        return self._fill(*parts)


class Salvos:
    """The templates that were used last.

    Entries are known by their identity as an object. They are kept beside the
    template, so the identity cannot pass to others meanwhile.
    """

    def __init__(self) -> None:
        """Nothing was sent."""
        self._known: dict[_Form, tuple[_Entries, Template]] = {}
        self._octets = 0

    def template(
        self,
        entries: _Entries,
        codec: str,
        additions: bool,
        pack: Callable[[bytes], bytes],
        frames: Callable[[], Sequence[bytes]],
    ) -> Template:
        """The template for clients of this kind, which is made of ``frames``."""
        form = (id(entries), codec, additions, pack)
        known = self._known.get(form)
        if known is not None:
            return known[1]
        plain = frames()
        packed = [pack(frame) for frame in plain]
        places = [
            len(data) - len(frame) + _PLACE
            for data, frame in zip(packed, plain, strict=True)
        ]
        template = Template(packed, places)
        self._octets += template.octets
        full = len(self._known) >= SHARED_SALVOS
        if full or self._octets > SHARED_ENCODINGS_BYTES:
            self._known.clear()
            self._octets = template.octets
        self._known[form] = (entries, template)
        return template
