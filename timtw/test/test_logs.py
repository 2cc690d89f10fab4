"""The log for machines: what is in it, and what never is."""

import io
import json
from typing import Any

from twisted.logger import ILogObserver, Logger, globalLogPublisher
from twisted.python import log
from twisted.python.failure import Failure
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from timtw.logs import INSTEAD, LONGEST, WITHHELD, observer
from timtw.logs import json as json_observer

CANARY = "canary-6f1e"


class Unprintable:
    """A value whose text nobody asked for."""

    def __repr__(self) -> str:
        return CANARY


class JsonLogTests(unittest.SynchronousTestCase):
    """Each event is one JSON object on one line."""

    def setUp(self) -> None:
        """Log into memory."""
        self.out = io.StringIO()
        self.log = Logger(namespace="timtw.core.some", observer=observer(self.out))

    def line(self) -> dict[str, Any]:
        """The one line that was written."""
        text = self.out.getvalue()
        self.assertEqual(1, text.count("\n"))
        decoded: dict[str, Any] = json.loads(text)
        return decoded

    def test_facts(self) -> None:
        """Time, level, origin, message and the event's keys are there."""
        self.log.info(
            "logged in over {codec} after {seconds} s", codec="json", seconds=1.5
        )
        line = self.line()
        self.assertEqual("info", line["level"])
        self.assertEqual("timtw.core.some", line["namespace"])
        self.assertEqual("logged in over json after 1.5 s", line["message"])
        self.assertEqual(("json", 1.5), (line["codec"], line["seconds"]))
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT.*\+00:00$")

    def test_message_stays_on_its_line(self) -> None:
        """Line feeds of a message do not begin another event."""
        self.log.warn("first\nsecond {code}", code=5101)
        self.assertEqual("first\nsecond 5101", self.line()["message"])

    def test_withheld_keys(self) -> None:
        """Words, names and whereabouts are in neither the keys nor the message."""
        for key in WITHHELD:
            self.log.info("it was {" + key + "}", **{key: CANARY})
        self.assertNotIn(CANARY, self.out.getvalue())
        self.assertIn(f"it was {INSTEAD}", self.out.getvalue())
        self.assertEqual(len(WITHHELD), self.out.getvalue().count("\n"))

    def test_objects_are_not_written(self) -> None:
        """A value that is no plain fact is left out of the keys."""
        self.log.info("an event", command=Unprintable(), values=[CANARY], raw=b"canary")
        self.assertNotIn("canary", self.out.getvalue())

    def test_failures_without_their_message(self) -> None:
        """A failure has its class and places, and nothing that it quotes."""
        try:
            raise ValueError(CANARY)
        except ValueError:
            self.log.failure("posting failed")
        line = self.line()
        self.assertNotIn(CANARY, self.out.getvalue())
        self.assertEqual("ValueError", line["failure"]["class"])
        self.assertIn("test_logs.py", line["failure"]["at"][-1])
        self.assertEqual("posting failed", line["message"])
        self.assertEqual("critical", line["level"])

    def test_failures_of_the_older_log(self) -> None:
        """What Twisted's older log says of a failure quotes nothing either."""
        seen = observer(self.out)
        globalLogPublisher.addObserver(seen)
        self.addCleanup(globalLogPublisher.removeObserver, seen)
        log.err(Failure(ValueError(CANARY)), "it broke", system=CANARY)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        line = self.line()
        self.assertNotIn(CANARY, self.out.getvalue())
        self.assertEqual("it broke", line["message"])
        self.assertEqual("ValueError", line["failure"]["class"])

    def test_longest_text(self) -> None:
        """A text of the limit is whole, a longer one is cut."""
        self.log.info("short", state="s" * LONGEST)
        self.log.info("long", state="s" * (LONGEST + 1))
        lengths = [
            len(json.loads(line)["state"]) for line in self.out.getvalue().splitlines()
        ]
        self.assertEqual([LONGEST, LONGEST], lengths)

    def test_twistd_gets_an_observer(self) -> None:
        """What ``twistd --logger`` calls makes an observer of the current kind."""
        verifyObject(ILogObserver, json_observer())
