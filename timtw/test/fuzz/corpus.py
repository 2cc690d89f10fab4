"""The corpus: inputs that reach what no smaller one reaches, a line of hex each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from timtw.test.fuzz.meter import Meter
from timtw.test.fuzz.planted import BUGS
from timtw.test.fuzz.targets import TARGETS

FOLDER: Final = Path(__file__).with_name("corpus")
WATCHED: Final = (
    "timtw/protocols/",
    "timtw/client/",
    "<thrift codec",
    "autobahn/websocket/protocol",
)
"""Beginnings, or middles, of the files whose steps count as something reached."""

Reached = set[tuple[CodeType, int, int]]


def path_of(name: str) -> Path:
    """The file with the inputs of a target."""
    return FOLDER / f"{name}.txt"


def inputs(name: str) -> list[bytes]:
    """The inputs of a target: its corpus, or what it begins with."""
    path = path_of(name)
    if not path.exists():
        return list(TARGETS[name].seeds())
    return [bytes.fromhex(line) for line in path.read_text("ascii").splitlines()]


def keep(name: str, found: Iterable[bytes]) -> int:
    """Write the smallest inputs that together reach all that these do; their number.

    What shows one of the bugs to plant stays as well.
    """
    shown = [bug.shows for bug in BUGS.values() if bug.target == name]
    kept = [*smallest(name, found)]
    kept += [one for one in shown if one not in kept]
    text = "".join(f"{one.hex()}\n" for one in kept)
    path_of(name).write_text(text, "ascii")
    return len(kept)


def smallest(name: str, found: Iterable[bytes]) -> Iterator[bytes]:
    """The inputs, smallest first, that reach something the ones before did not."""
    call, meter = TARGETS[name].call, Meter(0)
    known: Reached = set()
    for one in sorted(set(found), key=lambda data: (len(data), data)):
        reached: Reached = set()
        _traced(reached, call, one, meter)
        if not reached <= known:
            known |= reached
            yield one


def _traced(reached: Reached, call: Any, *words: Any) -> None:
    """Call, and note every step from line to line in the files that are watched."""
    watched: dict[CodeType, bool] = {}
    last: dict[int, int] = {}

    def line(frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        reached.add((code, last.get(id(frame), 0), frame.f_lineno))
        last[id(frame)] = frame.f_lineno
        return line

    def enter(frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        if code not in watched:
            name = code.co_filename
            watched[code] = any(one in name for one in WATCHED)
        last.pop(id(frame), None)
        return line if watched[code] else None

    sys.settrace(enter)
    try:
        call(*words)
    finally:
        sys.settrace(None)
