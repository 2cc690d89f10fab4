"""Figures: kept as JSON, shown as a table, compared with the targets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from benchmarks.load import Result
from benchmarks.targets import TARGETS

FULL: Final = 0.85
"""A load generator that uses more of its core than this may be what limits a rate."""
CALM: Final = 0.1
"""If other programs use more than this of all cores, a figure is worth little."""
_FIRST: Final = ("rate", "cpu_us", "p50_ms", "p99_ms", "generator_share")
_HEADS: Final = ("figure", "rate/s", "CPU µs", "p50 ms", "p99 ms", "generator")
_PLACES: Final = {"rate": 0, "cpu_us": 1, "p50_ms": 1, "p99_ms": 1}


@attrs.frozen
class Row:
    """One figure.

    Args:
        name: What it is called, here and in the table of targets.
        values: What was measured.
        control: The same of something simple that was measured beside it.
        details: What explains the values; only in the JSON.
    """

    name: str
    values: Mapping[str, float]
    control: Mapping[str, float] = attrs.Factory(dict)
    details: Mapping[str, Any] = attrs.Factory(dict)

    @property
    def missed(self) -> list[str]:
        """The targets that are not met."""
        targets = TARGETS.get(self.name, ())
        return [str(one) for one in targets if not one.met(self.values[one.value])]

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know about the values."""
        own = self.values.get("generator_share", 0.0)
        others = self.values.get("others_share", 0.0)
        found = []
        if own > FULL:
            found.append(
                f"the load generator used {own:.0%} of its core: "
                "it is the limit of this rate, not the node"
            )
        if others > CALM:
            found.append(
                f"other programs used {others:.0%} of the machine: "
                "rate and latencies are not the node's alone"
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything about it."""
        targets = [str(target) for target in TARGETS.get(self.name, ())]
        return {
            **attrs.asdict(self),
            "targets": targets,
            "missed": self.missed,
            "remarks": self.remarks,
        }


def of_result(result: Result) -> dict[str, float]:
    """The values of a run with texts that were echoed."""
    return {
        **result.whole.per_message(),
        "p50_ms": round(result.latency(0.50), 1),
        "p99_ms": round(result.latency(0.99), 1),
    }


def windows_of(result: Result) -> list[dict[str, float]]:
    """The same of each window, in order to see how much they differ."""
    return [window.per_message() for window in result.windows]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows for people."""
    lines = [[*_HEADS, "more", "control", "target", ""], *map(_cells, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        first, *middle = line[:6]
        cells = [first.ljust(widths[0])]
        cells += [
            cell.rjust(width) for cell, width in zip(middle, widths[1:6], strict=True)
        ]
        cells += [
            cell.ljust(width) for cell, width in zip(line[6:], widths[6:], strict=True)
        ]
        yield "  ".join(cells).rstrip()
    for row in rows:
        for remark in row.remarks:
            yield f"{row.name}: {remark}"


def _cells(row: Row) -> list[str]:
    """One line of the table."""
    values = dict(row.values)
    first = [_shown(name, values.pop(name, None)) for name in _FIRST]
    for name in ("node_share", "others_share"):
        values.pop(name, None)
    targets = TARGETS.get(row.name, ())
    verdict = "" if not targets else "missed" if row.missed else "met"
    wanted = ", ".join(map(str, targets))
    return [row.name, *first, _listed(values), _listed(row.control), wanted, verdict]


def _listed(values: Mapping[str, float]) -> str:
    """Values with their names."""
    return ", ".join(f"{name} {value:,.10g}" for name, value in values.items())


def _shown(name: str, value: float | None) -> str:
    """One value of the first columns."""
    if value is None:
        return ""
    if name == "generator_share":
        return f"{value:.0%}"
    return f"{value:,.{_PLACES[name]}f}"


def keep(path: Path, row: Row, machine: Mapping[str, Any]) -> None:
    """Put a row into a file of JSON; what it knows of other rows stays."""
    figures = {one["name"]: one for one in _read(path)}
    figures[row.name] = {**row.as_json(), "machine": machine}
    text = json.dumps({"figures": list(figures.values())}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def known(path: Path) -> list[Row]:
    """The rows that a file of JSON has."""
    names = [field.name for field in attrs.fields(Row)]
    return [Row(**{name: one[name] for name in names}) for one in _read(path)]


def _read(path: Path) -> list[dict[str, Any]]:
    """What a file of JSON has; nothing if there is none."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["figures"]
    return found
