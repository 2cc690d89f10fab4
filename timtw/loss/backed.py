"""A node whose database is on a server, which has a line to it that can be hindered."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from timtw.loss.nodes import CONFIGURATION, Node
from timtw.loss.proxy import Proxy
from timtw.loss.servers import DATABASE, NotInstalled, Server

ENGINES: Final = ("postgresql", "mariadb")
SHARD: Final = """
[shard main]
url = {url}
wait_for_database = 60
"""


def server_class(engine: str) -> type[Server]:
    """What starts servers of an engine; NotInstalled if its driver is not there."""
    # Not at the top: the drivers are extras.
    try:
        if engine == "postgresql":
            from timtw.loss.postgres import Postgres

            return Postgres
        from timtw.loss.mariadb import MariaDb
    except ImportError as error:
        text = f"{error.name} is not installed: pip install 'timtw[postgres,mysql]'"
        raise NotInstalled(text) from None
    return MariaDb


class BackedNode(Node):
    """A node with a server that is there before it and serves nobody else.

    Attributes:
        server: The server.
        proxy: The line to it.
    """

    def __init__(
        self,
        directory: Path,
        launcher: Sequence[str],
        make: Callable[[], Server],
        rng: random.Random,
    ) -> None:
        """A node that does not run yet; its server does."""
        self.server = make()
        self.proxy = Proxy(self.server.socket, rng)
        url = self.server.url(DATABASE, self.proxy.socket)
        configuration = CONFIGURATION + SHARD.replace("{url}", url)
        super().__init__(directory, launcher, configuration=configuration)

    @classmethod
    def on_nothing(cls, directory: Path, launcher: Sequence[str], engine: str) -> Self:
        """A node with an empty database."""
        made = cls(directory, launcher, server_class(engine), random.Random(0))
        made.server.ask(f"CREATE DATABASE {DATABASE}")
        return made

    def start(self) -> None:
        """See ``Node``; first the server, if it was killed as well."""
        if self.server.process is None:
            self.server.start()
        super().start()

    def crash(self) -> None:
        """See ``Node``."""
        self.kill()
        self.server.kill()

    def stop(self) -> None:
        """See ``Node``; then the server, which leaves its files in order."""
        super().stop()
        self.server.kill(signal.SIGTERM)

    def copy(self, directory: Path, rng: random.Random) -> Node:
        """See ``Node``; the server is copied too, and the copy runs."""
        shutil.copytree(self._directory, directory)
        server = self.server
        return BackedNode(directory, self._command, lambda: type(server)(server), rng)

    def remove(self) -> None:
        """See ``Node``."""
        super().remove()
        self.proxy.close()
        self.server.remove()
