"""Own texts whose echoes died with a line, for clients with the additions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import FetchBacklog
from timtw.test.stage import Client, Stage


def seqs(client: Client) -> list[int]:
    """The numbers of the log in the order in which they came."""
    return [entry.seq for entry in client.entries]


class OwnTextsTests(SynchronousTestCase):
    """An echo wants no acknowledgement, so only the client knows whether it came."""

    def setUp(self) -> None:
        """A text of another, one of one's own, another's again; then the line goes."""
        self.stage = Stage()
        ada, bob = self.stage.register("ada"), self.stage.register("bob")
        writer = self.stage.log_in("ada")
        self.desk = self.stage.log_in("bob", "desk", additions=True, acknowledges=False)
        self.desk.asks(FetchBacklog(0))
        for one, peer in ((writer, bob), (self.desk, ada), (writer, bob)):
            one.writes(peer, "hi")
            self.stage.settle()
        self.desk.vanishes()

    def again(self, resume: int) -> Client:
        """Come back and ask for everything behind ``resume``."""
        desk = self.stage.log_in("bob", "desk", additions=True)
        desk.asks(FetchBacklog(resume))
        self.stage.settle()
        return desk

    def test_live(self) -> None:
        """Before the line goes everything comes in order."""
        self.assertEqual([1, 2, 3], seqs(self.desk))

    def test_d17_nothing_had_arrived(self) -> None:
        """A text that was lost on the line between two others comes in its place."""
        self.assertEqual([1, 2, 3], seqs(self.again(0)))

    def test_some_had_arrived(self) -> None:
        """What the client says it has does not come again, own texts after it do."""
        self.assertEqual([2, 3], seqs(self.again(1)))

    def test_all_had_arrived(self) -> None:
        """Nothing comes again to a client that has everything."""
        self.assertEqual([], seqs(self.again(3)))
