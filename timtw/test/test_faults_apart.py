"""A fault of ours in what one connection reads costs nobody else anything."""

from __future__ import annotations

import itertools

from timtw.core.feeds.reading import Reading
from timtw.core.feeds.roomreading import RoomReading
from timtw.core.feeds.volleys import Salvo
from timtw.model.commands import FetchBacklog
from timtw.model.values import LogEntry
from timtw.test.roomkit import Case, heard, says
from timtw.test.stage import Client


class Fault(Exception):
    """What a fault in the code would raise."""


class FaultTests(Case):
    """One of several connections meets a fault."""

    def test_in_a_group(self) -> None:
        """
        The others hear what was written, and so does he when he comes back.
        """
        stage = self.stage
        clients = [stage.log_in(name) for name in ("ada", "bob", "cyd")]
        says(clients[0], self.room, "first")
        stage.settle(1)
        offered, times = RoomReading.offered, itertools.count()

        def faulty(reading: RoomReading, salvo: Salvo) -> None:
            if next(times) == 1:
                raise Fault
            offered(reading, salvo)

        self.patch(RoomReading, "offered", faulty)
        says(clients[0], self.room, "second")
        stage.settle(1)
        self.assertEqual(1, len(self.flushLoggedErrors(Fault)))
        ended = self._one_was_ended(clients, ["first", "second"])
        ended.vanishes()
        again = stage.log_in(("ada", "bob", "cyd")[clients.index(ended)])
        stage.settle(5)
        self.assertEqual(["second"], heard(again))

    def test_in_the_own_log(self) -> None:
        """
        A text with a fault at one device of a person comes to the others, and to the
        one when it is back.
        """
        stage = self.stage
        ada = stage.log_in("ada")
        clients = [stage.log_in("bob", device) for device in ("phone", "tablet", "tv")]
        for client in clients:
            client.asks(FetchBacklog())
        stage.settle(1)
        offered, times = Reading.offered, itertools.count()

        def faulty(reading: Reading, entry: LogEntry) -> None:
            if next(times) == 1:
                raise Fault
            offered(reading, entry)

        self.patch(Reading, "offered", faulty)
        ada.writes(self.bob, "hello")
        stage.settle(1)
        self.assertEqual(1, len(self.flushLoggedErrors(Fault)))
        ended = self._one_was_ended(clients, ["hello"])
        ended.vanishes()
        again = stage.log_in("bob", "phone")
        again.asks(FetchBacklog())
        stage.settle(1)
        self.assertEqual(["hello"], again.texts)

    def _one_was_ended(self, clients: list[Client], texts: list[str]) -> Client:
        """The one whose line was ended; all others have these texts."""
        (ended,) = [client for client in clients if client.closed]
        for client in clients:
            if client is not ended:
                self.assertEqual(texts, heard(client) or client.texts)
        return ended
