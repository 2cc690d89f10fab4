"""Who may send into a stream, and who waits until those who are slow have taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Sender(Protocol):
    """A connection that sends."""

    def held(self, valve: Valve, yes: bool) -> None:
        """Its client is not read from while any valve holds it."""


class Valve:
    """Is shut while anybody has too much to take.

    Args:
        repay: Told a node and up to where what it shipped is taken.
        opened: Told that nothing is in the way any more.
    """

    __slots__ = ("_held", "_opened", "_owed", "_repay", "_shut_by")

    def __init__(
        self,
        repay: Callable[[str, int], None],
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._repay = repay
        self._opened = opened
        self._shut_by: set[object] = set()
        self._held: set[Sender] = set()
        self._owed: dict[str, int] = {}

    @property
    def is_shut(self) -> bool:
        """Whether somebody has too much to take."""
        return bool(self._shut_by)

    def shut(self, by: object) -> None:
        """``by`` has too much to take."""
        self._shut_by.add(by)

    def open(self, by: object) -> None:
        """``by`` has taken enough, or has gone; also if it had shut nothing."""
        if by in self._shut_by:
            self._shut_by.remove(by)
            if not self._shut_by:
                self._free()

    def give_up(self) -> None:
        """The stream has ended: hold nobody."""
        if self._shut_by:
            self._shut_by.clear()
            self._free()

    def hold(self, sender: Sender) -> None:
        """Let a sender on this node wait, if the valve is shut."""
        if self._shut_by and sender not in self._held:
            self._held.add(sender)
            sender.held(self, True)

    def forget(self, sender: Sender) -> None:
        """A sender has gone."""
        self._held.discard(sender)

    def owe(self, origin: str, upto: int) -> None:
        """Something was shipped from another node: repay it when it is taken."""
        if self._shut_by:
            self._owed[origin] = max(upto, self._owed.get(origin, 0))
        else:
            self._repay(origin, upto)

    def _free(self) -> None:
        held, self._held = self._held, set()
        owed, self._owed = self._owed, {}
        self._opened()
        for origin, upto in owed.items():
            self._repay(origin, upto)
        for sender in held:
            sender.held(self, False)
