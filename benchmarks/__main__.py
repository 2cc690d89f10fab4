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

from benchmarks import absent, codec, connections, flat, one_to_one, restart
from benchmarks.machine import OWN_CORE, described, flush_milliseconds
from benchmarks.options import Options
from benchmarks.rows import Row, kept, table
from benchmarks.serving import workplace

Part = Callable[[Options], Iterator[Row]]
PARTS: Final[Mapping[str, Part]] = {
    "one-to-one": one_to_one.measure,
    "absent": absent.measure,
    "connections": connections.measure,
    "restart": restart.measure,
    "codec": codec.measure,
    "flat": flat.measure,
}


def read(words: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--scale", type=float, default=1.0, help="of all amounts")
    parser.add_argument("--directory", default=None, help="where databases lie")
    parser.add_argument("--profile", default="", help="write cProfile's figures here")
    parser.add_argument("--large", action="store_true", help="also what takes longer")
    parser.add_argument("--json", default="bench.json", help="where figures are kept")
    options = parser.parse_args(words)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    return options


def main(words: Sequence[str]) -> int:
    """Measure, keep, and print."""
    asked = read(words)
    options = Options(
        asked.only, asked.scale, asked.directory, asked.profile, asked.large
    )
    os.sched_setaffinity(0, {OWN_CORE})
    begun = time.monotonic()
    machine = described()
    with workplace(options.directory) as directory:
        machine["flush"] = flush_milliseconds(directory)
    rows = []
    for part in asked.parts or PARTS:
        for row in PARTS[part](options):
            rows.append(row)
            print(*list(table([row]))[1:], sep="\n", file=sys.stderr, flush=True)
    kept(Path(asked.json), rows, machine)
    print(*table(rows), sep="\n")
    print(f"{time.monotonic() - begun:.0f} s; {machine}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
