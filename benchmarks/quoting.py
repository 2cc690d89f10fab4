"""The figures that a README quotes, put between two marks in it.

A file that has the marks gets a table of what was measured last, in the language that
its name tells (``README.zh.md`` is Chinese). Nobody types a figure by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

BEGIN: Final = "<!-- figures: made by python -m benchmarks --write -->"
END: Final = "<!-- end of figures -->"

_HEADS: Final = {
    "en": ("", "per second", "CPU each", "median", "99 %", "bare echo, CPU each"),
    "zh": ("", "每秒", "每条 CPU", "中位数", "99 %", "裸回显，每条 CPU"),
}
_RATES: Final[Mapping[str, Mapping[str, str]]] = {
    "one-to-one json": {
        "en": "texts one to one, JSON, 200 in flight",
        "zh": "一对一文字，JSON，200 条在途",
    },
    "one-to-one thrift": {
        "en": "the same on Thrift",
        "zh": "同上，Thrift",
    },
    "one-to-one 2000 in flight": {
        "en": "the same on JSON, 2,000 in flight",
        "zh": "同上，JSON，2,000 条在途",
    },
    "one-to-one tls": {
        "en": "the same over TLS, 200 in flight",
        "zh": "同上，经 TLS，200 条在途",
    },
    "group of 1000": {
        "en": "deliveries in a group of 1,000 who are there, each acknowledged",
        "zh": "1,000 人在线的群内投递，逐一确认",
    },
    "group of 100000, 1000 there": {
        "en": "the same in a group of 100,000, 1,000 of them there",
        "zh": "同上，100,000 人的群，其中 1,000 人在线",
    },
    "live to 1000": {
        "en": "frames of 1 KiB in a live room of 1,000, 256 under way",
        "zh": "1,000 人直播间内 1 KiB 的帧，256 帧在途",
    },
    "absent store": {
        "en": "texts for people who are away",
        "zh": "写给不在线的人",
    },
    "absent drain": {
        "en": "texts fetched by people who come back",
        "zh": "上线后补收",
    },
}
_OTHERS: Final[Mapping[str, Mapping[str, str]]] = {
    "idle websocket": {
        "en": "memory of an idle connection over WebSocket: {kb_each:.1f} KiB",
        "zh": "WebSocket 空闲连接占用内存：{kb_each:.1f} KiB",
    },
    "idle tcp": {
        "en": "the same over TCP: {kb_each:.1f} KiB",
        "zh": "TCP 空闲连接占用内存：{kb_each:.1f} KiB",
    },
    "restart": {
        "en": "{devices:,} devices come back after a restart: {seconds:.0f} s, while "
        "99 % of the others' texts are answered within {p99_ms:.0f} ms",
        "zh": "重启后 {devices:,} 台设备全部重新登录：{seconds:.0f} 秒，"
        "期间其他人 99 % 的消息在 {p99_ms:.0f} ms 内得到应答",
    },
}
_MACHINE: Final = {
    "en": "{processor}, {cores} cores, Python {python}, SQLite {sqlite} with "
    "`synchronous = FULL`, a flush takes {flush[median_ms]} ms; {day}, {commit}.",
    "zh": "{processor}，{cores} 核，Python {python}，SQLite {sqlite}，"
    "`synchronous = FULL`，一次刷盘 {flush[median_ms]} ms；{day}，{commit}。",
}


class NoMarks(Exception):
    """The file has no place for figures."""


def quote(results: Path, files: Sequence[Path]) -> None:
    """
    Put the figures of ``results`` into each of the files.

    Raises NoMarks: a file has no marks.
    """
    known = json.loads(results.read_text("utf-8"))["figures"]
    figures = {one["name"]: one for one in known}
    for path in files:
        text = path.read_text("utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise NoMarks(f"{path} has no lines {BEGIN!r} and {END!r}")
        language = "zh" if ".zh." in path.name else "en"
        lines = "\n".join(quoted(figures, language))
        path.write_text(f"{before}{begin}\n{lines}\n{end}{after}", "utf-8")


def quoted(figures: Mapping[str, Any], language: str) -> Iterator[str]:
    """What stands between the marks: what was measured, and nothing else."""
    heads = _HEADS[language]
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield "|---|" + "---:|" * (len(heads) - 1)
    for name, labels in _RATES.items():
        if name in figures:
            yield f"| {labels[language]} | {' | '.join(_cells(figures[name]))} |"
    yield ""
    for name, labels in _OTHERS.items():
        if name in figures:
            one = figures[name]
            yield "* " + labels[language].format(**{**one["details"], **one["values"]})
    yield ""
    machines = [one["machine"] for one in figures.values()]
    yield _MACHINE[language].format(**machines[0])
    yield ""


def _cells(figure: Mapping[str, Any]) -> Iterator[str]:
    """The numbers of one row."""
    values = figure["values"]
    yield f"{values['rate']:,}"
    cpu = values["cpu_us"]
    yield f"{cpu:.0f} µs" if cpu >= 10 else f"{cpu:.1f} µs"
    for name in ("p50_ms", "p99_ms"):
        yield f"{values[name]:.0f} ms" if name in values else ""
    yield f"{figure['control']['cpu_us']:.1f} µs"
