"""A fault of ours in what one connection reads costs nobody else anything."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from timtw.core.feeds.reading import Reading
from timtw.core.feeds.roomreading import RoomReading
from timtw.model.commands import FetchBacklog
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
        self.breaks_once(RoomReading)
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
        self.breaks_once(Reading)
        ada.writes(self.bob, "hello")
        stage.settle(1)
        self.assertEqual(1, len(self.flushLoggedErrors(Fault)))
        ended = self._one_was_ended(clients, ["hello"])
        ended.vanishes()
        again = stage.log_in("bob", "phone")
        again.asks(FetchBacklog())
        stage.settle(1)
        self.assertEqual(["hello"], again.texts)

    def breaks_once(self, kind: type[Reading] | type[RoomReading]) -> None:
        """The second that is offered something meets a fault."""
        offered: Callable[..., None] = kind.offered
        times = itertools.count()

        def faulty(*what: object) -> None:
            if next(times) == 1:
                raise Fault
            offered(*what)

        self.patch(kind, "offered", faulty)

    def _one_was_ended(self, clients: list[Client], texts: list[str]) -> Client:
        """The one whose line was ended; all others have these texts."""
        (ended,) = [client for client in clients if client.closed]
        for client in clients:
            if client is not ended:
                self.assertEqual(texts, heard(client) or client.texts)
        return ended
