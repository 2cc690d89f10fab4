"""The visible spelling of account numbers.

A node is the base-58 spelling of a number read as unsigned 64 bits: at most 11
characters, most significant digit first, no padding. Exactly one text stands for
a number, so there are no aliases (docs/reference/protocol.md, section Nodes).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from timtw.model.limits import NODE_BYTES

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_WORD: Final = 1 << 64
_MIDDLE: Final = 1 << 63
_LONGEST: Final = 11
"""Letters of the longest node."""
SLOT_BITS: Final = 20
"""Accounts are spread over 2**20 slots; a number carries its slot in its top bits."""


@lru_cache(maxsize=65536)
def node_of(number: int) -> str:
    """The node that stands for a signed 64-bit ``number`` other than 0."""
    rest = number % _WORD
    letters: list[str] = []
    while rest:
        rest, digit = divmod(rest, 58)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))


def number_of(node: str) -> int | None:
    """The number that ``node`` spells, or ``None`` if it is no canonical node."""
    # Whatever a client has sent comes here: what is too long must not be remembered.
    return _number_of(node) if len(node) <= _LONGEST else None


@lru_cache(maxsize=65536)
def _number_of(node: str) -> int | None:
    """The same for a text that is no longer than nodes are."""
    if not node or node[0] == ALPHABET[0]:
        return None
    total = 0
    for letter in node:
        digit = _VALUE.get(letter)
        if digit is None:
            return None
        total = total * 58 + digit
        if total >= _WORD:
            return None
    return total - _WORD if total >= _MIDDLE else total


def is_spelled(node: str) -> bool:
    """Whether ``node`` has only letters of nodes, though it may stand for nothing."""
    return 0 < len(node) <= NODE_BYTES and all(letter in _VALUE for letter in node)


def slot_of(number: int) -> int:
    """The slot in which an account, or a conversation led by it, is kept."""
    return (number % _WORD) >> (64 - SLOT_BITS)


def number_in(slot: int, entropy: bytes) -> int:
    """A number in ``slot`` whose other 44 bits come from six bytes of ``entropy``.

    The numbers 0 and ``ROOM`` (1), which stand for other things, are never given.
    """
    rest = int.from_bytes(entropy[:6], "big") & ((1 << (64 - SLOT_BITS)) - 1)
    total = max((slot << (64 - SLOT_BITS)) | rest, 2)
    return total - _WORD if total >= _MIDDLE else total
