"""What the operating system knows: cores, processor time, memory, the disk."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

import twisted
from timtw.loss.nodes import ROOT

SERVER_CORE: Final = 0
"""Where what is measured runs."""
OWN_CORE: Final = 1
"""Where the load generator runs."""
FLUSHES: Final = 100
"""How often the disk is asked to flush in order to know it."""
FLUSHED_BYTES: Final = 1 << 16
"""About what one commit of the node writes under load."""


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started within runs on this core and stays there."""
    previous = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, previous)


def cpu_of(pid: int) -> Callable[[], float]:
    """What tells the processor seconds that all threads of a process have used."""
    tasks = Path(f"/proc/{pid}/task")

    def seconds() -> float:
        files = tasks.glob("*/schedstat")
        return sum(int(file.read_text().split()[0]) for file in files) / 1e9

    return seconds


def cpu_of_family(pid: int) -> float:
    """Processor seconds of a process and of its children, also those that ended."""
    total = cpu_of(pid)()
    own = _fields(Path(f"/proc/{pid}/stat"))
    total += sum(int(ticks) for ticks in own[13:15]) / os.sysconf("SC_CLK_TCK")
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(_fields(place)[1]) == pid:
                total += cpu_of(int(place.parent.name))()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended just now.
    return total


def _fields(stat: Path) -> list[str]:
    """The fields behind the name of a process, its state first."""
    return stat.read_text().rpartition(")")[2].split()


@attrs.frozen
class Memory:
    """Bytes of a process: its own, and its own with its part of what is shared."""

    uss: int
    pss: int


def memory_of(pid: int) -> Memory:
    """What a process occupies now, by ``smaps_rollup``."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        found[name] = int(size) * 1024
    own = found["Private_Clean:"] + found["Private_Dirty:"]
    return Memory(own, found["Pss:"])


def descriptors_of(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def files_in(directory: Path) -> tuple[int, int]:
    """How many files lie below a directory, and how many bytes they have."""
    sizes = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def flush_milliseconds(directory: Path) -> dict[str, float]:
    """How long the disk takes to flush what a commit writes: median and 99 %."""
    path = directory / "flushes"
    block = os.urandom(FLUSHED_BYTES)
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(block)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1e3)
    path.unlink()
    ordered = sorted(taken)
    return {
        "median_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 2),
    }


def described() -> dict[str, Any]:
    """The machine and the programs, as far as figures depend on them."""
    names = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
        commit = told.stdout.strip()
    except FileNotFoundError:
        commit = ""
    return {
        "processor": ", ".join(sorted(names)),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "twisted": twisted.__version__,
        "sqlite": sqlite3.sqlite_version,
        "commit": commit or "unknown",
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
    }
