"""Passwords: argon2id in threads, and the same work for names that do not exist."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from timtw.core.deferreds import deferred
from timtw.model import limits
from timtw.model.errors import TooFrequent

R = TypeVar("R")


class Passwords(Protocol):
    """Makes verifiers of passwords and checks passwords with them."""

    def make(self, password: str) -> Deferred[str]:
        """The verifier to store. Fails with TooFrequent when too many wait."""

    def check(self, verifier: str | None, password: str) -> Deferred[bool]:
        """
        Whether ``password`` is right.

        ``None`` stands for an unknown name: the work is the same and the answer no.
        Fails with TooFrequent when too many wait.
        """


class ArgonPasswords:
    """Argon2id with the library's recommended cost, in threads of its own."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        """``start`` must be called before the first password."""
        self._reactor = reactor
        self._pool = ThreadPool(0, limits.PASSWORD_THREADS, name="passwords")
        self._waiting = 0
        self._ended = False
        self._hasher = PasswordHasher()
        self._nobody = of_nobody(self._hasher)

    def start(self) -> None:
        """Start the threads."""
        self._pool.start()

    def stop(self) -> None:
        """End the threads; what still waits for one fails with TooFrequent.

        The threads would otherwise go through all of it first, and nothing else
        would happen meanwhile.
        """
        self._ended = True
        self._pool.stop()

    def make(self, password: str) -> Deferred[str]:
        """See ``Passwords``."""
        return self._in_thread(lambda: self._hasher.hash(_octets(password)))

    def check(self, verifier: str | None, password: str) -> Deferred[bool]:
        """See ``Passwords``."""
        return self._in_thread(lambda: self._verify(verifier, password))

    def _verify(self, verifier: str | None, password: str) -> bool:
        try:
            self._hasher.verify(verifier or self._nobody, _octets(password))
        except (Argon2Error, InvalidHashError):
            return False
        return verifier is not None

    @deferred
    async def _in_thread(self, work: Callable[[], R]) -> R:
        if self._waiting >= limits.PASSWORD_QUEUE + limits.PASSWORD_THREADS:
            raise TooFrequent()
        self._waiting += 1
        try:
            return await deferToThreadPool(self._reactor, self._pool, self._turn, work)
        finally:
            self._waiting -= 1

    def _turn(self, work: Callable[[], R]) -> R:
        """In a thread: do the work, unless its time is over."""
        if self._ended:
            raise TooFrequent()
        return work()


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogateescape")


def of_nobody(hasher: PasswordHasher) -> str:
    """A verifier that costs what the others cost and that no password is known for."""
    salt, digest = (
        b64encode(bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"
