"""What every engine with tables knows of texts that are taken away."""

from __future__ import annotations

from typing import Final

from timtw.model.errors import BadParameter, PermissionDenied, TimError
from timtw.model.values import BURN, REVOCATION, Draft

THERE: Final = 0
"""State of a text that is there."""
GONE: Final = {REVOCATION: 1, BURN: 2}
"""State of a text after a removal of this kind."""


def refusal(draft: Draft, author: int | None) -> TimError | None:
    """Why a removal is refused, if it is; ``None`` is the author of no text."""
    if author is None:
        return BadParameter("this conversation has no such message")
    if (author == draft.sender.number) != (draft.kind == REVOCATION):
        return PermissionDenied()
    return None
