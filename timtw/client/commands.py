"""``timtw send`` and ``timtw listen``: a conversation for scripts."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any, Final, TextIO

from twisted.internet.defer import CancelledError, Deferred

from timtw.client.client import IDENTS, Client, connect
from timtw.client.options import Exit, add_common, problem, run
from timtw.client.values import (
    EXCLUDED,
    FRIENDS,
    GROUP_REQUEST,
    JOINED,
    PULLED_IN,
    REJECTED,
    REMOVED,
    REQUEST,
    ClientError,
    Login,
    Message,
    Offline,
    Online,
)
from timtw.client.ways import State, Ways

_NOTICES: Final = {
    REQUEST: "wants to be friends",
    FRIENDS: "friends now",
    REMOVED: "no friend any more",
    GROUP_REQUEST: "wants to be let into group",
    JOINED: "in group",
    REJECTED: "not let into group",
    PULLED_IN: "pulled into group",
    EXCLUDED: "removed from group",
}
"""What notices tell people."""


def add_send(subparsers: Any) -> None:
    """Add ``timtw send`` to the command's parsers."""
    parser = subparsers.add_parser(
        "send",
        help="write one text, or send a file",
        description="Write one text; ends with 0 when the node has it on its disk. "
        "Or send a file, to somebody who is there; ends with 0 when it has arrived.",
    )
    add_common(parser, resource="send")
    to = parser.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", help="the login name of the account to write to")
    to.add_argument("--to-node", help="its node, where names cannot be looked up")
    to.add_argument("--to-group", help="the node of a group to write to")
    parser.add_argument(
        "--id",
        type=_ident,
        default=0,
        help="1 to 2^53-1; under one id a text is stored once, however often sent",
    )
    parser.add_argument(
        "--timeout", type=float, help="seconds; default 30, for a file for ever"
    )
    parser.add_argument("--file", type=Path, help="send this file instead of a text")
    parser.add_argument("--json", action="store_true", help="write mid, timestamp, id")
    parser.add_argument("text", nargs="?", help="default: what comes on stdin")
    parser.set_defaults(func=send)


def add_listen(subparsers: Any) -> None:
    """Add ``timtw listen`` to the command's parsers."""
    parser = subparsers.add_parser(
        "listen",
        help="write what arrives to stdout",
        description="Write what arrives to stdout, one line each. A message is "
        "acknowledged once its line is written: an interrupted one comes again.",
    )
    add_common(parser, resource="listen")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--own", action="store_true", help="what others of my devices write"
    )
    parser.add_argument("--count", type=int, default=0, help="end after so many")
    parser.set_defaults(func=listen)


def send(arguments: Namespace) -> int:
    """Write one text; returns the exit status."""
    return run(arguments, _send)


def listen(arguments: Namespace) -> int:
    """Write what arrives to stdout; returns the exit status."""
    return run(arguments, _listen)


def _ident(word: str) -> int:
    """The id that is written there."""
    number = int(word) if word.isascii() and word.isdigit() else 0
    if not 0 < number < IDENTS:
        raise ArgumentTypeError(f"{word} is not between 1 and 2^53-1")
    return number


def _piped() -> str:
    """What is on stdin, without the end of its last line.

    Raises:
        ValueError: it is no text.
    """
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("what is on stdin is not UTF-8") from error
    return text.removesuffix("\n").removesuffix("\r")


async def _send(reactor: Any, arguments: Namespace, login: Login) -> int:
    """Log in, write, wait for the echo."""
    text, timeout = "", arguments.timeout
    if arguments.file is not None:
        if arguments.text is not None or arguments.to_group or arguments.id:
            raise ValueError("a file goes to one account, without a text or an id")
    else:
        text = _piped() if arguments.text is None else arguments.text
        timeout = 30.0 if timeout is None else timeout
        if not text:
            raise ValueError("there is no text to send")
    ways = Ways(arguments.encoding, listens=False)
    work = Deferred.fromCoroutine(_write(reactor, arguments, login, ways, text))
    if timeout is not None:
        _ = work.addTimeout(timeout, reactor, _too_late)
    return await work


def _too_late(value: Any, seconds: float) -> Any:
    """What a cancelled send comes to: a text may be stored all the same."""
    if value.check(CancelledError, ClientError):
        sentence = f"no answer within {seconds:g} s; a text may be stored all the same"
        return problem(sentence, Exit.LATER)
    return value


async def _write(
    reactor: Any, arguments: Namespace, login: Login, ways: Ways, text: str
) -> int:
    """The whole conversation of ``timtw send``."""
    client = await connect(reactor, arguments.server, login, ways)
    try:
        if arguments.to_group:
            room = arguments.to_group
            stored = await client.send_to_group(room, text, arguments.id)
        elif arguments.file is not None:
            return await _send_file(client, arguments)
        else:
            peer = arguments.to_node or await _node_of(client, arguments.to)
            if peer is None:
                return problem(f"nobody is called {arguments.to}", Exit.NOBODY)
            stored = await client.send(peer, text, arguments.id)
    finally:
        await client.close()
    if arguments.json:
        told = {"mid": stored.mid, "timestamp": stored.timestamp, "id": stored.ident}
        _ = emit(sys.stdout, json.dumps(told))
    return Exit.DONE


async def _send_file(client: Client, arguments: Namespace) -> int:
    """Send a file, and tell its checksum."""
    peer = arguments.to_node or await _node_of(client, arguments.to)
    if peer is None:
        return problem(f"nobody is called {arguments.to}", Exit.NOBODY)
    sent = await client.files.send(peer, arguments.file)
    if arguments.json:
        told = {"name": sent.name, "size": sent.size, "sha256": sent.sha256}
        _ = emit(sys.stdout, json.dumps(told))
    return Exit.DONE


async def _node_of(client: Client, name: str) -> str | None:
    """The node of an account, None if there is no such name."""
    found = await client.find(name)
    return None if found is None else found.node


async def _listen(reactor: Any, arguments: Namespace, login: Login) -> int:
    """Log in and write what arrives until the end."""
    ways = Ways(arguments.encoding, own=arguments.own, observe=_tell)
    client = await connect(reactor, arguments.server, login, ways)
    shape = as_json if arguments.json else as_words
    left = arguments.count or -1
    try:
        while left:
            message = await client.receive()
            if not emit(sys.stdout, shape(message)):
                return Exit.DONE
            client.confirm(message)
            left -= 1
    finally:
        await client.close()
    return Exit.DONE


def emit(out: TextIO, line: str) -> bool:
    """Write a line and flush it; whether there is still somebody who reads."""
    try:
        out.write(f"{line}\n")
        out.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; there is nothing to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        return False
    return True


def as_json(message: Message) -> str:
    """A message as one line of JSON; binary content in hexadecimal."""
    told: dict[str, Any] = {
        "peer": message.peer,
        "own": message.own,
        "text": message.text,
        "mid": message.mid,
        "timestamp": message.timestamp,
        "id": message.ident,
        "seq": message.seq,
        "kind": message.kind,
    }
    if message.notice:
        told["notice"] = message.notice
    if message.group:
        told["group"] = message.group
    if message.to_group:
        told["to_group"] = True
    if message.data:
        told["data"] = message.data.hex()
    return json.dumps(told)


def as_words(message: Message) -> str:
    """A message as one line for people."""
    arrow = "to" if message.own and not message.to_group else "from"
    what = _NOTICES.get(message.notice, "")
    if message.group:
        what = f"{what} {message.group}".strip()
    said = f" ({what})" if what else ""
    who = message.peer or "the node"
    return f"{arrow} {who}{said}: {' '.join(message.text.splitlines())}"


def _tell(state: State) -> None:
    """Say on stderr when the line comes and goes."""
    if isinstance(state, Offline):
        sys.stderr.write(f"timtw: {state.reason}; trying again\n")
    elif isinstance(state, Online):
        sys.stderr.write(f"timtw: connected to {state.address}\n")
