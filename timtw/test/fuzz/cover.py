"""One target under atheris; ``__main__`` runs this as a process of its own.

    python -m timtw.test.fuzz.cover TARGET BUG [OPTIONS OF LIBFUZZER] FOLDER

``BUG`` is one of ``planted.BUGS``, or ``-``. The process ends with the fuzzing.
"""

from __future__ import annotations

import sys
from typing import Final

import atheris

METERED: Final = 16
"""One execution of so many is watched for what it costs."""

with atheris.instrument_imports(
    include=["timtw.protocols", "timtw.client", "autobahn.websocket"]
):
    from autobahn.websocket import protocol as autobahn_protocol

    from timtw.protocols import thriftcodec
    from timtw.test.fuzz.meter import Meter
    from timtw.test.fuzz.planted import BUGS
    from timtw.test.fuzz.targets import TARGETS


def main(words: list[str]) -> None:
    """Fuzz; does not return."""
    name, bug, *options = words
    if bug != "-":
        BUGS[bug].plant()
    for functions in (thriftcodec._DECODERS, thriftcodec._ENCODERS):
        for function in functions.values():
            atheris.instrument_func(function)
    # For a line of its log that nobody reads, it takes longer than for all the rest.
    autobahn_protocol.pformat = repr
    call, meter = TARGETS[name].call, Meter(METERED)

    def once(data: bytes) -> None:
        call(data, meter)

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
