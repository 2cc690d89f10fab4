"""What fuzzing has found stays mended, and fuzzing still finds what it is there for."""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from timtw.test.fuzz import corpus
from timtw.test.fuzz.conversations import converse
from timtw.test.fuzz.meter import BYTES, STEPS, Finding, Meter
from timtw.test.fuzz.mutation import Mutator
from timtw.test.fuzz.planted import BUGS, planted
from timtw.test.fuzz.reference import Damaged, Reader
from timtw.test.fuzz.stage import Failures
from timtw.test.fuzz.targets import TARGETS
from timtw.test.wiredata import VECTORS

CORPUS_BYTES = 300_000


class CorpusTests(SynchronousTestCase):
    """Every input that is kept, at every target; methods are added below."""

    def replay(self, name: str) -> None:
        """Each input keeps all promises, and costs what its size allows."""
        for data in corpus.inputs(name):
            try:
                TARGETS[name].call(data, Meter())
            except Exception as error:
                raise AssertionError(f"{name}: {data.hex()}") from error

    def test_complete(self) -> None:
        """Each target has a corpus, and all of them together are small."""
        sizes = {path.stem: path.stat().st_size for path in corpus.FOLDER.iterdir()}
        self.assertEqual(set(TARGETS), set(sizes))
        self.assertLess(sum(sizes.values()), CORPUS_BYTES)

    def test_planted(self) -> None:
        """A reader with a bug in it does not get through the corpus."""
        for name, bug in BUGS.items():
            self.assertIn(bug.shows, corpus.inputs(bug.target), name)
            TARGETS[bug.target].call(bug.shows, Meter())
            with planted(name):
                call, meter = TARGETS[bug.target].call, Meter()
                self.assertRaises(Finding, call, bug.shows, meter)
            TARGETS[bug.target].call(bug.shows, Meter())


def _test_of(name: str) -> Callable[[CorpusTests], None]:
    """The test method of a target."""

    def test(self: CorpusTests) -> None:
        self.replay(name)

    test.__doc__ = f"No client can bring the target {name!r} to do what it must not."
    return test


for _name in TARGETS:
    setattr(CorpusTests, f"test_{_name}", _test_of(_name))


class ToolTests(SynchronousTestCase):
    """What fuzzing leans on."""

    def test_steps(self) -> None:
        """Work beyond what the size allows is a finding, an endless loop too."""

        def work(times: int) -> None:
            for _ in range(times):
                abs(1)

        Meter().run(0, work, STEPS - 10)
        self.assertRaises(Finding, Meter().run, 0, work, STEPS + 10)
        self.assertRaises(Finding, Meter().run, 0, work, 1 << 62)
        Meter(2).run(0, work, STEPS + 10)

    def test_bytes(self) -> None:
        """So is memory, even if it is given back at once."""
        Meter().run(0, bytes, BYTES - 4_000)
        self.assertRaises(Finding, Meter().run, 0, bytes, BYTES + 1)
        Meter().run(10, bytes, BYTES + 1)

    def test_failures(self) -> None:
        """What the log calls a failure is a finding, though the client is answered."""

        def answer() -> None:
            with Failures():
                Logger().failure("A bug", Failure(ValueError()))

        self.assertRaises(Finding, answer)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_reference(self) -> None:
        """The second reader of Thrift reads the vectors, and nothing cut off."""
        for value, as_thrift, _ in VECTORS:
            data = bytes.fromhex(as_thrift)
            self.assertEqual(Reader(data).structure(type(value)), value)
            for end in range(len(data)):
                cut = Reader(data[:end])
                self.assertRaises(Damaged, cut.structure, type(value))

    def test_smallest(self) -> None:
        """Of inputs that reach the same the smallest one is kept."""
        short, long = b"\0PROXY UNKNOWN\r\n", b"\0PROXY UNKNOWN\r\nabc"
        other = b"\0PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"
        kept = list(corpus.smallest("proxy", [long, other, short, short]))
        self.assertEqual(kept[0], short)
        self.assertIn(other, kept)
        self.assertEqual([], list(corpus.smallest("proxy", [])))

    def test_same_dice(self) -> None:
        """A seed always makes the same frames, and another one makes others."""

        def made(seed: int) -> list[bytes]:
            mutator = Mutator(random.Random(seed), ["A"])
            return [one for _ in range(50) for one in mutator.frames(b"\x15\x15\2\0")]

        self.assertEqual(made(1), made(1))
        self.assertNotEqual(made(1), made(2))


class ConversationTests(SynchronousTestCase):
    """A node between somebody who sends anything and two who talk."""

    def test_some(self) -> None:
        """The two notice nothing, and neither does who reads the log."""
        report = converse(seed=1, conversations=8)
        self.assertEqual((8, ()), (report.conversations, report.findings))
        self.assertGreater(report.frames, 20)
