"""The key ring: a master key in a file, everything else wrapped by it in the database.

The file ``master.key`` may lie elsewhere than the data. It holds 32 random bytes in
hexadecimal and is made only at the first start on an empty database. The database holds
the data keys, which seal records, and the digest key, which stands behind every look-up
and never changes. All of them are wrapped by the master key (AES-256-GCM), bound to the
installation, so keys of another installation open nothing and are noticed at once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from timtw.model.stores import ShardError

KEY_BYTES: Final = 32
INSTALLATION_BYTES: Final = 16
NONCE_BYTES: Final = 12
FILE_NAME: Final = "master.key"

_CHECK: Final = b"timtw key check"
_DIGEST_KEY: Final = b"digest key"
_DATA_KEY: Final = b"data key %d"


@attrs.frozen(repr=False)
class KeyRing:
    """The opened keys of an installation.

    Args:
        digest_key: Stands behind every look-up; never changes.
        data_keys: All keys that records may be sealed with, by their number.
        newest: The number of the key that seals new records.
    """

    digest_key: bytes
    data_keys: Mapping[int, bytes]
    newest: int


@attrs.frozen
class WrappedKeys:
    """The keys of an installation as the database keeps them.

    Args:
        installation: A random name of the installation.
        check: Opens only with the right master key.
    """

    installation: bytes
    check: bytes
    digest_key: bytes
    data_keys: Mapping[int, bytes]


class MasterKey:
    """The key in the file; it opens and closes the others."""

    def __init__(self, key: bytes, entropy: Callable[[int], bytes]) -> None:
        self._aead = AESGCM(key)
        self._entropy = entropy

    def wrap(self, key: bytes, installation: bytes, purpose: bytes) -> bytes:
        """``key`` closed for the database."""
        nonce = self._entropy(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, key, installation + purpose)

    def unwrap(self, wrapped: bytes, installation: bytes, purpose: bytes) -> bytes:
        """
        The key that was wrapped.

        Raises InvalidTag: it was wrapped by another key or is damaged.
        """
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        return self._aead.decrypt(nonce, sealed, installation + purpose)

    def found(self) -> WrappedKeys:
        """New keys for a new installation."""
        name = self._entropy(INSTALLATION_BYTES)
        return WrappedKeys(
            name,
            self.wrap(_CHECK, name, _CHECK),
            self.wrap(self._entropy(KEY_BYTES), name, _DIGEST_KEY),
            {1: self.wrap_data_key(self._entropy(KEY_BYTES), name, 1)},
        )

    def wrap_data_key(self, key: bytes, installation: bytes, number: int) -> bytes:
        """A data key closed for the database under its number."""
        return self.wrap(key, installation, _DATA_KEY % number)

    def open(self, wrapped: WrappedKeys) -> KeyRing:
        """
        The keys of an installation.

        Raises ShardError: they belong to another master key.
        """
        name = wrapped.installation
        try:
            self.unwrap(wrapped.check, name, _CHECK)
        except InvalidTag:
            raise ShardError(
                "the keys do not belong to this database: give [node] keys the "
                "directory with the master.key that it was made with"
            ) from None
        try:
            return KeyRing(
                self.unwrap(wrapped.digest_key, name, _DIGEST_KEY),
                {
                    number: self.unwrap(key, name, _DATA_KEY % number)
                    for number, key in wrapped.data_keys.items()
                },
                max(wrapped.data_keys),
            )
        except (InvalidTag, ValueError):
            raise ShardError("the wrapped keys in the database are damaged") from None


def load_master_key(
    directory: Path, may_make: bool, entropy: Callable[[int], bytes]
) -> MasterKey:
    """
    The master key of ``directory``; made there if it is missing and ``may_make``.

    Raises ShardError: it is missing, damaged, or others may read it.
    """
    path = directory / FILE_NAME
    try:
        if may_make and not path.exists():
            _make(path, entropy(KEY_BYTES))
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise ShardError(
            f"the key file {path} is missing, and the database is not empty"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ShardError(f"the key file {path} cannot be used: {error}") from None
    if mode & 0o077:
        raise ShardError(
            f"the key file {path} is open to others (mode {mode:04o}): "
            "run chmod 600 on it"
        )
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ShardError(f"the key file {path} does not hold {KEY_BYTES} bytes in hex")
    return MasterKey(key, entropy)


def _make(path: Path, key: bytes) -> None:
    """Write a new key file that survives a crash of the machine from here on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, key.hex().encode("ascii") + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
