"""What a slow line has not been told yet of how others are."""

from __future__ import annotations

from collections import OrderedDict

from timtw.model import limits
from timtw.model.presence import Appearance
from timtw.model.values import Device


class Unseen:
    """The newest of each device that has shown something meanwhile."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: OrderedDict[tuple[int, Device], Appearance] = OrderedDict()

    def add(self, appearance: Appearance) -> None:
        """Let it wait in the place of an older one."""
        key = (appearance.sender.number, appearance.device)
        self._waiting.pop(key, None)
        self._waiting[key] = appearance
        if len(self._waiting) > limits.PRESENCE_UNSEEN:
            self._waiting.popitem(last=False)

    def take(self) -> list[Appearance]:
        """Everything that waits, which waits no more."""
        taken = list(self._waiting.values())
        self._waiting.clear()
        return taken
