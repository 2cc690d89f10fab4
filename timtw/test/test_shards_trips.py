"""Which statements travel together to a server, and how they are filled in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from timtw.model.limits import STATEMENT_BYTES
from timtw.shards.server.trips import Filler, Trip, trips
from timtw.shards.tables.operations import Operation

OPENING = ["BEGIN", "INSERT INTO mark"]


def unasked(text: str, parameters: Sequence[Any]) -> str:
    """A driver that is asked for nothing."""
    raise AssertionError((text, parameters))


FILL = Filler("x'%s'", unasked)


def travelled(begin: Callable[[], Operation[Any]]) -> tuple[list[Trip], Any]:
    """All trips of an operation, each answered by its number, and its result."""
    way = trips(begin, OPENING, FILL)
    seen: list[Trip] = []
    answer: Any = None
    try:
        while True:
            seen.append(way.send(answer))
            answer = [(len(seen),)]
    except StopIteration as stop:
        last, result = stop.value
        return [*seen, last], result


class TripTests(SynchronousTestCase):
    """What goes in one round trip."""

    def test_writes_travel_with_what_follows(self) -> None:
        """
        A transaction takes as many round trips as it has answers, and one more.
        """

        def operation() -> Operation[Any]:
            found = yield "SELECT 1", ()
            self.assertEqual([], (yield "INSERT 1", ()))
            raised = yield "INSERT 2 RETURNING n", ()
            self.assertEqual([], (yield "UPDATE 3", ()))
            return found + raised

        seen, result = travelled(operation)
        wanted = [
            [*OPENING, "SELECT 1"],
            ["INSERT 1", "INSERT 2 RETURNING n"],
            ["UPDATE 3", "COMMIT"],
        ]
        self.assertEqual(wanted, seen)
        self.assertEqual([(1,), (2,)], result)

    def test_mark_is_there_before_commit(self) -> None:
        """
        A COMMIT whose answer is lost can be decided even if nothing was asked before.
        """

        def operation() -> Operation[None]:
            yield "DELETE 1", ()

        seen, _result = travelled(operation)
        self.assertEqual([[*OPENING, "DELETE 1"], ["COMMIT"]], seen)

    def test_trips_are_limited(self) -> None:
        """
        What together is more than a server takes goes in several trips.
        """
        half = "INSERT " + "x" * (STATEMENT_BYTES // 2)

        def operation() -> Operation[None]:
            for _ in range(3):
                yield half, ()

        seen, _result = travelled(operation)
        self.assertEqual([[*OPENING, half], [half], [half, "COMMIT"]], seen)

    def test_failed_operation(self) -> None:
        """
        An operation that fails commits nothing.
        """

        def operation() -> Operation[None]:
            yield "INSERT 1", ()
            raise ValueError

        self.assertRaises(ValueError, travelled, operation)


class FillerTests(SynchronousTestCase):
    """Parameters in texts."""

    def test_numbers_and_octets(self) -> None:
        """
        Whatever octets there are, they come as they are and end no text.
        """
        values = (-(1 << 63), (1 << 63) - 1, b"", b"'%s\\\0", None)
        text = FILL("VALUES (%s, %s, %s, %s, %s)", values)
        wanted = (
            "VALUES (-9223372036854775808, 9223372036854775807, "
            "x'', x'2725735c00', NULL)"
        )
        self.assertEqual(wanted, text)

    def test_others_are_left_to_the_driver(self) -> None:
        """
        What a text is made of nobody quotes but the driver.
        """
        asked: list[Any] = []

        def driver(text: str, parameters: Sequence[Any]) -> str:
            asked.append((text, parameters))
            return "quoted"

        fill = Filler("x'%s'", driver)
        self.assertEqual("quoted", fill("a = %s AND b = %s", (1, "it's")))
        self.assertEqual([("a = %s AND b = %s", (1, "it's"))], asked)
        self.assertEqual("a LIKE '%'", fill("a LIKE '%'", ()))
