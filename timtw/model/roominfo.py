"""What a room tells about itself, and what a step on one carries besides its text."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from timtw.model.limits import MAP_ENTRY_BYTES
from timtw.model.value import value


class Entry(enum.IntEnum):
    """How one gets into a room; the numbers are stored."""

    PRIVATE = 1
    OPEN = 2


@value
class RoomInfo:
    """
    What founder and managers say about a room; never interpreted by the server.

    ``None`` is what was never said, and in a change what stays as it is. An empty
    text or map is something that was said.
    """

    topic: str | None = None
    cover: str | None = None
    label: str | None = None
    kind: int | None = None
    extend: Mapping[str, str] | None = None
    extra: Mapping[str, bytes] | None = None

    @property
    def weight(self) -> int:
        """Its bytes in UTF-8 and what entries take in memory; without fields' names."""
        texts = [self.topic or "", self.cover or "", self.label or ""]
        for key, text in (self.extend or {}).items():
            texts += (key, text)
        octets = sum(len(one) for one in (self.extra or {}).values())
        texts += self.extra or {}
        octets += MAP_ENTRY_BYTES * (len(self.extend or {}) + len(self.extra or {}))
        return octets + sum(len(t.encode("utf-8", "surrogateescape")) for t in texts)

    def merged(self, change: RoomInfo) -> RoomInfo:
        """This, with what ``change`` says in the place of what was said before."""

        def newer(name: str) -> object:
            said = getattr(change, name)
            return getattr(self, name) if said is None else said

        names = ("topic", "cover", "label", "kind", "extend", "extra")
        fields: dict[str, object] = {name: newer(name) for name in names}
        return RoomInfo(**fields)  # type: ignore[arg-type]


@value
class RoomWish:
    """What a step on a room carries besides its text.

    Args:
        entry: How one gets into a room that is made.
        info: What a room that is made tells about itself, or what changes of it.
        managers: All who shall be managers from now on; ``None`` if nothing changes.
    """

    entry: Entry = Entry.PRIVATE
    info: RoomInfo = RoomInfo()
    managers: tuple[int, ...] | None = None
