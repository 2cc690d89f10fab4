"""Keyed digests: how names, tokens and devices are found without being stored.

A digest is BLAKE2b with a secret key. Whoever holds the database without the key can
neither read a name from its digest nor try names against it. Each kind of thing has a
personalisation of its own, and fields are prefixed with their length, so that no two
different statements have the same digest.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import pack
from typing import Final

from timtw.model.idents import SLOT_BITS
from timtw.model.values import Device

LOOK_UP_BYTES: Final = 32
"""Length of the digests that names, tokens and credentials are found by."""
SHORT_BYTES: Final = 16
"""Length of the digests of devices and repeats, which only meet their own kind."""

_ACCOUNT: Final = b"account"
_TOKEN: Final = b"token"
_CREDENTIAL: Final = b"credential"
_DEVICE: Final = b"device"
_REPEAT: Final = b"repeat"


def octets(text: str) -> bytes:
    """``text`` as bytes; surrogate escapes become the bytes that they stand for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A lone surrogate that stands for no byte. Decoders refuse it, but one text
        # must never spoil a whole commit.
        return text.encode("utf-8", "surrogatepass")


def slot_in(digest: bytes) -> int:
    """The slot that the first bits of ``digest`` choose."""
    return int.from_bytes(digest[:4], "big") >> (32 - SLOT_BITS)


class Digests:
    """Every keyed digest there is, under one secret key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _of(self, kind: bytes, size: int, *fields: bytes) -> bytes:
        """The digest of ``fields``, each with its length before it."""
        data = b"".join(pack(">I", len(field)) + field for field in fields)
        return blake2b(data, key=self._key, digest_size=size, person=kind).digest()

    def account(self, name: str, domain: str) -> bytes:
        """What stands for a login name in its domain; its first bits are the slot."""
        return self._of(_ACCOUNT, LOOK_UP_BYTES, octets(name), octets(domain))

    def token(self, token: str) -> bytes:
        """What stands for a login token."""
        return self._of(_TOKEN, LOOK_UP_BYTES, octets(token))

    def credential(self, credential: str) -> bytes:
        """What stands for a resume credential."""
        return self._of(_CREDENTIAL, LOOK_UP_BYTES, octets(credential))

    def device(self, account: int, device: Device) -> bytes:
        """What stands for a device of an account; absent is not the same as empty."""
        resource, kind = device.resource, device.kind
        return self._of(
            _DEVICE,
            SHORT_BYTES,
            pack(">q", account),
            b"" if resource is None else b"=" + octets(resource),
            b"" if kind is None else b"%d" % kind,
        )

    def repeat(self, sender: int, ident: int, packed: bytes) -> bytes:
        """What stands for a send in its conversation, with its packed content."""
        data = pack(">qq", sender, ident) + packed
        return blake2b(
            data, key=self._key, digest_size=SHORT_BYTES, person=_REPEAT
        ).digest()
