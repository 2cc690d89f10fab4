"""Sealing: what is secret lies in the database only as AES-256-GCM.

A sealed record is the number of its data key (4 bytes, big-endian), a nonce (12 bytes)
and the ciphertext with its tag. The associated data say what the record is and where it
belongs: (kind, conversation, sender, id) for a message body, with the kind of message
where it is no text, (kind, account or room) for what belongs to one. So nobody who can
write to the database can move a text to another conversation or put it into another
mouth. ``mid``, numbers of logs and shards
are not part of it: rows may move.

Nonces are eight random bytes, drawn anew for each process, and a counter of four bytes:
unlike wholly random ones they stay unique for more than 2**32 records of one key.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from struct import Struct
from threading import Lock
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from timtw.shards.digests import Digests
from timtw.shards.keys import KeyRing

BODY: Final = 1
IDENTITY: Final = 2
PROFILE: Final = 3
GRANT: Final = 4
EVENT: Final = 5
ROOM_IDENTITY: Final = 6
ROOM_PROFILE: Final = 7

_HEAD: Final = 16
_COUNTER: Final = 1 << 32
_pack_body = Struct(">Bqqqq").pack
_pack_event = Struct(">BBqqqq").pack
_pack_account = Struct(">Bq").pack
_pack_head = Struct(">I8sI").pack


def body_context(first: int, second: int, sender: int, ident: int) -> bytes:
    """What the body of a message is bound to."""
    return _pack_body(BODY, first, second, sender, ident)


def event_context(kind: int, first: int, second: int, sender: int, ident: int) -> bytes:
    """What the body of a log entry that is no text is bound to."""
    return _pack_event(EVENT, kind, first, second, sender, ident)


def account_context(kind: int, account: int) -> bytes:
    """What a record of an account, or of a room, is bound to."""
    return _pack_account(kind, account)


class Unreadable(Exception):
    """A sealed record is damaged, or its key is not in the ring."""


class _Nonces:
    """The nonces that begin with one prefix."""

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix
        # One step of the interpreter, so that no two threads get the same number.
        self.next = count().__next__


class Sealer:
    """Seals with the newest key of a ring, opens with each of them.

    Both may happen in any thread.
    """

    def __init__(self, ring: KeyRing, entropy: Callable[[int], bytes]) -> None:
        self._aeads = {n: AESGCM(key) for n, key in ring.data_keys.items()}
        self._newest = ring.newest
        self._encrypt = self._aeads[ring.newest].encrypt
        self._entropy = entropy
        self._nonces = _Nonces(entropy(8))
        self._lock = Lock()
        self.digests = Digests(ring.digest_key)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """``plain`` as a sealed record that opens only in the same context."""
        nonces = self._nonces
        number = nonces.next()
        while number >= _COUNTER:
            with self._lock:
                if self._nonces is nonces:
                    self._nonces = _Nonces(self._entropy(8))
            nonces = self._nonces
            number = nonces.next()
        head = _pack_head(self._newest, nonces.prefix, number)
        return head + self._encrypt(head[4:], plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """
        What was sealed.

        Raises Unreadable: it is damaged, belongs elsewhere, or its key is unknown.
        """
        aead = self._aeads.get(int.from_bytes(sealed[:4], "big"))
        if aead is None or len(sealed) < _HEAD:
            raise Unreadable("no key for a sealed record")
        try:
            return aead.decrypt(sealed[4:_HEAD], sealed[_HEAD:], context)
        except InvalidTag:
            raise Unreadable("a sealed record does not open") from None
