"""The texts of a device that have no answer yet."""

from __future__ import annotations


class Outbox:
    """Knows for each text whom it is for and the id that it is repeated under.

    A refusal names the id. Where a client sets none, as many refusals as there are
    texts without an answer refuse all of them.
    """

    def __init__(self) -> None:
        """Nothing was sent."""
        self._texts: dict[str, tuple[str, int]] = {}
        self._refused = 0

    def __len__(self) -> int:
        """How many texts have no answer."""
        return len(self._texts)

    def __contains__(self, body: str) -> bool:
        """Whether a text has no answer."""
        return body in self._texts

    @property
    def bodies(self) -> list[str]:
        """The texts, in the order of their sending."""
        return list(self._texts)

    def add(self, body: str, peer: str, ident: int) -> None:
        """A text is about to be sent."""
        self._texts[body] = peer, ident

    def words(self, body: str) -> tuple[str, int]:
        """Whom a text is for, and its id."""
        return self._texts[body]

    def echoed(self, body: str) -> None:
        """A text is stored."""
        self._texts.pop(body, None)
        self._settle()

    def refused(self, ident: int) -> str:
        """A text is not stored; which one, where that can be told."""
        if not ident:
            self._refused += 1
            self._settle()
            return ""
        found = (body for body, words in self._texts.items() if words[1] == ident)
        return next(found, "")

    def clear(self) -> None:
        """Expect no answer any more."""
        self._texts.clear()
        self._refused = 0

    def _settle(self) -> None:
        """Give up what was refused once it is certain what that is."""
        if self._refused and self._refused >= len(self._texts):
            self.clear()
