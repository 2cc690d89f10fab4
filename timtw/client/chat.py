"""``timtw chat``: a conversation in the terminal."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from timtw.client.client import connect
from timtw.client.options import Exit, add_common, problem, run
from timtw.client.talk import Talk
from timtw.client.terminal import Terminal
from timtw.client.values import (
    Login,
)
from timtw.client.ways import Ways


def add_chat(subparsers: Any) -> None:
    """Add ``timtw chat`` to the command's parsers."""
    parser = subparsers.add_parser(
        "chat",
        help="a conversation in the terminal",
        description="A conversation in the terminal; /help lists what to type.",
    )
    add_common(parser, resource="chat")
    parser.add_argument("--to", help="the login name of whom to write to first")
    parser.add_argument(
        "--invisible", action="store_true", help="show nobody that you are here"
    )
    parser.set_defaults(func=chat)


def chat(arguments: Namespace) -> int:
    """Converse until somebody quits; returns the exit status."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return problem("chat needs a terminal; scripts use send and listen", Exit.USAGE)
    return run(arguments, _chat)


async def _chat(reactor: Any, arguments: Namespace, login: Login) -> int:
    """Log in, and hand the terminal to the conversation."""
    talk = Talk()
    ways = Ways(arguments.encoding, own=True, observe=talk.observe)
    client = await connect(reactor, arguments.server, login, ways)
    terminal = Terminal(reactor, talk.typed, talk.leave)
    try:
        return await talk.begin(client, terminal, arguments.to, arguments.invisible)
    finally:
        terminal.close()
        await terminal.closed
        await client.close()
