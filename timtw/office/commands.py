"""``timtw user``: accounts by hand, in words and exit statuses.

On a running node the requests go through its control socket. Where none runs they are
carried out on the storage itself, by an opener that the composition root hands in:
this module knows nothing of engines.
"""

from __future__ import annotations

import argparse
import getpass
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from timtw.config import ConfigError, NodeConfig, read_config
from timtw.model.limits import CONTROL_SECONDS
from timtw.model.stores import ShardError, ShardInUse
from timtw.office import requests
from timtw.office.control import SOCKET_NAME
from timtw.office.requests import Answer, Fields

PASSWORD_VARIABLE: Final = "TIMTW_PASSWORD"
"""The environment variable that may hold a password."""

Ask: TypeAlias = Callable[[Fields], Answer]
"""Carries out a request and waits for its answer."""
Opener: TypeAlias = Callable[[NodeConfig], AbstractContextManager[Ask]]
"""Opens the storage of a node that does not run; raises ShardError."""


class Failed(Exception):
    """The command was not carried out; the text is one sentence."""


@contextmanager
def running(path: Path, seconds: float = CONTROL_SECONDS) -> Iterator[Ask | None]:
    """The control socket at ``path``; ``None`` if nobody serves it."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(seconds)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            yield None
            return
        except OSError as error:
            if isinstance(error, PermissionError):
                raise Failed(f"the control socket {path} is another user's") from error
            # Where a path is too long for a socket no node serves one either.
            yield None
            return
        with line.makefile("rb") as answers:

            def ask(request: Fields) -> Answer:
                try:
                    line.sendall(requests.write(request) + b"\n")
                    answer = answers.readline()
                except OSError:
                    answer = b""
                if not answer.endswith(b"\n"):
                    raise Failed("a node runs but its control socket does not answer")
                return dict(requests.read(answer))

            yield ask


@contextmanager
def reached(config: NodeConfig, opener: Opener) -> Iterator[Ask]:
    """The running node, or the storage if there is none."""
    with running(config.node.state_dir / SOCKET_NAME) as ask:
        if ask is not None:
            yield ask
            return
    try:
        opened = opener(config)
        with opened as ask:
            yield ask
    except ShardInUse as error:
        raise Failed("a node runs but its control socket does not answer") from error
    except ShardError as error:
        raise Failed(str(error)) from error


def password_of(arguments: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The new password: from a file, the environment, or a prompt without echo."""
    if arguments.password_file is not None:
        try:
            lines = arguments.password_file.read_bytes().splitlines()
        except OSError as error:
            raise Failed(
                f"{arguments.password_file} cannot be read: {error.strerror}"
            ) from error
        return lines[0].decode("utf-8", "surrogateescape") if lines else ""
    if PASSWORD_VARIABLE in environ:
        return environ[PASSWORD_VARIABLE]
    try:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise Failed("the two passwords differ")
    except EOFError as error:
        raise Failed("no password was given") from error
    return password


def _done(answer: Answer) -> Answer:
    """An answer that is none of a refusal."""
    if not answer["ok"]:
        raise Failed(str(answer["error"]))
    return answer


def _blocked(until: int) -> str:
    """How long an account is blocked, in words."""
    if until < 0:
        return "blocked"
    if until == 0:
        return ""
    moment = time.gmtime(until // 1_000_000_000)
    return time.strftime("blocked until %Y-%m-%d %H:%M:%S UTC", moment)


def _printable(text: str) -> str:
    """A text that does nothing to a terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _list(ask: Ask) -> Iterator[str]:
    """A line per account: node, name, domain, block."""
    request: dict[str, Any] = {"do": "list"}
    while True:
        answer = _done(ask(request))
        for one in answer["accounts"]:
            cells = (one["node"], one["name"], one["domain"])
            row = [*map(_printable, cells), _blocked(one["blocked_until"])]
            yield "\t".join(row).rstrip("\t")
        if "next" not in answer:
            return
        request["after"] = answer["next"]


def _perform(
    arguments: argparse.Namespace, environ: Mapping[str, str], opener: Opener
) -> Iterator[str]:
    """Carry out a command; the lines that it prints."""
    known = {name: environ[name] for name in environ if name != PASSWORD_VARIABLE}
    try:
        config = read_config(arguments.config, known)
    except ConfigError as error:
        raise Failed("\n".join(error.problems)) from error
    do = arguments.do
    request: dict[str, Any] = {"do": do}
    if do != "list":
        request |= {"name": arguments.name, "domain": arguments.domain}
    if do in ("add", "passwd"):
        request["password"] = password_of(arguments, environ)
    if do == "block":
        request["seconds"] = arguments.seconds
    with reached(config, opener) as ask:
        if do == "list":
            yield from _list(ask)
            return
        answer = _done(ask(request))
        if do == "add":
            yield str(answer["node"])


def run(arguments: argparse.Namespace, opener: Opener) -> int:
    """Run a command; 0, or 1 with a sentence on the standard error."""
    try:
        for line in _perform(arguments, os.environ, opener):
            sys.stdout.write(f"{line}\n")
    except Failed as error:
        sys.stderr.write(f"timtw user: {error}\n")
        return 1
    return 0


_COMMANDS: Final = {
    "add": "make an account and print its node",
    "passwd": "set a password; sessions, tokens and credentials end",
    "block": "refuse logins; sessions, tokens and credentials end",
    "unblock": "allow logins again",
    "kick": "end sessions, tokens and credentials",
    "list": "print all accounts: node, name, domain, block",
}


def add_parser(subparsers: Any, opener: Opener) -> None:
    """Add ``user`` and its commands to a parser's commands."""
    user = subparsers.add_parser("user", help="look after the accounts of a node")
    commands = user.add_subparsers(dest="do", metavar="COMMAND", required=True)
    for name, words in _COMMANDS.items():
        one = commands.add_parser(name, help=words, description=words)
        one.add_argument(
            "--config", "-c", type=Path, help="the node's configuration, an INI file"
        )
        one.set_defaults(func=lambda arguments: run(arguments, opener))
        if name == "list":
            continue
        one.add_argument("name", help="the login name")
        one.add_argument("--domain", default="", help="the account's domain, if any")
        if name in ("add", "passwd"):
            one.add_argument(
                "--password-file",
                type=Path,
                help=f"its first line is the password; else {PASSWORD_VARIABLE} is "
                "used, else it is asked for",
            )
        if name == "block":
            one.add_argument(
                "--seconds",
                type=int,
                default=0,
                help="how long; 0, the default: for ever",
            )
