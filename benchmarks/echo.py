"""The control: a bare Twisted server that sends back what it gets.

    python benchmarks/echo.py PORT

Rates of the node divided by its rate compare between machines.
"""

from __future__ import annotations

import sys

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorCore, IReactorTCP, ITCPTransport
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


def main(port: int) -> None:
    """Serve until the process is ended."""
    factory = ServerFactory()
    factory.protocol = Echo
    IReactorTCP(reactor).listenTCP(port, factory, interface="127.0.0.1")
    IReactorCore(reactor).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
