"""
``twistd tim``: the options of the command, and the service it runs.

With `cli.py` the only module that imports the global reactor.
"""

import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from twisted.application.service import IService
from twisted.python import usage

from timtw.config import ConfigError, NodeConfig, read_config


class Options(usage.Options):
    """
    The options of ``twistd tim``.

    twistd itself answers an error of usage with a page of help on the standard output
    and exit status 0, so all of ours end here: sentences on the standard error, 1.
    """

    synopsis = "[--config=node.ini] [--check]"
    longdesc = (
        "Runs a node of timtw until SIGTERM. Every key of the configuration has a "
        "default; docs/reference/configuration.md lists them."
    )
    optParameters: ClassVar[list[list[str | None]]] = [
        ["config", "c", None, "The node's configuration, an INI file."],
    ]
    optFlags: ClassVar[list[list[str | None]]] = [
        ["check", None, "Read the configuration, say what is wrong with it, and end."],
    ]

    environ: Mapping[str, str] = os.environ
    """Names and values of environment variables."""

    settings: NodeConfig
    """What was read; there once `parseOptions` has returned."""

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the command's words and then the configuration.

        Raises:
            SystemExit: with 1 when something is wrong, with 0 after ``--check``.
        """
        try:
            usage.Options.parseOptions(self, options)
        except usage.UsageError as error:
            _give_up([f"twistd tim: {error}"])

    def postOptions(self) -> None:
        """Read the configuration that the words name."""
        named = self["config"]
        try:
            self.settings = read_config(Path(named) if named else None, self.environ)
        except ConfigError as error:
            _give_up(error.problems)
        if self["check"]:
            sys.stdout.write(f"{named or 'the defaults'}: nothing is wrong\n")
            raise SystemExit(0)


def makeService(options: Options) -> IService:
    """The service of one node, as twistd asks for it."""
    from twisted.internet import reactor

    # What is imported stays, so nobody has to look for garbage in it meanwhile.
    gc.disable()
    from timtw.node import build

    gc.enable()
    # Twisted's timers run by the time of day: where a clock is set back by an hour,
    # nothing that waits would happen for an hour.
    clock: Any = reactor
    clock.seconds = time.monotonic
    return build(options.settings, reactor)


def _give_up(sentences: Sequence[str]) -> NoReturn:
    """Write what is wrong and end the process with status 1."""
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    raise SystemExit(1)
