"""Measure a node: ``python -m benchmarks [PART ...]``, or ``make bench`` for all parts.

Prints a table with one row per figure and keeps the figures as JSON. What the words
mean stands in docs/how-to/measure.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import (
    absent,
    codec,
    connections,
    flat,
    group,
    lists,
    one_to_one,
    restart,
    servers,
)
from benchmarks.machine import OWN_CORE, described, flush_milliseconds
from benchmarks.options import Options
from benchmarks.quoting import quote
from benchmarks.rows import Row, keep, known, table
from benchmarks.serving import workplace

Part = Callable[[Options], Iterator[Row]]
PARTS: Final[Mapping[str, Part]] = {
    "one-to-one": one_to_one.measure,
    "group": group.measure,
    "lists": lists.measure,
    "absent": absent.measure,
    "connections": connections.measure,
    "restart": restart.measure,
    "codec": codec.measure,
    "flat": flat.measure,
    "servers": servers.measure,
}


def read(words: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--scale", type=float, default=1.0, help="of all amounts")
    parser.add_argument("--directory", default=None, help="where databases lie")
    parser.add_argument("--profile", default="", help="write cProfile's table here")
    parser.add_argument("--large", action="store_true", help="also what takes longer")
    parser.add_argument("--json", type=Path, default="bench.json", metavar="FILE")
    parser.add_argument("--kept", action="store_true", help="show; measure nothing")
    parser.add_argument(
        "--write", action="append", type=Path, default=[], metavar="README"
    )
    options = parser.parse_args(words)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    return options


def measure(parts: Sequence[str], options: Options, results: Path) -> None:
    """Measure all parts; each row is kept as soon as it is there."""
    os.sched_setaffinity(0, {OWN_CORE})
    machine = described()
    with workplace(options.directory) as directory:
        machine["flush"] = flush_milliseconds(directory)
    for part in parts:
        begun = time.monotonic()
        for row in PARTS[part](options):
            keep(results, row, machine)
            print(*list(table([row]))[1:], sep="\n", file=sys.stderr, flush=True)
        print(f"{part}: {time.monotonic() - begun:.0f} s", file=sys.stderr)


def main(words: Sequence[str]) -> int:
    """Measure, keep, print, and quote where that is asked for."""
    asked = read(words)
    options = Options(
        asked.only, asked.scale, asked.directory, asked.profile, asked.large
    )
    if not asked.kept:
        measure(asked.parts or list(PARTS), options, asked.json)
    rows = known(asked.json)
    print(*table(rows), sep="\n")
    quote(asked.json, asked.write)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
