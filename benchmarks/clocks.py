"""Clocks of the wall, of the server, of ourselves and of the whole machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from benchmarks.machine import cpu_of

_STAT: Final = Path("/proc/stat")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_IDLE: Final = frozenset((3, 4))
"""Where in a line of /proc/stat idle time stands, and time that waits for a disk."""
_GUESTS: Final = 8
"""From here on the line repeats what is in it already."""


@attrs.frozen
class Reading:
    """All clocks at one moment, or what they have gained; seconds.

    Args:
        busy: What all cores together have worked, for whomever.
        messages: How many have been counted.
    """

    at: float
    server_cpu: float
    own_cpu: float
    busy: float
    messages: int

    def since(self, before: Reading) -> Reading:
        """What has been added since then."""
        pairs = zip(attrs.astuple(self), attrs.astuple(before), strict=True)
        return Reading(*(now - then for now, then in pairs))

    def per_message(self) -> dict[str, float]:
        """Rate, processor time of each message, and who used the machine."""
        others = self.busy - self.server_cpu - self.own_cpu
        cores = os.cpu_count() or 1
        return {
            "rate": round(self.messages / self.at),
            "cpu_us": round(self.server_cpu / self.messages * 1e6, 1),
            "node_share": round(self.server_cpu / self.at, 2),
            "generator_share": round(self.own_cpu / self.at, 2),
            "others_share": round(max(0.0, others) / self.at / cores, 2),
        }


Clocks = Callable[[int], Reading]
"""Reads all clocks, given the number of messages."""


def clocks_of(pid: int) -> Clocks:
    """The clocks beside a server with this process number."""
    cpu = cpu_of(pid)

    def read(messages: int) -> Reading:
        own = time.process_time()
        return Reading(time.perf_counter(), cpu(), own, _busy(), messages)

    return read


def _busy() -> float:
    """Seconds that all cores have worked since the machine was started."""
    line = _STAT.read_text().split("\n", 1)[0].split()[1 : 1 + _GUESTS]
    spent = (int(ticks) for place, ticks in enumerate(line) if place not in _IDLE)
    return sum(spent) / _TICKS
