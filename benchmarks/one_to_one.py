"""Measure durable one-to-one texts from socket to disk to socket.

    python -m benchmarks.one_to_one [--messages 50000] [--in-flight 200] ...

The node runs on one core and this load generator on another. Everything is what users
get: sealed, committed with ``synchronous = FULL``, acknowledged by the recipients,
whose cursors are stored. A text that is lost, doubled or out of order ends the run.
Prints one line of JSON and then a table.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.load import Plan, Recipient, Result, Sender, Traffic
from timtw.test.loss.blocking import CHUNK, Visitor, connect, register
from timtw.test.loss.frames import frame
from timtw.test.loss.nodes import Node, free_port
from timtw.test.loss.speech import JsonSpeech, Login, Speech, ThriftSpeech

PASSWORD: Final = "correct horse battery"
TEXT: Final = "a text of one hundred bytes ".ljust(100, ".")
SERVER_CORE: Final = 0
OWN_CORE: Final = 1
CONTROL: Final = 10
"""The control bounces so many times the messages, for it is so much faster."""
TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> Callable[[], float]:
    """What tells the processor seconds that all threads of a process have used."""
    stat = Path(f"/proc/{pid}/stat")

    def seconds() -> float:
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    return seconds


@contextmanager
def served(directory: Path, profile: str) -> Iterator[Node]:
    """A node on a core of its own; ``profile`` is where cProfile's figures go."""
    options = [f"--profile={Path(profile).resolve()}", "--profiler=cProfile"]
    node = Node(directory, options=options if profile else [])
    previous = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        node.start()
    finally:
        os.sched_setaffinity(0, previous)
    try:
        yield node
    finally:
        node.stop()


def make_pairs(
    node: Node, speech: Speech, pairs: int
) -> list[tuple[Sender, Recipient]]:
    """Register and log in so many senders with a recipient each."""

    def enter(name: str) -> socket.socket:
        login = Login(name, PASSWORD, "load", 1, False)
        return Visitor(node.port, speech, login).line

    made = []
    for number in range(pairs):
        register(node, speech, f"sender{number}", PASSWORD)
        peer = register(node, speech, f"recipient{number}", PASSWORD)
        recipient = Recipient(enter(f"recipient{number}"), speech)
        data = frame(speech.text(peer, TEXT))
        made.append((Sender(enter(f"sender{number}"), data, speech), recipient))
    return made


def measure(options: argparse.Namespace) -> Result:
    """Run the node under load."""
    speech = JsonSpeech() if options.encoding == "json" else ThriftSpeech()
    plan = Plan(
        options.messages, options.seconds, options.in_flight, options.messages // 10
    )
    with (
        tempfile.TemporaryDirectory(dir=options.directory) as directory,
        served(Path(directory), options.profile) as node,
    ):
        pairs = make_pairs(node, speech, options.pairs)
        os.sched_setaffinity(0, {OWN_CORE})
        return Traffic(pairs, cpu_of(node.pid)).run(plan)


def control(options: argparse.Namespace) -> Result:
    """The same bytes through a bare echo server, as many under way."""
    port = free_port()
    program = Path(__file__).with_name("echo.py")
    os.sched_setaffinity(0, {SERVER_CORE})
    server = subprocess.Popen([sys.executable, str(program), str(port)])
    os.sched_setaffinity(0, {OWN_CORE})
    try:
        lines = [_patiently(port) for _ in range(options.pairs)]
        return _echoed(lines, options, cpu_of(server.pid))
    finally:
        server.kill()
        server.wait()


def _patiently(port: int) -> socket.socket:
    """Connect to a server that may not listen yet."""
    end = time.monotonic() + 20.0
    while True:
        try:
            return connect(port)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _echoed(
    lines: list[socket.socket], options: argparse.Namespace, cpu: Callable[[], float]
) -> Result:
    """Bounce frames until as many came back as the node was given."""
    data = frame(JsonSpeech().text("SrLu63KZLnq", TEXT))
    each = options.in_flight // len(lines)
    rests = dict.fromkeys(lines, 0)
    result = Result()
    for line in lines:
        line.sendall(data * each)
    begun, used, own = time.perf_counter(), cpu(), time.process_time()
    while result.messages < CONTROL * options.messages:
        for line in lines:
            rests[line] += len(line.recv(CHUNK))
            whole, rests[line] = divmod(rests[line], len(data))
            result.messages += whole
            if whole:
                line.sendall(data * whole)
    result.seconds = time.perf_counter() - begun
    result.server_cpu, result.own_cpu = cpu() - used, time.process_time() - own
    return result


def figures(result: Result) -> dict[str, Any]:
    """The figures of one run."""
    found = {
        "messages": result.messages,
        "seconds": round(result.seconds, 3),
        "messages_per_second": round(result.messages / result.seconds),
        "server_cpu_us": round(result.server_cpu / result.messages * 1e6, 1),
        "server_cpu_share": round(result.server_cpu / result.seconds, 2),
        "generator_cpu_share": round(result.own_cpu / result.seconds, 2),
    }
    if result.latencies:
        found["ack_p50_ms"] = round(result.latency(0.50), 1)
        found["ack_p99_ms"] = round(result.latency(0.99), 1)
    return found


def read(words: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser("python -m benchmarks.one_to_one")
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="at most so long")
    parser.add_argument("--in-flight", type=int, default=200, help="of all pairs")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--encoding", choices=("json", "thrift"), default="json")
    parser.add_argument("--directory", default=None, help="where the database lies")
    parser.add_argument("--profile", default="", help="write cProfile's figures here")
    options = parser.parse_args(words)
    if not 0 < options.pairs <= options.in_flight:
        parser.error("there have to be pairs, and a text under way for each")
    return options


def main(words: Sequence[str]) -> int:
    """Measure, print, and say 1 if texts were lost, doubled or out of order."""
    options = read(words)
    shown = {
        "one_to_one": figures(measure(options)),
        "bare_echo": figures(control(options)),
        "in_flight": options.in_flight,
        "pairs": options.pairs,
        "encoding": options.encoding,
    }
    node, bare = shown["one_to_one"], shown["bare_echo"]
    rates = node["messages_per_second"], bare["messages_per_second"]
    shown["ratio"] = round(rates[0] / rates[1], 3)
    print(json.dumps(shown))
    for key in node:
        print(f"{key:22}{node[key]:>12}{bare.get(key, ''):>12}")
    print(f"{'rate / rate of echo':22}{shown['ratio']:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
