"""How coroutines and Deferreds meet: the two helpers that everybody uses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

P = ParamSpec("P")
R = TypeVar("R")


def deferred(
    function: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Deferred[R]]:
    """``async`` inside, ``Deferred`` outside: the work begins at the call."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        return Deferred.fromCoroutine(function(*args, **kwargs))

    return call


def background(
    what: str, work: Coroutine[Any, Any, Any] | Deferred[Any], log: Logger
) -> None:
    """Let ``work`` go on by itself; a failure is logged as ``what``."""
    running = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
    _ = running.addErrback(lambda failure: log.failure(what, failure))


def then(
    work: Coroutine[Any, Any, R],
    done: Callable[[R], None],
    failed: Callable[[Failure], None],
    log: Logger,
) -> None:
    """Tell ``done`` or ``failed`` what becomes of ``work``; their bugs are logged."""
    running = Deferred.fromCoroutine(work).addCallbacks(done, failed)
    background("what follows a result has failed", running, log)
