"""
``timtw``: the command of people and scripts; ``twistd tim`` is the one that serves.

Each part brings its commands along as functions that add a parser. A command is the
default ``func`` of its parser: it takes the parsed arguments and returns the exit
status. One that needs the network hands a coroutine function to
``arguments.with_reactor``, which runs it on the global reactor; so the reactor is
imported here, beside `tap.py`, and nowhere else.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import timtw
from timtw import users
from timtw.client import chat, commands
from timtw.loss.commands import add_check_loss
from timtw.office.streams import add_live

Subparsers = Any
"""What argparse returns from `add_subparsers`; it has no public name."""
Work = Callable[[Any], Coroutine[Any, Any, int]]
"""What takes a reactor and comes to an exit status."""

COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    commands.add_send,
    commands.add_listen,
    chat.add_chat,
    users.add_parser,
    add_live,
    add_check_loss,
)
"""All commands, in the order of the help."""

FAILED = 1
"""The exit status after a bug of ours."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""
LEAVING_SECONDS = 2.0
"""What ends a program waits no longer for a node that does not answer the goodbye."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, 2 for wrong words."""
    parser = argparse.ArgumentParser(
        prog="timtw", description="Talk through a timtw node, or look after one."
    )
    parser.add_argument("--version", action="version", version=timtw.__version__)
    parser.set_defaults(with_reactor=with_reactor)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(subparsers)
    arguments = parser.parse_args(words)
    status: int = arguments.func(arguments)
    return status


def with_reactor(work: Work) -> int:
    """
    Run `work` on the global reactor; returns what it comes to.

    A signal that ends the program cancels the work, so that it can leave in order.
    """
    from twisted.internet import reactor
    from twisted.internet.defer import CancelledError, Deferred

    loop: Any = reactor
    results: list[int] = []
    ending: list[bool] = []

    async def whole() -> None:
        try:
            results.append(await work(loop))
        except CancelledError:
            results.append(INTERRUPTED)
        except Exception:
            traceback.print_exc()
            results.append(FAILED)

    def begin() -> None:
        running = Deferred.fromCoroutine(whole())

        def interrupted() -> Deferred[None]:
            ending.append(True)
            running.cancel()
            return running.addTimeout(LEAVING_SECONDS, loop)

        trigger = loop.addSystemEventTrigger("before", "shutdown", interrupted)

        def done(_: None) -> None:
            if not ending:
                loop.removeSystemEventTrigger(trigger)
                loop.stop()

        _ = running.addCallback(done)

    loop.callWhenRunning(begin)
    loop.run()
    return results[0] if results else INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
