"""``timtw live``: what passes through the virtual rooms of a running node."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from timtw.config import ConfigError, read_config
from timtw.office.commands import Failed, running
from timtw.office.control import SOCKET_NAME

_TOTALS: Final = ("pushed", "sent", "dropped", "parcels", "queued_bytes")
_COLUMNS: Final = ("node", "founder", "flow", "subscribers", "sent", "dropped")


def _lines(path: Path | None) -> Iterator[str]:
    """Totals in the first line, then a line per room, the busiest first."""
    try:
        config = read_config(path, os.environ)
    except ConfigError as error:
        raise Failed("\n".join(error.problems)) from error
    with running(config.node.state_dir / SOCKET_NAME) as ask:
        if ask is None:
            raise Failed("no node runs")
        told = ask({"do": "live"})
    if not told["ok"]:
        raise Failed(str(told["error"]))
    yield "  ".join(f"{name} {told[name]}" for name in _TOTALS)
    for room in told["rooms"]:
        yield "\t".join(str(room[name]) for name in _COLUMNS)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0, or 1 with a sentence on the standard error."""
    try:
        for line in _lines(arguments.config):
            sys.stdout.write(f"{line}\n")
    except Failed as error:
        sys.stderr.write(f"timtw live: {error}\n")
        return 1
    return 0


def add_live(subparsers: Any) -> None:
    """Add ``live`` to a parser's commands."""
    words = "show the streams of a running node: what was pushed, sent and dropped"
    live = subparsers.add_parser("live", help=words, description=words)
    live.add_argument(
        "--config", "-c", type=Path, help="the node's configuration, an INI file"
    )
    live.set_defaults(func=run)
