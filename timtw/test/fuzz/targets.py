"""The targets of fuzzing by coverage: what each one is given first, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import attrs

from timtw.test.fuzz import codecs, doors, wire
from timtw.test.fuzz.meter import Meter


@attrs.frozen
class Target:
    """Something that takes bytes.

    Args:
        call: Tries one input; raises a Finding, or whatever it should not raise.
        seeds: Inputs to begin with where there is no corpus.
        longest: Bytes of the longest input.
    """

    call: Callable[[bytes, Meter], None]
    seeds: Callable[[], Iterator[bytes]]
    longest: int = 1_024


TARGETS: Final[Mapping[str, Target]] = {
    "thrift": Target(codecs.thrift, codecs.thrift_seeds),
    "json": Target(codecs.json, codecs.json_seeds),
    "frames": Target(wire.frames, wire.frame_seeds),
    "bigdata": Target(wire.big_data, wire.big_data_seeds, 2_500),
    "wire": Target(wire.wire, wire.wire_seeds, 2_500),
    "tcp": Target(doors.tcp, doors.tcp_seeds, 800),
    "websocket": Target(doors.websocket, doors.websocket_seeds, 500),
    "http": Target(doors.http, doors.http_seeds, 1_200),
    "proxy": Target(doors.proxy, doors.proxy_seeds),
}
