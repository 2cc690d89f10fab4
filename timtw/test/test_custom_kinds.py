"""Messages of kinds that an application has made for itself, as people see them."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import FetchBacklog, PullHistory, SendMessage
from timtw.model.errors import PermissionDenied
from timtw.model.events import Accepted, Delivery, History, Marked, Refused, Repeated
from timtw.model.values import CUSTOM, TEXT, Content
from timtw.test.stage import OPEN, Client, Stage


def seen(client: Client) -> list[tuple[int, str | None]]:
    """Kind and text of everything that came, in order, repeats included."""
    came = [one.message for one in client.entries]
    return [(message.kind, message.content.text) for message in came]


class CustomTests(SynchronousTestCase):
    """Ada sends to Bob."""

    def setUp(self) -> None:
        """Both have an account, Ada is there."""
        self.stage = Stage()
        self.stage.register("ada")
        self.bob = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")

    def send(
        self, words: str, kind: int = CUSTOM[0], ident: int | None = None
    ) -> SendMessage:
        """Ada sends."""
        command = SendMessage(self.bob.node, Content(words), ident, kind=kind)
        self.ada.asks(command)
        self.stage.settle()
        return command

    def test_live(self) -> None:
        """Bob's devices get it to be confirmed, in order with texts; Ada's do not."""
        phone, laptop = self.stage.log_in("bob"), self.stage.log_in("ada", "laptop")
        self.ada.writes(self.bob, "1")
        self.send("ring", CUSTOM[-1], ident=8)
        self.ada.writes(self.bob, "2")
        self.stage.settle()
        self.assertEqual([(TEXT, "1"), (127, "ring"), (TEXT, "2")], seen(phone))
        told = phone.told(Delivery)[1]
        self.assertGreater(told.receipt, 0)
        message = told.entry.message
        self.assertEqual((0, 8), (message.mid, message.ident))
        self.assertEqual([(TEXT, "1"), (TEXT, "2")], seen(laptop))
        self.assertEqual([(TEXT, "1"), (TEXT, "2")], seen(self.ada))

    def test_accepted(self) -> None:
        """The asking connection alone is told that it is stored."""
        laptop = self.stage.log_in("ada", "laptop")
        command = self.send("ring")
        self.assertEqual([Accepted(command)], self.ada.told(Accepted))
        self.assertEqual([], laptop.told(Accepted))

    def test_away(self) -> None:
        """Each device of Bob gets it when it comes back."""
        self.send("ring")
        phone, laptop = self.stage.log_in("bob"), self.stage.log_in("bob", "laptop")
        phone.asks(FetchBacklog())
        self.stage.settle(5)
        self.assertEqual([(31, "ring")], seen(phone))
        self.assertEqual([(31, "ring")], seen(laptop))

    def test_transmitted_again(self) -> None:
        """What is not confirmed is sent again, like a text."""
        phone = self.stage.log_in("bob", acknowledges=False)
        self.send("ring")
        self.stage.settle(limits.ACK_SECONDS)
        self.assertEqual([(31, "ring")] * 2, seen(phone))

    def test_twice(self) -> None:
        """The same id is one message, and is accepted each time."""
        phone = self.stage.log_in("bob")
        for _ in range(2):
            self.send("ring", ident=8)
        self.assertEqual([(31, "ring")], seen(phone))
        self.assertEqual(2, len(self.ada.told(Accepted)))
        self.assertEqual([], self.ada.told(Repeated))

    def test_no_history(self) -> None:
        """The conversation does not tell of it, nor do delivered marks."""
        page = self.stage.log_in("ada", "page", additions=True)
        self.stage.log_in("bob")
        self.send("ring")
        self.ada.asks(PullHistory(self.bob.node, 0, 10))
        self.stage.settle(1)
        self.assertEqual([History(())], self.ada.told(History))
        self.assertEqual([], page.told(Marked))

    def test_friends_only(self) -> None:
        """Who may not write may not send this either."""
        self.stage.settings = attrs.evolve(OPEN, write_to_anyone=False)
        self.stage.start("north")
        self.ada = self.stage.log_in("ada")
        self.send("ring")
        (refused,) = self.ada.told(Refused)
        self.assertIsInstance(refused.error, PermissionDenied)
        self.assertEqual([], self.ada.told(Accepted))
