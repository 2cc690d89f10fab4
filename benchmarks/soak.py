"""Load for an hour, and whether anything of the node grows meanwhile.

    python -m benchmarks.soak --minutes 60

People write at a moderate pace, come and go. Memory, descriptors, timers and files are
looked at all the time; a line is laid through each by least squares. What ends with
"zero" has a slope that cannot be told from none, or one too small to matter.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from benchmarks.arriving import Crowd, talkers
from benchmarks.clocks import clocks_of
from benchmarks.load import Result, Traffic
from benchmarks.machine import (
    OWN_CORE,
    described,
    descriptors_of,
    files_in,
    memory_of,
)
from benchmarks.observed import asked
from benchmarks.people import Person, settle
from benchmarks.serving import BenchNode, served, workplace

PAIRS: Final = 50
COMERS: Final = 20
"""People who do nothing but come and go."""
STAY_SECONDS: Final = 4.0
AWAY_SECONDS: Final = 2.0
"""Looked is at the end of this time: then as many are there as the last time."""
WARM_PART: Final = 0.5
"""So much of the run is not looked at: until then caches fill, and the allocator finds
out how much is needed at the worst moment."""
SMALL: Final = 0.01
"""A slope that in an hour adds less than this part of what is there does not matter."""
GROWS: Final = "database_kb"
"""What has to grow: messages are kept."""
SURE: Final = 3.0
"""So many standard errors a slope has to be away from zero in order to be one."""


@attrs.frozen
class Slope:
    """A line through values by least squares."""

    mean: float
    per_hour: float
    error: float

    @property
    def is_zero(self) -> bool:
        """Whether nothing grows, as far as can be told."""
        sure = self.per_hour > SURE * self.error
        return not (sure and self.per_hour > SMALL * self.mean)


def slope_of(points: Sequence[tuple[float, float]]) -> Slope:
    """The line through points of seconds and a value, and its standard error."""
    count = len(points)
    middle = sum(at for at, _ in points) / count
    mean = sum(value for _, value in points) / count
    wide = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (value - mean) for at, value in points) / wide
    rest = sum((value - mean - slope * (at - middle)) ** 2 for at, value in points)
    error = math.sqrt(rest / max(1, count - 2) / wide)
    return Slope(mean, slope * 3600, error * 3600)


class Look:
    """Everything that must not grow, read now and then."""

    def __init__(self, node: BenchNode, answers: str) -> None:
        """``answers`` is where the node tells of its timers."""
        self._node, self._answers = node, answers
        self._begun = time.perf_counter()
        self.points: list[tuple[float, dict[str, float]]] = []

    def look(self) -> None:
        """Look now."""
        told = asked(self._answers)
        files, size = files_in(self._node.directory / "state")
        found = {
            "memory_kb": memory_of(self._node.pid).uss / 1024,
            "descriptors": descriptors_of(self._node.pid),
            **told,
            "files": files,
            "database_kb": size / 1024,
        }
        self.points.append((time.perf_counter() - self._begun, found))

    def slopes(self) -> dict[str, Slope]:
        """A line through each, without the beginning."""
        since = self.points[-1][0] * WARM_PART
        later = [point for point in self.points if point[0] >= since]
        names = later[0][1]
        return {
            name: slope_of([(at, found[name]) for at, found in later]) for name in names
        }


class Comers:
    """People who come, stay a little and leave again, all the time."""

    def __init__(
        self, port: int, people: Sequence[Person], calm: Callable[[], None]
    ) -> None:
        """``calm`` is called each time that they have been away for a while."""
        self._port, self._people, self._calm = port, people, calm
        self._crowd: Crowd | None = None
        self._due = time.perf_counter() + AWAY_SECONDS
        self.times = 0

    def turn(self) -> None:
        """Do what is due."""
        now = time.perf_counter()
        if self._crowd is not None:
            self._crowd.serve(0, len(self._people))
            if self._crowd.settled and now >= self._due:
                self.leave()
        elif now >= self._due:
            self._calm()
            self._crowd = Crowd(self._port)
            self._crowd.begin(self._people)
            self._due = now + STAY_SECONDS

    def leave(self) -> None:
        """All of them hang up."""
        if self._crowd is not None:
            self._crowd.wait()
            assert not self._crowd.failures, self._crowd.failures
            self.times += len(self._crowd.lines)
            self._crowd.close()
            self._crowd = None
            self._due = time.perf_counter() + AWAY_SECONDS


def soak(
    minutes: float, rate: float, directory: str | None
) -> tuple[dict[str, float], Look]:
    """Run it, and what was found."""
    seconds = minutes * 60
    with workplace(directory) as place:
        people = settle(place, 2 * PAIRS + COMERS)
        answers = str(place / "answers")
        launcher = [sys.executable, "-m", "benchmarks.observed", answers]
        with served(place, launcher=launcher) as node:
            there = talkers(Crowd(node.port), people[: 2 * PAIRS])
            for sender, peer in zip(there[:PAIRS], people[PAIRS:], strict=False):
                sender.write_to([peer])
            traffic = Traffic(there, clocks_of(node.pid))
            look = Look(node, answers)
            comers = Comers(node.port, people[2 * PAIRS :], look.look)
            before, end = traffic.reading(), time.perf_counter() + seconds
            traffic.pace(rate, _until(end, comers.turn))
            spent = traffic.reading().since(before)
            traffic.finish()
            comers.leave()
            result = Result([spent], traffic.latencies)
            traffic.close()
    found = {
        "minutes": minutes,
        "messages": spent.messages,
        **spent.per_message(),
        "p50_ms": round(result.latency(0.50), 1),
        "p99_ms": round(result.latency(0.99), 1),
        "logins": comers.times,
    }
    return found, look


def _until(end: float, turn: Callable[[], None]) -> Callable[[], bool]:
    """What is done between two texts; true when the time is over."""

    def done() -> bool:
        turn()
        return time.perf_counter() >= end

    return done


def shown(found: Mapping[str, float], slopes: Mapping[str, Slope]) -> list[str]:
    """The result for people."""
    lines = [f"{name:18}{value:>14}" for name, value in found.items()]
    lines.append(f"{'':18}{'mean':>14}{'per hour':>14}{'±':>12}")
    for name, slope in slopes.items():
        numbers = f"{slope.mean:14,.1f}{slope.per_hour:14,.1f}{slope.error:12,.1f}"
        if name == GROWS:
            verdict = "grows with what is stored"
        else:
            verdict = "zero" if slope.is_zero else "GROWS"
        lines.append(f"{name:18}{numbers}  {verdict}")
    return lines


def main(words: Sequence[str]) -> int:
    """Run, print, and say 1 if something grows."""
    parser = argparse.ArgumentParser("python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=1_000.0, help="texts a second")
    parser.add_argument("--directory", default=None, help="where the database lies")
    parser.add_argument("--json", default="soak.json", help="where points are kept")
    options = parser.parse_args(words)
    os.sched_setaffinity(0, {OWN_CORE})
    found, look = soak(options.minutes, options.rate, options.directory)
    slopes = look.slopes()
    kept = {
        **found,
        "slopes": {name: attrs.asdict(slope) for name, slope in slopes.items()},
        "machine": described(),
        "points": look.points,
    }
    Path(options.json).write_text(json.dumps(kept) + "\n")
    print(*shown(found, slopes), sep="\n")
    grows = any(not one.is_zero for name, one in slopes.items() if name != GROWS)
    return 1 if grows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
