"""Files of the client library, with a node that takes everything."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.client import Cancelled, Closed, Damaged, Refused, Signal, Unsure
from timtw.client.files import Files
from timtw.client.filetalk import Talk
from timtw.client.live import Lives
from timtw.client.wire import Speech
from timtw.model.limits import (
    CLIENT_FILE_END_SECONDS,
    CLIENT_FILE_PIECE,
    CLIENT_OFFERS,
)

V = "6wDSbHa4Upk"


class TalkTests(SynchronousTestCase):
    """What both sides say about a file."""

    def test_words(self) -> None:
        """Who waits goes on with the word, also if it was said before."""
        talk = Talk("bob")
        waiting = Deferred.fromCoroutine(talk.wait("take"))
        talk.said("done", {"sha256": "x"})
        self.assertNoResult(waiting)
        talk.said("take", {})
        self.successResultOf(waiting)
        done = Deferred.fromCoroutine(talk.wait("done"))
        self.assertEqual(self.successResultOf(done), {"sha256": "x"})

    def test_no(self) -> None:
        """A refusal ends it, but not after another device has taken it."""
        talk = Talk("bob")
        waiting = Deferred.fromCoroutine(talk.wait("take"))
        talk.said("refuse", {})
        self.failureResultOf(waiting, Cancelled)
        self.assertRaises(Cancelled, talk.check)
        talk = Talk("bob")
        talk.said("take", {})
        talk.said("refuse", {})
        talk.check()
        talk.said("cancel", {})
        self.assertRaises(Cancelled, talk.check)

    def test_another_device(self) -> None:
        """The device that has it goes on; on others it ends, and they say nothing."""
        for key, gone in (("mine", False), ("its", True)):
            talk = Talk("bob")
            talk.key = "mine"
            talk.said("taken", {"by": key})
            self.assertEqual((talk.over, talk.error is not None), (gone, gone))

    def test_refused_by_the_node(self) -> None:
        """A signal that the node refuses ends it; one that is given up does not."""
        talk, telling = Talk("bob"), Deferred[None]()
        talk.expect(telling)
        telling.errback(Refused(4105, "not allowed"))
        self.assertRaises(Refused, talk.check)
        talk, telling = Talk("bob"), Deferred[None]()
        talk.expect(telling)
        talk.end()
        talk.check()


class FilesInMemoryTests(SynchronousTestCase):
    """Files, with a node that takes everything and says nothing by itself."""

    def setUp(self) -> None:
        """Nothing was sent or offered."""
        self.clock = Clock()
        self.said: list[tuple[str, Any]] = []
        self.pushed: list[bytes] = []
        self.takes: list[Deferred[bool]] = []
        self.lives = Lives(lambda make: succeed(V), self.post, lambda who, yes: None)
        self.files = Files(self.clock, self.lives, self.tell, lambda size: bytes(size))
        self.path = Path(self.mktemp())

    def tell(self, peer: str, content: Any) -> Deferred[None]:
        """A signal of ours."""
        self.said.append((peer, content))
        return succeed(None)

    def post(self, make: Any) -> Deferred[bool]:
        """A frame of ours; the line takes more when the test says so."""
        self.pushed.append(make(Speech("json")))
        self.takes.append(Deferred())
        return self.takes[-1]

    def hear(self, say: str, peer: str = "bob", **more: Any) -> None:
        """What the other side signals."""
        self.files.heard(Signal(peer, {"kind": "file", "say": say, "room": V} | more))

    def words(self) -> list[str]:
        """What we have signalled since the last look."""
        said, self.said = self.said, []
        return [content["say"] for _, content in said]

    def sending(self, size: int) -> Deferred[Any]:
        """Bob takes a file of this size."""
        self.path.write_bytes(bytes(size))
        sending = self.files.send("bob", self.path)
        self.assertEqual(self.words(), ["offer"])
        self.hear("take", "eve")
        self.assertEqual(self.words(), [])
        self.hear("take", by="x")
        return sending

    def test_pace(self) -> None:
        """A piece is read when the line takes it, and every piece is below 64 KiB."""
        sending = self.sending(3 * CLIENT_FILE_PIECE)
        for count in (1, 2, 3):
            self.assertEqual(len(self.pushed), count)
            self.assertLess(len(self.pushed[-1]), 65_536)
            self.takes[-1].callback(True)
        self.assertEqual(self.words(), ["taken", "done"])
        self.hear(
            "done", sha256=hashlib.sha256(bytes(3 * CLIENT_FILE_PIECE)).hexdigest()
        )
        self.assertEqual(self.successResultOf(sending).size, 3 * CLIENT_FILE_PIECE)
        self.assertEqual(self.words(), [])

    def test_no_answer_at_the_end(self) -> None:
        """Who never says that all has come is not waited for without an end."""
        sending = self.sending(0)
        self.clock.advance(CLIENT_FILE_END_SECONDS - 1)
        self.assertNoResult(sending)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(sending).size, 0)

    def test_another_checksum(self) -> None:
        """Who has something else than was sent says so, and the sender learns it."""
        sending = self.sending(0)
        self.hear("done", sha256="0")
        self.failureResultOf(sending, Damaged)
        self.assertEqual(self.words(), ["taken", "done", "cancel"])

    def test_lost_line(self) -> None:
        """A line that is lost in the middle ends it."""
        sending = self.sending(10)
        self.takes[-1].callback(False)
        self.failureResultOf(sending, Unsure)
        self.assertEqual(self.words(), ["taken", "cancel"])

    def test_x3_offers(self) -> None:
        """So many offers wait; the next one is refused, nonsense is ignored."""
        for number in range(CLIENT_OFFERS):
            self.hear("offer", room=f"{number}", name="x", size=1, type="y")
        self.assertEqual(self.words(), [])
        self.hear("offer", room="more", name="x", size=1, type="y")
        self.assertEqual(self.words(), ["refuse"])
        self.successResultOf(self.files.offered())
        self.hear("offer", room="more", name="x", size=1, type="y")
        for name, size in ((1, 1), ("x", -1), ("x", True), ("x", "1"), ("x", None)):
            self.hear("offer", room="other", name=name, size=size)
        self.files.heard(Signal("bob", {"kind": "file", "say": "offer", "room": 1}))
        self.assertEqual(self.words(), [])

    def test_names(self) -> None:
        """A name has no folders and nothing that cannot be seen, and is never empty."""
        for name, shown in (
            ("a.txt", "a.txt"),
            ("/etc/passwd", "passwd"),
            ("..\\..\\x\n.exe", "x.exe"),
            ("..", "file"),
            ("dir/", "file"),
            ("\u4e2d", "\u4e2d"),
        ):
            self.hear("offer", room=name, name=name, size=1)
            self.assertEqual(self.successResultOf(self.files.offered()).name, shown)

    def test_given_up_before(self) -> None:
        """An offer that was taken back cannot be taken."""
        self.hear("offer", name="x", size=1)
        offer = self.successResultOf(self.files.offered())
        self.hear("cancel")
        self.failureResultOf(offer.take(self.path), Cancelled)
        self.assertFalse(self.path.exists())

    def test_over(self) -> None:
        """When the client has ended, so have its files."""
        sending, waiting = self.sending(10), self.files.offered()
        error = Closed("closed")
        self.files.over(error)
        self.takes[-1].callback(True)
        for one in (sending, waiting, self.files.offered()):
            self.failureResultOf(one, Closed)
