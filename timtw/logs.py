"""
A log for machines: ``twistd --logger=timtw.logs.json``.

One JSON object per line on the standard output, UTF-8.  What an event may hold is
decided where it is logged; this is the second line of defence: of an event's values
only numbers, truths and short texts are written, and none at all under a key that
people's words, names or whereabouts go by.  Of a failure the class and the places are
written, never the message, which may quote what a client sent.
"""

import json as encoding
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import (
    FileLogObserver,
    ILogObserver,
    LogEvent,
    formatEvent,
)
from twisted.python.failure import Failure

WITHHELD = frozenset(
    {"address", "body", "client", "credential", "device", "domain", "extend", "extra"}
    | {"host", "ip", "name", "nickname", "password", "peer", "resource", "text"}
    | {"token"}
)
"""Keys whose values are never written, by whomever they were logged."""

MACHINERY = frozenset({"format", "isError", "message", "system", "time", "why"})
"""Keys of Twisted's older log; its ``system`` holds the address of a client."""

LONGEST = 500
"""Characters: longer texts are cut, as one event must not fill the disk."""

INSTEAD = "(withheld)"
"""What stands in a message where a value is withheld."""


def json() -> ILogObserver:
    """The observer that twistd asks for by the name ``timtw.logs.json``."""
    return observer(sys.stdout)


def observer(out: TextIO) -> ILogObserver:
    """An observer that writes one line per event to `out`."""
    return FileLogObserver(out, as_line)


def as_line(event: LogEvent) -> str:
    """
    One event as a JSON object and a line feed.

    Keys: ``time`` (RFC 3339, UTC), ``level``, ``namespace``, ``message``, ``failure``
    where there is one, and the event's own keys.
    """
    shown = {key: _shown(key, value) for key, value in event.items()}
    level = event.get("log_level")
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(event.get("log_time", 0.0), UTC).isoformat(),
        "level": "info" if level is None else level.name,
        "namespace": event.get("log_namespace", ""),
        "message": formatEvent({**event, **shown})[:LONGEST],
    }
    failure = event.get("log_failure", event.get("failure"))
    if isinstance(failure, Failure):
        line["failure"] = _without_message(failure)
        # The older log puts the traceback, which quotes the message, below the text.
        line["message"] = line["message"].split("\n", 1)[0]
    for key, value in shown.items():
        if _is_ours(key) and isinstance(value, str | int | float | bool | None):
            line.setdefault(key, value)
    return encoding.dumps(line, ensure_ascii=False) + "\n"


def _is_ours(key: str) -> bool:
    """Whether a key is an event's own, not of the logging machinery."""
    return not key.startswith("log_") and key not in MACHINERY


def _shown(key: str, value: Any) -> Any:
    """What may be written of a value."""
    if key in WITHHELD:
        return INSTEAD
    return value[:LONGEST] if isinstance(value, str) and _is_ours(key) else value


def _without_message(failure: Failure) -> dict[str, Any]:
    """The class of a failure and the places it passed, innermost last."""
    places = [f"{file}:{line} {name}" for name, file, line, *_ in failure.frames]
    return {"class": failure.type.__qualname__ if failure.type else "", "at": places}
