"""The control: a bare Twisted server that sends back what it gets.

    python benchmarks/echo.py PORT [FOLDER WITH key.pem AND chain.pem]

Figures of the node divided by its figures compare between machines.
"""

from __future__ import annotations

import sys

from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorCore, ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory


class Echo(Protocol):
    """Sends back what it gets."""

    def connectionMade(self) -> None:
        """Send small pieces at once."""
        transport = ITCPTransport(self.transport)
        transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        assert self.transport is not None
        self.transport.write(data)


def main(port: int, folder: str = "") -> None:
    """Serve until the process is ended."""
    factory = ServerFactory()
    factory.protocol = Echo
    kind, keys = "tcp", ""
    if folder:
        kind, keys = "ssl", f":privateKey={folder}/key.pem:certKey={folder}/chain.pem"
    description = f"{kind}:{port}:interface=127.0.0.1{keys}"
    serverFromString(reactor, description).listen(factory)
    IReactorCore(reactor).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
