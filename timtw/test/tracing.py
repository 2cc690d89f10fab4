"""Reads what ``strace -f -y`` wrote, and asks: was it on the disk before it was echoed?

A kill of the process proves nothing about that, since the operating system keeps what
was written; only the order of the system calls does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from timtw.loss.nodes import twistd

CALLS: Final = (
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "sendto",
    "sendmsg",
)
"""The system calls that are looked at."""
BYTES: Final = 16384
"""How much of each buffer is kept: the echoes of a whole burst."""
_SYNCS: Final = ("fsync", "fdatasync")
_SENDS: Final = ("sendto", "sendmsg", "write", "writev")
_WRITES: Final = ("pwrite64", "pwritev", "write", "writev")
_LOG: Final = "-wal"

_BEGUN: Final = re.compile(r"(\d+) +(\w+)\((\d+)(?:<([^>]*)>)?(.*)")
_RESUMED: Final = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")
_RESULT: Final = re.compile(r".*\) *= (-?\d+)")


@attrs.frozen
class Call:
    """A system call that succeeded.

    Args:
        target: The path of the file, or what the socket is called.
        text: The rest of its arguments, as they were printed.
        began: The line on which it begins.
        ended: The line on which it has ended.
    """

    name: str
    target: str
    text: str
    began: int
    ended: int


def command(output: str, program: Sequence[str] = ()) -> list[str]:
    """What runs a program, twistd by default, so that its calls go to ``output``.

    With ``-D`` the program is the direct child, and can be ended as usual.
    """
    traced = f"trace={','.join(CALLS)}"
    head = ["strace", "-D", "-f", "-y", "-s", str(BYTES), "-e", traced, "-o", output]
    return [*head, *(program or twistd())]


def parse(lines: Iterable[str]) -> list[Call]:
    """The calls in the order of their ends; what failed or never ended is left out."""
    calls: list[Call] = []
    pending: dict[tuple[str, str], tuple[int, str, str]] = {}
    for number, line in enumerate(lines):
        if begun := _BEGUN.match(line):
            thread, name, _, target, rest = begun.groups()
            if rest.rstrip().endswith("<unfinished ...>"):
                pending[thread, name] = number, target or "", rest
            elif _succeeded(rest):
                calls.append(Call(name, target or "", rest, number, number))
        elif resumed := _RESUMED.match(line):
            thread, name, rest = resumed.groups()
            if (thread, name) in pending:
                began, target, text = pending.pop((thread, name))
                if _succeeded(rest):
                    calls.append(Call(name, target, text + rest, began, number))
    return calls


def _succeeded(rest: str) -> bool:
    """Whether the end of a line tells of success."""
    result = _RESULT.match(rest)
    return result is not None and int(result[1]) >= 0


def unsynced(calls: Sequence[Call], bursts: Sequence[str]) -> list[str]:
    """
    What was echoed too early, in words.

    Args:
        bursts: A text per burst that each of its echoes holds and nothing else. A
            burst was sent when all echoes of the one before it had come.

    Between the last echo of a burst and the first one of the next there has to be a
    write to the write-ahead log, and behind it a sync of that file that has ended.
    """
    findings = []
    after = 0
    for burst in bursts:
        echoes = [c for c in calls if c.name in _SENDS and burst in c.text]
        if not echoes:
            findings.append(f"{burst}: no echo")
            continue
        first = min(echo.began for echo in echoes)
        wal = [
            call
            for call in calls
            if call.target.endswith(_LOG) and after <= call.began and call.ended < first
        ]
        writes = [call.ended for call in wal if call.name in _WRITES]
        if not writes:
            findings.append(f"{burst}: echoed before anything was written")
        elif not any(c.name in _SYNCS and c.began > min(writes) for c in wal):
            findings.append(f"{burst}: written and echoed without a sync")
        after = max(echo.ended for echo in echoes)
    return findings
