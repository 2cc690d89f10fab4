"""What the commands of the client have in common: options, passwords, exit statuses."""

from __future__ import annotations

import enum
import getpass
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from timtw.client.addresses import NodeAddress
from timtw.client.values import ClientError, Login, Refused, Unreachable
from timtw.client.wire import ENCODINGS
from timtw.model.errors import Remedy

SERVER: Final = "ws://127.0.0.1:5080/tim"
"""Where a node started without a configuration listens."""


class Exit(enum.IntEnum):
    """Exit statuses; those above 2 are the ones of sysexits.h."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOBODY = 67
    LATER = 75
    REFUSED = 77


def add_common(parser: ArgumentParser, resource: str) -> None:
    """Add the options that say who logs in and where."""
    server = os.environ.get("TIMTW_SERVER", SERVER)
    parser.add_argument("--name", required=True, help="the own login name")
    parser.add_argument(
        "--server",
        action="append",
        help=f"ws://, wss://, tcp:// or tls://; several are tried in turn. "
        f"Default: TIMTW_SERVER or {SERVER}",
    )
    parser.add_argument(
        "--password-file",
        type=Path,
        help="its first line; default: TIMTW_PASSWORD, or a question",
    )
    parser.add_argument("--domain", default="", help="of the account")
    parser.add_argument("--encoding", choices=sorted(ENCODINGS), default="json")
    parser.add_argument(
        "--resource",
        default=resource,
        help="which device this is: each gets everything; default %(default)s",
    )
    parser.set_defaults(default_server=server)


def login_of(arguments: Namespace, environ: Mapping[str, str]) -> Login:
    """
    Who logs in.

    Raises:
        OSError: the password file cannot be read.
        ValueError: an address is none, or nobody can be asked for the password.
    """
    arguments.server = arguments.server or arguments.default_server.split()
    for address in arguments.server:
        NodeAddress.parsed(address)
    return Login(
        name=arguments.name,
        password=_password(arguments, environ),
        domain=arguments.domain,
        resource=arguments.resource,
    )


def _password(arguments: Namespace, environ: Mapping[str, str]) -> str:
    """From the file, from the environment, or from whoever sits there."""
    if arguments.password_file is not None:
        lines = arguments.password_file.read_text("utf-8").splitlines()
        return str(lines[0]) if lines else ""
    if "TIMTW_PASSWORD" in environ:
        return environ["TIMTW_PASSWORD"]
    if not sys.stdin.isatty():
        raise ValueError("no password: set TIMTW_PASSWORD or name a --password-file")
    try:
        return getpass.getpass(f"Password of {arguments.name}: ")
    except EOFError:
        raise ValueError("no password") from None


def problem(sentence: str, status: Exit) -> Exit:
    """Say on stderr what is wrong; returns the exit status."""
    sys.stderr.write(f"timtw: {sentence}\n")
    return status


def run(
    arguments: Namespace, work: Callable[[Any, Namespace, Login], Awaitable[int]]
) -> int:
    """Run a command on the reactor, and put errors into sentences."""
    try:
        login = login_of(arguments, os.environ)
    except (OSError, ValueError) as error:
        return problem(str(error), Exit.USAGE)

    async def guarded(reactor: Any) -> int:
        try:
            return await work(reactor, arguments, login)
        except (ClientError, OSError, ValueError) as error:
            return problem(str(error), status_of(error))

    status: int = arguments.with_reactor(guarded)
    return status


def status_of(error: Exception) -> Exit:
    """The exit status that tells scripts about an error."""
    if isinstance(error, Refused):
        retry = error.remedy in (Remedy.RETRY, Remedy.LOG_IN)
        return Exit.LATER if retry else Exit.REFUSED
    if isinstance(error, Unreachable):
        return Exit.LATER
    return Exit.USAGE if isinstance(error, ValueError) else Exit.FAILED
