"""The reader of system call traces, on lines as strace prints them."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from timtw.test.tracing import Call, parse, unsynced

WRITE = '71 pwrite64(6</x/tim.db-wal>, "\\r\\0"..., 4096, 8272) = 4096'
SYNC = "71 fdatasync(6</x/tim.db-wal>)  = 0"
OTHER = "71 fdatasync(5</x/tim.db>)  = 0"


def echo(burst: int) -> str:
    """The line of an echo of a burst."""
    text = f'"\\202~{{\\"dataString\\":\\"burst-{burst}-1\\"}}"'
    return f"70 sendto(9<socket:[4]>, {text}, 40, 0, NULL, 0) = 40"


class ParseTests(TestCase):
    """Lines become calls."""

    def test_whole(self) -> None:
        """A call on one line has its name, its file and its place."""
        (call,) = parse([SYNC])
        self.assertEqual(("fdatasync", "/x/tim.db-wal", 0, 0), attrs_of(call))

    def test_interrupted(self) -> None:
        """A call that another thread interrupts has ended where it is resumed."""
        lines = [
            "71 fdatasync(6</x/tim.db-wal> <unfinished ...>",
            WRITE.replace("71", "70", 1),
        ]
        lines.append("71 <... fdatasync resumed>)       = 0")
        write, sync = parse(lines)
        self.assertEqual("pwrite64", write.name)
        self.assertEqual(("fdatasync", "/x/tim.db-wal", 0, 2), attrs_of(sync))

    def test_failed(self) -> None:
        """A call that failed did nothing."""
        line = "71 fdatasync(6</x/tim.db-wal>) = -1 EIO (Input/output error)"
        self.assertEqual([], parse([line]))

    def test_never_ended(self) -> None:
        """A call that never ended did nothing for certain."""
        line = "71 fdatasync(6</x/tim.db-wal> <unfinished ...>"
        self.assertEqual([], parse([line, "71 +++ killed by SIGKILL +++"]))

    def test_noise(self) -> None:
        """Signals, exits and other lines are stepped over."""
        lines = [
            "70 --- SIGTERM {si_signo=SIGTERM} ---",
            "70 +++ exited with 0 +++",
            "",
        ]
        self.assertEqual([], parse(lines))


def attrs_of(call: Call) -> tuple[str, str, int, int]:
    """What the tests compare."""
    return call.name, call.target, call.began, call.ended


class UnsyncedTests(TestCase):
    """Both sides of the rule."""

    def found(self, *lines: str, bursts: int = 1) -> list[str]:
        """The findings for these lines."""
        marks = [f"burst-{number}-" for number in range(bursts)]
        return unsynced(parse(lines), marks)

    def test_synced(self) -> None:
        """Write, sync, echo is what has to be."""
        self.assertEqual([], self.found(WRITE, WRITE, SYNC, echo(0)))

    def test_without_sync(self) -> None:
        """An echo after a write alone is found."""
        self.assertEqual(1, len(self.found(WRITE, echo(0), SYNC)))

    def test_sync_of_another_file(self) -> None:
        """A sync of the database itself does not help."""
        self.assertEqual(1, len(self.found(WRITE, OTHER, echo(0))))

    def test_sync_before_write(self) -> None:
        """A sync before the write does not help."""
        self.assertEqual(1, len(self.found(SYNC, WRITE, echo(0))))

    def test_nothing_written(self) -> None:
        """An echo of what was never written is found."""
        self.assertEqual(1, len(self.found(echo(0), WRITE, SYNC)))

    def test_sync_still_under_way(self) -> None:
        """A sync that has not ended when the echo goes out does not help."""
        begun = "71 fdatasync(6</x/tim.db-wal> <unfinished ...>"
        lines = [WRITE, begun, echo(0), "71 <... fdatasync resumed>) = 0"]
        self.assertEqual(1, len(self.found(*lines)))

    def test_each_burst(self) -> None:
        """The sync of one burst does not stand for the next."""
        lines = [WRITE, SYNC, echo(0), WRITE, echo(1)]
        (finding,) = self.found(*lines, bursts=2)
        self.assertIn("burst-1-", finding)

    def test_no_echo(self) -> None:
        """A burst without any echo is found, so that a broken trace cannot pass."""
        self.assertEqual(1, len(self.found(WRITE, SYNC)))
